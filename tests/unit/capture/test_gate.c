#include "capture/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct destination *destination(const char *url)
{
	struct destination_tls tls = {0};
	struct destination *out;
	struct err err = {0};

	if (destination_new(url, &tls, &out, &err) < 0)
		fail_msg("%s", err.message);
	return out;
}

/* Where requests go now, and whether they are recorded. */
static void assert_goes_to(struct gate *gate, const char *text, bool captured)
{
	bool capture;
	struct destination *now = gate_destination(gate, &capture);

	assert_string_equal(now->text, text);
	assert_int_equal(capture, captured);
	destination_unref(now);
}

static void a_closed_gate_lets_out_and_not_in(void **state)
{
	struct gate gate;

	(void)state;
	gate_init(&gate, destination("http://127.0.0.1:1"), 1000000, 100);
	assert_true(gate_enter(&gate));
	assert_true(gate_close(&gate));
	assert_false(gate_close(&gate));
	assert_false(gate_enter(&gate));
	assert_int_equal(atomic_load(&gate.in_flight), 1);
	gate_leave(&gate);
	assert_int_equal(atomic_load(&gate.in_flight), 0);
	assert_true(gate_open(&gate, GATE_RELEASED));
	assert_false(gate_open(&gate, GATE_RELEASED));
	assert_true(gate_enter(&gate));
	gate_release(&gate);
}

static void a_release_goes_where_it_was_switched_to(void **state)
{
	struct gate gate;

	(void)state;
	gate_init(&gate, destination("http://127.0.0.1:1"), 1000000, 100);
	assert_goes_to(&gate, "http://127.0.0.1:1", true);
	gate_close(&gate);
	gate_switch(&gate, destination("http://127.0.0.1:2"), false);
	gate_open(&gate, GATE_RELEASED);
	assert_goes_to(&gate, "http://127.0.0.1:2", false);
	gate_release(&gate);
}

static void a_hold_that_is_over_goes_back_to_the_source(void **state)
{
	enum gate_opened why;
	struct gate gate;

	(void)state;
	gate_init(&gate, destination("http://127.0.0.1:1"), 0, 100);
	assert_false(gate_check(&gate, &why));
	gate_close(&gate);
	gate_switch(&gate, destination("http://127.0.0.1:2"), false);
	assert_true(gate_check(&gate, &why));
	assert_int_equal(why, GATE_TIMED_OUT);
	assert_goes_to(&gate, "http://127.0.0.1:1", true);
	gate_release(&gate);
}

static void a_second_hold_goes_back_to_where_the_first_one_went(void **state)
{
	enum gate_opened why;
	struct gate gate;

	(void)state;
	gate_init(&gate, destination("http://127.0.0.1:1"), 0, 100);
	gate_close(&gate);
	gate_switch(&gate, destination("http://127.0.0.1:2"), false);
	gate_open(&gate, GATE_RELEASED);
	gate_close(&gate);
	gate_switch(&gate, destination("http://127.0.0.1:3"), true);
	assert_true(gate_check(&gate, &why));
	assert_goes_to(&gate, "http://127.0.0.1:2", false);
	gate_release(&gate);
}

static void a_hold_that_is_full_goes_back_to_the_source(void **state)
{
	enum gate_opened why;
	struct gate gate;

	(void)state;
	gate_init(&gate, destination("http://127.0.0.1:1"), 1000000, 100);
	gate_close(&gate);
	atomic_store(&gate.bytes, 100);
	assert_false(gate_check(&gate, &why));
	atomic_store(&gate.bytes, 101);
	assert_true(gate_check(&gate, &why));
	assert_int_equal(why, GATE_FULL);
	gate_release(&gate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_closed_gate_lets_out_and_not_in),
		cmocka_unit_test(a_release_goes_where_it_was_switched_to),
		cmocka_unit_test(a_hold_that_is_over_goes_back_to_the_source),
		cmocka_unit_test(a_second_hold_goes_back_to_where_the_first_one_went),
		cmocka_unit_test(a_hold_that_is_full_goes_back_to_the_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
