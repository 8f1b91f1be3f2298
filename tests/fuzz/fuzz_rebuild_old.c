/* Input: u8 type, u8 version, then bytes that are taken for a term, for a doc value, for a number,
 * for an instant's format and for a mapping: each becomes JSON or is refused. */
#include "base/rd.h"
#include "documents/rebuild_date.h"
#include "documents/rebuild_old.h"
#include "documents/rebuild_old_mapping.h"
#include "fuzz.h"

static void must_be_json(const struct json *v)
{
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(256));
	struct err err = {0};

	if (!v)
		return;
	json_write(&out, v);
	if (!out.failed && json_validate(buf_str(&out), &err) < 0)
		BUG(err.message);
}

/* What is picked is written, whatever the instant; all text is UTF-8 before it comes so far. */
static void write_instant(struct str formats, int64_t ms, struct arena *mem)
{
	struct str format;
	struct err err = {0};
	struct json *value = json_new_string(mem, formats);
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));

	json_write(&text, value);
	if (text.failed || json_validate(buf_str(&text), &err) < 0)
		return;
	if (rebuild_date_pick(formats, mem, &format))
		must_be_json(rebuild_instant(ms, 0, format, mem));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = {"long", "integer", "short", "byte",     "date",
					    "ip",   "double",  "float", "geo_point"};
	static const int64_t versions[] = {900099, 1030499, 1070699, 2010199, 2020199, 2040699};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	struct rebuild_field field = {.path = STR("f"), .factor = 1};
	struct rebuild_plan plan = {.old = true};
	struct rd rd = rd_over(str_of(data, size));
	struct json *value, *mapping;
	struct err err = {0};
	struct str bytes;
	int64_t number;

	field.type = str_from(types[rd_u8(&rd) % COUNT_OF(types)]);
	plan.created = versions[rd_u8(&rd) % COUNT_OF(versions)];
	if (rd.failed)
		return 0;
	bytes = str_of(data + 2, size - 2);
	must_be_json(rebuild_old_term(&plan, &field, bytes, &mem));
	value = json_new(&mem, JSON_ARRAY);
	if (rebuild_old_packed(&plan, &field, bytes, value, &mem))
		must_be_json(value);
	number = rd_i64(&rd);
	if (rebuild_old_is_other(field.type))
		must_be_json(rebuild_old_number(&field, number, &mem));
	write_instant(bytes, number, &mem);
	if (json_parse(bytes, &mem, &mapping, &err) == 0)
		must_be_json(rebuild_old_mapping(mapping, plan.created, &mem));
	return 0;
}
