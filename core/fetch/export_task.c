/* export_task.c - see export_task.h. */
#include "fetch/export_task.h"

#include "base/crc.h"
#include "base/date.h"

enum { PAGE = 10 };  /* tasks, of 4 KB at most */

void export_task_name(struct text *name, const struct export_spec *s)
{
    const struct view parts[] = {s->group, s->stream_prefix, s->bucket,
                                 s->prefix};
    char window[48];
    uint8_t bytes[8];
    struct text t;

    text_init(&t, window, sizeof window);
    text_i64(&t, s->from_ms);
    text_char(&t, ' ');
    text_i64(&t, s->until_ms);
    uint64_t crc = crc64_add(0, text_view(&t));
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        crc = crc64_add(crc, view_of("\n"));
        crc = crc64_add(crc, parts[i]);
    }
    for (uint32_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(crc >> (56 - 8 * i));
    text_str(name, "firn-");
    date_day(name, s->from_ms / DAY_MS);
    text_char(name, '-');
    text_hex(name, (struct view){bytes, sizeof bytes});
}

/* --- requests ------------------------------------------------------------- */

static void put_member(struct text *t, const char *name, struct view value)
{
    text_char(t, t->len == 0 ? '{' : ',');
    text_char(t, '"');
    text_str(t, name);
    text_str(t, "\":\"");
    text_json(t, value);
    text_char(t, '"');
}

static void put_number(struct text *t, const char *name, int64_t value)
{
    text_str(t, ",\"");
    text_str(t, name);
    text_str(t, "\":");
    text_i64(t, value);
}

void export_task_create(struct text *body, const struct export_spec *s,
                        const char *name)
{
    put_member(body, "taskName", view_of(name));
    put_member(body, "logGroupName", s->group);
    put_number(body, "from", s->from_ms);
    put_number(body, "to", s->until_ms - 1);
    put_member(body, "destination", s->bucket);
    put_member(body, "destinationPrefix", s->prefix);
    if (s->stream_prefix.len > 0)
        put_member(body, "logStreamNamePrefix", s->stream_prefix);
    text_char(body, '}');
}

void export_task_list(struct text *body, const char *status,
                      const char *token)
{
    put_member(body, "statusCode", view_of(status));
    put_number(body, "limit", PAGE);
    if (token[0] != '\0')
        put_member(body, "nextToken", view_of(token));
    text_char(body, '}');
}

void export_task_ask(struct text *body, const char *id)
{
    put_member(body, "taskId", view_of(id));
    text_char(body, '}');
}

/* --- replies -------------------------------------------------------------- */

static bool is_text(const struct json *j, int32_t node, struct view want)
{
    char bytes[EXPORT_PREFIX_BYTES];
    struct text t;

    text_init(&t, bytes, sizeof bytes);
    return json_text(j, node, &t) && view_equal(text_view(&t), want);
}

static bool is_number(const struct json *j, int32_t node, int64_t want)
{
    int64_t ms;
    return json_i64(j, node, &ms) && ms == want;
}

bool export_task_is(const struct json *j, int32_t task,
                    const struct export_spec *s, const char *name)
{
    return is_text(j, json_member(j, task, "taskName"), view_of(name)) &&
           is_text(j, json_member(j, task, "logGroupName"), s->group) &&
           is_text(j, json_member(j, task, "destination"), s->bucket) &&
           is_text(j, json_member(j, task, "destinationPrefix"), s->prefix) &&
           is_number(j, json_member(j, task, "from"), s->from_ms) &&
           is_number(j, json_member(j, task, "to"), s->until_ms - 1);
}

int64_t export_task_created(const struct json *j, int32_t task)
{
    int64_t ms = 0;
    int32_t info = json_member(j, task, "executionInfo");
    (void)json_i64(j, json_member(j, info, "creationTime"), &ms);
    return ms;
}
