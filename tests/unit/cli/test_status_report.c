#include "cli/status_report.h"

#include "base/json.h"

#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* What a coordinator lists: `logs` half way, `books` done but for a part that is parked. */
static const struct work_status items[] = {
	{.item = {STR("books"), 0, 0, 100, 1000},
	 .state = WORK_COMPLETED,
	 .progress = {.next_doc = 100, .documents = 90, .sent = 88, .failed = 2}},
	{.item = {STR("books"), 1, 0, 100, 1000},
	 .state = WORK_PARKED,
	 .progress = {.next_doc = 25, .documents = 25, .sent = 25},
	 .reason = STR("a \x1b[2J checksum is wrong"),
	 .failures = 5},
	{.item = {STR("logs"), 0, 0, 400, 4000},
	 .state = WORK_LEASED,
	 .progress = {.next_doc = 200, .documents = 200, .sent = 200, .superseded = 3}},
	{.item = {STR("logs"), 0, 400, WORK_TO_END, 2000}, .state = WORK_WAITING},
};

static struct status_report report_of(const struct work_status *list, size_t count,
				      struct arena *mem)
{
	struct status_report report;
	struct err err = {0};

	assert_int_equal(status_report_make("nightly", list, count, mem, &report, &err), 0);
	return report;
}

static void items_add_up_by_index(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct status_report report = report_of(items, COUNT_OF(items), &mem);

	(void)state;
	assert_int_equal(report.count, 2);
	assert_int_equal(report.indices[0].items[WORK_COMPLETED], 1);
	assert_int_equal(report.indices[0].items[WORK_PARKED], 1);
	assert_int_equal(report.indices[0].documents, 115);
	assert_int_equal(report.indices[0].failed, 2);
	assert_int_equal(report.indices[0].bytes_done, 1250);
	assert_int_equal(status_percent(&report.indices[0]), 62);
	assert_int_equal(report.indices[1].bytes_done, 2000);
	assert_int_equal(report.total.bytes_total, 8000);
	assert_int_equal(status_percent(&report.total), 40);
	assert_false(status_is_finished(&report));
}

static void the_time_left_comes_from_two_looks(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct work_status later[COUNT_OF(items)];
	struct status_report before = report_of(items, COUNT_OF(items), &mem), report;

	(void)state;
	assert_int_equal(status_seconds_left(&before), -1);
	memcpy(later, items, sizeof(items));
	later[2].progress.next_doc = 300;
	report = report_of(later, COUNT_OF(later), &mem);
	status_report_pace(&report, &before, 2000);
	/* 500 a second, and 3750 bytes left. */
	assert_int_equal(status_seconds_left(&report), 8);
	status_report_pace(&before, &report, 2000);
	assert_int_equal(status_seconds_left(&before), -1);
}

static void without_bytes_items_count_and_only_all_is_all(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct work_status list[] = {
		{.item = {STR("a"), 0, 0, WORK_TO_END, 0}, .state = WORK_COMPLETED},
		{.item = {STR("a"), 1, 0, WORK_TO_END, 0}, .state = WORK_WAITING},
	};
	struct status_report report = report_of(list, 2, &mem);

	(void)state;
	assert_int_equal(status_percent(&report.total), 50);
	list[1].state = WORK_COMPLETED;
	report = report_of(list, 2, &mem);
	assert_int_equal(status_percent(&report.total), 100);
	assert_true(status_is_finished(&report));
	assert_int_equal(status_seconds_left(&report), 0);
	list[1].item.bytes = 1000000;
	list[1].item.end_doc = 1000000;
	list[1].state = WORK_LEASED;
	list[1].progress.next_doc = 999999;
	report = report_of(list, 2, &mem);
	assert_int_equal(status_percent(&report.total), 99);
	report = report_of(list, 0, &mem);
	assert_int_equal(status_percent(&report.total), 100);
}

static char *printed(struct status_report *report, struct arena *mem)
{
	struct err err = {0};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(status_report_print(report, mem, out, &err), 0);
	fclose(out);
	return text;
}

static void a_table_tells_all_and_parked_items_their_reasons(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct status_report report = report_of(items, COUNT_OF(items), &mem);
	cleanup(mem_freep) char *text = printed(&report, &mem);

	(void)state;
	assert_string_equal(text,
			    "session nightly: 40%, 3.2 KiB of 7.8 KiB\n"
			    "INDEX  READ  DONE  LEASED  WAITING  PARKED  DOCUMENTS  SENT  FAILED\n"
			    "books   62%     1       0        0       1        115   113       2\n"
			    "logs    33%     0       1        1       0        200   200       0\n"
			    "all     40%     1       1        1       1        315   313       2\n"
			    "parked: books[1] from document 25 on: a ?[2J checksum is wrong\n");
}

static void a_target_that_has_less_than_was_sent_is_told(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct status_report report = report_of(items, COUNT_OF(items), &mem);
	cleanup(mem_freep) char *text = NULL;
	struct json *json;

	(void)state;
	report.asked_target = true;
	report.indices[0].target_documents = 113;
	report.indices[1].target_documents = 199;
	text = printed(&report, &mem);
	assert_non_null(strstr(text, "113\n"));
	assert_non_null(strstr(text, "199 (fewer than sent)\n"));
	assert_false(status_misses_documents(&report.indices[0]));
	assert_true(status_misses_documents(&report.indices[1]));
	json = status_report_json(&report, &mem);
	assert_int_equal(json_i64_or(json_path(json, "total", "items", "parked", NULL), -1), 1);
	assert_false(
		json_bool_or(json_get(json_get(json, "indices")->last, "target_has_all"), true));
	assert_int_equal(json_get(json, "parked")->count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_add_up_by_index),
		cmocka_unit_test(the_time_left_comes_from_two_looks),
		cmocka_unit_test(without_bytes_items_count_and_only_all_is_all),
		cmocka_unit_test(a_table_tells_all_and_parked_items_their_reasons),
		cmocka_unit_test(a_target_that_has_less_than_was_sent_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
