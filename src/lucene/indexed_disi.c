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

static uint32_t rank_bytes(int8_t power)
{
	return power == -1 ? 0 : (uint32_t)BLOCK_WORDS >> ((power - 7) & 15);
}

static bool clear_block(const struct indexed_disi *set, struct rd *rd, uint16_t block,
			int32_t count, struct live_docs *live)
{
	int64_t first = (int64_t)block << 16;

	if (count <= SPARSE_MOST)
		return clear_sparse(rd, first, count, live);
	if (count == BLOCK_DOCUMENTS)
		return clear_full(first, live);
	rd_skip(rd, rank_bytes(set->dense_rank_power));
	return clear_dense(rd, first, count, live);
}

static bool is_end(struct rd rd, uint16_t block, int32_t count)
{
	return block == LAST_BLOCK && count == 1 && (uint16_t)rd_i16(&rd) == LAST_DOCUMENT;
}

static int check_rank_power(int8_t power, struct err *err)
{
	if (power == -1 || (power >= 7 && power <= 15))
		return 0;
	return err_set(err, ERR_FORMAT, "has an impossible rank power, %d", power);
}

int indexed_disi_clear(const struct indexed_disi *set, struct live_docs *live, struct err *err)
{
	struct rd rd = rd_over(set->blocks);
	int32_t before = -1;

	if (check_rank_power(set->dense_rank_power, err) < 0)
		return -(int)err->kind;
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

int indexed_disi_walk_init(struct indexed_disi_walk *walk, struct bytes_source *source,
			   uint64_t offset, uint64_t end, bool little, int8_t dense_rank_power,
			   struct err *err)
{
	*walk = (struct indexed_disi_walk){
		.little = little,
		.dense_rank_power = dense_rank_power,
		.block = -1,
		.next = offset,
	};
	range_window_init(&walk->window, source, end);
	return check_rank_power(dense_rank_power, err);
}

void indexed_disi_walk_release(struct indexed_disi_walk *walk)
{
	range_window_release(&walk->window);
}

/* `count` integers of 16 bits, or one of 64, at `offset`. */
static int need(struct indexed_disi_walk *walk, uint64_t offset, size_t len, struct rd *out,
		struct err *err)
{
	const uint8_t *bytes = NULL;

	*out = (struct rd){0};
	if (range_window_need(&walk->window, offset, len, &bytes, err) < 0)
		return -(int)err->kind;
	*out = rd_over(str_of(bytes, len));
	out->little = walk->little;
	return 0;
}

static int next_block(struct indexed_disi_walk *walk, struct err *err)
{
	int32_t before = walk->block;
	struct rd rd;

	if (need(walk, walk->next, 4, &rd, err) < 0)
		return -(int)err->kind;
	walk->before += walk->count;
	walk->block = (uint16_t)rd_i16(&rd);
	walk->count = (uint16_t)rd_i16(&rd) + 1;
	walk->at = walk->next + 4;
	walk->seen = walk->skip = 0;
	if (walk->block <= before)
		return err_set(err, ERR_FORMAT, "set of documents: block %d comes after block %d",
			       walk->block, before);
	walk->ended = walk->block == LAST_BLOCK;
	if (walk->count <= SPARSE_MOST) {
		walk->next = walk->at + 2 * (uint64_t)walk->count;
	} else if (walk->count == BLOCK_DOCUMENTS) {
		walk->next = walk->at;
	} else {
		walk->at += rank_bytes(walk->dense_rank_power);
		walk->next = walk->at + BLOCK_WORDS * 8;
	}
	return 0;
}

static int find_sparse(struct indexed_disi_walk *walk, uint16_t low, struct err *err)
{
	struct rd rd;

	for (; walk->skip < walk->count; walk->skip++, walk->seen++) {
		uint16_t entry;

		if (need(walk, walk->at + 2 * (uint64_t)walk->skip, 2, &rd, err) < 0)
			return -(int)err->kind;
		entry = (uint16_t)rd_i16(&rd);
		if (entry >= low)
			return entry == low;
	}
	return 0;
}

static int find_dense(struct indexed_disi_walk *walk, uint16_t low, int64_t *index, struct err *err)
{
	uint64_t bits, bit = (uint64_t)1 << (low & 63);
	struct rd rd;

	for (; walk->skip < low >> 6; walk->skip++) {
		if (need(walk, walk->at + 8 * (uint64_t)walk->skip, 8, &rd, err) < 0)
			return -(int)err->kind;
		walk->seen += __builtin_popcountll((uint64_t)rd_i64(&rd));
	}
	if (need(walk, walk->at + 8 * (uint64_t)walk->skip, 8, &rd, err) < 0)
		return -(int)err->kind;
	bits = (uint64_t)rd_i64(&rd);
	*index = walk->before + walk->seen + __builtin_popcountll(bits & (bit - 1));
	return (bits & bit) != 0;
}

int indexed_disi_walk_find(struct indexed_disi_walk *walk, int32_t doc, int64_t *index,
			   struct err *err)
{
	uint16_t low = (uint16_t)(doc & 0xffff);
	int found;

	while (!walk->ended && walk->block < doc >> 16)
		if (next_block(walk, err) < 0)
			return -(int)err->kind;
	if (walk->ended || walk->block != doc >> 16)
		return 0;
	if (walk->count == BLOCK_DOCUMENTS) {
		*index = walk->before + low;
		return 1;
	}
	if (walk->count > SPARSE_MOST)
		return find_dense(walk, low, index, err);
	found = find_sparse(walk, low, err);
	*index = walk->before + walk->seen;
	return found;
}
