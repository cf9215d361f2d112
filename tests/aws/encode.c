/* encode.c - JSON, XML, hex, base64, percent and dates, both ways. */
#include "text.h"

#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

/* How each byte stands in a JSON string, made at the first use. */
struct escape { char text[7]; uint8_t len; };

static const struct escape *json_escapes(void)
{
    static struct escape table[256];
    static const char named[32] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n',
                                   ['\f'] = 'f', ['\r'] = 'r'};
    for (unsigned c = 0; table[255].len == 0; c++) {
        struct escape *e = &table[c];
        char two = c < 32 ? named[c] : (char)c;
        if (c < 32 && two == 0) {
            memcpy(e->text, "\\u00", 4);
            e->text[4] = hex_digits[c >> 4];
            e->text[5] = hex_digits[c & 15];
            e->len = 6;
        } else if (c < 32 || c == '"' || c == '\\') {
            e->text[0] = '\\';
            e->text[1] = two;
            e->len = 2;
        } else {
            e->text[0] = two;
            e->len = 1;
        }
    }
    return table;
}

static size_t surrogate_escape(char *to, const uint8_t *at)
{
    unsigned unit = 0xd000u | (at[1] & 0x3fu) << 6 | (at[2] & 0x3fu);
    memcpy(to, "\\u", 2);
    for (unsigned i = 0; i < 4; i++)
        to[2 + i] = hex_digits[unit >> (12 - 4 * i) & 15];
    return 6;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the first byte in memory is the lowest of a word");

/* How many of the eight bytes come before one that may need an escape; ED
 * may start a surrogate, so it counts. */
static size_t plain_before(const uint8_t *at)
{
    const uint64_t ones = 0x0101010101010101u, tops = ones << 7;
    uint64_t x;
    memcpy(&x, at, 8);
    uint64_t quote = x ^ ones * '"', slash = x ^ ones * '\\';
    uint64_t ed = x ^ ones * 0xed;
    uint64_t low = (x - ones * 0x20) & ~x;
    uint64_t hit = (low | ((quote - ones) & ~quote) |
                    ((slash - ones) & ~slash) | ((ed - ones) & ~ed)) & tops;
    return hit == 0 ? 8 : (size_t)__builtin_ctzll(hit) / 8;
}

char *aws_json_to(char *to, const void *bytes, size_t len)
{
    const struct escape *table = json_escapes();
    const uint8_t *at = bytes;
    size_t i = 0;
    while (i < len) {
        if (i + 8 <= len) {
            size_t plain = plain_before(at + i);
            memcpy(to, at + i, 8);  /* what is not plain is written over */
            to += plain;
            i += plain;
            if (plain == 8) continue;
        }
        do {
            const struct escape *e = &table[at[i]];
            if (at[i] == 0xed && len - i > 2 && at[i + 1] >= 0xa0) {
                to += surrogate_escape(to, at + i);
                i += 3;
                continue;
            }
            memcpy(to, e->text, 7);
            to += e->len;
            i++;
        } while (i < len && table[at[i]].len > 1);
    }
    return to;
}

void aws_put_json(struct aws_buf *b, const void *bytes, size_t len)
{
    char *start = aws_room(b, 6 * len + 16);
    b->len += (size_t)(aws_json_to(start, bytes, len) - start);
    b->at[b->len] = '\0';
}

static char *put_unit(char *to, unsigned unit, bool upper)
{
    static const char big[] = "0123456789ABCDEF";
    *to++ = '\\';
    *to++ = 'u';
    for (unsigned i = 0; i < 4; i++) {
        unsigned digit = unit >> (12 - 4 * i) & 15;
        *to++ = upper ? big[digit] : hex_digits[digit];
    }
    return to;
}

/* Bytes of the character that starts here, and its code. */
static size_t decode_one(const uint8_t *at, size_t left, unsigned *code)
{
    size_t len = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    *code = len == 1 ? at[0] : at[0] & (0xffu >> (len + 1));
    if (len > left) return 0;
    for (size_t i = 1; i < len; i++) *code = *code << 6 | (at[i] & 0x3fu);
    return len;
}

char *aws_json_odd_to(char *to, struct aws_text t, uint64_t chance)
{
    const uint8_t *at = (const uint8_t *)t.at;
    for (size_t i = 0; i < t.len;) {
        unsigned code;
        size_t len = decode_one(at + i, t.len - i, &code);
        bool upper = chance & 1, odd = (chance >> 1) % 8 == 0;
        chance = chance * 6364136223846793005u + 1442695040888963407u;
        chance ^= chance >> 29;
        if (len == 0 || !odd) {
            size_t plain = len == 0 ? 1 : len;
            to = aws_json_to(to, at + i, plain);
            i += plain;
            continue;
        }
        i += len;
        if (code == '/' && upper) {
            memcpy(to, "\\/", 2);
            to += 2;
        } else if (code < 0x10000) {
            to = put_unit(to, code, upper);
        } else {
            to = put_unit(to, 0xd800 + ((code - 0x10000) >> 10), upper);
            to = put_unit(to, 0xdc00 + ((code - 0x10000) & 0x3ff), !upper);
        }
    }
    return to;
}

void aws_put_xml(struct aws_buf *b, struct aws_text t)
{
    for (size_t i = 0; i < t.len; i++) {
        switch (t.at[i]) {
        case '&':  aws_puts(b, "&amp;"); break;
        case '<':  aws_puts(b, "&lt;"); break;
        case '>':  aws_puts(b, "&gt;"); break;
        case '"':  aws_puts(b, "&quot;"); break;
        case '\r': aws_puts(b, "&#13;"); break;
        default:   aws_put(b, t.at + i, 1); break;
        }
    }
}

void aws_put_hex(struct aws_buf *b, const void *at, size_t len)
{
    const uint8_t *byte = at;
    for (size_t i = 0; i < len; i++) {
        char two[2] = {hex_digits[byte[i] >> 4], hex_digits[byte[i] & 15]};
        aws_put(b, two, 2);
    }
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void aws_put_base64(struct aws_buf *b, const void *at, size_t len)
{
    const uint8_t *in = at;
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        unsigned v = (unsigned)in[i] << 16;
        if (left > 1) v |= (unsigned)in[i + 1] << 8;
        if (left > 2) v |= in[i + 2];
        char four[4] = {base64_digits[v >> 18], base64_digits[v >> 12 & 63],
                        left > 1 ? base64_digits[v >> 6 & 63] : '=',
                        left > 2 ? base64_digits[v & 63] : '='};
        aws_put(b, four, 4);
    }
}

static bool unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
           c == '~';
}

void aws_put_percent(struct aws_buf *b, struct aws_text t, bool keep_slash)
{
    static const char upper[] = "0123456789ABCDEF";
    for (size_t i = 0; i < t.len; i++) {
        uint8_t c = (uint8_t)t.at[i];
        if (unreserved(t.at[i]) || (keep_slash && c == '/')) {
            aws_put(b, t.at + i, 1);
        } else {
            char three[3] = {'%', upper[c >> 4], upper[c & 15]};
            aws_put(b, three, 3);
        }
    }
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool aws_unpercent(struct aws_text t, bool plus_is_space,
                   struct aws_buf *out)
{
    (void)aws_room(out, t.len + 1);
    for (size_t i = 0; i < t.len; i++) {
        char c = t.at[i];
        if (c == '%') {
            if (t.len - i < 3) return false;
            int high = hex_value(t.at[i + 1]), low = hex_value(t.at[i + 2]);
            if (high < 0 || low < 0) return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        aws_put(out, &c, 1);
    }
    return true;
}

bool aws_unbase64(struct aws_text t, struct aws_buf *out)
{
    if (t.len % 4 != 0) return false;
    for (size_t i = 0; i < t.len; i += 4) {
        unsigned v = 0, pad = 0;
        for (size_t k = 0; k < 4; k++) {
            char c = t.at[i + k];
            const char *found = c != '\0' ? strchr(base64_digits, c) : NULL;
            bool may_pad = i + 4 == t.len && k >= 2;
            if (found == NULL && !(c == '=' && may_pad)) return false;
            if (found != NULL && pad > 0) return false;
            pad += found == NULL;
            v = v << 6 | (found != NULL ? (unsigned)(found - base64_digits)
                                        : 0);
        }
        char three[3] = {(char)(v >> 16 & 255), (char)(v >> 8 & 255),
                         (char)(v & 255)};
        aws_put(out, three, 3 - pad);
    }
    return true;
}

bool aws_unhex(struct aws_text t, struct aws_buf *out)
{
    if (t.len % 2 != 0) return false;
    for (size_t i = 0; i < t.len; i += 2) {
        int high = hex_value(t.at[i]), low = hex_value(t.at[i + 1]);
        if (high < 0 || low < 0) return false;
        char c = (char)(high << 4 | low);
        aws_put(out, &c, 1);
    }
    return true;
}

/* Days since 1970-01-01 of a civil date, and back (Hinnant's algorithms). */
static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

struct civil { int year, month, day, weekday, hour, minute, second, ms; };

static struct civil civil_of(int64_t ms)
{
    int64_t day = ms / 86400000, rest = ms % 86400000;
    if (rest < 0) { rest += 86400000; day--; }
    int64_t z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153, month = mp + (mp < 10 ? 3 : -9);
    return (struct civil){
        (int)(yoe + era * 400 + (month <= 2)), (int)month,
        (int)(doy - (153 * mp + 2) / 5 + 1), (int)(((day + 4) % 7 + 7) % 7),
        (int)(rest / 3600000), (int)(rest / 60000 % 60),
        (int)(rest / 1000 % 60), (int)(rest % 1000)};
}

void aws_put_http_date(struct aws_buf *b, int64_t ms)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct civil c = civil_of(ms);
    aws_printf(b, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
               days + 3 * c.weekday, c.day, months + 3 * (c.month - 1),
               c.year, c.hour, c.minute, c.second);
}

void aws_put_iso(struct aws_buf *b, int64_t ms)
{
    struct civil c = civil_of(ms);
    aws_printf(b, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", c.year, c.month,
               c.day, c.hour, c.minute, c.second, c.ms);
}

void aws_put_amz_date(struct aws_buf *b, int64_t ms)
{
    struct civil c = civil_of(ms);
    aws_printf(b, "%04d%02d%02dT%02d%02d%02dZ", c.year, c.month, c.day,
               c.hour, c.minute, c.second);
}

static bool digits(const char *at, size_t len, int64_t *value)
{
    return at[0] != '-' && aws_int((struct aws_text){at, len}, value);
}

bool aws_read_amz_date(struct aws_text t, int64_t *ms)
{
    int64_t y, mo, d, h, mi, s;
    if (t.len != 16 || t.at[8] != 'T' || t.at[15] != 'Z') return false;
    if (!digits(t.at, 4, &y) || !digits(t.at + 4, 2, &mo) ||
        !digits(t.at + 6, 2, &d) || !digits(t.at + 9, 2, &h) ||
        !digits(t.at + 11, 2, &mi) || !digits(t.at + 13, 2, &s))
        return false;
    if (mo < 1 || mo > 12 || d < 1 || d > 31 || h > 23 || mi > 59 || s > 60)
        return false;
    *ms = ((days_of(y, mo, d) * 24 + h) * 60 + mi) * 60000 + s * 1000;
    return true;
}

int64_t aws_day_ms(int year, int month, int day)
{
    return days_of(year, month, day) * 86400000;
}
