#include "net/sigv4_canonical.h"

#include "net/http_client.h"

#include <stdlib.h>
#include <strings.h>

#define MOST_PARAMETERS 256
#define MOST_SEGMENTS (LIMIT_PATH / 2)

/* The segments of a path without "." and "..": as many as `out` has room for. */
static size_t resolve_segments(struct str path, struct str *out)
{
	struct str rest = path, segment;
	size_t count = 0;

	for (bool more = true; more;) {
		more = str_split(rest, '/', &segment, &rest);
		if (segment.len == 0 || str_is(segment, "."))
			continue;
		if (str_is(segment, ".."))
			count -= count > 0;
		else if (count < MOST_SEGMENTS)
			out[count++] = segment;
	}
	return count;
}

void sigv4_canonical_path(struct buf *out, struct str path, bool as_it_is)
{
	struct str segments[MOST_SEGMENTS];
	size_t count;

	if (as_it_is) {
		buf_append_str(out, path);
		return;
	}
	count = resolve_segments(path, segments);
	for (size_t i = 0; i < count; i++) {
		buf_append_byte(out, '/');
		http_append_encoded(out, segments[i]);
	}
	if (count == 0 || str_ends(path, STR("/")))
		buf_append_byte(out, '/');
}

struct parameter {
	struct str name, value;
};

static int compare_parameters(const void *a, const void *b)
{
	const struct parameter *left = a, *right = b;
	int order = str_cmp(left->name, right->name);

	return order ? order : str_cmp(left->value, right->value);
}

int sigv4_canonical_query(struct buf *out, struct str query, struct err *err)
{
	struct parameter parameters[MOST_PARAMETERS];
	struct str rest = query, one;
	size_t count = 0;

	for (bool more = query.len > 0; more;) {
		more = str_split(rest, '&', &one, &rest);
		if (one.len == 0)
			continue;
		if (count == MOST_PARAMETERS)
			return err_set(err, ERR_LIMIT,
				       "a request to be signed has more than %d parameters",
				       MOST_PARAMETERS);
		if (!str_split(one, '=', &parameters[count].name, &parameters[count].value))
			parameters[count].value = STR_NONE;
		count++;
	}
	qsort(parameters, count, sizeof(parameters[0]), compare_parameters);
	for (size_t i = 0; i < count; i++)
		buf_printf(out, "%s" STR_FMT "=" STR_FMT, i > 0 ? "&" : "",
			   STR_ARG(parameters[i].name), STR_ARG(parameters[i].value));
	return 0;
}

static int compare_headers(const void *a, const void *b)
{
	const struct sigv4_header *left = a, *right = b;
	size_t common = MIN(left->name.len, right->name.len);
	int order = strncasecmp(left->name.ptr, right->name.ptr, common);

	return order ? order
		     : (left->name.len > right->name.len) - (left->name.len < right->name.len);
}

static void append_lower_case(struct buf *out, struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		buf_append_byte(out, c >= 'A' && c <= 'Z' ? (char)(c | 32) : c);
	}
}

/* Without white space around, and with one space for several within. */
static void append_value(struct buf *out, struct str value)
{
	bool space = false, any = false;

	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];

		if (c == ' ' || (c >= '\t' && c <= '\r')) {
			space = any;
			continue;
		}
		if (space)
			buf_append_byte(out, ' ');
		buf_append_byte(out, c);
		space = false;
		any = true;
	}
}

void sigv4_canonical_headers(struct buf *out, struct buf *names, struct sigv4_header *headers,
			     size_t count)
{
	qsort(headers, count, sizeof(headers[0]), compare_headers);
	for (size_t i = 0; i < count; i++) {
		append_lower_case(out, headers[i].name);
		buf_append_byte(out, ':');
		append_value(out, headers[i].value);
		buf_append_byte(out, '\n');
		if (i > 0)
			buf_append_byte(names, ';');
		append_lower_case(names, headers[i].name);
	}
}
