/* policy.c - see policy.h. */
#include "task/policy.h"

#include "call/endpoint.h"
#include "task/message.h"

#define VIEWS(...) ((const struct view[]){__VA_ARGS__})

enum { RUNS = 1 << POLICY_RUN, READS = 1 << POLICY_READ_ONLY };

/* Which entries a statement is for ... */
enum about { ALL, EXPORTED, KEPT, FROZEN, SEALED, ASSUMED, REMOTE };

/* ... and what of them it is about. */
enum over {
    OVER_ANY,       /* "*": actions that know no resource */
    OVER_GROUPS,
    OVER_BUCKETS,   /* also of checkpoints that lie elsewhere */
    OVER_OBJECTS,   /* below what the keys have in common */
    OVER_OWN,       /* what a run leaves for the next one, and deletes */
    OVER_EXPORTS,   /* CloudWatch's files, once they are merged */
    OVER_KEYS,
    OVER_ROLES,
    OVER_SOURCE,
};

static const struct statement {
    const char *sid;
    uint32_t    kinds;
    enum about  about;
    enum over   over;
    const char *actions;  /* "a|b" */
} statements[] = {
    {"FindGroups", RUNS | READS, ALL, OVER_ANY, "logs:DescribeLogGroups"},
    {"ReadGroups", RUNS, ALL, OVER_GROUPS, "logs:FilterLogEvents"},
    {"ExportGroups", RUNS, EXPORTED, OVER_GROUPS, "logs:CreateExportTask"},
    {"FindExports", RUNS, EXPORTED, OVER_ANY, "logs:DescribeExportTasks"},
    {"ExportsAllowed", RUNS, EXPORTED, OVER_BUCKETS, "s3:GetBucketPolicy"},
    {"SetRetention", RUNS, KEPT, OVER_GROUPS, "logs:PutRetentionPolicy"},
    {"FindArchives", RUNS | READS, ALL, OVER_BUCKETS, "s3:ListBucket"},
    {"FindUploads", RUNS, ALL, OVER_BUCKETS, "s3:ListBucketMultipartUploads"},
    {"ReadArchives", RUNS | READS, ALL, OVER_OBJECTS, "s3:GetObject"},
    {"WriteArchives", RUNS, ALL, OVER_OBJECTS,
     "s3:PutObject|s3:AbortMultipartUpload|s3:ListMultipartUploadParts"},
    {"EndRuns", RUNS, ALL, OVER_OWN, "s3:DeleteObject"},
    {"DropExports", RUNS, EXPORTED, OVER_EXPORTS, "s3:DeleteObject"},
    {"Restore", READS, FROZEN, OVER_OBJECTS, "s3:RestoreObject"},
    {"UseKeys", RUNS, SEALED, OVER_KEYS, "kms:GenerateDataKey|kms:Decrypt"},
    {"OpenWithKeys", READS, SEALED, OVER_KEYS, "kms:Decrypt"},
    {"BecomeRoles", RUNS, ASSUMED, OVER_ROLES, "sts:AssumeRole"},
    {"ReadConfiguration", RUNS | READS, REMOTE, OVER_SOURCE, "s3:GetObject"},
};

/* ---- what stands in a list ---- */

static void begin_arn(struct policy *p, const char *service)
{
    char region[REGION_BYTES];
    CHECK(view_copy(p->o.config->settings.region, region, sizeof region));
    text_reset(&p->arn);
    text_str(&p->arn, "arn:");
    text_str(&p->arn, endpoint_partition(region));
    text_str(&p->arn, ":");
    text_str(&p->arn, service);
    if (strcmp(service, "s3") == 0) {
        text_str(&p->arn, ":::");
        return;
    }
    text_str(&p->arn, ":");
    text_str(&p->arn, region);
    text_str(&p->arn, ":*:");
}

/* A word of the list in hand, unless it is there. */
static void put(struct policy *p, struct view word)
{
    struct view rest = view_slice(text_view(&p->text), p->listed,
                                  p->text.len);
    bool first = rest.len == 0;
    while (rest.len > 0) {
        struct view line = view_trim(view_split(&rest, '\n'));
        if (line.len > 0 && line.at[line.len - 1] == ',')
            line.len--;
        if (line.len == word.len + 2 &&
            view_equal(view_slice(line, 1, line.len - 1), word))
            return;
    }
    text_str(&p->text, first ? "\n        \"" : ",\n        \"");
    text_put(&p->text, word);
    text_char(&p->text, '"');
}

static void put_bucket(struct policy *p, struct view bucket)
{
    begin_arn(p, "s3");
    text_put(&p->arn, bucket);
    put(p, text_view(&p->arn));
}

/* Everything in the folder that all keys of a URL have in common. */
static void put_objects(struct policy *p, struct view url, const char *end)
{
    struct fault fault = {0};
    struct view bucket, key;
    CHECK(plan_url(url, &bucket, &key, &fault));  /* see config_read() */
    key = view_slice(key, 0, view_find(key, '{'));
    key.len = view_last(key, '/');
    begin_arn(p, "s3");
    text_put(&p->arn, bucket);
    text_char(&p->arn, '/');
    text_json(&p->arn, key);
    text_str(&p->arn, end);
    put(p, text_view(&p->arn));
}

static void put_key(struct policy *p, struct view key)
{
    if (view_starts(key, "arn:")) {
        put(p, key);
        return;
    }
    begin_arn(p, "kms");
    text_str(&p->arn, "key/");  /* an alias is no resource of a policy */
    if (view_starts(key, "alias/"))
        text_char(&p->arn, '*');
    else
        text_json(&p->arn, key);
    put(p, text_view(&p->arn));
}

static void put_group(struct policy *p, uint32_t entry)
{
    begin_arn(p, "logs");
    text_str(&p->arn, "log-group:");
    text_put(&p->arn, config_name(p->o.config, entry));
    text_str(&p->arn, ":*");
    put(p, text_view(&p->arn));
}

static void put_both(struct policy *p, const char *end)
{
    struct view state = p->o.config->settings.state;
    if (strcmp(end, "*") == 0 || state.len == 0)
        put_objects(p, p->settings.to, end);
    if (state.len > 0)
        put_objects(p, state, end);
}

static void put_buckets(struct policy *p)
{
    struct fault fault = {0};
    struct view bucket, key;
    CHECK(plan_url(p->settings.to, &bucket, &key, &fault));
    put_bucket(p, bucket);
    if (plan_url(p->o.config->settings.state, &bucket, &key, &fault))
        put_bucket(p, bucket);
}

static void put_over(struct policy *p, enum over over, uint32_t entry)
{
    struct view source = p->o.source;
    switch (over) {
    case OVER_ANY:     put(p, view_of("*")); break;
    case OVER_GROUPS:  put_group(p, entry); break;
    case OVER_BUCKETS: put_buckets(p); break;
    case OVER_OBJECTS: put_both(p, "*"); break;
    case OVER_OWN:
        put_both(p, "*.checkpoint.json");
        put_both(p, "*.segment");
        break;
    case OVER_EXPORTS:
        put_objects(p, p->settings.to, "*.export-*");
        break;
    case OVER_KEYS:    put_key(p, p->settings.sse_kms_key_id); break;
    case OVER_ROLES:   put(p, config_role(p->o.config, entry)); break;
    case OVER_SOURCE:
        begin_arn(p, "s3");
        text_json(&p->arn, view_slice(source, sizeof "s3://" - 1,
                                      source.len));
        put(p, text_view(&p->arn));
        break;
    }
}

/* ---- statements ---- */

static bool is_about(const struct policy *p, enum about about, uint32_t entry)
{
    const struct config_settings *s = &p->settings;
    struct view role = config_role(p->o.config, entry);
    bool in_hand = view_equal(role, p->o.role), has = true;
    switch (about) {
    case ALL:      break;
    case EXPORTED: has = s->via == CONFIG_EXPORT; break;
    case KEPT:     has = s->retention_days > 0; break;
    case FROZEN:   has = view_is(s->storage_class, "GLACIER") ||
                         view_is(s->storage_class, "DEEP_ARCHIVE"); break;
    case SEALED:   has = s->sse_kms_key_id.len > 0; break;
    case ASSUMED:  return p->o.role.len == 0 && role.len > 0;
    case REMOTE:   return p->o.role.len == 0 &&
                          view_starts(p->o.source, "s3://");
    }
    return in_hand && has;
}

static void begin_list(struct policy *p, const char *name)
{
    text_str(&p->text, ",\n      \"");
    text_str(&p->text, name);
    text_str(&p->text, "\": [");
    p->listed = p->text.len;
}

/* Taken back, when there is nothing that it would be about. */
static void put_statement(struct policy *p, const struct statement *s,
                          bool first)
{
    struct config *c = p->o.config;
    struct view actions = view_of(s->actions);
    uint32_t begun = p->text.len;
    text_str(&p->text, first ? "\n    {\n      \"Sid\": \""
                             : ",\n    {\n      \"Sid\": \"");
    text_str(&p->text, s->sid);
    text_str(&p->text, "\",\n      \"Effect\": \"Allow\"");
    begin_list(p, "Action");
    while (actions.len > 0)
        put(p, view_split(&actions, '|'));
    text_str(&p->text, "\n      ]");
    begin_list(p, "Resource");
    for (uint32_t i = 0; i < c->group_count && !p->text.overflow; i++) {
        config_settings(c, i, &p->settings);
        if (is_about(p, s->about, i))
            put_over(p, s->over, i);
    }
    if (p->text.len > p->listed)
        text_str(&p->text, "\n      ]\n    }");
    else if (!p->text.overflow)
        text_cut(&p->text, begun);
}

static bool write_identity(struct policy *p, struct fault *fault)
{
    bool known = p->o.role.len == 0;
    for (uint32_t i = 0; i < p->o.config->group_count; i++)
        known = known || view_equal(config_role(p->o.config, i), p->o.role);
    if (!known)
        return message_refuse(fault, ERROR_CONFIG, "no group has the "
                              "\"role_arn\" \"%\"", &p->o.role);
    uint32_t begun = p->text.len;
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
        if ((statements[i].kinds >> p->o.kind & 1) != 0)
            put_statement(p, &statements[i], p->text.len == begun);
    return true;
}

/* ---- the bucket's ---- */

/* The one bucket of the exports; of all, if there are none. */
static bool find_bucket(struct policy *p, struct view *bucket,
                        struct fault *fault)
{
    struct config *c = p->o.config;
    struct view one, key;
    bool exported = false;
    *bucket = (struct view){0};
    for (uint32_t i = 0; i < c->group_count; i++) {
        config_settings(c, i, &p->settings);
        bool exports = p->settings.via == CONFIG_EXPORT;
        if (!view_equal(config_role(c, i), p->o.role) ||
            (exported && !exports))
            continue;
        CHECK(plan_url(p->settings.to, &one, &key, fault));
        if (exports == exported && bucket->len > 0 &&
            !view_equal(*bucket, one))
            return message_refuse(fault, ERROR_CONFIG, "a policy is of one "
                                  "bucket, and groups go to \"%\" and \"%\"",
                                  VIEWS(*bucket, one));
        exported = exports;
        *bucket = one;
    }
    if (bucket->len > 0)
        return true;
    return message_refuse(fault, ERROR_CONFIG, "no group has the "
                          "\"role_arn\" \"%\"", &p->o.role);
}

/* The account of the log groups. */
static struct view account_of(const struct policy *p)
{
    struct view role = p->o.role, account = p->o.config->settings.bucket_owner;
    for (uint32_t i = 0; i < 4; i++)  /* arn:aws:iam::ACCOUNT:role/... */
        (void)view_split(&role, ':');
    if (p->o.role.len > 0)
        return view_split(&role, ':');
    return p->o.owner.len > 0 ? p->o.owner : account;
}

static void fill(struct text *out, const char *pattern,
                 const struct view *parts)
{
    for (; *pattern != '\0'; pattern++)
        if (*pattern == '%')
            text_put(out, *parts++);
        else
            text_char(out, *pattern);
}

static void put_grant(struct policy *p, const char *sid, const char *action,
                      struct view resource)
{
    char region[REGION_BYTES];
    bool writes = strcmp(action, "s3:PutObject") == 0;
    CHECK(view_copy(p->o.config->settings.region, region, sizeof region));
    const struct view parts[] = {
        view_of(writes ? "," : ""), view_of(sid), view_of(action), resource,
        view_of(region), view_of(endpoint_suffix(region)),
        view_of(writes ? "\"s3:x-amz-acl\": \"bucket-owner-full-control\", "
                       : ""),
        account_of(p), view_of(endpoint_partition(region)), view_of(region),
        account_of(p),
    };
    fill(&p->text, "%\n    {\n"
         "      \"Sid\": \"%\",\n"
         "      \"Effect\": \"Allow\",\n"
         "      \"Action\": \"%\",\n"
         "      \"Resource\": \"%\",\n"
         "      \"Principal\": {\"Service\": \"logs.%.%\"},\n"
         "      \"Condition\": {\n"
         "        \"StringEquals\": {%\"aws:SourceAccount\": "
         "\"%\"},\n"
         "        \"ArnLike\": {\"aws:SourceArn\": "
         "\"arn:%:logs:%:%:log-group:*\"}\n"
         "      }\n    }", parts);
}

static bool write_bucket(struct policy *p, struct fault *fault)
{
    struct view bucket;
    if (!find_bucket(p, &bucket, fault))
        return false;
    if (account_of(p).len == 0)
        return message_refuse(fault, ERROR_CONFIG, "a bucket's policy names "
                              "the account: add \"bucket_owner\": "
                              "\"111122223333\", or --expected-bucket-owner",
                              NULL);
    begin_arn(p, "s3");
    text_put(&p->arn, bucket);
    put_grant(p, "ExportsAskFirst", "s3:GetBucketAcl", text_view(&p->arn));
    text_str(&p->arn, "/*");
    put_grant(p, "ExportsWrite", "s3:PutObject", text_view(&p->arn));
    return true;
}

bool policy_write(struct policy *p, const struct policy_options *o,
                  struct fault *fault)
{
    p->o = *o;
    text_init(&p->text, p->bytes, sizeof p->bytes);
    text_init(&p->arn, p->arn_bytes, sizeof p->arn_bytes);
    text_str(&p->text, "{\n  \"Version\": \"2012-10-17\",\n"
                       "  \"Statement\": [");
    if (!(o->kind == POLICY_BUCKET ? write_bucket(p, fault)
                                   : write_identity(p, fault)))
        return false;
    text_str(&p->text, "\n  ]\n}\n");
    if (!p->text.overflow)
        return true;
    fault_set(fault, ERROR_LIMIT, "POLICY_BYTES", POLICY_BYTES);
    return false;
}
