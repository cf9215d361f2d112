/* fuzz_plan.c - any words as where an archive is to go: refused, or a key that
 * S3 takes and that tells groups and days apart.
 *
 * The first byte chooses the form, the next two the days; then come the URL
 * and two groups, a line each. */
#include "task/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct made {
    char     at[2 * SPEC_KEY_BYTES];
    uint32_t len;
};

static bool make(struct spec *spec, struct view group, int64_t day,
                 struct made *made)
{
    const struct plan_place place = {view_of("111122223333"),
                                     view_of("eu-west-1")};
    struct fault fault = {0};
    struct text key;

    if (!plan_group(group, &fault)) {
        CHECK(fault.error == ERROR_USAGE);
        return false;
    }
    CHECK(view_copy(group, spec->group, sizeof spec->group));
    spec->day = day;
    text_init(&key, made->at, sizeof made->at);
    bool ok = plan_key(spec, &place, &key, &fault);
    CHECK(ok == (fault.error == ERROR_NONE));
    CHECK(strlen(fault.words) < sizeof fault.words);
    if (!ok)
        return false;
    made->len = key.len;
    CHECK(key.len > 0 && key.len <= 1024 - strlen("_.checkpoint.json"));
    for (uint32_t i = 0; i < key.len; i++)
        CHECK((uint8_t)made->at[i] >= 0x20 && made->at[i] != 0x7f);
    return true;
}

static struct view bare(struct view group)
{
    return view_slice(group, view_starts(group, "/"), group.len);
}

static void check_url(const struct spec *spec, struct view url)
{
    struct view bucket, key;
    struct fault fault = {0};

    CHECK(plan_url(url, &bucket, &key, &fault));
    CHECK(view_is(bucket, spec->bucket));
    CHECK(5 + bucket.len + key.len + (5 + bucket.len < url.len) == url.len);
    CHECK(key.len == 0 || view_ends(key, "/") || view_is(key, spec->key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct spec spec;
    static struct made one, two;
    struct fault fault = {0};
    if (size < 3 || size > 4096)
        return 0;
    struct view rest = {data + 3, (uint32_t)size - 3};
    struct view url = view_split(&rest, '\n');
    struct view first = view_split(&rest, '\n');
    int64_t days[] = {20000 + data[1], 20000 + data[2]};

    spec = (struct spec){.whole_day = true,
                         .format = data[0] % 2 ? FORMAT_TEXT : FORMAT_NDJSON,
                         .compress = (enum compress)(data[0] / 2 % 3)};
    if (!plan_to(&spec, url, &fault)) {
        CHECK(fault.error == ERROR_USAGE);
        return 0;
    }
    check_url(&spec, url);
    if (!plan_many(url, &fault) ||
        !make(&spec, first, days[0], &one) ||
        !make(&spec, rest, days[1], &two))
        return 0;
    bool same = one.len == two.len && memcmp(one.at, two.at, one.len) == 0;
    CHECK(same == (days[0] == days[1] && view_equal(bare(first),
                                                    bare(rest))));
    return 0;
}
