/* upload_rig.h - an upload of known content into the model's S3.
 *
 * For test_upload.c and its neighbours. One upload at a time, in virtual time;
 * `content` is filled by rig_fill(). */
#ifndef FIRN_TESTS_UPLOAD_RIG_H
#define FIRN_TESTS_UPLOAD_RIG_H

#include "base/crc.h"
#include "ship/upload.h"
#include "wire.h"

enum {
    SLOTS = 2 * LIMIT_PART_SLOTS + 8,
    BLOCK_BYTES = 60000,
    SMALL_BYTES = 300000,
    LARGE_BYTES = CFG_PART_BYTES + 200000,
};

static uint8_t  arena_bytes[(size_t)SLOTS * CFG_SLOT_BYTES];
static uint16_t arena_next[SLOTS];
static uint8_t  content[3 * CFG_PART_BYTES];
static struct arena  arena;
static struct site   site;
static struct upload upload;
static struct target target;

static inline void begin(uint32_t slots)
{
    arena_init(&arena, (struct span){arena_bytes, slots * CFG_SLOT_BYTES},
               arena_next, CFG_SLOT_BYTES);
    wire_open(&site);
    target = (struct target){
        .bucket = view_of("archive"),
        .key = view_of("a/b c/events.ndjson.gz"),
        .content_type = view_of(target_content_type(view_of("ndjson.gz"))),
        .storage_class = view_of("GLACIER_IR"),
        .checksum = true,
        .condition = TARGET_ABSENT,
    };
    upload_init(&upload, &site, &arena, &target);
}

static inline void end(void)
{
    wire_close();
    assert_int_equal(arena.free_count, arena.slot_count);
}

/* Until it ends, or wants input and there is none on its way. */
static inline enum flow drive(struct upload *u)
{
    for (int turn = 0; turn < 100000; turn++) {
        enum flow flow = upload_step(u, wire_now());
        if (flow == FLOW_MOVED || wire_move())
            continue;
        if (flow != FLOW_WANT_EVENT)
            return flow;
        int64_t at = upload_wake_ms(u), net = wire_wake_ms();
        at = net < at ? net : at;
        assert_true(at < INT64_MAX);
        wire.mono_ms = at > wire.mono_ms ? at : wire.mono_ms + 1;
    }
    fprintf(stderr, "for ever: %s", wire.request);
    return FLOW_MOVED;
}

static inline void append(struct upload *u, uint32_t from, uint32_t to)
{
    while (from < to && u->state != UPLOAD_FAILED) {
        uint32_t len = to - from < BLOCK_BYTES ? to - from : BLOCK_BYTES;
        while (!upload_room(u, len) && u->state != UPLOAD_FAILED)
            if (drive(u) == FLOW_FAILED)
                return;
        upload_append(u, (struct view){content + from, len / 2});
        upload_append(u, (struct view){content + from + len / 2,
                                       len - len / 2});
        upload_block_end(u);
        from += len;
    }
}

static inline enum flow send(uint32_t bytes)
{
    append(&upload, 0, bytes);
    upload_end(&upload);
    upload_commit(&upload);
    return drive(&upload);
}

static inline void put_other(const char *body)
{
    static struct upload other;
    static struct target it;
    it = target;
    it.condition = TARGET_ANYHOW;
    upload_init(&other, &site, &arena, &it);
    upload_append(&other, view_of(body));
    upload_end(&other);
    upload_commit(&other);
    assert_int_equal(drive(&other), FLOW_ENDED);
}

/* The object holds the first `bytes` of the content. */
static inline bool stored(uint32_t bytes)
{
    static uint8_t back[sizeof content];
    struct aws_object_info info;
    return aws_object(wire.model, "archive", "a/b c/events.ndjson.gz",
                      &info) &&
           info.size == bytes &&
           aws_object_bytes(wire.model, "archive", "a/b c/events.ndjson.gz",
                            0, back, sizeof back) == bytes &&
           memcmp(back, content, bytes) == 0;
}

static inline bool nothing_open(void)
{
    return aws_open_uploads(wire.model, "archive") == 0;
}

static inline bool good(uint32_t bytes)
{
    return upload.state == UPLOAD_DONE && upload.etag[0] == '"' &&
           upload.bytes == bytes &&
           upload.crc == crc64_add(0, (struct view){content, bytes}) &&
           stored(bytes);
}

static inline void rig_fill(void)
{
    uint64_t x = 1;
    for (size_t i = 0; i < sizeof content; i++) {
        x = x * 6364136223846793005u + 1;
        content[i] = (uint8_t)(x >> 56);
    }
}

#endif
