/* A cursor over a large file, forward and by jumps, through a buffer. As rd of base: what fails
 * makes it `failed`, everything after gives 0, and whoever reads asks once. */
#ifndef LUCENE_BYTE_STREAM_H
#define LUCENE_BYTE_STREAM_H

#include "base/bytes_source.h"

#define BYTE_STREAM_BUFFER ((size_t)64 << 10)

struct byte_stream {
	struct bytes_source *source; /* borrowed */
	uint64_t end;                /* where the content of the file ends */
	bool little;
	uint8_t *bytes; /* allocated with the first need */
	uint64_t at;    /* of bytes[0] in the file */
	size_t len, pos;
	bool failed;
	struct err err; /* why, where reading failed; else the file ends too soon */
};

void byte_stream_init(struct byte_stream *s, struct bytes_source *source, uint64_t end,
		      bool little);
void byte_stream_release(struct byte_stream *s);
void byte_stream_seek(struct byte_stream *s, uint64_t offset);
uint64_t byte_stream_at(const struct byte_stream *s);
/* The next `n` bytes (BYTE_STREAM_BUFFER at most), borrowed until the next call; NULL: failed. */
const uint8_t *byte_stream_bytes(struct byte_stream *s, size_t n);
/* Copies any number of bytes; leaves dst as it is where it fails. */
void byte_stream_copy(struct byte_stream *s, void *dst, size_t n);
void byte_stream_skip(struct byte_stream *s, uint64_t n);
uint8_t byte_stream_u8(struct byte_stream *s);
uint32_t byte_stream_vint(struct byte_stream *s);
uint64_t byte_stream_vlong(struct byte_stream *s);
/* Integers of 2, 4, 8 bytes, as the file has them. */
uint16_t byte_stream_16(struct byte_stream *s);
uint32_t byte_stream_32(struct byte_stream *s);
uint64_t byte_stream_64(struct byte_stream *s);
/* 0, or the error: "ends within what", or that of reading. */
int byte_stream_check(const struct byte_stream *s, const char *what, struct err *err);

#endif
