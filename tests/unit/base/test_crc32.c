#include "base/crc32.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>
#include <zlib.h>

static uint8_t bytes[70000];

static unsigned fill(void)
{
	unsigned seed = (unsigned)time(NULL);

	printf("SEED=%u\n", seed);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		seed = seed * 1103515245 + 12345;
		bytes[i] = (uint8_t)(seed >> 16);
	}
	return seed;
}

static void it_is_zlibs_at_every_length_and_alignment(void **state)
{
	(void)state;
	fill();
	for (size_t len = 0; len < 3000; len++) {
		const uint8_t *from = bytes + len % 67;

		assert_int_equal(crc32_update(0, from, len), crc32(0, from, (uInt)len));
	}
}

static void it_goes_on_from_any_point(void **state)
{
	unsigned random = fill();
	uint32_t whole = (uint32_t)crc32(0, bytes, sizeof(bytes));

	(void)state;
	for (int i = 0; i < 200; i++) {
		size_t cut;

		random = random * 1103515245 + 12345;
		cut = (random >> 8) % sizeof(bytes);
		assert_int_equal(
			crc32_update(crc32_update(0, bytes, cut), bytes + cut, sizeof(bytes) - cut),
			whole);
	}
}

static void the_parts_give_the_whole_and_back(void **state)
{
	uint32_t first, second, whole;

	(void)state;
	fill();
	first = crc32_update(0, bytes, 5000);
	second = crc32_update(0, bytes + 5000, 60000);
	whole = crc32_update(0, bytes, 65000);
	assert_int_equal(crc32_join(first, second, 60000), whole);
	assert_int_equal(crc32_rest(whole, first, 60000), second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_zlibs_at_every_length_and_alignment),
		cmocka_unit_test(it_goes_on_from_any_point),
		cmocka_unit_test(the_parts_give_the_whole_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
