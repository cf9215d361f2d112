/* packed.h - compressed files for tests, put together piece by piece. */
#ifndef FIRN_TESTS_PACKED_H
#define FIRN_TESTS_PACKED_H

#include "base/text.h"

enum { PACKED_BYTES = 8 << 20 };

struct packed {
    uint8_t  at[PACKED_BYTES];
    uint32_t len;
};

struct view packed_view(const struct packed *f);
void packed_put(struct packed *f, const void *bytes, uint32_t len);
/* Little endian. */
void packed_number(struct packed *f, uint64_t value, uint32_t bytes);

/* A gzip header with the fields that `flags` announce, each `field_len` long
 * if it can be chosen; and what ends a member. */
void packed_header(struct packed *f, uint8_t flags, uint32_t field_len);
void packed_trailer(struct packed *f, struct view data);
/* A member whose data is stored; at most 65,535 bytes. */
void packed_stored(struct packed *f, uint8_t flags, uint32_t field_len,
                   const char *data);
/* Deflate data by ISA-L, with a full flush at its end, or its last block. */
void packed_deflate(struct packed *f, struct view data, bool last);
/* A zstd frame. */
void packed_frame(struct packed *f, struct view data, int window_log,
                  bool checksum);

/* Instead of what it held: lines as logs have them, half repetition, half
 * chance. */
void packed_lines(struct packed *f, uint32_t bytes, uint64_t seed);

#endif
