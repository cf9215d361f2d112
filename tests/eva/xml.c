/* xml.c - any bytes as a small XML reply. */
#include "base/xml.h"

static void take(const uint8_t *at, uint32_t len)
{
    struct view rest = {at, len}, content;
    char room[8];

    xml_root_is(rest, "a");
    xml_string(rest, "a", room, sizeof room);
    while (xml_next(&rest, "a", &content)) {
    }
}

void eva_xml(void)
{
    eva_any(5, take);
    eva_holes("<?x?><a b='c'><!-- d --><e/>f</a>", 1, take);
    eva_holes("<a>&#x20ac;&amp;<![CDATA[<]]></a>", 1, take);
}
