#include "documents/rebuild_old_mapping.h"

#include "base/compiler.h"

/* Values of one field follow each other without a gap, unless the mapping asks for one. */
#define NO_GAP INT32_MAX

static bool says_no(const struct json *v)
{
	return str_is(json_string(v), "no") || !json_bool_or(v, true);
}

static bool is_analyzed(struct str type, const struct json *mapping)
{
	return str_is(type, "string") &&
	       !str_is(json_string(json_get(mapping, "index")), "not_analyzed");
}

/* Also before 2.0, where fielddata asks for them. */
static bool has_columns(const struct json *mapping, struct str type, int64_t created)
{
	const struct json *said = json_get(mapping, "doc_values");
	const struct json *fielddata = json_get(mapping, "fielddata");

	if (said)
		return json_bool_or(said, false);
	if (str_is(json_string(json_get(fielddata, "format")), "doc_values"))
		return true;
	return created >= CREATED_2 && !str_is(type, "binary") && !is_analyzed(type, mapping) &&
	       !says_no(json_get(mapping, "index"));
}

/* Names that were of one word with capitals. */
static struct str format_of(struct str format)
{
	static const struct {
		const char *camel;
		struct str snake;
	} names[] = {
		{"dateOptionalTime", STR("date_optional_time")},
		{"strictDateOptionalTime", STR("strict_date_optional_time")},
		{"dateTime", STR("date_time")},
		{"strictDateTime", STR("strict_date_time")},
		{"strictDate", STR("strict_date")},
		{"epochMillis", STR("epoch_millis")},
		{"epochSecond", STR("epoch_second")},
	};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_is(format, names[i].camel))
			return names[i].snake;
	return format;
}

/* Of "a||b", each. */
static struct str formats_of(struct str formats, struct arena *mem)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(64));

	for (bool first = true; formats.len > 0; first = false) {
		const char *bars = memmem(formats.ptr, formats.len, "||", 2);
		size_t len = bars ? (size_t)(bars - formats.ptr) : formats.len;

		if (!first)
			buf_append_str(&text, STR("||"));
		buf_append_str(&text, format_of(str_of(formats.ptr, len)));
		formats = str_from_offset(formats, MIN(len + 2, formats.len));
	}
	return text.failed ? STR_NONE : arena_str(mem, buf_str(&text));
}

/* Before 2.0 "position_offset_gap", and none unless it is there. */
static int64_t gap_of(const struct json *mapping, int64_t created)
{
	int64_t gap = json_i64_or(json_get(mapping, "position_offset_gap"),
				  json_i64_or(json_get(mapping, "position_increment_gap"), 0));

	return gap > 0 || created >= CREATED_2 ? gap : NO_GAP;
}

static void set_bool(struct json *object, struct str name, bool value, struct arena *mem)
{
	json_set(object, name, json_new_bool(mem, value));
}

struct json *rebuild_old_mapping(const struct json *mapping, int64_t created, struct arena *mem)
{
	struct json *out = json_copy(mem, mapping), *fields = json_new(mem, JSON_OBJECT);
	struct str type = json_string(json_get(mapping, "type"));
	struct str formats = json_string(json_get(mapping, "format"));
	const struct json *store = json_get(mapping, "store");
	bool stored = json_bool_or(store, false) || str_is(json_string(store), "yes");

	if (str_is(type, "string"))
		json_set(out, STR("type"),
			 json_new_string(mem, is_analyzed(type, mapping) ? STR("text")
									 : STR("keyword")));
	set_bool(out, STR("index"), !says_no(json_get(mapping, "index")), mem);
	set_bool(out, STR("store"), stored, mem);
	set_bool(out, STR("doc_values"), has_columns(mapping, type, created), mem);
	if (formats.ptr)
		json_set(out, STR("format"), json_new_string(mem, formats_of(formats, mem)));
	json_set(out, STR("position_increment_gap"), json_new_i64(mem, gap_of(mapping, created)));
	json_each (field, json_get(mapping, "fields"))
		json_set(fields, field->key, rebuild_old_mapping(field, created, mem));
	json_set(out, STR("fields"), fields);
	return mem->failed ? NULL : out;
}

struct str rebuild_old_name(struct str prefix, const struct json *object, const struct json *field,
			    struct arena *mem)
{
	struct str name = json_string(json_get(field, "index_name"));
	bool just_name = str_is(json_string(json_get(object, "path")), "just_name");

	if (!name.ptr && !just_name)
		return STR_NONE;
	name = name.ptr ? name : field->key;
	if (just_name || prefix.len == 0)
		return name;
	return arena_printf(mem, STR_FMT "." STR_FMT, STR_ARG(prefix), STR_ARG(name));
}
