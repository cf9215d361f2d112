# Makefile - builds firn.
#
#   make [PROFILE=small] [TARGET=aarch64] [CFG_X=N...]
#
# Everything is made below build/: firn for this machine in the profile
# `default` is build/firn; else build/aarch64/firn, build/small/firn and so
# on. The limits are in config.h.in. Third-party parts come from Debian.

VERSION := 0.1.0
HOST    := $(shell uname -m)
TARGET  ?= $(HOST)
PROFILE ?= default

# --- sources, in reading order: the journey of a byte ---------------------

CORE     := $(foreach d,base call fetch pack ship task,$(sort $(wildcard \
            core/$(d)/*.c)))
PLATFORM := $(sort $(wildcard platform/*.c))
AWS      := $(sort $(wildcard tests/aws/*.c))
SEAMS    := $(filter-out tests/test_% tests/fuzz_%,\
            $(sort $(wildcard tests/*.c)))
TESTS    := $(sort $(wildcard tests/test_*.c))

# --- how -------------------------------------------------------------------

OUT  := build$(if $(filter-out $(HOST),$(TARGET)),/$(TARGET))$(if \
        $(filter-out default,$(PROFILE)),/$(PROFILE))
DEPS := build/deps/$(TARGET)
CC   := $(DEPS)/bin/musl-gcc
NM   := $(if $(filter-out $(HOST),$(TARGET)),$(TARGET)-linux-gnu-)nm
LD   := $(if $(filter-out $(HOST),$(TARGET)),$(TARGET)-linux-gnu-)ld
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif

CHANGED := $(foreach name,$(sort $(filter CFG_%,$(.VARIABLES))),\
           "$(name)=$($(name))")

WARN   := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla -Wswitch-enum \
          -Wmissing-prototypes -Werror
CFLAGS := -std=c11 -O2 $(WARN) -Wframe-larger-than=4096 -fstack-usage \
          -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables \
          -fno-pie -ffile-prefix-map=$(CURDIR)=. -MMD -MP
LIBS   := -lcurl -lmbedtls -lmbedx509 -lmbedcrypto -lcares -lisal -lzstd
LINK   := -static -no-pie -Wl,--gc-sections -Wl,-z,noexecstack -s

OBJ          := $(OUT)/obj
CORE_OBJ     := $(CORE:%.c=$(OBJ)/%.o)
PLATFORM_OBJ := $(PLATFORM:%.c=$(OBJ)/%.o)
MADE         := $(OUT)/config.h $(OUT)/zones.h $(DEPS)/versions.h

all: $(OUT)/firn  ## build/firn, static (the default)

$(OUT)/firn: $(CORE_OBJ) $(PLATFORM_OBJ)
	$(CC) $(LINK) -o $@ $^ -L$(DEPS)/lib $(LIBS)
	@tests/fits $@ $(OUT)/config.h

$(OBJ)/core/%.o: core/%.c | $(MADE)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Icore -I$(OUT) -isystem $(DEPS)/include -c -o $@ $<

# POSIX is for platform/ alone. gcc would turn calloc into a call of calloc.
$(OBJ)/platform/%.o: platform/%.c | $(MADE)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -D_GNU_SOURCE -Icore -Iplatform -I$(OUT) -I$(DEPS) \
	    -isystem $(DEPS)/include -Ibuild/deps/ca \
	    $(if $(filter %/pool.o,$@),-fno-builtin) -c -o $@ $<

$(OUT)/config.h: config.h.in platform/config Makefile always
	@mkdir -p $(@D)
	@platform/config $(PROFILE) $(VERSION) $(CHANGED) < $< > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$(OUT)/zones.h: platform/deps/zones.c | $(DEPS)/versions.h
	@mkdir -p $(@D)
	gcc -std=c11 -O1 $(WARN) -o $(OUT)/zones $<
	find build/deps/zoneinfo -type f -o -type l | LC_ALL=C sort | \
	    $(OUT)/zones build/deps/zoneinfo > $@.new
	mv $@.new $@

build/deps/%/versions.h: $(wildcard platform/deps/*)
	platform/deps/all $*
	@touch $@

deps: $(DEPS)/versions.h  ## third-party parts into build/deps, once

# --- tests, with the sanitizers, for this machine ---------------------------

HOSTOUT := build/host
HOSTCC  := gcc
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
TFLAGS  := -std=c11 -D_GNU_SOURCE -g -O1 $(WARN) $(SANITIZE) -MMD -MP \
           -fno-omit-frame-pointer -Icore -Iplatform -Itests -Itests/aws \
           -I$(HOSTOUT) -Ibuild/deps/ca -Ibuild/deps/$(HOST) \
           -isystem build/deps/$(HOST)/include
TLIBS   := -Lbuild/deps/$(HOST)/lib $(LIBS) -lcmocka
HOSTOBJ := $(HOSTOUT)/obj
LIBCORE := $(HOSTOUT)/libcore.a
LIBAWS  := $(HOSTOUT)/libaws.a
LIBSEAM := $(HOSTOUT)/libseam.a
TBIN    := $(TESTS:tests/%.c=$(HOSTOUT)/%)
HOSTMADE := $(HOSTOUT)/config.h $(HOSTOUT)/zones.h

$(HOSTOUT)/config.h: $(OUT)/config.h
	@mkdir -p $(@D)
	@cmp -s $< $@ || cp $< $@
$(HOSTOUT)/zones.h: $(OUT)/zones.h
	@mkdir -p $(@D)
	@cp $< $@

$(HOSTOBJ)/%.o: %.c | $(HOSTMADE)
	@mkdir -p $(@D)
	$(HOSTCC) $(TFLAGS) -c -o $@ $<

$(LIBCORE): $(CORE:%.c=$(HOSTOBJ)/%.o)
$(LIBAWS): $(AWS:%.c=$(HOSTOBJ)/%.o)
$(LIBSEAM): $(SEAMS:%.c=$(HOSTOBJ)/%.o)
$(LIBCORE) $(LIBAWS) $(LIBSEAM):
	@rm -f $@
	ar rcs $@ $^

# What a test defines itself, a seam say, is not taken from the archives.
$(TBIN): $(HOSTOUT)/%: $(HOSTOBJ)/tests/%.o $(LIBCORE) $(LIBAWS) $(LIBSEAM)
	$(HOSTCC) $(SANITIZE) -o $@ $< -Wl,--start-group \
	    $(LIBCORE) $(LIBAWS) $(LIBSEAM) -Wl,--end-group $(TLIBS)

CHOSEN := $(if $(T),$(T:%=$(HOSTOUT)/test_%),$(TBIN))
test: $(CHOSEN)  ## unit tests; T=ring runs one of them
	@TZDIR=build/deps/zoneinfo tests/run $(CHOSEN)

check: all test order purity  ## all tests: unit, simulation, end to end, TLS
	tests/check

demo: all  ## real log lines through firn, on this machine alone
	tests/demo

bench: all  ## memory and CPU at 10 MB to 10 GB, beside boto3
	bench/run

prove: all  ## strace shows: no memory, process or file after the lock
	tests/prove

# --- fuzzing, with clang --------------------------------------------------

FUZZERS := $(notdir $(basename $(wildcard tests/fuzz_*.c)))
FUZZCC  := clang $(TFLAGS) -Wno-error
FUZZ    := -fsanitize=fuzzer-no-link
SECONDS ?= 60

build/fuzz/obj/%.o: %.c | $(HOSTMADE)
	@mkdir -p $(@D)
	$(FUZZCC) $(FUZZ) -c -o $@ $<
build/fuzz/libcore.a: $(CORE:%.c=build/fuzz/obj/%.o) \
    $(SEAMS:%.c=build/fuzz/obj/%.o)
	@rm -f $@
	ar rcs $@ $^
$(FUZZERS:%=build/fuzz/%): build/fuzz/%: build/fuzz/obj/tests/%.o \
    build/fuzz/libcore.a
	clang $(SANITIZE) -fsanitize=fuzzer -o $@ $^ -Lbuild/deps/$(HOST)/lib \
	    $(LIBS)

fuzz: $(FUZZERS:%=build/fuzz/%)  ## each parser under libFuzzer, SECONDS=60
	tests/fuzz $(SECONDS) $^

order:  ## the ls rule: includes look only back
	tests/order

purity: $(CORE_OBJ)  ## core by itself needs memcpy, codecs and seams
	tests/purity $(NM) $(LD) $^

memory:  ## the memory table of both profiles, into docs/memory.md
	$(MAKE) PROFILE=default
	$(MAKE) PROFILE=small
	tests/memory build/firn build/small/firn > docs/memory.md

stack: all  ## the largest frames, and the limit of one
	@find $(OBJ) -name '*.su' | xargs cat | sort -t '	' -k2 -n -r | \
	    awk -F '	' 'NR <= 15 { printf "%6d  %s\n", $$2, $$1 }'

clean:  ## all but the third-party parts
	find build -mindepth 1 -maxdepth 1 ! -name deps -exec rm -r {} +

help:  ## this list
	@awk -F ':.*  ## ' '/^[a-z]+:.*  ## / { printf "  make %-8s %s\n", \
	    $$1, $$2 }' Makefile
	@echo "  PROFILE=small, TARGET=aarch64 and CFG_X=N choose what is built"

.PHONY: all deps test check demo bench prove fuzz order purity memory stack \
        clean help always
.DELETE_ON_ERROR:
-include $(shell find build -path build/deps -prune -o -name '*.d' -print \
        2>/dev/null)
