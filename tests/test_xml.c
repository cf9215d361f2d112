/* test_xml.c - elements of AWS's replies are found; nothing is expanded. */
#include "base/xml.h"
#include "row.h"

static const char error[] =
    "\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- <Code>no</Code> -->"
    "<Error><Code>NoSuchKey</Code><Message>a &lt;b&gt; &amp; &#x20AC;"
    "</Message><Empty/><Key a='>'>x</Key ><e></e></Error>";

static const struct row {
    const char *name, *xml, *element, *want;  /* NULL: not found */
} rows[] = {
    {"a code", error, "Code", "NoSuchKey"},
    {"entities", error, "Message", "a <b> & \xe2\x82\xac"},
    {"an empty element", error, "Empty", ""},
    {"an open and closed one", error, "e", ""},
    {"an attribute with a bracket", error, "Key", "x"},
    {"what is not there", error, "Region", NULL},
    {"a part of a name", error, "Cod", NULL},
    {"a namespace prefix", "<s:Error><s:Code>A</s:Code></s:Error>", "Code",
     "A"},
    {"CDATA", "<a><![CDATA[<b>&amp;]]>c</a>", "a", "<b>&amp;c"},
    {"CDATA is not searched", "<a><![CDATA[<b>1</b>]]><b>2</b></a>", "b",
     "2"},
    {"the same name inside", "<a><a>1</a>2</a>", "a", "12"},
    {"quotes kept in an ETag", "<ETag>&quot;9b2c&quot;</ETag>", "ETag",
     "\"9b2c\""},
    {"a decimal reference", "<a>&#65;&#128512;</a>", "a",
     "A\xf0\x9f\x98\x80"},
    {"a surrogate by reference", "<a>&#xD800;</a>", "a", NULL},
    {"NUL by reference", "<a>&#0;</a>", "a", NULL},
    {"a huge reference", "<a>&#x110000;</a>", "a", NULL},
    {"an endless reference", "<a>&#1111111111111;</a>", "a", NULL},
    {"an entity that is declared",
     "<!DOCTYPE a [<!ENTITY x \"boom\">]><a>&x;</a>", "a", NULL},
    {"a DOCTYPE is skipped", "<!DOCTYPE a SYSTEM \"file:///etc/passwd\">"
                             "<a>1</a>", "a", "1"},
    {"cut in a tag", "<a", "a", NULL},
    {"cut before the end tag", "<a>1", "a", NULL},
    {"cut in the end tag", "<a>1</a", "a", NULL},
    {"another end tag", "<a>1</b>", "a", NULL},
    {"an endless comment", "<!-- <a>1</a>", "a", NULL},
    {"an entity without an end", "<a>&amp</a>", "a", NULL},
    {"white space before it, as Complete sends", "\n \n <a>1</a>", "a", "1"},
    {"blanks of all kinds behind a name",
     "<a\tx='1'><b\rx='2'><c\nx='3'>1</c>2</b>3</a>", "a", "123"},
    {"an instruction inside", "<a>1<?no text?>2</a>", "a", "12"},
    {"a reference without digits", "<a>&#;</a>", "a", NULL},
    {"one without hexadecimal digits", "<a>&#x;</a>", "a", NULL},
    {"a letter in a decimal one", "<a>&#6a;</a>", "a", NULL},
    {"a letter past f", "<a>&#x6g;</a>", "a", NULL},
    {"nothing", "", "a", NULL},
    {"HTML", "<html><body>Bad Gateway<br></body></html>", "Code", NULL},
};

static void elements_are_found(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        char got[64];
        bool ok = xml_string(view_of(rows[i].xml), rows[i].element, got,
                             sizeof got);
        bool same = strcmp(got, ok ? rows[i].want : "") == 0;
        failures += BROKEN(rows[i].name,
                           ok == (rows[i].want != NULL) && same);
    }
    assert_int_equal(failures, 0);
}

static void a_content_that_is_cut_is_refused(void **state)
{
    static const char *const cut[] = {"1<", "1<b", "1<b x='>", "1<!",
                                      "1<![CDATA[2]]", "1<?2", "1&", "1&lt"};
    char room[16];
    struct text t;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(cut); i++) {
        text_init(&t, room, sizeof room);
        assert_false(xml_text(view_of(cut[i]), &t));
        assert_true(row_text(&t, "1"));
    }
}

static void lists_are_walked(void **state)
{
    struct view rest = view_of("<L><P><N>1</N></P><X/><P><N>2</N></P>"
                               "<P/></L>");
    struct view part, number;
    int count = 0, sum = 0;
    (void)state;
    while (xml_next(&rest, "P", &part)) {
        count++;
        if (xml_find(part, "N", &number))
            sum += number.at[0] - '0';
    }
    assert_int_equal(count, 3);
    assert_int_equal(sum, 3);
}

static void the_root_tells_an_error_in_a_200(void **state)
{
    (void)state;
    assert_true(xml_root_is(view_of(error), "Error"));
    assert_true(xml_root_is(view_of("  \n<Error><Code>"), "Error"));
    assert_false(xml_root_is(view_of("<Result><Error/></Result>"), "Error"));
    assert_false(xml_root_is(view_of("   "), "Error"));
    assert_false(xml_root_is(view_of("</Error>"), "Error"));
}

static void a_string_too_long_is_not_cut(void **state)
{
    char got[4] = "old";
    (void)state;
    assert_false(xml_string(view_of("<a>1234</a>"), "a", got, sizeof got));
    assert_string_equal(got, "");
    assert_true(xml_string(view_of("<a>123</a>"), "a", got, sizeof got));
}

static void damage_does_no_harm(void **state)
{
    char copy[sizeof error], got[64];
    (void)state;
    for (uint32_t i = 0; i < sizeof error - 1; i++)
        for (const char *c = "<>/&;\"'!?-[]a\0"; *c != '\0'; c++) {
            memcpy(copy, error, sizeof copy);
            copy[i] = *c;
            struct view v = {(const uint8_t *)copy, sizeof copy - 1};
            xml_string(v, "Key", got, sizeof got);
            xml_string(view_slice(v, 0, i), "Message", got, sizeof got);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_found),
        cmocka_unit_test(a_content_that_is_cut_is_refused),
        cmocka_unit_test(lists_are_walked),
        cmocka_unit_test(the_root_tells_an_error_in_a_200),
        cmocka_unit_test(a_string_too_long_is_not_cut),
        cmocka_unit_test(damage_does_no_harm),
    };
    return RUN(tests);
}
