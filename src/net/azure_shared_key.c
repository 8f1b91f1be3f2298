#include "net/azure_shared_key.h"

#include "base/base64.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#define MOST_PARTS 32

/* A name and its value: of a header or of the query. */
struct part {
	struct str name, value;
};

static int compare_parts(const void *a, const void *b)
{
	return str_cmp(((const struct part *)a)->name, ((const struct part *)b)->name);
}

static struct str trimmed(struct str s)
{
	while (s.len > 0 && s.ptr[0] == ' ')
		s = str_from_offset(s, 1);
	while (s.len > 0 && s.ptr[s.len - 1] == ' ')
		s.len--;
	return s;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

void azure_append_decoded(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		int high = text.ptr[i] == '%' && i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(text.ptr[i + 2]) : -1;

		if (low < 0) {
			buf_append_byte(out, text.ptr[i]);
		} else {
			buf_append_byte(out, (char)(high * 16 + low));
			i += 2;
		}
	}
}

static void append_lower(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		buf_append_byte(out, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
	}
}

static void append_headers(const struct azure_signed_request *request, struct buf *out)
{
	struct part parts[MOST_PARTS];
	size_t count = MIN(request->ms_header_count, (size_t)MOST_PARTS);

	for (size_t i = 0; i < count; i++)
		str_split(str_from(request->ms_headers[i]), ':', &parts[i].name, &parts[i].value);
	qsort(parts, count, sizeof(*parts), compare_parts);
	for (size_t i = 0; i < count; i++) {
		struct str value = trimmed(parts[i].value);

		buf_printf(out, STR_FMT ":" STR_FMT "\n", STR_ARG(parts[i].name), STR_ARG(value));
	}
}

/* "/account/path", then the query's parameters, decoded, one a line. */
static void append_resource(const struct azure_signed_request *request, struct buf *out)
{
	struct part parts[MOST_PARTS];
	struct str path, query = STR_NONE, one;
	size_t count = 0;

	if (!str_split(request->target, '?', &path, &query))
		query = STR_NONE;
	buf_printf(out, "/%s" STR_FMT, request->account, STR_ARG(path));
	while (query.len > 0 && count < MOST_PARTS) {
		if (!str_split(query, '&', &one, &query))
			query = STR_NONE;
		if (!str_split(one, '=', &parts[count].name, &parts[count].value))
			parts[count].value = STR_NONE;
		count++;
	}
	qsort(parts, count, sizeof(*parts), compare_parts);
	for (size_t i = 0; i < count; i++) {
		buf_append_byte(out, '\n');
		append_lower(out, parts[i].name);
		buf_append_byte(out, ':');
		azure_append_decoded(out, parts[i].value);
	}
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* StringToSign: the lines that stay empty are of headers that we do not send. */
static void write_string(const struct azure_signed_request *request, struct buf *out)
{
	buf_printf(out, "%s\n\n\n", request->method);
	if (request->content_length > 0)
		buf_printf(out, "%zu", request->content_length);
	buf_printf(out, "\n\n%s\n\n\n%s\n\n\n%s\n", or_empty(request->content_type),
		   or_empty(request->if_match), or_empty(request->range));
	append_headers(request, out);
	append_resource(request, out);
}

int azure_sign(const struct azure_signed_request *request, struct str key, struct arena *mem,
	       const char **line, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1)), signature = BUF_INIT(KIB(1));
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	int rc;

	write_string(request, &text);
	if ((rc = buf_check(&text, "a request to Azure", err)) < 0)
		return rc;
	if (!HMAC(EVP_sha256(), key.ptr, (int)key.len, (const unsigned char *)text.ptr, text.len,
		  hash, &len))
		BUG("no HMAC");
	base64_encode(&signature, str_of(hash, len));
	*line = arena_printf(mem, "Authorization: SharedKey %s:%s", request->account,
			     buf_cstr(&signature))
			.ptr;
	return *line ? 0 : arena_fail(mem, "a signature", err);
}
