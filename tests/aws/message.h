/* message.h - what generated log lines look like.
 *
 *   web      access log lines, about 150 bytes, Latin text and numbers
 *   json     an application's JSON log, about 240 bytes
 *   noise    random characters of base64, 200 to 1,000: hardly compressible
 *   tiny     one to three characters
 *   hostile  control characters, NULs, unpaired surrogates, many lines,
 *            text that looks like JSON or like a record; some very long
 *   huge     messages of 1,048,550 bytes, the most CloudWatch takes */
#ifndef AWS_MESSAGE_H
#define AWS_MESSAGE_H

#include "text.h"

struct aws_profile {
    const char *name;
    /* Appends the message of the event with this chance and time. */
    void (*write)(struct aws_buf *out, uint64_t chance, int64_t timestamp);
    /* Appends the name of the index-th stream. */
    void (*stream)(struct aws_buf *out, uint64_t chance, uint32_t index);
};
const struct aws_profile *aws_profile_of(const char *name);

/* hostile.c */
void aws_hostile_message(struct aws_buf *out, uint64_t chance, int64_t at);
void aws_hostile_stream(struct aws_buf *out, uint64_t chance,
                        uint32_t index);
void aws_huge_message(struct aws_buf *out, uint64_t chance, int64_t at);

enum { AWS_MESSAGE_BYTES_MAX = 1048576 - 26 };

#endif
