#include "net/http1.h"

#include <string.h>
#include <strings.h>

/* Of one chunk: 16 hexadecimal digits fit. */
#define CHUNK_DIGITS_MAX 15
#define CHUNK_LINE_MAX 4096

enum { LINE_DIGITS, LINE_EXTENSION, LINE_FEED };

void http1_request_init(struct http1 *p, size_t limit)
{
	*p = (struct http1){.limit = limit};
}

void http1_response_init(struct http1 *p, size_t limit, bool head_only)
{
	*p = (struct http1){.limit = limit, .response = true, .head_only = head_only};
}

static bool fail(struct http1 *p, enum http1_error error, const char *reason)
{
	p->state = HTTP1_FAILED;
	p->error = error;
	p->reason = reason;
	return false;
}

static bool is_token_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_token_char(s.ptr[i]))
			return false;
	return s.len > 0;
}

static struct str trim(struct str s)
{
	while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
		s = str_from_offset(s, 1);
	while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

bool http1_name_is(struct str name, const char *wanted)
{
	return name.len == strlen(wanted) && strncasecmp(name.ptr, wanted, name.len) == 0;
}

/* Cuts the next line off `head` at *at; *line without its end. */
static bool next_line(struct str head, size_t *at, struct str *line)
{
	const char *begin = head.ptr + *at, *end;

	if (*at >= head.len || !(end = memchr(begin, '\n', head.len - *at)))
		return false;
	*at += (size_t)(end - begin) + 1;
	*line = str_of(begin, (size_t)(end - begin));
	if (line->len > 0 && line->ptr[line->len - 1] == '\r')
		line->len--;
	return true;
}

struct str http1_target(struct str head)
{
	struct str line, first, rest, target;
	size_t at = 0;

	if (!next_line(head, &at, &line) || !str_split(line, ' ', &first, &rest))
		return STR_NONE;
	str_split(rest, ' ', &target, &rest);
	return target;
}

bool http1_next_header(struct str head, size_t *at, struct http1_header *out)
{
	struct str line, rest;
	size_t from;

	if (*at == 0 && !next_line(head, at, &line))
		return false;
	from = *at;
	if (!next_line(head, at, &line) || line.len == 0)
		return false;
	str_split(line, ':', &out->name, &rest);
	out->value = trim(rest);
	out->line = str_of(head.ptr + from, *at - from);
	return true;
}

/* --- The head --- */

static bool parse_version(struct http1 *p, struct str version)
{
	if (version.len != 8 || memcmp(version.ptr, "HTTP/1.", 7) != 0 ||
	    (version.ptr[7] != '0' && version.ptr[7] != '1'))
		return fail(p,
			    str_starts(version, STR("HTTP/")) ? HTTP1_UNSUPPORTED : HTTP1_GARBAGE,
			    "the version is not HTTP/1.0 or HTTP/1.1");
	p->minor = version.ptr[7] - '0';
	return true;
}

static bool parse_request_line(struct http1 *p, struct str line)
{
	struct str method, target, version, rest;

	if (!str_split(line, ' ', &method, &rest) || !str_split(rest, ' ', &target, &version) ||
	    !is_token(method) || method.len > HTTP1_METHOD_MAX || target.len == 0)
		return fail(p, HTTP1_GARBAGE, "the first line is no request line");
	for (size_t i = 0; i < target.len; i++)
		if ((unsigned char)target.ptr[i] <= ' ' || target.ptr[i] == 0x7f)
			return fail(p, HTTP1_GARBAGE, "the request line has control characters");
	memcpy(p->method, method.ptr, method.len);
	return parse_version(p, version);
}

static bool parse_status_line(struct http1 *p, struct str line)
{
	struct str version, rest, code, reason;
	uint64_t status;

	str_split(line, ' ', &version, &rest);
	if (!parse_version(p, version))
		return false;
	str_split(rest, ' ', &code, &reason);
	if (code.len != 3 || !str_to_u64(code, &status) || status < 100)
		return fail(p, HTTP1_GARBAGE, "the first line is no status line");
	p->status = (int)status;
	return true;
}

static bool add_length(struct http1 *p, struct str value)
{
	uint64_t length;

	if (!str_to_u64(value, &length) || length > INT64_MAX)
		return fail(p, HTTP1_CONFLICT, "Content-Length is no number");
	if (p->has_length)
		return fail(p, HTTP1_CONFLICT, "Content-Length is given more than once");
	p->has_length = true;
	p->length = length;
	return true;
}

static bool add_coding(struct http1 *p, struct str value)
{
	if (p->chunked)
		return fail(p, HTTP1_CONFLICT, "Transfer-Encoding is given more than once");
	if (!http1_name_is(value, "chunked"))
		return fail(p, HTTP1_UNSUPPORTED, "Transfer-Encoding is not chunked");
	p->chunked = true;
	return true;
}

static void add_connection(struct http1 *p, struct str value)
{
	struct str one, rest = value;

	while (rest.len > 0) {
		struct str tail = STR_NONE;

		str_split(rest, ',', &one, &tail);
		one = trim(one);
		if (http1_name_is(one, "close"))
			p->keep_alive = false;
		else if (http1_name_is(one, "keep-alive") && p->minor == 0)
			p->keep_alive = true;
		rest = tail;
	}
}

static bool add_header(struct http1 *p, struct str line)
{
	struct str name, value;

	if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
		return fail(p, HTTP1_CONFLICT, "a header line is folded");
	if (!str_split(line, ':', &name, &value) || !is_token(name))
		return fail(p, HTTP1_CONFLICT, "a header line has no name before a colon");
	for (size_t i = 0; i < value.len; i++)
		if (value.ptr[i] == '\r' || value.ptr[i] == '\0')
			return fail(p, HTTP1_CONFLICT, "a header has a bare CR or NUL");
	value = trim(value);
	if (http1_name_is(name, "Content-Length"))
		return add_length(p, value);
	if (http1_name_is(name, "Transfer-Encoding"))
		return add_coding(p, value);
	if (http1_name_is(name, "Connection"))
		add_connection(p, value);
	else if (http1_name_is(name, "Expect"))
		p->expects_continue |= http1_name_is(value, "100-continue");
	else if (http1_name_is(name, "Upgrade"))
		p->upgrade = true;
	return true;
}

static void begin_body(struct http1 *p)
{
	if (p->response &&
	    (p->head_only || p->status < 200 || p->status == 204 || p->status == 304))
		p->state = HTTP1_DONE;
	else if (p->chunked)
		p->state = HTTP1_CHUNK_LINE;
	else if (p->has_length || !p->response)
		p->state = p->length > 0 ? HTTP1_LENGTH : HTTP1_DONE;
	else
		p->state = HTTP1_UNTIL_CLOSE;
	if (p->state == HTTP1_UNTIL_CLOSE)
		p->keep_alive = false;
	p->left = p->length;
}

static bool parse_head(struct http1 *p, struct str head)
{
	struct str line;
	size_t at = 0;

	next_line(head, &at, &line);
	p->first_line_bytes = line.len;
	if (!(p->response ? parse_status_line(p, line) : parse_request_line(p, line)))
		return false;
	p->keep_alive = p->minor == 1;
	while (next_line(head, &at, &line) && line.len > 0) {
		p->header_bytes += line.len;
		if (!add_header(p, line))
			return false;
	}
	if (p->chunked && p->has_length)
		return fail(p, HTTP1_CONFLICT, "Content-Length stands beside Transfer-Encoding");
	if (p->chunked && p->minor == 0)
		return fail(p, HTTP1_CONFLICT, "HTTP/1.0 has no Transfer-Encoding");
	p->head_bytes = head.len;
	begin_body(p);
	return true;
}

/* What a request begins with is seen before its first line ends, so that garbage does not wait for
 * an end that never comes. */
static bool check_beginning(struct http1 *p, struct str bytes)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n";
	size_t most = MIN(bytes.len, (size_t)HTTP1_METHOD_MAX + 1);

	if (p->response) {
		most = MIN(bytes.len, (size_t)5);
		return memcmp(bytes.ptr, "HTTP/", most) == 0 ||
		       fail(p, HTTP1_GARBAGE, "it does not begin as a response");
	}
	if (bytes.len >= sizeof(preface) - 1 &&
	    memcmp(bytes.ptr, preface, sizeof(preface) - 1) == 0)
		return fail(p, HTTP1_UNSUPPORTED, "HTTP/2 is not spoken here");
	for (size_t i = 0; i < most; i++) {
		if (bytes.ptr[i] == ' ' && i > 0)
			return true;
		if (!is_token_char(bytes.ptr[i]))
			return fail(p, HTTP1_GARBAGE, "it does not begin as a request");
	}
	return bytes.len <= HTTP1_METHOD_MAX ||
	       fail(p, HTTP1_GARBAGE, "it does not begin as a request");
}

static size_t feed_head(struct http1 *p, struct str bytes)
{
	size_t at;

	if (bytes.len == 0 || !check_beginning(p, bytes))
		return 0;
	/* The empty line may begin up to two bytes before what is new. */
	at = p->scanned > 2 ? p->scanned - 2 : 0;
	while (at < bytes.len) {
		const char *feed = memchr(bytes.ptr + at, '\n', bytes.len - at);
		size_t next;

		if (!feed)
			break;
		next = (size_t)(feed - bytes.ptr) + 1;
		if (next < bytes.len && bytes.ptr[next] == '\r')
			next++;
		if (next < bytes.len && bytes.ptr[next] == '\n') {
			if (next + 1 > p->limit)
				break;
			return parse_head(p, str_of(bytes.ptr, next + 1)) ? next + 1 : 0;
		}
		at = (size_t)(feed - bytes.ptr) + 1;
	}
	p->scanned = bytes.len;
	if (bytes.len >= p->limit)
		fail(p, HTTP1_TOO_LARGE, "its head is larger than the limit");
	return 0;
}

/* --- The body --- */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void end_chunk_line(struct http1 *p)
{
	p->state = p->left > 0 ? HTTP1_CHUNK : HTTP1_TRAILERS;
	p->trailer_bytes = p->line_bytes = 0;
	p->line_state = 0;
}

static void chunk_line_byte(struct http1 *p, char c)
{
	int digit = hex_value(c);

	if (p->line_bytes == 0)
		p->left = 0;
	if (p->line_state == LINE_FEED) {
		if (c != '\n')
			fail(p, HTTP1_CONFLICT, "a chunk's line has a bare CR");
		else
			end_chunk_line(p);
	} else if (p->line_state == LINE_DIGITS && digit >= 0) {
		if (++p->line_bytes > CHUNK_DIGITS_MAX)
			fail(p, HTTP1_CONFLICT, "a chunk's size is too large");
		p->left = p->left << 4 | (unsigned)digit;
	} else if (p->line_bytes == 0) {
		fail(p, HTTP1_CONFLICT, "a chunk has no size");
	} else if (c == '\r') {
		p->line_state = LINE_FEED;
	} else if (c == '\n' ||
		   (p->line_state == LINE_DIGITS && c != ';' && c != ' ' && c != '\t')) {
		fail(p, HTTP1_CONFLICT, "a chunk's line is not as it should be");
	} else {
		p->line_state = LINE_EXTENSION;
		if (++p->line_bytes > CHUNK_LINE_MAX)
			fail(p, HTTP1_TOO_LARGE, "a chunk's line is larger than the limit");
	}
}

/* The CRLF after a chunk. */
static void chunk_end_byte(struct http1 *p, char c)
{
	if (c != "\r\n"[p->line_state]) {
		fail(p, HTTP1_CONFLICT, "a chunk is longer than its size");
	} else if (p->line_state++ == 1) {
		p->state = HTTP1_CHUNK_LINE;
		p->line_bytes = 0;
		p->line_state = LINE_DIGITS;
	}
}

/* line_state is 1 after a CR. */
static void trailer_byte(struct http1 *p, char c)
{
	if (++p->trailer_bytes > p->limit) {
		fail(p, HTTP1_TOO_LARGE, "its trailers are larger than the limit");
	} else if (p->line_state == 1) {
		if (c != '\n')
			fail(p, HTTP1_CONFLICT, "a trailer has a bare CR");
		else if (p->line_bytes == 0)
			p->state = HTTP1_DONE;
		p->line_state = 0;
		p->line_bytes = 0;
	} else if (c == '\r') {
		p->line_state = 1;
	} else if (c == '\n') {
		fail(p, HTTP1_CONFLICT, "a trailer has a bare LF");
	} else {
		p->line_bytes++;
	}
}

static size_t feed_counted(struct http1 *p, size_t len)
{
	size_t taken = p->left < len ? (size_t)p->left : len;

	p->left -= taken;
	if (p->left == 0) {
		p->state = p->state == HTTP1_LENGTH ? HTTP1_DONE : HTTP1_CHUNK_END;
		p->line_state = 0;
	}
	return taken;
}

static size_t feed_some(struct http1 *p, struct str bytes)
{
	switch (p->state) {
	case HTTP1_HEAD:
		return feed_head(p, bytes);
	case HTTP1_LENGTH:
	case HTTP1_CHUNK:
		return feed_counted(p, bytes.len);
	case HTTP1_CHUNK_LINE:
		chunk_line_byte(p, bytes.ptr[0]);
		return 1;
	case HTTP1_CHUNK_END:
		chunk_end_byte(p, bytes.ptr[0]);
		return 1;
	case HTTP1_TRAILERS:
		trailer_byte(p, bytes.ptr[0]);
		return 1;
	case HTTP1_UNTIL_CLOSE:
		return bytes.len;
	case HTTP1_DONE:
	case HTTP1_FAILED:
		break;
	}
	return 0;
}

size_t http1_feed(struct http1 *p, struct str bytes)
{
	size_t taken = 0;

	while (taken < bytes.len && p->state != HTTP1_DONE && p->state != HTTP1_FAILED) {
		size_t some = feed_some(p, str_from_offset(bytes, taken));

		if (some == 0)
			break;
		taken += some;
	}
	return taken;
}

bool http1_end(struct http1 *p)
{
	if (p->state == HTTP1_UNTIL_CLOSE)
		p->state = HTTP1_DONE;
	return p->state == HTTP1_DONE;
}
