/* test_site.c - endpoints, settings and their order of precedence. */
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

static const char config_text[] =
    "\xef\xbb\xbf# a comment\r\n"
    "[default]\r\n"
    "region=eu-west-1   \r\n"
    "\r\n"
    "[profile  dev ]\n"
    "   region =   ap-northeast-2\n"
    "   services = local\n"
    "; another comment\n"
    "s3 =\n"
    "  endpoint_url = http://localhost:1\n"
    "  addressing_style = path\n"
    "endpoint_url = https://all.example\n"
    "Use_FIPS_Endpoint = TRUE\n"
    "[profile \"with space\"] # why not\n"
    "region = sa-east-1\n"
    "[dev2]\n"
    "region = wrong-1\n"
    "[services local]\n"
    "s3 =\n"
    "  endpoint_url = http://localhost:9000\n"
    "cloudwatch_logs = \n"
    "  endpoint_url = http://localhost:4586\n"
    "[profile dev]\n"
    "output = json = text\n"
    "aws_access_key_id = CONFIG\n";
static const char credentials_text[] =
    "[dev]\naws_access_key_id = FILE\naws_secret_access_key=a=b#c ;d\n"
    "[default]\nregion = eu-west-2\n";

static void a_profile_is_read_from_both_files(void **state)
{
    struct settings s = {.config = view_of(config_text),
                         .credentials = view_of(credentials_text)};
    struct view dev = view_of("dev"), plain = view_of("default");
    (void)state;
    assert_true(view_is(settings_profile(&s), "default"));
    assert_true(view_is(settings_value(&s, plain, "region"), "eu-west-2"));
    assert_true(view_is(settings_value(&s, dev, "region"),
                        "ap-northeast-2"));
    assert_true(view_is(settings_value(&s, dev, "aws_access_key_id"),
                        "FILE"));
    assert_true(view_is(settings_value(&s, dev, "aws_secret_access_key"),
                        "a=b#c ;d"));
    assert_true(view_is(settings_value(&s, dev, "output"), "json = text"));
    assert_true(view_is(settings_value(&s, dev, "addressing_style"), ""));
    assert_true(view_is(settings_value(&s, view_of("with space"), "region"),
                        "sa-east-1"));
    assert_false(settings_has_profile(&s, view_of("dev2")));
    assert_false(settings_has_profile(&s, view_of("dev3")));
    assert_true(settings_has_profile(&s, dev));
    s.env[SETTING_PROFILE] = dev;
    assert_true(settings_true(&s, SETTING_FIPS, "use_fips_endpoint"));
    assert_true(view_is(settings_endpoint(&s, "s3"),
                        "http://localhost:9000"));
    assert_true(view_is(settings_endpoint(&s, "cloudwatch_logs"),
                        "http://localhost:4586"));
    assert_true(view_is(settings_endpoint(&s, "sts"),
                        "https://all.example"));
    s.profile_option = plain;
    assert_true(view_is(settings_endpoint(&s, "s3"), ""));
}

static const struct file_row {
    const char *name;
    struct file files[3];
    const char *want;  /* the fault's words; NULL: it is read */
} file_rows[] = {
    {"no files", {{0}}, NULL},
    {"both files",
     {{"/h/.aws/config", config_text},
      {"/h/.aws/credentials", credentials_text}},
     NULL},
    {"a line that is none", {{"/h/.aws/config", "[default]\nregion\n"}},
     "/h/.aws/config line 2 is neither [section] nor key = value"},
    {"a key before the first section", {{"/h/.aws/config", "a = b\n"}},
     "/h/.aws/config line 1 is neither [section] nor key = value"},
    {"a section without an end", {{"/h/.aws/credentials", "\n[default\n"}},
     "/h/.aws/credentials line 2 is neither [section] nor key = value"},
    {"a file of someone else", {{"/h/.aws/credentials", NULL}},
     "/h/.aws/credentials cannot be read"},
};

static void files_are_read_and_checked(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(file_rows); i++) {
        uint8_t room[2048];
        struct fault fault = {0};
        struct settings s = {.env = {[SETTING_HOME] = view_of("/h")}};
        script_files = file_rows[i].files;
        bool ok = settings_read(&s, (struct span){room, sizeof room},
                                &fault);
        const char *want = file_rows[i].want;
        failures += BROKEN(file_rows[i].name,
                           ok == (want == NULL) &&
                               (ok || row_string(fault.words, want)) &&
                               fault_exit(fault.error) == (ok ? 0 : 78));
    }
    uint8_t little[100];
    struct fault fault = {0};
    struct settings s = {.env = {[SETTING_HOME] = view_of("/h"),
                                 [SETTING_CONFIG_FILE] = view_of("~/c")}};
    script_files = (const struct file[]){{"/h/c", config_text}, {0}};
    assert_false(settings_read(&s, (struct span){little, sizeof little},
                               &fault));
    assert_string_equal(fault.words, "/h/c is too long");
    assert_int_equal(failures, 0);
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
    s.env[SETTING_ENDPOINT] = view_of("");
    s.env[SETTING_REGION] = view_of("evil/");
    fault_reset(&fault);
    assert_false(site_init(&site, &o, &fault));
    s.env[SETTING_REGION] = view_of("us-east-1");
    o.bucket_owner = view_of("12345678901x");
    fault_reset(&fault);
    assert_false(site_init(&site, &o, &fault));
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
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_follow_from_the_region),
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(buckets_have_hosts_and_paths),
        cmocka_unit_test(a_profile_is_read_from_both_files),
        cmocka_unit_test(files_are_read_and_checked),
        cmocka_unit_test(the_strongest_wins),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(a_buckets_region_is_remembered),
    };
    return RUN(tests);
}
