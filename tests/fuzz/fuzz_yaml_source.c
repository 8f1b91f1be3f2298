/* What YAML decodes to can be written as JSON that is valid. */
#include "documents/yaml_source.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(256));
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(256));
	struct err err = {0};
	struct json *v;

	if (yaml_source_parse(str_of(data, size), &mem, &v, &err) < 0) {
		if (!err.kind || !err.message[0])
			BUG("an error that says nothing");
		return 0;
	}
	json_write(&out, v);
	if (!out.failed && json_validate(buf_str(&out), &err) < 0)
		BUG(err.message);
	return 0;
}
