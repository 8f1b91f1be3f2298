#include "base/siphash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* Of the reference implementation: key 00 01 … 0f, texts 00 01 …. */
static void hashes_are_those_of_the_reference(void **state)
{
	static const struct {
		size_t length;
		uint8_t hash[16];
	} vectors[] = {
		{0,
		 {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7,
		  0x55, 0x02, 0x93}},
		{1,
		 {0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b,
		  0x22, 0xfc, 0x45}},
	};
	struct siphash_key key;
	char text[16];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)i;
	memcpy(&key, text, sizeof(key));
	for (size_t i = 0; i < COUNT_OF(vectors); i++) {
		struct siphash_value hash = siphash(&key, str_of(text, vectors[i].length));

		assert_memory_equal(&hash, vectors[i].hash, sizeof(hash));
	}
}

static void every_byte_counts_at_every_length(void **state)
{
	struct siphash_key key = {{1, 2}};
	char text[40] = {0};

	(void)state;
	for (size_t len = 1; len <= sizeof(text); len++)
		for (size_t i = 0; i < len; i++) {
			struct siphash_value before = siphash(&key, str_of(text, len)), after;

			text[i] ^= 0x40;
			after = siphash(&key, str_of(text, len));
			text[i] ^= 0x40;
			assert_true(before.words[0] != after.words[0] &&
				    before.words[1] != after.words[1]);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_are_those_of_the_reference),
		cmocka_unit_test(every_byte_counts_at_every_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
