#include "transform/jolt_internal.h"

#include <stdio.h>

static bool match_from(struct str pattern, struct str key, struct jolt_match *match, size_t stars)
{
	struct str head, tail;

	if (!str_split(pattern, '*', &head, &tail)) {
		match->count = stars;
		return str_eq(pattern, key);
	}
	if (!str_starts(key, head) || stars == JOLT_STARS_MAX)
		return false;
	key = str_from_offset(key, head.len);
	for (size_t length = 1; length <= key.len; length++) {
		match->star[stars] = str_of(key.ptr, length);
		if (match_from(tail, str_from_offset(key, length), match, stars + 1))
			return true;
	}
	return false;
}

/* Whether a key with '*' in it, each for one character or more, matches; '*' alone matches all. */
static bool jolt_pattern_matches(struct str pattern, struct str key, struct jolt_match *match)
{
	if (!str_is(pattern, "*"))
		return match_from(pattern, key, match, 0);
	*match = (struct jolt_match){.star = {key}, .count = 1};
	return true;
}

size_t jolt_key_rank(struct str spec_key, struct str key, struct jolt_match *match)
{
	struct str one;
	size_t best = 0, rank;
	bool more = true;

	*match = (struct jolt_match){0};
	while (more) {
		more = str_split(spec_key, '|', &one, &spec_key);
		if (!memchr(one.ptr ? one.ptr : "", '*', one.len))
			rank = str_eq(one, key) ? SIZE_MAX : 0;
		else
			rank = jolt_pattern_matches(one, key, match) ? one.len : 0;
		best = MAX(best, rank);
	}
	return best;
}

int jolt_remove_check(const struct json *spec, struct err *err)
{
	if (spec->type == JSON_STRING)
		return 0;
	if (spec->type != JSON_OBJECT)
		return err_set(err, ERR_USAGE,
			       "remove: '" STR_FMT "' must be \"\" or an object of keys",
			       STR_ARG(spec->key));
	json_each (child, spec)
		if (jolt_remove_check(child, err) < 0)
			return -(int)ERR_USAGE;
	return 0;
}

/* What the spec does with the member or element `child`: true to remove it whole. */
static bool remove_in(const struct json *spec, struct str key, struct json *child,
		      struct arena *mem)
{
	struct jolt_match match;

	json_each (rule, spec) {
		if (!jolt_key_rank(rule->key, key, &match))
			continue;
		if (rule->type == JSON_STRING)
			return true;
		jolt_remove(rule, child, mem);
	}
	return false;
}

void jolt_remove(const struct json *spec, struct json *value, struct arena *mem)
{
	struct json *child = value->first, *next;
	size_t position = 0;

	if (value->type != JSON_OBJECT && value->type != JSON_ARRAY)
		return;
	value->first = value->last = NULL;
	value->count = 0;
	for (; child; child = next, position++) {
		char digits[24];
		struct str key = child->key;

		next = child->next;
		child->next = NULL;
		if (value->type == JSON_ARRAY) {
			snprintf(digits, sizeof(digits), "%zu", position);
			key = str_from(digits);
		}
		if (!remove_in(spec, key, child, mem))
			json_append(value, child);
	}
}
