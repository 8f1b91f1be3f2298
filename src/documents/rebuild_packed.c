#include "documents/rebuild_packed.h"

#include "base/rd.h"
#include "documents/rebuild_path.h"
#include "documents/rebuild_range.h"
#include "documents/rebuild_value.h"

#define ORDER_MOST 1000000

bool rebuild_is_packed(struct str type)
{
	return str_is(type, "binary") || str_is(type, "flattened") || str_is(type, "flat_object") ||
	       str_is(type, "dense_vector") || str_is(type, "histogram") || rebuild_is_range(type);
}

/* `text`: they are texts, not any bytes. */
static bool add_binary(struct str bytes, bool text, struct json *array, struct arena *mem)
{
	struct rd rd = rd_over(bytes);
	uint32_t count = rd_vint(&rd);

	for (uint32_t i = 0; i < count && !rd.failed; i++) {
		struct str value = rd_string(&rd);
		struct json *one = NULL;

		if (!rd.failed && !text)
			one = rebuild_base64(value, mem);
		else if (!rd.failed && rebuild_is_utf8(value))
			one = json_new_string(mem, arena_str(mem, value));
		if (!one)
			return false;
		json_append(array, one);
	}
	return !rd.failed && rd_left(&rd) == 0;
}

static struct str without_prefix(struct str text, struct str path)
{
	bool has = str_starts(text, path) && text.len > path.len && text.ptr[path.len] == '.';

	return has ? str_from_offset(text, path.len + 1) : text;
}

/* "path<NUL>value" of Elasticsearch, "field.field.path=value" of OpenSearch. */
static bool add_flattened(const struct rebuild_field *field, struct str bytes, struct json *array,
			  struct arena *mem)
{
	bool opensearch = str_is(field->type, "flat_object");
	struct str once = without_prefix(bytes, field->path);
	struct str pair = opensearch ? without_prefix(once, field->path) : bytes;
	const char *cut = pair.len ? memchr(pair.ptr, opensearch ? '=' : '\0', pair.len) : NULL;
	struct str path, value;

	if (!cut || !rebuild_is_utf8(pair))
		return false;
	path = arena_str(mem, str_of(pair.ptr, (size_t)(cut - pair.ptr)));
	value = arena_str(mem, str_from_offset(pair, path.len + 1));
	if (!array->first)
		json_append(array, json_new(mem, JSON_OBJECT));
	if (!array->first)
		return false;
	return rebuild_add_path(array->first, path, json_new_string(mem, value), mem);
}

/* An element of a vector: a number of 32 bits, or of 8, or 8 bits. */
static struct json *vector_element(struct rd *rd, bool floats, bool little, struct arena *mem)
{
	if (!floats)
		return json_new_i64(mem, (int8_t)rd_u8(rd));
	return rebuild_float((int32_t)(little ? rd_le32(rd) : rd_be32(rd)), mem);
}

/* Its elements, and last the length of the vector, which is not of the source. */
static bool add_vector(const struct rebuild_plan *plan, const struct rebuild_field *field,
		       struct str bytes, struct json *array, struct arena *mem)
{
	struct rd rd = rd_over(bytes);
	struct json *vector = json_new(mem, JSON_ARRAY);
	bool floats = !field->format.ptr || str_is(field->format, "float");
	bool little = plan->created >= REBUILD_LITTLE_VECTORS;

	while (rd_left(&rd) > 4) {
		struct json *value = vector_element(&rd, floats, little, mem);

		if (!value || rd.failed)
			return false;
		json_append(vector, value);
	}
	json_append(array, vector);
	return rd_left(&rd) == 4 && vector;
}

/* Buckets, each its count and its value; the value is big-endian in all versions. */
static bool add_histogram(struct str bytes, struct json *array, struct arena *mem)
{
	struct rd rd = rd_over(bytes);
	struct json *histogram = json_new(mem, JSON_OBJECT);
	struct json *values = json_new(mem, JSON_ARRAY), *counts = json_new(mem, JSON_ARRAY);

	while (rd_left(&rd) > 0 && !rd.failed && !mem->failed) {
		uint64_t count = rd_vlong(&rd);
		struct json *value = rebuild_double((int64_t)rd_be64(&rd), mem);

		if (!value || rd.failed || count > INT64_MAX)
			return false;
		json_append(values, value);
		json_append(counts, json_new_i64(mem, (int64_t)count));
	}
	if (mem->failed)
		return false;
	json_set(histogram, STR("values"), values);
	json_set(histogram, STR("counts"), counts);
	json_append(array, histogram);
	return true;
}

bool rebuild_packed(const struct rebuild_plan *plan, const struct rebuild_field *field,
		    struct str bytes, struct json *array, struct arena *mem)
{
	if (!array)
		return false;
	if (rebuild_is_range(field->type))
		return rebuild_ranges(plan, field, bytes, array, mem);
	if (str_is(field->type, "binary"))
		return add_binary(bytes, false, array, mem);
	if (str_is(field->type, "wildcard"))
		return add_binary(bytes, true, array, mem);
	if (str_is(field->type, "dense_vector"))
		return add_vector(plan, field, bytes, array, mem);
	if (str_is(field->type, "histogram"))
		return add_histogram(bytes, array, mem);
	return add_flattened(field, bytes, array, mem);
}

struct json *rebuild_in_order(const struct json *values, struct str order, struct arena *mem)
{
	struct rd rd = rd_over(order);
	int64_t count = rd_zigzag(rd_vint(&rd));
	size_t have = values ? values->count : 0;
	const struct json **at = arena_alloc(mem, (have + 1) * sizeof(*at));
	struct json *array = json_new(mem, JSON_ARRAY);

	if (count < 0 || count > ORDER_MOST || !at || !array)
		return NULL;
	have = 0;
	json_each (value, values)
		at[have++] = value;
	for (int64_t i = 0; i < count && !rd.failed; i++) {
		int64_t index = rd_zigzag(rd_vint(&rd));

		if (index < -1 || index >= (int64_t)have)
			return NULL;
		json_append(array,
			    index < 0 ? json_new(mem, JSON_NULL) : json_copy(mem, at[index]));
	}
	return rd.failed ? NULL : array;
}

bool rebuild_is_counted(struct str type)
{
	return str_is(type, "counted_keyword");
}

struct json *rebuild_repeated(const struct json *values, struct str counts, struct arena *mem)
{
	struct rd rd = rd_over(counts);
	struct json *array = json_new(mem, JSON_ARRAY);
	uint64_t all = 0;

	if (!array || rd_vint(&rd) != (values ? values->count : 0))
		return NULL;
	json_each (value, values) {
		uint32_t count = rd_vint(&rd);

		all += count;
		if (rd.failed || count == 0 || all > ORDER_MOST)
			return NULL;
		for (uint32_t i = 0; i < count; i++)
			json_append(array, json_copy(mem, value));
	}
	return rd_left(&rd) > 0 || mem->failed ? NULL : array;
}

bool rebuild_is_child(const struct json *relations, const struct rebuild_field *hidden,
		      struct str name)
{
	const char *mark = memrchr(hidden->path.ptr, '#', hidden->path.len);
	const struct json *children;

	if (!mark)
		return false;
	children = json_get_str(
		relations, str_from_offset(hidden->path, (size_t)(mark + 1 - hidden->path.ptr)));
	if (str_eq(json_string(children), name))
		return true;
	json_each (child, children)
		if (str_eq(json_string(child), name))
			return true;
	return false;
}
