/* Bytes one after another, unpacked where they are gzip (one member or several): of a descriptor,
 * or of a source of ranges. Not thread-safe. */
#ifndef TRAFFIC_PACKED_BYTES_H
#define TRAFFIC_PACKED_BYTES_H

#include "base/bytes_source.h"

struct packed_bytes;

/* Owns the descriptor. `name` is copied, for messages. */
struct packed_bytes *packed_bytes_of_file(int fd, const char *name);
/* Owns the source; a remote one is read ahead. */
struct packed_bytes *packed_bytes_of_source(struct bytes_source *source, const char *name);
/* 1: *got of `len` bytes, at least one, are in `to`; 0: the end. ERR_FORMAT: gzip that is damaged
 * or ends too early; other errors are those of reading. Ends after either. */
int packed_bytes_read(struct packed_bytes *packed, void *to, size_t len, size_t *got,
		      struct err *err);
/* Accepts NULL. */
void packed_bytes_close(struct packed_bytes *packed);

#endif
