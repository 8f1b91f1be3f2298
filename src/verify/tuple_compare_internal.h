/* The parts of a comparison of two answers. */
#ifndef VERIFY_TUPLE_COMPARE_INTERNAL_H
#define VERIFY_TUPLE_COMPARE_INTERNAL_H

#include "verify/tuple_compare.h"

/* What a place is part of: names mean something else in each. */
enum tuple_area { TUPLE_AREA_ANSWER, TUPLE_AREA_DOCUMENT, TUPLE_AREA_AGGREGATION };

struct tuple_comparison {
	const struct tuple_rules *rules;
	tuple_difference_fn fn;
	void *user;
	struct arena *mem;
	struct buf path;
	struct buf texts[2];
	int found;
};

/* Into a member or element, and out again: the return value of the former is given to the latter.
 * What there is no room for in a path is left out. */
size_t tuple_path_push(struct tuple_comparison *c, struct str name);
size_t tuple_path_push_position(struct tuple_comparison *c, size_t position);
void tuple_path_pop(struct tuple_comparison *c, size_t mark);

/* A difference at the place where the comparison is, unless that is ignored. Either may be NULL. */
void tuple_tell(struct tuple_comparison *c, enum tuple_difference kind, const struct json *source,
		const struct json *target);
void tuple_compare_values(struct tuple_comparison *c, const struct json *source,
			  const struct json *target, enum tuple_area area);
/* All members but those in `handled` (NULL-terminated; may be NULL). */
void tuple_compare_members(struct tuple_comparison *c, const struct json *source,
			   const struct json *target, enum tuple_area area,
			   const char *const *handled);
/* {"total", "max_score", "hits": []} */
bool tuple_are_hits(const struct json *source, const struct json *target);
void tuple_compare_hits(struct tuple_comparison *c, const struct json *source,
			const struct json *target);
void tuple_compare_buckets(struct tuple_comparison *c, const struct json *source,
			   const struct json *target);
bool tuple_is_bulk(const struct json *answer);
void tuple_compare_bulk(struct tuple_comparison *c, const struct json *source,
			const struct json *target);

/* Elements found by a key, each once. */
struct tuple_keyed {
	struct str key;
	const struct json *value;
	size_t position; /* among its siblings */
	bool taken;
	size_t taken_of_key; /* of the first of equal keys: how many */
};

struct tuple_keys {
	struct tuple_keyed *items; /* sorted by key and position; in the arena */
	size_t count;
};

/* Of the children of `parent`; `key_of` gives a text that lives as long as the arena. */
struct tuple_keys tuple_keys_of(struct tuple_comparison *c, const struct json *parent,
				struct str (*key_of)(struct arena *mem, const struct json *value));
/* The first that was not taken yet; NULL: none. */
struct tuple_keyed *tuple_keys_take(struct tuple_keys *keys, struct str key);

#endif
