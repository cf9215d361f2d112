/* fuzz_receipt.c - any bytes as a receipt: refused, or as good as written.
 *
 * What is accepted and written again must be read as the same. */
#include "ship/receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM_BYTES = 8 * RECEIPT_BYTES };  /* escapes may make it longer */

static bool reads(struct receipt *r, struct view json, struct text *strings,
                  char *room)
{
    struct fault fault = {0};
    text_init(strings, room, RECEIPT_STRINGS_BYTES);
    bool ok = receipt_read(r, json, strings, &fault);
    CHECK(ok == (fault.error == ERROR_NONE));
    CHECK(ok || (fault.error == ERROR_CORRUPT && fault.detail >= 0 &&
                 fault.detail <= (int64_t)json.len));
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char one[ROOM_BYTES], two[ROOM_BYTES];
    static char room[2][RECEIPT_STRINGS_BYTES];
    struct receipt r, again;
    struct text strings[2], first, second;
    if (size > 2 * RECEIPT_BYTES ||
        !reads(&r, (struct view){data, (uint32_t)size}, &strings[0], room[0]))
        return 0;
    text_init(&first, one, sizeof one);
    text_init(&second, two, sizeof two);
    receipt_write(&first, &r, NULL);
    CHECK(!first.overflow);
    if (first.len > RECEIPT_BYTES)
        return 0;
    CHECK(reads(&again, text_view(&first), &strings[1], room[1]));
    receipt_write(&second, &again, NULL);
    CHECK(view_equal(text_view(&first), text_view(&second)));
    return 0;
}
