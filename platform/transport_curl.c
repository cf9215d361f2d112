/* transport_curl.c - libcurl's multi interface, driven by its sockets. */
#include "transport_curl.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "pool.h"
#include "transport_handle.h"
#include "transport_words.h"

enum { STALL_BYTES = 1024 };  /* fewer in stall_ms() are a stall */

const char TRANSPORT_POOL_FULL[] = "pool full";

static int64_t mono_ms(void)
{
    struct timespec t;

    CHECK(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int on_timer(CURLM *multi, long timeout_ms, void *context)
{
    struct transport *t = context;

    (void)multi;
    t->timer_ms = timeout_ms < 0 ? INT64_MAX : mono_ms() + timeout_ms;
    return 0;
}

/* One more than can be watched is left to curl's timers. */
static int on_watch(CURL *easy, curl_socket_t fd, int what, void *context,
                    void *unused)
{
    struct transport *t = context;
    uint32_t i = 0;

    (void)easy;
    (void)unused;
    while (i < t->watched_count && t->watched[i].fd != fd)
        i++;
    if (what == CURL_POLL_REMOVE) {
        if (i < t->watched_count)
            t->watched[i] = t->watched[--t->watched_count];
        return 0;
    }
    if (i == TRANSPORT_WATCHED)
        return 0;
    if (i == t->watched_count)
        t->watched_count++;
    t->watched[i] = (struct pollfd){.fd = fd};
    if ((what & CURL_POLL_IN) != 0)
        t->watched[i].events |= POLLIN;
    if ((what & CURL_POLL_OUT) != 0)
        t->watched[i].events |= POLLOUT;
    return 0;
}

bool transport_start(struct transport *t, struct http_exchange *x)
{
    struct transport_slot *s = NULL;

    CHECK(x->state != HTTP_ACTIVE);
    for (uint32_t i = 0; i < CFG_SOCKET_COUNT && s == NULL; i++)
        if (t->slot[i].x == NULL)
            s = &t->slot[i];
    if (s == NULL)
        return false;
    s->x = x;
    s->verdict = (struct verdict){.trust = &t->trust};
    s->given = 0;
    s->paused = s->headed = s->framed = false;
    s->moved = s->mark = 0;
    s->mark_ms = mono_ms();
    s->doomed = CURLE_OK;
    s->no_socket = 0;
    s->refusals = pool_use().failures;
    s->error[0] = '\0';
    s->fresh = t->fresh > 0;
    if (s->fresh)
        t->fresh--;
    x->handle = s;
    x->state = HTTP_ACTIVE;
    handle_request(s, &x->request);
    if (s->doomed == CURLE_OK &&
        curl_multi_add_handle(t->multi, s->easy) != CURLM_OK)
        s->doomed = CURLE_OUT_OF_MEMORY;
    return true;
}

static void release(struct transport *t, struct transport_slot *s)
{
    (void)curl_multi_remove_handle(t->multi, s->easy);
    (void)curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, NULL);
    free(s->headers);
    s->headers = NULL;
    s->x->handle = NULL;
    s->x = NULL;
}

void transport_cancel(struct transport *t, struct http_exchange *x)
{
    struct transport_slot *s = x->handle;

    if (x->state == HTTP_ACTIVE) {
        CHECK(s != NULL && s->x == x);
        release(t, s);
    }
    x->state = HTTP_IDLE;
}

/* A body that ends with the connection may have been cut anywhere. */
static bool may_be_cut(const struct transport_slot *s)
{
    return !s->framed && s->x->sink != NULL && s->x->received > 0 &&
           s->x->reply.status / 100 == 2;
}

/* Whether the request itself was under way. */
static bool was_connected(const struct transport_slot *s)
{
    curl_off_t after_us = 0;

    (void)curl_easy_getinfo(s->easy, CURLINFO_PRETRANSFER_TIME_T, &after_us);
    return s->doomed == CURLE_OK && after_us > 0;
}

static void end(struct transport *t, struct transport_slot *s, int32_t code,
                const char *text)
{
    struct http_exchange *x = s->x;
    long connects = 0;

    (void)curl_easy_getinfo(s->easy, CURLINFO_NUM_CONNECTS, &connects);
    x->reused = connects == 0 && was_connected(s);
    if (code != 0 && x->reused)
        transport_distrust(t);
    release(t, s);
    http_finish(x, code, text);
    t->ended = true;
}

static void end_in_words(struct transport *t, struct transport_slot *s,
                         CURLcode code, bool stalled)
{
    struct words_case c = {
        .code = code, .stalled = stalled, .message = s->error,
    };

    (void)curl_easy_getinfo(s->easy, CURLINFO_OS_ERRNO, &c.os_error);
    if (c.os_error == 0)
        c.os_error = s->no_socket;
    c.connected = was_connected(s);
    c.certificate = trust_reason(&s->verdict);
    end(t, s, (int32_t)code + (words_lasting(&c) ? TRANSPORT_LASTING : 0),
        words_of(&c));
}

/* Whether the exchange was begun anew, in a handshake that may do better. */
static bool again(struct transport *t, struct transport_slot *s,
                  CURLcode code)
{
    if (code != CURLE_SSL_CONNECT_ERROR ||
        words_tls_error(s->error) != MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER ||
        !trust_demote(&t->trust, s->host))
        return false;
    (void)curl_multi_remove_handle(t->multi, s->easy);
    handle_version(s);
    if (curl_multi_add_handle(t->multi, s->easy) != CURLM_OK)
        s->doomed = CURLE_OUT_OF_MEMORY;
    return true;
}

static void finish(struct transport *t, struct transport_slot *s,
                   CURLcode code)
{
    bool full = pool_use().failures != s->refusals;

    if (again(t, s, code))
        return;
    if (code == CURLE_OUT_OF_MEMORY || (code != CURLE_OK && full))
        end(t, s, CURLE_OUT_OF_MEMORY, TRANSPORT_POOL_FULL);
    else if (code != CURLE_OK)
        end_in_words(t, s, code, false);
    else if (!s->headed)
        end(t, s, CURLE_PARTIAL_FILE, "the reply's head was cut short");
    else if (may_be_cut(s))
        end(t, s, CURLE_PARTIAL_FILE,
            "the reply does not say how long it is");
    else
        end(t, s, CURLE_OK, NULL);
}

static void finish_done(struct transport *t)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(t->multi, &left)) != NULL) {
        CURLcode code = m->data.result;
        char *s = NULL;

        if (m->msg != CURLMSG_DONE)
            continue;
        CHECK(curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &s) ==
              CURLE_OK);
        finish(t, (struct transport_slot *)(void *)s, code);
    }
}

/* Those that never began. */
static void finish_doomed(struct transport *t)
{
    for (uint32_t i = 0; i < CFG_SOCKET_COUNT; i++) {
        struct transport_slot *s = &t->slot[i];
        if (s->x != NULL && s->doomed != CURLE_OK)
            finish(t, s, s->doomed);
    }
}

static void resume(struct transport *t)
{
    for (uint32_t i = 0; i < CFG_SOCKET_COUNT; i++) {
        struct transport_slot *s = &t->slot[i];
        CURLcode code;

        if (s->x == NULL || !s->paused || !handle_has_room(s->x))
            continue;
        s->paused = false;
        code = curl_easy_pause(s->easy, CURLPAUSE_CONT);
        if (code != CURLE_OK)
            finish(t, s, code);
    }
}

static bool may_stall(const struct transport_slot *s)
{
    return s->x != NULL && s->doomed == CURLE_OK && !s->paused &&
           !s->x->request.endless;
}

static int64_t stall_ms(const struct transport_slot *s)
{
    return s->x->request.patient ? CFG_PATIENT_MS : CFG_STALL_MS;
}

/* Ends what has stalled; when the next may have. */
static int64_t end_stalled(struct transport *t, int64_t now_ms)
{
    int64_t next_ms = INT64_MAX;

    for (uint32_t i = 0; i < CFG_SOCKET_COUNT; i++) {
        struct transport_slot *s = &t->slot[i];
        if (!may_stall(s) || s->moved - s->mark >= STALL_BYTES) {
            s->mark = s->moved;
            s->mark_ms = now_ms;
        }
        if (!may_stall(s))
            continue;
        int64_t stalled_ms = s->mark_ms + stall_ms(s);
        if (now_ms >= stalled_ms)
            end_in_words(t, s, CURLE_OPERATION_TIMEDOUT, true);
        else if (stalled_ms < next_ms)
            next_ms = stalled_ms;
    }
    return next_ms;
}

static void act(struct transport *t, const struct pollfd *ready,
                uint32_t count)
{
    int running;

    for (uint32_t i = 0; i < count; i++) {
        int what = 0;
        if ((ready[i].revents & (POLLIN | POLLHUP)) != 0)
            what |= CURL_CSELECT_IN;
        if ((ready[i].revents & POLLOUT) != 0)
            what |= CURL_CSELECT_OUT;
        if ((ready[i].revents & (POLLERR | POLLNVAL)) != 0)
            what |= CURL_CSELECT_ERR;
        (void)curl_multi_socket_action(t->multi, ready[i].fd, what, &running);
    }
    if (mono_ms() >= t->timer_ms) {
        t->timer_ms = INT64_MAX;
        (void)curl_multi_socket_action(t->multi, CURL_SOCKET_TIMEOUT, 0,
                                       &running);
    }
}

/* After the pool refused it memory, curl may have lost sight of a socket:
 * then it is asked to look at all of them again, until that succeeds. The
 * function is discouraged as slow, not as wrong, and nothing else does it. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static void repair(struct transport *t)
{
    uint32_t refusals = pool_use().failures;
    int running;

    if (t->refusals == refusals)
        return;
    t->refusals = refusals;
    (void)curl_multi_socket_all(t->multi, &running);
}
#pragma GCC diagnostic pop

/* Until the first of three; INT64_MAX is never. */
static int wait_ms(int64_t timeout_ms, int64_t now_ms, int64_t a_ms,
                   int64_t b_ms)
{
    int64_t until_ms = a_ms < b_ms ? a_ms : b_ms;
    int64_t left_ms = until_ms == INT64_MAX ? INT_MAX : until_ms - now_ms;

    if (timeout_ms >= 0 && timeout_ms < left_ms)
        left_ms = timeout_ms;
    return left_ms < 0 ? 0 : left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

void transport_poll(struct transport *t, struct pollfd *extra,
                    uint32_t extra_count, int64_t timeout_ms)
{
    struct pollfd ready[TRANSPORT_WATCHED];
    uint32_t count, ready_count = 0;
    int64_t now_ms = mono_ms(), stall_ms;
    int events;

    CHECK(extra_count <= TRANSPORT_EXTRA);
    t->ended = false;
    resume(t);
    finish_doomed(t);
    stall_ms = end_stalled(t, now_ms);
    if (t->ended)
        timeout_ms = 0;
    count = t->watched_count;
    if (extra_count > 0)
        memcpy(t->watched + count, extra, extra_count * sizeof *extra);
    events = poll(t->watched, count + extra_count,
                  wait_ms(timeout_ms, now_ms, t->timer_ms, stall_ms));
    for (uint32_t i = 0; i < extra_count; i++)
        extra[i].revents = events > 0 ? t->watched[count + i].revents : 0;
    for (uint32_t i = 0; i < count && events > 0; i++)
        if (t->watched[i].revents != 0)
            ready[ready_count++] = t->watched[i];
    act(t, ready, ready_count);
    repair(t);
    finish_done(t);
}

void transport_distrust(struct transport *t)
{
    t->fresh = CFG_SOCKET_COUNT;
}

uint32_t transport_active(const struct transport *t)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < CFG_SOCKET_COUNT; i++)
        count += t->slot[i].x != NULL;
    return count;
}

const char *transport_version(void)
{
    return curl_version();
}

static bool make_multi(struct transport *t)
{
    long count = CFG_SOCKET_COUNT;

    t->multi = curl_multi_init();
    return t->multi != NULL &&
           curl_multi_setopt(t->multi, CURLMOPT_SOCKETFUNCTION, on_watch) ==
               CURLM_OK &&
           curl_multi_setopt(t->multi, CURLMOPT_SOCKETDATA, t) == CURLM_OK &&
           curl_multi_setopt(t->multi, CURLMOPT_TIMERFUNCTION, on_timer) ==
               CURLM_OK &&
           curl_multi_setopt(t->multi, CURLMOPT_TIMERDATA, t) == CURLM_OK &&
           curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, count) ==
               CURLM_OK &&
           curl_multi_setopt(t->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                             count) == CURLM_OK;
}

bool transport_init(struct transport *t, const struct transport_options *o,
                    struct fault *fault)
{
    bool made;

    memset(t, 0, sizeof *t);
    t->timer_ms = INT64_MAX;
    if (!trust_init(&t->trust, o->ca_bundle, fault))
        return false;
    made = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK &&
           make_multi(t);
    for (uint32_t i = 0; i < CFG_SOCKET_COUNT && made; i++) {
        t->slot[i].transport = t;
        made = handle_make(&t->slot[i], o->user_agent);
    }
    if (!made)
        fault_set(fault, ERROR_LIMIT, TRANSPORT_POOL_FULL, CFG_POOL_BYTES);
    return made;
}
