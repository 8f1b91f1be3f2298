/* A number of 64 bits is a term of eleven bytes, one of 32 bits of six: a byte that tells how many
 * bits were left out (0x20, 0x60: none), then seven bits in each byte, the highest first, the sign
 * flipped. Terms that leave bits out serve ranges and say nothing new.
 *
 * Doc values of several numbers in one:
 *
 *   long, integer, short, byte, date, ip   the first in zigzag, then differences (below)
 *   double, float                          8, 4 bytes each, little-endian
 *   geo_point                              two doubles each: lat, lon
 *
 * Differences are as Lucene's vLong, but the ninth byte is the last and has eight bits.
 * A geo_point of 2.2 and later is a number: bits of lon and lat in turns, lon first from below.
 *
 * Source: Lucene 4.10.4, 5.5.4 util/NumericUtils, 5.5.4 spatial/util/GeoEncodingUtils;
 * Elasticsearch 1.7.6 ByteUtils, NumberFieldMapper, DoubleFieldMapper, FloatFieldMapper,
 * GeoPointFieldMapper. */
#include "documents/rebuild_old.h"

#include "base/rd.h"
#include "documents/rebuild_old_mapping.h"
#include "documents/rebuild_value.h"

#include <math.h>
#include <stdlib.h>

#define WHOLE_64 STR("\x20")
#define WHOLE_32 STR("\x60")
#define PLACE_TEXT 64

struct number_type {
	const char *type;
	unsigned bits;
	bool floating;
};

static const struct number_type number_types[] = {
	{"long", 64, false}, {"integer", 32, false}, {"short", 32, false}, {"byte", 32, false},
	{"date", 64, false}, {"ip", 64, false},      {"double", 64, true}, {"float", 32, true},
};

static const struct number_type *find_number(struct str type)
{
	for (size_t i = 0; i < COUNT_OF(number_types); i++)
		if (str_is(type, number_types[i].type))
			return &number_types[i];
	return NULL;
}

static bool is_place(struct str type)
{
	return str_is(type, "geo_point");
}

bool rebuild_old_has_terms(const struct rebuild_plan *plan, struct str type)
{
	/* Those of later geo_points leave the lowest bits out. */
	return is_place(type) ? plan->created < CREATED_2_3 : find_number(type) != NULL;
}

struct str rebuild_old_prefix(const struct rebuild_plan *plan, struct str type)
{
	const struct number_type *number = find_number(type);

	if (!plan->old || !(number || is_place(type)))
		return STR("");
	if (is_place(type))
		return plan->created < CREATED_2_2 ? STR("") : WHOLE_64;
	return number->bits == 64 ? WHOLE_64 : WHOLE_32;
}

static bool decode_term(struct str term, unsigned bits, int64_t *out)
{
	size_t digits = (bits + 6) / 7;
	uint64_t value = 0;

	if (term.len != digits + 1)
		return false;
	for (size_t i = 1; i <= digits; i++) {
		if ((uint8_t)term.ptr[i] & 0x80)
			return false;
		value = value << 7 | (uint8_t)term.ptr[i];
	}
	if (bits == 32)
		*out = (int32_t)((uint32_t)value ^ 1U << 31);
	else
		*out = (int64_t)(value ^ 1ULL << 63);
	return true;
}

struct json *rebuild_old_term(const struct rebuild_plan *plan, const struct rebuild_field *field,
			      struct str term, struct arena *mem)
{
	const struct number_type *number = find_number(field->type);
	int64_t value;

	if (is_place(field->type) && plan->created < CREATED_2_2)
		return rebuild_old_place(term, mem);
	if (!decode_term(term, number ? number->bits : 64, &value))
		return NULL;
	return rebuild_number(plan, field, value, mem);
}

static struct json *place_json(double lat, double lon, struct arena *mem)
{
	struct json *point = json_new(mem, JSON_OBJECT);
	int64_t bits[2];

	memcpy(&bits[0], &lat, sizeof(lat));
	memcpy(&bits[1], &lon, sizeof(lon));
	if (!isfinite(lat) || !isfinite(lon))
		return NULL;
	json_set(point, STR("lat"), rebuild_double(bits[0], mem));
	json_set(point, STR("lon"), rebuild_double(bits[1], mem));
	return point;
}

struct json *rebuild_old_place(struct str text, struct arena *mem)
{
	char copy[PLACE_TEXT];
	char *comma, *end;
	double lat, lon;

	if (text.len == 0 || text.len >= sizeof(copy))
		return NULL;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	lat = strtod(copy, &comma);
	if (comma == copy || *comma != ',')
		return NULL;
	lon = strtod(comma + 1, &end);
	if (end == comma + 1 || end != copy + text.len)
		return NULL;
	return place_json(lat, lon, mem);
}

bool rebuild_old_is_other(struct str type)
{
	return str_is(type, "ip") || is_place(type);
}

/* Every second bit, from the lowest on. */
static uint32_t every_second(uint64_t bits)
{
	uint32_t out = 0;

	for (unsigned i = 0; i < 32; i++)
		out |= (uint32_t)(bits >> 2 * i & 1) << i;
	return out;
}

struct json *rebuild_old_number(const struct rebuild_field *field, int64_t value, struct arena *mem)
{
	const double most = 1LL << 31;
	uint64_t bits = (uint64_t)value;

	if (is_place(field->type))
		return place_json(every_second(bits >> 1) / (most / 180) - 90,
				  every_second(bits) / (most / 360) - 180, mem);
	if (value < 0 || value > UINT32_MAX)
		return NULL;
	return json_new_string(mem,
			       arena_printf(mem, "%u.%u.%u.%u", (unsigned)(value >> 24),
					    (unsigned)(value >> 16 & 255),
					    (unsigned)(value >> 8 & 255), (unsigned)(value & 255)));
}

bool rebuild_old_is_packed(struct str type)
{
	return is_place(type) || find_number(type);
}

bool rebuild_old_fits(const struct rebuild_plan *plan, struct str type, enum doc_values_type kind)
{
	if (kind == DOC_VALUES_BINARY)
		return plan->created < (is_place(type) ? CREATED_2_2 : CREATED_1_4);
	return kind == DOC_VALUES_NUMERIC || kind == DOC_VALUES_SORTED_NUMERIC;
}

static double read_double(struct rd *rd)
{
	uint64_t bits = rd_le64(rd);
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* The next value; *last: the one before. */
static struct json *next_value(const struct rebuild_plan *plan, const struct rebuild_field *field,
			       const struct number_type *number, bool first, int64_t *last,
			       struct rd *rd, struct arena *mem)
{
	if (!number) {
		double lat = read_double(rd), lon = read_double(rd);

		return rd->failed ? NULL : place_json(lat, lon, mem);
	}
	if (number->floating && number->bits == 64)
		return rebuild_double((int64_t)rd_le64(rd), mem);
	if (number->floating)
		return rebuild_float((int32_t)rd_le32(rd), mem);
	if (first)
		*last = rd_zigzag(rd_vlong_of_nine(rd));
	else
		*last = (int64_t)((uint64_t)*last + rd_vlong_of_nine(rd));
	return rebuild_number(plan, field, *last, mem);
}

bool rebuild_old_packed(const struct rebuild_plan *plan, const struct rebuild_field *field,
			struct str bytes, struct json *array, struct arena *mem)
{
	const struct number_type *number = find_number(field->type);
	struct rd rd = rd_over(bytes);
	int64_t last = 0;

	for (bool first = true; rd_left(&rd) > 0; first = false) {
		struct json *value = next_value(plan, field, number, first, &last, &rd, mem);

		if (!value || rd.failed)
			return false;
		json_append(array, value);
	}
	return bytes.len > 0;
}
