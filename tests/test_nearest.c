/* test_nearest.c - a misspelt name finds its like, and nothing else does. */
#include "row.h"

#include "base/nearest.h"

static const struct row {
    const char *name, *wanted, *want;
} rows[] = {
    {"the same",                    "--bucket",  "--bucket"},
    {"another case",                "--Bucket",  "--bucket"},
    {"a letter too few",            "--buckt",   "--bucket"},
    {"a letter too many",           "--bucckett", "--bucket"},
    {"two letters swapped",         "--bukcet",  "--bucket"},
    {"one letter changed",          "--day",     "--day"},
    {"a short name, one off",       "--dat",     "--day"},
    {"nothing near",                "--zebra-crossing", NULL},
    {"a name as far as it is long", "xyz",       NULL},
    {"an empty name",               "",          NULL},
    {"one letter, another one",     "w",         NULL},
    {"one letter, the same",        "V",         "v"},
    {"a very long one",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL},
    {"the first of equals stays",   "--daz",     "--day"},
};

static void the_nearest_is_found(void **state)
{
    static const char *const known[] = {"--bucket", "--day", "--dax", "v",
                                        "--stream-prefix"};
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct nearest n;
        nearest_init(&n, view_of(rows[i].wanted));
        for (size_t k = 0; k < ROW_COUNT(known); k++)
            nearest_offer(&n, known[k], known[k]);
        broken += BROKEN(rows[i].name, rows[i].want == NULL
                         ? n.best == NULL
                         : n.best != NULL && row_string(n.best,
                                                        rows[i].want));
    }
    assert_int_equal(broken, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_is_found),
    };
    return RUN(tests);
}
