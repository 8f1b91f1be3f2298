/* What a document has of each field: its stored values, else its doc values, set where the path
 * leads. What its filtered source has already stays as it is. Nested documents, which come before
 * the document they are of, wait for it in lists. */
#include "documents/rebuild_packed.h"
#include "documents/rebuild_parts.h"
#include "documents/rebuild_path.h"
#include "documents/rebuild_xcontent.h"

#include "base/limits.h"

#include <stdlib.h>

struct rebuilder {
	const struct rebuild_plan *plan; /* borrowed */
	struct rebuild_parts parts;
	int32_t ignored_source; /* number of _ignored_source; -1 */
	struct arena mem;       /* of the document and its nested ones */
	struct buf text;
	struct json *root;   /* the document at hand */
	struct json *voids;  /* object: paths whose doc values are not of the source */
	struct json **lists; /* of each nested object: those that wait for their parent */
	bool under_way;      /* nested documents wait */
	struct err problem;  /* of one of them; kind 0: none */
};

int rebuilder_open(const struct rebuild_plan *plan, const struct segment_reader *segment,
		   int64_t doc_base, struct rebuilder **out, struct err *err)
{
	const struct field_info *ignored =
		field_infos_find(&segment->field_infos, STR("_ignored_source"));
	struct rebuilder *r = mem_zalloc(sizeof(*r));

	r->plan = plan;
	r->mem = ARENA_INIT(LIMIT_SOURCE_ARENA);
	r->text = BUF_INIT(LIMIT_SOURCE);
	r->lists = mem_zalloc((plan->nested_count + 1) * sizeof(struct json *));
	r->ignored_source = ignored ? ignored->number : -1;
	if (rebuild_parts_open(&r->parts, plan, segment, doc_base, &r->mem, err) < 0) {
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
	rebuild_parts_close(&r->parts);
	free(r->lists);
	arena_release(&r->mem);
	buf_release(&r->text);
	free(r);
}

/* A relation alone, or with the id of the document that it leads to: in a field of its own. */
static struct json *join_value(struct rebuilder *r, const struct rebuild_part *part)
{
	struct json *name = part->values->first, *object;

	for (size_t i = (size_t)(part - r->parts.list) + 1; i < r->plan->count; i++) {
		const struct rebuild_part *parent = &r->parts.list[i];

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

static struct json *value_of(struct rebuilder *r, const struct rebuild_part *part)
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
		const struct rebuild_field *field = r->parts.list[i].field;
		struct str path = below(field->path, nested_path(r, nested));
		struct json *value;

		if (field->nested != nested || field->hidden || is_void(r, field->path))
			continue;
		value = value_of(r, &r->parts.list[i]);
		if (value && !rebuild_has_path(r->root, path))
			rebuild_set_path(r->root, path, value, &r->mem);
	}
	put_lists(r, nested);
	return r->mem.failed ? arena_fail(&r->mem, "a rebuilt document", err) : 0;
}

static int begin(struct rebuilder *r, struct str filtered, struct err *err)
{
	if (!r->under_way) {
		arena_reset(&r->mem);
		memset(r->lists, 0, r->plan->nested_count * sizeof(struct json *));
		r->problem.kind = ERR_NONE;
	}
	rebuild_parts_reset(&r->parts);
	r->voids = json_new(&r->mem, JSON_OBJECT);
	r->root = json_new(&r->mem, JSON_OBJECT);
	if (filtered.ptr && json_parse(filtered, &r->mem, &r->root, err) < 0)
		return -(int)err->kind;
	return r->root && r->voids ? 0 : arena_fail(&r->mem, "a rebuilt document", err);
}

int rebuilder_document(struct rebuilder *r, int32_t doc, struct stored_field_cursor *stored,
		       struct str type, struct str filtered, struct str *out, struct err *err)
{
	int rc = begin(r, filtered, err);

	r->parts.of_type = type;
	r->under_way = false;
	if (rc == 0)
		rc = rebuild_parts_read(&r->parts, doc, stored, false, err);
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

	if (r->plan->nested_count == 1 && !r->plan->nested_left_out)
		return 1;
	for (size_t i = 0; i < r->plan->count; i++) {
		const struct rebuild_part *part = &r->parts.list[i];

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
		rc = rebuild_parts_read(&r->parts, doc, stored, true, err);
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
