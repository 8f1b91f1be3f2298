/* Doc values metadata of Lucene 8: big-endian. As Lucene70, and:
 *
 *   DOCS     i64 offset | i64 length | i16 jump table entries | u8 dense rank power
 *   VALUES   … | i64 offset of the jump table
 *   TERMS    vLong size | i32 block shift, or 0x00060001: LZ4 in blocks of 2^6 | …
 *   binary   compressed, and documents > 0:
 *            i64 offset | vInt chunks, documents a chunk, largest | vInt shift | addresses
 *            i64 length
 *
 * A binary field is compressed in version 1 always, from version 2 on if its attribute says so.
 *
 * Source: Lucene 8.11.3 codecs/lucene80/Lucene80DocValuesProducer. */
#include "lucene/doc_values_meta.h"

#define VERSION_BINARY_COMPRESSED 1
#define VERSION_CONFIGURABLE_COMPRESSION 2
#define TERMS_LZ4_CODE 0x00060001u
#define TERMS_LZ4_BLOCK_SHIFT 6
#define CHUNK_SHIFT_MOST 16

static void read_terms(struct rd *rd, struct arena *mem, struct bytes_meta *out)
{
	uint32_t code;

	out->count = rd_term_count(rd);
	code = (uint32_t)rd_i32(rd);
	out->layout = code == TERMS_LZ4_CODE ? TERMS_LZ4 : TERMS_70;
	out->block_shift = code == TERMS_LZ4_CODE ? TERMS_LZ4_BLOCK_SHIFT : code;
	rd_terms(rd, mem, out);
}

static bool is_compressed(int32_t version, const struct field_info *field)
{
	struct str mode = field_info_attribute(field, "Lucene80DocValuesFormat.mode");

	if (version >= VERSION_CONFIGURABLE_COMPRESSION)
		return str_is(mode, "BEST_COMPRESSION");
	return version >= VERSION_BINARY_COMPRESSED;
}

static void read_chunks(struct rd *rd, struct arena *mem, struct bytes_meta *out)
{
	int64_t offset = rd_i64(rd);
	uint32_t chunks = rd_vint(rd);

	out->layout = BYTES_CHUNKS_80;
	out->block_shift = rd_vint(rd);
	out->block_most = rd_vint(rd);
	if (out->block_shift > CHUNK_SHIFT_MOST)
		rd->failed = true;
	rd_direct_monotonic_meta(rd, mem, chunks, rd_vint(rd), &out->addresses);
	out->addresses.offset = offset;
	out->addresses.length = rd_i64(rd);
}

static void read_binary(struct rd *rd, struct arena *mem, const struct field_info *field,
			struct doc_values_meta *out)
{
	rd_binary_head(rd, true, out);
	if (!is_compressed(out->version, field))
		rd_binary_addresses(rd, mem, &out->bytes);
	else if (out->bytes.count > 0)
		read_chunks(rd, mem, &out->bytes);
}

static void read_sorted(struct rd *rd, struct arena *mem, struct doc_values_meta *out)
{
	int32_t documents;

	out->docs = rd_docs_with_field(rd, true);
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
	out->docs = rd_docs_with_field(rd, true);
	rd_ordinals(rd, NUMBERS_MOST, &out->values);
	rd_addresses(rd, mem, (int64_t)rd_i32(rd) + 1, &out->addresses);
	read_terms(rd, mem, &out->bytes);
}

static void read_entry(struct rd *rd, struct arena *mem, const struct field_info *field,
		       uint8_t type, struct doc_values_meta *out)
{
	switch (type) {
	case ENTRY_NUMERIC:
		out->docs = rd_docs_with_field(rd, true);
		rd_numeric_values(rd, true, &out->values);
		break;
	case ENTRY_BINARY:
		read_binary(rd, mem, field, out);
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

const struct doc_values_format doc_values_format_80 = {
	.meta_codec = "Lucene80DocValuesMetadata",
	.data_codec = "Lucene80DocValuesData",
	.newest_version = 2,
	.jump_tables = true,
	.read_entry = read_entry,
};
