# Makefile - builds firn.
#
#   make [PROFILE=small] [TARGET=aarch64] [CFG_X=N...] [V=1]
#
# Everything is made below build/: firn for this machine in the profile
# `default` is build/firn; else build/aarch64/firn, build/small/firn and so
# on. The limits are in config.h.in; third-party parts come from Debian.

VERSION := 0.1.0
HOST    := $(shell uname -m)
TARGET  ?= $(HOST)
PROFILE ?= default

# --- sources, in reading order: the journey of a byte ----------------------

BASE  := error text json xml date nearest zone ring stage chance chain crc \
         tally members
CALL  := http endpoint settings provider keys credentials sigv4 pace site \
         trouble request call reply ask
FETCH := decode frame seen group first circle long_event logs object member \
         inflate head choose record census reading grant export_task export
PACK  := line cut pack lane join recut sortrun tournament
SHIP  := part elements listing put multipart target upload copy finish segment \
         index receipt receipt_read existing catalog survey checkpoint \
         journal lease sweep sources compose feed order order_plan merge \
         merge_compose remove tidy
TASK  := message plan schedule schedule_parse config_keys config options \
         options_check manual manual_commands report refuse document recount \
         claim ending intake gather exporting discard archive adopt escape \
         interval cat verify restore ledger ledger_write status retention \
         retention_write calendar tour overview stock visit_day visit forecast \
         run daemon draft doctor_bucket doctor policy demand invocation

CORE  := $(BASE:%=core/base/%.c) $(CALL:%=core/call/%.c) \
         $(FETCH:%=core/fetch/%.c) $(PACK:%=core/pack/%.c) \
         $(SHIP:%=core/ship/%.c) $(TASK:%=core/task/%.c)

PLATFORM := bytes posix procfs pool filter lock crc64 sha256 digest_mbedtls \
            gcm gcm_plain gcm_fast trust \
            transport_words transport_handle transport_curl progress memory \
            version notify runner configure command_run command_daemon \
            command_archive command_adopt command_cat command_verify \
            command_restore command_status command_retention \
            command_schedule command_init command_doctor command_policy \
            command_lambda main_command
PLATFORM := $(PLATFORM:%=platform/%.c)

# In tests/, test_X.c and fuzz_X.c are programs, the others what they share;
# tests/aws is the tests' AWS.
TESTS := $(wildcard tests/test_*.c tests/aws/test_*.c)
FUZZ  := $(wildcard tests/fuzz_*.c)
SCALED := $(patsubst %,tests/test_%.c,simulate segment segment_found \
          merge_compose merge_stream)
YEAR  := tests/test_year.c
HELP  := $(filter-out $(TESTS) $(FUZZ),$(wildcard tests/*.c))
AWS   := $(filter-out $(TESTS) tests/aws/server.c,$(wildcard tests/aws/*.c))

# --- firn ------------------------------------------------------------------

OUT   := build$(if $(filter-out $(HOST),$(TARGET)),/$(TARGET))$(if \
         $(filter-out default,$(PROFILE)),/$(PROFILE))
DEPS  := build/deps/$(TARGET)
CROSS := $(if $(filter-out $(HOST),$(TARGET)),$(TARGET)-linux-gnu-)
CC    := $(DEPS)/bin/musl-gcc
WARN  := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla -Wswitch-enum \
         -Wmissing-prototypes -Werror
CFLAGS := -std=c11 $(if $(filter small,$(PROFILE)),-Os,-O2) $(WARN) \
          -Wframe-larger-than=4096 -fstack-usage \
          -ffunction-sections -fdata-sections -fno-pie -MMD -MP \
          -fno-asynchronous-unwind-tables -fno-unwind-tables \
          -ffile-prefix-map=$(CURDIR)=.
# What every line goes through, is made for speed in `small` as well; with
# bytes.c's memcpy, for what gcc puts in its place on x86-64 is `rep movsq`.
SPEED := base/ring base/tally base/date call/http fetch/decode fetch/frame \
         fetch/seen fetch/logs fetch/inflate fetch/record pack/line pack/cut \
         pack/lane pack/recut
LIBS  := -lcurl -lmbedtls -lmbedx509 -lmbedcrypto -lcares -lisal -lzstd
LINK  := -static -no-pie -Wl,--gc-sections,--sort-section=alignment \
         -Wl,-z,noexecstack -s
ifeq ($(TARGET),aarch64)
LINK  += -Wl,-z,max-page-size=65536  # the largest page of its kernels
endif
MADE  := $(OUT)/config.h $(OUT)/zones.h $(DEPS)/versions.h
CORE_OBJ     := $(CORE:%.c=$(OUT)/obj/%.o)
PLATFORM_OBJ := $(PLATFORM:%.c=$(OUT)/obj/%.o)
CHANGED := $(foreach n,$(sort $(filter CFG_%,$(.VARIABLES))),"$(n)=$($(n))")

QUICKLY := $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
MAKEFLAGS += $(QUICKLY) $(if $(V),,--silent)

all: $(OUT)/firn  ## build/firn, static (the default)

$(OUT)/firn: $(CORE_OBJ) $(PLATFORM_OBJ)
	$(CC) $(LINK) -o $@ $^ -L$(DEPS)/lib $(LIBS)
	tests/fits $@ $(OUT)/config.h

$(SPEED:%=$(OUT)/obj/core/%.o): CFLAGS += -O2 \
    $(if $(filter x86_64,$(TARGET)),-mstringop-strategy=libcall)
# With its names, for whoever looks into it.
$(OUT)/named: $(OUT)/firn
	$(CC) $(filter-out -s,$(LINK)) -o $@ $(CORE_OBJ) $(PLATFORM_OBJ) \
	    -L$(DEPS)/lib $(LIBS)

$(OUT)/obj/core/%.o: core/%.c | $(MADE)
	echo "  $<"; mkdir -p $(@D)
	$(CC) $(CFLAGS) -Icore -I$(OUT) -isystem $(DEPS)/include -c -o $@ $<

# POSIX is for platform/ alone. gcc would turn calloc into a call of calloc.
PLATFORM_FLAGS = -D_GNU_SOURCE -Icore -Iplatform -I$(OUT) -I$(DEPS) \
                 -isystem $(DEPS)/include -Ibuild/deps/ca
$(OUT)/obj/platform/pool.o: PLATFORM_FLAGS += -fno-builtin
$(OUT)/obj/platform/bytes.o: PLATFORM_FLAGS += -fno-builtin \
                              -fno-tree-loop-distribute-patterns
$(OUT)/obj/platform/%.o: platform/%.c | $(MADE)
	echo "  $<"; mkdir -p $(@D)
	$(CC) $(CFLAGS) $(PLATFORM_FLAGS) -c -o $@ $<

$(OUT)/config.h: config.h.in platform/config Makefile always
	mkdir -p $(@D)
	new=$@.$$$$; \
	platform/config $(PROFILE) $(VERSION) $(CHANGED) < $< > $$new && \
	    if cmp -s $$new $@; then rm $$new; else mv $$new $@; fi

$(OUT)/zones.h: platform/deps/zones.c | $(DEPS)/versions.h
	echo "  $@"; mkdir -p $(@D)
	gcc -std=c11 -O1 $(WARN) -o $(OUT)/zones $<
	find build/deps/zoneinfo -type f -o -type l | LC_ALL=C sort | \
	    $(OUT)/zones build/deps/zoneinfo > $@.new
	mv $@.new $@

build/deps/%/versions.h: $(wildcard platform/deps/*)
	platform/deps/all $*
	touch $@

deps: $(DEPS)/versions.h  ## third-party parts into build/deps, once

# The program alone, named as Lambda wants it; the same bytes each time.
ZIP := build/firn-lambda-$(TARGET:aarch64=arm64).zip
lambda: $(ZIP)  ## build/firn-lambda-arm64.zip; TARGET=aarch64 or x86_64
$(ZIP): $(OUT)/firn
	mkdir -p $(OUT)/lambda
	rm -f $@
	install -m 755 $< $(OUT)/lambda/bootstrap
	TZ=UTC touch -d 1980-01-01 $(OUT)/lambda/bootstrap
	TZ=UTC zip -q -9 -X -j $@ $(OUT)/lambda/bootstrap
	echo "$@: $$(wc -c < $@) bytes"; [ $$(wc -c < $@) -lt 1000000 ]

# --- tests, with the sanitizers, for this machine --------------------------
#
# For another TARGET they are made as firn is, static and with musl, without
# the sanitizers, which ran on this one, and emulated.

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
ifeq ($(TARGET),$(HOST))
TLINK    := $(SANITIZE)
TFAST    := -O1
UNIT     := build/host
SIM      := build/simulate
TCC      := gcc
else
UNIT     := build/$(TARGET)/unit
SIM      := build/$(TARGET)/simulate
TCC      := $(CC)
SANITIZE :=
TLINK    := -static -no-pie
CMOCKA   := build/$(TARGET)/cmocka
TFAST    := -O2
export EMULATOR := $(firstword $(notdir $(shell \
            command -v qemu-$(TARGET)-static qemu-$(TARGET))) no-emulator)
endif
TFLAGS := -std=c11 -D_GNU_SOURCE -g $(TFAST) $(WARN) $(SANITIZE) -MMD -MP \
          -fno-omit-frame-pointer -Icore -Iplatform -Itests -Itests/aws \
          -I$(UNIT) -Ibuild/deps/ca -I$(DEPS) \
          -isystem $(DEPS)/include $(CMOCKA:%=-isystem %)
TLIBS  := -Wl,--end-group -L$(DEPS)/lib $(LIBS) $(CMOCKA:%=-L%) -lcmocka
TESTLIBS := $(patsubst %,$(UNIT)/lib%.a,core help aws)
TBIN   := $(patsubst %.c,$(UNIT)/%,\
          $(filter-out $(SCALED) $(YEAR),$(TESTS))) \
          $(SCALED:tests/%.c=$(SIM)/%)
ONE    := $(if $(T),$(filter %/test_$(T),$(TBIN)),$(TBIN))

$(UNIT)/%.h: $(OUT)/%.h
	mkdir -p $(@D)
	cmp -s $< $@ || cp $< $@
$(UNIT)/obj/%.o: %.c | $(UNIT)/config.h $(UNIT)/zones.h $(CMOCKA)
	echo "  $< (test)"; mkdir -p $(@D)
	$(TCC) $(TFLAGS) -c -o $@ $<
$(TESTLIBS): $(UNIT)/lib%.a:
	rm -f $@
	ar rcs $@ $^
$(CMOCKA): tests/cmocka tests/parts | $(DEPS)/versions.h
	echo "  $@"
	tests/cmocka $(CC) $@
$(UNIT)/libcore.a: $(CORE:%.c=$(UNIT)/obj/%.o)
$(UNIT)/libhelp.a: $(HELP:%.c=$(UNIT)/obj/%.o)
$(UNIT)/libaws.a: $(AWS:%.c=$(UNIT)/obj/%.o)

# What a test defines itself, a seam say, is not taken from the archives.
$(filter $(UNIT)/%,$(TBIN)): $(UNIT)/%: $(UNIT)/obj/%.o \
    $(TESTLIBS)
	mkdir -p $(@D)
	$(TCC) $(TLINK) -o $@ $< -Wl,--start-group $(TESTLIBS) \
	    $(TLIBS)

# The simulator and its like, with limits of their own: a day of 300 KB has ten
# parts, and those behind the third go into segments. Once with the sanitizers,
# the simulator once more, fast, and so the daemon's year.
SIM_CFG := CFG_PART_BYTES=24576 CFG_BLOCK_BYTES=57344 CFG_CELL_BYTES=4096 \
           CFG_SLOT_BYTES=4096 CFG_SLOT_COUNT=72 CFG_LANE_BLOCKS=32 \
           CFG_LANE_RING_BYTES=32768 CFG_SEEN_EVENTS=11264 CFG_RUN_BYTES=8192
SIM_SRC := $(CORE) $(HELP)
SIM_FLAGS = -DLIMIT_PART_LEAST=4096 -DLIMIT_SEGMENT_FROM=3 \
            -DLIMIT_COPY_BYTES=100000 -I$(SIM) $(TFLAGS)
$(SIM)/config.h: config.h.in platform/config Makefile
	mkdir -p $(@D)
	platform/config default $(VERSION) $(SIM_CFG) < $< > $@
$(SIM)/slow/%.o: %.c | $(SIM)/config.h $(UNIT)/zones.h $(CMOCKA)
	echo "  $< (simulated)"; mkdir -p $(@D)
	$(TCC) $(SIM_FLAGS) -c -o $@ $<
$(SIM)/fast/%.o: %.c | $(SIM)/config.h $(UNIT)/zones.h $(CMOCKA)
	echo "  $< (simulated, fast)"; mkdir -p $(@D)
	$(TCC) $(filter-out $(SANITIZE) $(TFAST),$(SIM_FLAGS)) -O2 -c -o $@ $<
$(SIM)/libsim.a: $(SIM_SRC:%.c=$(SIM)/slow/%.o)
	rm -f $@
	ar rcs $@ $^
$(SCALED:tests/%.c=$(SIM)/%): $(SIM)/%: $(SIM)/slow/tests/%.o \
    $(SIM)/libsim.a $(UNIT)/libaws.a
	$(TCC) $(TLINK) -o $@ -Wl,--start-group $^ $(TLIBS)
$(SIM)/simulate $(SIM)/year: $(SIM)/%: $(SIM)/fast/tests/test_%.o \
    $(patsubst %.c,$(SIM)/fast/%.o,$(SIM_SRC) $(AWS))
	$(TCC) $(filter-out $(SANITIZE),$(TLINK)) -o $@ -Wl,--start-group $^ $(TLIBS)

# The tests' AWS as a server: optimised, so that it is not what is measured.
SERVER := build/host/aws-server
$(SERVER): $(AWS) tests/aws/server.c $(wildcard tests/aws/*.h)
	echo "  $@"; mkdir -p $(@D)
	gcc -std=c11 -O2 $(WARN) -Itests/aws -o $@ $(filter %.c,$^) -lmicrohttpd

# The transport alone, as a command, over platform/'s seams.
$(OUT)/libcore.a: $(CORE_OBJ)
	rm -f $@
	$(CROSS)ar rcs $@ $^
$(OUT)/fetch: tests/net/fetch.c $(PLATFORM_OBJ) $(OUT)/libcore.a
	$(CC) $(CFLAGS) $(PLATFORM_FLAGS) $(LINK) -o $@ \
	    $(filter-out %.h %/main_command.o,$^) -L$(DEPS)/lib $(LIBS)

# Its stages one by one, and the fastest that this machine could be.
STAGES := $(patsubst %,$(OUT)/obj/platform/%.o,bytes crc64 sha256 \
          digest_mbedtls gcm gcm_plain gcm_fast)
$(OUT)/stages: bench/stages.c $(AWS) $(STAGES) $(OUT)/libcore.a
	$(CC) $(CFLAGS) -Wno-frame-larger-than -Itests/aws $(PLATFORM_FLAGS) \
	    $(LINK) -o $@ $^ -L$(DEPS)/lib $(LIBS)
roofline: $(OUT)/firn $(OUT)/stages $(OUT)/fetch $(SERVER)  ## each stage alone, docs/roofline.md
	bench/roofline $(OUT)
# Its upload stage alone, for bench/compare.
$(OUT)/upload: bench/upload.c $(PLATFORM_OBJ) $(OUT)/libcore.a
	$(CC) $(CFLAGS) $(PLATFORM_FLAGS) $(LINK) -o $@ \
	    $(filter-out %.h %/main_command.o,$^) -L$(DEPS)/lib $(LIBS)

# firn for tests/test_torture.py: small parts, which S3 would refuse, short
# times, and a heap that fails when told.
torture:
	$(MAKE) OUT=build/torture CFG_PART_BYTES=65536 CFG_LEASE_MS=400 \
	    CFG_CONNECT_MS=500 CFG_STALL_MS=300 CFG_PATIENT_MS=600 \
	    CFG_BACKOFF_MS=200 \
	    "CC=$(CC) -DLIMIT_PART_LEAST=4096 -DLIMIT_COPY_BYTES=4194304" \
	    build/torture/torture
$(OUT)/torture: tests/net/torture.c $(CORE_OBJ) $(PLATFORM_OBJ)
	$(CC) $(CFLAGS) $(PLATFORM_FLAGS) $(LINK) -o $@ $(filter-out %.h,$^) \
	    -L$(DEPS)/lib $(LIBS)

# firn as on an ARMv8 processor without the cryptographic instructions.
$(OUT)/plain: tests/net/plain.c $(CORE_OBJ) $(PLATFORM_OBJ)
	$(CC) $(CFLAGS) $(LINK) -o $@ $(filter-out %.h,$^) -L$(DEPS)/lib $(LIBS)

# Fuzzers, by clang.
build/fuzz/obj/%.o: %.c | $(UNIT)/config.h $(UNIT)/zones.h
	echo "  $< (fuzz)"; mkdir -p $(@D)
	clang $(TFLAGS) -Wno-error -fsanitize=fuzzer-no-link -c -o $@ $<
FUZZLIBS := $(TESTLIBS:$(UNIT)/%=build/fuzz/%)
$(FUZZLIBS):
	rm -f $@
	ar rcs $@ $^
build/fuzz/libcore.a: $(CORE:%.c=build/fuzz/obj/%.o)
build/fuzz/libhelp.a: $(HELP:%.c=build/fuzz/obj/%.o)
build/fuzz/libaws.a: $(AWS:%.c=build/fuzz/obj/%.o)
$(FUZZ:tests/%.c=build/fuzz/%): build/fuzz/%: build/fuzz/obj/tests/%.o \
    $(FUZZLIBS)
	clang $(SANITIZE) -fsanitize=fuzzer -o $@ $< -Wl,--start-group \
	    $(FUZZLIBS) $(TLIBS)

test: $(ONE)  ## unit tests; T=ring runs one of them
	TZDIR=build/deps/zoneinfo tests/run $(ONE)

check:  ## all tests, end to end; installs what they need
	tests/check

check-aarch64:  ## firn for Graviton, its tests emulated on this machine
	tests/check-aarch64

dist:  ## tarballs, .deb, checksums and SBOM for both targets, in build/dist
	platform/dist/run
reproducible:  ## the same bytes again, in another directory
	tests/reproducible
build/pages: platform/dist/pages.c core/task/manual.c \
    core/task/manual_commands.c core/base/text.c | build/config.h
	gcc -std=c11 -O1 $(WARN) -ffunction-sections -Icore -Ibuild \
	    -Wl,--gc-sections -o $@ $^

demo:  ## real log lines through firn, all on this machine
	tests/demo

bench:  ## memory, CPU, limits and kills, beside peers; see bench/run
	bench/run

compatibility: all $(SERVER)  ## every reader in Debian, into docs/compatibility.md
	tests/install compatibility
	/usr/bin/python3 tests/compatibility $(OUT)/firn \
	    --into docs/compatibility.md

prove: all $(SERVER)  ## strace: no memory, process or file after the lock
	tests/prove $(OUT)/firn memory
	/usr/bin/python3 tests/test_prove.py $(OUT)/firn

soak:  ## firn daemon for an hour, its memory: docs/soak.md; SOAK_SECONDS=
	tests/install soak
	$(MAKE) PROFILE=default all $(SERVER)
	$(MAKE) PROFILE=small
	/usr/bin/python3 tests/soak build/firn build/small/firn

vm:  ## archives in machines of 128 MB; the least memory, docs/machines.md
	tests/vm/run

fuzz: $(FUZZ:tests/%.c=build/fuzz/%)  ## each parser under libFuzzer; SECONDS=60
	tests/fuzz $(or $(SECONDS),60) $^

simulate: $(SIM)/simulate  ## trouble; SEEDS=1000 SEED= KIND=merge or sort
	SEEDS=$(or $(SEEDS),$(if $(SEED),1,1000)) SEED=$(SEED) KIND=$(KIND) \
	    $(if $(filter 1,$(or $(SEEDS),$(if $(SEED),1))),SIM_TRACE=1) $(EMULATOR) $<

year: $(SIM)/year  ## a year of firn daemon, in virtual time; SEED=n
	YEAR_SEED=$(SEED) TZDIR=build/deps/zoneinfo $(EMULATOR) $<

order:  ## the ls rule: includes look only back
	tests/order $(CORE) $(PLATFORM)

purity: $(CORE_OBJ)  ## core by itself needs memcpy, codecs and seams
	tests/purity $(CROSS)nm $(CROSS)ld $^

analyze: all  ## gcc's analyzer and clang-tidy over core and platform
	tests/install analyze
	tests/analyze $(CORE) $(PLATFORM)

# By clang, which knows MC/DC; with the simulation, whose limits are its own.
COVERED := $(ONE:build/coverage/%=build/coverage/ran/%)
coverage:  ## what the unit tests and the simulation run of core; F=file, T=
	tests/install coverage
	$(MAKE) UNIT=build/coverage/unit SIM=build/coverage/simulate WARN=-w \
	    TCC=clang-19 SANITIZE="-fprofile-instr-generate -fcoverage-mapping \
	    -fcoverage-mcdc" coverage-report
coverage-report: $(COVERED) $(CORE:%.c=$(UNIT)/obj/%.o)
	tests/coverage $(if $(F),--missing-of $(F)) $(if $(T),--part) \
	    $(CORE:%.c=$(UNIT)/obj/%.o) -- $(COVERED)
build/coverage/ran/%: build/coverage/%
	echo "  $< (runs)"; mkdir -p $(@D)
	LLVM_PROFILE_FILE=$(CURDIR)/$@ TZDIR=build/deps/zoneinfo timeout 600 $< \
	    > $@.log 2>&1 || { cat $@.log; exit 1; }

# What the drivers in tests/eva read; Frama-C cannot parse all of core/.
EVA := $(BASE:%=core/base/%.c) $(patsubst %,core/%.c,call/http \
       call/endpoint call/settings call/keys call/trouble fetch/decode \
       fetch/frame fetch/head fetch/member fetch/record fetch/census ship/elements ship/index \
       task/message task/plan task/schedule task/schedule_parse task/demand)
READERS := text date json xml members head member index settings http
eva: $(MADE)  ## Frama-C's Eva on readers of outside bytes; ONLY="http"
	tests/frama-c build/frama-c
	ONLY="$(or $(ONLY),$(READERS))" tests/eva/run build/frama-c $(EVA)

memory:  ## regions, high-water marks, the stack; into docs/memory.md
	tests/install memory
	$(MAKE) PROFILE=default all $(SERVER)
	$(MAKE) PROFILE=small
	tests/memory build/firn build/small/firn > build/memory.md
	mv build/memory.md docs/memory.md

stack: $(OUT)/named  ## the deepest stack, by the machine code
	tests/stack $< $(CORE_OBJ)

clean:  ## all but the third-party parts
	find build -mindepth 1 -maxdepth 1 ! -name deps -exec rm -r {} +

help:  ## this list
	sed -n 's/^\([a-z0-9-]*\):.*  ## /  make \1	/p' Makefile | expand -t 22
	echo "  PROFILE=small, TARGET=aarch64, CFG_X=N choose what; V=1 shows how"

.PHONY: always all torture coverage-report \
        $(shell sed -n 's/^\([a-z0-9-]*\):.*  ## .*/\1/p' Makefile)
.DELETE_ON_ERROR:
.SECONDARY:
-include $(shell find build/ -name '*.d' ! -path '*/deps/*' 2>&-)
