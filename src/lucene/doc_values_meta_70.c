/* Doc values metadata of Lucene 7: big-endian, no jump tables. What follows the type byte:
 *
 *   DOCS     i64 offset | i64 length
 *   VALUES   i64 values | i32 table size, i64 each | u8 bits | i64 min, gcd, offset, length
 *   numeric          DOCS VALUES
 *   binary           i64 offset, length | DOCS | i32 documents, min, max length | min < max:
 * ADDRESSES sorted           DOCS | i32 documents | u8 bits | i64 offset, length | TERMS sorted set
 * u8 0: as sorted u8 1: DOCS | u8 bits | i64 offset, length | i32 documents | ADDRESSES | TERMS
 *   sorted numeric   DOCS VALUES | i32 documents | documents != values: ADDRESSES
 *   TERMS            vLong size | i32 block shift | i32 shift | block addresses | …
 *
 * Source: Lucene 7.7.3 codecs/lucene70/Lucene70DocValuesProducer. */
#include "lucene/doc_values_meta.h"

static void skip_terms(struct rd *rd)
{
	int64_t count = rd_term_count(rd);

	rd_skip_terms(rd, count, (uint32_t)rd_i32(rd), false);
}

static void skip_sorted(struct rd *rd)
{
	rd_docs_with_field(rd, false);
	rd_i32(rd);
	rd_u8(rd);
	rd_skip(rd, 16);
	skip_terms(rd);
}

static void skip_sorted_set(struct rd *rd)
{
	uint8_t several = rd_u8(rd);

	if (several > 1)
		rd->failed = true;
	if (several == 0) {
		skip_sorted(rd);
		return;
	}
	rd_docs_with_field(rd, false);
	rd_u8(rd);
	rd_skip(rd, 16);
	rd_skip_addresses(rd, (int64_t)rd_i32(rd) + 1);
	skip_terms(rd);
}

static void skip_entry(struct rd *rd, int32_t version, const struct field_info *field, uint8_t type)
{
	(void)version;
	(void)field;
	switch (type) {
	case ENTRY_NUMERIC:
		rd_docs_with_field(rd, false);
		rd_skip_numeric_values(rd, false);
		break;
	case ENTRY_BINARY:
		rd_skip_binary(rd, false);
		break;
	case ENTRY_SORTED:
		skip_sorted(rd);
		break;
	case ENTRY_SORTED_SET:
		skip_sorted_set(rd);
		break;
	case ENTRY_SORTED_NUMERIC:
		rd_skip_sorted_numeric(rd, false);
		break;
	default:
		rd->failed = true;
	}
}

const struct doc_values_format doc_values_format_70 = {
	.meta_codec = "Lucene70DocValuesMetadata",
	.data_codec = "Lucene70DocValuesData",
	.newest_version = 0,
	.skip_entry = skip_entry,
};
