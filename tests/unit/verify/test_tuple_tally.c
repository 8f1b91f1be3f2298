#include "verify/tuple_tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void percentiles_are_close(void **state)
{
	struct latency *latency = latency_new();

	(void)state;
	assert_true(latency_percentile(latency, 0.5) == 0);
	for (int64_t us = 1; us <= 1000000; us += 10)
		latency_add(latency, us);
	for (double part = 0.1; part < 1; part += 0.1) {
		double ratio = latency_percentile(latency, part) / (part * 1000000);

		assert_true(ratio > 0.997 && ratio < 1.003);
	}
	latency_add(latency, INT64_MAX);
	assert_true(latency_percentile(latency, 1) > 1e9);
	free(latency);
}

static void add(struct tuple_tally *tally, int source, int target, int64_t source_us,
		int64_t target_us)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct tuple_message request = {.method = STR("GET"), .uri = STR("/i/_doc/1")};
	struct tuple_message answers[2] = {{.status = source, .response_us = source_us},
					   {.status = target, .response_us = target_us}};
	struct tuple_pair pair = {.request = &request,
				  .source = source ? &answers[0] : NULL,
				  .target = target ? &answers[1] : NULL,
				  .connection_id = STR("c.1"),
				  .error = STR("connection reset: 10.0.0.1")};
	struct err err;

	assert_int_equal(tuple_tally_add(tally, &pair, &mem, &err), 0);
}

static void what_is_added_is_counted(void **state)
{
	const struct tuple_rules rules = {0};
	struct tuple_tally tally;

	(void)state;
	tuple_tally_init(&tally, &rules, 1);
	add(&tally, 200, 200, 1, 1);
	add(&tally, 200, 404, 1, 1);
	add(&tally, 200, 404, 1, 1);
	add(&tally, 200, 0, 1, 1);
	add(&tally, 0, 200, 1, 1);
	tuple_tally_sort(&tally);
	assert_int_equal(tally.tuples, 5);
	assert_int_equal(tally.compared, 4);
	assert_int_equal(tally.different, 3);
	assert_int_equal(tally.not_compared, 1);
	assert_int_equal(tally.errors, 1);
	assert_int_equal(tally.endpoint_count, 1);
	assert_int_equal(tally.endpoints[0]->status_count, 4);
	assert_int_equal(tally.endpoints[0]->latency[TUPLE_TARGET]->count, 3);
	assert_int_equal(tally.kinds[TUPLE_STATUS].differences, 2);
	assert_int_equal(tally.kinds[TUPLE_STATUS].example_count, 1);
	assert_int_equal(tally.kinds[TUPLE_NO_RESPONSE].differences, 1);
	assert_int_equal(tally.class_count, 3);
	assert_true(str_is(tally.classes[0].name, "404"));
	assert_true(str_is(tally.classes[2].name, "no response: connection reset"));
	tuple_tally_release(&tally);
}

static void times_of_the_same_span_are_taken_where_both_sides_have_them(void **state)
{
	const struct tuple_rules rules = {0};
	struct tuple_message request = {.method = STR("GET"), .uri = STR("/i/_doc/1")};
	struct tuple_message source = {.status = 200,
				       .response_us = 90000,
				       .has_spans = true,
				       .first_us = 10000,
				       .last_us = 20000};
	struct tuple_message target = {.status = 200,
				       .response_us = 900000,
				       .has_spans = true,
				       .first_us = 30000,
				       .last_us = 40000};
	struct tuple_pair pair = {&request, &source, &target, STR(""), STR(""), false};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct tuple_tally tally;
	struct err err;
	double ratio;

	(void)state;
	tuple_tally_init(&tally, &rules, 1);
	assert_int_equal(tuple_tally_add(&tally, &pair, &mem, &err), 0);
	assert_int_equal(tally.same_span, 1);
	ratio = tuple_latency_ratio(tally.latency, 0.99);
	assert_true(ratio > 1.99 && ratio < 2.01);
	ratio = tuple_latency_ratio(tally.endpoints[0]->first_byte, 0.99);
	assert_true(ratio > 2.98 && ratio < 3.02);
	/* One side alone says nothing. */
	source.has_spans = false;
	assert_int_equal(tuple_tally_add(&tally, &pair, &mem, &err), 0);
	assert_int_equal(tally.same_span, 1);
	assert_int_equal(tally.latency[TUPLE_TARGET]->count, 2);
	assert_int_equal(tally.first_byte[TUPLE_TARGET]->count, 1);
	assert_true(latency_percentile(tally.latency[TUPLE_TARGET], 1) > 890000);
	tuple_tally_release(&tally);
}

static bool within(const struct tuple_tally *tally, struct tuple_limits limits)
{
	cleanup(buf_release) struct buf why = BUF_INIT(KIB(4));
	bool is = tuple_tally_within(tally, &limits, &why);

	assert_int_equal(is, why.len == 0);
	return is;
}

static void limits_are_held(void **state)
{
	const struct tuple_rules rules = {0};
	struct tuple_tally tally;

	(void)state;
	tuple_tally_init(&tally, &rules, 1);
	for (int i = 0; i < 99; i++)
		add(&tally, 200, 200, 10000, 12000);
	add(&tally, 200, 500, 10000, 12000);
	assert_true(within(&tally, (struct tuple_limits){.mismatch = 0.01, .errors = -1}));
	assert_false(within(&tally, (struct tuple_limits){.mismatch = 0.009, .errors = -1}));
	assert_true(within(&tally, (struct tuple_limits){.mismatch = 1, .errors = 1}));
	assert_false(within(&tally, (struct tuple_limits){.mismatch = 1}));
	assert_true(within(&tally, (struct tuple_limits){1, 1.21, -1}));
	assert_false(within(&tally, (struct tuple_limits){1, 1.19, -1}));
	tuple_tally_release(&tally);
}

/* Names of strangers do not fill the memory. */
static void endpoints_beyond_the_limit_are_one(void **state)
{
	const struct tuple_rules rules = {0};
	struct tuple_tally tally;

	(void)state;
	tuple_tally_init(&tally, &rules, 1);
	for (int i = 0; i < TUPLE_ENDPOINTS_MAX + 100; i++) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
		struct tuple_message request = {.uri = STR("/")}, answer = {.status = 200};
		struct tuple_pair pair = {&request, &answer, &answer, STR(""), STR(""), false};
		struct err err;

		request.method = arena_printf(&mem, "M%d", i);
		assert_int_equal(tuple_tally_add(&tally, &pair, &mem, &err), 0);
	}
	assert_int_equal(tally.endpoint_count, TUPLE_ENDPOINTS_MAX + 1);
	assert_int_equal(tally.endpoints[TUPLE_ENDPOINTS_MAX]->tuples, 100);
	tuple_tally_release(&tally);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_are_close),
		cmocka_unit_test(what_is_added_is_counted),
		cmocka_unit_test(times_of_the_same_span_are_taken_where_both_sides_have_them),
		cmocka_unit_test(limits_are_held),
		cmocka_unit_test(endpoints_beyond_the_limit_are_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
