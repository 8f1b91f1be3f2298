/* Stored fields of Lucene 4.1 to 4.10: "Lucene41StoredFieldsData".
 *
 *   header | 1+: vInt chunk size | vInt version of packed ints | chunks | 2: footer
 *
 *   chunk:  vInt first document | vInt documents
 *           one document: vInt stored fields, vInt length; else an array of each, as in format 50
 *           one bare LZ4 block; from version 1 (Lucene 4.5) on one per chunk size of content
 *           where that is twice the chunk size or more
 *
 * Before version 2 (Lucene 4.8) nothing proves the bytes: a pass holds the chunks against the
 * number of documents and the length of the file, and no more. Version 0 of the packed ints, of
 * Lucene 4.0 and 4.1, fills an array up to whole words of 64 bits.
 *
 * A document's fields, numbers not compressed:
 *
 *   vLong field number << 3 | type | string, bytes: vInt length, bytes; int, float: i32;
 *   long, double: i64
 *
 * Source: Lucene 4.10.4 codecs/compressing/CompressingStoredFieldsReader, util/packed/PackedInts.
 */
#include "lucene/stored_fields_internal.h"

static int next_field(struct stored_field_cursor *cursor, struct stored_field *out, struct err *err)
{
	struct rd *rd = &cursor->rd;
	uint64_t head = rd_vlong(rd);

	*out = (struct stored_field){.number = (int32_t)(head >> 3),
				     .type = (enum stored_type)(head & 7)};
	if ((head & 7) > STORED_DOUBLE)
		return err_set(err, ERR_FORMAT, "a stored field of the unknown type %d",
			       (int)(head & 7));
	stored_field_read_plain(rd, out);
	if (UNLIKELY(rd->failed))
		return rd_check(rd, "a stored field", err);
	return 1;
}

const struct stored_format stored_format_41 = {
	.codec = "Lucene41StoredFieldsData",
	.max_version = 2,
	.index_version = 3,
	.meta_version = 3,
	.dirty_version = 3,
	.statistics_version = 3,
	.chunk_size_version = 1,
	.packed_ints = true,
	.plain_header = true,
	.slices_unmarked = true,
	.expansion = 255,
	.read_ints = stored_read_packed_ints,
	.decode = stored_decode_lz4,
	.next_field = next_field,
};
