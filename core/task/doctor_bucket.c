/* doctor_bucket.c - see doctor.h: what may be done with a bucket. */
#include "base/crc.h"
#include "base/xml.h"
#include "fetch/grant.h"
#include "ship/target.h"
#include "task/doctor.h"

#define VIEWS(...) ((const struct view[]){__VA_ARGS__})

enum { TOKENS = (DOCTOR_ROOM_BYTES - DOCTOR_REPLY_BYTES) / 4 / JSON_WORDS(1) };

/* What is tried of a bucket, in this order. */
enum probe {
    PROBE_LIST, PROBE_GET, PROBE_UPLOADS, PROBE_LIFECYCLE, PROBE_POLICY,
    PROBE_PUT, PROBE_AGAIN, PROBE_DELETE,
};
enum { PROBE_COUNT = PROBE_DELETE + 1 };

#define OF_S3(action, verb, status) \
    {.name = "s3:" action, .service = SITE_S3, .method = verb, \
     .also_ok = status}

static const struct operation probes[PROBE_COUNT] = {
    [PROBE_LIST] = OF_S3("ListBucket", HTTP_GET, 0),
    [PROBE_GET] = OF_S3("GetObject", HTTP_GET, 404),
    [PROBE_UPLOADS] = OF_S3("ListBucketMultipartUploads", HTTP_GET, 0),
    [PROBE_LIFECYCLE] = OF_S3("GetLifecycleConfiguration", HTTP_GET, 404),
    [PROBE_POLICY] = OF_S3("GetBucketPolicy", HTTP_GET, 404),
    [PROBE_PUT] = OF_S3("PutObject", HTTP_PUT, 412),
    [PROBE_AGAIN] = OF_S3("PutObject", HTTP_PUT, 412),
    [PROBE_DELETE] = OF_S3("DeleteObject", HTTP_DELETE, 0),
};

static const struct view probe_body = {(const uint8_t *)"{}\n", 3};

static bool is_tried(const struct doctor *d, enum probe probe)
{
    return probe == PROBE_POLICY  ? !doctor_reads(d)
           : probe >= PROBE_PUT ? d->options.write : true;
}

/* In the folder that all keys have in common; named as what a run deletes. */
static void make_key(struct doctor *d)
{
    struct view key = view_of(d->spec.key);
    struct text t;
    key = view_slice(key, 0, view_find(key, '{'));
    key.len = view_last(key, '/');
    text_init(&t, d->key, sizeof d->key);
    text_put(&t, key);
    text_str(&t, "_firn-doctor.checkpoint.json");
}

static void begin_put(struct doctor *d)
{
    const struct target target = {
        .content_type = view_of("application/json"),
        .sse = view_of(d->spec.sse),
        .sse_kms_key_id = view_of(d->spec.sse_kms_key_id),
        .checksum = d->spec.checksum, .condition = TARGET_ABSENT,
    };
    target_describe(&target, &d->call, probe_body.len);
    target_condition(&target, &d->call);
    target_checksum(&target, &d->call, crc64_add(0, probe_body));
    call_slices(&d->call, &probe_body, 1, probe_body.len);
}

static enum flow begin_probe(struct doctor *d)
{
    struct view none = view_of("");
    for (; d->probe < PROBE_COUNT && !is_tried(d, (enum probe)d->probe);
         d->probe++)
        if (d->probe == PROBE_PUT)
            doctor_say(d, DOCTOR_NOTE, view_of(d->url), "not tried without "
                       "--write: s3:PutObject, s3:DeleteObject, conditions, "
                       "checksums", NULL);
    if (d->probe == PROBE_COUNT) {
        tour_next(&d->tour);
        return doctor_enter(d, DOCTOR_TOURING);
    }
    doctor_begin(d, &probes[d->probe]);
    bool whole = d->probe == PROBE_GET || d->probe >= PROBE_PUT;
    call_key(&d->call, view_of(d->bucket), whole ? view_of(d->key) : none);
    if (d->probe == PROBE_LIST)
        call_query(&d->call, "list-type", view_of("2"));
    if (d->probe == PROBE_LIST)
        call_query(&d->call, "max-keys", view_of("1"));
    if (d->probe == PROBE_UPLOADS)
        call_query(&d->call, "uploads", none);
    if (d->probe == PROBE_LIFECYCLE)
        call_query(&d->call, "lifecycle", none);
    if (d->probe == PROBE_POLICY)
        call_query(&d->call, "policy", none);
    if (d->probe == PROBE_PUT || d->probe == PROBE_AGAIN)
        begin_put(d);
    return d->state == DOCTOR_PROBING ? FLOW_MOVED
                                      : doctor_enter(d, DOCTOR_PROBING);
}

static void judge_region(struct doctor *d, struct view url)
{
    const char *known = site_region_of(d->site, view_of(d->bucket));
    const char *here = d->site->endpoint[SITE_LOGS].region;
    const struct view parts[] = {view_of(known), view_of(here), url};
    struct fault fault = {0};
    doctor_say(d, DOCTOR_OK, url, "there, and may be listed", NULL);
    if (known[0] == '\0' || strcmp(known, here) == 0)
        return;
    if (doctor_reads(d)) {
        doctor_say(d, DOCTOR_WARNING, url, "is in %, the groups in %: what "
                   "goes there is billed as transfer", parts);
        return;
    }
    (void)message_refuse(&fault, ERROR_CONFIG, "exports from % need a bucket "
                         "in that region; % is in %", VIEWS(parts[1], url,
                                                           parts[0]));
    doctor_say_fault(d, url, &fault);
}

static void judge_lifecycle(struct doctor *d, struct view url)
{
    struct view rule;
    bool ends = d->call.exchange.reply.status == 200 &&
                xml_find(reply_view(&d->reply),
                         "AbortIncompleteMultipartUpload", &rule);
    if (ends)
        doctor_say(d, DOCTOR_OK, url, "uploads that nobody ends are ended",
                   NULL);
    else
        doctor_say(d, DOCTOR_WARNING, url, "nothing ends uploads that "
                   "nobody goes on with: add a lifecycle rule, "
                   "AbortIncompleteMultipartUpload after 7 days", NULL);
}

static void judge_policy(struct doctor *d, struct view url)
{
    struct view region = view_of(d->site->endpoint[SITE_LOGS].region);
    int32_t *words = (int32_t *)(void *)(d->room + DOCTOR_REPLY_BYTES);
    struct fault fault = {0};
    struct json j;
    bool there = d->call.exchange.reply.status == 200 &&
                 json_parse(&j, reply_view(&d->reply), words, TOKENS) ==
                     JSON_FINE;
    if (there && grant_read(&j, region) == GRANT_ALL) {
        doctor_say(d, DOCTOR_OK, url, "lets CloudWatch Logs write exports",
                   NULL);
        return;
    }
    (void)message_refuse(&fault, ERROR_CONFIG, "the policy of % does not let "
                         "CloudWatch Logs write exports. Add what this "
                         "prints: firn policy --bucket", &url);
    doctor_say_fault(d, url, &fault);
}

static void judge_put(struct doctor *d, struct view url)
{
    const struct http_reply *r = &d->call.exchange.reply;
    bool refused = r->status == 412, told = r->crc64nvme[0] != '\0';
    if (d->probe == PROBE_PUT && !refused && (told || !d->spec.checksum))
        doctor_say(d, DOCTOR_OK, url, "may be written to", NULL);
    else if (d->probe == PROBE_PUT && !refused)
        doctor_say(d, DOCTOR_WARNING, url, "may be written to, but tells no "
                   "checksum: sizes will decide", NULL);
    else if (d->probe == PROBE_AGAIN && refused)
        doctor_say(d, DOCTOR_OK, url, "keeps to conditions", NULL);
    else if (d->probe == PROBE_AGAIN)
        doctor_say(d, DOCTOR_WARNING, url, "ignores If-None-Match: nothing "
                   "keeps two runs at once apart. Have only one", NULL);
}

static void judge_probe(struct doctor *d, struct view url)
{
    switch ((enum probe)d->probe) {
    case PROBE_LIST:      judge_region(d, url); break;
    case PROBE_GET:       break;
    case PROBE_UPLOADS:
        doctor_say(d, DOCTOR_OK, url, "objects may be read, uploads be listed",
                   NULL);
        break;
    case PROBE_LIFECYCLE: judge_lifecycle(d, url); break;
    case PROBE_POLICY:    judge_policy(d, url); break;
    case PROBE_PUT:
    case PROBE_AGAIN:     judge_put(d, url); break;
    case PROBE_DELETE:
        doctor_say(d, DOCTOR_OK, url, "what a run leaves may be deleted",
                   NULL);
        break;
    }
}

/* Nothing that firn needs; a store may not know it. */
static bool is_optional(const struct doctor *d)
{
    return d->probe == PROBE_LIFECYCLE;
}

enum flow doctor_bucket(struct doctor *d)
{
    struct fault fault = {0};
    struct view url = view_of(d->url);
    enum flow flow = reply_step(&d->reply, d->now, &fault);
    if (flow != FLOW_ENDED && flow != FLOW_FAILED)
        return flow;
    if (flow == FLOW_ENDED)
        judge_probe(d, url);
    else if (is_optional(d) && fault.error != ERROR_STOPPED)
        doctor_say(d, DOCTOR_NOTE, url, "its lifecycle cannot be looked "
                   "at (s3:GetLifecycleConfiguration)", NULL);
    else
        doctor_say_fault(d, url, &fault);
    if (d->over)
        return doctor_enter(d, DOCTOR_DONE);
    /* What is not there, or may not be listed, is not asked any more. */
    d->probe = flow == FLOW_FAILED && !is_optional(d) &&
                       (d->probe == PROBE_LIST || d->probe == PROBE_PUT)
                   ? PROBE_COUNT : d->probe + 1;
    return begin_probe(d);
}

/* Each bucket once; again as another role, or for the first export. */
enum flow doctor_begin_bucket(struct doctor *d)
{
    bool same = strcmp(d->bucket, d->spec.bucket) == 0 &&
                view_equal(d->role, d->tour.role);
    struct text url;
    if (same && (doctor_reads(d) || d->exported)) {
        tour_next(&d->tour);
        return doctor_enter(d, DOCTOR_TOURING);
    }
    d->exported = !doctor_reads(d);
    memcpy(d->bucket, d->spec.bucket, sizeof d->bucket);
    d->role = d->tour.role;
    d->probe = 0;
    text_init(&url, d->url, sizeof d->url);
    text_str(&url, "s3://");
    text_str(&url, d->bucket);
    make_key(d);
    return begin_probe(d);
}

