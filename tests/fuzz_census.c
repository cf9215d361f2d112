/* fuzz_census.c - any bytes as the lines of an archive.
 *
 * The first byte chooses the slices, the rest is read. What is counted must
 * not depend on them, nor be more than there are lines. Without libFuzzer
 * (no -fsanitize=fuzzer) define FUZZ_MAIN: each argument is a file of the
 * corpus. */
#include <stdio.h>

#include "fetch/census.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RING_BYTES = 1 << 14 };

static void census(struct census *r, struct view in, uint32_t piece)
{
    static uint8_t bytes[RING_BYTES];
    struct fault fault = {0};
    struct ring ring;
    enum flow flow = FLOW_MOVED;
    ring_init(&ring, bytes, sizeof bytes);
    census_init(r, true, &fault);
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
    census(&whole, in, RING_BYTES);
    census(&sliced, in, 1 + data[0]);
    CHECK(tally_equal(&whole.tally, &sliced.tally));
    CHECK(whole.lines == sliced.lines && whole.tally.events <= whole.lines);
    CHECK(whole.foreign_line == sliced.foreign_line);
    CHECK(whole.foreign_line != 0 || whole.tally.events == whole.lines);
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
