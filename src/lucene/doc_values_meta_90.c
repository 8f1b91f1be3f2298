/* Doc values metadata of Lucene 9 and 10: little-endian. What follows the type byte:
 *
 *   fields with a skip index: i64 offset, length, max, min | i32 documents, last | 2: i32 most
 * values DOCS, VALUES     as Lucene80 numeric          DOCS VALUES binary           i64 offset,
 * length | DOCS | i32 documents, min, max length | min < max: ADDRESSES sorted           DOCS
 * VALUES | TERMS sorted set       u8 0: as sorted;  u8 1: as sorted numeric | TERMS sorted numeric
 * DOCS VALUES | i32 documents | documents != values: ADDRESSES TERMS            vLong size | i32
 * shift | block addresses | …, always LZ4 in blocks of 2^6
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

static void skip_terms(struct rd *rd)
{
	rd_skip_terms(rd, rd_term_count(rd), TERMS_BLOCK_SHIFT, true);
}

static void skip_numeric(struct rd *rd)
{
	rd_docs_with_field(rd, true);
	rd_skip_numeric_values(rd, true);
}

static void skip_sorted_set(struct rd *rd)
{
	uint8_t several = rd_u8(rd);

	if (several > 1)
		rd->failed = true;
	if (several == 0)
		skip_numeric(rd);
	else
		rd_skip_sorted_numeric(rd, true);
	skip_terms(rd);
}

static void skip_entry(struct rd *rd, int32_t version, const struct field_info *field, uint8_t type)
{
	skip_skipper(rd, version, field);
	switch (type) {
	case ENTRY_NUMERIC:
		skip_numeric(rd);
		break;
	case ENTRY_BINARY:
		rd_skip_binary(rd, true);
		break;
	case ENTRY_SORTED:
		skip_numeric(rd);
		skip_terms(rd);
		break;
	case ENTRY_SORTED_SET:
		skip_sorted_set(rd);
		break;
	case ENTRY_SORTED_NUMERIC:
		rd_skip_sorted_numeric(rd, true);
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
	.skip_entry = skip_entry,
	.skip_skipper = skip_skipper,
};
