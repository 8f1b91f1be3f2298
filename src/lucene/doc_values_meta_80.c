/* Doc values metadata of Lucene 8: big-endian. As Lucene70, and:
 *
 *   DOCS     i64 offset | i64 length | i16 jump table entries | u8 dense rank power
 *   VALUES   … | i64 offset of the jump table
 *   binary   compressed, and documents > 0:
 *              i64 offset | vInt chunks, documents a chunk, largest | vInt shift | addresses | i64
 * length TERMS    vLong size | i32 block shift, or 0x00060001: LZ4 in blocks of 2^6 | …
 *
 * A binary field is compressed in version 1 always, from version 2 on if its attribute says so.
 *
 * Source: Lucene 8.11.3 codecs/lucene80/Lucene80DocValuesProducer. */
#include "lucene/doc_values_meta.h"

#define VERSION_BINARY_COMPRESSED 1
#define VERSION_CONFIGURABLE_COMPRESSION 2
#define TERMS_LZ4_CODE 0x00060001u
#define TERMS_LZ4_BLOCK_SHIFT 6

static void skip_terms(struct rd *rd)
{
	int64_t count = rd_term_count(rd);
	uint32_t code = (uint32_t)rd_i32(rd);

	if (code == TERMS_LZ4_CODE)
		rd_skip_terms(rd, count, TERMS_LZ4_BLOCK_SHIFT, true);
	else
		rd_skip_terms(rd, count, code, false);
}

static bool is_compressed(int32_t version, const struct field_info *field)
{
	struct str mode = field_info_attribute(field, "Lucene80DocValuesFormat.mode");

	if (version >= VERSION_CONFIGURABLE_COMPRESSION)
		return str_is(mode, "BEST_COMPRESSION");
	return version >= VERSION_BINARY_COMPRESSED;
}

static void skip_chunk_addresses(struct rd *rd)
{
	uint32_t chunks;

	rd_i64(rd);
	chunks = rd_vint(rd);
	rd_vint(rd);
	rd_vint(rd);
	rd_skip_direct_monotonic(rd, chunks, rd_vint(rd));
	rd_i64(rd);
}

static void skip_compressed_binary(struct rd *rd)
{
	int32_t documents;

	rd_skip(rd, 16);
	rd_docs_with_field(rd, true);
	documents = rd_i32(rd);
	rd_skip(rd, 8);
	if (documents > 0)
		skip_chunk_addresses(rd);
}

static void skip_sorted(struct rd *rd)
{
	rd_docs_with_field(rd, true);
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
	rd_docs_with_field(rd, true);
	rd_u8(rd);
	rd_skip(rd, 16);
	rd_skip_addresses(rd, (int64_t)rd_i32(rd) + 1);
	skip_terms(rd);
}

static void skip_entry(struct rd *rd, int32_t version, const struct field_info *field, uint8_t type)
{
	switch (type) {
	case ENTRY_NUMERIC:
		rd_docs_with_field(rd, true);
		rd_skip_numeric_values(rd, true);
		break;
	case ENTRY_BINARY:
		if (is_compressed(version, field))
			skip_compressed_binary(rd);
		else
			rd_skip_binary(rd, true);
		break;
	case ENTRY_SORTED:
		skip_sorted(rd);
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

const struct doc_values_format doc_values_format_80 = {
	.meta_codec = "Lucene80DocValuesMetadata",
	.data_codec = "Lucene80DocValuesData",
	.newest_version = 2,
	.jump_tables = true,
	.skip_entry = skip_entry,
};
