/* policy.h - what IAM must allow for a configuration, and no more.
 *
 * A JSON document, from the configuration alone: nobody is asked. Which calls
 * need which action: S3's and CloudWatch Logs' own tables of permissions; the
 * end-to-end tests run under what is printed here, and without each of its
 * actions in turn.
 *
 *   POLICY_RUN        of who runs `firn run`, `archive`, `daemon`
 *   POLICY_READ_ONLY  of people on call: `status`, `cat`; and `restore`, if
 *                     archives go into a class that needs it
 *   POLICY_BUCKET     no identity's but the bucket's: lets CloudWatch Logs
 *                     write exports into it (user guide, "Export log data to
 *                     Amazon S3"). It replaces the policy that is there
 *
 * Accounts are written as *: an identity's policy grants nothing in others.
 * Entries with a role of their own are worked on as that role, which has a
 * policy for itself; without `role` it is that of all other entries, and to
 * become those roles. */
#ifndef FIRN_TASK_POLICY_H
#define FIRN_TASK_POLICY_H

#include "task/config.h"

enum {
    POLICY_BYTES     = 262144,
    POLICY_ARN_BYTES = 8192,
};

struct policy_options {
    struct config *config;
    struct view    source;  /* s3://BUCKET/KEY, where the configuration is; or
                               anything else */
    struct view    role;    /* of these entries alone; or empty */
    struct view    owner;   /* the bucket's account; empty: the configuration
                               says it */
    enum policy_kind { POLICY_RUN, POLICY_READ_ONLY, POLICY_BUCKET } kind;
};

struct policy {
    struct text text;                  /* public: the document */

    struct policy_options  o;          /* private from here on */
    struct config_settings settings;   /* of the entry in hand */
    struct text arn;                   /* in hand */
    uint32_t    listed;                /* where the list in hand begins */
    char        bytes[POLICY_BYTES], arn_bytes[POLICY_ARN_BYTES];
};

/* False: `fault` says what the configuration lacks, or that the document is
 * larger than POLICY_BYTES. */
bool policy_write(struct policy *p, const struct policy_options *o,
                  struct fault *fault);

#endif
