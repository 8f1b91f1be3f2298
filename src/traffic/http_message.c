#include "traffic/http_message.h"

#include "net/http1.h"

#include <zlib.h>

static bool same_name(struct str a, const char *b)
{
	return http1_name_is(a, b);
}

struct str http_message_field(const struct http_message *message, const char *name)
{
	for (size_t i = 0; i < message->field_count; i++)
		if (same_name(message->fields[i].name, name))
			return message->fields[i].value;
	return STR_NONE;
}

static int take_fields(struct str head, struct arena *mem, struct http_message *out,
		       struct err *err)
{
	struct http1_header header;
	size_t at = 0, count = 0;

	while (http1_next_header(head, &at, &header))
		count++;
	out->fields = arena_zalloc(mem, count ? count : 1, sizeof(*out->fields));
	if (!out->fields)
		return arena_fail(mem, "header fields", err);
	at = 0;
	while (out->field_count < count && http1_next_header(head, &at, &header))
		out->fields[out->field_count++] = (struct http_field){header.name, header.value};
	return 0;
}

/* The first line up to its end, whichever of the two it has. */
static struct str first_line(struct str head)
{
	const char *end = memchr(head.ptr, '\n', head.len);
	size_t len = end ? (size_t)(end - head.ptr) : head.len;

	if (len > 0 && head.ptr[len - 1] == '\r')
		len--;
	return str_of(head.ptr, len);
}

static bool chunk_size(struct str line, size_t *out)
{
	size_t size = 0, digits = 0;

	for (; digits < line.len; digits++) {
		char c = line.ptr[digits];
		int value = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;

		if (value < 0)
			break;
		if (size > SIZE_MAX >> 5)
			return false;
		size = size * 16 + (size_t)value;
	}
	*out = size;
	return digits > 0;
}

/* Joins the chunks; the parser has accepted them. */
static int join_chunks(struct str framed, struct arena *mem, struct str *out, struct err *err)
{
	char *to = arena_alloc(mem, framed.len + 1);
	size_t len = 0, size;

	if (!to)
		return arena_fail(mem, "a body in chunks", err);
	for (;;) {
		struct str line = first_line(framed);
		const char *end = framed.len ? memchr(framed.ptr, '\n', framed.len) : NULL;

		if (!end || !chunk_size(line, &size))
			return err_set(err, ERR_FORMAT, "a body's chunks are damaged");
		framed = str_from_offset(framed, (size_t)(end - framed.ptr) + 1);
		if (size == 0)
			break;
		if (size > framed.len)
			return err_set(err, ERR_FORMAT, "a chunk of a body is cut short");
		memcpy(to + len, framed.ptr, size);
		len += size;
		framed = str_from_offset(framed, size);
		end = framed.len ? memchr(framed.ptr, '\n', MIN(framed.len, (size_t)2)) : NULL;
		if (!end)
			return err_set(err, ERR_FORMAT, "a chunk of a body has no end");
		framed = str_from_offset(framed, (size_t)(end - framed.ptr) + 1);
	}
	*out = str_of(to, len);
	return 0;
}

static int take_body(const struct http1 *p, struct str whole, struct arena *mem,
		     struct http_message *out, struct err *err)
{
	out->chunked = p->chunked;
	out->framed = str_from_offset(whole, p->head_bytes);
	out->body = out->framed;
	out->coding = http_message_field(out, "content-encoding");
	if (!out->coding.ptr || http1_name_is(out->coding, "identity"))
		out->coding = STR("");
	if (p->chunked && out->framed.len > 0)
		return join_chunks(out->framed, mem, &out->body, err);
	return 0;
}

/* How many of the bytes are the message; fails unless all of it is there. */
static int feed_whole(struct http1 *p, struct str bytes, const char *what, size_t *used,
		      struct err *err)
{
	size_t at = http1_feed(p, bytes);

	while (p->state != HTTP1_DONE && p->state != HTTP1_FAILED && at < bytes.len) {
		size_t more = http1_feed(p, str_from_offset(bytes, at));

		if (more == 0)
			break;
		at += more;
	}
	*used = at;
	if (p->state == HTTP1_DONE)
		return 0;
	if (p->state == HTTP1_FAILED)
		return err_set(err, ERR_FORMAT, "%s is no HTTP/1: %s", what, p->reason);
	if (http1_end(p))
		return 0;
	return err_set(err, ERR_FORMAT, "%s is cut short after %zu bytes", what, bytes.len);
}

static struct str version_of(const struct http1 *p)
{
	return p->minor == 0 ? STR("HTTP/1.0") : STR("HTTP/1.1");
}

int http_request_parse(struct str bytes, struct arena *mem, struct http_message *out,
		       struct err *err)
{
	struct http1 p;
	size_t used;
	struct str line;

	*out = (struct http_message){0};
	http1_request_init(&p, HTTP_MESSAGE_HEAD_MAX);
	if (feed_whole(&p, bytes, "the request", &used, err) < 0)
		return -(int)err->kind;
	line = first_line(bytes);
	out->method = str_of(bytes.ptr, strlen(p.method));
	while (out->method.len > line.len)
		out->method.len--;
	out->target = http1_target(str_of(bytes.ptr, p.head_bytes));
	out->version = version_of(&p);
	if (take_fields(str_of(bytes.ptr, p.head_bytes), mem, out, err) < 0)
		return -(int)err->kind;
	return take_body(&p, str_of(bytes.ptr, used), mem, out, err);
}

/* "HTTP/1.1 200 Not so bad" */
static struct str reason_of(struct str line)
{
	struct str version, rest, status, reason;

	if (!str_split(line, ' ', &version, &rest) || !str_split(rest, ' ', &status, &reason))
		return STR("");
	return reason;
}

int http_response_parse(struct str bytes, bool head_only, struct arena *mem,
			struct http_message *out, struct err *err)
{
	struct http1 p;
	size_t used;

	*out = (struct http_message){0};
	if (bytes.len == 0)
		return err_set(err, ERR_FORMAT, "there is no response");
	for (;;) {
		http1_response_init(&p, HTTP_MESSAGE_HEAD_MAX, head_only);
		if (feed_whole(&p, bytes, "the response", &used, err) < 0)
			return -(int)err->kind;
		if (!http1_is_interim(&p))
			break;
		bytes = str_from_offset(bytes, used);
	}
	out->status = p.status;
	out->reason = reason_of(first_line(str_of(bytes.ptr, p.head_bytes)));
	out->version = version_of(&p);
	if (take_fields(str_of(bytes.ptr, p.head_bytes), mem, out, err) < 0)
		return -(int)err->kind;
	return take_body(&p, str_of(bytes.ptr, used), mem, out, err);
}

/* Window bits for zlib: 47 takes gzip or zlib, -15 the bare deflate that some servers send. */
static int inflate_all(struct str in, int window_bits, size_t limit, struct buf *out)
{
	z_stream z = {0};
	int rc;

	if (inflateInit2(&z, window_bits) != Z_OK)
		return -1;
	z.next_in = (Bytef *)(uintptr_t)in.ptr;
	z.avail_in = (uInt)MIN(in.len, (size_t)UINT32_MAX);
	do {
		void *room = out->len < limit
				     ? buf_reserve(out, MIN((size_t)65536, limit - out->len))
				     : NULL;

		if (!room) {
			rc = Z_MEM_ERROR;
			break;
		}
		z.next_out = room;
		z.avail_out = (uInt)MIN((size_t)65536, limit - out->len);
		rc = inflate(&z, Z_NO_FLUSH);
		out->len = (size_t)((char *)z.next_out - out->ptr);
		/* Another member: RFC 1952, section 2.2. */
		if (rc == Z_STREAM_END && z.avail_in > 0 && *z.next_in == 0x1f)
			rc = inflateReset(&z);
	} while (rc == Z_OK);
	inflateEnd(&z);
	return rc == Z_STREAM_END ? 0 : -1;
}

int http_message_decode(struct http_message *message, size_t limit, struct arena *mem,
			struct err *err)
{
	cleanup(buf_release) struct buf out = BUF_INIT(limit);
	bool gzip =
		http1_name_is(message->coding, "gzip") || http1_name_is(message->coding, "x-gzip");
	int failed;

	if (message->decoded || message->coding.len == 0 || message->body.len == 0)
		return 0;
	if (!gzip && !http1_name_is(message->coding, "deflate"))
		return err_set(err, ERR_UNSUPPORTED,
			       "the content coding '" STR_FMT "' is not known",
			       STR_ARG(message->coding));
	failed = inflate_all(message->body, 47, limit, &out);
	if (failed && !gzip) {
		buf_reset(&out);
		failed = inflate_all(message->body, -15, limit, &out);
	}
	if (failed)
		return err_set(err, ERR_FORMAT, "a body is no " STR_FMT ", or too large",
			       STR_ARG(message->coding));
	message->body = arena_str(mem, buf_str(&out));
	if (!message->body.ptr)
		return arena_fail(mem, "a body", err);
	message->decoded = true;
	return 0;
}
