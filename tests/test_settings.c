/* test_settings.c - the shared files are read as other SDKs read them. */
#include "call/settings.h"
#include "row.h"
#include "script.h"

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
    {"notes behind a section", {{"/h/.aws/config", "[a] ; no\n[b] # why\n"}},
     NULL},
    {"words behind a section", {{"/h/.aws/config", "[a] no\n"}},
     "/h/.aws/config line 1 is neither [section] nor key = value"},
    {"a section without a name", {{"/h/.aws/config", "[ ]\n"}},
     "/h/.aws/config line 1 is neither [section] nor key = value"},
    {"a value without a key", {{"/h/.aws/config", "[a]\n= b\n"}},
     "/h/.aws/config line 2 is neither [section] nor key = value"},
    {"a value that goes on below", {{"/h/.aws/config",
     "[a]\nk = v\n  [more]\n  x = y\ns3 =\n  words\n"}}, NULL},
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

static void files_may_be_elsewhere(void **state)
{
    static char long_path[1100];
    uint8_t bytes[2048];
    struct span room = {bytes, sizeof bytes};
    struct fault fault = {0};
    struct settings s = {
        .env = {[SETTING_CONFIG_FILE] = view_of("/c"),
                [SETTING_CREDENTIALS_FILE] = view_of("~/f")}};
    (void)state;
    script_files = (const struct file[]){
        {"/c", "[default]\nregion = r\n"},
        {"/h/f", "[other]\nregion = q\n"}, {0}};
    script_exposed = "/h/f";
    assert_true(settings_read(&s, room, &fault));  /* no home */
    assert_true(view_is(settings_value(&s, view_of("default"), "region"),
                        "r"));
    assert_false(settings_has_profile(&s, view_of("other")));
    assert_false(s.exposed);
    s.env[SETTING_HOME] = view_of("/h");
    s.env[SETTING_DEFAULT_PROFILE] = view_of("other");
    assert_true(settings_read(&s, room, &fault));
    assert_true(settings_has_profile(&s, settings_profile(&s)));
    assert_true(view_is(settings_value(&s, settings_profile(&s), "region"),
                        "q"));
    assert_true(s.exposed);
    s.env[SETTING_CONFIG_FILE] = view_of("");
    assert_true(settings_read(&s, room, &fault));
    assert_false(settings_has_profile(&s, view_of("default")));
    memset(long_path, 'p', sizeof long_path - 1);
    s.env[SETTING_CONFIG_FILE] = view_of(long_path);
    assert_false(settings_read(&s, room, &fault));
    assert_string_equal(fault.words, "AWS_CONFIG_FILE is too long");
    s.env[SETTING_CONFIG_FILE] = view_of("/c");
    s.env[SETTING_HOME] = view_of("");
    s.env[SETTING_CREDENTIALS_FILE] = view_of("");
    fault_reset(&fault);
    assert_true(settings_read(&s, room, &fault));
    assert_false(settings_has_profile(&s, view_of("other")));
}

static const struct section_row {
    const char *name, *section, *profile;
    bool        is;
} section_rows[] = {
    {"a profile", "profile a", "a", true},
    {"with a tab", "profile\ta", "a", true},
    {"in double quotes", "profile \"a b\"", "a b", true},
    {"in single quotes", "profile 'a b'", "a b", true},
    {"quotes that differ", "profile 'a b\"", "a b", false},
    {"half a quote", "profile '", "'", true},
    {"letters at both ends", "profile aba", "b", false},
    {"the word alone", "profile", "", false},
    {"a longer word", "profiles a", "a", false},
    {"another word", "services a", "a", false},
    {"the default", "default", "default", true},
    {"another's default", "default", "a", false},
    {"a default that is spelt out", "profile default", "default", true},
};

static void sections_name_profiles(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(section_rows); i++) {
        const struct section_row *row = &section_rows[i];
        char text[80];
        (void)snprintf(text, sizeof text, "[%s]\n", row->section);
        struct settings s = {.config = view_of(text)};
        failures += BROKEN(row->name, settings_has_profile(
                               &s, view_of(row->profile)) == row->is);
    }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_profile_is_read_from_both_files),
        cmocka_unit_test(files_are_read_and_checked),
        cmocka_unit_test(files_may_be_elsewhere),
        cmocka_unit_test(sections_name_profiles),
    };
    return RUN(tests);
}
