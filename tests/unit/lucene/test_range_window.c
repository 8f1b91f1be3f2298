#include "lucene/range_window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SIZE (16 * RANGE_WINDOW_SIZE)

/* Counts what is read of it. */
struct counting {
	struct bytes_source base;
	size_t read;
	bool remote;
};

static uint8_t byte_at(uint64_t offset)
{
	return (uint8_t)(offset * 31 + (offset >> 8));
}

static int counting_read(struct bytes_source *src, uint64_t offset, void *dst, size_t len,
			 struct err *err)
{
	(void)err;
	((struct counting *)src)->read += len;
	for (size_t i = 0; i < len; i++)
		((uint8_t *)dst)[i] = byte_at(offset + i);
	return 0;
}

static bool counting_is_remote(const struct bytes_source *src)
{
	return ((const struct counting *)src)->remote;
}

static const struct bytes_source_ops ops = {.read_at = counting_read,
					    .is_remote = counting_is_remote};

static void expect(struct range_window *w, uint64_t offset, size_t len)
{
	const uint8_t *bytes;
	struct err err;

	assert_int_equal(range_window_need(w, offset, len, &bytes, &err), 0);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(bytes[i], byte_at(offset + i));
}

static char name[] = "counting";

static void bytes_are_those_of_the_file_wherever_they_are(void **state)
{
	struct counting source = {.base = {.ops = &ops, .size = SIZE, .name = name}};
	struct range_window w;
	uint64_t next = 88172645463325252ULL;

	(void)state;
	range_window_init(&w, &source.base, SIZE);
	for (int i = 0; i < 2000; i++) {
		size_t len = (size_t)(next >> 40) % (i % 20 ? 300 : RANGE_WINDOW_SIZE + 1);

		expect(&w, (next >> 8) % (SIZE - len + 1), len);
		next = next * 6364136223846793005ULL + 1442695040888963407ULL;
	}
	expect(&w, 0, RANGE_WINDOW_SIZE);
	expect(&w, SIZE - 1, 1);
	expect(&w, SIZE, 0);
	range_window_release(&w);
}

static size_t read_of_jumps(bool remote)
{
	struct counting source = {.base = {.ops = &ops, .size = SIZE, .name = name},
				  .remote = remote};
	struct range_window w;

	range_window_init(&w, &source.base, SIZE);
	for (int i = 0; i < 100; i++)
		expect(&w, (uint64_t)(i % 2 ? 1 : 12) * RANGE_WINDOW_SIZE, 100);
	range_window_release(&w);
	return source.read;
}

static void jumps_in_a_file_at_hand_do_not_read_whole_windows(void **state)
{
	struct counting source = {.base = {.ops = &ops, .size = SIZE, .name = name}};
	struct range_window w;

	(void)state;
	assert_int_equal(read_of_jumps(true), 100 * RANGE_WINDOW_SIZE);
	assert_true(read_of_jumps(false) < 10 * RANGE_WINDOW_SIZE);
	/* Onward, no byte is read twice. */
	range_window_init(&w, &source.base, SIZE);
	for (uint64_t at = 0; at < SIZE; at += 128)
		expect(&w, at, 128);
	assert_int_equal(source.read, SIZE);
	range_window_release(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_those_of_the_file_wherever_they_are),
		cmocka_unit_test(jumps_in_a_file_at_hand_do_not_read_whole_windows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
