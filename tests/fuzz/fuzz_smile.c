/* What SMILE decodes to can be written as JSON, and reads back the same. */
#include "snapshot/smile.h"
#include "fuzz.h"

/* JSON has no binary, so a tree with some does not read back the same. */
static bool has_binary(const struct json *v)
{
	if (v->type == JSON_BINARY)
		return true;
	json_each (child, v)
		if (has_binary(child))
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(256));
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(256));
	struct err err = {0};
	struct json *v, *again;

	if (smile_parse(str_of(data, size), &mem, &v, &err) < 0) {
		if (!err.kind || !err.message[0])
			BUG("an error that says nothing");
		return 0;
	}
	json_write(&out, v);
	if (out.failed || has_binary(v))
		return 0;
	if (json_parse(buf_str(&out), &mem, &again, &err) < 0)
		BUG(err.message);
	if (!json_equal(v, again))
		BUG("the JSON text means something else");
	return 0;
}
