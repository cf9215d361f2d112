/* test_checkpoint.c - what a checkpoint says comes back, and what is not sound
 * is not believed.
 * Method: every member at its limits is written and read; every member is
 * left out, doubled and made another kind; contradictions; every prefix and
 * every damaged byte is refused, or can be gone on with. Then the index: of
 * the first blocks, read back and gone on with, it is the undisturbed one. */
#include <stdlib.h>

#include "base/chance.h"
#include "base/check.h"
#include "row.h"
#include "ship/checkpoint.h"

enum { ROOM = 2 * RECEIPT_BYTES, BLOCKS = 5 * CFG_INDEX_BLOCKS };
#define DAY_FROM INT64_C(1794182400000)  /* 2026-11-09 */

static char room[ROOM + 1], other_room[ROOM + 1];
static char strings_room[CHECKPOINT_STRINGS_BYTES];
static struct index entries, back_entries;
static struct chance chance;

static struct receipt sample_receipt(void)
{
    struct receipt r = {
        .key = view_of("1/eu/ecs/api/dt=2026-11-09/events.ndjson.gz"),
        .account = view_of("111122223333"),
        .region = view_of("eu-central-1"),
        .group = view_of("/ecs/api"),
        .via = view_of("read"),
        .from_ms = DAY_FROM,
        .until_ms = DAY_FROM + 86400000,
        .timezone = view_of("UTC"),
        .has_settled = true,
        .settled_until_ms = DAY_FROM + 90000000,
        .format = view_of("ndjson"),
        .fields = RECEIPT_TIMESTAMP | RECEIPT_STREAM | RECEIPT_MESSAGE,
        .compression = view_of("gzip"),
        .tool_version = view_of("0.1.0"),
    };
    tally_init(&r.tally);
    tally_init(&r.settled);
    return r;
}

static struct checkpoint sample(void)
{
    struct checkpoint c = {
        .state = CHECKPOINT_WORKING,
        .holder = view_of("host \"a\" (pid 12)"),
        .since_ms = DAY_FROM + 90000000,
        .nonce = 11, .serial = 22, .shape = 33,
        .upload = view_of("abc.DEF_123-~=="),
        .stored = {
            .parts = {4, 12000000, 0xae8b14860a799888, true,
                      {1, 3, 6000000, 77}},
            .mark = {.from_ms = DAY_FROM + 3600000, .raw_bytes = 200000,
                     .raw_crc = 0xdeadbeef},
            .head = {.blocks = 3, .events = 30,
                     .greatest_ms = DAY_FROM + 7200000},
            .bytes_raw = 390000,
            .crc = 0x01020304,
        },
        .receipt = sample_receipt(),
    };
    tally_init(&c.stored.mark.settled);
    tally_init(&c.stored.mark.late);
    tally_add(&c.stored.mark.settled, DAY_FROM + 1, view_of("a"));
    tally_add(&c.stored.mark.late, DAY_FROM + 2, view_of("b"));
    index_init(&entries);
    for (uint32_t i = 0; i < 3; i++)
        index_add(&entries, &(struct index_entry){
            10 + 1000 * i, 131072 * i, DAY_FROM + i, DAY_FROM + i + 1, 10});
    return c;
}

static struct view written(const struct checkpoint *c)
{
    struct text t;
    text_init(&t, room, sizeof room);
    checkpoint_write(&t, c, &entries);
    assert_false(t.overflow);
    return text_view(&t);
}

static bool reads(struct checkpoint *c, struct view json, struct fault *fault)
{
    struct text strings;
    text_init(&strings, strings_room, sizeof strings_room);
    *fault = (struct fault){0};
    return checkpoint_read(c, json, &strings, fault);
}

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

/* --- damage -------------------------------------------------------------- */

/* Sound, and nothing that a run stands on can trap. */
static bool is_sound(struct view json)
{
    struct checkpoint c;
    struct fault fault;
    bool sound = reads(&c, json, &fault);
    if (!sound)
        assert_int_equal(fault.error, ERROR_CORRUPT);
    if (!sound || !checkpoint_index(&c, &back_entries))
        return false;
    assert_true(c.upload.len < MULTIPART_ID_BYTES);
    assert_true(view_find(c.upload, '\0') == c.upload.len);
    assert_true(c.stored.parts.parts <= LIMIT_SENT_COUNT);
    if (back_entries.count > 0) {
        const struct index_entry *e =
            &back_entries.entries[back_entries.count - 1];
        assert_true(e->offset <= c.stored.parts.bytes &&
                    e->raw_offset <= c.stored.bytes_raw);
    }
    for (int i = 0; i < 16; i++)  /* as while it does not fit */
        if (back_entries.count > 1)
            index_halve(&back_entries);
    return true;
}

enum kind { NUMBER, MAYBE, SIGNED, STRING, STATE, TIME, DIGEST, OBJECT, INDEX };

static const struct member {
    const char *name;
    int         nth;   /* of those of that name; -1: the last */
    enum kind   kind;
} members[] = {
    {"version", 0, NUMBER}, {"state", 0, STATE}, {"holder", 0, STRING},
    {"since", 0, TIME}, {"nonce", 0, NUMBER}, {"serial", 0, NUMBER},
    {"shape", 0, NUMBER}, {"upload", 0, STRING}, {"segment", 0, STRING},
    {"stored", 0, OBJECT},
    {"parts", 0, NUMBER}, {"bytes", 0, NUMBER}, {"crc64nvme", 0, MAYBE},
    {"own", 0, NUMBER}, {"inner", 0, NUMBER}, {"inner_bytes", 0, NUMBER},
    {"inner_crc64nvme", 0, NUMBER},
    {"blocks", 0, NUMBER}, {"events", 0, NUMBER}, {"last", 0, SIGNED},
    {"bytes_raw", 0, NUMBER}, {"crc32", 0, NUMBER}, {"in_hand", 0, OBJECT},
    {"from", 0, NUMBER}, {"bytes_raw", 1, NUMBER}, {"crc32", 1, NUMBER},
    {"inside", 0, NUMBER}, {"list", 0, NUMBER},
    {"settled", 0, OBJECT}, {"events", 1, NUMBER}, {"digest", 0, DIGEST},
    {"first", 0, SIGNED}, {"last", 1, SIGNED}, {"late", 0, OBJECT},
    {"events", 2, NUMBER}, {"digest", 1, DIGEST}, {"first", 1, SIGNED},
    {"last", 2, SIGNED}, {"receipt", 0, OBJECT},
    {"blocks_an_entry", 0, NUMBER}, {"index", -1, INDEX},
};

static const char *const values[] = {
    "null", "true", "1.5", "-1", "18446744073709551616", "1e3",
    "\"x\"", "\"\\u12\"", "{}", "[]", "[1]", "{\"a\": 1}", "",
};

static bool may_be(enum kind kind, const char *value)
{
    return (kind == STRING && strcmp(value, "\"x\"") == 0) ||
           (kind == MAYBE && strcmp(value, "null") == 0) ||
           (kind == SIGNED && strcmp(value, "-1") == 0);
}

/* Where `"name"` stands in the text. */
static char *find(const struct member *m)
{
    char quoted[64], *at = room - 1, *found = NULL;
    (void)snprintf(quoted, sizeof quoted, "\"%s\": ", m->name);
    for (int n = 0; (at = strstr(at + 1, quoted)) != NULL; n++) {
        found = at;
        if (n == m->nth)
            break;
    }
    assert_non_null(found);
    return found;
}

/* The offset behind the value that begins there. */
static const char *behind(const char *at)
{
    int depth = 0;
    for (bool in = false; ; at++) {
        CHECK(*at != '\0');
        if (!in && depth == 0 && (*at == ',' || *at == '}' || *at == '\n'))
            return at;
        if (*at == '\\') { at++; continue; }
        in ^= *at == '"';
        depth += !in && (*at == '{' || *at == '[');
        depth -= !in && (*at == '}' || *at == ']');
    }
}

static struct view with(const struct member *m, const char *name,
                        const char *value)
{
    const char *at = find(m), *from = strchr(at, ':') + 2;
    int len = snprintf(other_room, sizeof other_room, "%.*s\"%s\": %s%s",
                       (int)(at - room), room, name, value, behind(from));
    return (struct view){(uint8_t *)other_room, (uint32_t)len};
}

static struct view twice(const struct member *m)
{
    const char *at = find(m), *from = strchr(at, ':') + 2;
    int len = snprintf(other_room, sizeof other_room, "%.*s%.*s, %s",
                       (int)(at - room), room, (int)(behind(from) - at), at,
                       at);
    return (struct view){(uint8_t *)other_room, (uint32_t)len};
}

static void damage_is_named(void **state)
{
    struct checkpoint c = sample();
    int failures = 0;
    (void)state;
    assert_true(is_sound(written(&c)));
    for (size_t i = 0; i < ROW_COUNT(members); i++) {
        const struct member *m = &members[i];
        const char *from = strchr(find(m), ':') + 2;
        char value[4096];
        (void)snprintf(value, sizeof value, "%.*s", (int)(behind(from) - from),
                       from);
        failures += BROKEN(m->name, is_sound(with(m, m->name, value)));
        failures += BROKEN(m->name, !is_sound(with(m, "other", value)));
        failures += BROKEN(m->name, !is_sound(twice(m)));
        for (size_t k = 0; k < ROW_COUNT(values); k++) {
            bool sound = is_sound(with(m, m->name, values[k]));
            if (sound != may_be(m->kind, values[k]))
                fprintf(stderr, "  as %s\n", values[k]);
            failures += BROKEN(m->name, sound == may_be(m->kind, values[k]));
        }
    }
    assert_int_equal(failures, 0);
}

static const struct { const char *name; struct member member;
                      const char *value; } contradictions[] = {
    {"of the future", {"version", 0, NUMBER}, "4"},
    {"of the past", {"version", 0, NUMBER}, "1"},
    {"a state of the future", {"state", 0, STATE}, "\"paused\""},
    {"more parts than there may be", {"parts", 0, NUMBER}, "1135301"},
    {"fewer bytes than parts", {"bytes", 0, NUMBER}, "1"},
    {"less than is in hand", {"bytes_raw", 0, NUMBER}, "199999"},
    {"before the window", {"from", 0, SIGNED}, "1794182399999"},
    {"behind the window", {"from", 0, SIGNED}, "1794268800000"},
    {"no number", {"from", 0, SIGNED}, "\"2026-11-09T00:00:00.000Z\""},
    {"a larger CRC", {"crc32", 0, NUMBER}, "4294967296"},
    {"another number of blocks", {"blocks", 0, NUMBER}, "4"},
    {"no blocks", {"blocks", 0, NUMBER}, "0"},
    {"more blocks than fit", {"blocks", 0, NUMBER}, "18446744073709551615"},
    {"stride 0", {"blocks_an_entry", 0, NUMBER}, "0"},
    {"another stride", {"blocks_an_entry", 0, NUMBER}, "2"},
    {"an enormous stride", {"blocks_an_entry", 0, NUMBER}, "4294967295"},
    {"an entry behind what is stored", {"bytes", 0, NUMBER}, "2009"},
    {"the same of raw bytes", {"bytes_raw", 0, NUMBER}, "262143"},
    {"fewer events than before the window", {"events", 0, NUMBER}, "1"},
    {"a segment of more parts than there are", {"inner", 0, NUMBER}, "5"},
    {"a segment of no parts, with bytes", {"inner", 0, NUMBER}, "0"},
    {"a segment of no bytes, with parts", {"inner_bytes", 0, NUMBER}, "0"},
    {"a segment of more bytes than all", {"inner_bytes", 0, NUMBER},
     "12000001"},
    {"more parts of its own than there are", {"own", 0, NUMBER}, "2"},
    {"a segment with a NUL", {"segment", 0, STRING}, "\"a\\u0000b\""},
    {"an upload with a NUL", {"upload", 0, STRING}, "\"a\\u0000b\""},
};

static void contradictions_are_not_believed(void **state)
{
    struct checkpoint c = sample();
    char id[MULTIPART_ID_BYTES + 1];
    int failures = 0;
    (void)state;
    (void)written(&c);
    for (size_t i = 0; i < ROW_COUNT(contradictions); i++)
        failures += BROKEN(contradictions[i].name,
                           !is_sound(with(&contradictions[i].member,
                                          contradictions[i].member.name,
                                          contradictions[i].value)));
    memset(id, 'a', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    c.upload = view_of(id);
    failures += BROKEN("an upload's id that is too long",
                       !is_sound(written(&c)));
    assert_int_equal(failures, 0);
}

static void strides_beyond_reason(void **state)
{
    struct checkpoint c = sample();
    (void)state;
    for (uint32_t shift = 0; shift < 32; shift++) {
        entries.stride = 1u << shift;
        c.stored.head.blocks = 3 * (uint64_t)entries.stride;
        bool sound = is_sound(written(&c));  /* which halves it, too */
        assert_int_equal(sound, shift <= 24);
    }
}

static void every_prefix_and_every_byte(void **state)
{
    struct checkpoint c = sample();
    struct view json = written(&c);
    (void)state;
    for (uint32_t len = 0; len < json.len - 1; len++) {
        uint8_t *copy = malloc(len > 0 ? len : 1);  /* read beyond is seen */
        memcpy(copy, room, len);
        assert_false(is_sound((struct view){copy, len}));
        free(copy);
    }
    for (uint32_t at = 0; at < json.len; at++)
        for (uint32_t bit = 0; bit < 8; bit++) {
            room[at] ^= (char)(1u << bit);
            (void)is_sound(json);
            room[at] ^= (char)(1u << bit);
        }
}

static void what_is_unknown_is_skipped(void **state)
{
    static const struct member first = {"version", 0, NUMBER};
    struct checkpoint c = sample();
    (void)state;
    (void)written(&c);
    assert_true(is_sound(with(&first, "note", "[{\"a\": \"]\"}],\n"
                                              "\"version\": 3")));
}

/* --- the index of the first blocks --------------------------------------- */

static struct index_entry blocks[BLOCKS];

static void fill_blocks(uint64_t seed)
{
    uint64_t offset = 10, raw_offset = 0;
    int64_t at = DAY_FROM;
    chance_init(&chance, seed);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        int64_t until = at + (int64_t)chance_below(&chance, 3);
        blocks[i] = (struct index_entry){offset, raw_offset, at, until,
                                         chance_below(&chance, 20)};
        offset += 1 + chance_below(&chance, 90000);
        raw_offset += 1 + chance_below(&chance, 131072);
        at = until + (int64_t)chance_below(&chance, 2);
    }
}

static void add_blocks(struct index *x, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        index_add(x, &blocks[i]);
}

static struct index_head head_of(uint32_t count)
{
    struct index_head head = {.blocks = count, .greatest_ms = INT64_MIN};
    for (uint32_t i = 0; i < count; i++) {
        head.events += blocks[i].events;
        if (blocks[i].greatest_ms > head.greatest_ms)
            head.greatest_ms = blocks[i].greatest_ms;
    }
    return head;
}

static bool goes_on_alike(uint32_t count, uint32_t known, uint32_t end,
                          bool halve)
{
    static struct index x, back;
    struct index_head head = head_of(count);
    struct text t;
    index_init(&x);
    add_blocks(&x, 0, known);
    if (halve)
        index_halve(&x);
    text_init(&t, room, sizeof room);
    index_write_head(&t, &x, &head);
    if (!index_read(&back, text_view(&t), count, x.stride))
        return false;
    add_blocks(&back, count, end);
    add_blocks(&x, known, end);
    return same_index(&x, &back);
}

static void an_index_goes_on(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        if (seed % 20 == 1)
            fill_blocks(seed);
        uint32_t end = (uint32_t)chance_below(&chance, seed % 2 == 0
                           ? BLOCKS + 1 : CFG_INDEX_BLOCKS + 20);
        uint32_t known = (uint32_t)chance_below(&chance, end + 1);
        uint32_t count = (uint32_t)chance_below(&chance, known + 1);
        if (seed % 3 == 0)
            count = known;
        if (!goes_on_alike(count, known, end, seed % 5 == 0))
            fail_msg("of %d blocks, %d known, to %d", (int)count, (int)known,
                     (int)end);
    }
    for (uint32_t known = 0; known < 9; known++)
        for (uint32_t count = 0; count <= known; count++) {
            assert_true(goes_on_alike(count, known, 12, false));
            assert_true(goes_on_alike(count, known, BLOCKS, true));
        }
}

static void an_index_of_other_blocks(void **state)
{
    (void)state;
    for (uint32_t known = 1; known < BLOCKS; known = known * 2 + 1) {
        static struct index x, back;
        struct index_head head = head_of(known);
        struct text t;
        index_init(&x);
        add_blocks(&x, 0, known);
        text_init(&t, room, sizeof room);
        index_write_head(&t, &x, &head);
        struct view json = text_view(&t);
        uint64_t least = (uint64_t)(x.count - 1) * x.stride;
        for (uint64_t blocks_said = least > 8 ? least - 8 : 0;
             blocks_said < least + x.stride + 8; blocks_said++)
            assert_int_equal(index_read(&back, json, blocks_said, x.stride),
                             blocks_said > least &&
                                 blocks_said <= least + x.stride);
        assert_false(index_read(&back, json, known, 0));
        assert_false(index_read(&back, json, UINT64_MAX, x.stride));
        assert_false(index_read(&back, json, known, UINT64_MAX));
        assert_false(index_read(&back, view_of("[]"), known, x.stride));
        assert_false(index_read(&back, view_of("null"), 0, 1));
        assert_true(index_read(&back, view_of("[]"), 0, 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_members_come_back),
        cmocka_unit_test(too_little_room_is_told),
        cmocka_unit_test(damage_is_named),
        cmocka_unit_test(contradictions_are_not_believed),
        cmocka_unit_test(strides_beyond_reason),
        cmocka_unit_test(every_prefix_and_every_byte),
        cmocka_unit_test(what_is_unknown_is_skipped),
        cmocka_unit_test(an_index_goes_on),
        cmocka_unit_test(an_index_of_other_blocks),
    };
    return RUN(tests);
}
