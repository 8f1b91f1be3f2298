#include "lucene/stored_fields_internal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* A document that is all of a chunk, as the generation wrote it. */
static struct stored_field_cursor cursor_over(struct str document, uint32_t fields, bool little)
{
	static struct stored_fields reader;
	static uint32_t starts[2], counts[1];
	struct stored_chunk chunk = {0, 1, (const uint8_t *)document.ptr, starts, counts};

	starts[1] = (uint32_t)document.len;
	counts[0] = fields;
	reader.format = little ? &stored_format_90_fast : &stored_format_50_fast;
	return stored_field_cursor_at(&reader, &chunk, 0);
}

static struct stored_field read_one(struct str document, bool little)
{
	struct stored_field_cursor cursor = cursor_over(document, 1, little);
	struct stored_field field;
	struct err err = {0};

	assert_int_equal(stored_field_next(&cursor, &field, &err), 1);
	assert_int_equal(rd_left(&cursor.rd), 0);
	assert_int_equal(stored_field_next(&cursor, &field, &err), 0);
	return field;
}

static int64_t integer(struct str document)
{
	int64_t big = read_one(document, false).integer;

	assert_int_equal(big, read_one(document, true).integer);
	return big;
}

static void strings_and_bytes_are_borrowed_with_their_field_number(void **state)
{
	struct stored_field field = read_one(STR("\x98\x01\x03xyz"), false);

	(void)state;
	assert_int_equal(field.number, 19);
	assert_int_equal(field.type, STORED_STRING);
	assert_true(str_is(field.bytes, "xyz"));
	field = read_one(STR("\x09\x00"), false);
	assert_int_equal(field.number, 1);
	assert_int_equal(field.type, STORED_BYTES);
	assert_int_equal(field.bytes.len, 0);
}

static void integers_are_zigzag(void **state)
{
	(void)state;
	assert_int_equal(integer(STR("\x02\x00")), 0);
	assert_int_equal(integer(STR("\x02\x01")), -1);
	assert_int_equal(integer(STR("\x02\xff\xff\xff\xff\x0f")), INT32_MIN);
	assert_int_equal(integer(STR("\x02\xfe\xff\xff\xff\x0f")), INT32_MAX);
}

static void longs_count_seconds_hours_and_days(void **state)
{
	(void)state;
	assert_int_equal(integer(STR("\x04\x01")), -1);
	assert_int_equal(integer(STR("\x04\x42")), 1000);
	assert_int_equal(integer(STR("\x04\x84")), 2 * 3600000);
	assert_int_equal(integer(STR("\x04\xc1")), -86400000);
	/* 19675 days: zigzag 39350 = 22 + 32 * 1229 */
	assert_int_equal(integer(STR("\x04\xf6\xcd\x09")), INT64_C(19675) * 86400000);
	assert_int_equal(integer(STR("\x04\x3f\xff\xff\xff\xff\xff\xff\xff\xff\x07")), INT64_MIN);
}

static void floats_are_small_integers_or_bits_in_the_order_of_the_generation(void **state)
{
	(void)state;
	assert_true(read_one(STR("\x03\x80"), false).floating == -1);
	assert_true(read_one(STR("\x03\xfe"), false).floating == 125);
	assert_true(read_one(STR("\x03\x3f\xc0\x00\x00"), false).floating == 1.5);
	assert_true(read_one(STR("\x03\x3f\x00\xc0\x00"), true).floating == 1.5);
	assert_true(read_one(STR("\x03\xff\xbf\xc0\x00\x00"), false).floating == -1.5);
	assert_true(read_one(STR("\x03\xff\x00\x00\xc0\xbf"), true).floating == -1.5);
}

static void doubles_are_small_integers_floats_or_bits(void **state)
{
	(void)state;
	assert_true(read_one(STR("\x05\x80"), false).floating == -1);
	assert_true(read_one(STR("\x05\xfd"), false).floating == 124);
	assert_true(read_one(STR("\x05\xfe\xbf\xc0\x00\x00"), false).floating == -1.5);
	assert_true(read_one(STR("\x05\xfe\x00\x00\xc0\xbf"), true).floating == -1.5);
	/* 0x3FB999999999999A, then the same below zero */
	assert_true(read_one(STR("\x05\x3f\xb9\x99\x99\x99\x99\x99\x9a"), false).floating == 0.1);
	assert_true(read_one(STR("\x05\x3f\x99\x99\x99\xb9\x99\x99\x9a"), true).floating == 0.1);
	assert_true(read_one(STR("\x05\xff\xbf\xb9\x99\x99\x99\x99\x99\x9a"), false).floating ==
		    -0.1);
	assert_true(read_one(STR("\x05\xff\x9a\x99\x99\x99\x99\x99\xb9\xbf"), true).floating ==
		    -0.1);
}

static void refuse(struct str document)
{
	struct stored_field_cursor cursor = cursor_over(document, 1, false);
	struct stored_field field;
	struct err err = {0};

	assert_int_equal(stored_field_next(&cursor, &field, &err), -ERR_FORMAT);
}

static void a_field_that_leaves_the_document_or_is_of_no_type_is_refused(void **state)
{
	(void)state;
	refuse(STR(""));
	refuse(STR("\x08\x04xyz"));
	refuse(STR("\x08\xff\xff\xff\xff\x0fxyz"));
	refuse(STR("\x05\xff\xbf\xb9\x99\x99\x99\x99\x99"));
	refuse(STR("\x06\x00"));
	refuse(STR("\x07\x00"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_and_bytes_are_borrowed_with_their_field_number),
		cmocka_unit_test(integers_are_zigzag),
		cmocka_unit_test(longs_count_seconds_hours_and_days),
		cmocka_unit_test(floats_are_small_integers_or_bits_in_the_order_of_the_generation),
		cmocka_unit_test(doubles_are_small_integers_floats_or_bits),
		cmocka_unit_test(a_field_that_leaves_the_document_or_is_of_no_type_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
