/* version.c - see version.h. */
#include "version.h"

#include "base/limits.h"
#include "base/zone.h"
#include "versions.h"

static const char *processor(void)
{
#if defined __x86_64__
    return "x86_64";
#elif defined __aarch64__
    return "aarch64";
#else
    return "unknown";
#endif
}

void version_write(struct text *out)
{
    text_str(out, "firn " CONFIG_VERSION ", ");
    text_str(out, processor());
    text_str(out, ", profile " CONFIG_PROFILE "\nchanged limits: ");
    text_str(out, CONFIG_CHANGED[0] != '\0' ? CONFIG_CHANGED : "none");
    text_str(out, "\ntime zones: ");
    text_str(out, zone_version);
    text_str(out, "\nmade from Debian's\n");
    text_str(out, DEPS_ALL);
}
