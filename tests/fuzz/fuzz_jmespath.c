/* An expression (the first line) over any JSON (the rest) gives JSON, and leaves its input as it
 * was. */
#include "fuzz.h"
#include "transform/jmespath.h"

#define EXPRESSION_MAX 300u

static struct json *input_of(struct str text, struct arena *mem)
{
	static const char otherwise[] = "{\"a\":[{\"b\":1,\"c\":\"x\"},{\"b\":-2.5e3,\"c\":\"y\"}],"
					"\"n\":[3,1,2],\"s\":\"t\"}";
	struct err err;
	struct json *v;

	if (json_parse(text, mem, &v, &err) < 0 &&
	    json_parse(str_from(otherwise), mem, &v, &err) < 0)
		BUG("the input does not parse");
	return v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	cleanup(buf_release) struct buf before = BUF_INIT(MIB(256)), after = BUF_INIT(MIB(256));
	cleanup(buf_release) struct buf found = BUF_INIT(MIB(256));
	struct jmespath *expression = NULL;
	struct str text, rest;
	struct json *input, *v;
	struct err err = {0};

	str_split(str_of(data, size), '\n', &text, &rest);
	text.len = MIN(text.len, EXPRESSION_MAX);
	if (jmespath_new(text, &expression, &err) < 0) {
		if (!err.kind || !err.message[0])
			BUG("an error that says nothing");
		return 0;
	}
	input = input_of(rest, &mem);
	json_write(&before, input);
	if (jmespath_search(expression, input, &mem, &v, &err) == 0) {
		json_write(&found, v);
		if (!found.failed && json_validate(buf_str(&found), &err) < 0)
			BUG(err.message);
	} else if (!err.kind || !err.message[0]) {
		BUG("an error that says nothing");
	}
	json_write(&after, input);
	if (!str_eq(buf_str(&before), buf_str(&after)))
		BUG("a search changed what it looked at");
	jmespath_free(expression);
	return 0;
}
