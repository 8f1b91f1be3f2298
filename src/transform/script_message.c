#include "transform/script_message.h"

#include "base/json_slice.h"

struct json *script_message_source(const struct json *message)
{
	struct json *document = json_get(message, "document");

	return document && document->type == JSON_BINARY ? document : NULL;
}

void script_message_write(const struct json *message, struct buf *out)
{
	const struct json *source = script_message_source(message);
	char before = '{';

	json_each (member, message) {
		buf_append_byte(out, before);
		before = ',';
		json_write_string(out, member->key);
		buf_append_byte(out, ':');
		if (member == source)
			buf_append_str(out, source->text);
		else
			json_write(out, member);
	}
	buf_append_byte(out, '}');
}

static int read_member(struct str key, struct str text, struct arena *mem, struct json **out,
		       struct err *err)
{
	if (!str_is(key, "document") || text.ptr[0] != '{')
		return json_parse(text, mem, out, err);
	*out = json_new(mem, JSON_BINARY);
	if (!*out)
		return arena_fail(mem, "what a script returned", err);
	(*out)->text = text;
	return 0;
}

static int read_object(struct str text, struct arena *mem, struct json **out, struct err *err)
{
	struct json_slices members = json_slices_of(text);
	struct json *object = json_new(mem, JSON_OBJECT), *member;
	struct str key, value;
	int rc;

	while ((rc = json_slices_next(&members, &key, &value, err)) > 0) {
		/* Names with escapes are decoded by the parser alone. */
		if (memchr(key.ptr, '\\', key.len))
			return json_parse(text, mem, out, err);
		if (read_member(key, value, mem, &member, err) < 0)
			return -(int)err->kind;
		json_set(object, key, member);
	}
	*out = object;
	if (rc < 0)
		return rc;
	return mem->failed ? arena_fail(mem, "what a script returned", err) : 0;
}

int script_message_read(struct str text, struct arena *mem, struct json **out, struct err *err)
{
	struct json_slices list = json_slices_of(text);
	struct json *one;
	struct str value;
	int rc;

	if (list.object)
		return read_object(text, mem, out, err);
	*out = json_new(mem, JSON_ARRAY);
	while ((rc = json_slices_next(&list, NULL, &value, err)) > 0) {
		if (read_object(value, mem, &one, err) < 0)
			return -(int)err->kind;
		json_append(*out, one);
	}
	return rc;
}
