#include "base/lzf.h"

#include "base/bytes_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#define CHUNK_MAX 65535u

static void assert_golden(const char *name, struct str plain)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(1));
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	struct str path = arena_printf(&mem, "%s/%s.lzf", GOLDENS, name), bytes;
	struct err err;

	assert_int_equal(file_source_open(path.ptr, &source, &err), 0);
	assert_int_equal(bytes_source_read_all(source, &mem, MIB(1), &bytes, &err), 0);
	if (lzf_decode(&out, bytes, &err) < 0)
		fail_msg("%s: %s", name, err.message);
	assert_int_equal(out.len, plain.len);
	if (plain.len > 0)
		assert_memory_equal(out.ptr, plain.ptr, plain.len);
}

/* What compress-lzf wrote (lzf/WriteGoldens.java). */
static void chunks_of_compress_lzf_decode_to_what_went_in(void **state)
{
	static const char zeros[70000];
	cleanup(buf_release) struct buf counted = BUF_INIT(MIB(1));
	uint32_t generator = 1;
	char noise[300];

	(void)state;
	for (int i = 0; i < 4000; i++)
		buf_printf(&counted, "line %d of the text\n", i);
	for (size_t i = 0; i < sizeof(noise); i++) {
		generator = generator * 1103515245u + 12345;
		noise[i] = (char)(generator >> 16);
	}
	assert_golden("counted", buf_str(&counted));
	assert_golden("noise", str_of(noise, sizeof(noise)));
	assert_golden("zeros", str_of(zeros, sizeof(zeros)));
	assert_golden("empty", STR_NONE);
}

static void put_literals(struct buf *to, struct str literals)
{
	for (size_t at = 0; at < literals.len; at += 32) {
		size_t run = MIN(literals.len - at, (size_t)32);

		buf_append_byte(to, (char)(run - 1));
		buf_append(to, literals.ptr + at, run);
	}
}

static void put_match(struct buf *to, size_t distance, size_t length)
{
	size_t back = distance - 1, l = length - 2;

	buf_append_byte(to, (char)(MIN(l, (size_t)7) << 5 | back >> 8));
	if (l >= 7)
		buf_append_byte(to, (char)(l - 7));
	buf_append_byte(to, (char)(back & 0xff));
}

/* Random literals and matches: what they stand for goes to `plain`. */
static void put_random_chunk(struct buf *packed, struct buf *plain)
{
	cleanup(buf_release) struct buf body = BUF_INIT(CHUNK_MAX);
	size_t start = plain->len, most = (size_t)rand() % 5000;

	while (plain->len - start < most) {
		size_t done = plain->len - start, length;

		if (done == 0 || rand() % 3 == 0) {
			length = 1 + (size_t)rand() % 100;
			for (size_t i = 0; i < length; i++)
				buf_append_byte(plain, (char)rand());
			put_literals(&body, str_of(plain->ptr + start + done, length));
		} else {
			size_t distance = 1 + (size_t)rand() % MIN(done, (size_t)8192);

			length = 3 + (size_t)rand() % (rand() % 2 ? 8 : 262);
			put_match(&body, distance, length);
			for (size_t i = 0; i < length; i++)
				buf_append_byte(plain, plain->ptr[plain->len - distance]);
		}
	}
	most = plain->len - start;
	buf_append(packed,
		   (char[]){'Z', 'V', 1, (char)(body.len >> 8), (char)body.len, (char)(most >> 8),
			    (char)most},
		   7);
	buf_append_str(packed, buf_str(&body));
}

/* At their exact size, so that the sanitizer sees a byte read past them. */
static char *exact(struct str bytes)
{
	char *copy = mem_alloc(bytes.len + (bytes.len == 0));

	if (bytes.len > 0)
		memcpy(copy, bytes.ptr, bytes.len);
	return copy;
}

static void random_chunks_decode_to_what_they_stand_for(void **state)
{
	struct err err;

	(void)state;
	for (int i = 0; i < 500; i++) {
		cleanup(buf_release) struct buf packed = BUF_INIT(MIB(1)), plain = BUF_INIT(MIB(1));
		cleanup(buf_release) struct buf out = BUF_INIT(MIB(1));
		cleanup(mem_freep) char *bytes = NULL;

		for (int chunks = 1 + rand() % 4; chunks > 0; chunks--)
			put_random_chunk(&packed, &plain);
		bytes = exact(buf_str(&packed));
		if (lzf_decode(&out, str_of(bytes, packed.len), &err) < 0)
			fail_msg("%s", err.message);
		assert_true(str_eq(buf_str(&out), buf_str(&plain)));
	}
}

/* The sanitizer is the judge of the reads and writes. */
static void damage_never_leads_out_of_bounds(void **state)
{
	int refused = 0;
	struct err err;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		cleanup(buf_release) struct buf packed = BUF_INIT(MIB(1)), plain = BUF_INIT(MIB(1));
		cleanup(buf_release) struct buf out = BUF_INIT(MIB(1));
		cleanup(mem_freep) char *bytes = NULL;

		put_random_chunk(&packed, &plain);
		bytes = exact(buf_str(&packed));
		for (int flips = 1 + rand() % 3; flips > 0; flips--)
			bytes[(size_t)rand() % packed.len] ^= (char)(1 << rand() % 8);
		refused +=
			lzf_decode(&out, str_of(bytes, packed.len - (size_t)rand() % 2), &err) < 0;
	}
	assert_true(refused > 0);
}

static void assert_refused(struct str bytes, const char *why)
{
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(1));
	struct err err;

	assert_int_equal(lzf_decode(&out, bytes, &err), -ERR_FORMAT);
	assert_string_equal(err.message, why);
}

static void what_is_no_chunk_is_refused_with_its_byte(void **state)
{
	(void)state;
	assert_refused(STR("ZW"), "LZF is damaged: no chunk starts at byte 0");
	assert_refused(STR("ZV\2\0\0"), "LZF is damaged: no chunk starts at byte 0");
	assert_refused(STR("ZV\0\0\1aZ"), "LZF is damaged: no chunk starts at byte 6");
	assert_refused(STR("ZV\0"), "LZF is damaged: a chunk is cut short at byte 3");
	assert_refused(STR("ZV\1\0"), "LZF is damaged: a chunk is cut short at byte 3");
	assert_refused(STR("ZV\0\0\5abc"), "LZF is damaged: a chunk is cut short at byte 5");
	assert_refused(STR("ZV\1\0\1"), "LZF is damaged: a chunk is cut short at byte 5");
	assert_refused(STR("ZV\1\0\3\0\2\1a"), "LZF is damaged: a chunk is cut short at byte 7");
	assert_refused(STR("ZV\1\0\2\0\2\1a"),
		       "LZF is damaged: a literal or match that cannot be at byte 8");
	assert_refused(STR("ZV\1\0\2\0\2\0a"),
		       "LZF is damaged: a literal or match that cannot be at byte 9");
	assert_refused(STR("ZV\1\0\4\0\4\0a\x20\1"),
		       "LZF is damaged: a literal or match that cannot be at byte 11");
}

static void the_output_has_a_ceiling(void **state)
{
	cleanup(buf_release) struct buf out = BUF_INIT(5);
	struct err err;

	(void)state;
	assert_int_equal(lzf_decode(&out, STR("ZV\0\0\5abcde"), &err), 0);
	assert_int_equal(lzf_decode(&out, STR("ZV\0\0\1f"), &err), -ERR_LIMIT);
	buf_reset(&out);
	assert_int_equal(lzf_decode(&out, STR("ZV\1\0\4\0\6\0a\x60\0"), &err), -ERR_LIMIT);
}

int main(void)
{
	unsigned seed =
		getenv("SEED") ? (unsigned)strtoul(getenv("SEED"), NULL, 10) : (unsigned)time(NULL);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_of_compress_lzf_decode_to_what_went_in),
		cmocka_unit_test(random_chunks_decode_to_what_they_stand_for),
		cmocka_unit_test(damage_never_leads_out_of_bounds),
		cmocka_unit_test(what_is_no_chunk_is_refused_with_its_byte),
		cmocka_unit_test(the_output_has_a_ceiling),
	};

	printf("SEED=%u\n", seed);
	srand(seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
