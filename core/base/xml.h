/* xml.h - finds elements in a small XML reply, whole in memory.
 *
 * AWS's replies need no more: local names are matched, attributes and
 * namespaces are skipped, so are comments, processing instructions and a
 * DOCTYPE; nothing is declared, opened or expanded but the five entities and
 * character references. A document cut short or not well formed is "not
 * found", never read past its end. Each function is one pass. */
#ifndef FIRN_BASE_XML_H
#define FIRN_BASE_XML_H

#include "base/text.h"

/* The first element of that local name, at any depth: what stands between its
 * tags. An empty element has an empty content. */
bool xml_find(struct view xml, const char *name, struct view *content);
/* The same, and *rest goes on behind the element, so that a loop visits all
 * of them; what lies inside one is not visited again. */
bool xml_next(struct view *rest, const char *name, struct view *content);
/* Whether the outermost element has that name, complete or not. */
bool xml_root_is(struct view xml, const char *name);
/* Appends the text of a content, the tags inside it dropped, entities and
 * CDATA decoded; false, and nothing useful appended, if it does not fit or
 * has an unknown entity. */
bool xml_text(struct view content, struct text *out);
/* Both in one: the decoded text of the first element of that name, into a
 * string; "" and false if there is none or it is too long. */
bool xml_string(struct view xml, const char *name, char *at,
                uint32_t capacity);

#endif
