/* crc.h - CRC-64/NVME, and CRCs of joined bytes.
 *
 * CRC-64/NVME (polynomial 0x9a6c9329ac4bc9b5 reflected, all ones in and out)
 * is S3's default checksum: base64 of the value, big end first (S3 user guide,
 * "Checking object integrity"). The CRC of no bytes is 0, so a running CRC
 * starts there. A combination costs a few microseconds whatever the length;
 * CRC-32 over data is the compressor's. */
#ifndef FIRN_BASE_CRC_H
#define FIRN_BASE_CRC_H

#include "base/text.h"

enum { CRC64_TEXT_BYTES = 12 };

/* The CRC of what had `crc` with `bytes` after it: in C alone, for a few
 * bytes; and a seam, which platform/ has for processors that multiply without
 * carries, and the tests for none. */
uint64_t crc64_plain(uint64_t crc, struct view bytes);
uint64_t crc64_add(uint64_t crc, struct view bytes);
/* The CRC of what had `first` followed by `len` bytes that had `second`. */
uint64_t crc64_combine(uint64_t first, uint64_t second, uint64_t len);
uint32_t crc32_combine(uint32_t first, uint32_t second, uint64_t len);
/* As S3 writes it: CRC64_TEXT_BYTES characters; and back. */
void     crc64_text(struct text *t, uint64_t crc);
bool     crc64_parse(struct view v, uint64_t *crc);

#endif
