#include "documents/id_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct siphash_value hash_of(const struct siphash_key *key, int i)
{
	char text[32];

	snprintf(text, sizeof(text), "id-%d", i);
	return siphash(key, str_from(text));
}

static void every_id_is_found_again_and_no_other(void **state)
{
	struct siphash_key key = siphash_key_random();
	struct id_table table = {0};

	(void)state;
	/* Far more than it was told. */
	id_table_start(&table, 10);
	for (int i = 0; i < 5000; i++)
		id_table_put(&table, hash_of(&key, i), (uint32_t)i * 3);
	assert_int_equal(table.count, 5000);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(id_table_find(&table, hash_of(&key, i)), i * 3);
	for (int i = 5000; i < 10000; i++)
		assert_int_equal(id_table_find(&table, hash_of(&key, i)), -1);
	id_table_put(&table, hash_of(&key, 7), 8);
	assert_int_equal(table.count, 5000);
	assert_int_equal(id_table_find(&table, hash_of(&key, 7)), 8);
	id_table_start(&table, 0);
	assert_int_equal(id_table_find(&table, hash_of(&key, 7)), -1);
	id_table_release(&table);
}

static void a_table_is_no_larger_than_its_memory(void **state)
{
	struct id_table table = {0};

	(void)state;
	for (size_t bytes = 1000; bytes < 1000000; bytes += 777) {
		id_table_start(&table, id_table_room(bytes));
		assert_true(table.capacity * sizeof(*table.entries) <=
			    bytes + 8 * sizeof(*table.entries));
	}
	assert_true(id_table_room(0) > 0);
	id_table_release(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_id_is_found_again_and_no_other),
		cmocka_unit_test(a_table_is_no_larger_than_its_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
