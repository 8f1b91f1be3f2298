/* Index of Lucene 4.0: header "Lucene40StoredFieldsIndex" | for each document: BE64 where it starts
 * in the .fdt. Neither that nor the .fdt has a checksum.
 *
 * Documents may be of no bytes; of those at one place, the first counts as a start.
 *
 * Source: Lucene 4.0.0 codecs/lucene40/Lucene40StoredFieldsReader. */
#include "lucene/stored_index_internal.h"

#define READ_DOCS 8192u

static int read_header(struct bytes_source *source, int32_t max_doc, uint64_t *first,
		       struct err *err)
{
	uint8_t bytes[64];
	size_t length = (size_t)MIN(source->size, sizeof(bytes));
	struct rd rd = rd_over(str_of(bytes, length));
	struct codec_header header;

	if (bytes_source_read(source, 0, bytes, length, err) < 0 ||
	    codec_header_read(&rd, &header, err) < 0)
		return -(int)err->kind;
	if (header.version != 0)
		return codec_header_unsupported(&header, err);
	*first = rd.pos;
	if (source->size != rd.pos + (uint64_t)max_doc * 8)
		return err_set(err, ERR_FORMAT, "has %llu bytes, where %d documents make %llu",
			       (unsigned long long)source->size, max_doc,
			       (unsigned long long)(rd.pos + (uint64_t)max_doc * 8));
	return 0;
}

int stored_index_read_40(struct bytes_source *source, struct stored_index_builder *builder,
			 struct err *err)
{
	uint64_t positions[READ_DOCS], at = 0;
	int32_t doc = 0;

	if (read_header(source, builder->max_doc, &at, err) < 0)
		return -(int)err->kind;
	while (doc < builder->max_doc) {
		uint32_t count = MIN((uint32_t)(builder->max_doc - doc), READ_DOCS);

		if (bytes_source_read(source, at, positions, count * sizeof(*positions), err) < 0)
			return -(int)err->kind;
		at += count * sizeof(*positions);
		for (uint32_t i = 0; i < count; i++, doc++) {
			uint64_t position = __builtin_bswap64(positions[i]);

			if (builder->seen && position == builder->last.position)
				continue;
			if (stored_index_add(builder, doc, position, err) < 0)
				return -(int)err->kind;
		}
	}
	return stored_index_finish(builder, builder->index.file_length, err);
}
