/* sigv4.c - see sigv4.h. */
#include "call/sigv4.h"

enum { HMAC_BLOCK = 64, HMAC_SLICES = 9 };

static struct view bytes_of(const uint8_t *at, uint32_t len)
{
    return (struct view){at, len};
}

static int compare(struct view a, struct view b)
{
    uint32_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.at, b.at, len) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static void reverse(char *at, uint32_t len)
{
    for (uint32_t i = 0; i < len / 2; i++) {
        char c = at[i];
        at[i] = at[len - 1 - i];
        at[len - 1 - i] = c;
    }
}

/* How pieces "name<equals>value<end>" follow each other. */
struct grammar {
    uint8_t equals, end;
};

/* Where a piece belongs among sorted ones: the offset of the first that must
 * come after it. *twin: one has the same name. */
static uint32_t place_of(struct view sorted, struct view piece,
                         struct grammar g, bool *twin)
{
    struct view value = piece;
    struct view name = view_split(&value, g.equals);
    uint32_t at = 0;
    *twin = false;
    while (at < sorted.len) {
        struct view rest = view_slice(sorted, at, sorted.len);
        struct view other_value = view_split(&rest, g.end);
        uint32_t next = sorted.len - rest.len;
        struct view other = view_split(&other_value, g.equals);
        int order = compare(name, other);
        *twin = *twin || order == 0;
        if (order < 0 || (order == 0 && compare(value, other_value) < 0))
            break;
        at = next;
    }
    return at;
}

/* Moves the last piece, which begins at `mark`, to where it belongs. */
static bool sort_in(struct text *t, uint32_t mark, struct grammar g)
{
    bool twin;
    struct view all = text_view(t);
    struct view piece = view_slice(all, mark, all.len - 1);
    uint32_t at = place_of(view_slice(all, 0, mark), piece, g, &twin);
    reverse(t->at + at, mark - at);
    reverse(t->at + mark, t->len - mark);
    reverse(t->at + at, t->len - at);
    return !twin;
}

/* Trimmed, runs of blanks made one; false if a byte may not stand there. */
static bool put_value(struct text *t, struct view value)
{
    bool blank = false;
    for (uint32_t i = 0; i < value.len; i++) {
        uint8_t c = value.at[i];
        bool space = c == ' ' || c == '\t';
        if ((c < 0x20 && !space) || c == 0x7f)
            return false;
        if (!space || !blank)
            text_char(t, space ? ' ' : (char)c);
        blank = space;
    }
    return true;
}

static struct view trim_blanks(struct view v)
{
    uint32_t from = 0, to = v.len;
    while (from < to && (v.at[from] == ' ' || v.at[from] == '\t'))
        from++;
    while (to > from && (v.at[to - 1] == ' ' || v.at[to - 1] == '\t'))
        to--;
    return view_slice(v, from, to);
}

bool sigv4_header(struct text *headers, const char *name, struct view value)
{
    const struct grammar lines = {':', '\n'};
    uint32_t mark = headers->len;
    if (headers->overflow)
        return false;
    text_str(headers, name);
    text_char(headers, ':');
    bool ok = put_value(headers, trim_blanks(value));
    text_char(headers, '\n');
    if (!ok)
        text_cut(headers, mark);
    return ok && !headers->overflow && sort_in(headers, mark, lines);
}

bool sigv4_query(struct text *query, struct view name, struct view value)
{
    const struct grammar pairs = {'=', '&'};
    if (query->len > 0)
        text_char(query, '&');
    uint32_t mark = query->len;
    text_percent(query, name, false);
    text_char(query, '=');
    text_percent(query, value, false);
    text_char(query, '&');
    if (query->overflow)
        return false;
    sort_in(query, mark, pairs);
    text_cut(query, query->len - 1);
    return true;
}

bool sigv4_path(struct text *out, struct view path)
{
    uint32_t base = out->len;
    struct view rest = path;
    bool directory = path.len == 0;
    while (rest.len > 0) {
        struct view segment = view_split(&rest, '/');
        bool dots = view_is(segment, "..");
        directory = segment.len == 0 || view_is(segment, ".") || dots ||
                    (rest.len == 0 && view_ends(path, "/"));
        if (dots) {
            while (out->len > base && out->at[out->len - 1] != '/')
                text_cut(out, out->len - 1);
            if (out->len > base)
                text_cut(out, out->len - 1);
        } else if (segment.len > 0 && !view_is(segment, ".")) {
            text_char(out, '/');
            text_percent(out, segment, false);
        }
    }
    if (directory)
        text_char(out, '/');
    return !out->overflow;
}

void sigv4_hash(const struct view *slices, uint32_t count,
                char out[SIGV4_HASH_BYTES])
{
    uint8_t hash[SHA256_BYTES];
    struct text t;
    digest_sha256(slices, count, hash);
    text_init(&t, out, SIGV4_HASH_BYTES);
    text_hex(&t, bytes_of(hash, sizeof hash));
    CHECK(!t.overflow);
}

void sigv4_hmac(struct view key, const struct view *slices, uint32_t count,
                uint8_t out[SHA256_BYTES])
{
    uint8_t block[HMAC_BLOCK] = {0}, inner[SHA256_BYTES];
    struct view parts[HMAC_SLICES + 1];
    CHECK(count <= HMAC_SLICES);
    if (key.len > HMAC_BLOCK)
        digest_sha256(&key, 1, block);
    else if (key.len > 0)
        memcpy(block, key.at, key.len);
    for (uint32_t i = 0; i < HMAC_BLOCK; i++)
        block[i] ^= 0x36;
    parts[0] = bytes_of(block, HMAC_BLOCK);
    for (uint32_t i = 0; i < count; i++)
        parts[1 + i] = slices[i];
    digest_sha256(parts, 1 + count, inner);
    for (uint32_t i = 0; i < HMAC_BLOCK; i++)
        block[i] ^= 0x36 ^ 0x5c;
    parts[1] = bytes_of(inner, sizeof inner);
    digest_sha256(parts, 2, out);
}

static void hmac_step(uint8_t key[SHA256_BYTES], const char *message)
{
    struct view v = view_of(message);
    sigv4_hmac(bytes_of(key, SHA256_BYTES), &v, 1, key);
}

/* "20150830T123600Z" */
enum { AMZ_BYTES = 17, DATE_BYTES = 8 };

static void amz_date(char out[AMZ_BYTES], int64_t instant_ms)
{
    struct text t;
    text_init(&t, out, AMZ_BYTES);
    date_amz(&t, instant_ms);
    CHECK(!t.overflow);
}

const uint8_t *sigv4_derive(struct sigv4_key *cache, const struct keys *keys,
                            const struct sigv4_request *r)
{
    char date[AMZ_BYTES], secret[4 + KEYS_SECRET_BYTES];
    struct text t;
    CHECK(keys->serial != 0);
    amz_date(date, r->instant_ms);
    date[DATE_BYTES] = '\0';
    if (cache->serial == keys->serial &&
        view_is(view_of(cache->date), date) &&
        view_is(view_of(cache->region), r->region) &&
        view_is(view_of(cache->service), r->service))
        return cache->key;
    text_init(&t, secret, sizeof secret);
    text_str(&t, "AWS4");
    text_str(&t, keys->secret);
    struct view v = view_of(date);
    sigv4_hmac(text_view(&t), &v, 1, cache->key);
    hmac_step(cache->key, r->region);
    hmac_step(cache->key, r->service);
    hmac_step(cache->key, "aws4_request");
    cache->serial = keys->serial;
    CHECK(view_copy(v, cache->date, sizeof cache->date));
    CHECK(view_copy(view_of(r->region), cache->region,
                    sizeof cache->region));
    CHECK(view_copy(view_of(r->service), cache->service,
                    sizeof cache->service));
    return cache->key;
}

/* The names of all lines, joined by ";". */
static void put_names(struct text *out, struct view before, struct view after)
{
    struct view part[] = {before, view_of("host:"), after};
    bool first = true;
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++)
        while (part[i].len > 0) {
            struct view line = view_split(&part[i], '\n');
            if (!first)
                text_char(out, ';');
            text_put(out, view_split(&line, ':'));
            first = false;
        }
}

static void put_scope(struct text *out, const struct sigv4_request *r,
                      const char *date)
{
    text_put(out, view_slice(view_of(date), 0, DATE_BYTES));
    text_char(out, '/');
    text_str(out, r->region);
    text_char(out, '/');
    text_str(out, r->service);
    text_str(out, "/aws4_request");
}

/* The hash of the canonical request; *names are the signed ones. */
static void hash_request(const struct sigv4_request *r, struct view before,
                         struct view after, struct view names,
                         char hash[SIGV4_HASH_BYTES])
{
    const struct view newline = view_of("\n");
    const struct view slices[] = {
        view_of(r->method), newline, r->path, newline, r->query, newline,
        before, view_of("host:"), r->host, newline, after, newline,
        names, newline, view_of(r->payload),
    };
    sigv4_hash(slices, sizeof slices / sizeof slices[0], hash);
}

bool sigv4_sign(struct text *headers, const struct sigv4_request *r,
                const struct keys *keys, struct sigv4_key *cache)
{
    const struct grammar lines = {':', '\n'};
    char date[AMZ_BYTES], scope_at[96], hash[SIGV4_HASH_BYTES];
    uint8_t signature[SHA256_BYTES];
    struct text scope;
    bool twin;

    amz_date(date, r->instant_ms);
    if (!sigv4_header(headers, "x-amz-date", view_of(date)))
        return false;
    if (keys->token[0] != '\0' &&
        !sigv4_header(headers, "x-amz-security-token", view_of(keys->token)))
        return false;
    text_init(&scope, scope_at, sizeof scope_at);
    put_scope(&scope, r, date);
    CHECK(!scope.overflow);

    struct view all = text_view(headers);
    uint32_t at = place_of(all, view_of("host:"), lines, &twin);
    struct view before = view_slice(all, 0, at);
    struct view after = view_slice(all, at, all.len);
    CHECK(!twin);

    text_str(headers, "authorization:AWS4-HMAC-SHA256 Credential=");
    text_str(headers, keys->id);
    text_char(headers, '/');
    text_put(headers, text_view(&scope));
    text_str(headers, ", SignedHeaders=");
    uint32_t mark = headers->len;
    put_names(headers, before, after);
    struct view names = view_slice(text_view(headers), mark, headers->len);

    hash_request(r, before, after, names, hash);
    const struct view slices[] = {
        view_of("AWS4-HMAC-SHA256\n"), view_of(date), view_of("\n"),
        text_view(&scope), view_of("\n"), view_of(hash),
    };
    sigv4_hmac(bytes_of(sigv4_derive(cache, keys, r), SHA256_BYTES), slices,
               sizeof slices / sizeof slices[0], signature);
    text_str(headers, ", Signature=");
    text_hex(headers, bytes_of(signature, sizeof signature));
    text_char(headers, '\n');
    return !headers->overflow;
}
