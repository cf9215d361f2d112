/* forecast.h - what a run would cost: requests, bytes, time, money.
 *
 * A visit that plans (visit.h) tells each day that is due; here it is counted.
 * Exact are the requests that do not depend on how much there is to read; the
 * tests hold them against those of a run. The rest is an estimate, and says on
 * what: CloudWatch's storedBytes, spread evenly over the days that the group
 * holds, and stored at an eighth.
 *
 * Prices: us-east-1's public list, in a table of the day that is told with
 * them. They are indicative: taken from copies, not from AWS's page. */
#ifndef FIRN_TASK_FORECAST_H
#define FIRN_TASK_FORECAST_H

#include "task/report.h"
#include "task/visit.h"

enum forecast_call {
    FORECAST_DESCRIBE, FORECAST_READ, FORECAST_EXPORT, FORECAST_RETAIN,
    FORECAST_LIST, FORECAST_GET, FORECAST_HEAD, FORECAST_PUT, FORECAST_CREATE,
    FORECAST_PART, FORECAST_PARTS, FORECAST_COMPLETE, FORECAST_DELETE,
    FORECAST_CALLS,
};

/* Of a day, or summed up. */
struct forecast {
    uint64_t archives, recounts, retentions;   /* how many of each are due */
    uint64_t bytes_raw, bytes_stored;          /* estimated */
    uint64_t exports;                          /* of the archives */
    uint64_t calls[FORECAST_CALLS];
    uint64_t request_nano, month_nano;         /* USD, in 10^-9 */
};

enum { FORECAST_BYTES = 3 * REPORT_BYTES };    /* the longest text */

/* Counts what the visit tells as VISIT_DUE, and appends a line about it. */
void forecast_tell(struct forecast *f, const struct visit *v,
                   struct text *out, enum output form);
/* The sum, after the last: of so many groups, which `site` looked for. */
void forecast_write(struct text *out, const struct forecast *f,
                    const struct site *site, uint64_t groups,
                    enum output form);

#endif
