/* target.c - see target.h. */
#include "ship/target.h"

#include "base/crc.h"

const char *target_content_type(struct view ext)
{
    static const struct { const char *end, *type; } types[] = {
        {"gz",     "application/gzip"},
        {"zst",    "application/zstd"},
        {"ndjson", "application/x-ndjson"},
        {"json",   "application/json"},
        {"log",    "text/plain; charset=utf-8"},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (view_ends(ext, types[i].end))
            return types[i].type;
    return "application/octet-stream";
}

static void header(struct call *c, const char *name, struct view value)
{
    if (value.len > 0)
        call_header(c, name, value);
}

void target_describe(const struct target *t, struct call *c, uint64_t bytes)
{
    header(c, "content-type", t->content_type);
    if (bytes >= TARGET_STANDARD_BYTES)
        header(c, "x-amz-storage-class", t->storage_class);
    header(c, "x-amz-server-side-encryption", t->sse);
    header(c, "x-amz-server-side-encryption-aws-kms-key-id",
           t->sse_kms_key_id);
}

void target_condition(const struct target *t, struct call *c)
{
    switch (t->condition) {
    case TARGET_ANYHOW:
        return;
    case TARGET_ABSENT:
        call_header(c, "if-none-match", view_of("*"));
        return;
    case TARGET_MATCHES:
        CHECK(t->etag.len > 0);
        call_header(c, "if-match", t->etag);
        return;
    }
    CHECK(false);
}

void target_checksum(const struct target *t, struct call *c, uint64_t crc)
{
    char room[CRC64_TEXT_BYTES + 1];
    struct text text;
    text_init(&text, room, sizeof room);
    crc64_text(&text, crc);
    if (t->checksum)
        call_header(c, "x-amz-checksum-crc64nvme", text_view(&text));
}

bool target_differs(const struct http_reply *reply, uint64_t crc)
{
    char room[CRC64_TEXT_BYTES + 1];
    struct text text;
    text_init(&text, room, sizeof room);
    crc64_text(&text, crc);
    return reply->crc64nvme[0] != '\0' &&
           !view_is(text_view(&text), reply->crc64nvme);
}

void target_head(const struct target *t, struct call *c)
{
    static const struct operation head = {
        .name = "s3:GetObject",
        .service = SITE_S3,
        .method = HTTP_HEAD,
        .also_ok = 404,
    };
    call_begin(c, &head);
    call_key(c, t->bucket, t->key);
    if (t->checksum)
        call_header(c, "x-amz-checksum-mode", view_of("ENABLED"));
}

enum target_match target_compare(const struct http_reply *reply,
                                 uint64_t bytes, const uint64_t *crc)
{
    if (reply->status == 404)
        return TARGET_NONE;
    bool same = reply->has_length && reply->content_length == bytes &&
                (crc == NULL || !target_differs(reply, *crc));
    return same ? TARGET_SAME : TARGET_OTHER;
}
