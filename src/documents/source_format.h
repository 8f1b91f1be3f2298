/* What a stored _source may be besides JSON, and the way to JSON. */
#ifndef DOCUMENTS_SOURCE_FORMAT_H
#define DOCUMENTS_SOURCE_FORMAT_H

#include "base/arena.h"
#include "base/buf.h"

enum source_format {
	SOURCE_JSON,    /* in UTF-8: as it should be */
	SOURCE_UNICODE, /* JSON with a byte order mark, or in UTF-16 or UTF-32 */
	SOURCE_SMILE,
	SOURCE_CBOR,
	SOURCE_YAML,
	SOURCE_LZF,     /* any of these, compressed by Elasticsearch 1.x (_source.compress) */
	SOURCE_DEFLATE, /* the same, by 2.x or a client */
	SOURCE_UNKNOWN,
};

/* The one test that most sources need: an object in UTF-8. */
static inline bool source_is_plain_json(struct str source)
{
	return source.len >= 2 && source.ptr[0] == '{' && source.ptr[1] != '\0';
}

/* By the first bytes, as Elasticsearch does it. */
enum source_format source_format_of(struct str source);

/* The memory of conversions, kept from one to the next. One thread at a time. */
struct source_converter {
	struct buf unpacked, text;
	struct arena mem;
};

void source_converter_init(struct source_converter *converter);
void source_converter_release(struct source_converter *converter);
/* The source as JSON text, valid until the next conversion; what is JSON already (or not known)
 * comes back as it is. A converted source is an object on one line. Errors name the format and
 * the place: ERR_FORMAT, ERR_UNSUPPORTED, ERR_LIMIT. */
int source_to_json(struct source_converter *converter, struct str source, struct str *json,
		   struct err *err);

#endif
