/* text.c - see text.h. */
#include "base/text.h"

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool view_is_nocase(struct view v, const char *string)
{
    struct view s = view_of(string);
    if (v.len != s.len)
        return false;
    for (uint32_t i = 0; i < v.len; i++)
        if (lower(v.at[i]) != lower(s.at[i]))
            return false;
    return true;
}

bool view_ends(struct view v, const char *suffix)
{
    struct view s = view_of(suffix);
    return v.len >= s.len && view_equal(view_slice(v, v.len - s.len, v.len), s);
}

struct view view_trim(struct view v)
{
    uint32_t from = 0, to = v.len;
    while (from < to && is_blank(v.at[from]))
        from++;
    while (to > from && is_blank(v.at[to - 1]))
        to--;
    return view_slice(v, from, to);
}

struct view view_split(struct view *v, uint8_t byte)
{
    uint32_t at = view_find(*v, byte);
    struct view before = view_slice(*v, 0, at);
    *v = view_slice(*v, at < v->len ? at + 1 : at, v->len);
    return before;
}

bool view_u64(struct view v, uint64_t most, uint64_t *out)
{
    uint64_t value = 0;
    if (v.len == 0 || v.len > 20)
        return false;
    for (uint32_t i = 0; i < v.len; i++) {
        if (v.at[i] < '0' || v.at[i] > '9')
            return false;
        uint64_t digit = v.at[i] - (uint64_t)'0';
        if (digit > most || value > (most - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

bool view_i64(struct view v, int64_t *out)
{
    bool minus = v.len > 0 && v.at[0] == '-';
    uint64_t most = (uint64_t)INT64_MAX + minus, value;
    if (!view_u64(view_slice(v, minus, v.len), most, &value))
        return false;
    if (!minus)
        *out = (int64_t)value;
    else
        *out = value > (uint64_t)INT64_MAX ? INT64_MIN : -(int64_t)value;
    return true;
}

bool view_copy(struct view v, char *at, uint32_t capacity)
{
    CHECK(capacity > 0);
    at[0] = '\0';
    if (v.len >= capacity || view_find(v, '\0') < v.len)
        return false;
    if (v.len > 0)
        memcpy(at, v.at, v.len);
    at[v.len] = '\0';
    return true;
}

void text_init(struct text *t, char *at, uint32_t capacity)
{
    CHECK(at != NULL);
    CHECK(capacity > 0);
    t->at = at;
    t->capacity = capacity;
    text_reset(t);
}

void text_reset(struct text *t)
{
    t->len = 0;
    t->overflow = false;
    t->at[0] = '\0';
}

/* Room for `len` bytes and the NUL, or NULL and the overflow is noted. The
 * caller fills all of it. */
static char *take(struct text *t, uint32_t len)
{
    CHECK(t->len < t->capacity);
    if (t->overflow || len > t->capacity - 1 - t->len) {
        t->overflow = true;
        return NULL;
    }
    char *room = t->at + t->len;
    t->len += len;
    t->at[t->len] = '\0';
    return room;
}

void text_put(struct text *t, struct view v)
{
    char *room = take(t, v.len);
    if (room != NULL && v.len > 0)
        memcpy(room, v.at, v.len);
}

void text_str(struct text *t, const char *string)
{
    text_put(t, view_of(string));
}

void text_char(struct text *t, char c)
{
    char *room = take(t, 1);
    if (room != NULL)
        *room = c;
}

void text_pad(struct text *t, uint64_t value, uint32_t width)
{
    char digits[20];
    uint32_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (uint32_t len = sizeof digits - at; len < width; len++)
        text_char(t, '0');
    text_put(t, (struct view){(const uint8_t *)digits + at,
                              (uint32_t)sizeof digits - at});
}

void text_u64(struct text *t, uint64_t value)
{
    text_pad(t, value, 1);
}

void text_i64(struct text *t, int64_t value)
{
    if (value < 0)
        text_char(t, '-');
    text_u64(t, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void text_hex(struct text *t, struct view bytes)
{
    static const char digit[] = "0123456789abcdef";
    CHECK(bytes.len <= UINT32_MAX / 2);
    char *room = take(t, bytes.len * 2);
    for (uint32_t i = 0; room != NULL && i < bytes.len; i++) {
        room[2 * i] = digit[bytes.at[i] >> 4];
        room[2 * i + 1] = digit[bytes.at[i] & 15];
    }
}

/* RFC 4648 section 4. */
void text_base64(struct text *t, struct view bytes)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789+/";
    for (uint32_t i = 0; i < bytes.len; i += 3) {
        uint32_t left = bytes.len - i;
        uint32_t group = (uint32_t)bytes.at[i] << 16;
        if (left > 1)
            group |= (uint32_t)bytes.at[i + 1] << 8;
        if (left > 2)
            group |= bytes.at[i + 2];
        text_char(t, digit[group >> 18]);
        text_char(t, digit[group >> 12 & 63]);
        text_char(t, left > 1 ? digit[group >> 6 & 63] : '=');
        text_char(t, left > 2 ? digit[group & 63] : '=');
    }
}

void text_utf8(struct text *t, uint32_t point)
{
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    uint32_t len = point < 0x80 ? 1 : point < 0x800 ? 2 :
                   point < 0x10000 ? 3 : 4;
    CHECK(point <= 0x10ffff);
    char *room = take(t, len);
    if (room == NULL)
        return;
    for (uint32_t i = len; i-- > 1; point >>= 6)
        room[i] = (char)(0x80 | (point & 0x3f));
    room[0] = (char)(lead[len] | point);
}

static bool is_unreserved(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
           c == '~';
}

void text_percent(struct text *t, struct view v, bool keep_slash)
{
    static const char digit[] = "0123456789ABCDEF";
    for (uint32_t i = 0; i < v.len; i++) {
        uint8_t c = v.at[i];
        bool plain = is_unreserved(c) || (keep_slash && c == '/');
        char *room = take(t, plain ? 1 : 3);
        if (room == NULL)
            return;
        room[0] = plain ? (char)c : '%';
        if (plain)
            continue;
        room[1] = digit[c >> 4];
        room[2] = digit[c & 15];
    }
}

static bool is_json_plain(uint8_t c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

/* Whether all of eight bytes may stand in a JSON string as they are: no byte
 * below 0x20, none that equals a quote or a backslash. The sum of the borrows
 * that reach a byte's top bit is exact for "none", which is all we ask. */
static bool eight_plain(const uint8_t *at)
{
    const uint64_t ones = 0x0101010101010101, tops = ones << 7;
    uint64_t w;
    memcpy(&w, at, sizeof w);
    uint64_t quote = w ^ ones * '"', slash = w ^ ones * '\\';
    uint64_t hit = ((w - ones * 0x20) & ~w) | ((quote - ones) & ~quote) |
                   ((slash - ones) & ~slash);
    return (hit & tops) == 0;
}

static uint32_t json_plain(struct view v, uint32_t from)
{
    uint32_t at = from;
    while (v.len - at >= 8 && eight_plain(v.at + at))
        at += 8;
    while (at < v.len && is_json_plain(v.at[at]))
        at++;
    return at;
}

static void json_escape(struct text *t, uint8_t c)
{
    static const char letter[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
    };
    char brief = c < 0x20 ? letter[c] : (char)c;
    if (brief != '\0') {
        char *room = take(t, 2);
        if (room != NULL) {
            room[0] = '\\';
            room[1] = brief;
        }
        return;
    }
    text_str(t, "\\u00");
    text_hex(t, (struct view){&c, 1});
}

void text_json(struct text *t, struct view v)
{
    uint32_t at = 0;
    while (at < v.len && !t->overflow) {
        uint32_t end = json_plain(v, at);
        text_put(t, view_slice(v, at, end));
        if (end < v.len)
            json_escape(t, v.at[end++]);
        at = end;
    }
}

struct view text_view(const struct text *t)
{
    return (struct view){(const uint8_t *)t->at, t->len};
}

void text_cut(struct text *t, uint32_t len)
{
    CHECK(len <= t->len);
    t->len = len;
    t->at[len] = '\0';
    t->overflow = false;
}
