/* pack.h - a block of lines becomes compressed bytes, in one fixed workspace.
 *
 * Blocks share nothing, so one workspace serves all lanes, and what a block
 * becomes depends on its bytes alone (and, for gzip, on the processor's
 * kind). A whole block goes in at a call.
 *
 *   gzip  one member for the object: header, blocks each ended by a full
 *         flush, an empty last block, CRC-32 and length (RFC 1951, RFC 1952)
 *   zstd  one frame a block, with its checksum (RFC 8878)
 *   none  the block itself */
#ifndef FIRN_PACK_PACK_H
#define FIRN_PACK_PACK_H

#include <isa-l/igzip_lib.h>

#include "base/chain.h"
#include "base/limits.h"

enum pack_kind { PACK_GZIP, PACK_ZSTD, PACK_NONE };

enum {
    PACK_LEVEL_BYTES = ISAL_DEF_LVL1_REQ +
                       ISAL_DEF_LVL1_TOKEN_SIZE * CFG_DEFLATE_TOKENS,
    PACK_EMPTY_BYTES = 32,
    PACK_HEADER_BYTES = 10,
    PACK_TRAILER_BYTES = 10,      /* empty block, CRC-32, length */
    PACK_SLOTS = (LIMIT_PACKED_BYTES + CFG_SLOT_BYTES - 1) / CFG_SLOT_BYTES + 1,
};

struct pack {
    enum pack_kind kind;
    void          *zstd;      /* ZSTD_CCtx, within the workspace */
    union {
        struct {
            struct isal_zstream stream;
            uint8_t             level[PACK_LEVEL_BYTES];
        } gzip;
        _Alignas(16) uint8_t    context[CFG_ZSTD_BYTES];
    } work;
    uint8_t out[LIMIT_PACKED_BYTES];  /* a packed block, before it is sliced */
};

void pack_init(struct pack *p, enum pack_kind kind);
/* Appends the packed block to the chain, which may take slots: the caller has
 * seen to it that PACK_SLOTS are free. Returns the packed length. */
uint32_t pack_block(struct pack *p, struct view raw, struct arena *arena,
                    struct chain *chain);
/* CRC-32 of raw bytes, as gzip keeps it; 0 to begin with. */
uint32_t pack_crc(uint32_t crc, struct view raw);
/* What an archive without any block consists of, besides header and trailer:
 * a zstd frame of nothing; else 0 bytes. PACK_EMPTY_BYTES at most. */
uint32_t pack_empty(struct pack *p, uint8_t *at);
/* What stands before the first block and after the last; 0 bytes, or
 * PACK_HEADER_BYTES and PACK_TRAILER_BYTES. */
uint32_t pack_header(enum pack_kind kind, uint8_t *at);
uint32_t pack_trailer(enum pack_kind kind, uint32_t crc, uint64_t raw_bytes,
                      uint8_t *at);

#endif
