/* What smile.c and smile_number.c share. */
#ifndef SNAPSHOT_SMILE_INTERNAL_H
#define SNAPSHOT_SMILE_INTERNAL_H

#include "base/arena.h"
#include "base/rd.h"

/* SMILE's vInt: big-endian groups of 7 bits, the last byte 0x80 | 6 bits. 0 and failed when it is
 * longer than 64 bits. */
uint64_t smile_vint(struct rd *rd);
/* A vInt length and as many bytes, packed 7 bits a byte. The text is in the arena; ptr NULL when
 * the arena is full (mem->failed) or the input too short (rd->failed). */
struct str smile_packed_bytes(struct rd *rd, size_t limit, struct arena *mem);
/* The number at the cursor, after its token (0x24 to 0x2a), as JSON text in the arena. *quoted is
 * set when it is no JSON number (NaN, Infinity). ptr NULL as above. */
struct str smile_number(uint8_t token, struct rd *rd, struct arena *mem, bool *quoted);

#endif
