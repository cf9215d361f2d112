/* plan.h - which window and which object: what the words of a job come to.
 *
 * Everything here can be said before anything is read; what cannot be done is
 * refused with a whole sentence (message.h). Rules: contract, section 2 and
 * "Key templates". */
#ifndef FIRN_TASK_PLAN_H
#define FIRN_TASK_PLAN_H

#include "base/error.h"
#include "base/zone.h"
#include "task/spec.h"

/* How the window was given: at most one of a day, an age and a range. Strings
 * are NULL when not given. */
struct plan_when {
    const char *day;          /* "2026-11-09", in the zone */
    const char *from, *until; /* RFC 3339, or without a zone: local times */
    uint32_t    age;          /* days before today in the zone */
};
enum { PLAN_NO_AGE = 0x7fffffff };  /* not given */

/* Who we are, known only once AWS has said so. */
struct plan_place {
    struct view account;  /* 12 digits */
    struct view region;
};

/* The characters and the length that CloudWatch Logs allows a group's name. */
bool plan_group(struct view group, struct fault *fault);
/* "s3://bucket/key" in two. The key may be empty. */
bool plan_url(struct view url, struct view *bucket, struct view *key,
              struct fault *fault);
/* Fills spec->bucket and spec->key from where the archive is to go; a bucket
 * alone or a key that ends in "/" gets the default template. */
bool plan_to(struct spec *spec, struct view url, struct fault *fault);
/* Fills the window: yesterday by default. It must lie in the past. */
bool plan_window(struct spec *spec, const struct plan_when *when,
                 int64_t now_ms, struct fault *fault);
/* Fills from_ms and until_ms of what is to be read from archives: either end
 * may be left open, INT64_MIN and INT64_MAX. */
bool plan_interval(struct spec *spec, const struct plan_when *when,
                   struct fault *fault);
/* Does the key tell apart what it must? For one job, after plan_window(). */
bool plan_template(const struct spec *spec, struct fault *fault);
/* A URL that many groups and days will use. */
bool plan_many(struct view url, struct fault *fault);
/* The object's key, the template's words put in. */
bool plan_key(const struct spec *spec, const struct plan_place *place,
              struct text *key, struct fault *fault);
/* So many days of retention, which CloudWatch must know. */
bool plan_retention(uint32_t days, struct fault *fault);
/* "ndjson.gz" */
const char *plan_ext(enum format format, enum compress compress);

#endif
