#include "base/crc32.h"
#include "base/crc32c.h"

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

static uint32_t castagnolis_of_a_byte_more(uint32_t crc, uint8_t byte)
{
	crc = ~crc ^ byte;
	for (int bit = 0; bit < 8; bit++)
		crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	return ~crc;
}

static void crc32c_is_that_of_its_bits_at_every_length_and_alignment(void **state)
{
	(void)state;
	fill();
	for (size_t begin = 0; begin < 67; begin += 11) {
		uint32_t expected = 0;

		for (size_t len = 0; len < 3000; len++) {
			assert_int_equal(crc32c_update(0, bytes + begin, len), expected);
			expected = castagnolis_of_a_byte_more(expected, bytes[begin + len]);
		}
	}
}

static void crc32c_goes_on_from_any_point(void **state)
{
	unsigned random = fill();
	uint32_t whole = crc32c_update(0, bytes, sizeof(bytes));

	(void)state;
	for (int i = 0; i < 200; i++) {
		size_t cut;

		random = random * 1103515245 + 12345;
		cut = (random >> 8) % sizeof(bytes);
		assert_int_equal(crc32c_update(crc32c_update(0, bytes, cut), bytes + cut,
					       sizeof(bytes) - cut),
				 whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_zlibs_at_every_length_and_alignment),
		cmocka_unit_test(it_goes_on_from_any_point),
		cmocka_unit_test(the_parts_give_the_whole_and_back),
		cmocka_unit_test(crc32c_is_that_of_its_bits_at_every_length_and_alignment),
		cmocka_unit_test(crc32c_goes_on_from_any_point),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
