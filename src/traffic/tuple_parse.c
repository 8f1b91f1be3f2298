#include "traffic/tuple_read.h"

#include "base/base64.h"

#include <stdlib.h>

/* Text that looks like JSON is: the Java tool writes a body as text when one of its integers is too
 * large for it. Several documents, one a line, become an array. */
static bool read_lines(struct str text, struct arena *mem, const struct json **out)
{
	struct json *array = json_new(mem, JSON_ARRAY), *value;
	struct str line;

	while (text.len > 0) {
		str_split(text, '\n', &line, &text);
		line = str_trim(line);
		if (line.len == 0)
			continue;
		if (json_parse(line, mem, &value, NULL) < 0)
			return false;
		json_append(array, value);
	}
	*out = array;
	return array && array->count > 1;
}

static void set_text(struct tuple_message *message, struct str text, struct arena *mem)
{
	struct str trimmed = str_trim(text);
	struct json *value;

	message->bytes = text;
	message->body = text.len > 0 ? TUPLE_BODY_BYTES : TUPLE_BODY_NONE;
	if (trimmed.len == 0 || (trimmed.ptr[0] != '{' && trimmed.ptr[0] != '['))
		return;
	if (json_parse(trimmed, mem, &value, NULL) == 0) {
		message->json = value;
		message->body = TUPLE_BODY_JSON;
	} else if (read_lines(trimmed, mem, &message->json)) {
		message->body = TUPLE_BODY_JSON;
		message->lines = true;
	}
}

static int set_base64(struct tuple_message *message, struct str digits, struct arena *mem,
		      struct err *err)
{
	cleanup(buf_release) struct buf bytes = BUF_INIT(TUPLE_LINE_MAX);
	struct str copy;

	if (!base64_decode(&bytes, digits))
		return err_set(err, ERR_FORMAT, "a body is no base64");
	copy = arena_str(mem, buf_str(&bytes));
	if (!copy.ptr)
		return arena_fail(mem, "a body", err);
	set_text(message, copy, mem);
	return 0;
}

static int read_body(struct tuple_message *message, struct arena *mem, struct err *err)
{
	const struct json *payload = json_get(message->object, "payload"), *found;

	if ((found = json_get(payload, "inlinedJsonBody")) != NULL ||
	    (found = json_get(payload, "inlinedFormEncodedBody")) != NULL) {
		message->json = found;
		message->body = TUPLE_BODY_JSON;
	} else if ((found = json_get(payload, "inlinedJsonSequenceBodies")) != NULL) {
		message->json = found;
		message->lines = true;
		message->body = TUPLE_BODY_JSON;
	} else if ((found = json_get(payload, "inlinedTextBody")) != NULL) {
		set_text(message, json_string(found), mem);
	} else {
		found = json_get(payload, "inlinedBase64Body");
		if (!found)
			found = json_get(message->object, "body");
		if (found && found->type == JSON_STRING)
			return set_base64(message, json_string(found), mem, err);
		if (found && found->count > 0) {
			/* A tool has decoded it already. */
			message->json = found;
			message->body = TUPLE_BODY_JSON;
		}
	}
	return 0;
}

static int64_t microseconds_of(const struct json *ms)
{
	char text[32];
	double value;

	if (!ms || ms->type != JSON_NUMBER || ms->text.len >= sizeof(text))
		return -1;
	memcpy(text, ms->text.ptr, ms->text.len);
	text[ms->text.len] = '\0';
	value = strtod(text, NULL) * 1000;
	return value >= 0 && value < 1e15 ? (int64_t)(value + 0.5) : -1;
}

static int read_message(struct tuple_message *out, const struct json *object, struct arena *mem,
			struct err *err)
{
	*out = (struct tuple_message){.response_us = -1};
	if (!object || object->type != JSON_OBJECT)
		return 0;
	out->object = object;
	out->exception = json_string(json_get(object, "Exception"));
	out->method = json_string(json_get(object, "Method"));
	out->uri = json_string(json_get(object, "Request-URI"));
	out->status = (int)MIN(MAX(json_i64_or(json_get(object, "Status-Code"), 0), 0), 999);
	out->response_us = microseconds_of(json_get(object, "response_time_ms"));
	out->first_us = microseconds_of(json_get(object, "first_byte_ms"));
	out->last_us = microseconds_of(json_get(object, "last_byte_ms"));
	out->has_spans = out->last_us >= 0;
	return read_body(out, mem, err);
}

static int read_targets(struct tuple *out, const struct json *root, struct arena *mem,
			struct err *err)
{
	const struct json *list = json_get(root, "targetResponses"), *one;
	size_t i = 0;

	if (!list && (one = json_get(root, "targetResponse")) != NULL) {
		out->target_responses = arena_zalloc(mem, 1, sizeof(*out->target_responses));
		if (!out->target_responses)
			return arena_fail(mem, "a tuple", err);
		out->target_response_count = 1;
		return read_message(out->target_responses, one, mem, err);
	}
	if (!list || list->type != JSON_ARRAY || list->count == 0)
		return 0;
	out->target_responses = arena_zalloc(mem, list->count, sizeof(*out->target_responses));
	if (!out->target_responses)
		return arena_fail(mem, "a tuple", err);
	json_each (response, list)
		if (read_message(&out->target_responses[i++], response, mem, err) < 0)
			return -(int)err->kind;
	out->target_response_count = i;
	return 0;
}

int tuple_parse(struct str line, struct arena *mem, struct tuple *out, struct err *err)
{
	struct json *root;

	*out = (struct tuple){0};
	if (json_parse(str_trim(line), mem, &root, err) < 0)
		return -(int)err->kind;
	if (root->type != JSON_OBJECT || !json_get(root, "sourceRequest"))
		return err_set(err, ERR_FORMAT, "it is no object with a \"sourceRequest\"");
	if (read_message(&out->source_request, json_get(root, "sourceRequest"), mem, err) < 0 ||
	    read_message(&out->source_response, json_get(root, "sourceResponse"), mem, err) < 0 ||
	    read_message(&out->target_request, json_get(root, "targetRequest"), mem, err) < 0 ||
	    read_targets(out, root, mem, err) < 0)
		return -(int)err->kind;
	out->connection_id = json_string(json_get(root, "connectionId"));
	out->error = json_string(json_get(root, "error"));
	out->requests = json_i64_or(json_get(root, "numRequests"), 0);
	out->errors = json_i64_or(json_get(root, "numErrors"), 0);
	return mem->failed ? arena_fail(mem, "a tuple", err) : 0;
}

const struct tuple_message *tuple_target_response(const struct tuple *tuple)
{
	const struct tuple_message *last;

	if (tuple->target_response_count == 0)
		return NULL;
	last = &tuple->target_responses[tuple->target_response_count - 1];
	return last->object && last->status > 0 ? last : NULL;
}
