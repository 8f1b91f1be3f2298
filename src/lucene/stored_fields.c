/* The pass over a .fdt, the same for all generations:
 *
 *   index header | 50 and 87 before version 3: chunk size | chunks
 *   | version 1 and 2: vLong chunks, vLong dirty chunks | footer
 *
 *   chunk:  vInt first document
 *           vInt documents << 2 | dirty << 1 | sliced     (before 8.9: documents << 1 | sliced)
 *           one document: vInt stored fields, vInt length
 *           else:         the stored fields of each, the length of each (array: see generations)
 *           compressed unit, or, sliced, one per chunk size of content
 *
 * Source: Lucene 8.6.3 and 8.11.3 CompressingStoredFieldsReader, Lucene 9.12.1
 * Lucene90CompressingStoredFieldsReader. */
#include "base/limits.h"
#include "base/lz4_block.h"
#include "lucene/stored_fields_internal.h"
#include "store/read_ahead.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <zstd.h>

/* Writers flush a chunk after at most 4096 documents. */
#define CHUNK_DOCS_MAX 65536
/* A chunk larger than this is rare; the next one gives its memory back. */
#define CHUNK_KEEP MIB(4)
#define HEADER_MAX 512u

static const struct stored_format *const formats[] = {
	&stored_format_40,
	&stored_format_41,
	&stored_format_50_fast,
	&stored_format_50_high,
	&stored_format_87_fast,
	&stored_format_87_high,
	&stored_format_90_fast,
	&stored_format_90_high,
	&stored_format_zstd814,
	&stored_format_zstd_opensearch,
	&stored_format_zstd_no_dict_opensearch,
	&stored_format_lz4_opensearch,
};

static int refuse_codec(struct str codec, struct err *err)
{
	if (str_starts(codec, STR("QatStoredFields")) ||
	    str_starts(codec, STR("CustomStoredFieldsQat")))
		return err_set(err, ERR_UNSUPPORTED,
			       "stored fields of OpenSearch's codec '" STR_FMT "' (index.codec "
			       "qat_*) are not readable; reindex into an index with index.codec "
			       "'default' or 'zstd' and take a snapshot of that one",
			       STR_ARG(codec));
	return err_set(err, ERR_UNSUPPORTED,
		       "stored fields of the codec '" STR_FMT
		       "' are not readable; " CODEC_NEXT_STEP,
		       STR_ARG(codec));
}

static int choose_format(struct stored_fields *fields, const struct codec_header *header,
			 struct err *err)
{
	for (size_t i = 0; i < COUNT_OF(formats); i++) {
		const struct stored_format *format = formats[i];

		if (!str_is(header->codec, format->codec))
			continue;
		if (header->version < format->min_version || header->version > format->max_version)
			return err_set(err, ERR_UNSUPPORTED,
				       "%s of version %d is not readable, only versions %d to "
				       "%d; " CODEC_NEXT_STEP,
				       format->codec, header->version, format->min_version,
				       format->max_version);
		fields->format = format;
		fields->codec = str_from(format->codec);
		fields->version = header->version;
		return 0;
	}
	return refuse_codec(header->codec, err);
}

static int read_full_header(const struct stored_fields *fields, struct rd *rd, const uint8_t *id,
			    struct err *err)
{
	struct codec_header header;

	if (fields->format->plain_header)
		return codec_plain_header_expect(rd, id, &header, err);
	if (codec_index_header_read(rd, &header, err) < 0)
		return -(int)err->kind;
	if (id && memcmp(id, header.id, CODEC_ID_LENGTH) != 0)
		return err_set(err, ERR_FORMAT, "it belongs to another segment");
	return 0;
}

static int read_header(struct stored_fields *fields, const uint8_t *id, struct err *err)
{
	struct stored_window *w = &fields->window;
	struct codec_header header;
	struct rd rd;

	/* A pass over a part goes elsewhere from here. */
	w->soft_end = fields->ahead ? HEADER_MAX : UINT64_MAX;
	if (stored_window_want(w, HEADER_MAX, err) < 0)
		return -(int)err->kind;
	w->soft_end = UINT64_MAX;
	rd = rd_over(stored_window_str(w));
	/* Its codec tells where the content ends, and all of the header is to lie before that. */
	if (codec_header_read(&rd, &header, err) < 0 ||
	    stored_window_end(w, codec_header_has_footer(&header), err) < 0)
		return -(int)err->kind;
	rd = rd_over(stored_window_str(w));
	if (codec_header_read(&rd, &header, err) < 0 || choose_format(fields, &header, err) < 0)
		return -(int)err->kind;
	rd = rd_over(stored_window_str(w));
	if (read_full_header(fields, &rd, id, err) < 0)
		return -(int)err->kind;
	if (fields->version < fields->format->meta_version &&
	    stored_read_chunk_size(fields, &rd, err) < 0)
		return -(int)err->kind;
	w->pos += rd.pos;
	return 0;
}

static int open_parts(struct stored_fields *fields, struct lucene_directory *dir,
		      struct str segment, const uint8_t *id, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(KIB(64));
	struct str name = arena_printf(&mem, STR_FMT ".fdt", STR_ARG(segment));

	if (!name.ptr)
		return arena_fail(&mem, "a file name", err);
	if (lucene_directory_open(dir, name, &fields->source, err) < 0)
		return -(int)err->kind;
	fields->ahead = bytes_source_is_remote(fields->source);
	if (fields->ahead)
		fields->source = read_ahead_new(fields->source);
	stored_window_init(&fields->window, fields->source, fields->ahead);
	if (read_header(fields, id, err) < 0)
		return err_wrap(err, "'%s'", fields->source->name);
	if (fields->format->open_index)
		return fields->format->open_index(fields, dir, segment, err);
	if (fields->version >= fields->format->index_version)
		return stored_read_meta(fields, dir, segment, id, err);
	return 0;
}

int stored_fields_open(struct lucene_directory *dir, struct str segment, const uint8_t *id,
		       int32_t max_doc, struct stored_fields **out, struct err *err)
{
	struct stored_fields *fields = mem_zalloc(sizeof(*fields));

	fields->max_doc = fields->end_wanted = max_doc;
	fields->chunk_count = fields->chunks_end = UINT64_MAX;
	if (open_parts(fields, dir, segment, id, err) < 0) {
		stored_fields_close(fields);
		return -(int)err->kind;
	}
	*out = fields;
	return 0;
}

void stored_fields_close(struct stored_fields *fields)
{
	if (!fields)
		return;
	stored_window_release(&fields->window);
	stored_index_close_40(fields->index_40);
	bytes_source_close(fields->source);
	if (fields->inflate)
		libdeflate_free_decompressor(fields->inflate);
	ZSTD_freeDCtx(fields->zstd);
	free(fields->bytes);
	free(fields->starts);
	free(fields->scratch);
	free(fields);
}

struct str stored_fields_format(const struct stored_fields *fields)
{
	return fields->codec;
}

uint64_t stored_fields_size(const struct stored_fields *fields)
{
	return fields->source->size;
}

uint64_t stored_fields_position(const struct stored_fields *fields)
{
	return stored_window_position(&fields->window);
}

int stored_check_compressed_length(uint32_t compressed, size_t length, struct err *err)
{
	if (compressed > 2 * (uint64_t)length + KIB(1))
		return err_set(err, ERR_FORMAT, "%u compressed bytes for %zu", compressed, length);
	return 0;
}

int stored_read_compressed_length(struct stored_fields *fields, size_t length, uint32_t *out,
				  struct err *err)
{
	if (stored_window_vint(&fields->window, out, err) < 0)
		return -(int)err->kind;
	return stored_check_compressed_length(*out, length, err);
}

uint8_t *stored_scratch(struct stored_fields *fields, size_t size)
{
	if (size > fields->scratch_capacity) {
		free(fields->scratch);
		fields->scratch = mem_alloc(size);
		fields->scratch_capacity = size;
	}
	return fields->scratch;
}

static void reserve_chunk(struct stored_fields *fields, size_t length)
{
	if (fields->bytes && length <= fields->capacity &&
	    (fields->capacity <= CHUNK_KEEP || length > CHUNK_KEEP))
		return;
	free(fields->bytes);
	fields->capacity = MAX(length, KIB(64));
	fields->bytes = mem_alloc(fields->capacity + LZ4_BLOCK_SLACK);
}

void stored_reserve_docs(struct stored_fields *fields, uint32_t count)
{
	if (count <= fields->starts_room)
		return;
	free(fields->starts);
	fields->starts_room = MAX(count, 4096u);
	fields->starts = mem_alloc((2 * (size_t)fields->starts_room + 1) * sizeof(uint32_t));
}

/* Turns the lengths at starts[1...] into ends; refuses what cannot be. */
static int sum_lengths(struct stored_fields *fields, uint32_t count, struct err *err)
{
	uint64_t total = 0, left = stored_window_left(&fields->window);

	fields->starts[0] = 0;
	for (uint32_t i = 1; i <= count; i++) {
		total += fields->starts[i];
		fields->starts[i] = (uint32_t)total;
	}
	if (total > LIMIT_STORED_CHUNK)
		return err_set(err, ERR_LIMIT, "its %llu bytes are more than the limit of %zu",
			       (unsigned long long)total, LIMIT_STORED_CHUNK);
	if (total / fields->format->expansion > left)
		return err_set(err, ERR_FORMAT, "%llu bytes cannot come of the %llu that are left",
			       (unsigned long long)total, (unsigned long long)left);
	return 0;
}

static int read_arrays(struct stored_fields *fields, uint32_t count, struct err *err)
{
	struct stored_window *w = &fields->window;
	uint32_t *lengths, *field_counts;
	struct rd rd;

	stored_reserve_docs(fields, count);
	lengths = fields->starts + 1;
	field_counts = lengths + fields->starts_room;
	/* Two arrays of 32 bits a value, and what comes before them. */
	if (stored_window_want(w, 16 + 8 * (uint64_t)count, err) < 0)
		return -(int)err->kind;
	rd = rd_over(stored_window_str(w));
	if (count == 1) {
		field_counts[0] = rd_vint(&rd);
		lengths[0] = rd_vint(&rd);
	} else {
		fields->format->read_ints(&rd, field_counts, count);
		fields->format->read_ints(&rd, lengths, count);
	}
	if (rd_check(&rd, "the header of the chunk", err) < 0)
		return -(int)err->kind;
	w->pos += rd.pos;
	return sum_lengths(fields, count, err);
}

/* The chunk's documents: first, count, and whether it is sliced. */
static int read_token(struct stored_fields *fields, uint32_t *count, bool *sliced, struct err *err)
{
	const struct stored_format *format = fields->format;
	unsigned flag_bits = fields->version >= format->dirty_version ? 2 : 1;
	uint32_t first, token;

	if (format->slices_unmarked)
		flag_bits = 0;
	if (stored_window_vint(&fields->window, &first, err) < 0 ||
	    stored_window_vint(&fields->window, &token, err) < 0)
		return -(int)err->kind;
	*count = token >> flag_bits;
	*sliced = token & 1;
	if (first != (uint32_t)fields->next_doc)
		return err_set(err, ERR_FORMAT, "it starts with document %u instead of %d", first,
			       fields->next_doc);
	if (*count == 0 || *count > (uint32_t)(fields->max_doc - fields->next_doc) ||
	    *count > CHUNK_DOCS_MAX)
		return err_set(err, ERR_FORMAT, "%u documents from %d on, in a segment of %d",
			       *count, fields->next_doc, fields->max_doc);
	return 0;
}

static int decode_units(struct stored_fields *fields, bool live, bool sliced, size_t length,
			struct err *err)
{
	size_t done = 0, unit;

	do {
		unit = sliced ? MIN(length - done, fields->chunk_size) : length;
		if (fields->format->decode(fields, live ? fields->bytes + done : NULL, unit, err) <
		    0)
			return -(int)err->kind;
		done += unit;
	} while (done < length);
	return 0;
}

static int read_chunk(struct stored_fields *fields, const struct live_docs *live,
		      struct stored_chunk *out, struct err *err)
{
	uint32_t count = 0;
	size_t length;
	bool sliced = false, wanted;

	if (read_token(fields, &count, &sliced, err) < 0 || read_arrays(fields, count, err) < 0)
		return -(int)err->kind;
	length = fields->starts[count];
	if (fields->format->slices_unmarked)
		sliced = fields->chunk_size && length / 2 >= fields->chunk_size;
	wanted = stored_chunk_wanted(fields, live, fields->next_doc, count);
	if (wanted)
		reserve_chunk(fields, length);
	if (decode_units(fields, wanted, sliced, length, err) < 0)
		return -(int)err->kind;
	*out = (struct stored_chunk){.first_doc = fields->next_doc,
				     .doc_count = (int32_t)count,
				     .bytes = wanted ? fields->bytes : NULL,
				     .starts = fields->starts,
				     .field_counts = fields->starts + 1 + fields->starts_room};
	fields->next_doc += (int32_t)count;
	fields->chunks++;
	return 1;
}

/* Versions 1 and 2 say behind the chunks how many there were. */
static int read_statistics(struct stored_fields *fields, struct err *err)
{
	struct stored_window *w = &fields->window;
	struct rd rd;

	if (stored_window_want(w, 20, err) < 0)
		return -(int)err->kind;
	rd = rd_over(stored_window_str(w));
	fields->chunk_count = rd_vlong(&rd);
	rd_vlong(&rd); /* dirty ones */
	w->pos += rd.pos;
	return rd_check(&rd, "the statistics", err);
}

static int finish(struct stored_fields *fields, struct err *err)
{
	const struct stored_format *format = fields->format;
	uint64_t end = stored_window_position(&fields->window);

	if (fields->chunks_end != UINT64_MAX && fields->chunks_end != end)
		return err_set(err, ERR_FORMAT, "the chunks end at byte %llu, and should at %llu",
			       (unsigned long long)end, (unsigned long long)fields->chunks_end);
	if (fields->version >= format->statistics_version &&
	    fields->version < format->meta_version && read_statistics(fields, err) < 0)
		return -(int)err->kind;
	if (!fields->seeked && fields->chunk_count != UINT64_MAX &&
	    fields->chunk_count != fields->chunks)
		return err_set(err, ERR_FORMAT, "there are %llu chunks, and should be %llu",
			       (unsigned long long)fields->chunks,
			       (unsigned long long)fields->chunk_count);
	return stored_window_finish(&fields->window, err);
}

/* What is wrong with the end is told only when the documents before it were given. */
static void look_at_end(struct stored_fields *fields)
{
	fields->end_seen = true;
	if (finish(fields, &fields->end_error) < 0)
		err_wrap(&fields->end_error, "'%s'", fields->source->name);
}

int stored_fields_next_chunk(struct stored_fields *fields, const struct live_docs *live,
			     struct stored_chunk *out, struct err *err)
{
	uint64_t start = stored_window_position(&fields->window);
	int rc;

	if (fields->next_doc == fields->max_doc) {
		if (!fields->end_seen)
			look_at_end(fields);
		if (fields->end_error.kind)
			*err = fields->end_error;
		return -(int)fields->end_error.kind;
	}
	rc = fields->format->read_chunk ? fields->format->read_chunk(fields, live, out, err)
					: read_chunk(fields, live, out, err);
	if (rc < 0)
		return err_wrap(err, "'%s': the chunk at byte %llu (document %d)",
				fields->source->name, (unsigned long long)start, fields->next_doc);
	if (fields->next_doc == fields->max_doc)
		look_at_end(fields);
	return rc;
}
