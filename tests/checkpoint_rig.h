/* checkpoint_rig.h - a checkpoint to be written and read, for two tests. */
#ifndef FIRN_TESTS_CHECKPOINT_RIG_H
#define FIRN_TESTS_CHECKPOINT_RIG_H

#include "row.h"
#include "ship/checkpoint.h"

enum { ROOM = 2 * RECEIPT_BYTES };
#define DAY_FROM INT64_C(1794182400000)  /* 2026-11-09 */

static char room[ROOM + 1], other_room[ROOM + 1];
static char strings_room[CHECKPOINT_STRINGS_BYTES];
static struct index entries, back_entries;

static inline struct receipt sample_receipt(void)
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

static inline struct checkpoint sample(void)
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

static inline struct view written(const struct checkpoint *c)
{
    struct text t;
    text_init(&t, room, sizeof room);
    checkpoint_write(&t, c, &entries);
    assert_false(t.overflow);
    return text_view(&t);
}

static inline bool reads(struct checkpoint *c, struct view json,
                         struct fault *fault)
{
    struct text strings;
    text_init(&strings, strings_room, sizeof strings_room);
    *fault = (struct fault){0};
    return checkpoint_read(c, json, &strings, fault);
}

#endif
