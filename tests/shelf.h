/* shelf.h - objects put into the model's S3 directly, without a client. */
#ifndef FIRN_TESTS_SHELF_H
#define FIRN_TESTS_SHELF_H

#include <stdio.h>

#include "aws/aws.h"
#include "base/text.h"

/* The key may hold any byte but NUL. False: the model refused it. */
static inline bool shelf_put(struct aws *m, const char *bucket,
                             const char *key, struct view body)
{
    char path[4096], length[16];
    struct text t;
    struct aws_header headers[2];
    text_init(&t, path, sizeof path);
    text_char(&t, '/');
    text_str(&t, bucket);
    text_char(&t, '/');
    text_percent(&t, view_of(key), true);
    (void)snprintf(length, sizeof length, "%u", body.len);
    headers[0] = (struct aws_header){aws_str("Host"), aws_str("127.0.0.1")};
    headers[1] = (struct aws_header){aws_str("Content-Length"),
                                     aws_str(length)};
    struct aws_request r = {
        .method = aws_str("PUT"), .path = aws_str(path),
        .query = aws_str(""), .headers = headers, .header_count = 2,
    };
    int64_t checks = aws_get(m, "check-signature");
    aws_set(m, "check-signature", 0);
    struct aws_exchange *x = aws_open(m, &r, 0);
    aws_body(x, body.at, body.len);
    int status = aws_finish(x, 0)->status;
    aws_close(x);
    aws_set(m, "check-signature", checks);
    return status == 200;
}

#endif
