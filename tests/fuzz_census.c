/* fuzz_census.c - any bytes as the lines of an archive.
 *
 * The first byte chooses slices and form, the rest is read. What is counted
 * must not depend on slices, nor be more than there are lines. Without
 * libFuzzer (no -fsanitize=fuzzer) define FUZZ_MAIN: each argument is a file of
 * the corpus. */
#include <stdio.h>

#include "fetch/census.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RING_BYTES = 1 << 14 };

static void census(struct census *r, struct view in, uint8_t choice,
                   uint32_t piece)
{
    static uint8_t bytes[RING_BYTES];
    struct fault fault = {0};
    struct ring ring;
    enum flow flow = FLOW_MOVED;
    ring_init(&ring, bytes, sizeof bytes);
    census_init(r, (enum census_form)(choice % 4), &fault);
    if (choice >= 128)
        census_window(r, 0, INT64_C(1800000000000));
    while (flow != FLOW_ENDED) {
        uint32_t len = in.len < piece ? in.len : piece;
        len = ring_write(&ring, view_slice(in, 0, len));
        in = view_slice(in, len, in.len);
        if (in.len == 0 && !ring.ended)
            ring_end(&ring);
        flow = r->stage.step(&r->stage, &ring, NULL, (struct now){0});
        CHECK(flow == FLOW_MOVED || flow == FLOW_ENDED ||
              (flow == FLOW_WANT_INPUT && !ring.ended));
    }
    CHECK(ring_len(&ring) == 0 && fault.error == ERROR_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct census whole, sliced;
    if (size < 1 || size > 1 << 20)
        return 0;
    struct view in = {data + 1, (uint32_t)size - 1};
    census(&whole, in, data[0], RING_BYTES);
    census(&sliced, in, data[0], 1 + data[0]);
    CHECK(tally_equal(&whole.tally, &sliced.tally));
    CHECK(whole.lines == sliced.lines && whole.form == sliced.form);
    CHECK(whole.outside == sliced.outside && whole.foreign == sliced.foreign);
    CHECK(whole.foreign_line == sliced.foreign_line);
    uint64_t known = whole.tally.events + whole.outside + whole.foreign;
    CHECK(whole.form == CENSUS_TEXT ? known <= whole.lines
                                    : known == whole.lines);
    return 0;
}

#ifdef FUZZ_MAIN
int main(int argc, char **argv)
{
    static uint8_t data[1 << 20];
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        if (f == NULL)
            return 1;
        size_t size = fread(data, 1, sizeof data, f);
        fclose(f);
        LLVMFuzzerTestOneInput(data, size);
    }
    return 0;
}
#endif
