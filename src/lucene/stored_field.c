/* One document of a chunk: its stored fields, one after the other.
 *
 *   vLong field number << 3 | type, then by type:
 *   string, bytes   vInt length, bytes
 *   int             zigzag vInt
 *   long            u8 [multiplier:2][more:1][value:5], vLong of the value's higher bits if more;
 *                   zigzag; times 1, 1000 (a second), 3600000 (an hour) or 86400000 (a day)
 *   float           u8 0xFF: i32 bits; 0x80 set: small integer + 1; else bits 31-24, i16, u8
 *   double          u8 0xFF: i64 bits; 0xFE: i32 bits of a float; 0x80 set: small integer + 1;
 *                   else bits 63-56, i32, i16, u8
 *
 * The same from Lucene 5.0 to 10, but for the byte order of the fixed ones.
 * Source: Lucene 9.12.1 Lucene90CompressingStoredFieldsReader. */
#include "lucene/stored_fields_internal.h"

static float float_of_bits(uint32_t bits)
{
	float f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

static double double_of_bits(uint64_t bits)
{
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}

static float read_float(struct rd *rd)
{
	uint8_t b = rd_u8(rd);
	uint32_t bits;

	if (b == 0xff)
		return float_of_bits((uint32_t)rd_i32(rd));
	if (b & 0x80)
		return (float)((b & 0x7f) - 1);
	bits = (uint32_t)b << 24;
	bits |= (uint32_t)(uint16_t)rd_i16(rd) << 8;
	return float_of_bits(bits | rd_u8(rd));
}

static double read_double(struct rd *rd)
{
	uint8_t b = rd_u8(rd);
	uint64_t bits;

	if (b == 0xff)
		return double_of_bits((uint64_t)rd_i64(rd));
	if (b == 0xfe)
		return (double)float_of_bits((uint32_t)rd_i32(rd));
	if (b & 0x80)
		return (b & 0x7f) - 1;
	bits = (uint64_t)b << 56;
	bits |= (uint64_t)(uint32_t)rd_i32(rd) << 24;
	bits |= (uint64_t)(uint16_t)rd_i16(rd) << 8;
	return double_of_bits(bits | rd_u8(rd));
}

static int64_t read_long(struct rd *rd)
{
	static const uint64_t multipliers[] = {1, 1000, 3600000, 86400000};
	uint8_t b = rd_u8(rd);
	uint64_t bits = b & 0x1f;

	if (b & 0x20)
		bits |= rd_vlong(rd) << 5;
	return (int64_t)((uint64_t)rd_zigzag(bits) * multipliers[b >> 6]);
}

static struct stored_field_cursor cursor_counted_inline(const struct stored_fields *fields,
							struct str bytes)
{
	struct stored_field_cursor cursor = {rd_over(bytes), 0, fields->format->next_field};

	cursor.rd.little = fields->format->little_endian;
	cursor.left = rd_vint(&cursor.rd);
	return cursor;
}

struct stored_field_cursor stored_field_cursor_at(const struct stored_fields *fields,
						  const struct stored_chunk *chunk, int32_t i)
{
	uint32_t start = chunk->starts[i];
	struct str bytes = str_of(chunk->bytes + start, chunk->starts[i + 1] - start);

	/* Made in place: a copy would wait for its bytes to be written, once for each document. */
	if (UNLIKELY(fields->format->counts_inline))
		return cursor_counted_inline(fields, bytes);
	return (struct stored_field_cursor){.rd = {.bytes = (const uint8_t *)bytes.ptr,
						   .len = bytes.len,
						   .little = fields->format->little_endian},
					    .left = chunk->field_counts[i],
					    .next = fields->format->next_field};
}

void stored_field_read_plain(struct rd *rd, struct stored_field *out)
{
	switch (out->type) {
	case STORED_STRING:
	case STORED_BYTES:
		out->bytes = rd_string(rd);
		break;
	case STORED_INT:
		out->integer = rd_i32(rd);
		break;
	case STORED_FLOAT:
		out->floating = (double)float_of_bits((uint32_t)rd_i32(rd));
		break;
	case STORED_LONG:
		out->integer = rd_i64(rd);
		break;
	case STORED_DOUBLE:
		out->floating = double_of_bits((uint64_t)rd_i64(rd));
		break;
	}
}

int stored_field_next(struct stored_field_cursor *cursor, struct stored_field *out, struct err *err)
{
	struct rd *rd = &cursor->rd;
	uint64_t head;

	if (cursor->left == 0)
		return 0;
	cursor->left--;
	if (UNLIKELY(cursor->next != NULL))
		return cursor->next(cursor, out, err);
	head = rd_vlong(rd);
	*out = (struct stored_field){.number = (int32_t)(head >> 3),
				     .type = (enum stored_type)(head & 7)};
	switch (head & 7) {
	case STORED_STRING:
	case STORED_BYTES:
		out->bytes = rd_string(rd);
		break;
	case STORED_INT:
		out->integer = (int32_t)rd_zigzag(rd_vint(rd));
		break;
	case STORED_FLOAT:
		out->floating = (double)read_float(rd);
		break;
	case STORED_LONG:
		out->integer = read_long(rd);
		break;
	case STORED_DOUBLE:
		out->floating = read_double(rd);
		break;
	default:
		return err_set(err, ERR_FORMAT, "a stored field of the unknown type %d",
			       (int)(head & 7));
	}
	if (UNLIKELY(rd->failed))
		return rd_check(rd, "a stored field", err);
	return 1;
}
