/* The members of one JSON object, or the elements of one array, as slices of the text: for large
 * answers of which most is only passed on, byte for byte. */
#ifndef BASE_JSON_SLICE_H
#define BASE_JSON_SLICE_H

#include "base/err.h"
#include "base/str.h"

struct json_slices {
	struct str text;
	size_t at;
	bool object, started, ended;
};

/* `text` is an object or array (white space around allowed), or something else: then there is
 * nothing in it. */
struct json_slices json_slices_of(struct str text);
/* 1: *value is the text of the next value; *key (NULL: not wanted) a member's name as it stands
 * between its quotes, escapes and all; 0: no more; -ERR_FORMAT. */
int json_slices_next(struct json_slices *slices, struct str *key, struct str *value,
		     struct err *err);
/* The member of an object whose name stands there without escapes; ptr NULL: none, or no JSON. */
struct str json_slice_get(struct str object, const char *key);

#endif
