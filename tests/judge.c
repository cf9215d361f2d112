/* judge.c - see judge.h. */
#include "judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include "base/check.h"

enum { TEXT_BYTES = 256 << 10 };

struct judged {
    struct view stored, raw;   /* the object's bytes; unpacked */
    enum compress compress;
    struct aws_object_info info;
};
static uint8_t *stored_room, *raw_room;  /* kept from case to case */
static size_t   stored_most, raw_most;

static void need(uint8_t **room, size_t *most, size_t bytes)
{
    if (bytes <= *most)
        return;
    *most = bytes * 2 + 4096;
    *room = aws_grow(*room, *most);
}

/* --- the object ----------------------------------------------------------- */

enum {
    GZIP_HEADER = 10, GZIP_TRAILER = 8,
    CLOCK_MS = 2000,  /* by which the settled instant may be too late */
};

/* Inflates into the room for raw bytes, at most `most` of them; says how many
 * bytes lie behind the last block, or that it did not come. */
static bool inflate(struct view packed, size_t most, struct view *raw,
                    uint32_t *behind)
{
    struct inflate_state z;
    isal_inflate_init(&z);
    z.next_in = (uint8_t *)(uintptr_t)packed.at;
    z.avail_in = packed.len;
    need(&raw_room, &raw_most, most);
    z.next_out = raw_room;
    z.avail_out = (uint32_t)most;
    int got = isal_inflate(&z);
    *raw = (struct view){raw_room, z.total_out};
    /* What it has read ahead is whole bytes that it did not need. */
    *behind = z.block_state == ISAL_BLOCK_FINISH
                  ? z.avail_in + (uint32_t)z.read_in_length / 8 : UINT32_MAX;
    return got == ISAL_DECOMP_OK;
}

static uint32_t little_endian(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
}

/* One member without any field, and nothing else (RFC 1952). */
static bool ungzip(struct view packed, size_t most, struct view *raw)
{
    static const uint8_t start[4] = {0x1f, 0x8b, 8, 0};
    uint32_t behind;
    if (packed.len < GZIP_HEADER + GZIP_TRAILER ||
        memcmp(packed.at, start, sizeof start) != 0 ||
        !inflate(view_slice(packed, GZIP_HEADER, packed.len), most, raw,
                 &behind) || behind != GZIP_TRAILER)
        return false;
    const uint8_t *end = packed.at + packed.len - GZIP_TRAILER;
    return little_endian(end) == crc32_gzip_refl(0, raw->at, raw->len) &&
           little_endian(end + 4) == raw->len;
}

/* The next member, behind what is inflated already; none has a field but
 * perhaps an extra one. */
static bool ungzip_next(struct view *packed, size_t most, struct view *raw)
{
    struct inflate_state z;
    uint32_t head = GZIP_HEADER;
    if (packed->len < GZIP_HEADER + GZIP_TRAILER || packed->at[0] != 0x1f)
        return false;
    if (packed->at[3] == 4)
        head += 2 + (packed->at[10] | (uint32_t)packed->at[11] << 8);
    isal_inflate_init(&z);
    z.next_in = (uint8_t *)(uintptr_t)packed->at + head;
    z.avail_in = packed->len - head;
    z.next_out = raw_room + raw->len;
    z.avail_out = (uint32_t)most - raw->len;
    if (isal_inflate(&z) != ISAL_DECOMP_OK ||
        z.block_state != ISAL_BLOCK_FINISH)
        return false;
    uint32_t behind = z.avail_in + (uint32_t)z.read_in_length / 8;
    const uint8_t *end = packed->at + packed->len - behind;
    const uint8_t *from = raw_room + raw->len;
    raw->len += z.total_out;
    if (behind < GZIP_TRAILER)
        return false;
    *packed = view_slice(*packed, packed->len - behind + GZIP_TRAILER,
                         packed->len);
    return little_endian(end) == crc32_gzip_refl(0, from, z.total_out) &&
           little_endian(end + 4) == z.total_out;
}

static bool ungzip_all(struct view packed, size_t most, struct view *raw)
{
    need(&raw_room, &raw_most, most);
    *raw = (struct view){raw_room, 0};
    do
        if (!ungzip_next(&packed, most, raw))
            return false;
    while (packed.len > 0);
    return true;
}

static bool unpack(enum compress compress, struct view packed, size_t most,
                   struct view *raw)
{
    if (compress == COMPRESS_GZIP)
        return ungzip(packed, most, raw);
    *raw = packed;
    if (compress == COMPRESS_NONE)
        return true;
    need(&raw_room, &raw_most, most);
    size_t len = ZSTD_decompress(raw_room, most, packed.at, packed.len);
    *raw = (struct view){raw_room, (uint32_t)len};
    return !ZSTD_isError(len);
}

/* As its key says, or else its first bytes. */
static enum compress compress_of(const struct spec *s, struct view stored)
{
    if (!s->as_found)
        return s->compress;
    return stored.len < 4          ? COMPRESS_NONE
           : stored.at[0] == 0x1f ? COMPRESS_GZIP
           : stored.at[0] == 0x28 ? COMPRESS_ZSTD : COMPRESS_NONE;
}

static const char *fetch(struct judged *j, const struct day *d, struct aws *m,
                         const struct spec *s, const char *key)
{
    if (!aws_object(m, s->bucket, key, &j->info))
        return "there is no object";
    need(&stored_room, &stored_most, j->info.size + 1);
    CHECK(aws_object_bytes(m, s->bucket, key, 0, stored_room,
                           j->info.size) == j->info.size);
    j->stored = (struct view){stored_room, (uint32_t)j->info.size};
    size_t most = d->bytes.len + 65536;
    j->compress = compress_of(s, j->stored);
    bool unpacks = d->objects > 0 && j->compress == COMPRESS_GZIP
                       ? ungzip_all(j->stored, most, &j->raw)
                       : unpack(j->compress, j->stored, most, &j->raw);
    if (!unpacks)
        return "the object cannot be unpacked";
    return NULL;
}

/* For whoever replays it. */
static void show(const struct day *d, size_t i, struct view rest)
{
    const struct day_line *l = &d->line[i];
    if (getenv("SIM_TRACE") == NULL)
        return;
    fprintf(stderr, "line %zu of %zu, ingested at %lld, should be\n%.*s"
                    "but there are %u bytes:\n%.*s\n",
            i, d->count, (long long)l->ingestion,
            (int)(l->len < 300 ? l->len : 300), d->bytes.at + l->at,
            rest.len, (int)(rest.len < 300 ? rest.len : 300),
            (const char *)rest.at);
}

static bool begins_with(const struct day *d, struct view rest, size_t i)
{
    const struct day_line *l = &d->line[i];
    uint32_t len = l->len - l->glued;
    return !l->taken && rest.len >= len &&
           memcmp(rest.at, d->bytes.at + l->at, len) == 0;
}

static void take(struct day *d, struct view *rest, size_t i)
{
    struct day_line *l = &d->line[i];
    bool ends = rest->len >= l->len && rest->at[l->len - 1] == '\n';
    uint32_t len = l->glued && !ends ? l->len - 1 : l->len;
    l->taken = true;
    d->shown[d->shown_count++] = i;
    rest->at += len;
    rest->len -= len;
}

/* Takes late events that stand where no one else's turn is. */
static bool take_late(struct day *d, struct view *rest, int64_t since)
{
    for (size_t i = 0; i < d->count; i++) {
        if (d->line[i].ingestion < since || !begins_with(d, *rest, i))
            continue;
        take(d, rest, i);
        return true;
    }
    return false;
}

/* Lines and the object side by side. */
static const char *compare(struct day *d, struct view raw, int64_t since)
{
    d->shown_count = 0;
    for (size_t i = 0; i < d->count; i++)
        d->line[i].taken = false;
    for (size_t i = 0; i < d->count; i++) {
        if (!d->line[i].taken && begins_with(d, raw, i)) {
            take(d, &raw, i);
        } else if (d->line[i].ingestion < since) {
            if (take_late(d, &raw, since)) {
                i--;  /* it is still its turn */
                continue;
            }
            show(d, i, raw);
            return raw.len == 0 ? "the object's end is missing"
                                : "an event of the object is not the day's "
                                  "next";
        }
    }
    while (take_late(d, &raw, since))
        continue;
    return raw.len == 0 ? NULL : "the object holds more than the day";
}

const char *judge_object(struct day *d, struct aws *m, const struct spec *s,
                         const char *key, int64_t since)
{
    struct judged j;
    const char *fault = fetch(&j, d, m, s, key);
    return fault != NULL ? fault : compare(d, j.raw, since);
}

/* --- the receipt ---------------------------------------------------------- */

static bool same_tally(const struct tally *a, const struct tally *b)
{
    return a->events == b->events && a->digest[0] == b->digest[0] &&
           a->digest[1] == b->digest[1];
}

static const char *tally_fault(const struct day *d, const struct receipt *r)
{
    struct tally all, settled;
    tally_init(&all);
    tally_init(&settled);
    for (size_t i = 0; i < d->count; i++) {
        const struct day_line *l = &d->line[i];
        struct view message = {(const uint8_t *)d->bytes.at + l->message,
                               l->message_len};
        if (!l->taken || l->foreign)
            continue;
        tally_add(&all, l->timestamp, message);
        if (l->ingestion < r->settled_until_ms)
            tally_add(&settled, l->timestamp, message);
    }
    if (!r->counted || !same_tally(&all, &r->tally))
        return "the receipt's events or digest are not the object's";
    if (all.events > 0 && (all.first_ms != r->tally.first_ms ||
                           all.last_ms != r->tally.last_ms))
        return "the receipt's first or last event is not the object's";
    if (r->has_settled && !same_tally(&settled, &r->settled))
        return "the receipt's settled events or digest are not the day's";
    return NULL;
}

static bool is_etag(struct view etag, struct aws_text bare)
{
    return etag.len == bare.len + 2 && etag.at[0] == '"' &&
           memcmp(etag.at + 1, bare.at, bare.len) == 0;
}

static const char *object_fault(const struct judged *j, struct view raw,
                                const struct receipt *r, const char *key)
{
    if (!view_is(r->key, key))
        return "the receipt names another key";
    if (!is_etag(r->etag, j->info.etag))
        return "the receipt's ETag is not the object's";
    if (r->bytes_stored != j->info.size)
        return "the receipt's size is not the object's";
    if (r->has_crc && r->crc64nvme != j->info.crc64)
        return "the receipt's checksum is not the object's";
    if (r->counted && r->bytes_raw != raw.len)
        return "the receipt's raw bytes are not the object's";
    return NULL;
}

struct place {       /* how far the entries were compared */
    size_t   line;
    uint64_t at;     /* raw bytes */
};

/* What an entry says of the lines that begin before `end`. */
static const char *entry_fault(const struct day *d, uint64_t end,
                               const struct index_entry *x, struct place *p)
{
    int64_t least = INT64_MAX, greatest = INT64_MIN;
    uint64_t events = 0;
    for (; p->line < d->shown_count && p->at < end; p->line++) {
        const struct day_line *l = &d->line[d->shown[p->line]];
        p->at += l->len;
        if (l->foreign)
            continue;
        events++;
        least = l->timestamp < least ? l->timestamp : least;
        greatest = l->timestamp > greatest ? l->timestamp : greatest;
    }
    if (x->events != events)
        return "an entry of the index counts other events";
    if (events > 0 && (x->least_ms > least || x->greatest_ms < greatest))
        return "an entry of the index has other times";
    return NULL;
}

/* The bytes at an entry's offset unpack to what is at its raw offset. */
static bool entry_unpacks(enum compress compress, struct view stored,
                          struct view want)
{
    struct view raw;
    uint32_t behind;
    if (compress == COMPRESS_GZIP)
        return inflate(stored, want.len, &raw, &behind) &&
               raw.len == want.len && memcmp(raw.at, want.at, want.len) == 0;
    if (compress == COMPRESS_NONE)
        return stored.len >= want.len &&
               memcmp(stored.at, want.at, want.len) == 0;
    return unpack(compress, stored, want.len + 65536, &raw) &&
           raw.len >= want.len &&
           memcmp(raw.at, want.at, want.len) == 0;
}

static const char *index_fault(const struct day *d, const struct judged *j,
                               struct view index)
{
    static uint8_t *copy;  /* the room is needed for the pieces */
    static size_t   copy_most;
    struct index_cursor c;
    struct index_entry x, after = {0};
    struct place place = {0, 0};
    need(&copy, &copy_most, j->raw.len + 1);
    memcpy(copy, j->raw.at, j->raw.len);
    index_open(&c, index);
    bool more = index_next(&c, &x);
    if (more != (j->raw.len > 0) || (more && x.raw_offset != 0))
        return "the index does not begin where the object does";
    for (; more; x = after) {
        more = index_next(&c, &after);
        uint64_t end = more ? after.raw_offset : j->raw.len;
        if (x.offset > j->stored.len || end > j->raw.len ||
            end <= x.raw_offset ||
            (more && (after.offset <= x.offset ||
                      after.offset > j->stored.len)))
            return "an entry of the index lies outside";
        const char *fault = entry_fault(d, end, &x, &place);
        uint64_t stop = more && j->compress != COMPRESS_GZIP
                            ? after.offset : j->stored.len;
        struct view from = {j->stored.at + x.offset,
                            (uint32_t)(stop - x.offset)};
        struct view want = {copy + x.raw_offset,
                            (uint32_t)(end - x.raw_offset)};
        if (fault != NULL)
            return fault;
        if (!entry_unpacks(j->compress, from, want))
            return "an entry of the index does not unpack";
    }
    return c.bad ? "the index cannot be read" : NULL;
}

static bool has_index(struct view index)
{
    struct index_cursor c;
    struct index_entry x;
    index_open(&c, index);
    return index_next(&c, &x) || c.bad;
}

static bool read_receipt(struct aws *m, const struct spec *s, const char *key,
                         struct receipt *r)
{
    static uint8_t json[TEXT_BYTES];
    static char strings[RECEIPT_STRINGS_BYTES], name[SPEC_KEY_BYTES + 32];
    struct aws_object_info info;
    struct text t;
    struct fault fault;
    fault_reset(&fault);
    text_init(&t, name, sizeof name);
    receipt_key(&t, view_of(key), "receipt");
    if (!aws_object(m, s->bucket, name, &info))
        return false;
    size_t len = aws_object_bytes(m, s->bucket, name, 0, json, sizeof json);
    text_init(&t, strings, sizeof strings);
    return receipt_read(r, (struct view){json, (uint32_t)len}, &t, &fault);
}

bool judge_proved(struct aws *m, const struct spec *s, const char *key)
{
    struct receipt r;
    return read_receipt(m, s, key, &r) && r.verified_ms > 0;
}

/* Lines that are no records are not counted. */
static bool has_records(const struct day *d)
{
    for (size_t i = 0; i < d->count; i++)
        if (!d->line[i].foreign)
            return true;
    return d->count == 0;
}

/* A merge's: what it is of, and what is known of it. */
static const char *merge_fault(const struct day *d, const struct judged *j,
                               const struct spec *s, const struct receipt *r)
{
    static const char *const names[] = {"gzip", "zstd", "none"};
    bool must = (s->recompress || s->from_ms < s->until_ms ||
                 s->order == BY_TIME || s->delete_source) &&
                has_records(d);
    if (!view_is(r->via, "merge") || r->state != RECEIPT_IMPORTED ||
        !view_is(r->merged_from, s->from) || r->merged_objects != d->objects)
        return "the receipt is not the merge's";
    if (!view_is(r->compression, names[j->compress]))
        return "the receipt names another compression";
    return must && !r->counted ? "the receipt does not say what it could"
                               : NULL;
}

const char *judge_both(struct day *d, struct aws *m, const struct spec *s,
                       const char *key)
{
    struct judged j;
    struct receipt r;
    const char *fault = fetch(&j, d, m, s, key);
    if (fault != NULL)
        return fault;
    if (!read_receipt(m, s, key, &r))
        return "there is no receipt that can be read";
    bool merged = d->objects > 0;
    fault = compare(d, j.raw,
                    merged ? INT64_MAX : r.settled_until_ms - CLOCK_MS);
    if (fault == NULL)
        fault = object_fault(&j, j.raw, &r, key);
    if (fault == NULL && merged)
        fault = merge_fault(d, &j, s, &r);
    if (fault == NULL && (r.counted || !merged) && !d->crossed)
        fault = tally_fault(d, &r);
    if (fault != NULL || d->crossed || (merged && !has_index(r.index)))
        return fault;
    return index_fault(d, &j, r.index);
}
