#include "cluster/bulk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* {"delete":{"_index":"i","_id":"1","routing":"r","_type":"t"}}\n */
#define ACTION_FIXED \
	sizeof("{\"delete\":{\"_index\":\"\",\"_id\":\"\",\"routing\":\"\",\"_type\":\"\"}}\n")
/* ,"version":9223372036854775807,"version_type":"external_gte" */
#define VERSION_MOST (sizeof(",\"version\":,\"version_type\":\"external_gte\"") + 20)
#define ESCAPED_MAX 6 /* bytes one byte may become: \u001f */

void bulk_init(struct bulk *bulk, size_t limit)
{
	*bulk = (struct bulk){.body = BUF_INIT(limit)};
}

void bulk_release(struct bulk *bulk)
{
	buf_release(&bulk->body);
	free(bulk->items);
	bulk->items = NULL;
	bulk->count = bulk->capacity = 0;
}

void bulk_reset(struct bulk *bulk)
{
	buf_reset(&bulk->body);
	bulk->count = 0;
}

size_t bulk_size_of(const struct bulk_document *document)
{
	size_t names =
		document->index.len + document->id.len + document->routing.len + document->type.len;

	return ACTION_FIXED + VERSION_MOST + ESCAPED_MAX * names + document->source.len + 1;
}

/* How a byte below 0x80 stands in a JSON string: 0 as it is, 'u' as \u00xx, else after a '\'. */
static char escape_of(unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
		return (char)c;
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return c < 0x20 ? 'u' : 0;
	}
}

static char *put_escaped(char *to, struct str text)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		char escape;

		if (LIKELY(c >= 0x20 && c != '"' && c != '\\')) {
			*to++ = (char)c;
			continue;
		}
		escape = escape_of(c);
		*to++ = '\\';
		*to++ = escape;
		if (escape != 'u')
			continue;
		*to++ = '0';
		*to++ = '0';
		*to++ = hex[c >> 4];
		*to++ = hex[c & 15];
	}
	return to;
}

static char *put(char *to, struct str text)
{
	memcpy(to, text.ptr, text.len);
	return to + text.len;
}

/* `opening` runs up to the value's first quote, that included. */
static char *put_member(char *to, struct str opening, struct str value)
{
	to = put_escaped(put(to, opening), value);
	*to++ = '"';
	return to;
}

static struct str opening_of(enum bulk_operation operation)
{
	switch (operation) {
	case BULK_CREATE:
		return STR("{\"create\":{\"_index\":\"");
	case BULK_DELETE:
		return STR("{\"delete\":{\"_index\":\"");
	case BULK_INDEX:
		break;
	}
	return STR("{\"index\":{\"_index\":\"");
}

static bool sends_version(const struct bulk_document *document)
{
	return document->external && document->version > -1 && document->operation != BULK_CREATE;
}

static char *put_version(char *to, int64_t version)
{
	return to + snprintf(to, VERSION_MOST,
			     ",\"version\":%" PRId64 ",\"version_type\":\"external_gte\"", version);
}

static char *put_action(char *to, const struct bulk_document *document)
{
	to = put_member(to, opening_of(document->operation), document->index);
	if (document->id.ptr)
		to = put_member(to, STR(",\"_id\":\""), document->id);
	if (document->routing.ptr)
		to = put_member(to, STR(",\"routing\":\""), document->routing);
	if (document->type.ptr)
		to = put_member(to, STR(",\"_type\":\""), document->type);
	if (sends_version(document))
		to = put_version(to, document->version);
	return put(to, STR("}}\n"));
}

/* The copy of a source replaces line breaks on its way, so that each byte is loaded once. They are
 * white space wherever JSON allows them raw. (A target that reads // comments would then miss the
 * closing brace, and refuse the document.) */
static inline char scrub_byte(char c)
{
	return c == '\n' || c == '\r' ? ' ' : c;
}

#ifdef __SSE2__

typedef __m128i lane;

static inline lane lane_load(const char *from)
{
	lane v;

	memcpy(&v, from, sizeof(v));
	return v;
}

static inline void lane_store(char *to, lane v)
{
	memcpy(to, &v, sizeof(v));
}

static inline lane lane_breaks(lane v)
{
	return _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\n')),
			    _mm_cmpeq_epi8(v, _mm_set1_epi8('\r')));
}

static inline lane lane_scrub(lane v)
{
	lane breaks = lane_breaks(v);

	return _mm_or_si128(_mm_andnot_si128(breaks, v), _mm_and_si128(breaks, _mm_set1_epi8(' ')));
}

/* False: no line break is in the four. That the least of all their bytes is no control character
 * is quicker to see. */
static inline bool lanes_may_break(lane a, lane b, lane c, lane d)
{
	lane least = _mm_min_epu8(_mm_min_epu8(a, b), _mm_min_epu8(c, d));

	return _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(least, _mm_set1_epi8(0x1f)), least));
}

#else

typedef uint64_t lane;

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (uint64_t)(b))

static inline lane lane_load(const char *from)
{
	lane v;

	memcpy(&v, from, sizeof(v));
	return v;
}

static inline void lane_store(char *to, lane v)
{
	memcpy(to, &v, sizeof(v));
}

/* 0x80 in exactly those bytes that equal c: no carry leaves a byte. */
static inline lane lane_equal(lane v, char c)
{
	lane difference = v ^ EACH_BYTE(c);

	return ~(((difference & EACH_BYTE(0x7f)) + EACH_BYTE(0x7f)) | difference | EACH_BYTE(0x7f));
}

static inline lane lane_scrub(lane v)
{
	lane breaks = lane_equal(v, '\n') | lane_equal(v, '\r');
	lane mask = (breaks >> 7) * 0xff;

	if (LIKELY(!breaks))
		return v;
	return (v & ~mask) | (mask & EACH_BYTE(' '));
}

static inline bool lanes_may_break(lane a, lane b, lane c, lane d)
{
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return true;
}

#endif

#define LANE sizeof(lane)

static inline void copy_four_lanes(char *to, const char *from)
{
	lane a = lane_load(from), b = lane_load(from + LANE), c = lane_load(from + 2 * LANE),
	     d = lane_load(from + 3 * LANE);

	if (UNLIKELY(lanes_may_break(a, b, c, d))) {
		a = lane_scrub(a);
		b = lane_scrub(b);
		c = lane_scrub(c);
		d = lane_scrub(d);
	}
	lane_store(to, a);
	lane_store(to + LANE, b);
	lane_store(to + 2 * LANE, c);
	lane_store(to + 3 * LANE, d);
}

static void copy_scrubbed(char *restrict to, const char *restrict from, size_t len)
{
	size_t i = 0;

	if (len < LANE) {
		for (; i < len; i++)
			to[i] = scrub_byte(from[i]);
		return;
	}
	for (; len - i >= 4 * LANE; i += 4 * LANE)
		copy_four_lanes(to + i, from + i);
	for (; len - i >= LANE; i += LANE)
		lane_store(to + i, lane_scrub(lane_load(from + i)));
	/* The last lane overlaps the one before it and writes the same bytes again. */
	lane_store(to + len - LANE, lane_scrub(lane_load(from + len - LANE)));
}

static struct bulk_item *new_item(struct bulk *bulk)
{
	if (UNLIKELY(bulk->count == bulk->capacity)) {
		bulk->capacity = MAX(bulk->capacity * 2, (size_t)256);
		bulk->items = mem_realloc(bulk->items, bulk->capacity * sizeof(*bulk->items));
	}
	return &bulk->items[bulk->count++];
}

int bulk_add(struct bulk *bulk, const struct bulk_document *document, struct err *err)
{
	struct buf *body = &bulk->body;
	size_t most = bulk_size_of(document);
	struct bulk_item *item;
	char *start, *to;

	if (most > body->limit || body->len > body->limit - most)
		return err_set(err, ERR_LIMIT,
			       "a document of %zu bytes does not fit into a bulk of %zu bytes",
			       document->source.len, body->limit);
	start = buf_reserve(body, most);
	if (!start)
		BUG("a bulk's buffer refuses what its limit allows");
	to = put_action(start, document);
	item = new_item(bulk);
	item->action_start = body->len;
	item->source_start = body->len + (size_t)(to - start);
	item->operation = document->operation;
	item->external = sends_version(document);
	item->end = item->source_start;
	if (document->operation != BULK_DELETE) {
		copy_scrubbed(to, document->source.ptr, document->source.len);
		to[document->source.len] = '\n';
		item->end += document->source.len + 1;
	}
	body->len = item->end;
	return 0;
}
