#include "lucene/inversion.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct inversion *inversion_of(int64_t pairs)
{
	struct inversion *inversion;
	struct err err;

	assert_int_equal(inversion_new(4, pairs, MIB(1), &inversion, &err), 0);
	return inversion;
}

static void add(struct inversion *inversion, const char *value, int32_t doc, int32_t position)
{
	struct err err;

	if (value)
		assert_int_equal(inversion_value(inversion, str_from(value), &err), 0);
	assert_int_equal(inversion_add(inversion, doc, position, &err), 0);
}

static void each_document_has_its_values_in_their_order(void **state)
{
	struct inversion *inversion = inversion_of(6);
	struct inverted_values values;

	(void)state;
	add(inversion, "a", 3, -1);
	add(inversion, NULL, 0, -1);
	add(inversion, NULL, 3, -1);
	add(inversion, "", 1, -1);
	add(inversion, "c", 0, -1);
	add(inversion, NULL, 3, -1);
	inversion_finish(inversion);
	inversion_get(inversion, 0, &values);
	assert_int_equal(values.count, 2);
	assert_true(str_is(values.list[0].bytes, "a") && str_is(values.list[1].bytes, "c"));
	inversion_get(inversion, 1, &values);
	assert_int_equal(values.count, 1);
	assert_int_equal(values.list[0].bytes.len, 0);
	inversion_get(inversion, 2, &values);
	assert_int_equal(values.count, 0);
	inversion_get(inversion, 3, &values);
	assert_int_equal(values.count, 3);
	assert_true(str_is(values.list[1].bytes, "a") && str_is(values.list[2].bytes, "c"));
	inversion_get(inversion, 4, &values);
	assert_int_equal(values.count, 0);
	inversion_free(inversion);
}

static void tokens_are_in_the_order_of_their_positions(void **state)
{
	struct inversion *inversion = inversion_of(3);
	struct inverted_values values;

	(void)state;
	add(inversion, "a", 2, 7);
	add(inversion, "b", 2, 0);
	add(inversion, NULL, 2, 9);
	inversion_finish(inversion);
	inversion_get(inversion, 2, &values);
	assert_int_equal(values.count, 3);
	assert_true(str_is(values.list[0].bytes, "b") && values.list[0].position == 0);
	assert_true(str_is(values.list[1].bytes, "a") && values.list[1].position == 7);
	assert_true(str_is(values.list[2].bytes, "b") && values.list[2].position == 9);
	inversion_free(inversion);
}

/* Values of documents far apart, of more than are put in order at once; the n-th value is n. */
static void many_documents_have_their_values_too(void **state)
{
	enum { DOCS = 5003, VALUES = 900 };
	struct inversion *inversion;
	struct inverted_values values;
	struct err err = {0};
	char text[16];

	(void)state;
	assert_int_equal(inversion_new(DOCS, DOCS + VALUES, MIB(16), &inversion, &err), 0);
	for (int i = 0; i < VALUES; i++) {
		snprintf(text, sizeof(text), "%03d", i);
		assert_int_equal(inversion_value(inversion, str_from(text), &err), 0);
		for (int doc = i; doc < DOCS; doc += VALUES)
			assert_int_equal(inversion_add(inversion, doc, -1, &err), 0);
		assert_int_equal(inversion_add(inversion, i * 7919 % DOCS, -1, &err), 0);
	}
	inversion_finish(inversion);
	for (int doc = 0; doc < DOCS; doc++) {
		size_t own = 0, others = 0;

		inversion_get(inversion, doc, &values);
		for (size_t i = 0; i < values.count; i++) {
			uint64_t value;

			assert_true(str_to_u64(values.list[i].bytes, &value));
			own += (int)value == doc % VALUES;
			others +=
				(int)value != doc % VALUES && value * 7919 % DOCS == (unsigned)doc;
		}
		assert_true(own > 0);
		assert_int_equal(own + others, values.count);
	}
	inversion_free(inversion);
}

static void what_nobody_spoke_of_is_refused(void **state)
{
	struct inversion *inversion = inversion_of(1);
	struct err err = {0};

	(void)state;
	assert_int_equal(inversion_value(inversion, STR("a"), &err), 0);
	assert_int_equal(inversion_add(inversion, 4, -1, &err), -ERR_FORMAT);
	assert_int_equal(inversion_add(inversion, -1, -1, &err), -ERR_FORMAT);
	assert_int_equal(inversion_add(inversion, 0, -1, &err), 0);
	assert_int_equal(inversion_add(inversion, 1, -1, &err), -ERR_FORMAT);
	inversion_free(inversion);
}

static void more_than_is_allowed_is_refused_before_and_while_it_is_read(void **state)
{
	struct inversion *inversion;
	char value[KIB(64)] = {0};
	struct err err = {0};
	int rc = 0;

	(void)state;
	assert_int_equal(inversion_new(4, 1 << 20, MIB(1), &inversion, &err), -ERR_LIMIT);
	assert_non_null(strstr(err.message, "1 MiB are allowed"));
	assert_int_equal(inversion_new(4, -1, MIB(1), &inversion, &err), -ERR_LIMIT);
	inversion = inversion_of(100);
	for (int i = 0; i < 100 && rc == 0; i++)
		rc = inversion_value(inversion, str_of(value, sizeof(value)), &err);
	assert_int_equal(rc, -ERR_LIMIT);
	inversion_free(inversion);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_document_has_its_values_in_their_order),
		cmocka_unit_test(tokens_are_in_the_order_of_their_positions),
		cmocka_unit_test(many_documents_have_their_values_too),
		cmocka_unit_test(what_nobody_spoke_of_is_refused),
		cmocka_unit_test(more_than_is_allowed_is_refused_before_and_while_it_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
