/* fuzz_config.c - any bytes as a configuration: refused in a sentence, or each
 * group has settings that make a spec, and a second reading finds the same. */
#include "task/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM_BYTES = 1 << 20 };

static struct config config, again;

static bool reads(struct config *c)
{
    static _Alignas(8) uint8_t room[ROOM_BYTES];
    struct fault fault = {0};
    bool ok = config_read(c, view_of("firn.json"),
                          (struct span){room, sizeof room}, &fault);
    CHECK(ok == (fault.error == ERROR_NONE));
    CHECK(ok || fault.error == ERROR_CONFIG || fault.error == ERROR_LIMIT);
    CHECK(ok || fault.error == ERROR_LIMIT ||
          view_starts(view_of(fault.words), "firn.json:"));
    return ok;
}

static void use(struct config *c, uint32_t i)
{
    struct config_settings s;
    struct spec spec;
    struct view name = config_name(c, i);
    config_settings(c, i, &s);
    config_spec(&s, name, &spec);
    CHECK(spec.bucket[0] != '\0' && spec.key[0] != '\0');
    CHECK(zone_find(view_of(spec.timezone)) != NULL);
    CHECK(s.age_days >= 1 && s.backfill_days <= CONFIG_DAYS_MOST);
    int32_t found = config_find(c, name, config_role(c, i));
    if (view_find(name, '*') == name.len)
        CHECK(found == (int32_t)i || found == CONFIG_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > sizeof config.text)
        return 0;
    config.len = (uint32_t)size;
    if (size > 0)
        memcpy(config.text, data, size);
    if (!reads(&config))
        return 0;
    for (uint32_t i = 0; i < config.group_count && i < 64; i++)
        use(&config, i);
    again.len = config.len;
    memcpy(again.text, config.text, config.len);
    CHECK(reads(&again));
    CHECK(again.group_count == config.group_count &&
          again.exclude_count == config.exclude_count);
    for (uint32_t i = 0; i < config.group_count; i++)
        CHECK(view_equal(config_name(&config, i), config_name(&again, i)));
    return 0;
}
