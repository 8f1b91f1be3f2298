#include "lucene/byte_stream.h"

#include "base/compiler.h"

#include <stdlib.h>

void byte_stream_init(struct byte_stream *s, struct bytes_source *source, uint64_t end, bool little)
{
	*s = (struct byte_stream){.source = source, .end = end, .little = little};
}

void byte_stream_release(struct byte_stream *s)
{
	free(s->bytes);
	s->bytes = NULL;
}

uint64_t byte_stream_at(const struct byte_stream *s)
{
	return s->at + s->pos;
}

void byte_stream_seek(struct byte_stream *s, uint64_t offset)
{
	if (offset > s->end) {
		s->failed = true;
		return;
	}
	if (s->bytes && offset >= s->at && offset - s->at <= s->len) {
		s->pos = (size_t)(offset - s->at);
		return;
	}
	s->at = offset;
	s->len = s->pos = 0;
}

/* Makes `n` bytes be there, from the cursor on. */
static bool fill(struct byte_stream *s, size_t n)
{
	uint64_t at = byte_stream_at(s);
	size_t len = (size_t)MIN(s->end - MIN(at, s->end), BYTE_STREAM_BUFFER);

	if (s->failed || n > len) {
		s->failed = true;
		return false;
	}
	if (!s->bytes)
		s->bytes = mem_alloc(BYTE_STREAM_BUFFER);
	s->at = at;
	s->pos = s->len = 0;
	if (bytes_source_read(s->source, at, s->bytes, len, &s->err) < 0) {
		s->failed = true;
		return false;
	}
	s->len = len;
	return true;
}

const uint8_t *byte_stream_bytes(struct byte_stream *s, size_t n)
{
	const uint8_t *bytes;

	if (UNLIKELY(s->failed || n > s->len - s->pos) && !fill(s, n))
		return NULL;
	bytes = s->bytes + s->pos;
	s->pos += n;
	return bytes;
}

void byte_stream_copy(struct byte_stream *s, void *dst, size_t n)
{
	uint8_t *to = dst;

	while (n > 0) {
		size_t part = MIN(n, BYTE_STREAM_BUFFER);
		const uint8_t *bytes = byte_stream_bytes(s, part);

		if (!bytes)
			return;
		memcpy(to, bytes, part);
		to += part;
		n -= part;
	}
}

void byte_stream_skip(struct byte_stream *s, uint64_t n)
{
	uint64_t at = byte_stream_at(s);

	if (n > s->end - MIN(at, s->end))
		s->failed = true;
	else
		byte_stream_seek(s, at + n);
}

uint8_t byte_stream_u8(struct byte_stream *s)
{
	const uint8_t *bytes = byte_stream_bytes(s, 1);

	return bytes ? *bytes : 0;
}

uint64_t byte_stream_vlong(struct byte_stream *s)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 70; shift += 7) {
		uint8_t b = byte_stream_u8(s);

		value |= shift < 64 ? (uint64_t)(b & 0x7f) << shift : 0;
		if (!(b & 0x80))
			return value;
	}
	s->failed = true;
	return 0;
}

uint32_t byte_stream_vint(struct byte_stream *s)
{
	return (uint32_t)byte_stream_vlong(s);
}

uint16_t byte_stream_16(struct byte_stream *s)
{
	const uint8_t *p = byte_stream_bytes(s, sizeof(uint16_t));
	uint16_t v = 0;

	if (p)
		memcpy(&v, p, sizeof(v));
	return s->little ? v : __builtin_bswap16(v);
}

uint32_t byte_stream_32(struct byte_stream *s)
{
	const uint8_t *p = byte_stream_bytes(s, sizeof(uint32_t));
	uint32_t v = 0;

	if (p)
		memcpy(&v, p, sizeof(v));
	return s->little ? v : __builtin_bswap32(v);
}

uint64_t byte_stream_64(struct byte_stream *s)
{
	const uint8_t *p = byte_stream_bytes(s, sizeof(uint64_t));
	uint64_t v = 0;

	if (p)
		memcpy(&v, p, sizeof(v));
	return s->little ? v : __builtin_bswap64(v);
}

int byte_stream_check(const struct byte_stream *s, const char *what, struct err *err)
{
	if (LIKELY(!s->failed))
		return 0;
	if (s->err.kind) {
		*err = s->err;
		return -(int)err->kind;
	}
	return err_set(err, ERR_FORMAT, "is damaged or ends within %s, near byte %llu of %llu",
		       what, (unsigned long long)byte_stream_at(s), (unsigned long long)s->end);
}
