/* fuzz_settings.c - any bytes as the shared files: refused, or read the same
 * however their lines end and whatever other profiles stand behind.
 *
 * The first byte chooses the profile; then come the config file, a zero byte
 * and the credentials file. */
#include "call/files.h"
#include "call/provider.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MOST = 1 << 14, ROOM_BYTES = 8 * FILE_MOST };

static struct written {
    uint8_t  at[3 * FILE_MOST];
    uint32_t len;
} files[2];  /* as they are now: config, credentials */

enum file_result file_read(const char *path, struct span room, uint32_t *len)
{
    const struct written *f = &files[strcmp(path, "/h/.aws/config") != 0];
    *len = f->len;
    if (f->len > room.len)
        return FILE_LONG;
    if (f->len > 0)
        memcpy(room.at, f->at, f->len);
    return FILE_READ;
}

static void put(struct written *f, struct view bytes)
{
    CHECK(bytes.len <= sizeof f->at - f->len);
    if (bytes.len > 0)
        memcpy(f->at + f->len, bytes.at, bytes.len);
    f->len += bytes.len;
}

static void write_plain(struct view text, int i)
{
    files[i].len = 0;
    put(&files[i], text);
}

static bool names_other(struct view in)
{
    for (uint32_t i = 0; i < in.len; i++)
        if (view_starts(view_slice(in, i, in.len), "zzz"))
            return true;
    return false;
}

/* By an editor of another system, which also knows profile zzz. */
static void write_otherwise(struct view text, int i)
{
    struct written *f = &files[i];
    f->len = 0;
    if (!view_starts(text, "\xef\xbb\xbf"))
        put(f, view_of("\xef\xbb\xbf"));
    while (text.len > 0) {
        bool ends = view_find(text, '\n') < text.len;
        put(f, view_split(&text, '\n'));
        if (ends)
            put(f, view_of("\r\n"));
    }
    put(f, view_of(i == 0 ? "\n# more\n[profile zzz]\nregion = z\n"
                          : "\n; more\n[zzz]\naws_access_key_id = z\n"));
}

struct reading {
    bool            ok;
    struct settings s;
    struct credentials c;
    struct fault    fault;
    uint8_t         room[ROOM_BYTES];
};

static void read_files(struct reading *r, struct view profile)
{
    memset(r, 0, sizeof *r);
    r->s.env[SETTING_HOME] = view_of("/h");
    r->s.env[SETTING_IMDS_DISABLED] = view_of("true");
    r->s.profile_option = profile;
    r->ok = settings_read(&r->s, (struct span){r->room, sizeof r->room},
                          &r->fault) &&
            provider_choose(&r->c, &r->s, &r->fault);
    CHECK(r->ok == (r->fault.error == ERROR_NONE));
    CHECK(strlen(r->fault.words) < sizeof r->fault.words);
}

static bool no_control(const char *s)
{
    for (; *s != '\0'; s++)
        if ((uint8_t)*s < ' ' || *s == 0x7f)
            return false;
    return true;
}

static void check_same(const struct reading *a, const struct reading *b)
{
    static const char *const keys[] = {
        "region", "endpoint_url", "role_arn", "source_profile", "ca_bundle",
        "aws_access_key_id", "aws_secret_access_key", "services",
    };
    struct view profile = settings_profile(&a->s);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        CHECK(view_equal(settings_value(&a->s, profile, keys[i]),
                         settings_value(&b->s, profile, keys[i])));
    CHECK(view_equal(settings_endpoint(&a->s, "s3"),
                     settings_endpoint(&b->s, "s3")));
    CHECK(a->ok == b->ok && a->fault.error == b->fault.error);
    CHECK(strcmp(a->fault.words, b->fault.words) == 0);
    CHECK(a->c.provider == b->c.provider);
    CHECK(a->c.role_count == b->c.role_count && a->c.role_count <= ROLE_COUNT);
    CHECK(strcmp(a->c.base.id, b->c.base.id) == 0);
    CHECK(strcmp(a->c.base.secret, b->c.base.secret) == 0);
    CHECK(!a->ok || (no_control(a->c.base.id) &&
                     no_control(a->c.base.secret) &&
                     no_control(a->c.base.token)));
    for (uint32_t i = 0; i < a->c.role_count; i++)
        CHECK(strcmp(a->c.roles[i].arn, b->c.roles[i].arn) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct reading plain, other;
    static const char *const profiles[] = {"", "default", "a", "b c"};
    if (size < 1 || size > FILE_MOST ||
        names_other((struct view){data, (uint32_t)size}))
        return 0;
    struct view credentials = {data + 1, (uint32_t)size - 1};
    struct view profile = view_of(profiles[data[0] % 4]);
    struct view config = view_split(&credentials, '\0');

    write_plain(config, 0);
    write_plain(credentials, 1);
    read_files(&plain, profile);
    write_otherwise(config, 0);
    write_otherwise(credentials, 1);
    read_files(&other, profile);
    check_same(&plain, &other);
    return 0;
}
