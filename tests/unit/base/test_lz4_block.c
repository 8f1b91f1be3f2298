#include "base/lz4_block.h"

#include "base/str.h"

#include <lz4.h>
#include <lz4hc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#define LONGEST 70000

/* Exact allocations, so that the sanitizer sees any byte read or written outside of them. */
struct block {
	uint8_t *plain, *packed, *room;
	size_t plain_len, packed_len;
};

static void block_release(struct block *block)
{
	free(block->plain);
	free(block->packed);
	free(block->room);
}

/* From all the same over runs and repeats to noise. */
static void fill(uint8_t *to, size_t len)
{
	size_t period = 1 + (size_t)rand() % 40, alphabet = 1 + (size_t)rand() % 256;
	int noise = rand() % 4 ? rand() % 20 : 1000;

	for (size_t i = 0; i < len; i++) {
		bool fresh = i < period || rand() % 1000 < noise;

		to[i] = (uint8_t)(fresh ? rand() % (int)alphabet : to[i - period]);
	}
}

static struct block make_block(size_t len)
{
	struct block block = {.plain_len = len};
	int bound = LZ4_compressBound((int)len), n;
	char *packed = mem_alloc((size_t)bound);

	block.plain = mem_alloc(len + 1);
	fill(block.plain, len);
	if (rand() % 2)
		n = LZ4_compress_HC((char *)block.plain, packed, (int)len, bound, 9);
	else
		n = LZ4_compress_default((char *)block.plain, packed, (int)len, bound);
	block.packed_len = (size_t)n;
	block.packed = mem_alloc(block.packed_len);
	memcpy(block.packed, packed, block.packed_len);
	block.room = mem_alloc(len + LZ4_BLOCK_SLACK);
	free(packed);
	return block;
}

static void random_blocks_of_liblz4_decode_to_what_went_in(void **state)
{
	struct err err = {0};
	size_t consumed;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		cleanup(block_release) struct block b =
			make_block((size_t)(rand() % (i % 10 ? 1000 : LONGEST)));

		assert_int_equal(lz4_block_decode(b.packed, b.packed_len, b.room, 0, b.plain_len,
						  &consumed, &err),
				 0);
		assert_memory_equal(b.room, b.plain, b.plain_len);
		assert_int_equal(consumed, b.packed_len);
	}
}

static void what_follows_a_block_is_left_alone(void **state)
{
	struct err err = {0};
	size_t consumed, skipped;

	(void)state;
	for (int i = 0; i < 500; i++) {
		cleanup(block_release) struct block b = make_block((size_t)(rand() % 3000));

		b.packed = mem_realloc(b.packed, b.packed_len + 100);
		fill(b.packed + b.packed_len, 100);
		assert_int_equal(lz4_block_decode(b.packed, b.packed_len + 100, b.room, 0,
						  b.plain_len, &consumed, &err),
				 0);
		assert_memory_equal(b.room, b.plain, b.plain_len);
		assert_int_equal(
			lz4_block_skip(b.packed, b.packed_len + 100, b.plain_len, &skipped, &err),
			0);
		assert_int_equal(consumed, b.packed_len);
		assert_int_equal(skipped, b.packed_len);
	}
}

static void matches_reach_back_into_the_prefix(void **state)
{
	uint8_t plain[3000], packed[4000], room[3000 + LZ4_BLOCK_SLACK];
	LZ4_stream_t *stream = LZ4_createStream();
	struct err err = {0};
	size_t consumed;
	int n;

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		plain[i] = (uint8_t)rand();
	memcpy(plain + 1000, plain, 1000);
	memcpy(plain + 2000, plain, 1000);
	LZ4_loadDict(stream, (char *)plain, 1000);
	n = LZ4_compress_fast_continue(stream, (char *)plain + 1000, (char *)packed, 2000, 4000, 1);
	LZ4_freeStream(stream);
	assert_in_range(n, 1, 100);
	memcpy(room, plain, 1000);
	assert_int_equal(
		lz4_block_decode(packed, (size_t)n, room + 1000, 1000, 2000, &consumed, &err), 0);
	assert_memory_equal(room, plain, 3000);
	assert_int_equal(lz4_block_decode(packed, (size_t)n, room, 0, 2000, &consumed, &err),
			 -ERR_FORMAT);
}

static void a_match_may_start_nine_bytes_before_the_end(void **state)
{
	/* 8 literals, 4 bytes from 8 back, 5 literals: as Lucene writes, and liblz4 refuses. */
	static const uint8_t packed[] = {0x80, 'a', 'b',  'c', 'd', 'e', 'f', 'g', 'h',
					 8,    0,   0x50, 'v', 'w', 'x', 'y', 'z'};
	uint8_t room[17 + LZ4_BLOCK_SLACK];
	struct err err = {0};
	size_t consumed;

	(void)state;
	assert_int_equal(lz4_block_decode(packed, sizeof(packed), room, 0, 17, &consumed, &err), 0);
	assert_memory_equal(room, "abcdefghabcdvwxyz", 17);
	assert_int_equal(consumed, sizeof(packed));
	assert_true(LZ4_decompress_safe((const char *)packed, (char *)room, sizeof(packed), 17) <
		    0);
}

static void a_block_of_nothing_is_one_byte(void **state)
{
	uint8_t room[LZ4_BLOCK_SLACK];
	struct err err = {0};
	size_t consumed;

	(void)state;
	assert_int_equal(lz4_block_decode((const uint8_t *)"\0x", 2, room, 0, 0, &consumed, &err),
			 0);
	assert_int_equal(consumed, 1);
}

static void a_cut_block_is_refused(void **state)
{
	struct err err = {0};
	size_t consumed;

	(void)state;
	for (int i = 0; i < 300; i++) {
		cleanup(block_release) struct block b = make_block(1 + (size_t)(rand() % 400));
		size_t len = (size_t)rand() % b.packed_len;
		uint8_t *cut = mem_alloc(len);

		memcpy(cut, b.packed, len);
		assert_int_equal(
			lz4_block_decode(cut, len, b.room, 0, b.plain_len, &consumed, &err),
			-ERR_FORMAT);
		assert_int_equal(lz4_block_skip(cut, len, b.plain_len, &consumed, &err),
				 -ERR_FORMAT);
		free(cut);
	}
}

/* The sanitizer is the judge; and walking and decoding agree on the length. */
static void damage_never_leads_out_of_bounds(void **state)
{
	struct err err = {0};
	size_t consumed, skipped;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		cleanup(block_release) struct block b = make_block(1 + (size_t)(rand() % 300));
		int decoded;

		for (int flips = 1 + rand() % 4; flips > 0; flips--)
			b.packed[(size_t)rand() % b.packed_len] =
				(uint8_t)(rand() % 3 ? rand() : 255);
		decoded = lz4_block_decode(b.packed, b.packed_len, b.room, 0, b.plain_len,
					   &consumed, &err);
		if (decoded < 0)
			continue;
		assert_int_equal(
			lz4_block_skip(b.packed, b.packed_len, b.plain_len, &skipped, &err), 0);
		assert_int_equal(consumed, skipped);
	}
}

int main(void)
{
	unsigned seed =
		getenv("SEED") ? (unsigned)strtoul(getenv("SEED"), NULL, 10) : (unsigned)time(NULL);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_blocks_of_liblz4_decode_to_what_went_in),
		cmocka_unit_test(what_follows_a_block_is_left_alone),
		cmocka_unit_test(matches_reach_back_into_the_prefix),
		cmocka_unit_test(a_match_may_start_nine_bytes_before_the_end),
		cmocka_unit_test(a_block_of_nothing_is_one_byte),
		cmocka_unit_test(a_cut_block_is_refused),
		cmocka_unit_test(damage_never_leads_out_of_bounds),
	};

	printf("SEED=%u\n", seed);
	srand(seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
