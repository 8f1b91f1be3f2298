/* The functions of JMESPath, for jmespath_functions.c, which checks their arguments before. */
#ifndef TRANSFORM_JMESPATH_FUNCTIONS_H
#define TRANSFORM_JMESPATH_FUNCTIONS_H

#include "transform/jmespath_internal.h"

typedef struct json *jmespath_call_function(struct jmespath_run *run,
					    const struct jmespath_argument *arguments,
					    size_t count);

/* Of numbers and texts: jmespath_scalars.c. */
jmespath_call_function jmespath_abs, jmespath_ceil, jmespath_floor, jmespath_sum, jmespath_avg,
	jmespath_contains, jmespath_starts_with, jmespath_ends_with, jmespath_join, jmespath_length,
	jmespath_to_number, jmespath_to_string, jmespath_type;
/* Of arrays and objects: jmespath_lists.c. */
jmespath_call_function jmespath_keys, jmespath_values, jmespath_map, jmespath_merge,
	jmespath_not_null, jmespath_reverse, jmespath_to_array, jmespath_sort, jmespath_sort_by,
	jmespath_max, jmespath_max_by, jmespath_min, jmespath_min_by;

/* A text or a number; text.ptr NULL (an arena that was full) is a failure. */
struct json *jmespath_new_text(struct jmespath_run *run, enum json_type type, struct str text);

/* Bytes of the character at the start of a text that is not empty. */
static inline size_t jmespath_character_length(struct str text)
{
	size_t length = 1;

	while (length < text.len && ((unsigned char)text.ptr[length] & 0xc0) == 0x80)
		length++;
	return length;
}

#endif
