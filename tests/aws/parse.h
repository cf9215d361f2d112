/* parse.h - reading the JSON and XML that a client sends, strictly.
 *
 * Values are views into the document. Nothing here recurses; a document
 * nested deeper than 64 levels is refused. */
#ifndef AWS_PARSE_H
#define AWS_PARSE_H

#include "text.h"

/* One value of RFC 8259 and nothing after it but white space. */
bool aws_json_valid(struct aws_text t);

/* The members of a valid object; false when absent or null. */
bool aws_json_member(struct aws_text object, const char *name,
                     struct aws_text *value);
/* The next name of a valid object: *rest starts as the object. */
bool aws_json_next(struct aws_text *rest, struct aws_text *name,
                   struct aws_text *value);
/* The next item of a valid array of no arrays: *rest starts as it. */
bool aws_json_item(struct aws_text *rest, struct aws_text *value);
/* Appends the decoded string; false when the value is not a string. An
 * unpaired surrogate becomes its three bytes (ED A0..BF xx). */
bool aws_json_string(struct aws_text value, struct aws_buf *out);

/* Elements only: no DOCTYPE, CDATA, comment or instruction but the first. */
bool aws_xml_valid(struct aws_text t);
/* The next element at this level; the view moves past it. */
bool aws_xml_next(struct aws_text *rest, struct aws_text *name,
                  struct aws_text *inner);
/* The first element of that name at this level. */
bool aws_xml_find(struct aws_text t, const char *name,
                  struct aws_text *inner);
/* The five entities and character references; false for any other. */
bool aws_xml_text(struct aws_text t, struct aws_buf *out);

#endif
