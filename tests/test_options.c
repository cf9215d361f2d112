/* test_options.c - the command line is read as it is meant, and what cannot
 * be is refused with the flag's name and the nearest that can. */
#include "row.h"

#include "task/manual.h"
#include "task/message.h"

static struct options o;
static struct fault fault;
static char line[4096];

/* Splits at blanks; "firn" comes first. 2026-11-22T12:00:00Z is now. */
static bool parse(const char *arguments)
{
    static char *argv[64];
    int argc = 0;
    snprintf(line, sizeof line, "firn %s", arguments);
    for (char *at = strtok(line, " "); at != NULL; at = strtok(NULL, " "))
        argv[argc++] = at;
    fault_reset(&fault);
    return options_parse(&o, argc, argv, &fault) &&
           (o.help || o.version ||
            options_check(&o, 1795348800000, &fault));
}

#define RETENTION "retention --group /a --archive s3://acme-logs "
#define ADOPT "adopt s3://acme-logs/x.gz --group /a "
#define ARCHIVE "archive --group /a --to s3://acme-logs "
#define MERGE "merge s3://acme-logs/in/ --to s3://acme-logs/"
#define OF_DAY "--group /a --day 2026-11-09 "

static const struct row {
    const char *line, *words;  /* NULL: taken */
} rows[] = {
    {ARCHIVE, NULL},
    {"--region eu-west-1 " ARCHIVE, NULL},
    {ARCHIVE "--day=2026-11-09 --timezone=Asia/Seoul", NULL},
    {"archive --group=/a --to=s3://acme-logs/k=v.gz", NULL},
    {ARCHIVE "--fields +ingested,+id --compress none --if-exists fail", NULL},
    {"cat s3://acme-logs/a s3://acme-logs/b", NULL},
    {"cat -- s3://acme-logs/a", NULL},
    {"cat firn.json --group /a", NULL}, {"verify firn.json", NULL},
    {ADOPT "--day 2026-11-09", NULL},
    {ADOPT "--from 2026-11-09T00:00Z --until 2026-11-09T12:00Z", NULL},
    {"memory --output json", NULL},
    {"status s3://acme-logs", NULL},
    {"status s3://acme-logs/a/ --age 13", NULL},
    {"status firn.json", NULL},
    {"status s3://acme-logs/firn.json", NULL},
    {RETENTION "--days 30", NULL},
    {RETENTION "--days 3653 --timezone Asia/Seoul --dry-run", NULL},
    {"--help", NULL}, {"archive --help", NULL}, {"archive -h", NULL},
    {"--version", NULL}, {"cat --help", NULL},
    {"", "firn needs a command"},
    {"archiv", "nearest: firn archive"},
    {"frobnicate", "firn --help lists them"},
    {"--gruop", "no flag \"--gruop\"; nearest: --group"},
    {"archive --gruop=/a", "no flag \"--gruop\" for firn archive; nearest: "
     "--group"},
    {"cat --rate 5 s3://acme-logs/a", "no flag \"--rate\" for firn cat"},
    {"--rate 5 cat s3://acme-logs/a", "no flag \"--rate\" for firn cat"},
    {ARCHIVE "-x", "no flag \"-x\""},
    {"archive --to s3://acme-logs", "needs --group NAME"},
    {"archive --group /a", "needs --to s3://BUCKET/KEY"},
    {"archive --group", "--group needs a value: --group NAME"},
    {"archive --group --to s3://acme-logs", "--group needs a value"},
    {"archive --group= --to s3://acme-logs", "the value of --group is empty"},
    {ADOPT, "firn adopt needs --day"},
    {ADOPT "--age 2", "no flag \"--age\" for firn adopt"},
    {ADOPT "--day 2026-11-23", "only what has ended can be archived"},
    {ADOPT "s3://acme-logs/y.gz --day 2026-11-09", "has no use for"},
    {"adopt s3://acme-logs/x.gz --day 2026-11-09", "needs --group NAME"},
    {"adopt s3://acme-logs/ --group /a --day 2026-11-09",
     "is not one object"},
    {"adopt --group /a --day 2026-11-09", "firn adopt needs s3://BUCKET/KEY"},
    {ARCHIVE "--format xml", "--format takes ndjson|text, not \"xml\""},
    {ARCHIVE "--fields id", "--fields takes +ingested,+id"},
    {ARCHIVE "--format text --fields +id", "--fields needs --format ndjson"},
    {ARCHIVE "--age -1", "a whole number from 0 to 36500, not \"-1\""},
    {ARCHIVE "--rate 0", "a whole number from 1 to 10000, not \"0\""},
    {ARCHIVE "--rate 99999999999999999999", "a whole number"},
    {ARCHIVE "--quiet=yes", "--quiet takes no value"},
    {ARCHIVE "--storage-class a\x01", "control character"},
    {ARCHIVE "--storage-class GLACIER-IR", "is not a storage class"},
    {ARCHIVE "--sse AES", "--sse takes AES256"},
    {ARCHIVE "--sse-kms-key-id x", "needs --sse aws:kms"},
    {ARCHIVE "--expected-bucket-owner 1234", "an account of 12 digits"},
    {ARCHIVE "more", "firn archive has no use for \"more\""},
    {ARCHIVE "--day 2026-11-22", "only what has ended can be archived"},
    {"cat", "firn cat needs CONFIG --group NAME, or s3://BUCKET/KEY"},
    {"cat s3://acme-logs/", "is not one object"},
    {"verify", "firn verify needs CONFIG or s3://BUCKET/KEY..."},
    {"cat firn.json", "firn cat CONFIG needs --group NAME"},
    {"cat s3://acme-logs/a --group /a", "--group needs a configuration"},
    {"verify s3://acme-logs/a s3://acme-logs/b/", "is not one object"},
    {"verify s3://acme-logs/a --sse AES", "--sse takes AES256"},
    {"restore s3://acme-logs/a", "firn restore needs --days N"},
    {"restore s3://acme-logs/a --days 0", "from 1 to 36500, not \"0\""},
    {"restore s3://acme-logs/a s3://acme-logs/b --days 1", "has no use for"},
    {"restore s3://acme-logs/a --days 1 --tier Fast", "--tier takes "
     "Standard|Bulk|Expedited, not \"Fast\""},
    {"status", "firn status needs CONFIG or s3://BUCKET/"},
    {"status s3://acme-logs/a", "those end in \"/\": s3://BUCKET/PREFIX/"},
    {"status s3://acme-logs --age 0", "cannot be archived yet"},
    {"status s3://acme-logs --group /a", "no flag \"--group\""},
    {RETENTION, "needs --days N"},
    {"retention --days 30 --group /a", "needs --archive s3://BUCKET/KEY"},
    {"retention --days 30 --archive s3://acme-logs", "needs --group NAME"},
    {RETENTION "--days 2", "for 2 days; nearest: 1 "},
    {RETENTION "--days 29", "for 29 days; nearest: 30 "},
    {RETENTION "--days 3600", "nearest: 3653 "},
    {RETENTION "--days 3654", "for 3654 days; nearest: 3653 "},
    {"retention --group /a --days 30 --archive s3://acme-logs/x.gz",
     "it needs {date}"},
    {"retention --group /a --days 30 --archive s3://acme-logs/{dd}",
     "it needs {date}"},
    {RETENTION "--days 30 --timezone Asia/Soul", "nearest: \"Asia/Seoul\""},
    {"schedule rate(1_day)", "a number and a unit"},
    {"schedule rate(1\x1f" "day)", "a number and a unit"},
    {"schedule cron(0\t3\t*\t*\t?\t*)", NULL},
    {"schedule at(2026-11-22T12:00:01)", NULL},
    {"schedule at(2026-11-22T12:00:00)", "does not fire after now any more"},
    {"schedule at(2026-11-22T12:00:00) --after 2026-11-22T11:59:00Z", NULL},
    {"schedule at(2026-11-22T20:59:59) --after 2026-11-22T21:00 --timezone "
     "Asia/Seoul", "does not fire after 2026-11-22T21:00 any more"},
    {"schedule at(2026-11-22T20:59:59) --after 2026", "\"2026\" is not a "
     "time"},
    {"schedule at(2026-11-22T20:59:59) --timezone Seoul", "nearest: "
     "\"Asia/Seoul\""},
    {"schedule at(2027-11-22T20:59:59) --count 0", "from 1 to 100000"},
    {"schedule", "firn schedule needs 'EXPRESSION'"},
    {"memory more", "firn memory has no use for \"more\""},
    /* what is a command's own */
    {"archive --version", NULL}, {"cat -", "firn cat CONFIG needs"},
    {"run firn.json", NULL}, {"daemon firn.json", NULL},
    {"plan firn.json", NULL}, {"policy firn.json", NULL},
    {"doctor firn.json", NULL}, {"init --to s3://acme-logs/", NULL},
    {"init", "firn init needs --to s3://BUCKET/"},
    {"init --to s3://acme-logs/x", "does not tell days apart"},
    {"archive --xyzzyxyzzy", "\" for firn archive; firn archive --help"},
    {"--xyzzyxyzzy", "\"; firn --help lists them"},
    {ARCHIVE "--storage-class a\x7f" "b", "control character"},
    {ARCHIVE "--storage-class {x}", "\"{x}\" is not a storage class"},
    {ARCHIVE "--storage-class A:", "\"A:\" is not a storage class"},
    {ARCHIVE "--storage-class glacier9Z", NULL},
    {ARCHIVE "--sse AES256", NULL}, {ARCHIVE "--sse aws:kms:dsse", NULL},
    {ARCHIVE "--expected-bucket-owner 111122223333", NULL},
    {ARCHIVE "--expected-bucket-owner 11112222333x", "of 12 digits"},
    {ARCHIVE "--fields +id,+ingested --format ndjson", NULL},
    {ARCHIVE "--fields +ingested --format text", "--format ndjson"},
    {ARCHIVE "--via export", NULL},
    {ARCHIVE "--via export --format text", NULL},
    {ARCHIVE "--via export --format ndjson", "needs --format text"},
    {"archive --group a? --to s3://acme-logs", "cannot be in its name"},
    {"archive --group /a --to s3://x", "not a bucket's name"},
    {"archive --group /a --to s3://acme-logs/{group}", "tell days apart"},
    {"archive --group /a --to s3://acme-logs/{date} --stream-prefix w",
     "--stream-prefix needs a full key"},
    {MERGE "out.gz", NULL}, {MERGE "out.zst " OF_DAY, NULL},
    {MERGE " " OF_DAY, NULL},
    {MERGE "out.gz --group /a", "needs both --group NAME and --day"},
    {MERGE "out.gz --day 2026-11-09", "needs both --group NAME and --day"},
    {MERGE "out.gz --group /a --from 2026-11-09 --until 2026-11-10", NULL},
    {MERGE "out.gz --group /a --until 2026-11-10", "a range needs both"},
    {MERGE "out.gz --group a? --day 2026-11-09", "cannot be in its name"},
    {MERGE "out.gz --group /a --day 2026-11-22", "only what has ended"},
    {MERGE "{group} " OF_DAY, "does not tell days apart"},
    {MERGE "x/{date}.gz", "firn merge needs a full key"},
    {MERGE "out.gz --sse AES", "--sse takes AES256"},
    {"merge s3://acme-logs --to s3://acme-logs/x", NULL},
    {"merge s3://acme-logs/ ", "firn merge needs --to s3://BUCKET/KEY"},
    {"merge acme-logs --to s3://acme-logs/x", "is not an object of S3"},
    {"merge s3://acme-logs/in --to s3://acme-logs/x", "is no prefix"},
    {"merge s3://acme-logs --to acme-logs", "is not an object of S3"},
    {"cat acme-logs s3://acme-logs/x", "is not an object of S3"},
    {"adopt s3://acme-logs/x.gz --group /a --until 2026-11-09",
     "a range needs both"},
    {"adopt s3://acme-logs/x.gz --group a? --day 2026-11-09",
     "cannot be in its name"},
    {ADOPT "--day 2026-11-09 --sse AES", "--sse takes AES256"},
    {"cat firn.json --group /a --from noon", "is not a time"},
    {"cat firn.json --group a?", "cannot be in its name"},
    {"status s3://x", "not a bucket's name"},
    {"retention --days 30 --group a? --archive s3://acme-logs",
     "cannot be in its name"},
    {"retention --days 30 --group /a --archive acme-logs",
     "is not an object of S3"},
    {"retention --days 30 --group /a --archive s3://acme-logs/{group}/{dd}."
     "{mm}.{yyyy}", NULL},
    {"retention --days 30 --group /a --archive s3://acme-logs/{date}/{grup}",
     "nearest: {group}"},
};

static void lines_are_taken_or_refused(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        bool ok = parse(rows[i].line);
        bool holds = rows[i].words == NULL
            ? ok : !ok && strstr(fault.words, rows[i].words) != NULL;
        if (!holds)
            fprintf(stderr, "  words \"%s\"\n", fault.words);
        broken += BROKEN(rows[i].line, holds);
    }
    assert_int_equal(broken, 0);
}

static void values_go_where_they_belong(void **state)
{
    (void)state;
    assert_true(parse("--profile p archive --group /a --to s3://acme-logs/x "
                      "--format text --compress zstd --if-exists replace "
                      "--unmask --partial --rate 7 --give-up 20 --deadline "
                      "60 --checksum none --output json --storage-class "
                      "GLACIER_IR --sse aws:kms --sse-kms-key-id alias/k "
                      "--stream-prefix web --age 3 --age 2 --no-sandbox"));
    assert_int_equal(o.command, COMMAND_ARCHIVE);
    assert_string_equal(o.profile, "p");
    assert_string_equal(o.spec.group, "/a");
    assert_string_equal(o.spec.bucket, "acme-logs");
    assert_string_equal(o.spec.key, "x");
    assert_string_equal(o.spec.timezone, "UTC");
    assert_string_equal(o.spec.storage_class, "GLACIER_IR");
    assert_string_equal(o.spec.sse, "aws:kms");
    assert_string_equal(o.spec.sse_kms_key_id, "alias/k");
    assert_string_equal(o.spec.stream_prefix, "web");
    assert_int_equal(o.spec.format, FORMAT_TEXT);
    assert_int_equal(o.spec.compress, COMPRESS_ZSTD);
    assert_int_equal(o.spec.if_exists, EXISTS_REPLACE);
    assert_true(o.spec.unmask && o.spec.partial && o.no_sandbox);
    assert_false(o.spec.checksum);
    assert_int_equal(o.rate, 7);
    assert_int_equal(o.give_up_s, 20);
    assert_int_equal(o.deadline_s, 60);
    assert_int_equal(o.output, OUTPUT_JSON);
    assert_int_equal(o.spec.day, 20777);  /* 2026-11-20: the last age counts */
    assert_true(parse("cat s3://acme-logs/a --region x s3://acme-logs/b"));
    assert_int_equal(o.arg_count, 2);
    assert_string_equal(o.args[0], "s3://acme-logs/a");
    assert_string_equal(o.args[1], "s3://acme-logs/b");
    assert_true(parse("restore s3://acme-logs/a --days 9 --tier Bulk --wait"));
    assert_true(o.days == 9 && o.tier == TIER_BULK && o.wait);
    assert_true(parse("archive --group /a --to s3://acme-logs"));
    assert_true(o.spec.checksum);
    assert_int_equal(o.give_up_s, 300);
}

/* What has a bound of its own: a value's room, and a stream's name. */
static void long_values_are_refused(void **state)
{
    static const struct {
        const char *before;
        int         most;
        const char *words;
    } longs[] = {
        {"cat s3://acme-logs/a --stream ", 2048, "512 characters at most"},
        {ARCHIVE "--sse aws:kms --sse-kms-key-id ", 2047,
         "longer than 2048 bytes"},
    };
    char words[4096];
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(longs); i++)
        for (int len = longs[i].most; len <= longs[i].most + 1; len++) {
            bool fits = len == longs[i].most;
            (void)snprintf(words, sizeof words, "%s%0*d", longs[i].before,
                           len, 0);
            assert_int_equal(parse(words), fits);
            if (!fits)
                assert_non_null(strstr(fault.words, longs[i].words));
        }
}

/* Whose words were for the help alone has nothing to be completed. */
static void no_command_needs_nothing(void **state)
{
    (void)state;
    assert_true(parse("--help"));
    assert_int_equal(o.command, COMMAND_NONE);
    assert_true(options_check(&o, 1795348800000, &fault));
    assert_true(options_given(&o, "--help"));
    assert_false(options_given(&o, "--quiet"));
}

/* What a merge's key says of how the object is packed. */
static void a_merge_packs_as_its_key_is_named(void **state)
{
    static const struct {
        const char    *line;
        enum compress  compress;
        bool           as_found;
    } merges[] = {
        {MERGE "out.gz", COMPRESS_GZIP, false},
        {MERGE "out.zst", COMPRESS_ZSTD, false},
        {MERGE "out", COMPRESS_GZIP, true},
        {MERGE " " OF_DAY, COMPRESS_GZIP, false},
    };
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(merges); i++) {
        assert_true(parse(merges[i].line));
        assert_int_equal(o.spec.compress, merges[i].compress);
        assert_int_equal(o.spec.as_found, merges[i].as_found);
        assert_int_equal(o.spec.source, SOURCE_MERGE);
    }
    assert_true(parse(ARCHIVE "--via export"));
    assert_int_equal(o.spec.source, SOURCE_EXPORT);
    assert_int_equal(o.spec.format, FORMAT_TEXT);
}

/* No line of the help is wider than a terminal, nothing is cut off, and every
 * flag of a command stands in it. */
static void the_manual_is_whole(void **state)
{
    static char room[MANUAL_BYTES];
    (void)state;
    for (uint32_t c = 0; c <= COMMAND_NONE; c++) {
        struct text out;
        text_init(&out, room, sizeof room);
        manual_write(&out, (enum command)c);
        assert_false(out.overflow);
        struct view rest = text_view(&out);
        while (rest.len > 0) {
            struct view row = view_split(&rest, '\n');
            if (row.len > 80)
                fail_msg("too wide: %.*s", (int)row.len, row.at);
        }
        for (uint32_t i = 0; c < COMMAND_NONE && i < option_row_count; i++)
            if ((option_rows[i].commands >> c & 1) != 0)
                assert_non_null(strstr(room, option_rows[i].name));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_taken_or_refused),
        cmocka_unit_test(values_go_where_they_belong),
        cmocka_unit_test(long_values_are_refused),
        cmocka_unit_test(no_command_needs_nothing),
        cmocka_unit_test(a_merge_packs_as_its_key_is_named),
        cmocka_unit_test(the_manual_is_whole),
    };
    return RUN(tests);
}
