#include "documents/rebuild_range.h"

#include "base/rd.h"
#include "documents/rebuild_value.h"

static const struct {
	const char *type, *bound; /* `bound`: the type of its ends */
	int width;                /* bytes of an end; 0: as many as it needs */
	int point_width;          /* of one as a point has it */
	bool two_words;
	int64_t least, most; /* what an open side is */
} range_types[] = {
	{"integer_range", "integer", 0, 4, false, INT32_MIN, INT32_MAX},
	{"long_range", "long", 0, 8, false, INT64_MIN, INT64_MAX},
	{"date_range", "date", 0, 8, false, INT64_MIN, INT64_MAX},
	/* Infinities, sortable. */
	{"float_range", "float", 4, 4, false, ~0x7f800000LL, 0x7f800000},
	{"double_range", "double", 8, 8, false, ~0x7ff0000000000000LL, 0x7ff0000000000000LL},
	{"ip_range", "ip", 16, 16, true, 0, 0},
};

static int kind_of(struct str type)
{
	for (size_t i = 0; i < COUNT_OF(range_types); i++)
		if (str_is(type, range_types[i].type))
			return (int)i;
	return -1;
}

bool rebuild_is_range(struct str type)
{
	return kind_of(type) >= 0;
}

/* The first byte: sign, then how many more there are, then the top three bits of the value; of a
 * negative number all is inverted but the bits of the value. */
static int64_t variable_long(struct rd *rd)
{
	uint8_t first = rd_u8(rd);
	bool negative = first < 0x80;
	int more = (negative ? ~first : first) >> 3 & 15;
	uint64_t value = (negative ? UINT64_MAX << 3 : 0) | (first & 7);

	if (more > 8)
		rd->failed = true;
	for (int i = 0; i < more && !rd->failed; i++)
		value = value << 8 | rd_u8(rd);
	return (int64_t)value;
}

static int64_t fixed_number(struct rd *rd, int width)
{
	uint64_t value = 0;

	for (int i = 0; i < width; i++)
		value = value << 8 | rd_u8(rd);
	if (width == 4)
		return (int32_t)((uint32_t)value ^ (1U << 31));
	return (int64_t)(value ^ (1ULL << 63));
}

static bool is_open_ip(const uint8_t *bytes, bool upper)
{
	for (int i = 0; i < 16; i++)
		if (bytes[i] != (upper ? 0xff : 0))
			return false;
	return true;
}

static struct json *ip_bound(const struct rebuild_field *as, struct rd *rd, bool upper,
			     struct arena *mem)
{
	const uint8_t *bytes = rd_bytes(rd, 16);

	if (!bytes)
		return NULL;
	if (is_open_ip(bytes, upper))
		return json_new(mem, JSON_NULL);
	return rebuild_bytes(as, str_of(bytes, 16), mem);
}

/* `width`: 0 where it says by itself how long it is. */
static struct json *bound_of(const struct rebuild_plan *plan, const struct rebuild_field *field,
			     int kind, int width, struct rd *rd, bool upper, struct arena *mem)
{
	struct rebuild_field as = {.type = str_from(range_types[kind].bound),
				   .format = field->format};
	int64_t value;

	if (range_types[kind].two_words)
		return ip_bound(&as, rd, upper, mem);
	value = width ? fixed_number(rd, width) : variable_long(rd);
	if (value == (upper ? range_types[kind].most : range_types[kind].least))
		return json_new(mem, JSON_NULL);
	return rd->failed ? NULL : rebuild_number(plan, &as, value, mem);
}

static struct json *range_of(const struct rebuild_plan *plan, const struct rebuild_field *field,
			     int kind, int width, struct rd *rd, struct arena *mem)
{
	struct json *from = bound_of(plan, field, kind, width, rd, false, mem);
	struct json *to = bound_of(plan, field, kind, width, rd, true, mem);
	struct json *range = json_new(mem, JSON_OBJECT);

	if (!from || !to || !range)
		return NULL;
	json_set(range, STR("gte"), from);
	json_set(range, STR("lte"), to);
	return range;
}

struct json *rebuild_range_of_point(const struct rebuild_plan *plan,
				    const struct rebuild_field *field, struct str bytes,
				    struct arena *mem)
{
	struct rd rd = rd_over(bytes);
	int kind = kind_of(field->type);
	struct json *range = range_of(plan, field, kind, range_types[kind].point_width, &rd, mem);

	return rd.failed || rd_left(&rd) > 0 ? NULL : range;
}

bool rebuild_ranges(const struct rebuild_plan *plan, const struct rebuild_field *field,
		    struct str bytes, struct json *array, struct arena *mem)
{
	struct rd rd = rd_over(bytes);
	uint32_t count = rd_vint(&rd);
	int kind = kind_of(field->type);

	for (uint32_t i = 0; i < count && !rd.failed; i++) {
		struct json *range = range_of(plan, field, kind, range_types[kind].width, &rd, mem);

		if (!range)
			return false;
		json_append(array, range);
	}
	return !rd.failed && rd_left(&rd) == 0;
}
