#include "base/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void a_metric_has_help_type_and_samples(void **state)
{
	static const struct metric metric = {"docs_total", "Documents\nsent \\.", METRIC_COUNTER};
	cleanup(buf_release) struct buf out = BUF_INIT(KIB(4));

	(void)state;
	metric_put(&out, &metric, 12345678901.0);
	assert_string_equal(buf_cstr(&out), "# HELP docs_total Documents\\nsent \\\\.\n"
					    "# TYPE docs_total counter\n"
					    "docs_total 12345678901\n");
}

static void labels_are_escaped(void **state)
{
	static const struct metric metric = {"lag", "Lag.", METRIC_GAUGE};
	const struct metric_label labels[] = {{"index", STR("a\"b\\c\nd")}, {"n", STR("1")}};
	cleanup(buf_release) struct buf out = BUF_INIT(KIB(4));

	(void)state;
	metric_begin(&out, &metric);
	metric_sample(&out, &metric, labels, COUNT_OF(labels), 0.5);
	assert_string_equal(buf_cstr(&out), "# HELP lag Lag.\n"
					    "# TYPE lag gauge\n"
					    "lag{index=\"a\\\"b\\\\c\\nd\",n=\"1\"} 0.5\n");
}

static void an_activity_has_a_count_failures_and_a_histogram(void **state)
{
	static const char *const lines[] = {
		"# TYPE commitCount_total counter\ncommitCount_total 5\n",
		"\ncommitExceptionCount_total 1\n",
		"# TYPE commitDuration_milliseconds histogram\n"
		"commitDuration_milliseconds_bucket{le=\"0.125\"} 2\n"
		"commitDuration_milliseconds_bucket{le=\"0.25\"} 3\n",
		"{le=\"65536\"} 3\ncommitDuration_milliseconds_bucket{le=\"131072\"} 4\n"
		"commitDuration_milliseconds_bucket{le=\"+Inf\"} 5\n"
		"commitDuration_milliseconds_sum 262144.252\n"
		"commitDuration_milliseconds_count 5\n",
	};
	struct duration_tally tally = {0};
	cleanup(buf_release) struct buf out = BUF_INIT(KIB(8));

	(void)state;
	duration_tally_add(&tally, -1);
	duration_tally_add(&tally, 125);
	duration_tally_add(&tally, 126);
	duration_tally_add_failed(&tally, INT64_C(125) << 20);
	duration_tally_add(&tally, (INT64_C(125) << 20) + 1);
	metric_put_activity(&out, "commit", "Commits.", &tally);
	for (size_t i = 0; i < COUNT_OF(lines); i++)
		if (!strstr(buf_cstr(&out), lines[i]))
			fail_msg("%s is not in %s", lines[i], buf_cstr(&out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_metric_has_help_type_and_samples),
		cmocka_unit_test(labels_are_escaped),
		cmocka_unit_test(an_activity_has_a_count_failures_and_a_histogram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
