/* grant.h - does a bucket's policy let CloudWatch Logs in?
 *
 * An export is written by the service, logs.REGION.amazonaws.com, which must
 * be let to do s3:GetBucketAcl and s3:PutObject (CloudWatch Logs user guide,
 * "Export log data to Amazon S3"). Only what a policy plainly lacks is
 * missing: who and what are looked at, resources and conditions are left to
 * AWS, and what says whom or what it does not mean is taken for all others. */
#ifndef FIRN_FETCH_GRANT_H
#define FIRN_FETCH_GRANT_H

#include "base/json.h"
#include "call/http.h"

enum { GRANT_ACL = 1, GRANT_PUT = 2, GRANT_ALL = 3 };

/* What a parsed policy grants to the service in that region. */
uint32_t grant_read(const struct json *policy, struct view region);
/* What that is short of GRANT_ALL, for people. */
const char *grant_lacks(uint32_t granted);
/* Whether GetBucketPolicy was answered that there is none; a bucket that is
 * not there has another code. */
bool grant_is_absent(const struct http_exchange *x);

#endif
