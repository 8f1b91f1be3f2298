/* Input: u8 type, u8: its lowest bit synthetic of OpenSearch, the others the format of dates, then
 * bytes that are taken for a doc value, a number, a stored field, a point, how often values were
 * there, and for a list of values of the index (u8 length, bytes, u8 distance of positions): each
 * becomes JSON or is refused. */
#include "base/rd.h"
#include "documents/rebuild_date.h"
#include "documents/rebuild_indexed.h"
#include "documents/rebuild_packed.h"
#include "documents/rebuild_value.h"
#include "fuzz.h"
#include "lucene/inversion.h"
#include "lucene/stored_fields.h"

#define VALUES_MOST 64

static const char *const types[] = {"long",
				    "integer",
				    "short",
				    "byte",
				    "unsigned_long",
				    "double",
				    "float",
				    "half_float",
				    "scaled_float",
				    "date",
				    "date_nanos",
				    "boolean",
				    "keyword",
				    "ip",
				    "geo_point",
				    "version",
				    "wildcard",
				    "text",
				    "join",
				    "counted_keyword",
				    "integer_range",
				    "long_range",
				    "float_range",
				    "double_range",
				    "date_range",
				    "ip_range",
				    "match_only_text",
				    "dense_vector",
				    "histogram",
				    "flattened",
				    "constant_keyword"};
static const char *const formats[] = {"epoch_millis", "strict_date_time",
				      "yyyy/MM/dd||epoch_second", "basic_date_time",
				      "dd.MM.yyyy HH:mm:ss.SSS Z"};

static bool is_json(const struct json *v)
{
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(256));
	struct err err = {0};

	if (!v)
		return false;
	json_write(&out, v);
	if (!out.failed && json_validate(buf_str(&out), &err) < 0)
		BUG(err.message);
	return true;
}

static void take_stored(const struct rebuild_plan *plan, const struct rebuild_field *field,
			struct str bytes, int64_t number, struct arena *mem)
{
	static const enum stored_type kinds[] = {STORED_STRING, STORED_BYTES, STORED_INT,
						 STORED_LONG,   STORED_FLOAT, STORED_DOUBLE};

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct stored_field stored = {.type = kinds[i], .bytes = bytes, .integer = number};

		memcpy(&stored.floating, &number, sizeof(number));
		is_json(rebuild_stored(plan, field, &stored, mem));
	}
}

static size_t take_values(struct str bytes, struct inverted_value *list, bool positions)
{
	struct rd rd = rd_over(bytes);
	size_t count = 0;
	int32_t last = 0;

	while (rd_left(&rd) > 0 && count < VALUES_MOST) {
		size_t want = rd_u8(&rd), len = MIN(want, rd_left(&rd));
		const uint8_t *value = rd_bytes(&rd, len);

		last += rd_left(&rd) > 0 ? rd_u8(&rd) : 0;
		list[count++] = (struct inverted_value){.bytes = str_of(value, len),
							.position = positions ? last : -1};
	}
	return count;
}

static void take_indexed(const struct rebuild_plan *plan, const struct rebuild_field *like,
			 struct str bytes, struct arena *mem)
{
	static const enum rebuild_index ways[] = {REBUILD_POINTS, REBUILD_TERMS, REBUILD_TEXT};
	struct inverted_value list[VALUES_MOST];
	struct rebuild_field field = *like;

	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		struct json *array = json_new(mem, JSON_ARRAY);
		struct inverted_values values = {.list = list};

		field.indexed = ways[i];
		values.count = take_values(bytes, list, ways[i] == REBUILD_TEXT);
		if (array && rebuild_indexed(plan, &field, &values, array, mem))
			is_json(array);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	struct rebuild_field field = {.path = STR("f"), .factor = 100};
	struct rebuild_plan plan = {0};
	struct rd rd = rd_over(str_of(data, size));
	uint8_t type = rd_u8(&rd), how = rd_u8(&rd);
	struct json *values;
	struct str bytes;
	int64_t number;

	if (rd.failed)
		return 0;
	field.type = str_from(types[type % COUNT_OF(types)]);
	plan.opensearch = how & 1;
	plan.created = how & 2 ? REBUILD_LITTLE_VECTORS : 0;
	if (how >> 2 && !rebuild_date_pick(str_from(formats[(how >> 2) % COUNT_OF(formats)]), &mem,
					   &field.format))
		BUG("a format of dates is not known");
	bytes = str_of(data + 2, size - 2);
	number = rd_i64(&rd);
	values = json_new(&mem, JSON_ARRAY);
	is_json(rebuild_bytes(&field, bytes, &mem));
	is_json(rebuild_number(&plan, &field, number, &mem));
	is_json(rebuild_point(&plan, &field, bytes, &mem));
	take_stored(&plan, &field, bytes, number, &mem);
	take_indexed(&plan, &field, bytes, &mem);
	if ((rebuild_is_packed(field.type) || str_is(field.type, "wildcard")) &&
	    rebuild_packed(&plan, &field, bytes, values, &mem))
		is_json(values);
	is_json(rebuild_repeated(values, bytes, &mem));
	is_json(rebuild_in_order(values, bytes, &mem));
	return 0;
}
