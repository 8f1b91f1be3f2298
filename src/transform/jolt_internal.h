/* The operations of Jolt, for jolt.c.
 *
 * Source: the documentation of bazaarvoice Jolt 0.1 (Shiftr, Defaultr, Removr). */
#ifndef TRANSFORM_JOLT_INTERNAL_H
#define TRANSFORM_JOLT_INTERNAL_H

#include "base/json.h"

#define JOLT_STARS_MAX 3u

/* What the stars of a key stood for. */
struct jolt_match {
	struct str star[JOLT_STARS_MAX];
	size_t count;
};

/* Whether the key of a spec matches: itself, one of "a|b", or a pattern. How near it is: 0 not at
 * all, 1 as '*', more by pattern, the most literally. */
size_t jolt_key_rank(struct str spec_key, struct str key, struct jolt_match *match);

/* Each checks the spec when the step is made (ERR_USAGE names the key), and applies it. */
int jolt_shift_check(const struct json *spec, struct err *err);
int jolt_shift(const struct json *spec, struct json *input, struct arena *mem, struct json **out,
	       struct err *err);
int jolt_default_check(const struct json *spec, struct err *err);
void jolt_default(const struct json *spec, struct json *value, struct arena *mem);
int jolt_remove_check(const struct json *spec, struct err *err);
void jolt_remove(const struct json *spec, struct json *value, struct arena *mem);

#endif
