#include "replay/spread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { NOW = 1000000 };

static struct captured_piece pieces[1000];

static struct captured_message message(size_t count, size_t piece_bytes, int64_t apart_ms)
{
	for (size_t i = 0; i < count; i++)
		pieces[i] =
			(struct captured_piece){{1700000000 + (int64_t)i * apart_ms / 1000,
						 (int32_t)((int64_t)i * apart_ms % 1000 * 1000000)},
						(i + 1) * piece_bytes};
	return (struct captured_message){
		.len = count * piece_bytes, .pieces = pieces, .piece_count = count};
}

static void parts_go_out_as_they_came(void **state)
{
	const struct captured_message captured = message(3, 100, 1500);
	struct target_part parts[SPREAD_PARTS_MOST];

	(void)state;
	assert_int_equal(spread_parts(&captured, 300, true, 1, NOW, NOW, parts), 3);
	assert_int_equal(parts[0].end, 100);
	assert_int_equal(parts[0].due_ms, NOW);
	assert_int_equal(parts[1].end, 200);
	assert_int_equal(parts[1].due_ms, NOW + 1500);
	assert_int_equal(parts[2].end, 300);
	assert_int_equal(parts[2].due_ms, NOW + 3000);
	/* Ten times as fast. */
	assert_int_equal(spread_parts(&captured, 300, true, 10, NOW, NOW, parts), 3);
	assert_int_equal(parts[2].due_ms, NOW + 300);
}

static void a_body_is_cut_where_it_was_cut_though_the_head_is_another(void **state)
{
	const struct captured_message captured = message(2, 100, 1000);
	struct target_part parts[SPREAD_PARTS_MOST];

	(void)state;
	assert_int_equal(spread_parts(&captured, 250, true, 1, NOW, NOW, parts), 2);
	assert_int_equal(parts[0].end, 150);
	assert_int_equal(parts[1].end, 250);
	/* Another body in the same proportions. */
	assert_int_equal(spread_parts(&captured, 250, false, 1, NOW, NOW, parts), 2);
	assert_int_equal(parts[0].end, 125);
	assert_int_equal(parts[1].end, 250);
	/* A part of which nothing is left. */
	assert_int_equal(spread_parts(&captured, 90, true, 1, NOW, NOW, parts), 0);
}

static void what_came_together_or_is_late_goes_at_once(void **state)
{
	struct captured_message captured = message(2, 100, SPREAD_LEAST_MS - 1);
	struct target_part parts[SPREAD_PARTS_MOST];

	(void)state;
	assert_int_equal(spread_parts(&captured, 200, true, 1, NOW, NOW, parts), 0);
	captured = message(2, 100, 1000);
	assert_int_equal(spread_parts(&captured, 200, true, 1, NOW - 1000, NOW, parts), 0);
	assert_int_equal(spread_parts(&captured, 200, true, 1e9, NOW, NOW, parts), 0);
	captured = message(1, 100, 1000);
	assert_int_equal(spread_parts(&captured, 100, true, 1, NOW, NOW, parts), 0);
}

static void parts_and_time_are_bounded(void **state)
{
	struct captured_message captured = message(1000, 10, 1);
	struct target_part parts[SPREAD_PARTS_MOST];
	size_t count;

	(void)state;
	count = spread_parts(&captured, 10000, true, 1, NOW, NOW, parts);
	assert_in_range(count, 2, SPREAD_PARTS_MOST);
	assert_int_equal(parts[count - 1].end, 10000);
	assert_in_range(parts[count - 1].due_ms, NOW + 900, NOW + 999);
	for (size_t i = 1; i < count; i++) {
		assert_true(parts[i].end > parts[i - 1].end);
		assert_true(parts[i].due_ms > parts[i - 1].due_ms);
	}
	captured = message(3, 10, 3600000);
	count = spread_parts(&captured, 30, true, 1, NOW, NOW, parts);
	assert_int_equal(count, 3);
	assert_int_equal(parts[1].due_ms, NOW + SPREAD_MOST_MS / 2);
	assert_int_equal(parts[2].due_ms, NOW + SPREAD_MOST_MS);
}

static void a_clock_that_went_back_keeps_the_order(void **state)
{
	struct captured_message captured = message(3, 100, 1000);
	struct target_part parts[SPREAD_PARTS_MOST];

	(void)state;
	pieces[1].time.seconds -= 100;
	assert_int_equal(spread_parts(&captured, 300, true, 1, NOW, NOW, parts), 2);
	assert_int_equal(parts[0].end, 200);
	assert_int_equal(parts[1].end, 300);
	assert_int_equal(parts[1].due_ms, NOW + 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_go_out_as_they_came),
		cmocka_unit_test(a_body_is_cut_where_it_was_cut_though_the_head_is_another),
		cmocka_unit_test(what_came_together_or_is_late_goes_at_once),
		cmocka_unit_test(parts_and_time_are_bounded),
		cmocka_unit_test(a_clock_that_went_back_keeps_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
