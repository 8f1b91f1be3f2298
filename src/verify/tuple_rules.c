#include "verify/tuple_rules.h"

#include <math.h>

/* The next name or position of a path: a.b[3].c has four. */
static bool next_part(struct str *path, struct str *part)
{
	size_t end = 0;

	while (path->len > 0 && (path->ptr[0] == '.' || path->ptr[0] == '[' || path->ptr[0] == ']'))
		*path = str_from_offset(*path, 1);
	while (end < path->len && path->ptr[end] != '.' && path->ptr[end] != '[' &&
	       path->ptr[end] != ']')
		end++;
	*part = str_of(path->ptr, end);
	*path = str_from_offset(*path, end);
	return end > 0;
}

/* `*` in a pattern stands for any bytes. */
static bool part_matches(struct str pattern, struct str part)
{
	size_t p = 0, t = 0, star = SIZE_MAX, from = 0;

	while (t < part.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = p++;
			from = t;
		} else if (p < pattern.len && pattern.ptr[p] == part.ptr[t]) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}

/* The same, of whole names: the pattern may end before the path does. */
static bool matches(struct str pattern, struct str path)
{
	struct str star_pattern = STR_NONE, star_path = STR_NONE, want, have;
	bool starred = false;

	for (;;) {
		struct str rest_of_path = path;

		if (!next_part(&pattern, &want))
			return true;
		if (str_is(want, "**")) {
			star_pattern = pattern;
			star_path = path;
			starred = true;
			continue;
		}
		if (next_part(&rest_of_path, &have) && part_matches(want, have)) {
			path = rest_of_path;
			continue;
		}
		if (!starred || !next_part(&star_path, &have))
			return false;
		pattern = star_pattern;
		path = star_path;
	}
}

bool tuple_rules_ignore(const struct tuple_rules *rules, struct str path)
{
	for (size_t i = 0; i < rules->ignored_count; i++) {
		struct str pattern = str_from(rules->ignored[i]);

		if (str_starts(pattern, STR("$")))
			pattern = str_from_offset(pattern, 1);
		if (matches(pattern, path))
			return true;
	}
	return false;
}

bool tuple_scores_equal(const struct tuple_rules *rules, double a, double b)
{
	return fabs(a - b) <= rules->score_tolerance * fmax(fabs(a), fabs(b));
}
