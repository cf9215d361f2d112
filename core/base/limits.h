/* limits.h - sizes that follow from config.h, and what must hold of them. */
#ifndef FIRN_BASE_LIMITS_H
#define FIRN_BASE_LIMITS_H

#include "config.h"

/* A block that deflate cannot shrink is stored: 5 bytes each 65,535, and the
 * flush at its end; zstd's bound is smaller. */
#define LIMIT_PACKED_BYTES \
    (CFG_BLOCK_BYTES + CFG_BLOCK_BYTES / 256 + 64)
/* A part ends at the first block's end past CFG_PART_BYTES. */
#define LIMIT_PART_BYTES (CFG_PART_BYTES + LIMIT_PACKED_BYTES)
#define LIMIT_PART_SLOTS \
    ((LIMIT_PART_BYTES + CFG_SLOT_BYTES - 1) / CFG_SLOT_BYTES)
#ifndef LIMIT_PART_COUNT
#define LIMIT_PART_COUNT 10000  /* S3 user guide, "Multipart upload limits" */
#endif
#ifndef LIMIT_SEGMENT_FROM  /* parts before the first segment: ship/segment.h */
#define LIMIT_SEGMENT_FROM 8900
#endif

#ifndef LIMIT_PART_LEAST  /* the simulator's S3 takes smaller ones */
#define LIMIT_PART_LEAST (5 << 20)
#endif
#ifndef LIMIT_COPY_BYTES  /* one UploadPartCopy; less in the simulator's S3 */
#define LIMIT_COPY_BYTES (5ull << 30)
#endif
/* The list of a segment's parts, 128 bytes each. */
#define LIMIT_SEGMENT_PARTS ((unsigned)(LIMIT_COPY_BYTES / LIMIT_PART_LEAST))
#define LIMIT_SEGMENT_SLOTS \
    (LIMIT_SEGMENT_PARTS * 128 / CFG_SLOT_BYTES + 1)
/* All parts sent, segments' and others; a checkpoint may count so many. */
#define LIMIT_SENT_COUNT (LIMIT_SEGMENT_FROM + LIMIT_SEGMENT_PARTS * \
                          (LIMIT_PART_COUNT - LIMIT_SEGMENT_FROM))
_Static_assert(CFG_PART_BYTES >= LIMIT_PART_LEAST,
               "S3: every part but the last is 5 MiB or more");
_Static_assert(CFG_SLOT_COUNT >= CFG_UPLOAD_COUNT * LIMIT_PART_SLOTS,
               "the parts in hand must fit the arena");
_Static_assert(CFG_SLOT_COUNT > LIMIT_PART_SLOTS + CFG_LANE_COUNT,
               "lanes ahead need a slot each beside a part");
_Static_assert(CFG_SLOT_COUNT > LIMIT_PART_SLOTS + LIMIT_SEGMENT_SLOTS +
                                LIMIT_PACKED_BYTES / CFG_SLOT_BYTES + 1,
               "a part, a block and the list of a segment's parts");
_Static_assert(LIMIT_COPY_BYTES >= LIMIT_PART_BYTES,
               "a segment holds a part at least");
_Static_assert(CFG_SLOT_COUNT < 0xffff, "slots are numbered in 16 bits");
_Static_assert((CFG_LANE_RING_BYTES & (CFG_LANE_RING_BYTES - 1)) == 0,
               "a ring's capacity is a power of two");
_Static_assert((CFG_RUN_BYTES & (CFG_RUN_BYTES - 1)) == 0,
               "a ring's capacity is a power of two");
_Static_assert(CFG_LANE_RING_BYTES >= 32768,
               "the transport hands over up to 16 KiB at once");
_Static_assert(CFG_SEEN_EVENTS >= 10000 + 1024,
               "a page holds up to 10,000 events, and may be read twice");

#endif
