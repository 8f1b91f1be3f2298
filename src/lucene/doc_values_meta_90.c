/* Doc values metadata of Lucene 9 and 10: little-endian. What follows the type byte:
 *
 *   skip index       i64 offset, length, max, min | i32 documents, last | 2: i32 most values
 *                    (of fields that have one, before all else)
 *   DOCS, VALUES     as Lucene80
 *   TERMS            vLong size | i32 shift | block addresses | …, always LZ4 in blocks of 2^6
 *
 *   numeric          DOCS VALUES
 *   binary           i64 offset, length | DOCS | i32 documents, min, max length
 *                    min < max: ADDRESSES
 *   sorted           DOCS VALUES | TERMS
 *   sorted set       u8 0: as sorted; u8 1: as sorted numeric | TERMS
 *   sorted numeric   DOCS VALUES | i32 documents | documents != values: ADDRESSES
 *
 * Version 1 moved the skip index into a file of its own (.dvs); the entries stayed the same.
 *
 * Source: Lucene 10.5.0 codecs/lucene90/Lucene90DocValuesProducer. */
#include "lucene/doc_values_meta.h"

#define VERSION_SKIPPER_MOST_VALUES 2
#define TERMS_BLOCK_SHIFT 6

static void skip_skipper(struct rd *rd, int32_t version, const struct field_info *field)
{
	if (field->doc_values_skip != 0)
		rd_skip(rd, version >= VERSION_SKIPPER_MOST_VALUES ? 44 : 40);
}

static void read_terms(struct rd *rd, struct arena *mem, struct bytes_meta *out)
{
	out->layout = TERMS_LZ4;
	out->count = rd_term_count(rd);
	out->block_shift = TERMS_BLOCK_SHIFT;
	rd_terms(rd, mem, out);
}

static void read_sorted(struct rd *rd, struct arena *mem, struct doc_values_meta *out)
{
	out->docs = rd_docs_with_field(rd, true);
	rd_numeric_values(rd, true, &out->values);
	read_terms(rd, mem, &out->bytes);
}

static void read_sorted_set(struct rd *rd, struct arena *mem, struct doc_values_meta *out)
{
	uint8_t several = rd_u8(rd);

	if (several > 1)
		rd->failed = true;
	if (several == 0) {
		read_sorted(rd, mem, out);
		return;
	}
	rd_sorted_numeric(rd, mem, true, out);
	read_terms(rd, mem, &out->bytes);
}

static void read_entry(struct rd *rd, struct arena *mem, const struct field_info *field,
		       uint8_t type, struct doc_values_meta *out)
{
	skip_skipper(rd, out->version, field);
	switch (type) {
	case ENTRY_NUMERIC:
		out->docs = rd_docs_with_field(rd, true);
		rd_numeric_values(rd, true, &out->values);
		break;
	case ENTRY_BINARY:
		rd_binary_head(rd, true, out);
		rd_binary_addresses(rd, mem, &out->bytes);
		break;
	case ENTRY_SORTED:
		read_sorted(rd, mem, out);
		break;
	case ENTRY_SORTED_SET:
		read_sorted_set(rd, mem, out);
		break;
	case ENTRY_SORTED_NUMERIC:
		rd_sorted_numeric(rd, mem, true, out);
		break;
	default:
		rd->failed = true;
	}
}

const struct doc_values_format doc_values_format_90 = {
	.meta_codec = "Lucene90DocValuesMetadata",
	.data_codec = "Lucene90DocValuesData",
	.newest_version = 2,
	.little = true,
	.jump_tables = true,
	.read_entry = read_entry,
};
