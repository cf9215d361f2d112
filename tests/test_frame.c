/* test_frame.c - the events of a reply come out, however it is written and
 * however it is sliced.
 * Method: what a frame tells is written down as lines, and rows say which
 * lines a reply must give: whole, in every slicing, through small rings, with
 * little room for the message, cut after every byte. */
#include <stdlib.h>

#include "base/chance.h"
#include "fetch/frame.h"
#include "row.h"

enum { TOLD_BYTES = 1 << 17, MESSAGE_BYTES = 1 << 16 };

/* How a reply is fed, and how much room its messages find. */
struct feed {
    uint32_t first, piece;
    uint32_t ring_bytes;
    uint32_t room;
    bool     not_ended;   /* more may follow */
};

static const struct feed whole = {1 << 20, 1 << 20, 1 << 16, 1 << 14, false};

static void tell_event(struct text *told, const struct log_event *e,
                       struct view message)
{
    text_i64(told, e->timestamp_ms);
    text_char(told, '|');
    text_i64(told, e->ingestion_ms);
    text_char(told, '|');
    text_put(told, e->stream);
    text_char(told, '|');
    text_put(told, e->id);
    text_char(told, '|');
    text_put(told, message);
    text_char(told, '\n');
}

/* What was fed so far of the reply. */
struct source {
    struct view in;
    struct feed feed;
    uint32_t    at;
};

static void refill(struct source *s, struct ring *r)
{
    uint32_t left = s->in.len - s->at;
    uint32_t len = s->at == 0 ? s->feed.first : s->feed.piece;
    s->at += ring_write(r, view_slice(s->in, s->at,
                                      s->at + (len < left ? len : left)));
    if (s->at == s->in.len && !s->feed.not_ended)
        ring_end(r);
}

/* Ends in "end TOKEN", "bad WHAT" or "more". */
static void tell(struct text *told, struct view reply, struct feed feed)
{
    static struct frame f;
    uint8_t *bytes = malloc(feed.ring_bytes), *room = malloc(feed.room);
    static char kept[MESSAGE_BYTES];
    struct source source = {reply, feed, 0};
    struct text message;
    struct ring r;
    enum frame_got got;
    ring_init(&r, bytes, feed.ring_bytes);
    text_reset(told);
    text_init(&message, kept, sizeof kept);
    frame_init(&f, DECODE_JSON);
    while (true) {
        got = frame_step(&f, &r, (struct span){room, feed.room});
        if (got == FRAME_END || got == FRAME_BAD)
            break;
        if (got == FRAME_MORE) {
            CHECK(ring_len(&r) == 0);
            if (source.at == reply.len && feed.not_ended)
                break;
            refill(&source, &r);
            continue;
        }
        text_put(&message, (struct view){room, f.message_len});
        f.message_len = 0;
        if (got == FRAME_EVENT) {
            tell_event(told, &f.event, text_view(&message));
            text_reset(&message);
        }
    }
    text_str(told, got == FRAME_END ? "end " : got == FRAME_BAD ? "bad "
                                                                : "more");
    if (got == FRAME_END)
        text_put(told, f.next_token);
    if (got == FRAME_BAD)
        text_str(told, f.fault.what);
    CHECK(!told->overflow);
    CHECK(got != FRAME_BAD || (f.fault.error == ERROR_REMOTE) !=
                                  (f.fault.error == ERROR_LIMIT));
    free(bytes);
    free(room);
}

#define E(members) "{\"events\":[{" members "}]}"
#define T "\"timestamp\":5"

static const struct row {
    const char *name, *in, *want;
} rows[] = {
    {"as CloudWatch writes it",
     "{\"events\":[{\"logStreamName\":\"s\",\"timestamp\":17,"
     "\"message\":\"m\",\"ingestionTime\":18,\"eventId\":\"36\"},"
     "{\"logStreamName\":\"t\",\"timestamp\":19,\"message\":\"n\","
     "\"ingestionTime\":20,\"eventId\":\"37\"}],"
     "\"searchedLogStreams\":[],\"nextToken\":\"abc\"}",
     "17|18|s|36|m\n19|20|t|37|n\nend abc"},
    {"no event", "{\"events\":[]}", "end "},
    {"no event, a token", "{\"events\":[],\"nextToken\":\"t\"}", "end t"},
    {"the token first", "{\"nextToken\":\"t\",\"events\":[{" T "}]}",
     "5|0|||\nend t"},
    {"an empty object", "{}", "end "},
    {"null for a list and a token", "{\"events\":null,\"nextToken\":null}",
     "end "},
    {"two lists", "{\"events\":[{" T "}],\"events\":[{" T "}]}",
     "5|0|||\n5|0|||\nend "},
    {"of two tokens the last",
     "{\"nextToken\":\"abc\",\"nextToken\":\"d\"}", "end d"},
    {"blanks everywhere",
     "\n{ \"events\"\t:\r\n[ { \"message\" : \"a b\" , \"timestamp\" : 5 } "
     ", { \"timestamp\" :\t6\n} ] , \"nextToken\" : \"t\" } \n",
     "5|0|||a b\n6|0|||\nend t"},
    {"a byte order mark", "\xef\xbb\xbf{\"events\":[]}", "end "},
    {"half a byte order mark", "\xef\xbb{\"events\":[]}",
     "bad a reply that is not a JSON object"},
    {"two byte order marks", "\xef\xbb\xbf\xef\xbb\xbf{\"events\":[]}",
     "bad a reply that is not a JSON object"},
    {"a byte order mark later", " \xef\xbb\xbf{\"events\":[]}",
     "bad a reply that is not a JSON object"},
    {"members missing", E(T), "5|0|||\nend "},
    {"no timestamp", E("\"message\":\"m\""),
     "bad an event without a timestamp"},
    {"a timestamp of null", E("\"timestamp\":null"),
     "bad an event without a timestamp"},
    {"a timestamp in quotes", E("\"timestamp\":\"5\""),
     "bad an event without a timestamp"},
    {"null for all others",
     E("\"message\":null,\"logStreamName\":null," T ",\"eventId\":null,"
       "\"ingestionTime\":null"), "5|0|||\nend "},
    {"of doubled members the last",
     E("\"message\":\"longer\",\"timestamp\":4,\"logStreamName\":\"long\","
       "\"eventId\":\"123\",\"message\":\"m\"," T ",\"logStreamName\":\"s\","
       "\"eventId\":\"4\",\"ingestionTime\":8,\"ingestionTime\":9"),
     "5|9|s|4|m\nend "},
    {"unknown members of every kind",
     E("\"a\":1,\"b\":-1.5e+3,\"c\":\"x\\\"}\",\"d\":[1,[\"]\"],{\"e\":{}}],"
       "\"f\":{\"timestamp\":9,\"message\":\"no\"},\"g\":true,\"h\":false,"
       "\"i\":null," T ",\"\":0,\"j\":[]"), "5|0|||\nend "},
    {"unknown members of the reply",
     "{\"a\":{\"events\":[{\"timestamp\":1}]},\"events\":[{" T "}],"
     "\"b\":[{\"timestamp\":2}],\"message\":\"m\",\"timestamp\":3}",
     "5|0|||\nend "},
    {"names of the reply inside an event",
     E("\"events\":[{\"timestamp\":1}],\"nextToken\":\"no\"," T),
     "5|0|||\nend "},
    {"names inside values",
     E("\"message\":\"\\\"timestamp\\\":9,\\\"message\\\":\"," T
       ",\"logStreamName\":\"\\\"eventId\\\":\\\"x\\\"\""),
     "5|0|\\\"eventId\\\":\\\"x\\\"||"
     "\\\"timestamp\\\":9,\\\"message\\\":\nend "},
    {"a name with escapes", E("\"t\\u0069mestamp\":5,\"mess\\u0061ge\":\"m\""),
     "5|0|||m\nend "},
    {"names that begin alike",
     E("\"time\":1,\"timestamps\":2,\"timestampX\":3," T ",\"messag\":\"n\","
       "\"messages\":\"n\""), "5|0|||\nend "},
    {"a name longer than its buffer",
     E("\"timestamp0123456789012345678901234567890123456789\":7," T
       ",\"0123456789012345678901234567890123456789012345678901234567"
       "timestamp\":8"), "5|0|||\nend "},
    {"message of another kind",
     E("\"message\":{\"a\":\"b\"}," T ",\"message\":7"), "5|0|||\nend "},
    {"an event before 1970", E("\"timestamp\":-5"), "-5|0|||\nend "},
    {"the greatest time", E("\"timestamp\":922337203685477580"),
     "922337203685477580|0|||\nend "},
    {"a greater one", E("\"timestamp\":92233720368547758070"),
     "bad a time out of range"},
    {"a time with a fraction", E("\"timestamp\":5.0"),
     "bad a time that is not a whole number"},
    {"a time with an exponent", E("\"timestamp\":5E3"),
     "bad a time that is not a whole number"},
    {"a time of a sign alone", E("\"timestamp\":-"),
     "bad a time that is not a whole number"},
    {"escapes in all that is kept",
     "{\"events\":[{" T ",\"logStreamName\":\"\\u00e9\\ud83d\\/\","
     "\"eventId\":\"\\\"\",\"message\":\"\\u00e9\\ud83d\\/\\u0000\"}],"
     "\"nextToken\":\"\\u0074\\/+\"}",
     "5|0|\xc3\xa9\\ud83d/|\"|\xc3\xa9\\ud83d/\\u0000\nend t/+"},
    {"empty", "", "bad a reply that ends too early"},
    {"blanks alone", " \n", "bad a reply that ends too early"},
    {"a page for people", "<html>", "bad a reply that is not a JSON object"},
    {"an array", "[{" T "}]", "bad a reply that is not a JSON object"},
    {"more after the end", "{}{}", "bad a reply with more after its end"},
    {"an error under a good status", "{\"__type\":\"InternalFailure\"}",
     "bad an error in place of events"},
    {"an event's member that looks like one", E(T ",\"__type\":1"),
     "5|0|||\nend "},
    {"events that are no list", "{\"events\":{\"a\":1}}",
     "bad a reply whose events are no list"},
    {"events that are a string", "{\"events\":\"none\"}",
     "bad a reply whose events are no list"},
    {"an event that is none", "{\"events\":[1]}",
     "bad a reply that is not JSON: no event"},
    {"no colon", "{\"events\" []}", "bad a reply that is not JSON: no colon"},
    {"no name", "{events:[]}",
     "bad a reply that is not JSON: no member's name"},
    {"no comma", "{\"events\":[] \"nextToken\":\"t\"}",
     "bad a reply that is not JSON: no comma"},
    {"no value", "{\"nextToken\":}", "bad a reply that is not JSON: no value"},
    {"an escape that is none", E("\"message\":\"\\x\""),
     "bad a reply that is not JSON: an escape"},
};

static bool tells(const char *name, struct view in, struct feed feed,
                  const char *want)
{
    static char at[TOLD_BYTES];
    struct text told;
    text_init(&told, at, sizeof at);
    tell(&told, in, feed);
    bool same = row_text(&told, want);
    if (!same)
        fprintf(stderr, "%s: slices of %u then %u, ring of %u, room %u\n",
                name, feed.first, feed.piece, feed.ring_bytes, feed.room);
    return same;
}

static void rows_in_every_slicing(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct view in = view_of(rows[i].in);
        failures += !tells(rows[i].name, in, whole, rows[i].want);
        for (uint32_t first = 1; first < in.len; first++) {
            struct feed two = {first, in.len, 1024, 64, false};
            failures += !tells(rows[i].name, in, two, rows[i].want);
        }
        for (uint32_t piece = 1; piece < in.len && piece < 40; piece++)
            for (uint32_t ring = 1; ring <= 64; ring *= 2) {
                struct feed small = {piece, piece, ring, 32 + ring % 5,
                                     false};
                failures += !tells(rows[i].name, in, small, rows[i].want);
            }
    }
    assert_int_equal(failures, 0);
}

/* Of a good reply, all that is shorter is not yet one. */
static void no_prefix_is_a_reply(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        static char at[TOLD_BYTES];
        struct text told;
        struct view in = view_trim(view_of(rows[i].in));
        bool good = strstr(rows[i].want, "end ") != NULL;
        text_init(&told, at, sizeof at);
        for (uint32_t len = 0; good && len < in.len; len++) {
            struct feed open = whole;
            open.not_ended = true;
            tell(&told, view_slice(in, 0, len), open);
            failures += BROKEN(rows[i].name,
                               view_ends(text_view(&told), "more"));
            tell(&told, view_slice(in, 0, len), whole);
            failures += BROKEN(
                rows[i].name, view_ends(text_view(&told),
                                        "bad a reply that ends too early"));
        }
    }
    assert_int_equal(failures, 0);
}

static void a_message_comes_in_pieces(void **state)
{
    struct view in = view_of(E(T ",\"message\":\"0123456789abcdef\\u0001"
                               "ghijklmnopqr\\n\xe2\x82\xac" "stuvwxyz\""));
    const char *want = "5|0|||0123456789abcdef\\u0001ghijklmnopqr\\n"
                       "\xe2\x82\xac" "stuvwxyz\nend ";
    int failures = 0;
    (void)state;
    for (uint32_t room = 16; room <= 80; room++)
        for (uint32_t piece = 1; piece <= in.len; piece++) {
            struct feed feed = {piece, piece, 256, room, false};
            failures += !tells("in pieces", in, feed, want);
        }
    assert_int_equal(failures, 0);
}

/* All orders of five members; what is expected of the next is then wrong. */
static void members_in_any_order(void **state)
{
    static const char *const member[] = {
        "\"logStreamName\":\"s\"", "\"timestamp\":5", "\"message\":\"m\"",
        "\"ingestionTime\":6", "\"eventId\":\"7\"",
    };
    int failures = 0;
    (void)state;
    for (uint32_t order = 0; order < 5 * 5 * 5 * 5 * 5; order++) {
        uint32_t used = 0, rest = order;
        char at[512];
        struct text in;
        text_init(&in, at, sizeof at);
        text_str(&in, "{\"events\":[{");
        for (int i = 0; i < 5; i++, rest /= 5) {
            used |= 1u << rest % 5;
            text_str(&in, i > 0 ? "," : "");
            text_str(&in, member[rest % 5]);
        }
        text_str(&in, "},{\"timestamp\":8,\"logStreamName\":\"x\"}]}");
        if (used != 31)
            continue;
        struct feed feed = {1 + order % 60, 1 + order % 31, 64, 64, false};
        failures += !tells(at, text_view(&in), feed,
                           "5|6|s|7|m\n8|0|x||\nend ");
        failures += !tells(at, text_view(&in), whole,
                           "5|6|s|7|m\n8|0|x||\nend ");
    }
    assert_int_equal(failures, 0);
}

/* Begin, then `unit` so many times, then the end. */
static char *repeat(const char *begin, const char *unit, size_t count,
                    const char *back, const char *end)
{
    size_t each = strlen(unit), less = strlen(back), len = strlen(begin);
    char *all = malloc(len + count * (each + less) + strlen(end) + 1);
    memcpy(all, begin, len);
    for (size_t i = 0; i < count; i++, len += each)
        memcpy(all + len, unit, each);
    for (size_t i = 0; i < count; i++, len += less)
        memcpy(all + len, back, less);
    memcpy(all + len, end, strlen(end) + 1);
    return all;
}

static void what_is_not_wanted_costs_nothing(void **state)
{
    static const struct {
        const char *name, *begin, *unit, *back, *end, *want;
        size_t count;
    } big[] = {
        {"depth of arrays", "{\"a\":", "[", "]", ",\"events\":[]}", "end ",
         100000},
        {"depth of objects", "{\"events\":[{\"x\":", "{\"message\":", "}",
         "," T "}]}", "bad a reply that is not JSON", 0},
        {"objects in an event", "{\"events\":[{\"x\":{\"y\":0", ",\"a\":[{}]",
         "", "}," T "}]}", "5|0|||\nend ", 100000},
        {"a string", "{\"a\":\"", "01234567\\\"", "", "\",\"events\":[]}",
         "end ", 1000000},
        {"a name", "{\"", "event\\u0073", "", "\":1,\"events\":[]}", "end ",
         100000},
        {"a number", "{\"a\":", "1234567890", "", ",\"events\":[]}", "end ",
         100000},
        {"blanks", "{\"a\":", " \t\r\n", "", "1,\"events\":[]}", "end ",
         100000},
        {"events", "{\"events\":[" , "{" T "},", "", "{" T "}]}", NULL,
         1000},
    };
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(big); i++) {
        static char at[TOLD_BYTES];
        struct feed feed = {7, 4096, 4096, 64, false};
        struct text told;
        if (big[i].count == 0)
            continue;
        char *in = repeat(big[i].begin, big[i].unit, big[i].count,
                          big[i].back, big[i].end);
        text_init(&told, at, sizeof at);
        tell(&told, view_of(in), feed);
        if (big[i].want != NULL)
            failures += BROKEN(big[i].name, row_text(&told, big[i].want));
        else
            failures += BROKEN(big[i].name,
                               told.len == 1001 * 7 + 4);
        free(in);
    }
    assert_int_equal(failures, 0);
}

/* A member filled with `unit` to `len` bytes, then `last`. */
static bool limit_is(const char *begin, const char *end, uint32_t len,
                     const char *last, const char *want)
{
    static char in[1 << 14], at[TOLD_BYTES];
    struct text t, told;
    bool good = true;
    text_init(&t, in, sizeof in);
    text_init(&told, at, sizeof at);
    text_str(&t, begin);
    for (uint32_t i = 0; i < len; i++)
        text_char(&t, 'x');
    text_str(&t, last);
    text_str(&t, end);
    CHECK(!t.overflow);
    for (uint32_t piece = 1; piece <= 4096; piece = piece * 3 + 1) {
        struct feed feed = {piece, piece, 4096, 64, false};
        tell(&told, text_view(&t), feed);
        const char *got = strstr(at, want);
        good = good && got != NULL;
    }
    if (!good)
        fprintf(stderr, "  got  \"%.60s\"...\n  want \"%s\"\n", at, want);
    return good;
}

static void what_is_too_long_names_its_limit(void **state)
{
    static const struct {
        const char *name, *begin, *end, *want;
        uint32_t    limit, lone;  /* bytes that \ud83d is kept in */
    } kinds[] = {
        {"stream", "{\"events\":[{\"logStreamName\":\"", "\"," T "}]}",
         "bad CFG_STREAM_BYTES", CFG_STREAM_BYTES, 6},
        {"id", "{\"events\":[{\"eventId\":\"", "\"," T "}]}",
         "bad FRAME_ID_BYTES", FRAME_ID_BYTES, 3},
        {"token", "{\"events\":[{" T "}],\"nextToken\":\"", "\"}",
         "bad CFG_TOKEN_BYTES", CFG_TOKEN_BYTES, 3},
    };
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(kinds); i++) {
        const char *b = kinds[i].begin, *e = kinds[i].end;
        uint32_t limit = kinds[i].limit;
        failures += BROKEN(kinds[i].name, limit_is(b, e, limit, "", "end "));
        failures += BROKEN(kinds[i].name,
                           limit_is(b, e, limit - kinds[i].lone, "\\ud83d",
                                    "end "));
        for (uint32_t over = 1; over <= 40; over++)
            failures += BROKEN(kinds[i].name, limit_is(b, e, limit + over,
                                                       "", kinds[i].want));
        for (uint32_t less = 0; less < 3; less++) {
            failures += BROKEN(kinds[i].name,
                               limit_is(b, e, limit - less, "\\ud83d",
                                        kinds[i].want));
            failures += BROKEN(kinds[i].name,
                               limit_is(b, e, limit - less, "\xe2\x82\xac",
                                        kinds[i].want));
        }
    }
    assert_int_equal(failures, 0);
}

/* Bytes changed, dropped and doubled: the same end in every slicing. */
static void broken_replies_end_alike_in_every_slicing(void **state)
{
    static char one[TOLD_BYTES], two[TOLD_BYTES];
    struct chance c;
    int failures = 0;
    (void)state;
    chance_init(&c, 7);
    for (int turn = 0; turn < 20000; turn++) {
        const struct row *row = &rows[chance_below(&c, ROW_COUNT(rows))];
        char in[1024];
        struct text t, a, b;
        uint32_t len = (uint32_t)strlen(row->in);
        text_init(&t, in, sizeof in);
        text_init(&a, one, sizeof one);
        text_init(&b, two, sizeof two);
        for (uint32_t i = 0; i < len; i++) {
            uint64_t what = chance_below(&c, 40);
            if (what > 0)
                text_char(&t, row->in[i]);
            if (what < 2)
                text_char(&t, row->in[chance_below(&c, len)]);
        }
        struct feed feed = {1 + (uint32_t)chance_below(&c, 64),
                            1 + (uint32_t)chance_below(&c, 64),
                            1u << chance_below(&c, 8), 64, false};
        tell(&a, text_view(&t), whole);
        tell(&b, text_view(&t), feed);
        failures += BROKEN(in, row_string(two, one));
    }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_in_every_slicing),
        cmocka_unit_test(no_prefix_is_a_reply),
        cmocka_unit_test(a_message_comes_in_pieces),
        cmocka_unit_test(members_in_any_order),
        cmocka_unit_test(what_is_not_wanted_costs_nothing),
        cmocka_unit_test(what_is_too_long_names_its_limit),
        cmocka_unit_test(broken_replies_end_alike_in_every_slicing),
    };
    return RUN(tests);
}
