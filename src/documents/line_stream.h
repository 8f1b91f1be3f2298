/* The lines of a file that may be compressed (gzip, zstd: told by its first bytes), from its start
 * or from an offset. One thread at a time. */
#ifndef DOCUMENTS_LINE_STREAM_H
#define DOCUMENTS_LINE_STREAM_H

#include "base/err.h"
#include "base/str.h"

struct line_stream;

struct text_line {
	struct str text; /* without its line break; borrowed until the next call */
	uint64_t offset; /* of its first byte, unpacked */
	bool too_long;   /* above the limit: passed over, and `text` is empty */
};

/* `path` "-": standard input. Borrowed. Lines above `limit` bytes are given as too long. */
int line_stream_open(const char *path, size_t limit, struct line_stream **out, struct err *err);
/* 1: *out; 0: the end. ERR_FORMAT: what is compressed is damaged or cut off. */
int line_stream_next(struct line_stream *stream, struct text_line *out, struct err *err);
/* Goes on at `offset`, where a line begins and which lies at or behind the line given last; at the
 * end where the text is shorter. */
int line_stream_skip(struct line_stream *stream, uint64_t offset, struct err *err);
/* From 1, of the line given last. May read the file once more to know. */
uint64_t line_stream_number(struct line_stream *stream);
/* Bytes of the file taken up, packed. */
uint64_t line_stream_position(const struct line_stream *stream);
/* Accepts NULL. */
void line_stream_close(struct line_stream *stream);

#endif
