/* test_member.c - what does not begin as a gzip member is told so. */
#include "fetch/member.h"
#include "row.h"

static void what_is_no_member_is_refused(void **state)
{
    static const char *const in[] = {"PK", "\x1fx", "\x1f\x8b\7"};
    static const char *const what[] = {
        "this is not gzip", "this is not gzip",
        "a gzip header names an unknown method"};

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(in); i++) {
        struct member m;
        uint32_t taken;
        member_init(&m);
        assert_int_equal(member_step(&m, view_of(in[i]), &taken), MEMBER_BAD);
        assert_string_equal(m.what, what[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_member_is_refused),
    };
    return RUN(tests);
}
