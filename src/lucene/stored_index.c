#include "lucene/stored_index_internal.h"

#include "base/limits.h"

#include <stdlib.h>

int stored_index_add(struct stored_index_builder *builder, int32_t doc, uint64_t position,
		     struct err *err)
{
	struct stored_index *index = &builder->index;
	bool first = builder->seen == 0;

	if (first ? doc != 0 : doc <= builder->last.doc || position <= builder->last.position)
		return err_set(err, ERR_FORMAT,
			       "chunk %llu starts with document %d at byte %llu, behind one with "
			       "document %d at byte %llu",
			       (unsigned long long)builder->seen, doc, (unsigned long long)position,
			       builder->last.doc, (unsigned long long)builder->last.position);
	if (doc >= builder->max_doc || position >= index->file_length)
		return err_set(err, ERR_FORMAT,
			       "document %d at byte %llu is beyond the segment's %d in %llu bytes",
			       doc, (unsigned long long)position, builder->max_doc,
			       (unsigned long long)index->file_length);
	builder->last = (struct stored_chunk_start){doc, position};
	if (builder->seen++ % builder->every != 0)
		return 0;
	if (index->count == STORED_INDEX_MAX) {
		for (size_t i = 0; i < STORED_INDEX_MAX / 2; i++)
			index->starts[i] = index->starts[2 * i];
		index->count = STORED_INDEX_MAX / 2;
		builder->every *= 2;
	} else if (index->count == builder->room) {
		builder->room = MAX(2 * builder->room, (size_t)256);
		index->starts = mem_realloc(index->starts, builder->room * sizeof(*index->starts));
	}
	index->starts[index->count++] = builder->last;
	return 0;
}

int stored_index_finish(struct stored_index_builder *builder, uint64_t end, struct err *err)
{
	if (builder->seen == 0 && builder->max_doc > 0)
		return err_set(err, ERR_FORMAT, "it has no chunks, and the segment %d documents",
			       builder->max_doc);
	if ((builder->seen && end <= builder->last.position) || end > builder->index.file_length)
		return err_set(err, ERR_FORMAT,
			       "the chunks end at byte %llu, the last begins at %llu of %llu",
			       (unsigned long long)end, (unsigned long long)builder->last.position,
			       (unsigned long long)builder->index.file_length);
	builder->index.end = end;
	return 0;
}

/* Positions become known to be within the .fdt by its length alone. */
static int measure(struct lucene_directory *dir, struct str segment, struct arena *mem,
		   uint64_t *length, struct err *err)
{
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	struct str name = arena_printf(mem, STR_FMT ".fdt", STR_ARG(segment));

	if (!name.ptr)
		return arena_fail(mem, "a file name", err);
	if (lucene_directory_open(dir, name, &source, err) < 0)
		return -(int)err->kind;
	*length = source->size;
	return 0;
}

static int check_id(const struct codec_header *header, const uint8_t *id, struct err *err)
{
	if (id && header->id && memcmp(id, header->id, CODEC_ID_LENGTH) != 0)
		return err_set(err, ERR_FORMAT, "it belongs to another segment");
	return 0;
}

/* Lucene 8.5 on: most of it is in the .fdm. */
static int read_monotonic(struct lucene_directory *dir, struct str segment, const uint8_t *id,
			  struct str data, bool little, struct arena *mem,
			  struct stored_index_builder *builder, struct err *err)
{
	struct str name = arena_printf(mem, STR_FMT ".fdm", STR_ARG(segment)), meta;
	struct codec_header header;
	struct rd rd;

	if (!name.ptr)
		return arena_fail(mem, "a file name", err);
	if (lucene_file_read(dir, name, mem, &meta, err) < 0)
		return -(int)err->kind;
	rd = rd_over(meta);
	if (codec_index_header_read(&rd, &header, err) < 0 || check_id(&header, id, err) < 0)
		return lucene_file_wrap(dir, name, err);
	rd = rd_over(data);
	if (codec_index_header_read(&rd, &header, err) < 0 || check_id(&header, id, err) < 0 ||
	    stored_index_decode_90(meta, data, little, builder, err) < 0)
		return err_wrap(err, "'" STR_FMT ".fdx' and .fdm in '%s'", STR_ARG(segment),
				dir->name);
	return 0;
}

static int read_packed(struct str data, const uint8_t *id, struct stored_index_builder *builder,
		       struct err *err)
{
	struct rd rd = rd_over(data);
	struct codec_header header;
	bool is_41;

	if (codec_header_read(&rd, &header, err) < 0)
		return -(int)err->kind;
	is_41 = str_is(header.codec, "Lucene41StoredFieldsIndex");
	rd = rd_over(data);
	if ((is_41 ? codec_plain_header_expect(&rd, id, &header, err)
		   : codec_index_header_read(&rd, &header, err)) < 0 ||
	    check_id(&header, id, err) < 0)
		return -(int)err->kind;
	if (header.version < 0 || header.version > (is_41 ? 2 : 1))
		return codec_header_unsupported(&header, err);
	return stored_index_decode_50(&rd, !is_41 || header.version >= 2, builder, err);
}

static int read_small(struct lucene_directory *dir, struct str segment, const uint8_t *id,
		      struct str name, struct arena *mem, struct stored_index_builder *builder,
		      struct err *err)
{
	struct codec_header header;
	struct str data;
	struct rd rd;
	int rc;

	if (lucene_file_read(dir, name, mem, &data, err) < 0)
		return -(int)err->kind;
	rd = rd_over(data);
	if (codec_header_read(&rd, &header, err) < 0)
		return lucene_file_wrap(dir, name, err);
	if (str_is(header.codec, "Lucene85FieldsIndexIdx") ||
	    str_is(header.codec, "Lucene90FieldsIndexIdx"))
		return read_monotonic(dir, segment, id, data,
				      str_is(header.codec, "Lucene90FieldsIndexIdx"), mem, builder,
				      err);
	if (str_is(header.codec, "Lucene41StoredFieldsIndex") ||
	    str_is(header.codec, "Lucene50StoredFieldsFastIndex") ||
	    str_is(header.codec, "Lucene50StoredFieldsHighIndex"))
		rc = read_packed(data, id, builder, err);
	else
		rc = codec_header_unsupported(&header, err);
	return rc < 0 ? lucene_file_wrap(dir, name, err) : 0;
}

/* The index of Lucene 4.0 has 8 bytes a document, and is not to be held in memory whole. */
static int is_format_40(struct bytes_source *source, bool *yes, struct err *err)
{
	uint8_t bytes[64];
	size_t length = (size_t)MIN(source->size, sizeof(bytes));
	struct rd rd = rd_over(str_of(bytes, length));
	struct codec_header header;

	if (bytes_source_read(source, 0, bytes, length, err) < 0)
		return -(int)err->kind;
	if (codec_header_read(&rd, &header, err) < 0)
		return err_wrap(err, "'%s'", source->name);
	*yes = str_is(header.codec, "Lucene40StoredFieldsIndex");
	return 0;
}

static int read_index(struct lucene_directory *dir, struct str segment, const uint8_t *id,
		      struct arena *mem, struct stored_index_builder *builder, struct err *err)
{
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	struct str name = arena_printf(mem, STR_FMT ".fdx", STR_ARG(segment));
	bool of_40 = false;

	if (!name.ptr)
		return arena_fail(mem, "a file name", err);
	if (lucene_directory_open(dir, name, &source, err) < 0 ||
	    is_format_40(source, &of_40, err) < 0 ||
	    measure(dir, segment, mem, &builder->index.file_length, err) < 0)
		return -(int)err->kind;
	if (!of_40)
		return read_small(dir, segment, id, name, mem, builder, err);
	if (stored_index_read_40(source, builder, err) < 0)
		return lucene_file_wrap(dir, name, err);
	return 0;
}

int stored_index_read(struct lucene_directory *dir, struct str segment, const uint8_t *id,
		      int32_t max_doc, struct stored_index *out, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(2 * LIMIT_LUCENE_META_FILE + KIB(64));
	struct stored_index_builder builder = {.every = 1, .max_doc = max_doc};

	if (read_index(dir, segment, id, &mem, &builder, err) < 0) {
		stored_index_release(&builder.index);
		return -(int)err->kind;
	}
	*out = builder.index;
	return 0;
}

struct stored_chunk_start stored_index_find(const struct stored_index *index, int32_t doc)
{
	size_t low = 0, high = index->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (index->starts[middle].doc <= doc)
			low = middle;
		else
			high = middle;
	}
	return index->count ? index->starts[low] : (struct stored_chunk_start){0};
}

void stored_index_release(struct stored_index *index)
{
	free(index->starts);
	*index = (struct stored_index){0};
}
