/* test_sigv4.c - every published value: canonical requests, signatures.
 * Sources: the test suite of AWS (aws-c-auth, botocore); S3 API Reference,
 * "Authenticating Requests", examples of both header chapters. */
#include "call/sigv4.h"
#include "row.h"

#define SUITE_SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define S3_SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define EMPTY_HASH \
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct pair {
    const char *name, *value;
};

static const struct row {
    const char *name, *method, *path;
    struct pair query[2], headers[6];
    const char *body, *payload;  /* payload overrides the body's hash */
    const char *signed_names, *signature;
} suite[] = {
    {"get-vanilla", "GET", "/", {{0}}, {{0}}, "", NULL, "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-space", "GET", "/example space/", {{0}}, {{0}}, "", NULL,
     "host;x-amz-date",
     "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
    {"get-slash-dot-slash: dot segments go", "GET", "/./", {{0}}, {{0}}, "",
     NULL, "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-relative-relative: so do double dots", "GET",
     "/example1/example2/../..", {{0}}, {{0}}, "", NULL, "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-slashes: so do double slashes", "GET", "//", {{0}}, {{0}}, "",
     NULL, "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"post-vanilla", "POST", "/", {{0}}, {{0}}, "", NULL, "host;x-amz-date",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"post-x-www-form-urlencoded", "POST", "/", {{0}},
     {{"content-type", "application/x-www-form-urlencoded"}},
     "Param1=value1", NULL, "content-type;host;x-amz-date",
     "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
}, s3[] = {
    {"GET Object with a range", "GET", "/test.txt", {{0}},
     {{"x-amz-content-sha256", EMPTY_HASH}, {"range", "bytes=0-9"}}, "",
     NULL, "host;range;x-amz-content-sha256;x-amz-date",
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {"PUT Object", "PUT", "/test%24file.text", {{0}},
     {{"x-amz-storage-class", " REDUCED_REDUNDANCY "},
      {"date", "Fri, 24 May 2013 00:00:00 GMT"},
      {"x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbb"
                               "a87d2b6b4b4e99e42034a8b803f8b072"}},
     "Welcome to Amazon S3.", NULL,
     "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
    {"GET Bucket Lifecycle", "GET", "/", {{"lifecycle", ""}},
     {{"x-amz-content-sha256", EMPTY_HASH}}, "", NULL,
     "host;x-amz-content-sha256;x-amz-date",
     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {"GET Bucket, its query out of order", "GET", "/",
     {{"prefix", "J"}, {"max-keys", "2"}},
     {{"x-amz-content-sha256", EMPTY_HASH}}, "", NULL,
     "host;x-amz-content-sha256;x-amz-date",
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
}, streaming[] = {
    {"the seed of a signed stream", "PUT", "/examplebucket/chunkObject.txt",
     {{0}},
     {{"content-encoding", "aws-chunked"}, {"content-length", "66824"},
      {"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
      {"x-amz-decoded-content-length", "66560"},
      {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
     "", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
     "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
     "x-amz-decoded-content-length;x-amz-storage-class",
     "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"},
    {"the seed of a stream with a trailer", "PUT",
     "/examplebucket/chunkObject.txt", {{0}},
     {{"content-encoding", "aws-chunked"},
      {"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"},
      {"x-amz-decoded-content-length", "66560"},
      {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
      {"x-amz-trailer", "x-amz-checksum-crc32c"}},
     "", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
     "content-encoding;host;x-amz-content-sha256;x-amz-date;"
     "x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer",
     "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"},
};

/* What the rows of one table have in common. */
struct table {
    const char *id, *secret, *host, *region, *service, *date;
};

static const struct table suite_table = {
    "AKIDEXAMPLE", SUITE_SECRET, "example.amazonaws.com", "us-east-1",
    "service", "2015-08-30T12:36:00Z"};
static const struct table s3_table = {
    "AKIAIOSFODNN7EXAMPLE", S3_SECRET, "examplebucket.s3.amazonaws.com",
    "us-east-1", "s3", "2013-05-24T00:00:00Z"};
static const struct table streaming_table = {
    "AKIAIOSFODNN7EXAMPLE", S3_SECRET, "s3.amazonaws.com", "us-east-1", "s3",
    "2013-05-24T00:00:00Z"};

static struct keys keys_of(const char *id, const char *secret)
{
    struct keys k = {.serial = 1, .expires_ms = INT64_MAX};
    strcpy(k.id, id);
    strcpy(k.secret, secret);
    return k;
}

static bool holds(const struct row *row, const struct table *table)
{
    static struct sigv4_key cache;
    struct keys keys = keys_of(table->id, table->secret);
    char headers_at[2048], query_at[256], path_at[256], hash[65], end[512];
    struct text headers, query, path, want;
    struct view body = view_of(row->body);
    int64_t instant_ms = 0;
    bool s3_path = strcmp(table->service, "s3") == 0;

    text_init(&headers, headers_at, sizeof headers_at);
    text_init(&query, query_at, sizeof query_at);
    text_init(&path, path_at, sizeof path_at);
    for (size_t i = 0; i < 6 && row->headers[i].name != NULL; i++)
        if (!sigv4_header(&headers, row->headers[i].name,
                          view_of(row->headers[i].value)))
            return false;
    for (size_t i = 0; i < 2 && row->query[i].name != NULL; i++)
        sigv4_query(&query, view_of(row->query[i].name),
                    view_of(row->query[i].value));
    if (s3_path)
        text_str(&path, row->path);
    else
        sigv4_path(&path, view_of(row->path));
    sigv4_hash(&body, 1, hash);
    date_parse_rfc3339(view_of(table->date), &instant_ms, NULL);
    struct sigv4_request r = {
        .method = row->method, .path = text_view(&path),
        .query = text_view(&query), .host = view_of(table->host),
        .payload = row->payload != NULL ? row->payload : hash,
        .service = table->service, .region = table->region,
        .instant_ms = instant_ms,
    };
    memset(&cache, 0, sizeof cache);
    bool ok = sigv4_sign(&headers, &r, &keys, &cache);
    text_init(&want, end, sizeof end);
    text_str(&want, ", SignedHeaders=");
    text_str(&want, row->signed_names);
    text_str(&want, ", Signature=");
    text_str(&want, row->signature);
    text_str(&want, "\n");
    bool same = view_ends(text_view(&headers), end);
    if (!same)
        fprintf(stderr, "%s\n  want %s", headers_at, end);
    return ok && same;
}

static void published_signatures(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(suite); i++)
        failures += BROKEN(suite[i].name, holds(&suite[i], &suite_table));
    for (size_t i = 0; i < ROW_COUNT(s3); i++)
        failures += BROKEN(s3[i].name, holds(&s3[i], &s3_table));
    for (size_t i = 0; i < ROW_COUNT(streaming); i++)
        failures += BROKEN(streaming[i].name,
                           holds(&streaming[i], &streaming_table));
    assert_int_equal(failures, 0);
}

static struct sigv4_request s3_request(void)
{
    return (struct sigv4_request){.service = "s3", .region = "us-east-1",
                                  .instant_ms = 1369353600000};
}

static const uint8_t *s3_key(struct sigv4_key *cache)
{
    struct keys keys = keys_of("AKIAIOSFODNN7EXAMPLE", S3_SECRET);
    struct sigv4_request r = s3_request();
    return sigv4_derive(cache, &keys, &r);
}

static void the_published_key(void **state)
{
    struct sigv4_key cache = {0};
    char at[65];
    struct text t;
    (void)state;
    text_init(&t, at, sizeof at);
    text_hex(&t, (struct view){s3_key(&cache), SHA256_BYTES});
    assert_true(row_text(&t, "dbb893acc010964918f1fd433add87c7"
                             "0e8b0db6be30c1fbeafefa5ec6ba8378"));
}

static void a_key_is_derived_again_only_when_it_must(void **state)
{
    struct keys keys = keys_of("AKIAIOSFODNN7EXAMPLE", S3_SECRET);
    struct sigv4_request r = s3_request();
    struct sigv4_key cache = {0};
    uint8_t first[SHA256_BYTES];
    (void)state;
    memcpy(first, sigv4_derive(&cache, &keys, &r), sizeof first);
    cache.key[0] ^= 1;  /* a mark that only a new derivation wipes away */
    r.instant_ms += 23 * 3600000;
    assert_memory_not_equal(sigv4_derive(&cache, &keys, &r), first, 32);
    keys.serial++;
    assert_memory_equal(sigv4_derive(&cache, &keys, &r), first, 32);
    r.instant_ms += 3600000;
    assert_memory_not_equal(sigv4_derive(&cache, &keys, &r), first, 32);
    r.instant_ms -= 3600000;
    r.region = "eu-west-1";
    assert_memory_not_equal(sigv4_derive(&cache, &keys, &r), first, 32);
    r.region = "us-east-1";
    assert_memory_equal(sigv4_derive(&cache, &keys, &r), first, 32);
    r.service = "sts";
    assert_memory_not_equal(sigv4_derive(&cache, &keys, &r), first, 32);
}

/* The chunks of both published streams: 65,536 and 1,024 bytes of "a", and
 * none, each chained to the signature before it. */
static const struct stream_row {
    const char *name, *kind, *before, *body_hash, *signature;
} stream_rows[] = {
    {"chunk 1", "PAYLOAD",
     "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
     "65536",
     "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"},
    {"chunk 2", "PAYLOAD",
     "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
     "1024",
     "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"},
    {"the last chunk", "PAYLOAD",
     "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
     "0",
     "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"},
    {"chunk 1 before a trailer", "PAYLOAD",
     "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
     "65536",
     "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"},
    {"chunk 2 before a trailer", "PAYLOAD",
     "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
     "1024",
     "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"},
    {"the last chunk before a trailer", "PAYLOAD",
     "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
     "0",
     "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"},
    {"the trailer", "TRAILER",
     "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
     "x-amz-checksum-crc32c:sOO8/Q==\n",
     "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"},
};

static bool chunk_holds(const struct stream_row *row)
{
    static uint8_t letters[65536];
    struct sigv4_key cache = {0};
    char hash[65], got_at[65];
    uint8_t mac[SHA256_BYTES];
    struct text got;
    uint64_t count = 0;
    bool chunk = view_u64(view_of(row->body_hash), sizeof letters, &count);
    memset(letters, 'a', sizeof letters);
    struct view body = chunk ? (struct view){letters, (uint32_t)count}
                             : view_of(row->body_hash);
    sigv4_hash(&body, 1, hash);
    struct view slices[] = {
        view_of("AWS4-HMAC-SHA256-"), view_of(row->kind),
        view_of("\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n"),
        view_of(row->before), view_of("\n"),
        view_of(chunk ? EMPTY_HASH "\n" : ""), view_of(hash),
    };
    sigv4_hmac((struct view){s3_key(&cache), SHA256_BYTES}, slices,
               ROW_COUNT(slices), mac);
    text_init(&got, got_at, sizeof got_at);
    text_hex(&got, (struct view){mac, sizeof mac});
    return row_text(&got, row->signature);
}

static void published_streams(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(stream_rows); i++)
        failures += BROKEN(stream_rows[i].name, chunk_holds(&stream_rows[i]));
    assert_int_equal(failures, 0);
}

static void headers_are_kept_canonical(void **state)
{
    char at[128];
    struct text t;
    (void)state;
    text_init(&t, at, sizeof at);
    assert_true(sigv4_header(&t, "x-b", view_of("  two   words \t")));
    assert_true(sigv4_header(&t, "a", view_of("1")));
    assert_true(sigv4_header(&t, "x-a-c", view_of("3")));
    assert_true(sigv4_header(&t, "x-a", view_of("2")));
    assert_true(row_text(&t, "a:1\nx-a:2\nx-a-c:3\nx-b:two words\n"));
    uint32_t len = t.len;
    assert_false(sigv4_header(&t, "c", view_of("line\r\nbreak")));
    assert_false(sigv4_header(&t, "c", view_of("\x7f")));
    assert_int_equal(t.len, len);
    assert_false(sigv4_header(&t, "a", view_of("again")));
    text_init(&t, at, 8);
    assert_false(sigv4_header(&t, "name", view_of("value")));
    assert_false(sigv4_header(&t, "a", view_of("")));  /* it stays so */
    text_init(&t, at, sizeof at);
    assert_true(sigv4_header(&t, "tab", view_of("\t a\t \tb ")));
    assert_true(sigv4_header(&t, "none", view_of("")));
    assert_true(sigv4_header(&t, "blank", view_of(" \t ")));
    assert_true(row_text(&t, "blank:\nnone:\ntab:a b\n"));
}

static void queries_are_kept_sorted(void **state)
{
    char at[128];
    struct text t;
    (void)state;
    text_init(&t, at, sizeof at);
    sigv4_query(&t, view_of("uploads"), view_of(""));
    assert_true(row_text(&t, "uploads="));
    sigv4_query(&t, view_of("a-b"), view_of("1/2"));
    sigv4_query(&t, view_of("a"), view_of("z"));
    sigv4_query(&t, view_of("a"), view_of("b c"));
    assert_true(row_text(&t, "a=b%20c&a=z&a-b=1%2F2&uploads="));
    sigv4_query(&t, view_of("a"), view_of(""));
    assert_true(row_text(&t, "a=&a=b%20c&a=z&a-b=1%2F2&uploads="));
    text_init(&t, at, 8);
    assert_false(sigv4_query(&t, view_of("name"), view_of("value")));
}

static const struct path_row {
    const char *in, *want;
} path_rows[] = {
    {"", "/"}, {"/a", "/a"}, {"/a/", "/a/"}, {"/..", "/"}, {"/a/..", "/"},
    {"/a/b/../c", "/a/c"}, {"/./a b", "/a%20b"}, {"a/.", "/a/"},
};

static void paths_lose_their_dots(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(path_rows); i++) {
        char at[64];
        struct text t;
        text_init(&t, at, sizeof at);
        bool ok = sigv4_path(&t, view_of(path_rows[i].in));
        failures += BROKEN(path_rows[i].in,
                           ok && row_text(&t, path_rows[i].want));
    }
    assert_int_equal(failures, 0);
}

static void a_session_token_is_signed(void **state)
{
    struct keys keys = keys_of("AKIDEXAMPLE", SUITE_SECRET);
    struct sigv4_request r = {
        .method = "GET", .path = view_of("/"), .host = view_of("h"),
        .payload = SIGV4_UNSIGNED, .service = "s3", .region = "us-east-1",
        .instant_ms = 1440938160000,
    };
    struct sigv4_key cache = {0};
    char at[1024];
    struct text t;
    (void)state;
    strcpy(keys.token, "token/+=");
    text_init(&t, at, sizeof at);
    assert_true(sigv4_sign(&t, &r, &keys, &cache));
    assert_non_null(strstr(at, "x-amz-security-token:token/+=\n"));
    assert_non_null(strstr(at, "=host;x-amz-date;x-amz-security-token,"));
    text_init(&t, at, 200);
    assert_false(sigv4_sign(&t, &r, &keys, &cache));
    text_init(&t, at, 40);  /* no room for the token */
    assert_false(sigv4_sign(&t, &r, &keys, &cache));
    text_init(&t, at, 8);   /* nor for the date */
    assert_false(sigv4_sign(&t, &r, &keys, &cache));
}

static void a_long_key_is_hashed_first(void **state)
{
    uint8_t key[131], mac[SHA256_BYTES];  /* RFC 4231, test case 6 */
    struct view data = view_of("Test Using Larger Than Block-Size Key - "
                               "Hash Key First");
    char at[65];
    struct text t;
    (void)state;
    memset(key, 0xaa, sizeof key);
    sigv4_hmac((struct view){key, sizeof key}, &data, 1, mac);
    text_init(&t, at, sizeof at);
    text_hex(&t, (struct view){mac, sizeof mac});
    assert_true(row_text(&t, "60e431591ee0b67f0d8a26aacbf5b77f"
                             "8e0bc6213728c5140546040f0ee37f54"));
    text_reset(&t);  /* of nothing, by nothing */
    sigv4_hmac((struct view){0}, &(struct view){0}, 1, mac);
    text_hex(&t, (struct view){mac, sizeof mac});
    assert_true(row_text(&t, "b613679a0814d9ec772f95d778c35fc5"
                             "ff1697c493715653c6c712144292c5ad"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_signatures),
        cmocka_unit_test(the_published_key),
        cmocka_unit_test(a_key_is_derived_again_only_when_it_must),
        cmocka_unit_test(published_streams),
        cmocka_unit_test(headers_are_kept_canonical),
        cmocka_unit_test(queries_are_kept_sorted),
        cmocka_unit_test(paths_lose_their_dots),
        cmocka_unit_test(a_session_token_is_signed),
        cmocka_unit_test(a_long_key_is_hashed_first),
    };
    return RUN(tests);
}
