/* test_survey.c - receipts side by side, given in the order they were asked
 * for.
 * Method: objects with and without receipts in the model's S3; what was listed
 * saves the HEAD; what fails of one is the end of all. */
#include "ship/survey.h"
#include "store.h"

static struct survey survey;

/* An object and, perhaps, its receipt; its ETag. */
static const char *put_pair(const char *name, bool receipt)
{
    static char bytes[4096];
    char key[64];
    struct text t;
    (void)snprintf(key, sizeof key, "%s.log", name);
    static char etag[HTTP_ETAG_BYTES];
    (void)snprintf(etag, sizeof etag, "%s",
                   store_put(key, view_of("line\n"), NULL));
    struct receipt r = {
        .key = view_of(key), .etag = view_of(etag), .bytes_stored = 5,
    };
    tally_init(&r.tally);
    tally_init(&r.settled);
    text_init(&t, bytes, sizeof bytes);
    receipt_write(&t, &r, NULL);
    (void)snprintf(key, sizeof key, "_%s.receipt.json", name);
    if (receipt)
        (void)store_put(key, text_view(&t), NULL);
    return etag;
}

static void ask(const char *name, int64_t tag)
{
    char key[64];
    (void)snprintf(key, sizeof key, "_%s.receipt.json", name);
    survey_ask(&survey, view_of(key), tag);
}

static void list(const char *key, const char *etag)
{
    static struct catalog_entry entry;
    text_init(&entry.key, entry.key_bytes, sizeof entry.key_bytes);
    text_str(&entry.key, key);
    (void)view_copy(view_of(etag), entry.etag, sizeof entry.etag);
    entry.bytes = 5;
    survey_listed(&survey, &entry);
}

static enum flow drive(void)
{
    for (;;) {
        enum flow flow = survey_step(&survey, sim_now(&net));
        if (flow == FLOW_MOVED)
            continue;
        if (flow != FLOW_WANT_EVENT ||
            !sim_advance(&net, survey_wake_ms(&survey)))
            return flow;
    }
}

static uint64_t asked(const char *operation)
{
    return aws_counted(net.model, operation).requests;
}

static void in_order(void **state)
{
    char etag[HTTP_ETAG_BYTES];
    (void)state;
    store_open(1);
    (void)snprintf(etag, sizeof etag, "%s", put_pair("a", true));
    (void)put_pair("b", false);
    (void)put_pair("c", true);
    survey_init(&survey, &site, view_of("bkt"));
    assert_int_equal(drive(), FLOW_ENDED);
    assert_true(survey_wake_ms(&survey) == INT64_MAX);
    ask("a", 1);
    list("a.log", etag);
    ask("b", 2);
    list("b.log", "\"unused\"");  /* there is no receipt that names it */
    ask("c", 3);
    list("c.log", "");            /* a store that does not tell */
    for (int64_t tag = 1; tag <= 3; tag++) {
        assert_int_equal(drive(), FLOW_WANT_ROOM);
        const struct survey_place *p = survey_eldest(&survey);
        assert_int_equal(p->tag, tag);
        assert_true(p->existing.has_receipt == (tag != 2));
        assert_true(p->existing.has_object == (tag != 2));
        assert_true(tag == 2 || existing_agrees(&p->existing));
        survey_take(&survey);
    }
    assert_int_equal(asked("HeadObject"), 1);  /* of c alone */
    assert_int_equal(drive(), FLOW_ENDED);
    store_close();
}

static void round_and_round(void **state)
{
    (void)state;
    store_open(2);
    (void)put_pair("a", true);
    survey_init(&survey, &site, view_of("bkt"));
    for (int64_t tag = 0; tag < 3 * SURVEY_COUNT; tag++) {
        if (survey_full(&survey)) {
            assert_int_equal(drive(), FLOW_WANT_ROOM);
            assert_int_equal(survey_eldest(&survey)->tag, tag - SURVEY_COUNT);
            survey_take(&survey);
        }
        ask(tag % 2 == 0 ? "a" : "b", tag);
    }
    store_close();
}

static void one_fails(void **state)
{
    (void)state;
    store_open(3);
    (void)put_pair("a", true);
    assert_true(aws_fault(net.model, "GetObject #2 error=AccessDenied "
                                     "status=403"));
    survey_init(&survey, &site, view_of("bkt"));
    ask("a", 1);
    ask("a", 2);
    ask("a", 3);
    enum flow flow;
    while ((flow = drive()) == FLOW_WANT_ROOM)
        survey_take(&survey);
    assert_int_equal(flow, FLOW_FAILED);
    assert_int_equal(survey.fault.error, ERROR_DENIED);
    assert_int_equal(survey_step(&survey, sim_now(&net)), FLOW_FAILED);
    store_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order),
        cmocka_unit_test(round_and_round),
        cmocka_unit_test(one_fails),
    };
    return RUN(tests);
}
