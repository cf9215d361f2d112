/* fuzz_demand.c - any bytes as an event of Lambda's: refused with a sentence,
 * or a group's name that CloudWatch takes and a day that exists. */
#include "base/date.h"
#include "task/demand.h"
#include "task/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct demand d;
    struct fault fault = {0};
    int64_t days;
    if (size > 8192)
        return 0;
    bool ok = demand_read(&d, (struct view){data, (uint32_t)size}, &fault);
    CHECK(ok == (fault.error == ERROR_NONE));
    CHECK(ok || (fault.error != ERROR_NONE && fault.words[0] != '\0'));
    if (ok && d.one) {
        CHECK(plan_group(view_of(d.group), &fault));
        CHECK(date_parse_day(view_of(d.day), &days));
    }
    return 0;
}
