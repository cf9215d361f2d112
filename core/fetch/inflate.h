/* inflate.h - stage: gzip, zstd or plain bytes, back to what they were.
 *
 * The form shows in the first bytes, never in a name. After a gzip member or
 * a zstd frame more may follow, as many as there are, of either kind; their
 * output runs together (RFC 1952 section 2.2, RFC 8878 section 3). Every
 * header field, checksum and length is checked. Memory is the workspace,
 * whatever comes: a bomb merely takes long.
 *
 *   ERROR_CORRUPT  cut short, or damaged; `detail` is the byte offset
 *   ERROR_LIMIT    a zstd window larger than CFG_ZSTD_WINDOW_LOG allows
 *   ERROR_CONFIG   a zstd frame that needs a dictionary
 *
 * Bytes behind the last member that begin none (tapes pad with zeros) do not
 * belong to the data: they are read, left out, and `trailing` is set. */
#ifndef FIRN_FETCH_INFLATE_H
#define FIRN_FETCH_INFLATE_H

#include "base/limits.h"
#include "base/stage.h"
#include "fetch/member.h"

enum inflate_form {
    INFLATE_ANY,    /* as `expected`: whatever it turns out to be */
    INFLATE_GZIP,
    INFLATE_ZSTD,
    INFLATE_PLAIN,  /* as `expected`: do not look, pass it on */
};

/* zstd's context, its block, and a window beside which whole blocks are
 * decoded (zstd.h, ZSTD_estimateDStreamSize; 1.5.4 and 1.5.7 differ, this
 * holds for both). Deflate needs 85 KiB, which is less. */
enum {
    INFLATE_WINDOW_BYTES    = 1 << CFG_ZSTD_WINDOW_LOG,
    INFLATE_WORKSPACE_BYTES = (96 << 10) + (128 << 10) + 256
                            + 3 * INFLATE_WINDOW_BYTES,
};

/* Only between inflate_init() and the end: whoever compresses before or
 * after may use the same memory. */
struct inflate_workspace {
    _Alignas(64) uint8_t bytes[INFLATE_WORKSPACE_BYTES];
};

struct inflate {
    struct stage stage;
    enum inflate_form form;     /* public: what it is; ANY: not known yet */
    uint64_t offset;            /* public: bytes read */
    uint64_t raw_bytes;         /* public: bytes written */
    uint64_t members;           /* public: whole members and frames so far */
    bool     trailing;          /* public: there were bytes behind them */
    bool     trailing_zeros;    /* public: and nothing but zeros */
    uint64_t trailing_offset;   /* public: where they begin */

    struct inflate_workspace *workspace;
    enum inflate_form expected;
    enum inflating {
        INFLATE_MAGIC,          /* the first bytes of a member */
        INFLATE_HEADER,         /* gzip's */
        INFLATE_DEFLATE,
        INFLATE_TRAILER,
        INFLATE_FRAME_HEADER,   /* zstd's */
        INFLATE_FRAME,
        INFLATE_SKIP_LENGTH,    /* a skippable frame's */
        INFLATE_SKIP,
        INFLATE_COPY,           /* plain */
        INFLATE_TRAILING,
        INFLATE_DONE,           /* final */
        INFLATE_FAILED,         /* final; the fault says why */
    } state;
    uint64_t member_offset;     /* where the member under way begins */
    struct member member;       /* its header */
    uint32_t skip;              /* bytes to leave out */
    uint32_t crc;               /* of the member's data */
    uint32_t length;            /* of it, modulo 2^32 */
    uint32_t held_len, held_at; /* a field that slices cut; of it read */
    bool     more;              /* output waits in the workspace */
    bool     middle;
    uint8_t  held[20];
};

void inflate_init(struct inflate *z, struct inflate_workspace *workspace,
                  enum inflate_form expected, struct fault *fault);
/* Right after init: the input begins at a full flush in the middle of a gzip
 * member, and may end at another. No checksum can be held against it. */
void inflate_middle(struct inflate *z);

#endif
