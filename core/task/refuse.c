/* refuse.c - see refuse.h. */
#include "task/refuse.h"

#include "task/message.h"

void refuse_group(struct archive *a)
{
    message_no_group(&a->fault, view_of(a->spec->group),
                     view_of(a->site->region), view_of(a->group.nearest));
}

void refuse_class(struct archive *a)
{
    message_refuse(&a->fault, ERROR_CONFIG, "log group \"%\" is of class "
                   "%, whose events cannot be read, only exported: "
                   "--via export",
                   (const struct view[]){view_of(a->spec->group),
                                         view_of(a->group.info.log_class)});
}

void refuse_expired(struct archive *a)
{
    int64_t held_ms = a->held_ms;
    char held[DATE_RFC3339_BYTES + 1], days[24];
    struct text t, d;

    text_init(&t, held, sizeof held);
    date_rfc3339(&t, held_ms);
    text_init(&d, days, sizeof days);
    text_i64(&d, a->group.info.retention_days);
    message_refuse(&a->fault, ERROR_CORRUPT,
                   a->spec->until_ms <= held_ms
                       ? "the window has expired: % keeps % days, and the "
                         "first instant still readable is %"
                   : a->existing.has_object
                       ? "the window has begun to expire: % keeps % days, "
                         "and the first instant still readable is %. What "
                         "is under the key may hold more and is not replaced"
                       : "the window has begun to expire: % keeps % days, "
                         "and the first instant still readable is %. Store "
                         "the rest: --partial",
                   (const struct view[]){view_of(a->spec->group),
                                         text_view(&d), text_view(&t)});
}

void refuse_recreated(struct archive *a)
{
    message_refuse(&a->fault, ERROR_CORRUPT, "the log group % was deleted "
                   "and created again while it was read; nothing is stored",
                   &(struct view){(const uint8_t *)a->spec->group,
                                  view_of(a->spec->group).len});
}

void refuse_existing(struct archive *a)
{
    const struct existing *e = &a->existing;
    char size[32], day[16];
    struct text t, d;
    struct view parts[4] = {view_of(a->spec->bucket), e->key};

    text_init(&t, size, sizeof size);
    message_bytes(&t, e->bytes);
    text_init(&d, day, sizeof day);
    date_day(&d, e->modified_ms / DAY_MS);
    parts[2] = text_view(&t);
    parts[3] = text_view(&d);
    if (e->has_object && a->spec->if_exists == EXISTS_FAIL)
        message_refuse(&a->fault, ERROR_CONFIG, "s3://%/% exists (%, %), and "
                       "--if-exists is fail", parts);
    else if (e->damaged)
        message_refuse(&a->fault, ERROR_CORRUPT, "s3://%/%: %: %. Archive it "
                       "again: --if-exists replace",
                       (const struct view[]){
                           parts[0], view_of(a->receipt_key),
                           view_of(e->fault.what), view_of(e->fault.words)});
    else if (!e->has_object)
        message_refuse(&a->fault, ERROR_CORRUPT, "s3://%/% is gone, but its "
                       "receipt is there. Archive it again: --if-exists "
                       "replace", parts);
    else if (!e->has_receipt)
        message_refuse(&a->fault, ERROR_CONFIG, "s3://%/% exists without a "
                       "receipt (%, %). Keep it: firn adopt; write over it: "
                       "--if-exists replace",
                       parts);
    else if (!existing_is_window(e, &a->receipt))
        message_refuse(&a->fault, ERROR_CONFIG, "s3://%/% (%, %) is an "
                       "archive of another group or window. Write over it: "
                       "--if-exists replace", parts);
    else
        message_refuse(&a->fault, ERROR_CORRUPT, "s3://%/% (%, %) is not "
                       "what its receipt says. Archive it again: "
                       "--if-exists replace", parts);
}

/* The day, or the window, of which group. */
static void put_thing(struct text *t, const struct archive *a)
{
    const struct spec *s = a->spec;

    if (s->from_ms == s->until_ms) {
        text_str(t, "this merge");
        return;
    }
    if (s->whole_day) {
        date_day(t, s->day);
    } else {
        date_rfc3339(t, s->from_ms);
        text_str(t, " to ");
        date_rfc3339(t, s->until_ms);
    }
    text_str(t, " of ");
    text_str(t, s->group);
}

void refuse_recount(struct archive *a)
{
    char thing[SPEC_GROUP_BYTES + 64];
    struct text t;

    text_init(&t, thing, sizeof thing);
    put_thing(&t, a);
    message_refuse(&a->fault, ERROR_CORRUPT,
                   a->existing.receipt.state == RECEIPT_IMPORTED
                       ? "%: %; what was imported is left as it is. Archive "
                         "it again, if CloudWatch has more: --if-exists "
                         "replace"
                       : "%: %; the archive holds what CloudWatch has lost "
                         "or changed since",
                   (const struct view[]){text_view(&t), view_of(a->reason)});
}

void refuse_held(struct archive *a)
{
    const struct checkpoint *c = &a->found;
    char thing[SPEC_GROUP_BYTES + 64], holder[CHECKPOINT_HOLDER_BYTES * 4];
    char since[DATE_RFC3339_BYTES + 1], alive[32];
    struct text t[4];

    text_init(&t[0], thing, sizeof thing);
    put_thing(&t[0], a);
    text_init(&t[1], holder, sizeof holder);
    message_escape(&t[1], a->resumable ? c->holder : view_of("another run"));
    text_init(&t[2], since, sizeof since);
    date_rfc3339(&t[2], a->resumable ? c->since_ms : a->now.wall_ms);
    text_init(&t[3], alive, sizeof alive);
    message_duration(&t[3], a->lease.age_ms);
    message_refuse(&a->fault, ERROR_STOPPED, "% is held by % since %, alive "
                   "% ago; run again later",
                   (const struct view[]){text_view(&t[0]), text_view(&t[1]),
                                         text_view(&t[2]), text_view(&t[3])});
}

void refuse_lost(struct archive *a)
{
    char thing[SPEC_GROUP_BYTES + 64];
    struct text t;

    text_init(&t, thing, sizeof thing);
    put_thing(&t, a);
    message_refuse(&a->fault, ERROR_STOPPED, "% was taken over by another "
                   "run, as this one did not renew its lease in time; that "
                   "one goes on",
                   &(const struct view){(uint8_t *)thing, t.len});
}
