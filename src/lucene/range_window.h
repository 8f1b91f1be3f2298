/* Bytes of a large file wherever they are asked for, through a window that moves forward. */
#ifndef LUCENE_RANGE_WINDOW_H
#define LUCENE_RANGE_WINDOW_H

#include "base/bytes_source.h"
#include "base/limits.h"

#define RANGE_WINDOW_SIZE KIB(64)

struct range_window {
	struct bytes_source *source; /* borrowed */
	uint64_t end;                /* where the content of the file ends */
	uint8_t *bytes;              /* allocated with the first need */
	uint64_t at;                 /* of bytes[0] in the file */
	size_t len;
};

void range_window_init(struct range_window *w, struct bytes_source *source, uint64_t end);
void range_window_release(struct range_window *w);
/* *out: `len` bytes (at most RANGE_WINDOW_SIZE) from `offset`, borrowed until the next call. A
 * range beyond the end is ERR_FORMAT. */
int range_window_need(struct range_window *w, uint64_t offset, size_t len, const uint8_t **out,
		      struct err *err);
/* As need, but what is left where that is less; *len is cut to it. */
int range_window_want(struct range_window *w, uint64_t offset, size_t *len, const uint8_t **out,
		      struct err *err);

#endif
