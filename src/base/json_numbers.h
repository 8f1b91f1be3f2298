/* The numbers of a JSON text, each with where it stands, without a tree. */
#ifndef BASE_JSON_NUMBERS_H
#define BASE_JSON_NUMBERS_H

#include "base/err.h"
#include "base/str.h"

/* `text` as written, within the text; `place`: a hash of the path to it, of names as they are
 * written and of positions in arrays. */
typedef void (*json_number_fn)(void *user, struct str text, uint64_t place);

/* Calls `fn` for every number, in order. Accepts what json_parse accepts: ERR_FORMAT says the byte,
 * ERR_LIMIT: nested deeper than LIMIT_JSON_DEPTH (fn may have been called by then). */
int json_numbers(struct str text, json_number_fn fn, void *user, struct err *err);

#endif
