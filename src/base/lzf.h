/* LZF in the chunks of compress-lzf, as Elasticsearch up to 2.x compressed documents and metadata.
 * Thread-safe. */
#ifndef BASE_LZF_H
#define BASE_LZF_H

#include "base/buf.h"

/* Whether the bytes start as a chunk does. */
static inline bool lzf_is_chunked(struct str bytes)
{
	return bytes.len >= 3 && bytes.ptr[0] == 'Z' && bytes.ptr[1] == 'V' &&
	       (bytes.ptr[2] == 0 || bytes.ptr[2] == 1);
}

/* Appends what all chunks decode to. ERR_FORMAT says the byte; ERR_LIMIT: `out` is full. After an
 * error, `out` holds a part. */
int lzf_decode(struct buf *out, struct str bytes, struct err *err);

#endif
