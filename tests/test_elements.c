/* test_elements.c - what a reply says must not depend on how it came in.
 * Method: every row through rings of every small size, fed by pieces of every
 * size; hostile rows must end as bad, never run on. */
#include "row.h"
#include "ship/elements.h"

#define DEEP "<a><a><a><a><a><a><a><a><a><a><a><a>"
#define LONG "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

/* Want: "path=value;" for each element, then "." or "!" (bad). */
static const struct row { const char *name, *in, *want; } rows[] = {
    {"an element", "<a>x</a>", "a=x;."},
    {"a declaration, a namespace and blanks",
     "\n<?xml version=\"1.0\"?>\n<R xmlns=\"http://x/\"> <K>v</K></R>\n",
     "R/K=v;R=;."},
    {"white space for minutes, then an error",
     "         \n\n   <Error><Code>InternalError</Code></Error>",
     "Error/Code=InternalError;Error=;."},
    {"empty elements", "<a><b/><c /><d></d></a>", "a/b=;a/c=;a/d=;a=;."},
    {"prefixes are dropped", "<s:a><s:b>1</s:b></s:a>", "a/b=1;a=;."},
    {"blanks of a value stay", "<a> x </a >", "a= x ;."},
    {"the five entities", "<a>&amp;&lt;&gt;&quot;&apos;</a>", "a=&<>\"';."},
    {"character references", "<a>&#65;&#x42;&#x20AC;&#x1F600;</a>",
     "a=AB\xe2\x82\xac\xf0\x9f\x98\x80;."},
    {"a comment with tags in it", "<a><!-- <b> -- --->x</a>", "a=x;."},
    {"comments around", "<!--x--><a/><!--y--> ", "a=;."},
    {"an attribute with a bracket in it", "<a b='>' c=\"/>\">x</a>", "a=x;."},
    {"a byte order mark", "\xef\xbb\xbf<a/>", "a=;."},
    {"text between elements is not theirs", "<a>1<b>2</b>3</a>",
     "a/b=2;a=3;."},
    {"UTF-8 passes", "<a>\xed\x95\x9c</a>", "a=\xed\x95\x9c;."},
    {"tabs and carriage returns", "\t\r\n<a\tb='1'\r>x</a\t\r\n >\r\t",
     "a=x;."},
    {"a name of all that it may have", "<aZ9_-.\xc3\xa9>x</aZ9_-.\xc3\xa9>",
     "aZ9_-.\xc3\xa9=x;."},
    {"an instruction with marks in it", "<?a > b? >?><a/>", "a=;."},
    {"digits of both cases", "<a>&#x4a;&#x4A;</a>", "a=JJ;."},
    {"nothing", "", "!"},
    {"blanks only", " \n ", "!"},
    {"cut in a tag", "<a><b>1</b", "!"},
    {"cut in the middle", "<a><b>1</b>", "a/b=1;!"},
    {"not XML", "{\"error\": 1}", "!"},
    {"HTML of a proxy", "<html><body><br></body></html>", "!"},
    {"names that do not nest", "<a><b></a></b>", "!"},
    {"an end tag's name too short", "<ab></a>", "!"},
    {"an end tag's name too long", "<a></ab>", "!"},
    {"an end without a beginning", "</a>", "!"},
    {"two documents", "<a/><b/>", "a=;!"},
    {"text behind the end", "<a/>x", "a=;!"},
    {"a DOCTYPE", "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]>"
                  "<a>&b;</a>", "!"},
    {"CDATA", "<a><![CDATA[x]]></a>", "!"},
    {"an unknown entity", "<a>&nbsp;</a>", "!"},
    {"an entity without an end", "<a>&amp</a>", "!"},
    {"character nought", "<a>&#0;</a>", "!"},
    {"a surrogate", "<a>&#xD800;</a>", "!"},
    {"beyond Unicode", "<a>&#x110000;</a>", "!"},
    {"a number that would wrap", "<a>&#4294967361;</a>", "!"},
    {"no digits", "<a>&#x;</a>", "!"},
    {"a bracket in a tag", "<a <b></a>", "!"},
    {"a prefix without a name", "<a:>x</a:>", "!"},
    {"a colon first", "<:a></:a>", "!"},
    {"a blank before the name", "< a></a>", "!"},
    {"a brace in a name", "<a{></a{>", "!"},
    {"a bracket first", "<[a]></[a]>", "!"},
    {"an attribute without a blank", "<a=1></a>", "!"},
    {"a slash behind an end tag's name", "<a></a/>", "!"},
    {"a word behind an end tag's name", "<a></a b>", "!"},
    {"a slash in the middle of a tag", "<a/ >", "!"},
    {"a byte order mark at the end", "<a/>\xef\xbb\xbf", "a=;!"},
    {"no number", "<a>&#;</a>", "!"},
    {"a blank in a number", "<a>&# 5;</a>", "!"},
    {"a letter in a number", "<a>&#6A;</a>", "!"},
    {"a letter beyond all digits", "<a>&#x4g;</a>", "!"},
    {"an entity's name too long", "<a>&ampampampampamp;</a>", "!"},
    {"too deep", DEEP "<a>", "!"},
    {"as deep as it may be", DEEP "</a></a></a></a></a></a></a></a></a></a>"
     "</a></a>", NULL},
    {"names too long", "<" LONG "><" LONG "><" LONG ">", "!"},
    {"no room for a name",
     "<" LONG LONG "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn><a>", "!"},
};

static void list(struct elements *e, struct text *got)
{
    if (got->len < 400)  /* deep paths are long; the end is what counts */
        text_put(got, text_view(&e->path));
    text_char(got, '=');
    text_put(got, text_view(&e->value));
    text_char(got, ';');
}

static void feed(struct ring *r, struct view *left, uint32_t piece)
{
    struct view part = view_slice(*left, 0,
                                  piece < left->len ? piece : left->len);
    uint32_t took = ring_write(r, part);
    *left = view_slice(*left, took, left->len);
    if (left->len == 0)
        ring_end(r);
}

static bool holds(const struct row *row, uint32_t capacity, uint32_t piece)
{
    uint8_t bytes[64];
    char room[600];
    struct text got;
    struct ring r;
    struct elements e;
    struct view left = view_of(row->in);
    enum elements_event event = ELEMENTS_MORE;
    text_init(&got, room, sizeof room);
    ring_init(&r, bytes, capacity);
    elements_init(&e, &r);
    for (int turn = 0; turn < 4000 && event != ELEMENTS_END &&
         event != ELEMENTS_BAD; turn++) {
        feed(&r, &left, piece);
        while ((event = elements_next(&e)) == ELEMENTS_END_TAG)
            list(&e, &got);
    }
    text_char(&got, event == ELEMENTS_END ? '.' : '!');
    bool final = elements_next(&e) == event && ring_len(&r) == 0;
    return final && (row->want == NULL || row_text(&got, row->want));
}

static void every_slicing(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        for (uint32_t capacity = 1; capacity <= 64; capacity *= 4)
            for (uint32_t piece = 1; piece <= 64; piece = piece * 2 + 1)
                failures += BROKEN(rows[i].name,
                                   holds(&rows[i], capacity, piece));
    assert_int_equal(failures, 0);
}

static void long_values_are_cut_and_say_so(void **state)
{
    static uint8_t bytes[8192];
    struct ring r;
    struct elements e;
    (void)state;
    ring_init(&r, bytes, sizeof bytes);
    elements_init(&e, &r);
    ring_write(&r, view_of("<a><b>"));
    for (int i = 0; i < 4000; i++)
        ring_write(&r, view_of("x"));
    ring_write(&r, view_of("</b><c>y</c></a>"));
    ring_end(&r);
    assert_int_equal(elements_next(&e), ELEMENTS_END_TAG);
    assert_true(elements_at(&e, "a/b") && e.value.overflow);
    assert_int_equal(elements_next(&e), ELEMENTS_END_TAG);
    assert_true(elements_at(&e, "a/c") && !e.value.overflow);
    assert_int_equal(e.value.len, 1);
}

static void escaped_text_comes_back(void **state)
{
    uint8_t bytes[64];
    char room[64];
    struct ring r;
    struct elements e;
    struct text t;
    (void)state;
    text_init(&t, room, sizeof room);
    text_str(&t, "<a>");
    elements_escape(&t, view_of("\"x&<y>'"));
    text_str(&t, "</a>");
    ring_init(&r, bytes, sizeof bytes);
    elements_init(&e, &r);
    ring_write(&r, text_view(&t));
    ring_end(&r);
    assert_int_equal(elements_next(&e), ELEMENTS_END_TAG);
    assert_string_equal(e.value.at, "\"x&<y>'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_slicing),
        cmocka_unit_test(long_values_are_cut_and_say_so),
        cmocka_unit_test(escaped_text_comes_back),
    };
    return RUN(tests);
}
