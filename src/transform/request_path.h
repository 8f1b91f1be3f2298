/* The path of a request's URI, in segments: "/books/b%C3%BCcher/1?refresh" is books, bücher, 1 and
 * "?refresh". Thread-safe. */
#ifndef TRANSFORM_REQUEST_PATH_H
#define TRANSFORM_REQUEST_PATH_H

#include "base/arena.h"
#include "base/buf.h"

#define REQUEST_PATH_SEGMENTS_MAX 8

struct request_path {
	struct str raw[REQUEST_PATH_SEGMENTS_MAX];     /* as written; borrowed */
	struct str segment[REQUEST_PATH_SEGMENTS_MAX]; /* percent-decoded */
	size_t count;
	struct str query; /* with its '?', as written; may be empty */
};

/* False for what names no index, type or document: another form than "/…", more segments, an empty
 * one (but a last), one that is "." or "..", a broken escape. Decoded text is in `mem`. */
bool request_path_parse(struct str uri, struct arena *mem, struct request_path *out);

/* The value of a parameter of the query, as written; false if it is not there. */
bool request_query_get(struct str query, struct str name, struct str *value);
/* Appends the query without a parameter; nothing, if none is left. */
void request_query_append_without(struct buf *out, struct str query, struct str name);

#endif
