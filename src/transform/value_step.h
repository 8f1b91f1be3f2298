/* Steps that look at one value at a time: what the declarative providers share. */
#ifndef TRANSFORM_VALUE_STEP_H
#define TRANSFORM_VALUE_STEP_H

#include "transform/transform.h"

/* Returns 0: nothing was changed; 1: `value` was changed, or *out (preset to it) replaced: by an
 * array for several, by NULL to drop it; negative: what is wrong with this value. */
typedef int (*value_step_fn)(void *state, struct json *value, struct arena *mem, struct json **out,
			     struct err *err);

/* A step that calls `fn` for every message. Takes `state`, which release (may be NULL) frees. */
struct transform_step *value_step_new(value_step_fn fn, void *state, void (*release)(void *state));

#endif
