/* What a document has of each field: its stored values, else its doc values, set where the path
 * leads. What its filtered source has already stays as it is. Nested documents, which come before
 * the document they are of, wait for it in lists. */
#include "documents/rebuild_path.h"
#include "documents/rebuild_packed.h"
#include "documents/rebuild_value.h"
#include "documents/rebuild_xcontent.h"

#include "base/limits.h"
#include "lucene/column.h"

#include <stdlib.h>

struct part {
	const struct rebuild_field *field;
	struct column *column;  /* NULL: none */
	struct column *offsets; /* of "<path>.offsets": the order of several values; NULL: none */
	int32_t stored;         /* number of the stored field of that name; -1: no such field */
	int32_t original;    /* of "<path>._original": what ignore_above kept out of doc values */
	int32_t malformed;   /* of "<path>._ignore_malformed": what is none of its type */
	size_t memory;       /* of the columns */
	bool ordered;        /* it was an array, and this is its order */
	struct json *values; /* of the document at hand */
};

struct rebuilder {
	const struct rebuild_plan *plan; /* borrowed */
	struct part *parts;              /* one for each field of the plan */
	int32_t ignored_source;          /* number of _ignored_source; -1 */
	size_t memory;                   /* of all columns */
	struct arena names, mem;         /* of the segment; of the document and its nested ones */
	struct buf text;
	struct json *root;   /* the document at hand */
	struct json *voids;  /* object: paths whose doc values are not of the source */
	struct json **lists; /* of each nested object: those that wait for their parent */
	bool under_way;      /* nested documents wait */
	struct err problem;  /* of one of them; kind 0: none */
};

static int32_t number_of(const struct segment_reader *segment, struct str name)
{
	const struct field_info *info = field_infos_find(&segment->field_infos, name);

	return info ? info->number : -1;
}

/* Each column has windows and a block of its own, and a mapping may have many thousand fields. */
static int count_memory(struct rebuilder *r, struct part *part, struct err *err)
{
	size_t memory = (part->column ? column_memory(part->column) : 0) +
			(part->offsets ? column_memory(part->offsets) : 0);

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

static int32_t number_beside(struct rebuilder *r, const struct segment_reader *segment,
			     struct str path, const char *suffix)
{
	struct str name = arena_printf(&r->names, STR_FMT "%s", STR_ARG(path), suffix);

	return name.ptr ? number_of(segment, name) : -1;
}

static int open_part(struct rebuilder *r, const struct segment_reader *segment, struct part *part,
		     const struct rebuild_field *field, struct err *err)
{
	struct str beside = field->column.ptr ? field->column : field->path;
	struct str offsets = arena_printf(&r->names, STR_FMT ".offsets", STR_ARG(beside));

	part->field = field;
	part->stored = number_of(segment, field->path);
	part->original = number_beside(r, segment, beside, "._original");
	part->malformed = number_beside(r, segment, beside, "._ignore_malformed");
	if (!field->column.ptr || field->constant)
		return 0;
	if (column_open(segment, field->column, &part->column, err) < 0 ||
	    (r->plan->synthetic && offsets.ptr &&
	     column_open(segment, offsets, &part->offsets, err) < 0))
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
	r->lists = mem_zalloc((plan->nested_count + 1) * sizeof(struct json *));
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
	for (size_t i = 0; i < r->plan->count; i++) {
		column_close(r->parts[i].column);
		column_close(r->parts[i].offsets);
	}
	free(r->parts);
	free(r->lists);
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

/* The fields of nested documents are in these alone; some may be in their parents as well
 * (include_in_parent). */
static bool is_of(const struct part *part, bool nested)
{
	return (part->field->nested > 0) == nested;
}

static int add_malformed(struct rebuilder *r, struct part *part, const struct stored_field *stored,
			 struct err *err)
{
	struct json *value;
	int got;

	if (stored->type != STORED_BYTES)
		return add_value(
			r, part,
			rebuild_stored(r->plan, &(struct rebuild_field){0}, stored, &r->mem), err);
	got = rebuild_xcontent(arena_str(&r->mem, stored->bytes), &r->mem, &value, err);
	return got <= 0 ? got : add_value(r, part, value, err);
}

/* `beside`: what stands beside doc values; else what is in place of them. */
static int take_stored(struct rebuilder *r, const struct stored_field *stored, bool nested,
		       bool beside, struct err *err)
{
	for (size_t i = 0; i < r->plan->count; i++) {
		struct part *part = &r->parts[i];
		int rc = 0;

		if (!is_of(part, nested))
			continue;
		if (beside && stored->number == part->malformed)
			rc = add_malformed(r, part, stored, err);
		else if (stored->number == (beside ? part->original : part->stored))
			rc = add_value(r, part,
				       rebuild_stored(r->plan, part->field, stored, &r->mem), err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_stored(struct rebuilder *r, struct stored_field_cursor cursor, bool nested,
		       bool beside, struct err *err)
{
	struct stored_field stored;
	int got;

	while ((got = stored_field_next(&cursor, &stored, err)) > 0)
		if (take_stored(r, &stored, nested, beside, err) < 0)
			return -(int)err->kind;
	return got;
}

static int take_column(struct rebuilder *r, struct part *part, const struct column_values *values,
		       struct err *err)
{
	for (size_t i = 0; i < values->count; i++) {
		struct json *value;

		if (values->bytes && rebuild_is_packed(part->field->type)) {
			if (!part->values)
				part->values = json_new(&r->mem, JSON_ARRAY);
			if (!rebuild_packed(r->plan, part->field, values->bytes[i], part->values,
					    &r->mem))
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

/* Where Elasticsearch 8 keeps the order of an array, as indices of its doc values. */
static int read_order(struct rebuilder *r, struct part *part, int32_t doc, struct err *err)
{
	struct column_values values = {0};

	if (!part->offsets)
		return 0;
	if (column_get(part->offsets, doc, &values, err) < 0)
		return -(int)err->kind;
	if (values.count != 1 || !values.bytes)
		return 0;
	part->ordered = true;
	part->values = rebuild_in_order(part->values, values.bytes[0], &r->mem);
	return part->values ? 0 : no_value(part, err);
}

static int read_columns(struct rebuilder *r, int32_t doc, bool nested, struct err *err)
{
	for (size_t i = 0; i < r->plan->count; i++) {
		struct part *part = &r->parts[i];
		struct column_values values = {0};

		/* A column whose field is stored too says nothing new. */
		if (!part->column || part->values || !is_of(part, nested))
			continue;
		if (column_get(part->column, doc, &values, err) < 0 ||
		    count_memory(r, part, err) < 0 || take_column(r, part, &values, err) < 0 ||
		    read_order(r, part, doc, err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

/* A relation alone, or with the id of the document that it leads to: in a field of its own. */
static struct json *join_value(struct rebuilder *r, const struct part *part)
{
	struct json *name = part->values->first, *object;

	for (size_t i = (size_t)(part - r->parts) + 1; i < r->plan->count; i++) {
		const struct part *parent = &r->parts[i];

		if (!parent->field->hidden)
			break;
		if (!parent->values ||
		    !rebuild_is_child(part->field->relations, parent->field, json_string(name)))
			continue;
		object = json_new(&r->mem, JSON_OBJECT);
		json_set(object, STR("name"), name);
		json_set(object, STR("parent"), parent->values->first);
		return object;
	}
	return name;
}

static struct json *value_of(struct rebuilder *r, const struct part *part)
{
	if (part->field->constant)
		return json_copy(&r->mem, part->field->constant);
	if (part->ordered)
		return part->values;
	if (!part->values || part->values->count == 0)
		return NULL;
	if (part->field->relations)
		return join_value(r, part);
	if (part->values->count > 1)
		return part->values;
	return part->values->first;
}

static bool is_void(const struct rebuilder *r, struct str path)
{
	json_each (member, r->voids)
		if (str_starts(path, member->key) &&
		    (path.len == member->key.len || path.ptr[member->key.len] == '.'))
			return true;
	return false;
}

/* The path of a nested object, whole. */
static struct str nested_path(const struct rebuilder *r, size_t nested)
{
	return nested ? r->plan->nested[nested - 1].path : STR("");
}

/* `path` below the path `above`; the same where that is empty. */
static struct str below(struct str path, struct str above)
{
	return str_from_offset(path, above.len ? MIN(above.len + 1, path.len) : 0);
}

static int put_ignored(struct rebuilder *r, struct str bytes, size_t nested, struct err *err)
{
	struct str above = nested_path(r, nested);
	struct ignored_entry entry;
	struct json *value, *object;
	int got;

	/* A nested document outlives the chunk that it was stored in. */
	if (ignored_entry_read(arena_str(&r->mem, bytes), &entry, err) < 0)
		return -(int)err->kind;
	if (!str_starts(entry.parent, above))
		return err_set(err, ERR_UNSUPPORTED,
			       "has an _ignored_source of '" STR_FMT "' where '" STR_FMT
			       "' is nested",
			       STR_ARG(entry.parent), STR_ARG(above));
	got = rebuild_xcontent(entry.value, &r->mem, &value, err);
	if (got < 0)
		return got;
	if (got == 0) {
		json_set(r->voids,
			 arena_printf(&r->mem, STR_FMT "%s" STR_FMT, STR_ARG(entry.parent),
				      entry.parent.len ? "." : "", STR_ARG(entry.name)),
			 json_new(&r->mem, JSON_NULL));
		return 0;
	}
	object = rebuild_object_at(r->root, below(entry.parent, above), &r->mem);
	if (!object)
		return err_set(err, ERR_UNSUPPORTED,
			       "has an _ignored_source whose '" STR_FMT "' is no object",
			       STR_ARG(entry.parent));
	rebuild_add(object, entry.name, value, &r->mem);
	return 0;
}

/* They come before all else: what is there stands for the doc values of the field as well. */
static int read_ignored(struct rebuilder *r, struct stored_field_cursor cursor, size_t nested,
			struct err *err)
{
	struct stored_field stored;
	int got;

	if (r->ignored_source < 0)
		return 0;
	while ((got = stored_field_next(&cursor, &stored, err)) > 0)
		if (stored.number == r->ignored_source && stored.type == STORED_BYTES &&
		    put_ignored(r, stored.bytes, nested, err) < 0)
			return -(int)err->kind;
	return got;
}

static void put_lists(struct rebuilder *r, size_t parent)
{
	for (size_t i = 0; i < r->plan->nested_count; i++) {
		struct str path = r->plan->nested[i].path;
		struct json *list = r->lists[i];

		if (!list || r->plan->nested[i].parent != parent)
			continue;
		r->lists[i] = NULL;
		path = below(path, nested_path(r, parent));
		if (!rebuild_has_path(r->root, path))
			rebuild_set_path(r->root, path, list->count == 1 ? list->first : list,
					 &r->mem);
	}
}

static int put_fields(struct rebuilder *r, struct stored_field_cursor stored, size_t nested,
		      struct err *err)
{
	if (read_ignored(r, stored, nested, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < r->plan->count; i++) {
		const struct rebuild_field *field = r->parts[i].field;
		struct str path = below(field->path, nested_path(r, nested));
		struct json *value;

		if (field->nested != nested || field->hidden || is_void(r, field->path))
			continue;
		value = value_of(r, &r->parts[i]);
		if (value && !rebuild_has_path(r->root, path))
			rebuild_set_path(r->root, path, value, &r->mem);
	}
	put_lists(r, nested);
	return r->mem.failed ? arena_fail(&r->mem, "a rebuilt document", err) : 0;
}

static void reset_part(struct part *part)
{
	part->values = NULL;
	part->ordered = false;
}

static int begin(struct rebuilder *r, struct str filtered, struct err *err)
{
	if (!r->under_way) {
		arena_reset(&r->mem);
		memset(r->lists, 0, r->plan->nested_count * sizeof(struct json *));
		r->problem.kind = ERR_NONE;
	}
	for (size_t i = 0; i < r->plan->count; i++)
		reset_part(&r->parts[i]);
	r->voids = json_new(&r->mem, JSON_OBJECT);
	r->root = json_new(&r->mem, JSON_OBJECT);
	if (filtered.ptr && json_parse(filtered, &r->mem, &r->root, err) < 0)
		return -(int)err->kind;
	return r->root && r->voids ? 0 : arena_fail(&r->mem, "a rebuilt document", err);
}

static int read_all(struct rebuilder *r, int32_t doc, const struct stored_field_cursor *stored,
		    bool nested, struct err *err)
{
	if (read_stored(r, *stored, nested, false, err) < 0 ||
	    read_columns(r, doc, nested, err) < 0)
		return -(int)err->kind;
	return read_stored(r, *stored, nested, true, err);
}

int rebuilder_document(struct rebuilder *r, int32_t doc, struct stored_field_cursor *stored,
		       struct str filtered, struct str *out, struct err *err)
{
	int rc = begin(r, filtered, err);

	r->under_way = false;
	if (rc == 0)
		rc = read_all(r, doc, stored, false, err);
	if (rc < 0)
		return rc;
	if (r->problem.kind) {
		*err = r->problem;
		return -(int)err->kind;
	}
	if (put_fields(r, *stored, 0, err) < 0)
		return -(int)err->kind;
	buf_reset(&r->text);
	json_write(&r->text, r->root);
	*out = buf_str(&r->text);
	return buf_check(&r->text, "a rebuilt document", err);
}

/* Which of them a nested document is says a term that is not read; so do its values, which only one
 * of them can have. 0: none of them, or several, has a value in it. */
static size_t nested_of(const struct rebuilder *r)
{
	size_t found = 0;

	if (r->plan->nested_count == 1)
		return 1;
	for (size_t i = 0; i < r->plan->count; i++) {
		const struct part *part = &r->parts[i];

		if (!part->values || part->values->count == 0 || !part->field->nested)
			continue;
		if (found && found != part->field->nested)
			return 0;
		found = part->field->nested;
	}
	return found;
}

static int add_nested(struct rebuilder *r, struct stored_field_cursor stored, struct err *err)
{
	size_t nested = nested_of(r);
	struct json *list;

	if (!nested)
		return err_set(err, ERR_UNSUPPORTED,
			       "has a nested document of which no value tells where it belongs");
	if (put_fields(r, stored, nested, err) < 0)
		return -(int)err->kind;
	if (!r->lists[nested - 1])
		r->lists[nested - 1] = json_new(&r->mem, JSON_ARRAY);
	list = r->lists[nested - 1];
	if (!list)
		return arena_fail(&r->mem, "a rebuilt document", err);
	if (!r->plan->nested_reversed || !list->first) {
		json_append(list, r->root);
		return 0;
	}
	r->root->next = list->first;
	list->first = r->root;
	list->count++;
	return 0;
}

int rebuilder_nested(struct rebuilder *r, int32_t doc, struct stored_field_cursor *stored,
		     struct err *err)
{
	int rc;

	if (r->plan->nested_count == 0)
		return 0;
	rc = begin(r, STR_NONE, err);
	r->under_way = true;
	if (r->problem.kind)
		return 0;
	if (rc == 0)
		rc = read_all(r, doc, stored, true, err);
	if (rc == 0)
		rc = add_nested(r, *stored, err);
	if (rc != -ERR_UNSUPPORTED && rc != -ERR_LIMIT)
		return rc;
	r->problem = *err;
	return 0;
}

void rebuilder_skip(struct rebuilder *r)
{
	r->under_way = false;
}
