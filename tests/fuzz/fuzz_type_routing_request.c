/* Any request ("METHOD URI", and in the lines below it a body as JSON, of one value or of several)
 * is routed to a path that begins with a slash, or refused with a reason. */
#include "fuzz.h"
#include "transform/transform.h"

static const char configuration[] =
	"{\"TypeMappingSanitizationTransformerProvider\":{\"sourceProperties\":"
	"{\"version\":{\"major\":5}},\"staticMappings\":{\"a\":{\"t\":\"x\",\"u\":\"y\"},"
	"\"b\":{\"t\":\"z\",\"u\":\"z\"},\"c\":{}},\"regexMappings\":["
	"{\"sourceIndexPattern\":\"(d.*)\",\"sourceTypePattern\":\"(t+)\","
	"\"targetIndexPattern\":\"$1-$2\"},{\"sourceIndexPattern\":\"(.+)\","
	"\"sourceTypePattern\":\".*\",\"targetIndexPattern\":\"$1\"}]}}";

static struct json *request_of(struct str text, struct arena *mem)
{
	struct json *request = json_new(mem, JSON_OBJECT), *payload = json_new(mem, JSON_OBJECT);
	struct json *lines = json_new(mem, JSON_ARRAY), *v;
	struct str line, method, uri;
	struct err err;

	str_split(text, '\n', &line, &text);
	str_split(line, ' ', &method, &uri);
	json_set(request, STR("method"), json_new_string(mem, method));
	json_set(request, STR("URI"), json_new_string(mem, uri));
	while (text.len) {
		str_split(text, '\n', &line, &text);
		if (json_parse(line, mem, &v, &err) == 0)
			json_append(lines, v);
	}
	if (lines->count == 1)
		json_set(payload, STR("inlinedJsonBody"), lines->first);
	else
		json_set(payload, STR("inlinedJsonSequenceBodies"), lines);
	json_set(request, STR("payload"), payload);
	return request;
}

static void apply(struct transform *transform, struct transform_message *message, struct arena *mem)
{
	struct err err = {0};

	if (transform_apply(transform, message, 1, mem, &err) < 0)
		BUG(err.message);
	if (message->error.kind && !message->error.message[0])
		BUG("an error that says nothing");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(64));
	struct transform_context context = {.kind = TRANSFORM_REQUEST};
	struct transform_message message = {.name = STR("request")};
	struct transform *transform;
	struct err err = {0};

	if (transform_new(str_from(configuration), &context, &transform, &err) < 0)
		BUG(err.message);
	message.value = request_of(str_of(data, size), &mem);
	apply(transform, &message, &mem);
	if (!message.error.kind && message.value) {
		json_write(&out, message.value);
		if (message.changed &&
		    !str_starts(json_string(json_get(message.value, "URI")), STR("/")))
			BUG("a path that does not begin with '/'");
	}
	transform_free(transform);
	return 0;
}
