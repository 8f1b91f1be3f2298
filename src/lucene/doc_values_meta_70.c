/* Doc values metadata of Lucene 7: big-endian, no jump tables. What follows the type byte:
 *
 *   DOCS     i64 offset | i64 length
 *   VALUES   i64 values | i32 table size, i64 each | u8 bits | i64 min, gcd, offset, length
 *   TERMS    vLong size | i32 block shift | i32 shift | block addresses | …
 *
 *   numeric          DOCS VALUES
 *   binary           i64 offset, length | DOCS | i32 documents, min, max length
 *                    min < max: ADDRESSES
 *   sorted           DOCS | i32 documents | u8 bits | i64 offset, length | TERMS
 *   sorted set       u8 0: as sorted
 *                    u8 1: DOCS | u8 bits | i64 offset, length | i32 documents | ADDRESSES | TERMS
 *   sorted numeric   DOCS VALUES | i32 documents | documents != values: ADDRESSES
 *
 * Source: Lucene 7.7.3 codecs/lucene70/Lucene70DocValuesProducer. */
#include "lucene/doc_values_meta.h"

static void read_terms(struct rd *rd, struct arena *mem, struct bytes_meta *out)
{
	out->layout = TERMS_70;
	out->count = rd_term_count(rd);
	out->block_shift = (uint32_t)rd_i32(rd);
	rd_terms(rd, mem, out);
}

static void read_sorted(struct rd *rd, struct arena *mem, struct doc_values_meta *out)
{
	int32_t documents;

	out->docs = rd_docs_with_field(rd, false);
	documents = rd_i32(rd);
	rd_ordinals(rd, documents, &out->values);
	read_terms(rd, mem, &out->bytes);
}

/* How many ordinals there are only the last address says. */
static void read_sorted_set(struct rd *rd, struct arena *mem, struct doc_values_meta *out)
{
	uint8_t several = rd_u8(rd);

	if (several > 1)
		rd->failed = true;
	if (several == 0) {
		read_sorted(rd, mem, out);
		return;
	}
	out->several = true;
	out->docs = rd_docs_with_field(rd, false);
	rd_ordinals(rd, NUMBERS_MOST, &out->values);
	rd_addresses(rd, mem, (int64_t)rd_i32(rd) + 1, &out->addresses);
	read_terms(rd, mem, &out->bytes);
}

static void read_entry(struct rd *rd, struct arena *mem, const struct field_info *field,
		       uint8_t type, struct doc_values_meta *out)
{
	(void)field;
	switch (type) {
	case ENTRY_NUMERIC:
		out->docs = rd_docs_with_field(rd, false);
		rd_numeric_values(rd, false, &out->values);
		break;
	case ENTRY_BINARY:
		rd_binary_head(rd, false, out);
		rd_binary_addresses(rd, mem, &out->bytes);
		break;
	case ENTRY_SORTED:
		read_sorted(rd, mem, out);
		break;
	case ENTRY_SORTED_SET:
		read_sorted_set(rd, mem, out);
		break;
	case ENTRY_SORTED_NUMERIC:
		rd_sorted_numeric(rd, mem, false, out);
		break;
	default:
		rd->failed = true;
	}
}

const struct doc_values_format doc_values_format_70 = {
	.meta_codec = "Lucene70DocValuesMetadata",
	.data_codec = "Lucene70DocValuesData",
	.newest_version = 0,
	.read_entry = read_entry,
};
