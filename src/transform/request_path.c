#include "transform/request_path.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* False for a broken escape. */
static bool decode(struct str raw, struct arena *mem, struct str *out)
{
	char *bytes = arena_alloc(mem, raw.len);
	size_t length = 0;

	if (!bytes)
		return false;
	for (size_t i = 0; i < raw.len; i++) {
		int high, low;

		if (raw.ptr[i] != '%') {
			bytes[length++] = raw.ptr[i];
			continue;
		}
		if (raw.len - i < 3 || (high = hex_digit(raw.ptr[i + 1])) < 0 ||
		    (low = hex_digit(raw.ptr[i + 2])) < 0)
			return false;
		bytes[length++] = (char)(high << 4 | low);
		i += 2;
	}
	*out = str_of(bytes, length);
	return true;
}

static bool add_segment(struct request_path *path, struct str raw, struct arena *mem)
{
	struct str decoded;

	if (path->count == REQUEST_PATH_SEGMENTS_MAX || !raw.len || !decode(raw, mem, &decoded) ||
	    str_is(decoded, ".") || str_is(decoded, ".."))
		return false;
	path->raw[path->count] = raw;
	path->segment[path->count++] = decoded;
	return true;
}

bool request_path_parse(struct str uri, struct arena *mem, struct request_path *out)
{
	struct str path, rest, raw;
	bool more = true;

	*out = (struct request_path){0};
	if (!str_starts(uri, STR("/")))
		return false;
	if (str_split(uri, '?', &path, &rest))
		out->query = str_from_offset(uri, path.len);
	path = str_from_offset(path, 1);
	while (more && path.len) {
		more = str_split(path, '/', &raw, &rest);
		if (!add_segment(out, raw, mem))
			return false;
		path = more ? rest : STR_NONE;
	}
	return true;
}

/* Takes the next parameter off the query; false at its end. */
static bool next_parameter(struct str *query, struct str *parameter, struct str *name,
			   struct str *value)
{
	struct str rest;

	while (query->len) {
		*query = str_split(*query, '&', parameter, &rest) ? rest : STR_NONE;
		if (!parameter->len)
			continue;
		if (!str_split(*parameter, '=', name, value))
			*value = STR_NONE;
		return true;
	}
	return false;
}

bool request_query_get(struct str query, struct str name, struct str *value)
{
	struct str left = str_from_offset(query, 1), parameter, one;

	while (next_parameter(&left, &parameter, &one, value))
		if (str_eq(one, name))
			return true;
	return false;
}

void request_query_append_without(struct buf *out, struct str query, struct str name)
{
	struct str left = str_from_offset(query, 1), parameter, one, value;
	char separator = '?';

	while (next_parameter(&left, &parameter, &one, &value)) {
		if (str_eq(one, name))
			continue;
		buf_append_byte(out, separator);
		buf_append_str(out, parameter);
		separator = '&';
	}
}
