/* days_rig.h - days of a group as archives in the model's S3, by letters.
 *
 *   s sealed, read back    p provisional    i imported    u sealed, not read
 *   g a in GLACIER or DEEP_ARCHIVE, not read    n in GLACIER, no checksum
 *   ! the object is gone   x the receipt is cut   e the receipt is empty
 *   f A R P W of another group, account, region, of a stream prefix alone,
 *   without a window       Z of a zone that is none
 *   1 its first half   h an hour of it   w two days   v two and a half
 *   b the one before, too   c a day and a half more before it
 *   l five days   m five days before it   t text
 *   y of a zone that is none, Y of one too long, else as q
 *   U not counted   q provisional, T text, z zstd, o not packed: to be sealed
 *   - missing */
#ifndef FIRN_TESTS_DAYS_RIG_H
#define FIRN_TESTS_DAYS_RIG_H

#include "base/date.h"
#include "row.h"
#include "ship/receipt.h"
#include "sim.h"

#ifndef DAYS_BUCKET
#define DAYS_BUCKET "archive"
#endif
#define DAYS_NOW    INT64_C(1794225600000)  /* 2026-11-09T12:00:00Z */
#define DAYS_ACCOUNT "111122223333"

enum { DAYS_TODAY = 20766 };

static int64_t days_stored_ms;  /* when S3 took them */

static inline void days_store(struct aws *m, const char *key,
                              struct view body, const char *class)
{
    char path[2048], length[16];
    struct text t;
    (void)snprintf(length, sizeof length, "%u", body.len);
    const struct aws_header headers[] = {
        {aws_str("Host"), aws_str("127.0.0.1")},
        {aws_str("Content-Length"), aws_str(length)},
        {aws_str("x-amz-storage-class"), aws_str(class)},
    };
    text_init(&t, path, sizeof path);
    text_str(&t, "/" DAYS_BUCKET "/");
    text_percent(&t, view_of(key), true);
    struct aws_request r = {
        .method = aws_str("PUT"), .path = aws_str(path),
        .query = aws_str(""), .headers = headers, .header_count = 3,
    };
    int64_t checks = aws_get(m, "check-signature");
    aws_set(m, "check-signature", 0);
    struct aws_exchange *x = aws_open(m, &r, days_stored_ms);
    aws_body(x, body.at, body.len);
    assert_int_equal(aws_finish(x, days_stored_ms)->status, 200);
    aws_close(x);
    aws_set(m, "check-signature", checks);
}

static inline struct receipt days_receipt(const char *group, int64_t day,
                                          char letter)
{
    struct receipt r = {
        .state = letter == 'i' ? RECEIPT_IMPORTED
                 : strchr("p1wbtvclmUqTzoyY", letter) != NULL
                     ? RECEIPT_PROVISIONAL : RECEIPT_SEALED,
        .account = view_of(letter == 'A' ? "444455556666" : DAYS_ACCOUNT),
        .region = view_of(letter == 'R' ? "eu-west-1" : "us-east-1"),
        .group = view_of(letter == 'f' ? "/other" : group),
        .stream_prefix = view_of(letter == 'P' ? "web" : ""),
        .via = view_of("read"),
        .from_ms = (letter == 'b' ? day - 1 : letter == 'm' ? day - 5 : day) *
                   DAY_MS,
        .until_ms = (letter == 'w' || letter == 'v' ? day + 2
                     : letter == 'l'                ? day + 5
                     : letter == 'm' ? day - 4 : day + 1) * DAY_MS,
        .timezone = view_of(letter == 'Z' || letter == 'y' ? "Mars/Base"
                            : letter == 'Y' ? "Mars/"
                              "0123456789012345678901234567890123456789"
                              "0123456789012345678901234567890123456789"
                                            : "UTC"),
        .counted = letter != 'U', .bytes_raw = 7, .bytes_stored = 4,
        .format = view_of(letter == 't' || letter == 'T' ? "text" : "ndjson"),
        .fields = RECEIPT_TIMESTAMP | RECEIPT_STREAM | RECEIPT_MESSAGE,
        .compression = view_of(letter == 'z'   ? "zstd"
                               : letter == 'o' ? "none" : "gzip"),
        .has_settled = strchr("qTzoUyY", letter) != NULL,
        .settled_until_ms = (day + 1) * DAY_MS + 5, .archived_ms = DAYS_NOW,
        .verified_ms = strchr("ugan", letter) != NULL ? 0 : DAYS_NOW,
        .tool_version = view_of("1"), .has_crc = letter != 'n',
    };
    if (letter == '1')
        r.until_ms -= DAY_MS / 2;
    if (letter == 'v')
        r.until_ms += DAY_MS / 2;
    if (letter == 'c')
        r.from_ms -= DAY_MS + DAY_MS / 2;
    if (letter == 'h') {
        r.from_ms += DAY_MS / 2;
        r.until_ms = r.from_ms + 3600000;
    }
    if (letter == 'W')
        r.from_ms = r.until_ms = 0;
    tally_init(&r.tally);
    tally_init(&r.settled);
    if (strchr("qTzoyY", letter) != NULL)
        r.bytes_raw = 0;
    return r;
}

/* The receipt as it is, and its object, under a key below the bucket. */
static inline void days_put_as(struct aws *m, struct receipt *r,
                               const char *key, char letter)
{
    static char json[RECEIPT_BYTES];
    char beside[1200], etag[80];
    struct aws_object_info info;
    struct text b, e, j;
    text_init(&b, beside, sizeof beside);
    receipt_key(&b, view_of(key), "receipt");
    days_store(m, key, view_of("body"),
               letter == 'g' || letter == 'n' ? "GLACIER"
               : letter == 'a'                ? "DEEP_ARCHIVE" : "STANDARD");
    assert_true(aws_object(m, DAYS_BUCKET, key, &info));
    text_init(&e, etag, sizeof etag);
    text_char(&e, '"');
    text_put(&e, (struct view){(const uint8_t *)info.etag.at,
                               (uint32_t)info.etag.len});
    text_char(&e, '"');
    r->key = view_of(key);
    r->etag = text_view(&e);
    r->crc64nvme = info.crc64;
    text_init(&j, json, sizeof json);
    receipt_write(&j, r, NULL);
    struct view whole = text_view(&j);
    whole.len = letter == 'x' ? whole.len / 2 : letter == 'e' ? 0 : whole.len;
    days_store(m, beside, whole, "STANDARD");
    if (letter == '!')
        assert_true(aws_delete_object(m, DAYS_BUCKET, key, DAYS_NOW));
}

static inline void days_put(struct aws *m, const char *group, int64_t day,
                            char letter)
{
    char key[1100], date[16];
    struct receipt r = days_receipt(group, day, letter);
    struct text t;
    text_init(&t, date, sizeof date);
    date_day(&t, day);
    (void)snprintf(key, sizeof key, DAYS_ACCOUNT "/us-east-1%s/dt=%s/"
                   "events.ndjson.gz", group, date);
    if (letter != '-')
        days_put_as(m, &r, key, letter);
}

/* The last letter is yesterday's; the group is as old as the first. */
static inline void days_put_all(struct aws *m, const char *group,
                                const char *letters)
{
    int64_t first = DAYS_TODAY - (int64_t)strlen(letters);
    aws_create_group(m, group, first * DAY_MS);
    for (int64_t i = 0; letters[i] != '\0'; i++)
        days_put(m, group, first + i, letters[i]);
}

#endif
