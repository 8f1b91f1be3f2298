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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_metric_has_help_type_and_samples),
		cmocka_unit_test(labels_are_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
