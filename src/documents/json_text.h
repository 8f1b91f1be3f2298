/* JSON text in other encodings than UTF-8, which Elasticsearch takes as readily. */
#ifndef DOCUMENTS_JSON_TEXT_H
#define DOCUMENTS_JSON_TEXT_H

#include "base/buf.h"

/* A way to write down Unicode; one without `width` is none that is known. */
struct text_encoding {
	uint8_t width; /* bytes a unit: 1 (UTF-8), 2 or 4 */
	bool little;   /* the least significant byte comes first */
	uint8_t mark;  /* bytes of the byte order mark at the start; may be 0 */
};

/* By the byte order mark, or by where the zeros around a first '{' are. */
struct text_encoding json_text_encoding(struct str bytes);
/* Appends the text without its mark as UTF-8. ERR_FORMAT says the byte; ERR_LIMIT: `out` is full.
 */
int json_text_to_utf8(struct buf *out, struct str bytes, struct text_encoding encoding,
		      struct err *err);

#endif
