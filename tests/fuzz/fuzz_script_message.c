/* What comes back from the process of a script, and sources whose numbers are looked for: the text
 * before the first line feed is taken for a source, the rest for what a script returned. */
#include "base/json.h"
#include "transform/script_message.h"
#include "transform/script_source.h"

#include "fuzz.h"

static void restore(struct str source, struct str returned, struct arena *mem)
{
	cleanup(script_source_release) struct script_source room = {0};
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(8));
	struct script_source_numbers numbers;
	struct json *value;
	struct err err;

	if (!script_source_note(&room, source, mem, &numbers))
		return;
	if (json_parse(source, mem, &value, &err) < 0 || value->type != JSON_OBJECT)
		BUG("a source passes as text that is no object");
	if (script_source_restore(&numbers, returned, &out) &&
	    json_parse(buf_str(&out), mem, &value, &err) < 0)
		BUG("numbers that are put back leave no JSON");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	struct str all = str_of((const char *)data, size), source, returned;
	struct json *value;
	struct err err;

	if (!str_split(all, '\n', &source, &returned))
		return 0;
	restore(source, returned, &mem);
	script_message_read(returned, &mem, &value, &err);
	return 0;
}
