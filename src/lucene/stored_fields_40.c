/* Stored fields of Lucene 4.0: "Lucene40StoredFieldsData", nothing compressed.
 *
 *   .fdx: header "Lucene40StoredFieldsIndex" | for each document: i64 where it starts in the .fdt
 *   .fdt: header | documents, back to back
 *
 *   document: vInt stored fields, each: vInt field number | u8 bits, then by the bits
 *             0x38 clear:        vInt length, bytes (0x02 set) or string
 *             0x08 int, 0x18 float: i32        0x10 long, 0x20 double: i64
 *
 * Neither file has a checksum. A pass holds the starts against one another and against the length
 * of the .fdt: documents follow one another without a gap, to its end.
 *
 * Source: Lucene 4.0.0 codecs/lucene40/Lucene40StoredFieldsReader and -Writer. */
#include "lucene/stored_fields_internal.h"

#include <stdlib.h>

#define BIT_BINARY 0x02u
#define BITS_NUMERIC 0x38u
/* Documents whose starts are read at a time. */
#define INDEX_DOCS 4096u
/* A chunk ends with the document that makes it this long. */
#define CHUNK_BYTES KIB(256)

struct stored_index_40 {
	struct bytes_source *source; /* the .fdx */
	uint64_t first;              /* where the starts begin in it */
	int32_t base;                /* document of starts[0] */
	uint32_t count;              /* documents; starts has one more */
	uint64_t starts[INDEX_DOCS + 1];
};

void stored_index_close_40(struct stored_index_40 *index)
{
	if (index)
		bytes_source_close(index->source);
	free(index);
}

static int check_index(struct stored_index_40 *index, int32_t max_doc, struct err *err)
{
	uint8_t bytes[64];
	size_t length = (size_t)MIN(index->source->size, sizeof(bytes));
	struct rd rd = rd_over(str_of(bytes, length));
	struct codec_header header;

	if (bytes_source_read(index->source, 0, bytes, length, err) < 0 ||
	    codec_header_read(&rd, &header, err) < 0)
		return -(int)err->kind;
	if (!str_is(header.codec, "Lucene40StoredFieldsIndex") || header.version != 0)
		return codec_header_unsupported(&header, err);
	index->first = rd.pos;
	if (index->source->size != index->first + (uint64_t)max_doc * 8)
		return err_set(err, ERR_FORMAT, "has %llu bytes, where %d documents make %llu",
			       (unsigned long long)index->source->size, max_doc,
			       (unsigned long long)(index->first + (uint64_t)max_doc * 8));
	return 0;
}

static int open_index(struct stored_fields *fields, struct lucene_directory *dir,
		      struct str segment, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(KIB(64));
	struct str name = arena_printf(&mem, STR_FMT ".fdx", STR_ARG(segment));
	struct stored_index_40 *index;

	if (!name.ptr)
		return arena_fail(&mem, "a file name", err);
	index = fields->index_40 = mem_zalloc(sizeof(*index));
	if (lucene_directory_open(dir, name, &index->source, err) < 0)
		return -(int)err->kind;
	if (check_index(index, fields->max_doc, err) < 0)
		return err_wrap(err, "'%s'", index->source->name);
	return 0;
}

/* Reads the starts of the next documents. The last one's end is the next one's start, or the end of
 * the .fdt. */
static int load_starts(struct stored_fields *fields, struct err *err)
{
	struct stored_index_40 *index = fields->index_40;
	uint32_t left = (uint32_t)(fields->max_doc - fields->next_doc);
	uint32_t read = MIN(left, INDEX_DOCS + 1);
	uint64_t previous = stored_window_position(&fields->window);

	if (bytes_source_read(index->source, index->first + (uint64_t)fields->next_doc * 8,
			      index->starts, (size_t)read * 8, err) < 0)
		return -(int)err->kind;
	for (uint32_t i = 0; i < read; i++) {
		index->starts[i] = __builtin_bswap64(index->starts[i]);
		if (index->starts[i] < previous || index->starts[i] > fields->window.file_end ||
		    (i == 0 && index->starts[i] != previous))
			return err_set(err, ERR_FORMAT,
				       "it starts at byte %llu by the index, after one at %llu",
				       (unsigned long long)index->starts[i],
				       (unsigned long long)previous);
		previous = index->starts[i];
	}
	index->base = fields->next_doc;
	index->count = MIN(left, INDEX_DOCS);
	if (left <= INDEX_DOCS)
		index->starts[left] = fields->window.file_end;
	return 0;
}

/* Starts of documents relative to the chunk's, until it is long enough. */
static uint32_t fill_chunk(struct stored_fields *fields)
{
	const struct stored_index_40 *index = fields->index_40;
	uint32_t at = (uint32_t)(fields->next_doc - index->base), count = 0;
	uint64_t start = index->starts[at];

	fields->starts[0] = 0;
	while (at + count < index->count && fields->starts[count] < CHUNK_BYTES) {
		uint64_t end = index->starts[at + count + 1] - start;

		if (end > LIMIT_STORED_CHUNK)
			break;
		fields->starts[++count] = (uint32_t)end;
	}
	return count;
}

/* Documents tell themselves how many fields they have: see stored_field_cursor_at. */
static int read_chunk(struct stored_fields *fields, const struct live_docs *live,
		      struct stored_chunk *out, struct err *err)
{
	struct stored_window *w = &fields->window;
	const struct stored_index_40 *index = fields->index_40;
	const uint8_t *bytes = NULL;
	uint32_t count;

	stored_reserve_docs(fields, INDEX_DOCS);
	if (fields->next_doc >= index->base + (int32_t)index->count && load_starts(fields, err) < 0)
		return -(int)err->kind;
	count = fill_chunk(fields);
	if (count == 0)
		return err_set(err, ERR_LIMIT, "the document has more than the limit of %zu bytes",
			       LIMIT_STORED_CHUNK);
	if (stored_chunk_wanted(fields, live, fields->next_doc, count)) {
		if (stored_window_need(w, fields->starts[count], err) < 0)
			return -(int)err->kind;
		/* These bytes stay where they are until the window moves on, in the next call. */
		bytes = stored_window_at(w);
	}
	if (stored_window_skip(w, fields->starts[count], err) < 0)
		return -(int)err->kind;
	*out = (struct stored_chunk){.first_doc = fields->next_doc,
				     .doc_count = (int32_t)count,
				     .bytes = bytes,
				     .starts = fields->starts,
				     .field_counts = fields->starts + 1 + fields->starts_room};
	fields->next_doc += (int32_t)count;
	return 1;
}

/* The type that the bits of a field mean; -1: none. */
static int type_of(uint8_t bits)
{
	static const int8_t types[] = {STORED_STRING, STORED_INT, STORED_LONG, STORED_FLOAT,
				       STORED_DOUBLE, -1,         -1,          -1};

	if (bits & ~(BITS_NUMERIC | BIT_BINARY))
		return -1;
	if (bits == BIT_BINARY)
		return STORED_BYTES;
	return types[(bits & BITS_NUMERIC) >> 3];
}

static int next_field(struct stored_field_cursor *cursor, struct stored_field *out, struct err *err)
{
	struct rd *rd = &cursor->rd;
	int32_t number = (int32_t)rd_vint(rd);
	uint8_t bits = rd_u8(rd);
	int type = type_of(bits);

	if (type < 0)
		return err_set(err, ERR_FORMAT, "a stored field of the unknown type %02x", bits);
	*out = (struct stored_field){.number = number, .type = (enum stored_type)type};
	stored_field_read_plain(rd, out);
	if (UNLIKELY(rd->failed))
		return rd_check(rd, "a stored field", err);
	return 1;
}

const struct stored_format stored_format_40 = {
	.codec = "Lucene40StoredFieldsData",
	.max_version = 0,
	.index_version = 1,
	.meta_version = 0,
	.statistics_version = 1,
	.plain_header = true,
	.counts_inline = true,
	.open_index = open_index,
	.read_chunk = read_chunk,
	.next_field = next_field,
};
