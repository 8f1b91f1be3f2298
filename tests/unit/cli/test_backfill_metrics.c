#include "cli/backfill_metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("'%s' is not in:\n%s", line, text);
}

static void counters_have_the_names_of_the_java_tool(void **state)
{
	struct progress progress = {0};
	struct backfill_metrics metrics = {.progress = &progress};
	cleanup(buf_release) struct buf out = BUF_INIT(KIB(64));

	(void)state;
	atomic_store(&progress.documents_sent, 12);
	atomic_store(&progress.documents_failed, 2);
	atomic_store(&progress.bytes_read, 5000000000);
	backfill_metrics_collect(&metrics, &out);
	has(buf_cstr(&out), "# TYPE pipelineDocsMigrated_total counter\n"
			    "pipelineDocsMigrated_total 12\n");
	has(buf_cstr(&out), "\npipelineErrors_total 2\n");
	has(buf_cstr(&out), "\nbytesRead_total 5000000000\n");
	assert_null(strstr(buf_cstr(&out), "shardlift_bulks_allowed"));
}

static void the_pressure_is_told_where_there_is_one(void **state)
{
	struct progress progress = {0};
	struct pressure *pressure = pressure_new(&(struct pressure_options){.max_in_flight = 5});
	struct backfill_metrics metrics = {.progress = &progress, .pressure = pressure};
	cleanup(buf_release) struct buf out = BUF_INIT(KIB(64));

	(void)state;
	pressure_pause(pressure, true);
	backfill_metrics_collect(&metrics, &out);
	has(buf_cstr(&out), "\nshardlift_bulks_allowed 5\n");
	has(buf_cstr(&out), "\nshardlift_bulks_in_flight 0\n");
	has(buf_cstr(&out), "\nshardlift_paused 1\n");
	has(buf_cstr(&out), "\nshardlift_refusals_total 0\n");
	pressure_free(pressure);
}

static void without_a_port_nothing_is_served(void **state)
{
	const struct metrics_fields fields = {.port = -1, .host = "127.0.0.1"};
	struct backfill_metrics metrics = {0};
	struct metrics_server *server = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(backfill_metrics_start(&fields, &metrics, &server, &err), 0);
	assert_null(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_have_the_names_of_the_java_tool),
		cmocka_unit_test(the_pressure_is_told_where_there_is_one),
		cmocka_unit_test(without_a_port_nothing_is_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
