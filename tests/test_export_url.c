/* test_export_url.c - where an export's files are, as a receipt or checkpoint
 * says it; and whether they stay when a run ends.
 * Method: rows of what was read, by the functions of exporting.h alone. */
#include "archive_rig.h"
#include "task/exporting.h"

#define STEM "s3://sim-bucket/d/_events.export-"

static char too_long[sizeof job.export_url + 64];

static const struct row {
    const char *name, *from;
    bool        ours, wide;
    int64_t     begun_ms;
} rows[] = {
    {"a task's folder", STEM "17/task/", true, false, 17},
    {"all of the tasks", STEM "17/", true, true, 17},
    {"nothing", "", false, false, 0},
    {"another bucket's", "s3://bucket-sim/d/_events.export-17/", false, false,
     0},
    {"another day's", "s3://sim-bucket/e/_events.export-17/", false, false,
     0},
    {"no folder", STEM "17", false, false, 0},
    {"no time", STEM "x/", false, false, 0},
    {"longer than there is room for", too_long, false, false, 0},
};

static void begin(void)
{
    memset(&job, 0, sizeof job);
    job.spec = &spec;
    strcpy(spec.bucket, "sim-bucket");
    strcpy(job.checkpoint_key, "d/_events.checkpoint.json");
    spec.source = SOURCE_EXPORT;
}

static bool recalls(const struct row *row)
{
    const struct receipt r = {.merged_from = view_of(row->from)};
    begin();
    bool ours = exporting_recall(&job, &r);
    return row_number(ours, row->ours) &&
           row_string(job.export_url, row->ours ? row->from : "") &&
           (!ours || (row_number(job.begun_ms, row->begun_ms) &&
                      row_number(exporting_is_wide(&job), row->wide)));
}

static void files_are_recalled(void **state)
{
    int broken = 0;
    (void)state;
    memset(too_long, 'x', sizeof too_long - 2);
    memcpy(too_long, STEM "17/", sizeof STEM "17/" - 1);
    too_long[sizeof too_long - 2] = '/';
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        broken += BROKEN(rows[i].name, recalls(&rows[i]));
    assert_int_equal(broken, 0);
}

/* Once, unless it is doubted which task it was. */
static void a_folder_is_widened(void **state)
{
    (void)state;
    begin();
    strcpy(job.export_url, STEM "17/task/");
    job.export.doubts = 1;
    assert_false(exporting_widen(&job));
    job.export.doubts = 0;
    assert_true(exporting_widen(&job));
    assert_string_equal(job.export_url, STEM "17/");
    assert_true(exporting_is_wide(&job));
    assert_false(exporting_widen(&job));
    strcpy(job.export_url, STEM "17");  /* before a task was made */
    assert_false(exporting_is_wide(&job));
    assert_false(exporting_widen(&job));
}

static const struct stay {
    const char        *name;
    enum source_kind   source;
    bool               exported;
    enum archive_state state;
    const char        *url;
    bool               sent, stays;
} stays[] = {
    {"by reading", SOURCE_READ, true, ARCHIVE_EXISTING, STEM "17/", true,
     false},
    {"exported", SOURCE_EXPORT, true, ARCHIVE_CHECKING, "", false, true},
    {"known from before", SOURCE_EXPORT, false, ARCHIVE_EXISTING, STEM "17/",
     false, true},
    {"nothing known", SOURCE_EXPORT, false, ARCHIVE_EXISTING, "", true,
     false},
    {"asked for", SOURCE_EXPORT, false, ARCHIVE_EXPORTING, "", true, true},
    {"not asked for yet", SOURCE_EXPORT, false, ARCHIVE_EXPORTING, "", false,
     false},
    {"before all that", SOURCE_EXPORT, false, ARCHIVE_LOOKING, STEM "17/",
     true, false},
};

static void files_stay_or_not(void **state)
{
    int broken = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(stays); i++) {
        begin();
        spec.source = stays[i].source;
        job.exported = stays[i].exported;
        job.state = stays[i].state;
        job.export.sent = stays[i].sent;
        strcpy(job.export_url, stays[i].url);
        broken += BROKEN(stays[i].name,
                         exporting_stays(&job) == stays[i].stays);
    }
    assert_int_equal(broken, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_recalled),
        cmocka_unit_test(a_folder_is_widened),
        cmocka_unit_test(files_stay_or_not),
    };
    return RUN(tests);
}
