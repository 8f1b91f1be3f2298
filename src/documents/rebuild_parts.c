#include "documents/rebuild_parts.h"

#include "base/limits.h"
#include "documents/rebuild_indexed.h"
#include "documents/rebuild_known.h"
#include "documents/rebuild_old.h"
#include "documents/rebuild_packed.h"
#include "documents/rebuild_tally.h"
#include "documents/rebuild_value.h"
#include "documents/rebuild_xcontent.h"
#include "lucene/column.h"
#include "lucene/points.h"
#include "lucene/terms.h"

#include <stdlib.h>

static struct str name_of(const struct rebuild_field *field)
{
	return field->name.ptr ? field->name : field->path;
}

static int32_t number_of(const struct segment_reader *segment, struct str name)
{
	const struct field_info *info = field_infos_find(&segment->field_infos, name);

	return info ? info->number : -1;
}

/* Each column has windows and a block of its own, and a mapping may have many thousand fields. */
static int count_memory(struct rebuild_parts *p, struct rebuild_part *part, struct err *err)
{
	size_t memory = (part->column ? column_memory(part->column) : 0) +
			(part->offsets ? column_memory(part->offsets) : 0);

	p->memory += memory - part->memory;
	part->memory = memory;
	if (p->memory <= p->plan->columns_most)
		return 0;
	return err_set(
		err, ERR_LIMIT,
		"the doc values of %zu fields are read together and need more than %zu MiB "
		"of memory; documents of so many fields are not rebuilt: leave the index out",
		p->plan->count, p->plan->columns_most >> 20);
}

static int32_t number_beside(struct rebuild_parts *p, const struct segment_reader *segment,
			     struct str path, const char *suffix)
{
	struct str name = arena_printf(&p->names, STR_FMT "%s", STR_ARG(path), suffix);

	return name.ptr ? number_of(segment, name) : -1;
}

/* `how`: REBUILD_POINTS, _TERMS or _TEXT. */
static int invert(struct rebuild_parts *p, const struct segment_reader *segment,
		  struct rebuild_part *part, struct str name, enum rebuild_index how,
		  struct err *err)
{
	size_t most = p->plan->indexed_most - MIN(p->indexed_memory, p->plan->indexed_most);
	int rc = 0;

	if (how == REBUILD_POINTS)
		rc = points_invert(segment, name, most, &part->indexed, err);
	else
		rc = terms_invert(segment, name, how == REBUILD_TEXT,
				  rebuild_old_prefix(p->plan, part->field->type), most,
				  &part->indexed, err);
	if (rc == -ERR_LIMIT)
		return err_wrap(err,
				"points and terms are turned round in memory, of all fields of a "
				"segment together: allow more than %zu MiB with "
				"--sourceless-memory, or leave the index out",
				p->plan->indexed_most >> 20);
	if (part->indexed)
		p->indexed_memory += inversion_memory(part->indexed);
	return rc;
}

static bool has_terms(const struct rebuild_plan *plan, struct str type)
{
	return rebuild_has_terms(type) || (plan->old && rebuild_old_has_terms(plan, type));
}

static bool fits(const struct rebuild_plan *plan, struct str type, enum doc_values_type kind)
{
	return plan->old && rebuild_old_is_packed(type) ? rebuild_old_fits(plan, type, kind)
							: rebuild_fits(type, kind);
}

static int open_column(struct rebuild_parts *p, const struct segment_reader *segment,
		       struct rebuild_part *part, struct str name, struct err *err)
{
	bool counted = rebuild_is_counted(part->field->type);
	struct str offsets = arena_printf(&p->names, STR_FMT "%s", STR_ARG(name),
					  counted ? "_count" : ".offsets");

	if (column_open(segment, name, &part->column, err) < 0 ||
	    ((p->plan->synthetic || counted) && offsets.ptr &&
	     column_open(segment, offsets, &part->offsets, err) < 0))
		return -(int)err->kind;
	part->unfit = part->column && !fits(p->plan, part->field->type, column_type(part->column));
	return count_memory(p, part, err);
}

/* As its field, read out of the index. */
static const struct rebuild_field *as_indexed(struct rebuild_parts *p,
					      const struct rebuild_field *field,
					      enum rebuild_index how)
{
	struct rebuild_field *copy = arena_alloc(&p->names, sizeof(*copy));

	if (!copy)
		return field;
	*copy = *field;
	copy->indexed = how;
	return copy;
}

/* The segment has not what the mapping says that it has: whatever else it has of the field is of
 * the documents as well, be it of the mapping's type or of another. */
static int open_other(struct rebuild_parts *p, const struct segment_reader *segment,
		      struct rebuild_part *part, struct str name, struct err *err)
{
	const struct field_info *info = field_infos_find(&segment->field_infos, name);
	struct str type = part->field->type;
	enum rebuild_index how = REBUILD_NO_INDEX;

	if (!info)
		return 0;
	if (!part->column && info->doc_values != DOC_VALUES_NONE)
		return open_column(p, segment, part, name, err);
	if (info->point_dimensions > 0)
		how = REBUILD_POINTS;
	else if (info->index_options != INDEX_NONE)
		how = REBUILD_TERMS;
	if (part->column || how == REBUILD_NO_INDEX || how == part->field->indexed)
		return 0;
	part->unfit = how == REBUILD_POINTS ? !rebuild_has_points(type) : !has_terms(p->plan, type);
	part->field = as_indexed(p, part->field, how);
	return invert(p, segment, part, name, how, err);
}

/* Text whose keyword is younger than the segment: its tokens are what there is. Where they have no
 * positions, they tell at least which documents had text. */
static int open_tokens(struct rebuild_parts *p, const struct segment_reader *segment,
		       struct rebuild_part *part, struct err *err)
{
	struct str name = name_of(part->field);
	const struct field_info *info = field_infos_find(&segment->field_infos, name);
	enum rebuild_index how = REBUILD_TEXT;

	if (p->plan->synthetic || !rebuild_is_text(part->field->type) || !info ||
	    info->index_options == INDEX_NONE)
		return 0;
	if (info->index_options < INDEX_POSITIONS) {
		how = REBUILD_TERMS;
		part->unfit = true;
	}
	part->field = as_indexed(p, part->field, how);
	return invert(p, segment, part, name, how, err);
}

static int open_part(struct rebuild_parts *p, const struct segment_reader *segment,
		     struct rebuild_part *part, const struct rebuild_field *field, struct err *err)
{
	struct str beside = field->column.ptr ? field->column : name_of(field);
	int rc;

	part->field = field;
	part->stored = number_of(segment, name_of(field));
	part->original = number_beside(p, segment, beside, "._original");
	part->malformed = number_beside(p, segment, beside, "._ignore_malformed");
	if (field->constant || (!field->indexed && !field->column.ptr))
		return 0;
	rc = field->indexed ? invert(p, segment, part, beside, field->indexed, err)
			    : open_column(p, segment, part, field->column, err);
	if (rc < 0 || part->column || part->indexed)
		return rc;
	rc = open_other(p, segment, part, beside, err);
	if (rc < 0 || part->column || part->indexed || !field->column.ptr ||
	    str_eq(field->column, name_of(field)))
		return rc;
	return open_tokens(p, segment, part, err);
}

int rebuild_parts_open(struct rebuild_parts *p, const struct rebuild_plan *plan,
		       const struct segment_reader *segment, int64_t doc_base, struct arena *mem,
		       struct err *err)
{
	*p = (struct rebuild_parts){.plan = plan,
				    .doc_base = doc_base,
				    .list = mem_zalloc((plan->count + 1) * sizeof(*p->list)),
				    .names = ARENA_INIT(LIMIT_SEGMENT_ARENA),
				    .mem = mem};
	for (size_t i = 0; i < plan->count; i++)
		if (open_part(p, segment, &p->list[i], &plan->fields[i], err) < 0)
			return -(int)err->kind;
	/* A name that is not known would leave values out. */
	return p->names.failed ? arena_fail(&p->names, "the names of fields", err) : 0;
}

void rebuild_parts_close(struct rebuild_parts *p)
{
	for (size_t i = 0; i < p->plan->count; i++) {
		column_close(p->list[i].column);
		column_close(p->list[i].offsets);
		inversion_free(p->list[i].indexed);
	}
	free(p->list);
	arena_release(&p->names);
}

void rebuild_parts_reset(struct rebuild_parts *p)
{
	for (size_t i = 0; i < p->plan->count; i++) {
		p->list[i].values = NULL;
		p->list[i].ordered = false;
		p->list[i].bad = false;
	}
	p->problem.kind = ERR_NONE;
}

/* The document is not rebuilt, which is told when all its fields were looked at. */
static int no_value(struct rebuild_parts *p, struct rebuild_part *part)
{
	part->bad = true;
	part->values = NULL;
	if (p->problem.kind == ERR_NONE)
		err_set(&p->problem, ERR_UNSUPPORTED,
			"'" STR_FMT "' has a value that is none of its type '" STR_FMT
			"'; index the document again from its origin",
			STR_ARG(part->field->path), STR_ARG(part->field->type));
	return 0;
}

static int add_value(struct rebuild_parts *p, struct rebuild_part *part, struct json *value,
		     struct err *err)
{
	if (part->bad)
		return 0;
	if (!part->values)
		part->values = json_new(p->mem, JSON_ARRAY);
	if (p->mem->failed)
		return arena_fail(p->mem, "a rebuilt document", err);
	if (!value)
		return no_value(p, part);
	json_append(part->values, value);
	return 0;
}

/* The fields of nested documents are in these alone; some may be in their parents as well
 * (include_in_parent). Mapping types may have a field of one name each. */
static bool is_of(const struct rebuild_parts *p, const struct rebuild_part *part, bool nested)
{
	if (!nested && part->field->of_type.ptr && !str_eq(part->field->of_type, p->of_type))
		return false;
	return (part->field->nested > 0) == nested;
}

static int add_malformed(struct rebuild_parts *p, struct rebuild_part *part,
			 const struct stored_field *stored, struct err *err)
{
	struct json *value;
	int got;

	if (stored->type != STORED_BYTES)
		return add_value(
			p, part,
			rebuild_stored(p->plan, &(struct rebuild_field){0}, stored, p->mem), err);
	got = rebuild_xcontent(arena_str(p->mem, stored->bytes), p->mem, &value, err);
	return got <= 0 ? got : add_value(p, part, value, err);
}

/* `beside`: what stands beside doc values; else what is in place of them. */
static int take_stored(struct rebuild_parts *p, const struct stored_field *stored, bool nested,
		       bool beside, struct err *err)
{
	for (size_t i = 0; i < p->plan->count; i++) {
		struct rebuild_part *part = &p->list[i];
		int rc = 0;

		if (!is_of(p, part, nested))
			continue;
		if (beside && stored->number == part->malformed)
			rc = add_malformed(p, part, stored, err);
		else if (stored->number == (beside ? part->original : part->stored))
			rc = add_value(p, part,
				       rebuild_stored(p->plan, part->field, stored, p->mem), err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_stored(struct rebuild_parts *p, struct stored_field_cursor cursor, bool nested,
		       bool beside, struct err *err)
{
	struct stored_field stored;
	int got;

	while ((got = stored_field_next(&cursor, &stored, err)) > 0)
		if (take_stored(p, &stored, nested, beside, err) < 0)
			return -(int)err->kind;
	return got;
}

/* One doc value that is several values, or none whole. */
static bool is_packed(const struct rebuild_parts *p, const struct rebuild_part *part)
{
	struct str type = part->field->type;

	if (str_is(type, "wildcard"))
		return column_type(part->column) == DOC_VALUES_BINARY;
	return rebuild_is_packed(type) || (p->plan->old && rebuild_old_is_packed(type));
}

static bool take_packed(struct rebuild_parts *p, struct rebuild_part *part, struct str bytes)
{
	if (!part->values)
		part->values = json_new(p->mem, JSON_ARRAY);
	if (part->values && p->plan->old && rebuild_old_is_packed(part->field->type))
		return rebuild_old_packed(p->plan, part->field, bytes, part->values, p->mem);
	return rebuild_packed(p->plan, part->field, bytes, part->values, p->mem);
}

static int take_column(struct rebuild_parts *p, struct rebuild_part *part,
		       const struct column_values *values, struct err *err)
{
	if (part->unfit && values->count > 0)
		return no_value(p, part);
	for (size_t i = 0; i < values->count && !part->bad; i++) {
		struct json *value;

		if (values->bytes && is_packed(p, part)) {
			if (!take_packed(p, part, values->bytes[i]))
				return p->mem->failed
					       ? arena_fail(p->mem, "a rebuilt document", err)
					       : no_value(p, part);
			continue;
		}
		value = values->numbers
				? rebuild_number(p->plan, part->field, values->numbers[i], p->mem)
				: rebuild_bytes(part->field, values->bytes[i], p->mem);
		if (add_value(p, part, value, err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

/* Where Elasticsearch 8 keeps the order of an array, as indices of its doc values, or how often
 * each of them was there. */
static int read_order(struct rebuild_parts *p, struct rebuild_part *part, int32_t doc,
		      struct err *err)
{
	struct column_values values = {0};

	if (!part->offsets || part->bad)
		return 0;
	if (column_get(part->offsets, doc, &values, err) < 0)
		return -(int)err->kind;
	if (values.count != 1 || !values.bytes)
		return 0;
	if (rebuild_is_counted(part->field->type)) {
		part->values = rebuild_repeated(part->values, values.bytes[0], p->mem);
		return part->values ? 0 : no_value(p, part);
	}
	part->ordered = true;
	part->values = rebuild_in_order(part->values, values.bytes[0], p->mem);
	return part->values ? 0 : no_value(p, part);
}

static int read_columns(struct rebuild_parts *p, int32_t doc, bool nested, struct err *err)
{
	for (size_t i = 0; i < p->plan->count; i++) {
		struct rebuild_part *part = &p->list[i];
		struct column_values values = {0};

		/* A column whose field is stored too says nothing new. */
		if (!part->column || part->values || part->bad || !is_of(p, part, nested))
			continue;
		if (column_get(part->column, doc, &values, err) < 0 ||
		    count_memory(p, part, err) < 0 || take_column(p, part, &values, err) < 0 ||
		    read_order(p, part, doc, err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

static int read_indexed(struct rebuild_parts *p, int32_t doc, bool nested, struct err *err)
{
	for (size_t i = 0; i < p->plan->count; i++) {
		struct rebuild_part *part = &p->list[i];
		struct inverted_values values;

		if (!part->indexed || part->values || part->bad || !is_of(p, part, nested))
			continue;
		inversion_get(part->indexed, doc, &values);
		if (values.count == 0)
			continue;
		part->values = json_new(p->mem, JSON_ARRAY);
		if (part->values && !part->unfit &&
		    rebuild_indexed(p->plan, part->field, &values, part->values, p->mem))
			continue;
		if (p->mem->failed)
			return arena_fail(p->mem, "a rebuilt document", err);
		no_value(p, part);
	}
	return 0;
}

/* What of the document at hand is not rebuilt. */
static void count_bad(const struct rebuild_parts *p, int32_t doc)
{
	const struct rebuild_plan *plan = p->plan;

	if (!rebuild_tally_begin(plan->tally, plan->shard, plan->first_doc, p->doc_base + doc))
		return;
	for (size_t i = 0; i < plan->count; i++)
		if (p->list[i].bad)
			rebuild_tally_add(plan->tally, plan->fields[i].path, plan->fields[i].type);
}

int rebuild_parts_read(struct rebuild_parts *p, int32_t doc,
		       const struct stored_field_cursor *stored, bool nested, struct err *err)
{
	if (read_stored(p, *stored, nested, false, err) < 0 ||
	    read_columns(p, doc, nested, err) < 0 || read_indexed(p, doc, nested, err) < 0)
		return -(int)err->kind;
	if (read_stored(p, *stored, nested, true, err) < 0)
		return -(int)err->kind;
	if (p->problem.kind == ERR_NONE)
		return 0;
	count_bad(p, doc);
	*err = p->problem;
	return -(int)err->kind;
}
