#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes_source.h"
#include "base/rd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void a_buffer_refuses_to_grow_past_its_ceiling_and_says_so(void **state)
{
	cleanup(buf_release) struct buf b = BUF_INIT(8);
	struct err err = {0};

	(void)state;
	buf_append(&b, "12345678", 8);
	assert_int_equal(buf_check(&b, "body", &err), 0);
	buf_append_byte(&b, '9');
	assert_int_equal(buf_check(&b, "body", &err), -ERR_LIMIT);
	assert_string_equal(err.message, "body is larger than the limit of 8 bytes");
}

static void an_arena_keeps_its_largest_block_over_a_reset(void **state)
{
	struct arena a = ARENA_INIT(MIB(1));
	char *p;

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_non_null(arena_alloc(&a, 1000));
	assert_null(arena_alloc(&a, MIB(2)));
	arena_reset(&a);
	p = arena_alloc(&a, 10);
	assert_non_null(p);
	memset(p, 7, 10);
	arena_release(&a);
}

static void a_cursor_fails_once_and_stays_failed(void **state)
{
	struct rd r = rd_over(STR("\x80\x01\x05"));
	struct err err = {0};

	(void)state;
	assert_int_equal(rd_vint(&r), 128);
	assert_int_equal(rd_be32(&r), 0);
	assert_int_equal(rd_u8(&r), 0);
	assert_int_equal(rd_check(&r, "header", &err), -ERR_FORMAT);
}

static void minus_one_is_a_vint_of_five_bytes(void **state)
{
	struct rd r = rd_over(STR("\xff\xff\xff\xff\x0f"));

	(void)state;
	assert_int_equal((int32_t)rd_vint(&r), -1);
	assert_int_equal(rd_left(&r), 0);
	assert_false(r.failed);
}

static void a_slice_reads_its_own_range_only(void **state)
{
	struct bytes_source *whole = memory_source_new(STR("0123456789"), STR("whole")), *slice;
	struct err err = {0};
	char got[4];

	(void)state;
	assert_int_equal(slice_source_open(whole, 3, 4, STR("part"), &slice, &err), 0);
	assert_int_equal(bytes_source_read(slice, 0, got, 4, &err), 0);
	assert_memory_equal(got, "3456", 4);
	assert_int_equal(bytes_source_read(slice, 1, got, 4, &err), -ERR_FORMAT);
	assert_int_equal(slice_source_open(whole, 8, 4, STR("part"), &slice, &err), -ERR_FORMAT);
	bytes_source_close(slice);
	bytes_source_close(whole);
}

static void a_wrapped_error_keeps_its_kind_and_reads_from_outside_in(void **state)
{
	struct err err = {0};

	(void)state;
	err_set(&err, ERR_FORMAT, "bad magic");
	assert_int_equal(err_wrap(&err, "blob '%s'", "x"), -ERR_FORMAT);
	assert_string_equal(err.message, "blob 'x': bad magic");
	assert_int_equal(err_exit_code(&err), EXIT_CODE_SOURCE_UNREADABLE);
}

static void a_buffer_that_takes_its_limit_keeps_its_place_to_the_last_byte(void **state)
{
	struct buf b = BUF_INIT(MIB(3) + 5);
	char *first;

	(void)state;
	buf_take_limit(&b);
	first = b.ptr;
	for (size_t i = 0; i < MIB(3) + 5; i++)
		buf_append_byte(&b, (char)i);
	assert_ptr_equal(b.ptr, first);
	assert_int_equal(b.len, MIB(3) + 5);
	buf_append_byte(&b, 'x');
	assert_true(b.failed);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_buffer_refuses_to_grow_past_its_ceiling_and_says_so),
		cmocka_unit_test(an_arena_keeps_its_largest_block_over_a_reset),
		cmocka_unit_test(a_cursor_fails_once_and_stays_failed),
		cmocka_unit_test(minus_one_is_a_vint_of_five_bytes),
		cmocka_unit_test(a_slice_reads_its_own_range_only),
		cmocka_unit_test(a_wrapped_error_keeps_its_kind_and_reads_from_outside_in),
		cmocka_unit_test(a_buffer_that_takes_its_limit_keeps_its_place_to_the_last_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
