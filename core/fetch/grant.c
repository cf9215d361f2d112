/* grant.c - see grant.h. */
#include "fetch/grant.h"

#include "base/error.h"
#include "base/xml.h"

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* An action's pattern, of any case: "*" is any run, "?" any one. */
static bool fits(struct view pattern, const char *name)
{
    struct view v = view_of(name);
    uint32_t p = 0, i = 0, star = UINT32_MAX, from = 0;

    while (i < v.len) {  /* at most pattern times name steps */
        if (p < pattern.len && pattern.at[p] == '*') {
            star = ++p;
            from = i;
        } else if (p < pattern.len && (pattern.at[p] == '?' ||
                   lower(pattern.at[p]) == lower(v.at[i]))) {
            p++;
            i++;
        } else if (star != UINT32_MAX) {
            p = star;
            i = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.at[p] == '*')
        p++;
    return p == pattern.len;
}

/* A member that is a string, or an array of them: the first, the next. */
static int32_t first_of(const struct json *j, int32_t node)
{
    return json_kind(j, node) == JSON_ARRAY ? json_first(j, node) : node;
}

static int32_t next_of(const struct json *j, int32_t node, int32_t of)
{
    return of == node ? JSON_NONE : json_next(j, of);
}

static uint32_t actions(const struct json *j, int32_t statement)
{
    int32_t node = json_member(j, statement, "Action");
    uint32_t granted = node == JSON_NONE ? GRANT_ALL : 0;  /* NotAction */

    for (int32_t at = first_of(j, node); at != JSON_NONE;
         at = next_of(j, node, at)) {
        struct view pattern = json_raw(j, at);
        granted |= fits(pattern, "s3:GetBucketAcl") ? GRANT_ACL : 0;
        granted |= fits(pattern, "s3:PutObject") ? GRANT_PUT : 0;
    }
    return granted;
}

/* "logs.amazonaws.com", or with the region in it, under any of AWS's
 * suffixes. */
static bool is_service(struct view v, struct view region)
{
    struct view name = view_split(&v, '.');
    if (!view_is(name, "logs"))
        return false;
    if (view_starts(v, "amazonaws."))
        return true;
    return view_equal(view_split(&v, '.'), region) &&
           view_starts(v, "amazonaws.");
}

static bool is_for_logs(const struct json *j, int32_t statement,
                        struct view region)
{
    int32_t who = json_member(j, statement, "Principal");
    int32_t service = json_member(j, who, "Service");

    if (who == JSON_NONE)
        return json_member(j, statement, "NotPrincipal") != JSON_NONE;
    if (json_is(j, who, "*") || json_is(j, json_member(j, who, "AWS"), "*"))
        return true;
    for (int32_t at = first_of(j, service); at != JSON_NONE;
         at = next_of(j, service, at))
        if (json_is(j, at, "*") || is_service(json_raw(j, at), region))
            return true;
    return false;
}

uint32_t grant_read(const struct json *policy, struct view region)
{
    int32_t node = json_member(policy, 0, "Statement");
    uint32_t granted = 0;

    for (int32_t at = first_of(policy, node); at != JSON_NONE;
         at = next_of(policy, node, at))
        if (json_is(policy, json_member(policy, at, "Effect"), "Allow") &&
            is_for_logs(policy, at, region))
            granted |= actions(policy, at);
    return granted;
}

const char *grant_lacks(uint32_t granted)
{
    return granted == GRANT_PUT   ? "s3:GetBucketAcl"
           : granted == GRANT_ACL ? "s3:PutObject"
                                  : "s3:GetBucketAcl and s3:PutObject";
}

bool grant_is_absent(const struct http_exchange *x)
{
    struct view error = {(const uint8_t *)x->error, x->error_len};
    char code[FAULT_CODE_BYTES];

    return x->reply.status == 404 &&
           xml_string(error, "Code", code, sizeof code) &&
           strcmp(code, "NoSuchBucketPolicy") == 0;
}
