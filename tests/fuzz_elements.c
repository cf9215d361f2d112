/* fuzz_elements.c - any bytes as an XML reply, by two slicings at once.
 *
 * The first byte chooses a slicing; the rest is the reply. What comes out must
 * be the same as when it comes whole, and it must come to an end. */
#include "ship/elements.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t read_all(struct view in, uint32_t piece, uint32_t capacity)
{
    static uint8_t bytes[4096];
    struct ring r;
    struct elements e;
    uint64_t seen = 14695981039346656037u;  /* FNV-1a over all events */
    ring_init(&r, bytes, capacity);
    elements_init(&e, &r);
    for (uint64_t turn = 0; ; turn++) {
        uint32_t len = piece < in.len ? piece : in.len;
        in = view_slice(in, ring_write(&r, view_slice(in, 0, len)), in.len);
        if (in.len == 0)
            ring_end(&r);
        enum elements_event event;
        while ((event = elements_next(&e)) == ELEMENTS_END_TAG) {
            for (uint32_t i = 0; i < e.path.len; i++)
                seen = (seen ^ (uint8_t)e.path.at[i]) * 1099511628211u;
            for (uint32_t i = 0; i < e.value.len; i++)
                seen = (seen ^ (uint8_t)e.value.at[i]) * 1099511628211u;
        }
        if (event != ELEMENTS_MORE)
            return seen ^ (uint64_t)event;
        CHECK(turn < 1u << 24);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 1u << 20)
        return 0;
    struct view in = {data + 1, (uint32_t)size - 1};
    uint32_t capacity = 1u << data[0] % 8, piece = 1 + data[0] / 8;
    CHECK(read_all(in, piece, capacity) == read_all(in, 4096, 4096));
    return 0;
}
