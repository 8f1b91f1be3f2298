#include "lucene/column.h"

#include "lucene/bytes_values.h"
#include "lucene/docs_walk.h"
#include "lucene/lucene_internal.h"
#include "lucene/packed_values.h"

#include <stdlib.h>

/* More bytes than the header of a .dvd can have: magic, codec, version, id, suffix. */
#define HEADER_MOST 512
/* What one document may have: LIMIT_COLUMN_BLOCK in numbers. */
#define VALUES_MOST ((int64_t)(LIMIT_COLUMN_BLOCK / sizeof(int64_t)))
#define NO_ORDINAL (-1)

struct column {
	struct arena mem;
	enum doc_values_type type;
	struct doc_values_files files;
	struct doc_values_meta meta;
	struct bytes_source *data;
	struct docs_walk docs;
	struct packed_values numbers; /* or ordinals, or numbers of sets */
	struct monotonic_values addresses;
	struct bytes_values bytes;
	/* The values of the document at hand. */
	int64_t *at_hand;
	struct str *strings;
	size_t capacity;
	struct buf text; /* of several strings */
};

static bool has_numbers(const struct column *column)
{
	return column->type != DOC_VALUES_BINARY;
}

static bool has_bytes(const struct column *column)
{
	return column->type == DOC_VALUES_BINARY || column->type == DOC_VALUES_SORTED ||
	       column->type == DOC_VALUES_SORTED_SET;
}

/* All parts, in a file whose content ends at `end`. */
static int open_parts(struct column *column, uint64_t end, struct err *err)
{
	const struct doc_values_meta *meta = &column->meta;
	bool little = meta->format->little;

	if (meta->docs.offset == DOCS_NONE && !meta->several)
		return 0;
	if (docs_walk_init(&column->docs, meta, column->data, end, err) < 0)
		return -(int)err->kind;
	if (has_numbers(column) &&
	    packed_values_init(&column->numbers, &meta->values, little, column->data, end, err) < 0)
		return -(int)err->kind;
	if (meta->several && monotonic_values_init(&column->addresses, &meta->addresses, little,
						   column->data, end, err) < 0)
		return -(int)err->kind;
	if (has_bytes(column))
		return bytes_values_init(&column->bytes, &meta->bytes, little, column->data, end,
					 err);
	return 0;
}

/* The checksum once for all columns of the file, the header each time. */
static int check_file(struct column *column, struct proven_files *proven, uint64_t end,
		      struct err *err)
{
	char bytes[HEADER_MOST];
	size_t len = (size_t)MIN(end, sizeof(bytes));

	if (proven_files_has(proven, column->files.data)) {
		if (bytes_source_read(column->data, 0, bytes, len, err) < 0)
			return -(int)err->kind;
		return doc_values_files_check(&column->files, &column->meta, str_of(bytes, len),
					      err);
	}
	if (doc_values_files_prove(&column->files, &column->meta, column->data, 0, 0, NULL, err) <
	    0)
		return -(int)err->kind;
	proven_files_add(proven, column->files.data);
	return 0;
}

static int open_content(struct column *column, struct proven_files *proven, struct err *err)
{
	uint64_t end;

	if (doc_values_files_end(column->data, &column->meta, &end, err) < 0 ||
	    check_file(column, proven, end, err) < 0)
		return -(int)err->kind;
	return open_parts(column, end, err);
}

static int open_column(struct column *column, const struct segment_reader *segment,
		       const struct field_info *field, struct err *err)
{
	struct doc_values_files *files = &column->files;

	if (doc_values_files_find(&segment->files, field, &column->mem, files, err) < 0 ||
	    doc_values_files_meta(files, &column->mem, &column->meta, err) < 0)
		return -(int)err->kind;
	column->docs.meta = &column->meta;
	if (!column->meta.found)
		return 0;
	if (lucene_directory_open(files->dir, files->data, &column->data, err) < 0)
		return -(int)err->kind;
	if (open_content(column, segment->proven, err) < 0)
		return lucene_file_wrap(files->dir, files->data, err);
	return 0;
}

static struct column *column_new(enum doc_values_type type)
{
	struct column *column = mem_zalloc(sizeof(*column));

	column->mem = ARENA_INIT(LIMIT_SEGMENT_ARENA);
	column->text = BUF_INIT(LIMIT_COLUMN_BLOCK);
	column->type = type;
	return column;
}

int column_open(const struct segment_reader *segment, struct str field, struct column **out,
		struct err *err)
{
	const struct field_info *info = field_infos_find(&segment->field_infos, field);
	struct column *column;

	*out = NULL;
	if (!info || info->doc_values == DOC_VALUES_NONE)
		return 0;
	column = column_new(info->doc_values);
	if (open_column(column, segment, info, err) < 0) {
		column_close(column);
		return -(int)err->kind;
	}
	*out = column;
	return 0;
}

int column_over(const struct doc_values_files *files, const struct doc_values_meta *meta,
		enum doc_values_type type, struct bytes_source *data, struct column **out,
		struct err *err)
{
	struct column *column = column_new(type);

	column->files = *files;
	column->meta = *meta;
	column->docs.meta = &column->meta;
	column->data = data;
	if (open_parts(column, data->size, err) < 0) {
		column_close(column);
		return -(int)err->kind;
	}
	*out = column;
	return 0;
}

static int make_room(struct column *column, int64_t count, struct err *err)
{
	if (count > VALUES_MOST)
		return err_set(err, ERR_LIMIT,
			       "has %lld values of a field in one document, and the most that are "
			       "read is %lld",
			       (long long)count, (long long)VALUES_MOST);
	if ((size_t)count <= column->capacity)
		return 0;
	free(column->at_hand);
	free(column->strings);
	column->capacity = MAX((size_t)count, column->capacity * 2);
	column->at_hand = mem_alloc(column->capacity * sizeof(*column->at_hand));
	column->strings = mem_alloc(column->capacity * sizeof(*column->strings));
	return 0;
}

/* Numbers or ordinals [from, to) of the field. */
static int read_numbers(struct column *column, int64_t from, int64_t to, struct err *err)
{
	if (from < 0 || to < from || to > column->meta.values.count)
		return err_set(err, ERR_FORMAT,
			       "has %lld numbers of a field, and a document is said to have those "
			       "from %lld to %lld",
			       (long long)column->meta.values.count, (long long)from,
			       (long long)to);
	if (make_room(column, to - from, err) < 0)
		return -(int)err->kind;
	for (int64_t i = from; i < to; i++)
		if (packed_values_get(&column->numbers, i, &column->at_hand[i - from], err) < 0)
			return -(int)err->kind;
	return 0;
}

static int read_several(struct column *column, int64_t index, size_t *count, struct err *err)
{
	int64_t from, to;

	if (monotonic_values_get(&column->addresses, (uint64_t)index, &from, err) < 0 ||
	    monotonic_values_get(&column->addresses, (uint64_t)index + 1, &to, err) < 0 ||
	    read_numbers(column, from, to, err) < 0)
		return -(int)err->kind;
	*count = (size_t)(to - from);
	return 0;
}

static int read_set(struct column *column, int64_t index, size_t *count, struct err *err)
{
	const struct set_table *sets = &column->meta.sets;
	int64_t set;

	if (packed_values_get(&column->numbers, index, &set, err) < 0)
		return -(int)err->kind;
	if (set < 0 || set >= sets->count)
		return err_set(err, ERR_FORMAT, "has set %lld of a table of %d", (long long)set,
			       sets->count);
	*count = (size_t)(sets->starts[set + 1] - sets->starts[set]);
	if (make_room(column, (int64_t)*count, err) < 0)
		return -(int)err->kind;
	if (*count)
		memcpy(column->at_hand, sets->values + sets->starts[set],
		       *count * sizeof(*column->at_hand));
	return 0;
}

/* The numbers of the document that has the values of that index. */
static int read_at_hand(struct column *column, int64_t index, size_t *count, struct err *err)
{
	if (column->meta.sets.count > 0)
		return read_set(column, index, count, err);
	if (column->meta.several)
		return read_several(column, index, count, err);
	*count = 1;
	if (read_numbers(column, index, index + 1, err) < 0)
		return -(int)err->kind;
	/* Before Lucene 7 a document without a value has this one. */
	if (has_bytes(column) && column->at_hand[0] == NO_ORDINAL)
		*count = 0;
	return 0;
}

static int check_order(const struct column *column, size_t count, struct err *err)
{
	bool set = column->type == DOC_VALUES_SORTED_SET;

	for (size_t i = 1; i < count; i++)
		if (column->at_hand[i] < column->at_hand[i - 1] ||
		    (set && column->at_hand[i] == column->at_hand[i - 1]))
			return err_set(err, ERR_FORMAT,
				       "has %lld behind %lld among the values of one document",
				       (long long)column->at_hand[i],
				       (long long)column->at_hand[i - 1]);
	return 0;
}

/* The terms of the ordinals at hand. Several are copied: their blocks are not there at once. */
static int look_up(struct column *column, size_t count, struct err *err)
{
	const char *at;

	buf_reset(&column->text);
	for (size_t i = 0; i < count; i++) {
		struct str *term = &column->strings[i];

		if (bytes_values_get(&column->bytes, column->at_hand[i], term, err) < 0)
			return -(int)err->kind;
		if (count > 1)
			buf_append(&column->text, term->len ? term->ptr : "", term->len);
	}
	if (count < 2)
		return 0;
	if (buf_check(&column->text, "the terms of one document", err) < 0)
		return -(int)err->kind;
	at = column->text.ptr ? column->text.ptr : "";
	for (size_t i = 0; i < count; at += column->strings[i++].len)
		column->strings[i].ptr = at;
	return 0;
}

static int get_bytes(struct column *column, int64_t index, struct column_values *out,
		     struct err *err)
{
	if (make_room(column, 1, err) < 0 ||
	    bytes_values_get(&column->bytes, index, &column->strings[0], err) < 0)
		return -(int)err->kind;
	*out = (struct column_values){.count = 1, .bytes = column->strings};
	return 0;
}

static int get_values(struct column *column, int64_t index, struct column_values *out,
		      struct err *err)
{
	size_t count = 0;

	if (column->type == DOC_VALUES_BINARY)
		return get_bytes(column, index, out, err);
	if (read_at_hand(column, index, &count, err) < 0 || check_order(column, count, err) < 0)
		return -(int)err->kind;
	if (has_bytes(column) && look_up(column, count, err) < 0)
		return -(int)err->kind;
	if (count > 0)
		*out = (struct column_values){
			.count = count,
			.numbers = has_bytes(column) ? NULL : column->at_hand,
			.bytes = has_bytes(column) ? column->strings : NULL,
		};
	return 0;
}

int column_get(struct column *column, int32_t doc, struct column_values *out, struct err *err)
{
	int64_t index;
	int found;

	*out = (struct column_values){0};
	if (doc < 0 || doc >= column->files.max_doc)
		return 0;
	found = docs_walk_find(&column->docs, doc, &index, err);
	if (found > 0 && get_values(column, index, out, err) < 0)
		found = -1;
	return found < 0 ? lucene_file_wrap(column->files.dir, column->files.data, err) : 0;
}

enum doc_values_type column_type(const struct column *column)
{
	return column->type;
}

size_t column_memory(const struct column *column)
{
	return sizeof(*column) + column->mem.used + docs_walk_memory(&column->docs) +
	       (column->numbers.window.bytes ? RANGE_WINDOW_SIZE : 0) +
	       monotonic_values_memory(&column->addresses) + bytes_values_memory(&column->bytes) +
	       column->capacity * (sizeof(*column->at_hand) + sizeof(*column->strings)) +
	       column->text.capacity;
}

void column_close(struct column *column)
{
	if (!column)
		return;
	docs_walk_release(&column->docs);
	packed_values_release(&column->numbers);
	monotonic_values_release(&column->addresses);
	bytes_values_release(&column->bytes);
	bytes_source_close(column->data);
	buf_release(&column->text);
	free(column->at_hand);
	free(column->strings);
	arena_release(&column->mem);
	free(column);
}
