#include "documents/rebuild_value.h"

#include "base/base64.h"
#include "base/utf8.h"
#include "documents/rebuild_date.h"
#include "documents/rebuild_old.h"
#include "documents/rebuild_range.h"

#include <arpa/inet.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NUMBER_TEXT 64
/* Of a version field. */
#define VERSION_NUMBER 1
#define VERSION_PRERELEASE 2
#define VERSION_RELEASE 3

static struct json *number_text(struct arena *mem, const char *text)
{
	bool plain = !strpbrk(text, ".e");

	return json_new_number(mem, arena_printf(mem, "%s%s", text, plain ? ".0" : ""));
}

/* How many digits it has of the first `sure`, which are those of its shortest spelling if that has
 * no more. */
static int count_digits(double value, int sure)
{
	char text[NUMBER_TEXT];
	const char *end;
	int digits = sure;

	snprintf(text, sizeof(text), "%.*e", sure - 1, value);
	for (end = strchr(text, 'e'); digits > 1 && end[-1] == '0'; end--)
		digits--;
	return digits;
}

/* The shortest text that reads back as the same double. */
static struct json *double_json(double value, struct arena *mem)
{
	char text[NUMBER_TEXT];
	bool normal = fabs(value) >= DBL_MIN;
	int digits;

	if (!isfinite(value))
		return NULL;
	digits = normal ? count_digits(value, DBL_DIG) : 1;
	for (; digits <= 17; digits = normal ? MAX(digits, DBL_DIG) + 1 : digits + 1) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	return number_text(mem, text);
}

static struct json *float_json(float value, struct arena *mem)
{
	char text[NUMBER_TEXT];
	bool normal = fabsf(value) >= FLT_MIN;
	int digits;

	if (!isfinite(value))
		return NULL;
	digits = normal ? count_digits((double)value, FLT_DIG) : 1;
	for (; digits <= 9; digits = normal ? MAX(digits, FLT_DIG) + 1 : digits + 1) {
		snprintf(text, sizeof(text), "%.*g", digits, (double)value);
		if (strtof(text, NULL) == value)
			break;
	}
	return number_text(mem, text);
}

struct json *rebuild_double(int64_t bits, struct arena *mem)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return double_json(value, mem);
}

struct json *rebuild_float(int32_t bits, struct arena *mem)
{
	float value;

	memcpy(&value, &bits, sizeof(value));
	return float_json(value, mem);
}

static double sortable_double(int64_t sorted)
{
	uint64_t bits = (uint64_t)sorted ^ ((uint64_t)(sorted >> 63) & INT64_MAX);
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static float sortable_float(int32_t sorted)
{
	uint32_t bits = (uint32_t)sorted ^ ((uint32_t)(sorted >> 31) & INT32_MAX);
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static float sortable_half(int16_t sorted)
{
	uint16_t bits = (uint16_t)(sorted ^ ((sorted >> 15) & INT16_MAX));
	int exponent = bits >> 10 & 31, fraction = bits & 1023;
	float value = exponent == 0    ? ldexpf((float)fraction, -24)
		      : exponent == 31 ? INFINITY
				       : ldexpf((float)(1024 + fraction), exponent - 25);

	return bits >> 15 ? -value : value;
}

static struct json *geo_json(int64_t value, struct arena *mem)
{
	struct json *point = json_new(mem, JSON_OBJECT);
	int32_t lat = (int32_t)(value >> 32), lon = (int32_t)(uint32_t)value;

	json_set(point, STR("lat"), double_json(lat * (180.0 / 4294967296.0), mem));
	json_set(point, STR("lon"), double_json(lon * (360.0 / 4294967296.0), mem));
	return point;
}

static struct json *unsigned_json(const struct rebuild_plan *plan, int64_t value, struct arena *mem)
{
	uint64_t bits = plan->opensearch ? (uint64_t)value : (uint64_t)value ^ (1ULL << 63);

	return json_new_number(mem, arena_printf(mem, "%" PRIu64, bits));
}

/* A number that another type has put there is none of this one. */
static bool is_within(struct str type, int64_t value)
{
	static const struct {
		const char *type;
		int64_t least, most;
	} limits[] = {
		{"byte", INT8_MIN, INT8_MAX},         {"short", INT16_MIN, INT16_MAX},
		{"integer", INT32_MIN, INT32_MAX},    {"float", INT32_MIN, INT32_MAX},
		{"half_float", INT16_MIN, INT16_MAX}, {"boolean", 0, 1},
	};

	for (size_t i = 0; i < COUNT_OF(limits); i++)
		if (str_is(type, limits[i].type))
			return value >= limits[i].least && value <= limits[i].most;
	return true;
}

struct json *rebuild_number(const struct rebuild_plan *plan, const struct rebuild_field *field,
			    int64_t value, struct arena *mem)
{
	struct str type = field->type;

	if (plan->old && rebuild_old_is_other(type))
		return rebuild_old_number(field, value, mem);
	if (!is_within(type, value))
		return NULL;
	if (str_is(type, "double"))
		return double_json(sortable_double(value), mem);
	if (str_is(type, "float"))
		return float_json(sortable_float((int32_t)value), mem);
	if (str_is(type, "half_float"))
		return float_json(sortable_half((int16_t)value), mem);
	if (str_is(type, "scaled_float"))
		return field->factor > 0 ? double_json((double)value / field->factor, mem) : NULL;
	if (str_is(type, "unsigned_long"))
		return unsigned_json(plan, value, mem);
	if (str_is(type, "date"))
		return rebuild_instant(value, 0, field->format, mem);
	if (str_is(type, "date_nanos"))
		return rebuild_instant_nanos(value, field->format, mem);
	if (str_is(type, "boolean"))
		return json_new_bool(mem, value != 0);
	if (str_is(type, "geo_point"))
		return geo_json(value, mem);
	return json_new_i64(mem, value);
}

static struct json *ip_json(struct str bytes, struct arena *mem)
{
	static const char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (char)0xff, (char)0xff};
	char text[INET6_ADDRSTRLEN];
	bool four = bytes.len == 16 && memcmp(bytes.ptr, mapped, sizeof(mapped)) == 0;

	if (bytes.len != 16 ||
	    !inet_ntop(four ? AF_INET : AF_INET6, bytes.ptr + (four ? 12 : 0), text, sizeof(text)))
		return NULL;
	return json_new_string(mem, arena_printf(mem, "%s", text));
}

bool rebuild_is_utf8(struct str s)
{
	while (s.len > 0) {
		size_t len = utf8_length(s.ptr, s.len);

		if (len == 0)
			return false;
		s = str_from_offset(s, len);
	}
	return true;
}

bool rebuild_fits(struct str type, enum doc_values_type kind)
{
	static const char *const texts[] = {
		"keyword",  "text",      "match_only_text", "ip",      "join",
		"wildcard", "flattened", "flat_object",     "version", "counted_keyword"};

	if (str_is(type, "wildcard") && kind == DOC_VALUES_BINARY)
		return true;
	if (str_is(type, "binary") || str_is(type, "dense_vector") || str_is(type, "histogram") ||
	    rebuild_is_range(type))
		return kind == DOC_VALUES_BINARY;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (str_is(type, texts[i]))
			return kind == DOC_VALUES_SORTED || kind == DOC_VALUES_SORTED_SET;
	return kind == DOC_VALUES_NUMERIC || kind == DOC_VALUES_SORTED_NUMERIC;
}

/* x-pack's VersionEncoder: a byte and a length before each number, a byte where a pre-release
 * begins or would. */
static struct json *version_json(struct str bytes, struct arena *mem)
{
	char *text = arena_alloc(mem, bytes.len + 1);
	size_t len = 0;

	for (size_t i = 0; text && i < bytes.len; i++) {
		if (bytes.ptr[i] == VERSION_NUMBER)
			i++;
		else if (bytes.ptr[i] != VERSION_PRERELEASE && bytes.ptr[i] != VERSION_RELEASE)
			text[len++] = bytes.ptr[i];
	}
	if (!text || !rebuild_is_utf8(str_of(text, len)))
		return NULL;
	return json_new_string(mem, str_of(text, len));
}

struct json *rebuild_text(struct str bytes, struct arena *mem)
{
	return rebuild_is_utf8(bytes) ? json_new_string(mem, arena_str(mem, bytes)) : NULL;
}

struct json *rebuild_bytes(const struct rebuild_field *field, struct str bytes, struct arena *mem)
{
	if (str_is(field->type, "version"))
		return version_json(bytes, mem);
	if (str_is(field->type, "ip"))
		return ip_json(bytes, mem);
	return rebuild_text(bytes, mem);
}

struct json *rebuild_base64(struct str bytes, struct arena *mem)
{
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_SOURCE);

	base64_encode(&text, bytes);
	return text.failed ? NULL : json_new_string(mem, arena_str(mem, buf_str(&text)));
}

struct json *rebuild_stored(const struct rebuild_plan *plan, const struct rebuild_field *field,
			    const struct stored_field *stored, struct arena *mem)
{
	struct str type = field->type;

	switch (stored->type) {
	case STORED_STRING:
		if (str_is(type, "boolean"))
			return json_new_bool(mem, str_is(stored->bytes, "T"));
		if (plan->old && str_is(type, "geo_point"))
			return rebuild_old_place(stored->bytes, mem);
		return rebuild_text(stored->bytes, mem);
	case STORED_BYTES:
		if (str_is(type, "binary"))
			return rebuild_base64(stored->bytes, mem);
		return rebuild_bytes(field, stored->bytes, mem);
	case STORED_FLOAT:
		return float_json((float)stored->floating, mem);
	case STORED_DOUBLE:
		return double_json(stored->floating, mem);
	case STORED_INT:
	case STORED_LONG:
		break;
	}
	/* What is stored of these is as in doc values; of others the number itself. */
	if (str_is(type, "double") || str_is(type, "float") || str_is(type, "half_float"))
		return json_new_i64(mem, stored->integer);
	return rebuild_number(plan, field, stored->integer, mem);
}
