/* Stored fields of Lucene 9 and 10, "Lucene90StoredFieldsFastData" and "...HighData": the units of
 * Lucene 8.7, with integers little-endian and lengths laid out for vector instructions.
 *
 * An array in the header of a chunk:
 *
 *   u8 bits per value: 0, 8, 16 or 32
 *   0:     vInt, the value of all
 *   else:  per 128 values, 128 * bits / 64 lanes of LE64. The first value of a lane is in its
 *          highest bits, and lane l holds the values l, l + lanes, l + 2 * lanes, ...
 *          then the remaining values one by one: u8, LE16 or LE32
 *
 * Source: Lucene 9.12.1 StoredFieldsInts, Lucene90CompressingStoredFieldsReader. */
#include "lucene/stored_fields_internal.h"

#define BLOCK 128u

static void read_block(struct rd *rd, uint32_t *out, unsigned bits)
{
	unsigned lanes = BLOCK * bits / 64;
	uint64_t mask = (UINT64_C(1) << bits) - 1;

	for (unsigned lane = 0; lane < lanes; lane++) {
		uint64_t held = rd_le64(rd);

		for (unsigned i = 0; i < 64 / bits; i++)
			out[i * lanes + lane] = (uint32_t)(held >> (64 - bits * (i + 1)) & mask);
	}
}

void stored_read_block_ints(struct rd *rd, uint32_t *out, uint32_t count)
{
	unsigned bits = rd_u8(rd);
	uint32_t i = 0;

	if (bits == 0) {
		uint32_t value = rd_vint(rd);

		for (; i < count; i++)
			out[i] = value;
		return;
	}
	if (bits != 8 && bits != 16 && bits != 32) {
		rd->failed = true;
		return;
	}
	for (; count - i >= BLOCK; i += BLOCK)
		read_block(rd, out + i, bits);
	for (; i < count; i++)
		out[i] = bits == 8 ? rd_u8(rd) : bits == 16 ? rd_le16(rd) : rd_le32(rd);
}

const struct stored_format stored_format_90_fast = {
	.codec = "Lucene90StoredFieldsFastData",
	.min_version = 1,
	.max_version = 1,
	.little_endian = true,
	.index_codec = "Lucene90FieldsIndexMeta",
	.expansion = 255,
	.read_ints = stored_read_block_ints,
	.decode = stored_decode_lz4_preset,
};

const struct stored_format stored_format_90_high = {
	.codec = "Lucene90StoredFieldsHighData",
	.min_version = 1,
	.max_version = 1,
	.little_endian = true,
	.index_codec = "Lucene90FieldsIndexMeta",
	.expansion = 1032,
	.read_ints = stored_read_block_ints,
	.decode = stored_decode_deflate_preset,
};
