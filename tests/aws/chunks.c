/* chunks.c - aws-chunked bodies with an unsigned trailer.
 * Source: Amazon S3 API reference, "sigv4-streaming-trailers". */
#include "model.h"

#include <stdlib.h>
#include <string.h>

enum { IN_SIZE, IN_DATA, AFTER_DATA, IN_TRAILER };

static bool hex_size(struct aws_text line, uint64_t *size)
{
    char *end, text[20] = {0};
    if (line.len == 0 || line.len > 16) return false;
    memcpy(text, line.at, line.len);
    *size = strtoull(text, &end, 16);
    return *end == '\0';
}

/* The trailer counts as a header from here on. */
static void take_trailer(struct aws_exchange *x, struct aws_text line)
{
    struct aws_text value, announced;
    struct aws_text name = aws_cut(line, ':', &value);
    struct aws_chunks *c = &x->chunks;
    if (line.len == 0) {
        c->ended = true;
        return;
    }
    name = aws_hold(x, name);
    if (!aws_header_of(x, "x-amz-trailer", &announced) ||
        !aws_same(announced, name) || value.at == NULL ||
        aws_header_of(x, name.at, &announced)) {
        c->broken = true;
        return;
    }
    value = aws_hold(x, value);
    x->header[x->header_count++] = (struct aws_header){name, value};
}

static void take_line(struct aws_exchange *x)
{
    struct aws_chunks *c = &x->chunks;
    struct aws_text line = {c->line.at, c->line.len - 2};
    if (c->state == IN_TRAILER) {
        take_trailer(x, line);
    } else if (c->state == AFTER_DATA) {
        c->broken = c->broken || line.len > 0;
        c->state = IN_SIZE;
    } else if (!hex_size(line, &c->left)) {
        c->broken = true;
    } else {
        c->state = c->left > 0 ? IN_DATA : IN_TRAILER;
    }
    aws_reset(&c->line);
}

void aws_take_chunks(struct aws_exchange *x, const char *at, size_t len)
{
    struct aws_chunks *c = &x->chunks;
    while (len > 0 && !c->broken) {
        if (c->state == IN_DATA) {
            size_t part = c->left < len ? (size_t)c->left : len;
            aws_take_body(x, at, part);
            at += part;
            len -= part;
            c->left -= part;
            if (c->left == 0) c->state = AFTER_DATA;
            continue;
        }
        aws_put(&c->line, at++, 1);
        len--;
        if (c->line.len > 1024 || c->ended) c->broken = true;
        else if (c->line.len >= 2 && c->line.at[c->line.len - 2] == '\r' &&
                 c->line.at[c->line.len - 1] == '\n')
            take_line(x);
    }
}
