#include "lucene/numeric_doc_values.h"

#include "lucene/indexed_disi.h"
#include "lucene/lucene_internal.h"
#include "lucene/packed_values.h"

#include <stdlib.h>

#define DOCS_ALL (-1)
#define DOCS_NONE (-2)
/* More bytes than the header of a .dvd can have: magic, codec, version, id, suffix. */
#define HEADER_MOST 512

struct numeric_doc_values {
	struct arena mem;
	struct doc_values_files files;
	struct doc_values_meta meta;
	struct bytes_source *data; /* NULL where the metadata say all */
	struct packed_values values;
	struct range_window bits;      /* of documents with a value, before Lucene 7 */
	struct indexed_disi_walk walk; /* from Lucene 7 on */
};

static bool has_set(const struct doc_values_meta *meta)
{
	return meta->docs.offset != DOCS_ALL && meta->docs.offset != DOCS_NONE;
}

static bool needs_data(const struct doc_values_meta *meta)
{
	const struct numeric_values *values = &meta->values;

	return has_set(meta) || (meta->docs.offset == DOCS_ALL &&
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

/* The set of documents with a value has to lie inside the file. */
static int open_set(struct numeric_doc_values *v, uint64_t end, struct err *err)
{
	const struct docs_with_field *docs = &v->meta.docs;
	uint64_t offset = (uint64_t)docs->offset, length = (uint64_t)docs->length;
	uint64_t jumps = (uint64_t)MAX(docs->jump_table_entries, 0) * 8;

	/* Negative numbers are too large here. */
	if (offset > end || length > end - offset || jumps > length)
		return err_set(err, ERR_FORMAT,
			       "has %llu bytes of content, and the documents with a value are said "
			       "to be at %lld with %lld bytes",
			       (unsigned long long)end, (long long)docs->offset,
			       (long long)docs->length);
	if (docs->bitset) {
		range_window_init(&v->bits, v->data, offset + length);
		return 0;
	}
	return indexed_disi_walk_init(&v->walk, v->data, offset, offset + length - jumps,
				      v->meta.format->little, docs->dense_rank_power, err);
}

/* Set and values, in a file whose content ends at `end`. */
static int open_columns(struct numeric_doc_values *v, uint64_t end, struct err *err)
{
	if (has_set(&v->meta) && open_set(v, end, err) < 0)
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
	if (!v->meta.found)
		return 0;
	if (v->meta.sparse)
		return err_set(err, ERR_UNSUPPORTED,
			       "'" STR_FMT "' in '%s' has '" STR_FMT
			       "' as a list of few documents, "
			       "which is not read",
			       STR_ARG(v->files.meta), v->files.dir->name, STR_ARG(field->name));
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

/* 1: the document has a value, the one of that index; 0: none. */
static int find_index(struct numeric_doc_values *v, int32_t doc, int64_t *index, struct err *err)
{
	const struct docs_with_field *docs = &v->meta.docs;
	const uint8_t *byte;

	*index = doc;
	if (!v->meta.found || docs->offset == DOCS_NONE)
		return 0;
	if (docs->offset == DOCS_ALL)
		return 1;
	if (!docs->bitset)
		return indexed_disi_walk_find(&v->walk, doc, index, err);
	if (range_window_need(&v->bits, (uint64_t)docs->offset + (uint64_t)doc / 8, 1, &byte, err) <
	    0)
		return -(int)err->kind;
	return *byte >> (doc & 7) & 1;
}

int numeric_doc_values_get(struct numeric_doc_values *values, int32_t doc, int64_t *value,
			   bool *has, struct err *err)
{
	int64_t index;
	int found;

	*has = false;
	if (doc < 0 || doc >= values->files.max_doc)
		return 0;
	found = find_index(values, doc, &index, err);
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
	range_window_release(&values->bits);
	indexed_disi_walk_release(&values->walk);
	bytes_source_close(values->data);
	arena_release(&values->mem);
	free(values);
}
