/* test_error.c - the first fault wins; exit codes are the contract's. */
#include "base/error.h"
#include "row.h"

static void the_first_fault_wins(void **state)
{
    struct fault f, other;
    (void)state;
    fault_reset(&f);
    fault_reset(&other);
    fault_set(&f, ERROR_NONE, "nothing", 0);
    assert_true(f.error == ERROR_NONE && f.what == NULL);
    fault_adopt(&f, &other);
    assert_true(f.error == ERROR_NONE);
    fault_set(&other, ERROR_DENIED, "signing", 403);
    fault_words(&other, view_of("no"));
    fault_adopt(&f, &other);
    fault_set(&f, ERROR_CORRUPT, "later", 1);
    fault_words(&f, view_of("later"));
    assert_true(f.error == ERROR_DENIED && f.detail == 403);
    assert_string_equal(f.what, "signing");
    assert_string_equal(f.words, "no");
}

static void words_are_cut_between_characters(void **state)
{
    struct fault f;
    char many[FAULT_WORDS_BYTES + 8];
    (void)state;
    memset(many, 'a', sizeof many);
    memcpy(many + FAULT_WORDS_BYTES - 2, "\xe2\x82\xac", 3);
    fault_reset(&f);
    fault_words(&f, (struct view){(const uint8_t *)many, sizeof many});
    assert_int_equal(strlen(f.words), FAULT_WORDS_BYTES - 2);
    fault_reset(&f);
    fault_words(&f, view_of("  two\nlines\x1b[2J\x7f! \n"));
    assert_string_equal(f.words, "two lines [2J !");
    memset(many, 0x80, sizeof many);  /* the middle of no character */
    fault_reset(&f);
    fault_words(&f, (struct view){(const uint8_t *)many, sizeof many});
    assert_string_equal(f.words, "");
}

static const struct row {
    const char *name;
    enum error  error;
    int         want;
} rows[] = {
    {"no error is 0", ERROR_NONE, 0},
    {"a limit reached is configuration", ERROR_LIMIT, 78},
    {"usage", ERROR_USAGE, 64},
    {"configuration", ERROR_CONFIG, 78},
    {"what does not exist is configuration", ERROR_MISSING, 78},
    {"the network is unavailable", ERROR_NETWORK, 69},
    {"so is a service that throttles", ERROR_THROTTLED, 69},
    {"so is one that fails", ERROR_REMOTE, 69},
    {"permission", ERROR_DENIED, 77},
    {"someone else holds it: run again", ERROR_CONFLICT, 75},
    {"damage", ERROR_CORRUPT, 65},
    {"stopped: run again", ERROR_STOPPED, 75},
};

static void exit_codes_are_the_contracts(void **state)
{
    static const int order[] = {65, 78, 77, 69, 75, 64, 0};
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        failures += BROKEN(rows[i].name,
                           fault_exit(rows[i].error) == rows[i].want);
    for (size_t i = 0; i < ROW_COUNT(order); i++)
        for (size_t j = 0; j < ROW_COUNT(order); j++)
            failures += BROKEN("the earlier of the list is the worse",
                               exit_worse(order[i], order[j]) ==
                                   order[i < j ? i : j]);
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_fault_wins),
        cmocka_unit_test(words_are_cut_between_characters),
        cmocka_unit_test(exit_codes_are_the_contracts),
    };
    return RUN(tests);
}
