#include "fetch/group.h"

#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/trace.h"

enum {
    REPLY_BYTES = GROUP_ROOM_BYTES / 2,
    TOKENS      = (GROUP_ROOM_BYTES - REPLY_BYTES) / 4 / JSON_WORDS(1),
    PAGES_MOST  = 600,  /* 9,000 names looked through for a near one */
    RESTARTS_MOST = 3,  /* of a list, without finding another name */
};

static const struct operation describe_log_groups = {
    .name = "logs:DescribeLogGroups",
    .service = SITE_LOGS,
    .method = HTTP_POST,
    .target = "DescribeLogGroups",
};

static const char *const state_name[] = {"asking", "reading", "looking",
                                         "done", "failed"};

static void enter(struct group *g, enum group_state next)
{
    CHECK(g->state < GROUP_DONE || g->each);
    trace_state("group", state_name[g->state], state_name[next]);
    g->state = next;
}

void group_init(struct group *g, struct call *call, struct view name,
                struct span room)
{
    CHECK(room.len >= GROUP_ROOM_BYTES && (uintptr_t)room.at % 8 == 0);
    memset(g, 0, sizeof *g);
    g->call = call;
    g->name = name;
    g->room = room;
    nearest_init(&g->near, name);
    g->state = GROUP_ASKING;
}

void group_each_init(struct group *g, struct call *call, struct view prefix,
                     struct span room)
{
    group_init(g, call, prefix, room);
    g->each = true;
}

void group_next(struct group *g)
{
    CHECK(g->each && g->state == GROUP_DONE);
    enter(g, g->held ? GROUP_READING : GROUP_ASKING);
}

void group_lend(struct group *g, struct call *call, struct span room)
{
    CHECK(room.len >= GROUP_ROOM_BYTES && (uintptr_t)room.at % 8 == 0);
    g->call = call;
    g->room = room;
    g->held = false;
}

static void ask(struct group *g)
{
    call_begin(g->call, &describe_log_groups);
    struct text *body = call_body(g->call);
    text_str(body, g->looking || g->each ? "{\"limit\":15" : "{\"limit\":1");
    if (!g->looking && g->name.len > 0) {
        text_str(body, ",\"logGroupNamePrefix\":\"");
        text_json(body, g->name);
        text_char(body, '"');
    }
    if (g->token[0] != '\0') {
        text_str(body, ",\"nextToken\":\"");
        text_json(body, view_of(g->token));
        text_char(body, '"');
    }
    text_char(body, '}');
    reply_begin(&g->reply, g->call, (struct span){g->room.at, REPLY_BYTES});
    g->held = false;
    enter(g, g->looking ? GROUP_LOOKING : GROUP_READING);
}

static enum flow fail(struct group *g, enum error error, const char *what,
                      int64_t detail)
{
    fault_set(&g->fault, error, what, detail);
    enter(g, GROUP_FAILED);
    return FLOW_FAILED;
}

static enum flow collect(struct group *g, struct now now)
{
    enum flow flow = reply_step(&g->reply, now, &g->fault);

    if (flow == FLOW_FAILED)
        enter(g, GROUP_FAILED);
    return flow;
}

/* arn:aws:logs:REGION:ACCOUNT:log-group:NAME */
static void take_account(struct group *g, struct view arn)
{
    struct view rest = arn;
    for (int i = 0; i < 4; i++) {
        uint32_t colon = view_find(rest, ':');
        rest = view_slice(rest, colon < rest.len ? colon + 1 : rest.len,
                          rest.len);
    }
    struct view account = view_slice(rest, 0, view_find(rest, ':'));
    if (account.len != 12)
        return;
    memcpy(g->info.account, account.at, 12);
    g->info.account[12] = '\0';
}

static void take_info(struct group *g, const struct json *j, int32_t node)
{
    struct group_info *info = &g->info;
    struct text t;
    struct view class_name =
        json_raw(j, json_member(j, node, "logGroupClass"));
    int32_t protection = json_member(j, node, "dataProtectionStatus");
    int32_t inherited = json_member(j, node, "inheritedProperties");

    take_account(g, json_raw(j, json_member(j, node, "arn")));
    (void)json_i64(j, json_member(j, node, "creationTime"),
                   &info->creation_ms);
    (void)json_i64(j, json_member(j, node, "retentionInDays"),
                   &info->retention_days);
    (void)json_i64(j, json_member(j, node, "storedBytes"),
                   &info->stored_bytes);
    text_init(&t, info->log_class, sizeof info->log_class);
    text_put(&t, class_name.len > 0 ? class_name : view_of("STANDARD"));
    info->masked = json_is(j, protection, "ACTIVATED");
    for (int32_t item = json_first(j, inherited); item != JSON_NONE;
         item = json_next(j, item))
        info->masked |= json_is(j, item, "ACCOUNT_DATA_PROTECTION");
}

static void look_at(struct group *g, const struct json *j, int32_t node)
{
    char name[GROUP_NAME_BYTES];
    struct text t;

    text_init(&t, name, sizeof name);
    if (!json_text(j, json_member(j, node, "logGroupName"), &t))
        return;
    struct nearest before = g->near;
    nearest_offer(&g->near, name, g->nearest);
    if (g->near.best != before.best || g->near.edits != before.edits)
        memcpy(g->nearest, name, t.len + 1);
}

/* Where the next page is; false: there is none. */
static bool take_token(struct group *g, const struct json *j)
{
    struct text t;
    text_init(&t, g->token, sizeof g->token);
    return json_text(j, json_member(j, 0, "nextToken"), &t) && t.len > 0;
}

static enum flow on_looked(struct group *g, const struct json *j)
{
    int32_t groups = json_member(j, 0, "logGroups");

    for (int32_t item = json_first(j, groups); item != JSON_NONE;
         item = json_next(j, item))
        look_at(g, j, item);
    if (!take_token(g, j) || ++g->pages == PAGES_MOST)
        return fail(g, ERROR_MISSING, "log group", 0);
    enter(g, GROUP_ASKING);
    return FLOW_MOVED;
}

/* The first name of the page behind the last one. */
static enum flow on_each(struct group *g, const struct json *j)
{
    int32_t item = json_first(j, json_member(j, 0, "logGroups"));
    char before[GROUP_NAME_BYTES];
    struct text t;

    memcpy(before, g->found, sizeof before);
    for (; item != JSON_NONE; item = json_next(j, item)) {
        text_init(&t, g->found, sizeof g->found);
        if (!json_text(j, json_member(j, item, "logGroupName"), &t) ||
            strcmp(g->found, before) <= 0)
            continue;
        g->info = (struct group_info){0};
        take_info(g, j, item);
        g->pages = 0;
        enter(g, GROUP_DONE);
        return FLOW_ENDED;
    }
    memcpy(g->found, before, sizeof before);
    if (!take_token(g, j))
        return fail(g, ERROR_MISSING, "no other log group", 0);
    enter(g, GROUP_ASKING);
    return FLOW_MOVED;
}

static enum flow on_reply(struct group *g)
{
    struct json j;
    int32_t *words = (int32_t *)(void *)(g->room.at + REPLY_BYTES);
    struct view text = reply_view(&g->reply);

    if (json_parse(&j, text, words, TOKENS) != JSON_FINE)
        return fail(g, ERROR_REMOTE, "a reply of DescribeLogGroups that is "
                                     "not JSON", (int64_t)j.offset);
    if (g->looking)
        return on_looked(g, &j);
    if (g->each)
        return on_each(g, &j);
    int32_t item = json_first(&j, json_member(&j, 0, "logGroups"));
    struct view name = json_raw(&j, json_member(&j, item, "logGroupName"));
    if (item != JSON_NONE && view_equal(name, g->name)) {
        take_info(g, &j, item);
        enter(g, GROUP_DONE);
        return FLOW_ENDED;
    }
    if (g->alone)
        return fail(g, ERROR_MISSING, "log group", 0);
    g->looking = true;
    g->token[0] = '\0';
    enter(g, GROUP_ASKING);
    return FLOW_MOVED;
}

/* A token is good for 24 hours. */
static bool is_stale(const struct group *g)
{
    return g->each && g->token[0] != '\0' &&
           view_starts(view_of(g->fault.code), "InvalidParameter") &&
           g->pages < RESTARTS_MOST;
}

static enum flow begin_again(struct group *g)
{
    fault_reset(&g->fault);
    g->pages++;
    g->token[0] = '\0';
    enter(g, GROUP_ASKING);
    return FLOW_MOVED;
}

enum flow group_step(struct group *g, struct now now)
{
    enum flow flow;

    switch (g->state) {
    case GROUP_ASKING:
        ask(g);
        return FLOW_MOVED;
    case GROUP_READING:
    case GROUP_LOOKING:
        flow = g->held ? FLOW_ENDED : collect(g, now);
        g->held = flow == FLOW_ENDED;
        if (flow == FLOW_FAILED && is_stale(g))
            return begin_again(g);
        return flow == FLOW_ENDED ? on_reply(g) : flow;
    case GROUP_DONE:
        return FLOW_ENDED;
    case GROUP_FAILED:
        break;
    }
    return FLOW_FAILED;
}

int64_t group_held_from(const struct group_info *info, int64_t now_ms)
{
    return info->retention_days > 0
               ? now_ms - info->retention_days * DAY_MS
               : INT64_MIN;
}
