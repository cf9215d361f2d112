/* test_site.c - endpoints, and the order of precedence of settings. */
#include "call/site.h"
#include "row.h"
#include "script.h"

static const struct region_row {
    const char *name;
    enum site_service service;
    const char *region;
    bool        fips, dualstack;
    const char *want;  /* NULL: refused */
} region_rows[] = {
    {"logs", SITE_LOGS, "eu-central-1", false, false,
     "logs.eu-central-1.amazonaws.com"},
    {"logs, dual-stack", SITE_LOGS, "eu-central-1", false, true,
     "logs.eu-central-1.api.aws"},
    {"logs, FIPS", SITE_LOGS, "us-east-1", true, false,
     "logs-fips.us-east-1.amazonaws.com"},
    {"logs, both", SITE_LOGS, "us-east-1", true, true,
     "logs-fips.us-east-1.api.aws"},
    {"GovCloud's logs are FIPS by their plain name", SITE_LOGS,
     "us-gov-west-1", true, false, "logs.us-gov-west-1.amazonaws.com"},
    {"China", SITE_LOGS, "cn-north-1", false, false,
     "logs.cn-north-1.amazonaws.com.cn"},
    {"China, dual-stack", SITE_LOGS, "cn-north-1", false, true,
     "logs.cn-north-1.api.amazonwebservices.com.cn"},
    {"the sovereign cloud", SITE_S3, "eusc-de-east-1", false, false,
     "s3.eusc-de-east-1.amazonaws.eu"},
    {"a region of tomorrow", SITE_S3, "xx-north-9", false, false,
     "s3.xx-north-9.amazonaws.com"},
    {"S3 in us-east-1 is regional", SITE_S3, "us-east-1", false, false,
     "s3.us-east-1.amazonaws.com"},
    {"S3, dual-stack", SITE_S3, "eu-west-1", false, true,
     "s3.dualstack.eu-west-1.amazonaws.com"},
    {"S3, FIPS and dual-stack", SITE_S3, "us-west-2", true, true,
     "s3-fips.dualstack.us-west-2.amazonaws.com"},
    {"STS", SITE_STS, "ap-northeast-2", false, false,
     "sts.ap-northeast-2.amazonaws.com"},
    {"GovCloud's logs, both", SITE_LOGS, "us-gov-west-1", true, true,
     "logs-fips.us-gov-west-1.api.aws"},
    {"GovCloud's S3 says it", SITE_S3, "us-gov-west-1", true, false,
     "s3-fips.us-gov-west-1.amazonaws.com"},
    {"GovCloud's STS is FIPS as it is", SITE_STS, "us-gov-west-1", true,
     false, "sts.us-gov-west-1.amazonaws.com"},
    {"a byte above z", SITE_S3, "us-east-1~", false, false, NULL},
    {"a hyphen last", SITE_S3, "us-east-", false, false, NULL},
    {"a slash", SITE_S3, "us-east-1/", false, false, NULL},
    {"a point", SITE_S3, "evil.example", false, false, NULL},
    {"a number sign", SITE_S3, "x#", false, false, NULL},
    {"upper case", SITE_S3, "US-EAST-1", false, false, NULL},
    {"a hyphen first", SITE_S3, "-a", false, false, NULL},
    {"nothing", SITE_S3, "", false, false, NULL},
    {"too long", SITE_S3, "abcdefghijklmnopqrstuvwxyz-123456", false, false,
     NULL},
};

static void hosts_follow_from_the_region(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(region_rows); i++) {
        const struct region_row *row = &region_rows[i];
        struct endpoint_options o = {row->fips, row->dualstack, false};
        struct endpoint e;
        bool ok = endpoint_of_region(&e, row->service, view_of(row->region),
                                     &o);
        failures += BROKEN(row->name,
                           ok == (row->want != NULL) &&
                               (!ok || (row_string(e.authority, row->want) &&
                                        strcmp(e.scheme, "https") == 0)));
    }
    assert_int_equal(failures, 0);
}

#define FIFTY "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LONG FIFTY FIFTY FIFTY

static const struct url_row {
    const char *name, *url;
    bool        allow_http;
    const char *scheme, *authority, *path;  /* scheme NULL: refused */
} url_rows[] = {
    {"a host", "https://minio.example", false, "https", "minio.example", ""},
    {"a port", "https://minio.example:9000/", false, "https",
     "minio.example:9000", ""},
    {"the usual port is not signed", "https://h:443", false, "https", "h",
     ""},
    {"a path", "https://h/a/b//", false, "https", "h", "/a/b"},
    {"loopback in clear", "http://127.0.0.1:4566", false, "http",
     "127.0.0.1:4566", ""},
    {"its usual port", "http://localhost:80", false, "http", "localhost",
     ""},
    {"loopback by IPv6", "http://[::1]:4566", false, "http", "[::1]:4566",
     ""},
    {"all of 127", "http://127.9.9.9", false, "http", "127.9.9.9", ""},
    {"elsewhere in clear", "http://minio.example", false, NULL, NULL, NULL},
    {"with leave", "http://minio.example", true, "http", "minio.example",
     ""},
    {"a name that looks like loopback", "http://127.0.0.1.evil.example",
     false, NULL, NULL, NULL},
    {"another", "http://localhost.evil.example", false, NULL, NULL, NULL},
    {"a user", "http://localhost@evil.example", true, NULL, NULL, NULL},
    {"a user and password", "https://a:b@evil.example", true, NULL, NULL,
     NULL},
    {"a query", "https://h/?x", true, NULL, NULL, NULL},
    {"a query without a path", "https://h?x", true, NULL, NULL, NULL},
    {"a fragment", "https://h#x", true, NULL, NULL, NULL},
    {"another scheme", "file:///etc/passwd", true, NULL, NULL, NULL},
    {"no scheme", "localhost:4566", true, NULL, NULL, NULL},
    {"no host", "https://", true, NULL, NULL, NULL},
    {"a port that is none", "https://h:port", true, NULL, NULL, NULL},
    {"a port too large", "https://h:70000", true, NULL, NULL, NULL},
    {"a line break", "https://h\r\nx: y", true, NULL, NULL, NULL},
    {"an open bracket", "http://[::1", true, NULL, NULL, NULL},
    {"a zone in an IPv6 address", "http://[::1%]", true, NULL, NULL, NULL},
    {"a brace in a host", "https://h{x", true, NULL, NULL, NULL},
    {"a colon in a path", "https://h/a:b", true, NULL, NULL, NULL},
    {"a path of all it may hold", "https://h/~a%20b-_.", false, "https", "h",
     "/~a%20b-_."},
    {"four digits of loopback", "http://127.0000.0.1", false, NULL, NULL,
     NULL},
    {"letters in loopback", "http://127.x.0.1", false, NULL, NULL, NULL},
    {"three parts of loopback", "http://127.0.1", false, NULL, NULL, NULL},
    {"a long host", "https://" LONG LONG, false, NULL, NULL, NULL},
    {"a long path", "https://h/" LONG, false, NULL, NULL, NULL},
};

static void urls_are_taken_apart(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(url_rows); i++) {
        const struct url_row *row = &url_rows[i];
        struct endpoint_options o = {.allow_http = row->allow_http};
        struct endpoint e;
        struct fault fault = {0};
        bool ok = endpoint_of_url(&e, view_of(row->url), &o, &fault);
        bool same = !ok || (row_string(e.scheme, row->scheme) &&
                            row_string(e.authority, row->authority) &&
                            row_string(e.base_path, row->path) && e.custom);
        bool said = ok || (fault.error == ERROR_CONFIG &&
                           fault.words[0] != '\0');
        failures += BROKEN(row->name,
                           ok == (row->scheme != NULL) && same && said);
    }
    assert_int_equal(failures, 0);
}

static const struct s3_row {
    const char *name, *url, *bucket, *key, *host, *path;  /* NULL: refused */
} s3_rows[] = {
    {"in the host's name", NULL, "acme-logs", "a/b",
     "acme-logs.s3.eu-west-1.amazonaws.com", "/a/b"},
    {"the bucket itself", NULL, "acme-logs", "",
     "acme-logs.s3.eu-west-1.amazonaws.com", "/"},
    {"points go into the path", NULL, "acme.logs", "k",
     "s3.eu-west-1.amazonaws.com", "/acme.logs/k"},
    {"so do upper case and underscores", NULL, "Acme_Logs", "",
     "s3.eu-west-1.amazonaws.com", "/Acme_Logs"},
    {"a custom endpoint", "http://localhost:9000", "acme-logs", "k",
     "localhost:9000", "/acme-logs/k"},
    {"a custom endpoint's path", "https://h/s3/", "acme-logs", "",
     "h", "/s3/acme-logs"},
    {"a key is encoded once, and kept", NULL, "acme-logs",
     "dt=2026/a b//./../\xc3\xa9+",
     "acme-logs.s3.eu-west-1.amazonaws.com",
     "/dt%3D2026/a%20b//./../%C3%A9%2B"},
    {"a slash in a bucket", NULL, "a/../b", "k", NULL, NULL},
    {"a host in a bucket", NULL, "evil.example#", "k", NULL, NULL},
    {"a short name", NULL, "ab", "k", NULL, NULL},
    {"digits", NULL, "1logs9", "k", "1logs9.s3.eu-west-1.amazonaws.com", "/k"},
    {"a hyphen first", NULL, "-logs", "k", "s3.eu-west-1.amazonaws.com",
     "/-logs/k"},
    {"a hyphen last", NULL, "logs-", "k", "s3.eu-west-1.amazonaws.com",
     "/logs-/k"},
    {"longer than a label", NULL, FIFTY "xxxxxxxxxxxxxx", "",
     "s3.eu-west-1.amazonaws.com", "/" FIFTY "xxxxxxxxxxxxxx"},
    {"longer than any bucket", NULL, LONG LONG, "k", NULL, NULL},
    {"three points", NULL, "...", "k", NULL, NULL},
    {"a brace", NULL, "a{b", "k", NULL, NULL},
};

static void buckets_have_hosts_and_paths(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(s3_rows); i++) {
        const struct s3_row *row = &s3_rows[i];
        struct endpoint_options o = {0};
        struct fault fault = {0};
        struct endpoint e;
        char host_at[256], path_at[256];
        struct text host, path;
        text_init(&host, host_at, sizeof host_at);
        text_init(&path, path_at, sizeof path_at);
        if (row->url != NULL)
            endpoint_of_url(&e, view_of(row->url), &o, &fault);
        else
            endpoint_of_region(&e, SITE_S3, view_of("eu-west-1"), &o);
        bool ok = endpoint_s3_host(&e, view_of(row->bucket), &host) &&
                  endpoint_s3_path(&e, view_of(row->bucket),
                                   view_of(row->key), &path);
        failures += BROKEN(row->name,
                           ok == (row->host != NULL) &&
                               (!ok || (row_text(&host, row->host) &&
                                        row_text(&path, row->path))));
    }
    assert_int_equal(failures, 0);
}

static void a_host_that_does_not_fit_is_refused(void **state)
{
    struct endpoint_options o = {0};
    struct endpoint e;
    char at[16];
    struct text host;
    (void)state;
    assert_true(endpoint_of_region(&e, SITE_S3, view_of("eu-west-1"), &o));
    text_init(&host, at, sizeof at);
    assert_false(endpoint_s3_host(&e, view_of("acme-logs"), &host));
}

/* Each source of a region and an endpoint, from the weakest to the strongest:
 * each time one more is set, and it is the one that is taken. */
static void the_strongest_wins(void **state)
{
    static struct site site;
    struct settings s = {
        .env = {[SETTING_KEY_ID] = view_of("AKID"),
                [SETTING_SECRET] = view_of("secret"),
                [SETTING_PROFILE] = view_of("dev")},
        .config = view_of("[profile dev]\nregion = r-profile\n"
                          "services = x\nendpoint_url = https://profile\n"),
    };
    struct site_options o = {.settings = &s};
    struct fault fault = {0};
    (void)state;
    assert_true(site_init(&site, &o, &fault));
    assert_string_equal(site.region, "r-profile");
    assert_string_equal(site.endpoint[SITE_S3].authority, "profile");
    s.config = view_of("[profile dev]\nregion = r-profile\nservices = x\n"
                       "endpoint_url = https://profile\n[services x]\n"
                       "s3 =\n endpoint_url = https://section\n");
    assert_true(site_init(&site, &o, &fault));
    assert_string_equal(site.endpoint[SITE_S3].authority, "section");
    assert_string_equal(site.endpoint[SITE_STS].authority, "profile");
    s.env[SETTING_ENDPOINT] = view_of("https://environment");
    s.env[SETTING_DEFAULT_REGION] = view_of("r-default");
    assert_true(site_init(&site, &o, &fault));
    assert_string_equal(site.endpoint[SITE_S3].authority, "environment");
    assert_string_equal(site.region, "r-default");
    s.env[SETTING_ENDPOINT_LOGS] = view_of("https://logs");
    s.env[SETTING_REGION] = view_of("r-environment");
    assert_true(site_init(&site, &o, &fault));
    assert_string_equal(site.endpoint[SITE_LOGS].authority, "logs");
    assert_string_equal(site.endpoint[SITE_S3].authority, "environment");
    assert_string_equal(site.endpoint[SITE_S3].region, "r-environment");
    o.region = view_of("r-option");
    o.endpoint_url = view_of("https://option");
    assert_true(site_init(&site, &o, &fault));
    assert_string_equal(site.endpoint[SITE_LOGS].authority, "option");
    assert_string_equal(site.region, "r-option");
    o.endpoint_url = view_of("");
    s.env[SETTING_IGNORE_ENDPOINTS] = view_of("true");
    assert_true(site_init(&site, &o, &fault));
    assert_string_equal(site.endpoint[SITE_LOGS].authority,
                        "logs.r-option.amazonaws.com");
}

static void what_cannot_be_is_refused(void **state)
{
    static char many[700];
    static struct site site;
    struct settings s = {
        .env = {[SETTING_KEY_ID] = view_of("AKID"),
                [SETTING_SECRET] = view_of("secret"),
                [SETTING_REGION] = view_of("eu-west-1"),
                [SETTING_ENDPOINT] = view_of("https://h"),
                [SETTING_FIPS] = view_of("true")}};
    struct site_options o = {.settings = &s};
    struct fault fault = {0};
    (void)state;
    assert_false(site_init(&site, &o, &fault));
    assert_int_equal(fault.error, ERROR_CONFIG);
    s.env[SETTING_FIPS] = view_of("");
    o.dualstack = true;
    fault_reset(&fault);
    assert_false(site_init(&site, &o, &fault));
    assert_true(view_starts(view_of(fault.words), "an endpoint URL cannot"));
    s.env[SETTING_ENDPOINT] = view_of("https://a@h");
    fault_reset(&fault);
    assert_false(site_init(&site, &o, &fault));
    assert_true(view_starts(view_of(fault.words), "endpoint \"...@h\""));
    memset(many, 'e', sizeof many - 1);
    s.env[SETTING_ENDPOINT] = view_of(many);
    fault_reset(&fault);
    assert_false(site_init(&site, &o, &fault));
    assert_non_null(strstr(fault.words, "eee\": must begin with https://"));
    s.env[SETTING_FIPS] = view_of("true");
    o.dualstack = false;
    s.env[SETTING_ENDPOINT] = view_of("");
    s.env[SETTING_REGION] = view_of("evil/");
    fault_reset(&fault);
    assert_false(site_init(&site, &o, &fault));
    s.env[SETTING_REGION] = view_of("us-east-1");
    o.bucket_owner = view_of("12345678901x");
    fault_reset(&fault);
    assert_false(site_init(&site, &o, &fault));
    o.bucket_owner = view_of("1234");
    fault_reset(&fault);
    assert_false(site_init(&site, &o, &fault));
    s.env[SETTING_KEY_ID] = view_of("A KID");
    o.bucket_owner = view_of("");
    fault_reset(&fault);
    assert_false(site_init(&site, &o, &fault));
    assert_int_equal(fault.error, ERROR_DENIED);
    s.env[SETTING_KEY_ID] = view_of("AKID");
    o.bucket_owner = view_of("123456789012");
    assert_true(site_init(&site, &o, &fault));
    assert_string_equal(site.endpoint[SITE_LOGS].authority,
                        "logs-fips.us-east-1.amazonaws.com");
    assert_int_equal(site.pace.limit, 12000);
    s.env[SETTING_REGION] = view_of("");
    s.env[SETTING_IMDS_DISABLED] = view_of("true");
    fault_reset(&fault);
    assert_false(site_init(&site, &o, &fault));
    assert_true(view_starts(view_of(fault.words), "no region"));
}

static void a_role_that_does_not_fit_is_refused(void **state)
{
    static char many[700];
    static struct site site;
    struct settings s = {.env = {[SETTING_KEY_ID] = view_of("AKID"),
                                 [SETTING_SECRET] = view_of("secret"),
                                 [SETTING_REGION] = view_of("us-east-1")}};
    struct site_options o = {.settings = &s};
    struct fault fault = {0};
    (void)state;
    memset(many, 'e', sizeof many - 1);
    assert_true(site_init(&site, &o, &fault));
    assert_false(site_assume(&site, view_of(many), &fault));
    assert_int_equal(fault.error, ERROR_CONFIG);
    assert_true(site_assume(&site, view_of("arn"), &fault));
}

static void options_are_taken(void **state)
{
    static char name[SITE_HOLDER_BYTES + 20];
    static struct site site;
    struct settings s = {.env = {[SETTING_DUALSTACK] = view_of("TRUE"),
                                 [SETTING_KEY_ID] = view_of("AKID"),
                                 [SETTING_SECRET] = view_of("secret")}};
    struct site_options o = {.region = view_of("eu-west-1"), .fips = true};
    struct fault fault = {0};
    (void)state;
    assert_true(site_init(&site, &o, &fault));  /* no settings at all */
    assert_string_equal(site.endpoint[SITE_S3].authority,
                        "s3-fips.eu-west-1.amazonaws.com");
    memset(name, 'h', sizeof name - 1);
    o = (struct site_options){.settings = &s, .region = view_of("eu-west-1"),
                              .holder = view_of(name)};
    assert_true(site_init(&site, &o, &fault));
    assert_string_equal(site.endpoint[SITE_S3].authority,
                        "s3.dualstack.eu-west-1.amazonaws.com");
    assert_int_equal(strlen(site.holder), SITE_HOLDER_BYTES - 1);
    o.dualstack = true;
    o.holder = view_of("me");
    s.env[SETTING_DUALSTACK] = view_of("");
    assert_true(site_init(&site, &o, &fault));
    assert_string_equal(site.endpoint[SITE_STS].authority,
                        "sts.eu-west-1.api.aws");
    assert_string_equal(site.holder, "me");
}

static void a_buckets_region_is_remembered(void **state)
{
    static struct site site;
    (void)state;
    assert_string_equal(site_region_of(&site, view_of("a-bucket")), "");
    site_learn(&site, view_of("a-bucket"), "eu-west-1");
    site_learn(&site, view_of("b-bucket"), "eu-west-2");
    site_learn(&site, view_of("a-bucket"), "eu-west-3");
    assert_string_equal(site_region_of(&site, view_of("a-bucket")),
                        "eu-west-3");
    assert_string_equal(site_region_of(&site, view_of("b-bucket")),
                        "eu-west-2");
    assert_string_equal(site_region_of(&site, view_of("")), "");
    site_learn(&site, view_of(LONG), "eu-west-1");  /* too long to keep */
    assert_string_equal(site_region_of(&site, view_of(LONG)), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_follow_from_the_region),
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(buckets_have_hosts_and_paths),
        cmocka_unit_test(a_host_that_does_not_fit_is_refused),
        cmocka_unit_test(the_strongest_wins),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(a_role_that_does_not_fit_is_refused),
        cmocka_unit_test(options_are_taken),
        cmocka_unit_test(a_buckets_region_is_remembered),
    };
    return RUN(tests);
}
