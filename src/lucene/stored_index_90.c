/* Index of Lucene 8.5 on: "Lucene85FieldsIndexIdx", and with integers little-endian
 * "Lucene90FieldsIndexIdx". Entry i is chunk i; the last is maxDoc and the end of the chunks.
 *
 *   .fdx:  header | differences of the first documents | differences of the starts | footer
 *   .fdm:  header | 90, 85 from version 3 on: vInt chunk size | 85 so: vInt packed ints version
 *          i32 maxDoc | i32 block shift | i32 entries
 *          i64 begin of the documents in the .fdx | DirectMonotonic meta
 *          i64 begin of the starts in the .fdx    | DirectMonotonic meta
 *          i64 end in the .fdx | i64 end of the chunks in the .fdt | statistics
 *
 * Source: Lucene 8.6.3, 8.11.3 and 9.12.1 FieldsIndexReader, FieldsIndexWriter. */
#include "lucene/stored_index_internal.h"

#define META_VERSION_85 3 /* from which the .fdm of format 85 begins with the chunk size */

int stored_index_meta_read(struct rd *rd, int32_t max_doc, struct stored_index_meta *out,
			   struct err *err)
{
	int32_t docs = rd_i32(rd), shift = rd_i32(rd), entries = rd_i32(rd);

	if (rd->failed)
		return rd_check(rd, "the index", err);
	if (docs != max_doc)
		return err_set(err, ERR_FORMAT, "it is of %d documents, the segment of %d", docs,
			       max_doc);
	if (shift < 1 || shift > 30 || entries < 1)
		return err_set(err, ERR_FORMAT, "an index of %d entries in blocks of 2^%d", entries,
			       shift);
	out->entries = (uint64_t)entries;
	out->docs_begin = (uint64_t)rd_i64(rd);
	out->docs = rd_direct_monotonic(rd, out->entries, (unsigned)shift);
	out->positions_begin = (uint64_t)rd_i64(rd);
	out->positions = rd_direct_monotonic(rd, out->entries, (unsigned)shift);
	out->positions_end = (uint64_t)rd_i64(rd);
	out->chunks_end = (uint64_t)rd_i64(rd);
	return rd_check(rd, "the index", err);
}

static int read_meta(struct str body, bool little, int32_t max_doc, struct stored_index_meta *out,
		     struct err *err)
{
	struct rd rd = rd_over(body);
	struct codec_header header;

	if (codec_index_header_read(&rd, &header, err) < 0)
		return -(int)err->kind;
	if (!str_is(header.codec, little ? "Lucene90FieldsIndexMeta" : "Lucene85FieldsIndexMeta"))
		return codec_header_unsupported(&header, err);
	rd.little = little;
	if (little || header.version >= META_VERSION_85)
		rd_vint(&rd); /* chunk size */
	if (!little && header.version >= META_VERSION_85)
		rd_vint(&rd); /* packed ints version */
	return stored_index_meta_read(&rd, max_doc, out, err);
}

static int add_all(const struct stored_index_meta *meta, struct stored_index_builder *builder,
		   struct err *err)
{
	int64_t doc, position;

	for (uint64_t i = 0; i < meta->entries; i++) {
		if (!direct_monotonic_get(&meta->docs, i, &doc) ||
		    !direct_monotonic_get(&meta->positions, i, &position) || doc < 0 ||
		    doc > INT32_MAX || position < 0)
			return err_set(err, ERR_FORMAT, "entry %llu of the index is damaged",
				       (unsigned long long)i);
		if (i + 1 < meta->entries &&
		    stored_index_add(builder, (int32_t)doc, (uint64_t)position, err) < 0)
			return -(int)err->kind;
	}
	if (doc != builder->max_doc || (uint64_t)position != meta->chunks_end)
		return err_set(err, ERR_FORMAT,
			       "the index ends with document %lld at byte %lld, and should with %d "
			       "at %llu",
			       (long long)doc, (long long)position, builder->max_doc,
			       (unsigned long long)meta->chunks_end);
	return stored_index_finish(builder, meta->chunks_end, err);
}

int stored_index_decode_90(struct str meta, struct str data, bool little,
			   struct stored_index_builder *builder, struct err *err)
{
	struct stored_index_meta read;

	if (read_meta(meta, little, builder->max_doc, &read, err) < 0)
		return -(int)err->kind;
	if (read.docs_begin > read.positions_begin || read.positions_begin > read.positions_end ||
	    read.positions_end > data.len)
		return err_set(err, ERR_FORMAT,
			       "the index lies at bytes %llu, %llu to %llu of a .fdx of %zu",
			       (unsigned long long)read.docs_begin,
			       (unsigned long long)read.positions_begin,
			       (unsigned long long)read.positions_end, data.len);
	read.docs.data = str_of(data.ptr + read.docs_begin, read.positions_begin - read.docs_begin);
	read.positions.data =
		str_of(data.ptr + read.positions_begin, read.positions_end - read.positions_begin);
	return add_all(&read, builder, err);
}
