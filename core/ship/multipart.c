/* multipart.c - see multipart.h. */
#include "ship/multipart.h"

#include "base/crc.h"

static const struct operation operations[] = {
    [MULTIPART_CREATE] = {
        .name = "s3:PutObject", .service = SITE_S3, .method = HTTP_POST,
    },
    [MULTIPART_PART] = {
        .name = "s3:PutObject", .service = SITE_S3, .method = HTTP_PUT,
    },
    [MULTIPART_COPY] = {  /* what else it needs, Create has shown to be there */
        .name = "s3:GetObject", .service = SITE_S3, .method = HTTP_PUT,
        .patient = true,
    },
    [MULTIPART_LIST] = {
        .name = "s3:ListMultipartUploadParts", .service = SITE_S3,
        .method = HTTP_GET,
    },
    [MULTIPART_COMPLETE] = {
        .name = "s3:PutObject", .service = SITE_S3, .method = HTTP_POST,
        .patient = true,
    },
    [MULTIPART_ABORT] = {
        .name = "s3:AbortMultipartUpload", .service = SITE_S3,
        .method = HTTP_DELETE, .also_ok = 404,
    },
    [MULTIPART_PROVE] = {
        .name = "s3:ListMultipartUploadParts", .service = SITE_S3,
        .method = HTTP_GET, .also_ok = 404,
    },
};

void multipart_init(struct multipart *m, struct site *site,
                    const struct target *target)
{
    m->fault = (struct fault){0};
    m->status = 0;
    m->id[0] = m->etag[0] = '\0';
    m->target = target;
    ring_init(&m->reply, m->reply_bytes, sizeof m->reply_bytes);
    call_init(&m->call, site, &m->reply);
}

/* --- requests ------------------------------------------------------------ */

static void query_number(struct multipart *m, const char *name, uint32_t value)
{
    char room[12];
    struct text t;
    text_init(&t, room, sizeof room);
    text_u64(&t, value);
    call_query(&m->call, name, text_view(&t));
}

static void begin(struct multipart *m, enum multipart_request request)
{
    m->request = request;
    m->fault = (struct fault){0};
    m->repeats = 0;
    m->attempt = 0;
    call_begin(&m->call, &operations[request]);
    call_key(&m->call, m->target->bucket, m->target->key);
    if (request == MULTIPART_CREATE)
        return;
    CHECK(m->id[0] != '\0');
    call_query(&m->call, "uploadId", view_of(m->id));
}

void multipart_create(struct multipart *m)
{
    begin(m, MULTIPART_CREATE);
    call_query(&m->call, "uploads", (struct view){0});
    target_describe(m->target, &m->call, CFG_PART_BYTES);
    if (!m->target->checksum)
        return;
    call_header(&m->call, "x-amz-checksum-algorithm", view_of("CRC64NVME"));
    call_header(&m->call, "x-amz-checksum-type", view_of("FULL_OBJECT"));
}

void multipart_part(struct multipart *m, uint32_t number,
                    const struct body *body)
{
    CHECK(number >= 1 && number <= LIMIT_PART_COUNT);
    begin(m, MULTIPART_PART);
    query_number(m, "partNumber", number);
    target_checksum(m->target, &m->call, body->crc);
    call_slices(&m->call, body->slices, body->count, body->bytes);
}

/* The room of replies is idle before a request: the key may be long. */
static void name_source(struct multipart *m, const struct copy_source *s)
{
    struct text t;
    text_init(&t, (char *)m->reply_bytes, sizeof m->reply_bytes);
    text_char(&t, '/');
    text_percent(&t, s->bucket, false);
    text_char(&t, '/');
    text_percent(&t, s->key, true);
    CHECK(!t.overflow);
    call_header(&m->call, "x-amz-copy-source", text_view(&t));
}

static void name_range(struct multipart *m, const struct copy_source *s)
{
    char room[64];
    struct text t;
    text_init(&t, room, sizeof room);
    text_str(&t, "bytes=");
    text_u64(&t, s->from);
    text_char(&t, '-');
    text_u64(&t, s->to - 1);
    call_header(&m->call, "x-amz-copy-source-range", text_view(&t));
}

void multipart_copy(struct multipart *m, uint32_t number,
                    const struct copy_source *s)
{
    const struct site *site = m->call.site;
    CHECK(number >= 1 && number <= LIMIT_PART_COUNT);
    CHECK(s->from < s->to && s->etag.len > 0);
    begin(m, MULTIPART_COPY);
    query_number(m, "partNumber", number);
    name_source(m, s);
    call_header(&m->call, "x-amz-copy-source-if-match", s->etag);
    if (!s->whole)
        name_range(m, s);
    if (site->expected_owner)
        call_header(&m->call, "x-amz-source-expected-bucket-owner",
                    view_of(site->owner));
}

void multipart_list(struct multipart *m, struct listing *listing)
{
    begin(m, MULTIPART_LIST);
    m->listing = listing;
    if (listing->parts > 0)
        query_number(m, "part-number-marker", listing->parts);
}

void multipart_complete(struct multipart *m, const struct body *xml,
                        uint64_t bytes, const uint64_t *crc)
{
    char room[24];
    struct text t;
    text_init(&t, room, sizeof room);
    text_u64(&t, bytes);
    begin(m, MULTIPART_COMPLETE);
    call_header(&m->call, "content-type", view_of("application/xml"));
    call_header(&m->call, "x-amz-mp-object-size", text_view(&t));
    target_condition(m->target, &m->call);
    if (crc != NULL)
        target_checksum(m->target, &m->call, *crc);
    if (m->target->checksum)
        call_header(&m->call, "x-amz-checksum-type", view_of("FULL_OBJECT"));
    call_slices(&m->call, xml->slices, xml->count, xml->bytes);
}

void multipart_abort(struct multipart *m)
{
    begin(m, MULTIPART_ABORT);
}

void multipart_prove(struct multipart *m)
{
    begin(m, MULTIPART_PROVE);
    query_number(m, "max-parts", 1);
}

void multipart_cancel(struct multipart *m)
{
    call_cancel(&m->call);
}

/* --- replies ------------------------------------------------------------- */

static void forget_reply(struct multipart *m)
{
    elements_init(&m->elements, &m->reply);
    m->event = ELEMENTS_MORE;
    m->code[0] = m->words[0] = '\0';
    m->told = m->copied.summed = false;
    if (m->request == MULTIPART_CREATE)
        m->id[0] = '\0';
    if (m->request == MULTIPART_LIST)
        listing_page(m->listing);
}

static void take_created(struct multipart *m)
{
    const struct elements *e = &m->elements;
    if (elements_at(e, "InitiateMultipartUploadResult/UploadId"))
        m->told = view_copy(text_view(&e->value), m->id, sizeof m->id) &&
                  e->value.len > 0;
}

static void take_copied(struct multipart *m)
{
    const struct elements *e = &m->elements;
    struct view value = text_view(&e->value);
    if (elements_at(e, "CopyPartResult/ETag"))
        m->told = value.len > 0;
    else if (elements_at(e, "CopyPartResult/ChecksumCRC64NVME"))
        m->copied.summed = crc64_parse(value, &m->copied.crc);
}

static void take_completed(struct multipart *m)
{
    const struct elements *e = &m->elements;
    m->told |= elements_at(e, "CompleteMultipartUploadResult");
    if (elements_at(e, "CompleteMultipartUploadResult/ETag"))
        (void)view_copy(text_view(&e->value), m->etag, sizeof m->etag);
}

static void take_error(struct multipart *m)
{
    struct view value = text_view(&m->elements.value);
    if (elements_at(&m->elements, "Error/Code"))
        (void)view_copy(value, m->code, sizeof m->code);
    else if (elements_at(&m->elements, "Error/Message"))
        (void)view_copy(value, m->words, sizeof m->words);
}

static void take(struct multipart *m)
{
    take_error(m);
    switch (m->request) {
    case MULTIPART_CREATE:
        take_created(m);
        return;
    case MULTIPART_COPY:
        take_copied(m);
        return;
    case MULTIPART_COMPLETE:
        take_completed(m);
        return;
    case MULTIPART_LIST:
        listing_take(m->listing, &m->elements);
        m->told |= elements_at(&m->elements, "ListPartsResult");
        return;
    case MULTIPART_PROVE:
        m->told |= elements_at(&m->elements, "ListPartsResult/Part");
        return;
    case MULTIPART_PART:
    case MULTIPART_ABORT:
        return;
    }
}

/* Steps the call and reads what came of its reply. */
static enum flow pump(struct multipart *m, struct now now)
{
    enum flow flow = call_step(&m->call, now);
    if (m->attempt != m->call.attempt) {
        m->attempt = m->call.attempt;
        forget_reply(m);
    }
    if (m->attempt == 0)
        return flow;  /* the ring still holds an older reply */
    bool waiting = ring_len(&m->reply) > 0;
    while ((m->event = elements_next(&m->elements)) == ELEMENTS_END_TAG)
        take(m);
    return waiting && flow == FLOW_WANT_EVENT ? FLOW_MOVED : flow;
}

/* The reply is whole, has no error in it and holds what was asked for. */
static bool is_sound(const struct multipart *m)
{
    bool answers = m->request != MULTIPART_PART &&
                   m->request != MULTIPART_ABORT && m->status != 404;
    bool whole = m->event == ELEMENTS_END && m->code[0] == '\0';
    bool holds = m->told || m->request == MULTIPART_PROVE;
    return !answers || (whole && holds);
}

/* What to make of a 200 that is not sound; cut or foreign, it is a 500. */
static struct trouble trouble_of(const struct multipart *m)
{
    struct trouble t = {0};
    struct view code = view_of(m->code);
    trouble_of_code(&t, code, code.len > 0 ? 400 : 500);
    return t;
}

static bool is_passing(const struct trouble *t)
{
    return t->cure == CURE_PAUSE || t->cure == CURE_SLOW ||
           (t->cure == CURE_FEW && t->error != ERROR_CORRUPT);
}

static enum flow fail_unsound(struct multipart *m, enum error error)
{
    struct fault *f = &m->fault;
    struct view code = view_of(m->code);
    fault_set(f, error, code.len > 0 ? "S3 answered 200 and an error"
              : "S3's answer was cut or is no answer", m->status);
    f->operation = operations[m->request].name;
    (void)view_copy(code, f->code, sizeof f->code);
    (void)view_copy(view_of(m->call.exchange.reply.request_id),
                    f->request_id, sizeof f->request_id);
    fault_words(f, view_of(m->words));
    return FLOW_FAILED;
}

bool multipart_source_changed(const struct multipart *m)
{
    struct view code = view_of(m->fault.code);
    CHECK(m->request == MULTIPART_COPY);
    return m->status == 412 || view_is(code, "PreconditionFailed") ||
           view_is(code, "NoSuchKey");
}

enum flow multipart_step(struct multipart *m, struct now now)
{
    if (m->fault.error != ERROR_NONE)
        return FLOW_FAILED;
    enum flow flow = pump(m, now);
    m->status = m->call.exchange.reply.status;
    if (flow == FLOW_FAILED)
        fault_adopt(&m->fault, &m->call.fault);
    if (flow != FLOW_ENDED || is_sound(m))
        return flow;
    struct trouble trouble = trouble_of(m);
    m->repeats++;
    if (!is_passing(&trouble) || m->repeats > MULTIPART_REPEATS)
        return fail_unsound(m, trouble.error);
    call_again(&m->call, now, view_of(m->code), view_of(m->words));
    return FLOW_MOVED;
}
