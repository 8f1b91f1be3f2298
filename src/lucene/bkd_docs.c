/* The documents of a leaf: before version 1 an i32 each, then by the first byte
 *
 *   0   vInt deltas                                     32  i32 each
 *   24  eight in three i64, the rest u16 << 8, u8; from version 10 on three quarters in the upper
 *       24 bits of an i32 each, the fourth in the lower 8 of three, the rest u16, u8 << 16
 *   -2  vInt first: a row         -1  vInt first word, vInt words, i64 each: a bit each
 *   16  vInt least; i32: i in the upper half, i + count / 2 in the lower; an odd last as u16
 *   21  (10 on) two thirds in the upper 21 bits of an i32, the third in the lower 11 of two; then
 *       three in an i64, the rest u16, u8 << 16
 *
 * Source: util/bkd/DocIdsWriter of Lucene 6.6.6, 9.12.1 and 10.5.0. */
#include "lucene/bkd.h"

#define VERSION_CODES 1
#define VERSION_LANES 10

enum {
	CODE_DELTAS = 0,
	CODE_16 = 16,
	CODE_21 = 21,
	CODE_24 = 24,
	CODE_32 = 32,
	CODE_BITS = -1,
	CODE_ROW = -2,
};

static void read_32(struct rd *rd, uint32_t count, int32_t *docs)
{
	for (uint32_t i = 0; i < count; i++)
		docs[i] = rd_i32(rd);
}

static void read_deltas(struct rd *rd, uint32_t count, int32_t *docs)
{
	uint32_t doc = 0;

	for (uint32_t i = 0; i < count; i++) {
		doc += rd_vint(rd);
		docs[i] = (int32_t)doc;
	}
}

static void read_row(struct rd *rd, uint32_t count, int32_t *docs)
{
	uint32_t first = rd_vint(rd);

	for (uint32_t i = 0; i < count; i++)
		docs[i] = (int32_t)(first + i);
}

static void read_bits(struct rd *rd, uint32_t count, int32_t *docs)
{
	uint32_t word = rd_vint(rd), words = rd_vint(rd), found = 0;

	for (uint32_t i = 0; i < words && !rd->failed; i++) {
		uint64_t bits = (uint64_t)rd_i64(rd);

		for (; bits && found < count; bits &= bits - 1)
			docs[found++] =
				(int32_t)((word + i) * 64 + (uint32_t)__builtin_ctzll(bits));
		if (bits)
			rd->failed = true;
	}
	if (found < count)
		rd->failed = true;
}

static void read_16(struct rd *rd, uint32_t count, int32_t *docs)
{
	uint32_t least = rd_vint(rd), half = count / 2;

	for (uint32_t i = 0; i < half; i++) {
		uint32_t two = (uint32_t)rd_i32(rd);

		docs[i] = (int32_t)(least + (two >> 16));
		docs[i + half] = (int32_t)(least + (two & 0xffff));
	}
	if (count % 2)
		docs[count - 1] = (int32_t)(least + (uint16_t)rd_i16(rd));
}

static void read_24_rows(struct rd *rd, uint32_t count, int32_t *docs)
{
	uint32_t i = 0;

	for (; i + 8 <= count; i += 8) {
		uint64_t a = (uint64_t)rd_i64(rd), b = (uint64_t)rd_i64(rd),
			 c = (uint64_t)rd_i64(rd);

		docs[i] = (int32_t)(a >> 40);
		docs[i + 1] = (int32_t)(a >> 16 & 0xffffff);
		docs[i + 2] = (int32_t)((a & 0xffff) << 8 | b >> 56);
		docs[i + 3] = (int32_t)(b >> 32 & 0xffffff);
		docs[i + 4] = (int32_t)(b >> 8 & 0xffffff);
		docs[i + 5] = (int32_t)((b & 0xff) << 16 | c >> 48);
		docs[i + 6] = (int32_t)(c >> 24 & 0xffffff);
		docs[i + 7] = (int32_t)(c & 0xffffff);
	}
	for (; i < count; i++) {
		uint32_t upper = (uint16_t)rd_i16(rd);

		docs[i] = (int32_t)(upper << 8 | rd_u8(rd));
	}
}

/* The last ones, each by itself. */
static void read_last(struct rd *rd, uint32_t from, uint32_t count, int32_t *docs)
{
	for (uint32_t i = from; i < count; i++) {
		uint32_t lower = (uint16_t)rd_i16(rd);

		docs[i] = (int32_t)(lower | (uint32_t)rd_u8(rd) << 16);
	}
}

static void read_24_lanes(struct rd *rd, uint32_t count, int32_t *docs)
{
	uint32_t quarter = count / 4, most = quarter * 3;
	uint32_t lanes[BKD_LEAF_MOST];

	for (uint32_t i = 0; i < most; i++) {
		lanes[i] = (uint32_t)rd_i32(rd);
		docs[i] = (int32_t)(lanes[i] >> 8);
	}
	for (uint32_t i = 0; i < quarter; i++)
		docs[most + i] = (int32_t)((lanes[i] & 0xff) | (lanes[i + quarter] & 0xff) << 8 |
					   (lanes[i + 2 * quarter] & 0xff) << 16);
	read_last(rd, quarter * 4, count, docs);
}

static void read_21(struct rd *rd, uint32_t count, int32_t *docs)
{
	uint32_t third = count / 3 / 16 * 16, most = third * 2, i;
	uint32_t lanes[BKD_LEAF_MOST];

	for (i = 0; i < most; i++) {
		lanes[i] = (uint32_t)rd_i32(rd);
		docs[i] = (int32_t)(lanes[i] >> 11);
	}
	for (i = 0; i < third; i++)
		docs[most + i] = (int32_t)((lanes[i] & 0x7ff) | (lanes[i + third] & 0x7ff) << 11);
	for (i = third * 3; i + 2 < count; i += 3) {
		uint64_t three = (uint64_t)rd_i64(rd);

		docs[i] = (int32_t)(three & 0x1fffff);
		docs[i + 1] = (int32_t)(three >> 21 & 0x1fffff);
		docs[i + 2] = (int32_t)(three >> 42 & 0x1fffff);
	}
	read_last(rd, i, count, docs);
}

static bool read_coded(struct rd *rd, int32_t version, uint32_t count, int32_t *docs)
{
	switch ((int8_t)rd_u8(rd)) {
	case CODE_DELTAS:
		read_deltas(rd, count, docs);
		return true;
	case CODE_32:
		read_32(rd, count, docs);
		return true;
	case CODE_24:
		(version < VERSION_LANES ? read_24_rows : read_24_lanes)(rd, count, docs);
		return true;
	case CODE_ROW:
		read_row(rd, count, docs);
		return true;
	case CODE_BITS:
		read_bits(rd, count, docs);
		return true;
	case CODE_16:
		read_16(rd, count, docs);
		return true;
	case CODE_21:
		read_21(rd, count, docs);
		return true;
	default:
		return false;
	}
}

int bkd_docs_read(struct rd *rd, int32_t version, uint32_t count, int32_t *docs, struct err *err)
{
	bool known = true;

	if (count > BKD_LEAF_MOST)
		return err_set(err, ERR_FORMAT, "has a leaf of %u points", count);
	if (version < VERSION_CODES)
		read_32(rd, count, docs);
	else
		known = read_coded(rd, version, count, docs);
	if (!known)
		return err_set(err, ERR_FORMAT,
			       "has documents of points in a code that is unknown");
	return rd_check(rd, "the documents of points", err);
}
