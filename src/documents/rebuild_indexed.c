#include "documents/rebuild_indexed.h"

#include "base/rd.h"
#include "documents/rebuild_old.h"
#include "documents/rebuild_range.h"
#include "documents/rebuild_value.h"
#include "lucene/inversion.h"

/* Bytes of the one dimension that a number has. */
static const struct {
	const char *type;
	size_t width;
} point_types[] = {
	{"long", 8},          {"integer", 4},      {"short", 4}, {"byte", 4},
	{"double", 8},        {"float", 4},        {"date", 8},  {"date_nanos", 8},
	{"half_float", 2},    {"scaled_float", 8}, {"ip", 16},   {"geo_point", 8},
	{"unsigned_long", 8}, /* in OpenSearch 16 */
};

/* Tokens of one value are nearer to each other than this, and values farther, unless the mapping
 * says otherwise. */
#define GAP_DEFAULT 100

static size_t width_of(struct str type)
{
	for (size_t i = 0; i < COUNT_OF(point_types); i++)
		if (str_is(type, point_types[i].type))
			return point_types[i].width;
	return 0;
}

bool rebuild_has_points(struct str type)
{
	return width_of(type) > 0 || rebuild_is_range(type);
}

bool rebuild_has_terms(struct str type)
{
	return str_is(type, "keyword") || str_is(type, "boolean") || str_is(type, "text") ||
	       str_is(type, "join");
}

/* Big-endian, its sign bit flipped, so that bytes have the order of numbers. */
static int64_t sortable(struct str bytes)
{
	uint64_t value = 0;
	unsigned bits = (unsigned)bytes.len * 8;

	for (size_t i = 0; i < bytes.len; i++)
		value = value << 8 | (uint8_t)bytes.ptr[i];
	value ^= 1ULL << (bits - 1);
	return (int64_t)(value << (64 - bits)) >> (64 - bits);
}

static int64_t place_of(struct str bytes)
{
	uint64_t lat = (uint64_t)sortable(str_of(bytes.ptr, 4));
	uint32_t lon = (uint32_t)sortable(str_of(bytes.ptr + 4, 4));

	return (int64_t)(lat << 32 | lon);
}

/* Of 128 bits, the lower half. */
static struct json *wide_unsigned(const struct rebuild_plan *plan,
				  const struct rebuild_field *field, struct str bytes,
				  struct arena *mem)
{
	struct rd rd = rd_over(str_from_offset(bytes, 8));

	return rebuild_number(plan, field, (int64_t)rd_be64(&rd), mem);
}

struct json *rebuild_point(const struct rebuild_plan *plan, const struct rebuild_field *field,
			   struct str bytes, struct arena *mem)
{
	struct str type = field->type;

	if (rebuild_is_range(type))
		return rebuild_range_of_point(plan, field, bytes, mem);
	if (str_is(type, "unsigned_long") && bytes.len == 16)
		return wide_unsigned(plan, field, bytes, mem);
	if (bytes.len == 0 || bytes.len != width_of(type))
		return NULL;
	if (str_is(type, "ip"))
		return rebuild_bytes(field, bytes, mem);
	if (str_is(type, "geo_point"))
		return rebuild_number(plan, field, place_of(bytes), mem);
	return rebuild_number(plan, field, sortable(bytes), mem);
}

static struct json *term_json(const struct rebuild_plan *plan, const struct rebuild_field *field,
			      struct str term, struct arena *mem)
{
	if (plan->old && rebuild_old_has_terms(plan, field->type))
		return rebuild_old_term(plan, field, term, mem);
	if (!str_is(field->type, "boolean"))
		return rebuild_bytes(field, term, mem);
	if (!str_is(term, "T") && !str_is(term, "F"))
		return NULL;
	return json_new_bool(mem, str_is(term, "T"));
}

static bool add_text(struct buf *text, struct json *array, struct arena *mem)
{
	struct json *value = NULL;

	if (!text->failed && rebuild_is_utf8(buf_str(text)))
		value = json_new_string(mem, arena_str(mem, buf_str(text)));
	buf_reset(text);
	if (value)
		json_append(array, value);
	return value;
}

/* Tokens in the order of their positions, a space between two; of those in one place, such as
 * synonyms and parts of words, the longest. What analysis dropped or changed stays so. */
static bool add_tokens(const struct rebuild_field *field, const struct inverted_values *values,
		       struct json *array, struct arena *mem)
{
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_SOURCE);
	int32_t gap = field->position_gap > 0 ? field->position_gap : GAP_DEFAULT;
	int32_t last = 0;

	for (size_t i = 0; i < values->count;) {
		const struct inverted_value *longest = &values->list[i];
		int32_t position = longest->position;

		for (; i < values->count && values->list[i].position == position; i++)
			if (values->list[i].bytes.len > longest->bytes.len)
				longest = &values->list[i];
		if (text.len > 0 && position - last >= gap && !add_text(&text, array, mem))
			return false;
		if (text.len > 0)
			buf_append_byte(&text, ' ');
		buf_append_str(&text, longest->bytes);
		last = position;
	}
	return values->count == 0 || add_text(&text, array, mem);
}

bool rebuild_indexed(const struct rebuild_plan *plan, const struct rebuild_field *field,
		     const struct inverted_values *values, struct json *array, struct arena *mem)
{
	if (field->indexed == REBUILD_TEXT)
		return add_tokens(field, values, array, mem);
	for (size_t i = 0; i < values->count; i++) {
		struct json *value =
			field->indexed == REBUILD_POINTS
				? rebuild_point(plan, field, values->list[i].bytes, mem)
				: term_json(plan, field, values->list[i].bytes, mem);

		if (!value)
			return false;
		json_append(array, value);
	}
	return true;
}
