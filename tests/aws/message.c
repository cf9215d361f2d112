/* message.c - web, json, noise and tiny lines. */
#include "message.h"

#include <stdio.h>
#include <string.h>

#define TEXT(s) {s, sizeof s - 1}
static const struct aws_text paths[] = {
    TEXT("/"), TEXT("/index.html"), TEXT("/api/v1/items"),
    TEXT("/api/v1/items/"), TEXT("/api/v1/cart"), TEXT("/api/v1/orders/"),
    TEXT("/api/v1/users/"), TEXT("/login"), TEXT("/logout"), TEXT("/health"),
    TEXT("/static/app.js"), TEXT("/static/app.css"), TEXT("/static/logo.svg"),
    TEXT("/search?q="), TEXT("/img/products/"), TEXT("/favicon.ico"),
    TEXT("/api/v2/recommend?user="), TEXT("/api/v1/stock/"), TEXT("/checkout"),
    TEXT("/api/v1/payment/")};
static const struct aws_text agents[] = {
    TEXT("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"),
    TEXT("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X)"),
    TEXT("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15"),
    TEXT("Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/130.0.0.0"),
    TEXT("Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Firefox/131.0"),
    TEXT("kube-probe/1.31"), TEXT("curl/8.14.1"), TEXT("okhttp/4.12.0"),
    TEXT("Googlebot/2.1 (+http://www.google.com/bot.html)"),
    TEXT("ELB-HealthChecker/2.0"), TEXT("python-requests/2.32.3"),
    TEXT("axios/1.7.7")};
static const struct aws_text methods[] = {
    TEXT("GET"), TEXT("GET"), TEXT("GET"), TEXT("GET"), TEXT("GET"),
    TEXT("POST"), TEXT("POST"), TEXT("PUT")};
static const struct aws_text statuses[] = {
    TEXT("200"), TEXT("200"), TEXT("200"), TEXT("200"), TEXT("200"),
    TEXT("200"), TEXT("304"), TEXT("204"), TEXT("200"), TEXT("302"),
    TEXT("404"), TEXT("200"), TEXT("200"), TEXT("500"), TEXT("200"),
    TEXT("201")};
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static char *put(char *to, struct aws_text t)
{
    memcpy(to, t.at, t.len);
    return to + t.len;
}
#define PUT(to, s) put(to, (struct aws_text)TEXT(s))

static char *put2(char *to, unsigned v)
{
    to[0] = (char)('0' + v / 10);
    to[1] = (char)('0' + v % 10);
    return to + 2;
}

static char *put_number(char *to, unsigned v)
{
    char digit[10];
    size_t n = 0;
    do digit[n++] = (char)('0' + v % 10); while ((v /= 10) > 0);
    while (n > 0) *to++ = digit[--n];
    return to;
}

static char *put_hex(char *to, uint64_t v, unsigned digits)
{
    for (unsigned i = 0; i < digits; i++)
        *to++ = "0123456789abcdef"[v >> (60 - 4 * i) & 15];
    return to;
}

/* A small number is likelier than a large one, as of clients and pages. */
static unsigned skewed(uint64_t chance, unsigned below)
{
    uint64_t a = chance & 0xffff;
    return (unsigned)((a * a >> 16) * below >> 16);
}

static char *put_clock(char *to, int64_t at)
{
    unsigned second = (unsigned)(at / 1000 % 86400);
    to = put2(to, second / 3600);
    *to++ = ':';
    to = put2(to, second / 60 % 60);
    *to++ = ':';
    return put2(to, second % 60);
}

/* 09/Nov/2026, remembered for the day: the text depends on the day alone. */
static char *put_day(char *to, int64_t at)
{
    static int64_t known = -1;
    static char text[12];
    if (at / 86400000 != known) {
        struct aws_buf iso = {0};
        aws_put_iso(&iso, at);
        unsigned month = (unsigned)(iso.at[5] - '0') * 10 +
                         (unsigned)(iso.at[6] - '0');
        (void)snprintf(text, sizeof text, "%.2s/%.3s/%.4s", iso.at + 8,
                       months + 3 * (month - 1), iso.at);
        aws_free_buf(&iso);
        known = at / 86400000;
    }
    memcpy(to, text, 11);
    return to + 11;
}

static void web_message(struct aws_buf *out, uint64_t chance, int64_t at)
{
    uint64_t more = aws_mix(chance);
    unsigned client = skewed(chance, 30000) * 2654435761u;
    unsigned path = skewed(chance >> 16, sizeof paths / sizeof paths[0]);
    char *start = aws_room(out, 512), *to = start;
    to = put(to, client & 1 ? aws_str("10.") : aws_str("172."));
    to = put_number(to, client >> 8 & 255);
    *to++ = '.';
    to = put_number(to, client >> 16 & 255);
    *to++ = '.';
    to = put_number(to, client >> 24);
    to = PUT(to, " - - [");
    to = put_day(to, at);
    *to++ = ':';
    to = put_clock(to, at);
    to = PUT(to, " +0000] \"");
    to = put(to, methods[chance >> 32 & 7]);
    *to++ = ' ';
    to = put(to, paths[path]);
    char last = to[-1];
    if ((last == '/' && path > 0) || last == '=')
        to = put_number(to, skewed(more, 100000));
    to = PUT(to, " HTTP/1.1\" ");
    to = put(to, statuses[chance >> 36 & 15]);
    *to++ = ' ';
    to = put_number(to, skewed(more >> 16, 60000));
    to = PUT(to, " \"-\" \"");
    to = put(to, agents[skewed(chance >> 40, sizeof agents /
                                             sizeof agents[0])]);
    to = PUT(to, "\" 0.");
    to = put_number(to, 100 + skewed(more >> 32, 900));
    *to++ = ' ';
    to = put_hex(to, more >> 8, 8);
    out->len += (size_t)(to - start);
}

static void json_message(struct aws_buf *out, uint64_t chance, int64_t at)
{
    static const struct aws_text levels[] = {
        TEXT("info"), TEXT("info"), TEXT("info"), TEXT("debug"), TEXT("info"),
        TEXT("info"), TEXT("warn"), TEXT("error")};
    static const struct aws_text texts[] = {
        TEXT("request completed"), TEXT("cache miss"), TEXT("token validated"),
        TEXT("retrying upstream call"), TEXT("row inserted"),
        TEXT("queue drained"), TEXT("slow query"),
        TEXT("connection reset by peer")};
    uint64_t more = aws_mix(chance);
    char *start = aws_room(out, 512), *to = start;
    to = PUT(to, "{\"level\":\"");
    to = put(to, levels[chance & 7]);
    to = PUT(to, "\",\"time\":\"");
    to = put_clock(to, at);
    *to++ = '.';
    to = put_number(to, (unsigned)(at % 1000));
    to = PUT(to, "Z\",\"logger\":\"http.server\",\"msg\":\"");
    to = put(to, texts[chance >> 3 & 7]);
    to = PUT(to, "\",\"trace_id\":\"");
    to = put_hex(to, more, 16);
    to = put_hex(to, aws_mix(more), 16);
    to = PUT(to, "\",\"user\":");
    to = put_number(to, skewed(chance >> 8, 50000));
    to = PUT(to, ",\"path\":\"");
    to = put(to, paths[skewed(chance >> 24, sizeof paths /
                                            sizeof paths[0])]);
    to = PUT(to, "\",\"status\":");
    to = put(to, statuses[chance >> 40 & 15]);
    to = PUT(to, ",\"duration_ms\":");
    to = put_number(to, skewed(chance >> 44, 2000));
    to = PUT(to, ",\"pod\":\"api-7d9c5f-");
    to = put_number(to, skewed(more, 40));
    to = PUT(to, "\"}");
    out->len += (size_t)(to - start);
}

static void noise_message(struct aws_buf *out, uint64_t chance, int64_t at)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij"
                                "klmnopqrstuvwxyz0123456789+/";
    size_t len = 200 + (size_t)(chance % 800);
    char *to = aws_room(out, len + 16);
    (void)at;
    for (size_t i = 0; i < len; i += 10) {
        chance = aws_mix(chance);
        for (size_t k = 0; k < 10; k++)
            to[i + k] = digit[chance >> (6 * k) & 63];
    }
    out->len += len;
}

static void tiny_message(struct aws_buf *out, uint64_t chance, int64_t at)
{
    (void)at;
    aws_put(out, &"abc"[chance % 3], 1 + chance / 3 % (3 - chance % 3));
}

static void plain_stream(struct aws_buf *out, uint64_t chance,
                         uint32_t index)
{
    char id[16];
    (void)put_hex(id, aws_mix(chance + index), 16);
    aws_puts(out, "api/api-container/");
    aws_put(out, id, sizeof id);
    aws_printf(out, "%08x", index);
}

const struct aws_profile *aws_profile_of(const char *name)
{
    static const struct aws_profile known[] = {
        {"web", web_message, plain_stream},
        {"json", json_message, plain_stream},
        {"noise", noise_message, plain_stream},
        {"tiny", tiny_message, plain_stream},
        {"hostile", aws_hostile_message, aws_hostile_stream},
        {"huge", aws_huge_message, aws_hostile_stream}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].name, name) == 0) return &known[i];
    return NULL;
}
