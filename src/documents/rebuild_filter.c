#include "documents/rebuild_filter.h"

static bool matches(struct str pattern, struct str text)
{
	size_t at = 0, i = 0, star = SIZE_MAX, retry = 0;

	while (i < text.len) {
		if (at < pattern.len && pattern.ptr[at] == '*') {
			star = at++;
			retry = i;
		} else if (at < pattern.len && pattern.ptr[at] == text.ptr[i]) {
			at++;
			i++;
		} else if (star != SIZE_MAX) {
			at = star + 1;
			i = ++retry;
		} else {
			return false;
		}
	}
	while (at < pattern.len && pattern.ptr[at] == '*')
		at++;
	return at == pattern.len;
}

/* The path, or an object that it is in. */
static bool matches_within(struct str pattern, struct str path)
{
	for (size_t i = 0; i < path.len; i++)
		if (path.ptr[i] == '.' && matches(pattern, str_of(path.ptr, i)))
			return true;
	return matches(pattern, path);
}

/* A pattern, or an array of them. */
static bool any_matches(const struct json *patterns, struct str path)
{
	if (patterns && patterns->type == JSON_STRING)
		return matches_within(patterns->text, path);
	json_each (pattern, patterns)
		if (matches_within(json_string(pattern), path))
			return true;
	return false;
}

static bool is_empty(const struct json *patterns)
{
	return !patterns ||
	       (patterns->type == JSON_STRING ? patterns->text.len == 0 : !patterns->first);
}

bool rebuild_filter_keeps(const struct json *source, struct str path)
{
	const struct json *includes = json_get(source, "includes");
	const struct json *excludes = json_get(source, "excludes");

	if (!json_bool_or(json_get(source, "enabled"), true) || json_get(source, "mode") ||
	    (is_empty(includes) && is_empty(excludes)))
		return false;
	return !any_matches(excludes, path) && (is_empty(includes) || any_matches(includes, path));
}
