#include "lucene/indexed_disi.h"

#include "base/buf.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#define BLOCK 65536
#define BLOCKS 6
#define MAX_DOC (BLOCKS * BLOCK - 100)

/* A writer of our own, so that every shape of block comes in both byte orders. */
struct writer {
	struct buf out;
	bool little;
	int rank_power;
};

static void put_u16(struct writer *w, unsigned v)
{
	buf_append_byte(&w->out, (char)(w->little ? v : v >> 8));
	buf_append_byte(&w->out, (char)(w->little ? v >> 8 : v));
}

static void put_u64(struct writer *w, uint64_t v)
{
	if (!w->little)
		v = __builtin_bswap64(v);
	buf_append(&w->out, &v, 8);
}

static void put_block(struct writer *w, unsigned block, const uint8_t *in_set)
{
	unsigned count = 0;

	for (size_t i = 0; i < BLOCK; i++)
		count += in_set[i];
	if (count == 0)
		return;
	put_u16(w, block);
	put_u16(w, count - 1);
	if (count == BLOCK)
		return;
	if (count <= 4095) {
		for (unsigned i = 0; i < BLOCK; i++)
			if (in_set[i])
				put_u16(w, i);
		return;
	}
	for (int i = 0; w->rank_power >= 0 && i < 1024 >> (w->rank_power - 7); i++)
		buf_append_byte(&w->out, (char)i);
	for (size_t word = 0; word < 1024; word++) {
		uint64_t bits = 0;

		for (size_t i = 0; i < 64; i++)
			bits |= (uint64_t)in_set[word * 64 + i] << i;
		put_u64(w, bits);
	}
}

static void put_end(struct writer *w)
{
	put_u16(w, 0x7fff);
	put_u16(w, 0);
	put_u16(w, 0xffff);
}

static struct live_docs all_live(int32_t max_doc)
{
	size_t count = ((size_t)max_doc + 63) / 64;
	struct live_docs live = {mem_alloc(count * 8), max_doc, max_doc};

	memset(live.words, 0xff, count * 8);
	return live;
}

/* Empty, sparse, the most sparse, the least dense, dense and full blocks; the last is not whole. */
static void fill(uint8_t *in_set, unsigned seed)
{
	srand(seed);
	for (size_t i = 0; i < BLOCK; i++) {
		in_set[1 * BLOCK + i] = rand() % 1000 == 0;
		in_set[2 * BLOCK + i] = i < 4095;
		in_set[3 * BLOCK + i] = i < 4096;
		in_set[4 * BLOCK + i] = 1;
		in_set[5 * BLOCK + i] = i < BLOCK - 100 && rand() % 3 == 0;
	}
}

static void expect_cleared(bool little, int rank_power, unsigned seed)
{
	struct writer w = {BUF_INIT(MIB(1)), little, rank_power};
	uint8_t *in_set = mem_zalloc(BLOCKS * BLOCK);
	struct live_docs live = all_live(MAX_DOC);
	struct indexed_disi set = {.little = little, .dense_rank_power = (int8_t)rank_power};
	struct err err = {0};
	int32_t expected = MAX_DOC;

	fill(in_set, seed);
	for (unsigned block = 0; block < BLOCKS; block++)
		put_block(&w, block, in_set + block * BLOCK);
	put_end(&w);
	set.blocks = buf_str(&w.out);
	assert_true(set.blocks.len <= indexed_disi_max_size(MAX_DOC));
	assert_int_equal(indexed_disi_clear(&set, &live, &err), 0);
	for (int32_t doc = 0; doc < MAX_DOC; doc++) {
		assert_int_equal(live_docs_is_live(&live, doc), !in_set[doc]);
		expected -= in_set[doc];
	}
	assert_int_equal(live.live_count, expected);
	/* Documents that are dead already are not counted twice. */
	assert_int_equal(indexed_disi_clear(&set, &live, &err), 0);
	assert_int_equal(live.live_count, expected);
	free(live.words);
	free(in_set);
	buf_release(&w.out);
}

static void every_shape_of_block_clears_its_documents(void **state)
{
	unsigned seed = (unsigned)time(NULL);

	(void)state;
	printf("seed %u\n", seed);
	expect_cleared(false, -1, seed);
	expect_cleared(false, 9, seed);
	expect_cleared(true, 9, seed);
	expect_cleared(true, 7, seed);
	expect_cleared(true, 15, seed);
}

static int clear(struct str blocks, int32_t max_doc, struct err *err)
{
	struct indexed_disi set = {.blocks = blocks, .dense_rank_power = 9};
	struct live_docs live = all_live(max_doc);
	int result = indexed_disi_clear(&set, &live, err);

	free(live.words);
	return result;
}

static void damaged_blocks_are_refused(void **state)
{
	static const struct {
		struct str blocks;
		int32_t max_doc;
	} cases[] = {
		{STR(""), 100},                                         /* no end */
		{STR("\0\0\0\0\0\x05"), 100},                           /* no end either */
		{STR("\0\0\0\1\0\x05\0\x05\x7f\xff\0\0\xff\xff"), 100}, /* a document twice */
		{STR("\0\0\0\0\0\x64\x7f\xff\0\0\xff\xff"), 100},       /* beyond the last */
		{STR("\0\0\xff\xff\x7f\xff\0\0\xff\xff"), 65535},       /* more than there are */
		{STR("\0\0\0\0\0\1\0\0\0\0\0\2\x7f\xff\0\0\xff\xff"), 100}, /* a block twice */
		{STR("\0\0\0\0\xff\xff\0\0\x7f\xff\0\0\xff\xff"), 100},     /* beyond, at the end */
	};
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(clear(cases[i].blocks, cases[i].max_doc, &err), -ERR_FORMAT);
	assert_int_equal(clear(STR("\0\0\0\0\0\x05\x7f\xff\0\0\xff\xff"), 100, &err), 0);
}

static void a_dense_block_holds_as_many_documents_as_it_says(void **state)
{
	struct writer w = {BUF_INIT(MIB(1)), true, 9};
	uint8_t *in_set = mem_zalloc(BLOCK);
	struct live_docs live = all_live(BLOCK);
	struct indexed_disi set = {.little = true, .dense_rank_power = 9};
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < BLOCK; i++)
		in_set[i] = i % 2 == 0;
	put_block(&w, 0, in_set);
	put_end(&w);
	w.out.ptr[w.out.len - 10] ^= 1;
	set.blocks = buf_str(&w.out);
	assert_int_equal(indexed_disi_clear(&set, &live, &err), -ERR_FORMAT);
	free(live.words);
	free(in_set);
	buf_release(&w.out);
}

static void an_impossible_rank_power_is_refused(void **state)
{
	struct indexed_disi set = {.blocks = STR("\x7f\xff\0\0\xff\xff"), .dense_rank_power = 6};
	struct live_docs live = all_live(64);
	struct err err = {0};

	(void)state;
	assert_int_equal(indexed_disi_clear(&set, &live, &err), -ERR_FORMAT);
	free(live.words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_shape_of_block_clears_its_documents),
		cmocka_unit_test(damaged_blocks_are_refused),
		cmocka_unit_test(a_dense_block_holds_as_many_documents_as_it_says),
		cmocka_unit_test(an_impossible_rank_power_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
