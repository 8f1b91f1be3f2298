#include "traffic/tuple.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/utf8.h"
#include "net/http1.h"

#include <inttypes.h>
#include <strings.h>

struct writing {
	struct buf *out;
	struct arena *mem;
	bool keep_auth;
};

static void put_key(struct writing *w, bool *first, struct str key)
{
	if (!*first)
		buf_append_byte(w->out, ',');
	*first = false;
	json_write_string(w->out, key);
	buf_append_byte(w->out, ':');
}

static bool is_text(struct str s)
{
	size_t at = 0;

	while (at < s.len) {
		uint64_t word = UINT64_MAX;
		size_t len;

		if (s.len - at >= sizeof(word))
			memcpy(&word, s.ptr + at, sizeof(word));
		len = word & UINT64_C(0x8080808080808080) ? utf8_length(s.ptr + at, s.len - at)
							  : sizeof(word);
		if (len == 0)
			return false;
		at += len;
	}
	return true;
}

/* A field's value may hold any byte: those that are no UTF-8 are taken for Latin-1. */
static void put_text(struct writing *w, struct str s)
{
	cleanup(buf_release) struct buf wide = BUF_INIT(s.len * 2 + 1);

	if (is_text(s)) {
		json_write_string(w->out, s);
		return;
	}
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c >= 0x80) {
			buf_append_byte(&wide, (char)(0xc0 | c >> 6));
			c = (unsigned char)(0x80 | (c & 0x3f));
		}
		buf_append_byte(&wide, (char)c);
	}
	json_write_string(w->out, buf_str(&wide));
}

static bool same_field(struct str a, struct str b)
{
	return a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

static bool is_secret(struct str name)
{
	static const char *const names[] = {"authorization",
					    "proxy-authorization",
					    "es-secondary-authorization",
					    "x-amz-security-token",
					    "cookie",
					    "set-cookie"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (http1_name_is(name, names[i]))
			return true;
	return false;
}

static bool left_out(const struct http_message *m, struct str name)
{
	return m->decoded &&
	       (http1_name_is(name, "content-encoding") || http1_name_is(name, "content-length") ||
		http1_name_is(name, "transfer-encoding"));
}

/* Each name once, in its first spelling, with all of its values. */
static void put_fields(struct writing *w, bool *first, const struct http_message *m)
{
	for (size_t i = 0; i < m->field_count; i++) {
		struct str name = m->fields[i].name;
		bool seen = left_out(m, name), more = false;

		for (size_t j = 0; j < i && !seen; j++)
			seen = same_field(m->fields[j].name, name);
		if (seen)
			continue;
		put_key(w, first, name);
		buf_append_byte(w->out, '[');
		for (size_t j = i; j < m->field_count; j++) {
			if (!same_field(m->fields[j].name, name))
				continue;
			if (more)
				buf_append_byte(w->out, ',');
			more = true;
			put_text(w, is_secret(name) && !w->keep_auth ? STR("REDACTED")
								     : m->fields[j].value);
		}
		buf_append_byte(w->out, ']');
	}
	if (m->decoded) {
		put_key(w, first, STR("transfer-encoding"));
		buf_append_str(w->out, STR("[\"chunked\"]"));
	}
}

static bool put_json(struct writing *w, struct str body)
{
	struct json *tree;
	struct err err;

	if (body.len == 0 || (body.ptr[0] != '{' && body.ptr[0] != '['))
		return false;
	if (json_parse(body, w->mem, &tree, &err) < 0)
		return false;
	buf_append_str(w->out, STR("\"inlinedJsonBody\":"));
	json_write(w->out, tree);
	return true;
}

static bool put_json_sequence(struct writing *w, struct str body)
{
	size_t began = w->out->len;
	struct str line, rest = body;
	struct json *tree;
	struct err err;
	bool any = false;

	if (body.len == 0 || body.ptr[0] != '{')
		return false;
	buf_append_str(w->out, STR("\"inlinedJsonSequenceBodies\":["));
	while (rest.len > 0) {
		if (!str_split(rest, '\n', &line, &rest))
			rest = STR_NONE;
		line = str_trim(line);
		if (line.len == 0)
			continue;
		if (json_parse(line, w->mem, &tree, &err) < 0) {
			w->out->len = MIN(began, w->out->len);
			return false;
		}
		if (any)
			buf_append_byte(w->out, ',');
		any = true;
		json_write(w->out, tree);
	}
	buf_append_byte(w->out, ']');
	return true;
}

static int hex_value(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

static struct str form_decode(struct writing *w, struct str s)
{
	char *to = arena_alloc(w->mem, s.len + 1);
	size_t len = 0;

	if (!to)
		return s;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '%' && i + 2 < s.len && hex_value(s.ptr[i + 1]) >= 0 &&
		    hex_value(s.ptr[i + 2]) >= 0) {
			to[len++] = (char)(hex_value(s.ptr[i + 1]) << 4 | hex_value(s.ptr[i + 2]));
			i += 2;
		} else {
			to[len++] = s.ptr[i] == '+' ? ' ' : s.ptr[i];
		}
	}
	return str_of(to, len);
}

static bool put_form(struct writing *w, const struct http_message *m, struct str body)
{
	struct json *form = json_new(w->mem, JSON_OBJECT);
	struct str pair, rest = body;

	if (!str_starts(http_message_field(m, "content-type"),
			STR("application/x-www-form-urlencoded")))
		return false;
	while (rest.len > 0 && form) {
		struct str name, value;
		struct json *values;

		if (!str_split(rest, '&', &pair, &rest))
			rest = STR_NONE;
		if (!str_split(pair, '=', &name, &value))
			value = STR("");
		name = form_decode(w, name);
		if (!is_text(name) || !is_text(value = form_decode(w, value)))
			return false;
		values = json_get_str(form, name);
		if (!values)
			json_set(form, name, values = json_new(w->mem, JSON_ARRAY));
		json_append(values, json_new_string(w->mem, value));
	}
	if (!form || w->mem->failed)
		return false;
	buf_append_str(w->out, STR("\"inlinedFormEncodedBody\":"));
	json_write(w->out, form);
	return true;
}

static void put_payload(struct writing *w, bool *first, const struct http_message *m)
{
	struct str body = m->body, trimmed = str_trim(body);

	put_key(w, first, STR("payload"));
	buf_append_byte(w->out, '{');
	if (body.len > 0 && !put_json(w, trimmed) && !put_json_sequence(w, trimmed) &&
	    !put_form(w, m, body)) {
		if (is_text(body)) {
			buf_append_str(w->out, STR("\"inlinedTextBody\":"));
			json_write_string(w->out, body);
		} else {
			buf_append_str(w->out, STR("\"inlinedBase64Body\":\""));
			base64_encode(w->out, body);
			buf_append_byte(w->out, '"');
		}
	}
	if (body.len == 0)
		buf_append_str(w->out, STR("\"inlinedTextBody\":\"\""));
	buf_append_byte(w->out, '}');
}

static void put_failure(struct writing *w, const char *failure)
{
	buf_append_str(w->out, STR("{\"Exception\":"));
	put_text(w, str_from(failure));
	buf_append_byte(w->out, '}');
}

static void put_request(struct writing *w, const struct tuple_part *part)
{
	struct http_message m;
	struct err err = {0};
	bool first = true;

	if (http_request_parse(part->bytes, w->mem, &m, &err) < 0) {
		put_failure(w, err.message);
		return;
	}
	http_message_decode(&m, TUPLE_BODY_MAX, w->mem, &err);
	buf_append_byte(w->out, '{');
	put_fields(w, &first, &m);
	put_key(w, &first, STR("Request-URI"));
	put_text(w, m.target);
	put_key(w, &first, STR("Method"));
	put_text(w, m.method);
	put_key(w, &first, STR("HTTP-Version"));
	put_text(w, m.version);
	put_payload(w, &first, &m);
	buf_append_byte(w->out, '}');
}

static void put_span(struct writing *w, bool *first, struct str key, int64_t us)
{
	us = MAX(us, (int64_t)0);
	put_key(w, first, key);
	buf_printf(w->out, "%" PRId64 ".%03d", us / 1000, (int)(us % 1000));
}

static void put_spans(struct writing *w, bool *first, const struct tuple_part *part)
{
	put_span(w, first, STR("first_byte_ms"), part->first_byte_us);
	put_span(w, first, STR("last_byte_ms"), part->last_byte_us);
}

static void put_response(struct writing *w, const struct tuple_part *part, bool head_only)
{
	struct http_message m;
	struct err err = {0};
	bool first = true;

	if (part->failure || http_response_parse(part->bytes, head_only, w->mem, &m, &err) < 0) {
		put_failure(w, part->failure ? part->failure : err.message);
		return;
	}
	http_message_decode(&m, TUPLE_BODY_MAX, w->mem, &err);
	buf_append_byte(w->out, '{');
	put_fields(w, &first, &m);
	put_key(w, &first, STR("HTTP-Version"));
	put_text(w, m.version);
	put_key(w, &first, STR("Status-Code"));
	buf_printf(w->out, "%d", m.status);
	put_key(w, &first, STR("Reason-Phrase"));
	put_text(w, m.reason);
	put_key(w, &first, STR("response_time_ms"));
	buf_printf(w->out, "%" PRId64, part->response_ms);
	if (part->has_spans)
		put_spans(w, &first, part);
	put_payload(w, &first, &m);
	buf_append_byte(w->out, '}');
}

void tuple_write(struct buf *out, const struct tuple *tuple, struct arena *mem)
{
	struct writing w = {out, mem, tuple->keep_auth};
	bool head = str_starts(tuple->source_request.bytes, STR("HEAD ")), first = true;

	buf_append_byte(out, '{');
	put_key(&w, &first, STR("sourceRequest"));
	put_request(&w, &tuple->source_request);
	if (tuple->source_response.bytes.len > 0) {
		put_key(&w, &first, STR("sourceResponse"));
		put_response(&w, &tuple->source_response, head);
	}
	if (tuple->target_request.bytes.len > 0) {
		put_key(&w, &first, STR("targetRequest"));
		put_request(&w, &tuple->target_request);
	}
	put_key(&w, &first, STR("targetResponses"));
	buf_append_byte(out, '[');
	for (size_t i = 0; i < tuple->target_response_count; i++) {
		if (i > 0)
			buf_append_byte(out, ',');
		put_response(&w, &tuple->target_responses[i], head);
	}
	buf_append_byte(out, ']');
	put_key(&w, &first, STR("connectionId"));
	put_text(&w, arena_printf(mem, STR_FMT ".%" PRId64, STR_ARG(tuple->connection_id),
				  tuple->index));
	if (tuple->error) {
		put_key(&w, &first, STR("error"));
		put_text(&w, str_from(tuple->error));
	}
	buf_printf(out, ",\"numRequests\":%zu,\"numErrors\":%zu}\n", tuple->target_response_count,
		   tuple->errors);
}
