/* What a document has of each field: its stored values, else its doc values, set where the path
 * leads. What its filtered source has already stays as it is. */
#include "documents/rebuild_value.h"

#include "base/limits.h"
#include "lucene/column.h"

#include <stdlib.h>

struct part {
	const struct rebuild_field *field;
	struct column *column; /* NULL: none */
	int32_t stored;        /* number of the stored field of that name; -1: no such field */
	int32_t original;      /* of "<path>._original": what ignore_above kept out of doc values */
	size_t memory;         /* of the column */
	struct json *values;   /* of the document at hand */
};

struct rebuilder {
	const struct rebuild_plan *plan; /* borrowed */
	struct part *parts;              /* one for each field of the plan */
	int32_t ignored_source;          /* number of _ignored_source; -1 */
	size_t memory;                   /* of all columns */
	struct arena names, mem;         /* of the segment; of the document */
	struct buf text;
};

static int32_t number_of(const struct segment_reader *segment, struct str name)
{
	const struct field_info *info = field_infos_find(&segment->field_infos, name);

	return info ? info->number : -1;
}

/* Each column has windows and a block of its own, and a mapping may have many thousand fields. */
static int count_memory(struct rebuilder *r, struct part *part, struct err *err)
{
	size_t memory = part->column ? column_memory(part->column) : 0;

	r->memory += memory - part->memory;
	part->memory = memory;
	if (r->memory <= r->plan->columns_most)
		return 0;
	return err_set(
		err, ERR_LIMIT,
		"the doc values of %zu fields are read together and need more than %zu MiB "
		"of memory; documents of so many fields are not rebuilt: leave the index out",
		r->plan->count, r->plan->columns_most >> 20);
}

static int open_part(struct rebuilder *r, const struct segment_reader *segment, struct part *part,
		     const struct rebuild_field *field, struct err *err)
{
	struct str original = arena_printf(&r->names, STR_FMT "._original", STR_ARG(field->path));

	part->field = field;
	part->stored = number_of(segment, field->path);
	part->original = original.ptr ? number_of(segment, original) : -1;
	if (!field->column.ptr || field->constant)
		return 0;
	if (column_open(segment, field->column, &part->column, err) < 0)
		return -(int)err->kind;
	return count_memory(r, part, err);
}

int rebuilder_open(const struct rebuild_plan *plan, const struct segment_reader *segment,
		   struct rebuilder **out, struct err *err)
{
	struct rebuilder *r = mem_zalloc(sizeof(*r));

	r->plan = plan;
	r->names = ARENA_INIT(LIMIT_SEGMENT_ARENA);
	r->mem = ARENA_INIT(LIMIT_SOURCE_ARENA);
	r->text = BUF_INIT(LIMIT_SOURCE);
	r->parts = mem_zalloc((plan->count + 1) * sizeof(*r->parts));
	r->ignored_source = number_of(segment, STR("_ignored_source"));
	for (size_t i = 0; i < plan->count; i++)
		if (open_part(r, segment, &r->parts[i], &plan->fields[i], err) < 0) {
			rebuilder_close(r);
			return -(int)err->kind;
		}
	*out = r;
	return 0;
}

void rebuilder_close(struct rebuilder *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->plan->count; i++)
		column_close(r->parts[i].column);
	free(r->parts);
	arena_release(&r->names);
	arena_release(&r->mem);
	buf_release(&r->text);
	free(r);
}

static int no_value(const struct part *part, struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED,
		       "'" STR_FMT "' has a value that is none of its type '" STR_FMT "'",
		       STR_ARG(part->field->path), STR_ARG(part->field->type));
}

static int add_value(struct rebuilder *r, struct part *part, struct json *value, struct err *err)
{
	if (!part->values)
		part->values = json_new(&r->mem, JSON_ARRAY);
	if (r->mem.failed)
		return arena_fail(&r->mem, "a rebuilt document", err);
	if (!value)
		return no_value(part, err);
	json_append(part->values, value);
	return 0;
}

static int take_stored(struct rebuilder *r, const struct stored_field *stored, bool originals,
		       struct err *err)
{
	for (size_t i = 0; i < r->plan->count; i++) {
		struct part *part = &r->parts[i];

		if (stored->number != (originals ? part->original : part->stored))
			continue;
		if (add_value(r, part, rebuild_stored(r->plan, part->field, stored, &r->mem), err) <
		    0)
			return -(int)err->kind;
	}
	return 0;
}

/* `originals`: what stands beside doc values; else what is in place of them. */
static int read_stored(struct rebuilder *r, struct stored_field_cursor cursor, bool originals,
		       struct err *err)
{
	struct stored_field stored;
	int got;

	while ((got = stored_field_next(&cursor, &stored, err)) > 0) {
		if (stored.number == r->ignored_source)
			return err_set(err, ERR_UNSUPPORTED,
				       "has an _ignored_source, which is not read");
		if (take_stored(r, &stored, originals, err) < 0)
			return -(int)err->kind;
	}
	return got;
}

static int take_column(struct rebuilder *r, struct part *part, const struct column_values *values,
		       struct err *err)
{
	for (size_t i = 0; i < values->count; i++) {
		struct json *value;

		if (values->bytes && str_is(part->field->type, "binary")) {
			part->values = json_new(&r->mem, JSON_ARRAY);
			if (!rebuild_binary(values->bytes[i], part->values, &r->mem))
				return no_value(part, err);
			continue;
		}
		value = values->numbers
				? rebuild_number(r->plan, part->field, values->numbers[i], &r->mem)
				: rebuild_bytes(part->field, values->bytes[i], &r->mem);
		if (add_value(r, part, value, err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

static int read_columns(struct rebuilder *r, int32_t doc, struct err *err)
{
	for (size_t i = 0; i < r->plan->count; i++) {
		struct part *part = &r->parts[i];
		struct column_values values = {0};

		/* A column whose field is stored too says nothing new. */
		if (!part->column || part->values)
			continue;
		if (column_get(part->column, doc, &values, err) < 0 ||
		    count_memory(r, part, err) < 0 || take_column(r, part, &values, err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

static struct json *value_of(struct rebuilder *r, const struct part *part)
{
	if (part->field->constant)
		return json_copy(&r->mem, part->field->constant);
	if (!part->values || part->values->count == 0)
		return NULL;
	if (part->values->count > 1)
		return part->values;
	return part->values->first;
}

/* Where the path leads nowhere new: the member is there, dotted or not, or an array is in the way,
 * which could hold it in each of its objects. */
static bool has_path(const struct json *object, struct str path)
{
	if (json_get_str(object, path))
		return true;
	for (size_t i = 0; i < path.len; i++) {
		const struct json *child;

		if (path.ptr[i] != '.')
			continue;
		child = json_get_str(object, str_of(path.ptr, i));
		if (child &&
		    (child->type != JSON_OBJECT || has_path(child, str_from_offset(path, i + 1))))
			return true;
	}
	return false;
}

static void set_path(struct rebuilder *r, struct json *object, struct str path, struct json *value)
{
	const char *dot;

	while (object && (dot = memchr(path.ptr, '.', path.len))) {
		struct str name = str_of(path.ptr, (size_t)(dot - path.ptr));
		struct json *child = json_get_str(object, name);

		if (!child) {
			child = json_new(&r->mem, JSON_OBJECT);
			json_set(object, name, child);
		}
		object = child;
		path = str_from_offset(path, name.len + 1);
	}
	json_set(object, path, value);
}

static int begin(struct rebuilder *r, struct str filtered, struct json **out, struct err *err)
{
	arena_reset(&r->mem);
	for (size_t i = 0; i < r->plan->count; i++)
		r->parts[i].values = NULL;
	if (filtered.ptr)
		return json_parse(filtered, &r->mem, out, err);
	*out = json_new(&r->mem, JSON_OBJECT);
	return 0;
}

int rebuilder_document(struct rebuilder *r, int32_t doc, struct stored_field_cursor *stored,
		       struct str filtered, struct str *out, struct err *err)
{
	struct json *root;

	if (begin(r, filtered, &root, err) < 0 || read_stored(r, *stored, false, err) < 0 ||
	    read_columns(r, doc, err) < 0 || read_stored(r, *stored, true, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < r->plan->count; i++) {
		struct json *value = value_of(r, &r->parts[i]);

		if (value && root && !has_path(root, r->parts[i].field->path))
			set_path(r, root, r->parts[i].field->path, value);
	}
	if (r->mem.failed)
		return arena_fail(&r->mem, "a rebuilt document", err);
	buf_reset(&r->text);
	json_write(&r->text, root);
	*out = buf_str(&r->text);
	return buf_check(&r->text, "a rebuilt document", err);
}
