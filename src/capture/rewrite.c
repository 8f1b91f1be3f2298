#include "capture/rewrite.h"

#include "net/http1.h"

static bool is_set(struct str name, const struct set_header *set, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (http1_name_is(name, set[i].name))
			return true;
	return false;
}

/* The first line with its end; the empty line at the end. */
static struct str first_line(struct str head)
{
	const char *feed = memchr(head.ptr, '\n', head.len);

	return str_of(head.ptr, feed ? (size_t)(feed - head.ptr) + 1 : head.len);
}

static struct str line_end(struct str line)
{
	return line.len >= 2 && line.ptr[line.len - 2] == '\r' ? STR("\r\n") : STR("\n");
}

void rewrite_head(struct str head, const struct set_header *set, size_t count, struct buf *out)
{
	struct str first = first_line(head), end = line_end(first);
	struct http1_header header;
	size_t at = 0;

	buf_append_str(out, first);
	for (size_t i = 0; i < count; i++) {
		buf_append_str(out, str_from(set[i].name));
		buf_append_str(out, STR(": "));
		buf_append_str(out, str_from(set[i].value));
		buf_append_str(out, end);
	}
	while (http1_next_header(head, &at, &header))
		if (!http1_name_is(header.name, "Upgrade") &&
		    !http1_name_is(header.name, "HTTP2-Settings") &&
		    !is_set(header.name, set, count))
			buf_append_str(out, header.line);
	buf_append_str(out, end);
}

static bool is_secret(struct str name)
{
	static const char *const names[] = {
		"Authorization", "Proxy-Authorization", "ES-Secondary-Authorization",
		"Cookie",        "X-Api-Key",           "X-Amz-Security-Token"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (http1_name_is(name, names[i]))
			return true;
	return false;
}

void redact_head(struct str head, struct buf *out)
{
	struct str first = first_line(head), end = line_end(first);
	struct http1_header header;
	size_t at = 0;

	buf_append_str(out, first);
	while (http1_next_header(head, &at, &header)) {
		if (is_secret(header.name)) {
			buf_append_str(out, header.name);
			buf_append_str(out, STR(": REDACTED"));
			buf_append_str(out, end);
		} else {
			buf_append_str(out, header.line);
		}
	}
	buf_append_str(out, end);
}
