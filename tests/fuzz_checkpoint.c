/* fuzz_checkpoint.c - any bytes as a checkpoint: refused, or as good as
 * written.
 *
 * What is accepted, its index with it, and written again must be read as the
 * same. */
#include "ship/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM_BYTES = 8 * RECEIPT_BYTES };  /* escapes may make it longer */

struct reading {
    struct checkpoint c;
    struct index index;
    struct text strings;
    char   room[CHECKPOINT_STRINGS_BYTES];
};

static bool reads(struct reading *r, struct view json)
{
    struct fault fault = {0};
    text_init(&r->strings, r->room, sizeof r->room);
    bool ok = checkpoint_read(&r->c, json, &r->strings, &fault);
    CHECK(ok == (fault.error == ERROR_NONE));
    CHECK(ok || (fault.error == ERROR_CORRUPT && fault.detail >= 0 &&
                 fault.detail <= (int64_t)json.len));
    return ok && index_read(&r->index, r->c.index,
                            r->c.stored.head.blocks, r->c.stride);
}

static void check_sound(const struct checkpoint *c)
{
    CHECK(c->stored.parts.parts <= LIMIT_SENT_COUNT);
    CHECK(c->stored.mark.raw_bytes <= c->stored.bytes_raw);
    CHECK(c->stored.mark.from_ms >= c->receipt.from_ms);
    CHECK(c->stored.mark.from_ms < c->receipt.until_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char one[ROOM_BYTES], two[ROOM_BYTES];
    static struct reading first, second;
    struct text text, again;
    if (size > 2 * RECEIPT_BYTES ||
        !reads(&first, (struct view){data, (uint32_t)size}))
        return 0;
    check_sound(&first.c);
    text_init(&text, one, sizeof one);
    text_init(&again, two, sizeof two);
    checkpoint_write(&text, &first.c, &first.index);
    CHECK(!text.overflow);
    CHECK(reads(&second, text_view(&text)));
    checkpoint_write(&again, &second.c, &second.index);
    CHECK(view_equal(text_view(&text), text_view(&again)));
    return 0;
}
