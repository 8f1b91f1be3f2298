/* Blocks in ascending order, empty ones left out:
 *
 *   u16 block (document id >> 16) | u16 cardinality - 1
 *   cardinality <= 4095: u16 each | 65536: nothing | else: [rank table,] 1024 words of 64 bits
 *
 * and last the block 0x7FFF with the one entry 0xFFFF. The rank table of a dense block, in Lucene 8
 * and later, has 1024 >> (power - 7) bytes. Integers have the byte order of their file.
 *
 * Source: Lucene 9.12.1 codecs/lucene90/IndexedDISI. */
#include "lucene/indexed_disi.h"

#include "base/rd.h"

#define BLOCK_DOCUMENTS 65536
#define BLOCK_WORDS 1024
#define SPARSE_MOST 4095
#define LAST_BLOCK 0x7fff
#define LAST_DOCUMENT 0xffff

static void clear_word(struct live_docs *live, size_t index, uint64_t bits)
{
	live->live_count -= __builtin_popcountll(live->words[index] & bits);
	live->words[index] &= ~bits;
}

/* False when a document is beyond the last or out of order. */
static bool clear_sparse(struct rd *rd, int64_t first, int32_t count, struct live_docs *live)
{
	int64_t before = -1;

	while (count-- > 0) {
		int64_t doc = first + (uint16_t)rd_i16(rd);

		if (rd->failed || doc <= before || doc >= live->max_doc)
			return false;
		clear_word(live, (size_t)(doc >> 6), (uint64_t)1 << (doc & 63));
		before = doc;
	}
	return true;
}

static bool clear_full(int64_t first, struct live_docs *live)
{
	if (first + BLOCK_DOCUMENTS > live->max_doc)
		return false;
	for (size_t i = 0; i < BLOCK_WORDS; i++)
		clear_word(live, (size_t)(first >> 6) + i, UINT64_MAX);
	return true;
}

/* False when the words hold another number than `count`, or documents beyond the last. */
static bool clear_dense(struct rd *rd, int64_t first, int32_t count, struct live_docs *live)
{
	for (size_t i = 0; i < BLOCK_WORDS; i++) {
		int64_t doc = first + (int64_t)i * 64;
		uint64_t bits = (uint64_t)rd_i64(rd);

		if (!bits)
			continue;
		if (doc + 63 - __builtin_clzll(bits) >= live->max_doc)
			return false;
		count -= __builtin_popcountll(bits);
		clear_word(live, (size_t)(doc >> 6), bits);
	}
	return count == 0;
}

static bool clear_block(const struct indexed_disi *set, struct rd *rd, uint16_t block,
			int32_t count, struct live_docs *live)
{
	int64_t first = (int64_t)block << 16;

	if (count <= SPARSE_MOST)
		return clear_sparse(rd, first, count, live);
	if (count == BLOCK_DOCUMENTS)
		return clear_full(first, live);
	if (set->dense_rank_power != -1)
		rd_skip(rd, BLOCK_WORDS >> (set->dense_rank_power - 7));
	return clear_dense(rd, first, count, live);
}

static bool is_end(struct rd rd, uint16_t block, int32_t count)
{
	return block == LAST_BLOCK && count == 1 && (uint16_t)rd_i16(&rd) == LAST_DOCUMENT;
}

int indexed_disi_clear(const struct indexed_disi *set, struct live_docs *live, struct err *err)
{
	struct rd rd = rd_over(set->blocks);
	int32_t before = -1;

	if (set->dense_rank_power != -1 &&
	    (set->dense_rank_power < 7 || set->dense_rank_power > 15))
		return err_set(err, ERR_FORMAT, "has an impossible rank power, %d",
			       set->dense_rank_power);
	rd.little = set->little;
	for (;;) {
		uint16_t block = (uint16_t)rd_i16(&rd);
		int32_t count = (uint16_t)rd_i16(&rd) + 1;

		if (rd_check(&rd, "set of documents", err) < 0)
			return -(int)err->kind;
		if (is_end(rd, block, count))
			return 0;
		if (block <= before || !clear_block(set, &rd, block, count, live))
			return err_set(err, ERR_FORMAT,
				       "set of documents: block %u is damaged at byte %zu of %zu",
				       block, rd.pos, rd.len);
		before = block;
	}
}

uint64_t indexed_disi_max_size(int32_t max_doc)
{
	uint64_t blocks = (uint64_t)max_doc / BLOCK_DOCUMENTS + 2;

	/* A header of 4, the largest rank table, the words, and two jump entries at the least. */
	return (blocks + 1) * (4 + BLOCK_WORDS + BLOCK_WORDS * 8 + 8);
}
