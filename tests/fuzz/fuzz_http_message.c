/* Any bytes are a message or are refused with a reason; its slices lie within the bytes, its body
 * is not larger than what was sent, decoded not larger than the limit, and what was found parses
 * to the same again. */
#include "traffic/http_message.h"

#include "fuzz.h"

enum { DECODED_MAX = 65536 };

static void check_slice(struct str whole, struct str slice)
{
	if (slice.len > 0 && (slice.ptr < whole.ptr || slice.len > whole.len ||
			      slice.ptr > whole.ptr + whole.len - slice.len))
		BUG("a slice outside of the message");
}

static int parse(bool response, bool head_only, struct str bytes, struct arena *mem,
		 struct http_message *out)
{
	struct err err = {0};
	int got = response ? http_response_parse(bytes, head_only, mem, out, &err)
			   : http_request_parse(bytes, mem, out, &err);

	if (got < 0 && !err.message[0])
		BUG("an error that says nothing");
	return got;
}

static void check(const struct http_message *m, struct str bytes, bool response)
{
	for (size_t i = 0; i < m->field_count; i++) {
		check_slice(bytes, m->fields[i].name);
		check_slice(bytes, m->fields[i].value);
	}
	check_slice(bytes, m->framed);
	if (m->body.len > m->framed.len)
		BUG("a body larger than what was sent");
	if (!response && (m->method.len == 0 || m->target.len == 0))
		BUG("a request without its first line");
	if (response && (m->status < 100 || m->status > 999))
		BUG("an answer without a status");
}

/* Bytes: response or request and HEAD, the message. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct http_message message, again;
	bool response, head_only;
	struct str bytes, whole;
	struct err err = {0};

	if (size < 1)
		return 0;
	response = data[0] & 1;
	head_only = data[0] & 2;
	bytes = str_of(data + 1, size - 1);
	if (parse(response, head_only, bytes, &mem, &message) < 0)
		return 0;
	check(&message, bytes, response);
	whole = str_of(bytes.ptr, (size_t)(message.framed.ptr + message.framed.len - bytes.ptr));
	if (parse(response, head_only, whole, &mem, &again) < 0 ||
	    !str_eq(again.body, message.body) || again.field_count != message.field_count)
		BUG("what follows a message changes it");
	if (http_message_decode(&message, DECODED_MAX, &mem, &err) < 0 && !err.message[0])
		BUG("an error that says nothing");
	if (message.decoded && message.body.len > DECODED_MAX)
		BUG("a body beyond the limit");
	return 0;
}
