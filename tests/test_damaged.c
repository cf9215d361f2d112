/* test_damaged.c - a checkpoint that is not sound is not believed.
 * Method: every member is left out, doubled and made another kind;
 * contradictions; every prefix and every damaged byte is refused, or can be
 * gone on with. */
#include <stdlib.h>

#include "base/check.h"
#include "checkpoint_rig.h"

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

/* What two members say together. */
static void a_segment_too_large(struct checkpoint *c)
{
    c->stored.parts.bytes = 2 * LIMIT_COPY_BYTES;
    c->stored.parts.place.bytes = LIMIT_COPY_BYTES + 1;
}

static void a_segment_of_too_many(struct checkpoint *c)
{
    c->stored.parts.place.own = 0;
    c->stored.parts.place.parts = 5;
}

static void a_segment_past_the_last(struct checkpoint *c)
{
    c->stored.parts.parts = LIMIT_PART_COUNT + 1;
    c->stored.parts.place.own = LIMIT_PART_COUNT;
    c->stored.parts.place.parts = 1;
}

static void more_events_than_all(struct checkpoint *c)
{
    c->stored.mark.settled.events = 31;
}

static void more_late_than_the_rest(struct checkpoint *c)
{
    c->stored.mark.late.events = 30;
}

static void fewer_bytes_than_parts(struct checkpoint *c)
{
    c->stored.parts.place = (struct upload_place){.own = 4};
    c->stored.parts.parts = 4;
    c->stored.parts.bytes = 3;
}

static void an_entry_behind_the_bytes(struct checkpoint *c)
{
    fewer_bytes_than_parts(c);
    c->stored.parts.bytes = 4;
}

static void of_a_merge(struct checkpoint *c)
{
    c->receipt.via = view_of("merge");
    c->stored.mark.from_ms = -1;
}

static void two_members_contradict(void **state)
{
    static const struct { const char *name; void (*make)(struct checkpoint *);
    } cases[] = {
        {"a segment that no copy takes", a_segment_too_large},
        {"a segment of more parts than were sent", a_segment_of_too_many},
        {"a segment where there is no part left", a_segment_past_the_last},
        {"more events before than there are", more_events_than_all},
        {"more late ones than there are", more_late_than_the_rest},
        {"fewer bytes than parts", fewer_bytes_than_parts},
        {"an entry behind the bytes", an_entry_behind_the_bytes},
        {"an object before the first", of_a_merge},
    };
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(cases); i++) {
        struct checkpoint c = sample();
        cases[i].make(&c);
        failures += BROKEN(cases[i].name, !is_sound(written(&c)));
    }
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_is_named),
        cmocka_unit_test(contradictions_are_not_believed),
        cmocka_unit_test(two_members_contradict),
        cmocka_unit_test(strides_beyond_reason),
        cmocka_unit_test(every_prefix_and_every_byte),
        cmocka_unit_test(what_is_unknown_is_skipped),
    };
    return RUN(tests);
}
