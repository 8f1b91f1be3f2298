/* Values of documents without a source that are several in one, or say their type themselves, are
 * JSON or refused. */
#include "documents/rebuild_packed.h"
#include "documents/rebuild_xcontent.h"
#include "fuzz.h"

static void must_be_json(const struct json *v)
{
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(256));
	struct err err = {0};

	json_write(&out, v);
	if (!out.failed && json_validate(buf_str(&out), &err) < 0)
		BUG(err.message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = {
		"binary",      "flattened",  "flat_object", "long_range",   "double_range",
		"float_range", "date_range", "ip_range",    "dense_vector", "histogram"};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(256));
	struct rebuild_field field = {.path = STR("f"), .factor = 1};
	const struct rebuild_plan plan = {0};
	struct ignored_entry entry;
	struct err err = {0};
	struct json *value;

	if (size < 1)
		return 0;
	field.type = str_from(types[data[0] % COUNT_OF(types)]);
	value = json_new(&mem, JSON_ARRAY);
	if (rebuild_packed(&plan, &field, str_of(data + 1, size - 1), value, &mem))
		must_be_json(value);
	value = rebuild_in_order(value, str_of(data + 1, size - 1), &mem);
	if (value)
		must_be_json(value);
	if (ignored_entry_read(str_of(data + 1, size - 1), &entry, &err) == 0 &&
	    rebuild_xcontent(entry.value, &mem, &value, &err) > 0)
		must_be_json(value);
	return 0;
}
