/* test_checkpoint.c - what a checkpoint says comes back.
 * Method: every member at its limits is written and read. */
#include "checkpoint_rig.h"

enum { BLOCKS = 5 * CFG_INDEX_BLOCKS };

static bool same_stored(const struct checkpoint_stored *a,
                        const struct checkpoint_stored *b)
{
    return a->parts.parts == b->parts.parts &&
           a->parts.bytes == b->parts.bytes && a->parts.crc == b->parts.crc &&
           a->parts.crc_known == b->parts.crc_known &&
           a->mark.from_ms == b->mark.from_ms &&
           a->mark.raw_bytes == b->mark.raw_bytes &&
           a->mark.raw_crc == b->mark.raw_crc &&
           tally_equal(&a->mark.settled, &b->mark.settled) &&
           tally_equal(&a->mark.late, &b->mark.late) &&
           a->head.blocks == b->head.blocks &&
           a->head.events == b->head.events &&
           a->head.greatest_ms == b->head.greatest_ms &&
           a->bytes_raw == b->bytes_raw && a->crc == b->crc;
}

static bool same(const struct checkpoint *a, const struct checkpoint *b)
{
    const struct receipt *r = &a->receipt, *s = &b->receipt;
    return a->state == b->state && view_equal(a->holder, b->holder) &&
           a->since_ms == b->since_ms && a->nonce == b->nonce &&
           a->serial == b->serial && a->shape == b->shape &&
           view_equal(a->upload, b->upload) &&
           same_stored(&a->stored, &b->stored) &&
           view_equal(r->key, s->key) && view_equal(r->group, s->group) &&
           view_equal(r->reason, s->reason) && r->from_ms == s->from_ms &&
           r->until_ms == s->until_ms && r->state == s->state &&
           r->counted == s->counted && tally_equal(&r->tally, &s->tally) &&
           r->has_settled == s->has_settled &&
           r->settled_until_ms == s->settled_until_ms &&
           r->bytes_raw == s->bytes_raw && r->bytes_stored == s->bytes_stored;
}

static bool same_index(const struct index *a, const struct index *b)
{
    bool all = a->count == b->count && a->stride == b->stride &&
               a->in_last == b->in_last;
    for (uint32_t i = 0; all && i < a->count; i++) {
        const struct index_entry *e = &a->entries[i], *f = &b->entries[i];
        all = e->offset == f->offset && e->raw_offset == f->raw_offset &&
              e->least_ms == f->least_ms &&
              e->greatest_ms == f->greatest_ms && e->events == f->events;
    }
    return all;
}

/* --- round trips --------------------------------------------------------- */

static bool comes_back(const struct checkpoint *c)
{
    struct checkpoint back;
    struct fault fault;
    struct view json = written(c);
    bool ok = reads(&back, json, &fault);
    if (!ok)
        fprintf(stderr, "  %s: %s\n", fault.what, fault.words);
    return ok && same(c, &back) && back.stride == entries.stride &&
           checkpoint_index(&back, &back_entries) &&
           same_index(&entries, &back_entries);
}

static void empty_of_all(struct checkpoint *c)
{
    c->holder = c->upload = (struct view){0};
    c->stored = (struct checkpoint_stored){
        .head.greatest_ms = INT64_MIN, .mark.from_ms = DAY_FROM};
    tally_init(&c->stored.mark.settled);
    tally_init(&c->stored.mark.late);
    index_init(&entries);
}

static void full_of_all(struct checkpoint *c)
{
    static char id[MULTIPART_ID_BYTES], holder[CHECKPOINT_HOLDER_BYTES];
    memset(id, '\\', sizeof id - 1);
    memset(holder, 1, sizeof holder - 1);
    c->upload = view_of(id);
    c->holder = view_of(holder);
    c->since_ms = INT64_C(253402300799999);  /* 9999-12-31T23:59:59.999Z */
    c->nonce = c->serial = c->shape = UINT64_MAX;
    c->stored.parts = (struct upload_stored){LIMIT_SENT_COUNT, UINT64_MAX,
                                             UINT64_MAX, true,
                                             {LIMIT_PART_COUNT - 1, 900,
                                              LIMIT_COPY_BYTES, UINT64_MAX}};
    c->stored.mark.raw_bytes = c->stored.bytes_raw = UINT64_MAX;
    c->stored.mark.raw_crc = c->stored.crc = UINT32_MAX;
    c->stored.mark.late = (struct tally){0, {UINT64_MAX, UINT64_MAX},
                                         INT64_MIN, INT64_MAX};
    c->stored.head.events = UINT64_MAX;
    c->stored.head.greatest_ms = INT64_MAX;
    c->stored.mark.from_ms = c->receipt.until_ms - 1;
}

static void many_entries(struct checkpoint *c)
{
    index_init(&entries);
    c->stored.head.blocks = BLOCKS;
    c->stored.head.events = BLOCKS;
    for (uint32_t i = 0; i < BLOCKS; i++)
        index_add(&entries, &(struct index_entry){
            i, i, INT64_MIN, INT64_MAX, 1});
    c->stored.head.greatest_ms = INT64_MAX;
}

static void committing(struct checkpoint *c)
{
    struct receipt *r = &c->receipt;
    c->state = CHECKPOINT_COMMITTING;
    r->counted = true;
    r->state = RECEIPT_SEALED;
    tally_add(&r->tally, DAY_FROM, view_of("a"));
    tally_add(&r->settled, DAY_FROM, view_of("a"));
    r->bytes_raw = c->stored.bytes_raw;
    r->bytes_stored = c->stored.parts.bytes;
    r->has_crc = true;
    r->reason = view_of("because of \"this\"");
}

static void released(struct checkpoint *c)
{
    c->state = CHECKPOINT_RELEASED;
}

static void no_crc(struct checkpoint *c)
{
    c->stored.parts.crc = 0;
    c->stored.parts.crc_known = false;
}

static void all_members_come_back(void **state)
{
    static const struct { const char *name; void (*make)(struct checkpoint *);
    } cases[] = {
        {"at work", NULL}, {"released", released},
        {"committing", committing}, {"nothing stored", empty_of_all},
        {"all at its limits", full_of_all}, {"many blocks", many_entries},
        {"a copy whose CRC was not told", no_crc},
    };
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(cases); i++) {
        struct checkpoint c = sample();
        if (cases[i].make != NULL)
            cases[i].make(&c);
        failures += BROKEN(cases[i].name, comes_back(&c));
    }
    assert_int_equal(failures, 0);
}

static void too_little_room_is_told(void **state)
{
    struct checkpoint c = sample();
    uint32_t len = written(&c).len;
    struct text t;
    (void)state;
    for (uint32_t bytes = 1; bytes <= len; bytes++) {
        text_init(&t, other_room, bytes);
        checkpoint_write(&t, &c, &entries);
        assert_true(t.overflow);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_members_come_back),
        cmocka_unit_test(too_little_room_is_told),
    };
    return RUN(tests);
}
