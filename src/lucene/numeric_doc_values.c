#include "lucene/numeric_doc_values.h"

#include "lucene/docs_walk.h"
#include "lucene/lucene_internal.h"
#include "lucene/packed_values.h"

#include <stdlib.h>

/* More bytes than the header of a .dvd can have: magic, codec, version, id, suffix. */
#define HEADER_MOST 512

struct numeric_doc_values {
	struct arena mem;
	struct doc_values_files files;
	struct doc_values_meta meta;
	struct bytes_source *data; /* NULL where the metadata say all */
	struct packed_values values;
	struct docs_walk walk;
};

static bool needs_data(const struct doc_values_meta *meta)
{
	const struct numeric_values *values = &meta->values;

	return docs_walk_needs_data(meta) ||
	       (meta->docs.offset == DOCS_ALL &&
		(values->layout != NUMERIC_WHOLE || values->bits > 0));
}

static int check_header(struct numeric_doc_values *v, uint64_t end, struct err *err)
{
	char bytes[HEADER_MOST];
	size_t len = (size_t)MIN(end, sizeof(bytes));

	if (bytes_source_read(v->data, 0, bytes, len, err) < 0)
		return -(int)err->kind;
	return doc_values_files_check(&v->files, &v->meta, str_of(bytes, len), err);
}

/* Set and values, in a file whose content ends at `end`. */
static int open_columns(struct numeric_doc_values *v, uint64_t end, struct err *err)
{
	if (docs_walk_init(&v->walk, &v->meta, v->data, end, err) < 0)
		return -(int)err->kind;
	return packed_values_init(&v->values, &v->meta.values, v->meta.format->little, v->data, end,
				  err);
}

static int open_content(struct numeric_doc_values *v, bool prove, struct err *err)
{
	uint64_t end;

	if (doc_values_files_end(v->data, &v->meta, &end, err) < 0)
		return -(int)err->kind;
	if ((prove ? doc_values_files_prove(&v->files, &v->meta, v->data, 0, 0, NULL, err)
		   : check_header(v, end, err)) < 0)
		return -(int)err->kind;
	return open_columns(v, end, err);
}

static int open_data(struct numeric_doc_values *v, bool prove, struct err *err)
{
	if (lucene_directory_open(v->files.dir, v->files.data, &v->data, err) < 0)
		return -(int)err->kind;
	if (open_content(v, prove, err) < 0)
		return lucene_file_wrap(v->files.dir, v->files.data, err);
	return 0;
}

static int open_values(struct numeric_doc_values *v, const struct segment_reader *segment,
		       const struct field_info *field, bool prove, struct err *err)
{
	if (doc_values_files_find(&segment->files, field, &v->mem, &v->files, err) < 0 ||
	    doc_values_files_meta(&v->files, &v->mem, &v->meta, err) < 0)
		return -(int)err->kind;
	v->walk.meta = &v->meta;
	if (!v->meta.found)
		return 0;
	if (needs_data(&v->meta))
		return open_data(v, prove, err);
	return packed_values_init(&v->values, &v->meta.values, v->meta.format->little, NULL, 0,
				  err);
}

int numeric_doc_values_open(const struct segment_reader *segment, struct str field, bool prove,
			    struct numeric_doc_values **out, struct err *err)
{
	const struct field_info *info = field_infos_find(&segment->field_infos, field);
	struct numeric_doc_values *v;

	*out = NULL;
	if (!info || info->doc_values != DOC_VALUES_NUMERIC)
		return 0;
	v = mem_zalloc(sizeof(*v));
	v->mem = ARENA_INIT(LIMIT_SEGMENT_ARENA);
	if (open_values(v, segment, info, prove, err) < 0) {
		numeric_doc_values_close(v);
		return -(int)err->kind;
	}
	*out = v;
	return 0;
}

int numeric_doc_values_over(const struct doc_values_files *files,
			    const struct doc_values_meta *meta, struct bytes_source *data,
			    struct numeric_doc_values **out, struct err *err)
{
	struct numeric_doc_values *v = mem_zalloc(sizeof(*v));

	v->files = *files;
	v->meta = *meta;
	v->data = data;
	if (open_columns(v, data->size, err) < 0) {
		numeric_doc_values_close(v);
		return -(int)err->kind;
	}
	*out = v;
	return 0;
}

int numeric_doc_values_get(struct numeric_doc_values *values, int32_t doc, int64_t *value,
			   bool *has, struct err *err)
{
	int64_t index;
	int found;

	*has = false;
	if (doc < 0 || doc >= values->files.max_doc)
		return 0;
	found = docs_walk_find(&values->walk, doc, &index, err);
	if (found > 0 && packed_values_get(&values->values, index, value, err) < 0)
		found = -1;
	if (found < 0)
		return lucene_file_wrap(values->files.dir, values->files.data, err);
	*has = found > 0;
	return 0;
}

void numeric_doc_values_close(struct numeric_doc_values *values)
{
	if (!values)
		return;
	packed_values_release(&values->values);
	docs_walk_release(&values->walk);
	bytes_source_close(values->data);
	arena_release(&values->mem);
	free(values);
}
