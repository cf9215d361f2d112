/* sheaf.c - see sheaf.h. */
#include "sheaf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc.h"
#include "base/date.h"
#include "packed.h"
#include "shelf.h"
#include "ship/compose.h"

enum { HOUR_MS = 3600000, STAMP_BYTES = DATE_RFC3339_BYTES };
#define DAY_FROM INT64_C(1794182400000)  /* 2026-11-09 */

static bool one_in(struct chance *c, uint64_t n)
{
    return chance_below(c, n) == 0;
}

/* --- lines --------------------------------------------------------------- */

/* Letters that hardly shrink; seldom more than a block. */
static void put_noise(struct aws_buf *b, struct chance *c)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
                                  "qrstuvwxyz0123456789+/";
    uint64_t len = one_in(c, 2000) ? CFG_BLOCK_BYTES / 2 +
                                         chance_below(c, CFG_BLOCK_BYTES)
                   : one_in(c, 3)  ? chance_below(c, 700)
                                   : chance_below(c, 60);
    char *to = aws_room(b, len + 1);
    for (uint64_t i = 0; i < len; i++)
        to[i] = letters[chance_below(c, 64)];
    b->len += len;
}

static void put_line(struct sheaf *s, struct aws_buf *b, struct chance *c)
{
    char stamp[STAMP_BYTES + 1];
    struct text t;
    text_init(&t, stamp, sizeof stamp);
    date_rfc3339(&t, DAY_FROM - HOUR_MS +
                         (int64_t)chance_below(c, 26 * (uint64_t)HOUR_MS));
    if (s->lines == SHEAF_WORDS) {
        aws_printf(b, "line %u ", ++s->line);
        put_noise(b, c);
    } else if (s->lines == SHEAF_TEXT) {
        aws_printf(b, "%.24s %u ", stamp, ++s->line);
        put_noise(b, c);
        for (uint64_t more = one_in(c, 5) ? chance_below(c, 4) : 0; more > 0;
             more--) {
            aws_puts(b, one_in(c, 3) ? "\n{" : one_in(c, 4) ? "\n" : "\n at ");
            put_noise(b, c);
        }
    } else if (s->line > 0 && one_in(c, 40)) {
        aws_printf(b, "{\"odd\":%u}", ++s->line);
    } else {
        aws_printf(b, "{\"timestamp\":\"%.24s\",\"stream\":\"s%u\","
                      "\"message\":\"%u ", stamp,
                   (unsigned)chance_below(c, 3), ++s->line);
        put_noise(b, c);
        aws_puts(b, "\"}");
    }
    aws_puts(b, one_in(c, 30) && s->lines == SHEAF_TEXT ? "\r\n" : "\n");
}

/* About so many bytes. */
static void make_lines(struct sheaf *s, struct sheaf_object *o, uint64_t bytes,
                       struct chance *c)
{
    struct aws_buf *b = &o->raw;
    aws_reset(b);
    if (s->crosses && o != s->object && s->lines == SHEAF_TEXT && one_in(c, 2))
        aws_printf(b, "%sgoes on\n", one_in(c, 2) ? "{" : " ");
    while (b->len < bytes)
        put_line(s, b, c);
    if (b->len > 1 && s->ragged && one_in(c, 4))
        b->len--;
    if (b->len > 1 && b->at[b->len - 1] == '\r')
        b->len--;
}

/* --- objects ------------------------------------------------------------- */

static void put_gzip(struct packed *f, struct view v, uint32_t pad)
{
    packed_header(f, pad > 0 ? 4 : 0, pad);
    packed_deflate(f, v, true);
    packed_trailer(f, v);
}

/* In so many pieces; a lone gzip member gets `target` bytes if it can. */
static void pack(struct sheaf_object *o, struct chance *c, uint64_t target,
                 uint64_t pieces)
{
    static struct packed f;
    struct view left = {(const uint8_t *)o->raw.at, (uint32_t)o->raw.len};
    f.len = 0;
    for (uint64_t i = pieces; i > 0; i--) {
        uint64_t len = i == 1 ? left.len : chance_below(c, left.len + 1ull);
        struct view v = view_slice(left, 0, (uint32_t)len);
        left = view_slice(left, v.len, left.len);
        if (o->form == COMPRESS_ZSTD)
            packed_frame(&f, v, 10 + (int)chance_below(
                                         c, CFG_ZSTD_WINDOW_LOG - 9),
                         !one_in(c, 4));
        else
            put_gzip(&f, v, 0);
    }
    uint64_t pad = target - f.len - 2;
    if (pieces == 1 && o->form == COMPRESS_GZIP && f.len + 2 < target &&
        pad < 65536) {
        f.len = 0;
        put_gzip(&f, (struct view){(const uint8_t *)o->raw.at,
                                   (uint32_t)o->raw.len}, (uint32_t)pad);
    }
    aws_reset(&o->stored);
    aws_put(&o->stored, f.at, f.len);
}

/* About the limits, just below, at, or just above; or far from them. */
static uint64_t choose_bytes(struct chance *c)
{
    static const uint64_t limits[] = {
        LIMIT_PART_LEAST, 2 * LIMIT_PART_LEAST, CFG_PART_BYTES,
        CFG_BLOCK_BYTES / 2, LIMIT_COPY_BYTES, LIMIT_COPY_BYTES * 2,
    };
    uint64_t kind = chance_below(c, 10);
    if (kind < 3)
        return chance_below(c, 100);
    if (kind < 6)
        return chance_below(c, LIMIT_PART_LEAST);
    if (kind < 9)
        return limits[chance_below(c, kind < 8 ? 3 : 6)] - 20 +
               chance_below(c, 40);
    return chance_below(c, 3 * CFG_PART_BYTES);
}

static void make_object(struct sheaf *s, struct sheaf_object *o,
                        struct chance *c)
{
    uint64_t bytes = choose_bytes(c);
    o->form = s->several ? (enum compress)chance_below(c, 3) : s->form;
    if (o->form == COMPRESS_NONE) {
        make_lines(s, o, one_in(c, 8) && s->count > 1 ? 0 : bytes, c);
        aws_reset(&o->stored);
        aws_put(&o->stored, o->raw.at, o->raw.len);
        return;
    }
    make_lines(s, o, bytes * 5 / 4, c);
    pack(o, c, bytes, one_in(c, 4) ? 1 + chance_below(c, 4) : 1);
    if (s->rubbish && one_in(c, 3) && o->stored.len < LIMIT_PART_LEAST - 20) {
        static const char zeros[16];
        aws_put(&o->stored, one_in(c, 2) ? zeros : "no member at all",
                1 + chance_below(c, 16));
    }
}

/* Below so long a prefix, in the order of their numbers. */
static void name_object(const struct sheaf *s, struct sheaf_object *o,
                        uint32_t number)
{
    static const char *const endings[] = {
        [COMPRESS_GZIP] = ".gz", [COMPRESS_ZSTD] = ".zst",
        [COMPRESS_NONE] = "",
    };
    (void)snprintf(o->key, sizeof o->key, "in/stream-%u/%06u%s", number / 8,
                   number, s->named ? endings[o->form] : "");
}

/* --- damage -------------------------------------------------------------- */

/* Which objects pass through whole, by what is in front of them. */
static bool is_streamed(const struct sheaf *s, const struct sheaf_object *of)
{
    struct compose c;
    bool whole = false;
    compose_init(&c);
    for (uint32_t i = 0; i < s->count; i++) {
        const struct sheaf_object *o = &s->object[i];
        compose_object(&c, o->stored.len, 0);
        for (bool first = true; ; first = false) {
            struct compose_piece p = compose_piece(&c);
            if (p.how == COMPOSE_NONE)
                break;
            if (first)
                whole = p.how == COMPOSE_STREAM && c.until == o->stored.len;
            (void)compose_moved(&c, p.to - p.from);
        }
        if (o == of)
            return whole;
        if (o->form == COMPRESS_NONE && o->raw.len > 0 &&
            o->raw.at[o->raw.len - 1] != '\n')
            (void)compose_insert(&c, 1);
    }
    return false;
}

static bool are_several(const struct sheaf *s)
{
    bool any[3] = {false};
    for (uint32_t i = 0; i < s->count; i++)
        any[s->object[i].form] |= s->object[i].stored.len > 0;
    return any[0] + any[1] + any[2] > 1;
}

static void damage(struct sheaf *s, struct chance *c)
{
    struct sheaf_object *o = &s->object[chance_below(c, s->count)];
    struct aws_buf *b = &o->stored;
    if (o->form == COMPRESS_NONE || s->rubbish)
        return;
    s->noticed = !s->composes || are_several(s) || is_streamed(s, o);
    s->damaged = true;
    if (one_in(c, 3) && s->named) {
        aws_reset(b);
        aws_puts(b, "no such thing\n");
        s->noticed = true;
    } else if (o->form == COMPRESS_GZIP && one_in(c, 2)) {
        b->at[b->len - 1 - chance_below(c, 8)] ^=
            (char)(1 << chance_below(c, 8));
    } else {
        b->len -= 1 + chance_below(c, 8);
    }
}

/* --- the whole ----------------------------------------------------------- */

static void choose_spec(struct sheaf *s, struct spec *spec, struct chance *c)
{
    static const char *const keys[] = {"out/events", "in/stream-1/all",
                                       "all"};
    static const char *const endings[] = {
        [COMPRESS_GZIP] = ".gz", [COMPRESS_ZSTD] = ".zst",
        [COMPRESS_NONE] = "",
    };
    bool same = one_in(c, 2);
    *spec = (struct spec){.source = SOURCE_MERGE, .format = FORMAT_TEXT,
                          .checksum = !one_in(c, 8)};
    strcpy(s->bucket, same ? "sim-bucket" : "sim-source");
    spec->from = same ? "s3://sim-bucket/in/" : "s3://sim-source/in/";
    enum compress into = one_in(c, 2) && !s->several
                             ? s->form : (enum compress)chance_below(c, 3);
    strcpy(spec->bucket, "sim-bucket");
    strcpy(spec->timezone, "UTC");
    (void)snprintf(spec->key, sizeof spec->key, "%s%s",
                   keys[chance_below(c, 3)], endings[into]);
    spec->as_found = into == COMPRESS_NONE;
    spec->compress = into == COMPRESS_ZSTD ? COMPRESS_ZSTD : COMPRESS_GZIP;
    spec->recompress = one_in(c, 4);
    if (s->filtered) {
        strcpy(spec->group, "/sim/group");
        spec->from_ms = DAY_FROM;
        spec->until_ms = DAY_FROM + DAY_MS;
    }
}

/* What costs more: in order of time, or deleted after, or both. Lines that
 * are no records would be one that no memory sorts. */
static void choose_more(struct sheaf *s, struct spec *spec, struct chance *c)
{
    spec->order = one_in(c, 4) ? BY_NAME : BY_TIME;
    spec->delete_source = spec->order == BY_NAME || one_in(c, 3);
    s->sudden = one_in(c, 4);
    s->composes = false;  /* or what it is made of is looked through before */
    if (spec->order == BY_TIME && s->lines == SHEAF_WORDS)
        s->lines = SHEAF_TEXT;
}

void sheaf_choose(struct sheaf *s, struct spec *spec, struct chance *c)
{
    struct chance own = *c;  /* kept seeds stay what they are */
    uint64_t most = one_in(c, 10) ? SHEAF_OBJECTS - 1 : 8;
    s->several = one_in(c, 5);
    s->form = one_in(c, 5)   ? COMPRESS_NONE
              : one_in(c, 8) ? COMPRESS_ZSTD : COMPRESS_GZIP;
    s->filtered = one_in(c, 4);
    choose_spec(s, spec, c);
    s->composes = !spec->recompress && !s->filtered;
    s->lines = (enum sheaf_lines)chance_below(c, 3);
    s->ragged = one_in(c, 4);
    s->crosses = one_in(&own, 3) && !(s->ragged && s->composes);
    if (s->more)
        choose_more(s, spec, &own);
    s->rubbish = one_in(c, 12);
    s->decoys = one_in(c, 2);
    s->named = one_in(c, 2);
    s->damaged = s->noticed = false;
    s->line = 0;
    uint32_t count = 1 + (uint32_t)chance_below(c, most);
    for (s->count = 0; s->count < count; s->count++) {
        struct sheaf_object *o = &s->object[s->count];
        make_object(s, o, c);
        o->fresh = false;
        name_object(s, o, 2 * s->count + 1);
    }
    if (one_in(c, 10))
        damage(s, c);
}

static const char *const decoy_keys[] = {
    "in/aws-logs-write-test", "in/stream-0/", "in/_old_long.segment",
    "in/stream-1/_old.checkpoint.json",
};

/* Whatever befalls requests, it is put; of what may be deleted the time
 * matters. */
static void put(const struct sheaf *s, struct aws *m, const char *key,
                struct aws_text bytes)
{
    struct aws_object_info info;
    if (s->more) {
        aws_add_object(m, s->bucket, key, bytes, s->now_ms);
        return;
    }
    struct view v = {(const uint8_t *)bytes.at, (uint32_t)bytes.len};
    do
        (void)shelf_put(m, s->bucket, key, v);
    while (!aws_object(m, s->bucket, key, &info) || info.size != v.len ||
           info.crc64 != crc64_add(0, v));
}

/* For whoever replays it. */
static void tell(const struct sheaf *s)
{
    static const char *const forms[] = {"gzip", "zstd", "plain"};
    if (getenv("SIM_TRACE") == NULL)
        return;
    fprintf(stderr, "sheaf: %slines %d%s%s%s%s%s\n",
            s->composes ? "composed, " : s->filtered ? "of a window, " : "",
            (int)s->lines, s->ragged ? ", ragged" : "",
            s->crosses ? ", crossing" : "", s->rubbish ? ", rubbish" : "",
            s->damaged ? ", damaged" : "", s->noticed ? " to be noticed" : "");
    for (uint32_t i = 0; i < s->count; i++) {
        const struct sheaf_object *o = &s->object[i];
        fprintf(stderr, "sheaf: %s, %s, %zu bytes, %zu raw\n", o->key,
                forms[o->form], o->stored.len, o->raw.len);
    }
}

void sheaf_put(struct sheaf *s, struct aws *m, int64_t now_ms)
{
    s->now_ms = now_ms - (s->sudden ? 0 : 2000);
    if (strcmp(s->bucket, "sim-source") == 0)
        aws_create_bucket(m, s->bucket, NULL, NULL);
    for (uint32_t i = 0; i < s->count; i++)
        put(s, m, s->object[i].key, aws_view(&s->object[i].stored));
    tell(s);
    for (size_t i = 0; s->decoys && i < 4; i++)
        put(s, m, decoy_keys[i], aws_str(i == 1 ? "" : "{}\n"));
}

void sheaf_change(struct sheaf *s, struct chance *c, struct aws *m,
                  int64_t now_ms)
{
    s->now_ms = now_ms;
    uint32_t at = (uint32_t)chance_below(c, s->count);
    struct sheaf_object *o = &s->object[at];
    if (one_in(c, 3) && s->count > 1 && at > 0) {
        struct sheaf_object gone = *o;
        (void)aws_delete_object(m, s->bucket, o->key, 0);
        memmove(o, o + 1, (--s->count - at) * sizeof *o);
        s->object[s->count] = gone;  /* its room stays */
    } else if (one_in(c, 2) && s->count < SHEAF_OBJECTS && at > 0) {
        struct sheaf_object fresh = s->object[s->count];
        uint32_t number = (uint32_t)strtoul(strrchr(o->key, '/') + 1, NULL,
                                            10);
        memmove(o + 1, o, (s->count++ - at) * sizeof *o);
        *o = fresh;
        make_object(s, o, c);
        o->fresh = true;
        name_object(s, o, number - 1);
        put(s, m, o->key, aws_view(&o->stored));
    } else {
        enum compress form = o->form;
        do  /* else it had another key: two changes, and both may be seen */
            make_object(s, o, c);
        while (o->form != form && s->named);
        o->fresh = true;
        name_object(s, o, (uint32_t)strtoul(strrchr(o->key, '/') + 1, NULL,
                                            10));
        put(s, m, o->key, aws_view(&o->stored));
    }
}

/* --- what is right ------------------------------------------------------- */

/* Where a record begins that has a time; its message from there on. */
static uint32_t head_of(const struct sheaf *s, struct view line, int64_t *at)
{
    uint32_t from = s->lines == SHEAF_NDJSON ? 14 : 0;
    uint32_t to = from + STAMP_BYTES;
    struct view v = view_slice(line, from < line.len ? from : line.len,
                               to < line.len ? to : line.len);
    bool local;
    if (s->lines == SHEAF_WORDS || v.len < STAMP_BYTES ||
        line.at[to] != (from > 0 ? '"' : ' ') ||
        !date_parse_rfc3339(v, at, &local))
        return 0;
    return from > 0 ? to + (uint32_t)strlen("\",\"stream\":\"s0\","
                                            "\"message\":\"") : to + 1;
}

/* One line, with its newline; it may begin a record, or go on with one. */
static void take_line(const struct sheaf *s, const struct spec *spec,
                      struct day *d, struct view line)
{
    int64_t at = 0;
    uint32_t head = head_of(s, line, &at);
    bool goes_on = head == 0 && s->lines == SHEAF_TEXT && d->any;
    if (head > 0 || (!goes_on && s->lines == SHEAF_TEXT))
        d->any = head > 0;
    if (head > 0)
        d->wanted = !s->filtered ||
                    (at >= spec->from_ms && at < spec->until_ms);
    bool foreign = head == 0 && !goes_on;
    if (!foreign && !d->wanted)
        return;
    struct day_line *l = goes_on ? &d->line[d->count - 1] : day_add(d);
    aws_put(&d->bytes, line.at, line.len);
    l->len += line.len;
    l->foreign = foreign;
    if (head > 0) {
        l->message = l->at + head;
        l->timestamp = at;
    }
    uint32_t tail = s->lines == SHEAF_NDJSON ? (uint32_t)strlen("\"}\n") : 1;
    l->message_len = (uint32_t)(d->bytes.len - l->message) - tail;
}

void sheaf_read(const struct sheaf *s, const struct spec *spec, struct day *d)
{
    d->count = 0;
    d->objects = s->count;
    d->crossed = s->crosses && s->lines == SHEAF_TEXT;
    d->any = d->wanted = false;
    aws_reset(&d->bytes);
    for (uint32_t i = 0; i < s->count; i++) {
        const struct sheaf_object *o = &s->object[i];
        struct view raw = {(const uint8_t *)o->raw.at, (uint32_t)o->raw.len};
        bool glued = raw.len > 0 && raw.at[raw.len - 1] != '\n';
        while (raw.len > 0) {
            static struct aws_buf line;
            uint32_t end = view_find(raw, '\n');
            aws_reset(&line);
            aws_put(&line, raw.at, end);
            aws_puts(&line, "\n");
            take_line(s, spec, d, (struct view){(const uint8_t *)line.at,
                                                (uint32_t)line.len});
            raw = view_slice(raw, end < raw.len ? end + 1 : end, raw.len);
        }
        if (glued && s->composes && o->form != COMPRESS_NONE &&
            !is_streamed(s, o))
            d->line[d->count - 1].glued = true;
    }
    if (spec->order == BY_TIME)
        day_sort(d);
}

bool sheaf_holds(const struct sheaf *s, const struct aws_object_info *info)
{
    if (!aws_is(info->bucket, s->bucket))
        return false;
    for (uint32_t i = 0; i < s->count; i++)
        if (aws_is(info->key, s->object[i].key))
            return true;
    for (size_t i = 0; s->decoys && i < 4; i++)
        if (aws_is(info->key, decoy_keys[i]))
            return true;
    return false;
}

struct sheaf_left sheaf_left(const struct sheaf *s, struct aws *m)
{
    struct sheaf_left left = {0};
    for (uint32_t i = 0; i < s->count; i++) {
        struct aws_object_info info;
        const struct aws_buf *b = &s->object[i].stored;
        struct view v = {(const uint8_t *)b->at, (uint32_t)b->len};
        if (!aws_object(m, s->bucket, s->object[i].key, &info)) {
            left.gone++;
            left.fresh_gone |= s->object[i].fresh;
        } else if (info.size != v.len || info.crc64 != crc64_add(0, v)) {
            left.touched++;
        }
    }
    return left;
}
