#include "replay/outgoing.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "net/http1.h"

int outgoing_open(struct str bytes, struct arena *mem, struct outgoing *o, struct err *err)
{
	*o = (struct outgoing){0};
	if (http_request_parse(bytes, mem, &o->captured, err) < 0)
		return -(int)err->kind;
	o->method = o->captured.method;
	o->target = o->captured.target;
	o->fields = o->captured.fields;
	o->field_count = o->captured.field_count;
	o->body = o->captured.body;
	return 0;
}

int outgoing_decoded_body(struct outgoing *o, struct arena *mem, struct str *out, struct err *err)
{
	struct http_message decoded = o->captured;

	*out = o->body;
	if (o->body_changed || o->captured.coding.len == 0)
		return 0;
	if (http_message_decode(&decoded, OUTGOING_BODY_MAX, mem, err) < 0)
		return -(int)err->kind;
	*out = decoded.body;
	return 0;
}

static struct str lower(struct str s, struct arena *mem)
{
	struct str copy = arena_str(mem, s);
	char *to = (char *)(uintptr_t)copy.ptr;

	for (size_t i = 0; to && i < copy.len; i++)
		if (to[i] >= 'A' && to[i] <= 'Z')
			to[i] = (char)(to[i] + 32);
	return copy;
}

static struct json *headers_message(const struct outgoing *o, struct arena *mem)
{
	struct json *headers = json_new(mem, JSON_OBJECT);

	for (size_t i = 0; i < o->field_count; i++) {
		struct str name = lower(o->fields[i].name, mem);
		struct json *values = json_get_str(headers, name);

		if (!values) {
			values = json_new(mem, JSON_ARRAY);
			json_set(headers, name, values);
		}
		json_append(values, json_new_string(mem, o->fields[i].value));
	}
	return headers;
}

static struct json *sequence_of(struct str body, struct arena *mem)
{
	struct json *list = json_new(mem, JSON_ARRAY), *tree;
	struct str line, rest = body;
	struct err err;

	while (rest.len > 0) {
		if (!str_split(rest, '\n', &line, &rest))
			rest = STR_NONE;
		line = str_trim(line);
		if (line.len == 0)
			continue;
		if (json_parse(line, mem, &tree, &err) < 0)
			return NULL;
		json_append(list, tree);
	}
	return list && list->count > 0 ? list : NULL;
}

static bool is_ndjson(const struct outgoing *o)
{
	struct str path, query, type = http_message_field(&o->captured, "content-type");

	str_split(o->target, '?', &path, &query);
	return str_starts(type, STR("application/x-ndjson")) || str_ends(path, STR("/_bulk")) ||
	       str_ends(path, STR("/_msearch")) || str_ends(path, STR("/_bulk/")) ||
	       str_ends(path, STR("/_msearch/template"));
}

static bool is_utf8(struct str s)
{
	size_t at = 0, length = 1;

	while (at < s.len && (length = utf8_length(s.ptr + at, s.len - at)) > 0)
		at += length;
	return length > 0;
}

/* A script's text has no bytes that are no characters. */
static struct json *base64_of(struct str body, struct arena *mem)
{
	cleanup(buf_release) struct buf digits = BUF_INIT(OUTGOING_BODY_MAX * 2);

	base64_encode(&digits, body);
	return json_new_string(mem, arena_str(mem, buf_str(&digits)));
}

/* What a body of JSON is, and the name for it; NULL: it is none. */
static struct json *tree_of(const struct outgoing *o, struct str body, struct arena *mem,
			    struct str *name)
{
	struct str trimmed = str_trim(body);
	struct json *tree;
	struct err err;

	if (trimmed.len == 0 || (trimmed.ptr[0] != '{' && trimmed.ptr[0] != '['))
		return NULL;
	*name = STR("inlinedJsonBody");
	if (!is_ndjson(o) && json_parse(trimmed, mem, &tree, &err) == 0)
		return tree;
	*name = STR("inlinedJsonSequenceBodies");
	return sequence_of(body, mem);
}

static struct json *payload_message(const struct outgoing *o, struct str body, struct arena *mem)
{
	struct json *payload = json_new(mem, JSON_OBJECT), *tree;
	struct str name;

	if (!payload || body.len == 0)
		return payload;
	if (!is_utf8(body))
		json_set(payload, STR("inlinedBase64Body"), base64_of(body, mem));
	else if ((tree = tree_of(o, body, mem, &name)))
		json_set(payload, name, tree);
	else
		json_set(payload, STR("inlinedTextBody"), json_new_string(mem, body));
	return payload;
}

static struct json *message_of(const struct outgoing *o, struct str body, struct arena *mem)
{
	struct json *message = json_new(mem, JSON_OBJECT);

	json_set(message, STR("transformerMessageVersion"), json_new_i64(mem, 2));
	json_set(message, STR("method"), json_new_string(mem, o->method));
	json_set(message, STR("URI"), json_new_string(mem, o->target));
	json_set(message, STR("protocol"), json_new_string(mem, o->captured.version));
	json_set(message, STR("headers"), headers_message(o, mem));
	json_set(message, STR("payload"), payload_message(o, body, mem));
	return message;
}

static int body_of(const struct json *payload, struct arena *mem, struct str *out, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(OUTGOING_BODY_MAX);
	const struct json *value;

	if ((value = json_get(payload, "inlinedJsonBody"))) {
		json_write(&text, value);
	} else if ((value = json_get(payload, "inlinedJsonSequenceBodies"))) {
		json_each (line, value) {
			json_write(&text, line);
			buf_append_byte(&text, '\n');
		}
	} else if (!json_get(payload, "inlinedTextBody") &&
		   (value = json_get(payload, "inlinedBase64Body"))) {
		if (!base64_decode(&text, json_text_or(value, STR(""))))
			return err_set(err, ERR_FORMAT, "inlinedBase64Body is no base64");
	} else {
		value = json_get(payload, "inlinedTextBody");
		if (!value)
			value = json_get(payload, "inlinedBinaryBody");
		buf_append_str(&text, json_text_or(value, STR("")));
	}
	if (buf_check(&text, "a request's body", err) < 0)
		return -(int)err->kind;
	*out = arena_str(mem, buf_str(&text));
	return out->ptr ? 0 : arena_fail(mem, "a request's body", err);
}

static bool is_clean(struct str s, bool spaces)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '\r' || s.ptr[i] == '\n' || s.ptr[i] == '\0' ||
		    (!spaces && s.ptr[i] == ' '))
			return false;
	return true;
}

static int fields_of(const struct json *headers, struct arena *mem, struct outgoing *o,
		     struct err *err)
{
	size_t count = 0;

	json_each (field, headers)
		count += field->type == JSON_ARRAY ? field->count : 1;
	o->fields = arena_zalloc(mem, count + 1, sizeof(*o->fields));
	if (!o->fields)
		return arena_fail(mem, "header fields", err);
	o->field_count = 0;
	json_each (field, headers) {
		const struct json *value = field->type == JSON_ARRAY ? field->first : field;

		for (; value; value = field->type == JSON_ARRAY ? value->next : NULL) {
			struct str text = json_text_or(value, STR(""));

			if (!is_clean(text, true) || !is_clean(field->key, false))
				return err_set(err, ERR_FORMAT, "a header has a line end in it");
			o->fields[o->field_count++] = (struct http_field){field->key, text};
		}
	}
	return 0;
}

/* What the transformers made of it, taken over whole or not at all. */
static int take_over(const struct json *message, struct arena *mem, struct outgoing *o,
		     struct err *err)
{
	struct outgoing changed = *o;

	if (message->type != JSON_OBJECT)
		return err_set(err, ERR_FORMAT, "a transformer made something else of a request");
	changed.method = json_text_or(json_get(message, "method"), o->method);
	changed.target = json_text_or(json_get(message, "URI"), o->target);
	changed.body_changed = true;
	if (!is_clean(changed.method, false) || !is_clean(changed.target, false))
		return err_set(err, ERR_FORMAT, "a transformer's method or URI has a space in it");
	if (fields_of(json_get(message, "headers"), mem, &changed, err) < 0 ||
	    body_of(json_get(message, "payload"), mem, &changed.body, err) < 0)
		return -(int)err->kind;
	*o = changed;
	return 1;
}

static bool is_json(const struct json *payload)
{
	return json_get(payload, "inlinedJsonBody") ||
	       json_get(payload, "inlinedJsonSequenceBodies");
}

static void count_given(const struct json *payload, struct transform_counts *counts)
{
	counts->json += is_json(payload);
	counts->text += json_get(payload, "inlinedTextBody") != NULL;
	counts->binary += json_get(payload, "inlinedBase64Body") != NULL;
}

static void count_done(const struct json *payload, struct str captured, struct str decoded,
		       const struct outgoing *o, bool changed, struct transform_counts *counts)
{
	counts->changed += changed;
	counts->unchanged += !changed;
	counts->json_out += is_json(payload);
	counts->text_out += json_get(payload, "inlinedTextBody") != NULL;
	counts->captured_bytes += captured.len;
	counts->decoded_bytes += decoded.len;
	counts->made_bytes += changed ? o->body.len : decoded.len;
}

static int transform_counted(struct outgoing *o, struct transform *transform, struct arena *mem,
			     struct transform_counts *counts, struct err *err)
{
	struct transform_message message = {.name = o->target};
	struct str captured = o->body, body;
	int got;

	if (outgoing_decoded_body(o, mem, &body, err) < 0)
		return -(int)err->kind;
	message.value = message_of(o, body, mem);
	if (!message.value || mem->failed)
		return arena_fail(mem, "a request to transform", err);
	count_given(json_get(message.value, "payload"), counts);
	if (transform_apply(transform, &message, 1, mem, err) < 0)
		return -(int)err->kind;
	if (message.error.kind) {
		*err = message.error;
		return -(int)err->kind;
	}
	if (!message.value || (message.value->type == JSON_ARRAY && message.value->count == 0)) {
		counts->dropped++;
		return 0;
	}
	got = message.changed ? take_over(message.value, mem, o, err) : 1;
	if (got > 0)
		count_done(json_get(message.value, "payload"), captured, body, o, message.changed,
			   counts);
	return got;
}

int outgoing_transform(struct outgoing *o, struct transform *transform, struct arena *mem,
		       struct transform_counts *counts, struct err *err)
{
	int64_t began_us = clock_monotonic_us();
	int got = transform_counted(o, transform, mem, counts, err);
	int64_t us = clock_monotonic_us() - began_us;

	if (got < 0)
		duration_tally_add_failed(&counts->took, us);
	else
		duration_tally_add(&counts->took, us);
	return got;
}

/* --- Writing --- */

struct writing {
	const struct outgoing *o;
	const struct outgoing_rules *rules;
	struct buf *out;
	bool plain; /* the body is sent with a length, whatever it came with */
	bool length_written;
};

static bool replaced_by_auth(const struct writing *w, struct str name)
{
	if (w->rules->auth == AUTH_PASS)
		return false;
	if (http1_name_is(name, "authorization"))
		return true;
	return w->rules->auth == AUTH_SIGV4 &&
	       (http1_name_is(name, "host") || http1_name_is(name, "x-amz-date") ||
		http1_name_is(name, "x-amz-security-token") ||
		http1_name_is(name, "x-amz-content-sha256"));
}

static void put_line(struct writing *w, struct str name, struct str value)
{
	buf_append_str(w->out, name);
	buf_append_str(w->out, STR(": "));
	buf_append_str(w->out, value);
	buf_append_str(w->out, STR("\r\n"));
}

static void put_length(struct writing *w, struct str name)
{
	buf_append_str(w->out, name);
	buf_printf(w->out, ": %zu\r\n", w->o->body.len);
	w->length_written = true;
}

static void put_field(struct writing *w, const struct http_field *field)
{
	struct str name = field->name;

	if (replaced_by_auth(w, name))
		return;
	if (http1_name_is(name, "host")) {
		put_line(w, name, str_from(w->rules->host));
	} else if (http1_name_is(name, "user-agent") && w->rules->user_agent) {
		buf_append_str(w->out, name);
		buf_append_str(w->out, STR(": "));
		buf_append_str(w->out, field->value);
		buf_printf(w->out, "; %s\r\n", w->rules->user_agent);
	} else if (http1_name_is(name, "content-length") && w->plain) {
		put_length(w, name);
	} else if (http1_name_is(name, "connection")) {
		/* Whether the client's connection ended says nothing of ours. */
		if (!http1_name_is(field->value, "close"))
			put_line(w, name, field->value);
	} else if (w->plain && (http1_name_is(name, "transfer-encoding") ||
				(w->o->body_changed && http1_name_is(name, "content-encoding")))) {
		return;
	} else {
		put_line(w, name, field->value);
	}
}

static int put_signature(struct writing *w, struct str target, struct arena *mem, struct err *err)
{
	struct sigv4_request request = {
		.method = arena_str(mem, w->o->method).ptr,
		.host = w->rules->host,
		.target = target,
		.body = w->o->body,
		.region = w->rules->region,
		.service = w->rules->service,
		.wall_ms = clock_wall_ms(),
	};
	struct sigv4_lines lines;
	struct sigv4_key key;

	if (!request.method)
		return arena_fail(mem, "a signature", err);
	if (aws_credentials_get(w->rules->credentials, mem, &key, err) < 0 ||
	    sigv4_sign(&request, &key, mem, &lines, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < lines.count; i++)
		buf_printf(w->out, "%s\r\n", lines.line[i]);
	return 0;
}

int outgoing_write(const struct outgoing *o, const struct outgoing_rules *rules, struct arena *mem,
		   struct buf *out, struct err *err)
{
	struct writing w = {.o = o, .rules = rules, .out = out};
	struct str target =
		arena_printf(mem, STR_FMT STR_FMT, STR_ARG(rules->prefix), STR_ARG(o->target));

	if (!target.ptr)
		return arena_fail(mem, "a request", err);
	w.plain = o->body_changed || (rules->auth == AUTH_SIGV4 && o->captured.chunked);
	buf_append_str(out, o->method);
	buf_append_byte(out, ' ');
	buf_append_str(out, target);
	buf_append_str(out, STR(" HTTP/1.1\r\n"));
	for (size_t i = 0; i < o->field_count; i++)
		put_field(&w, &o->fields[i]);
	if (w.plain && !w.length_written && (o->body.len > 0 || !str_is(o->method, "GET")))
		put_length(&w, STR("Content-Length"));
	if (rules->auth == AUTH_FIXED)
		buf_printf(out, "Authorization: %s\r\n", rules->authorization);
	if (rules->auth == AUTH_SIGV4 && put_signature(&w, target, mem, err) < 0)
		return -(int)err->kind;
	buf_append_str(out, STR("\r\n"));
	buf_append_str(out, w.plain ? o->body : o->captured.framed);
	return buf_check(out, "a request", err);
}
