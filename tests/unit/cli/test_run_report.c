#include "cli/run_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct migrate_index indices[] = {
	{.name = STR("books"),
	 .documents = {.documents = 35, .sent = 35, .source_bytes = 1000000},
	 .target_documents = 35,
	 .agrees = true},
	{.name = STR("metrics"),
	 .source_kind = SOURCE_DISABLED,
	 .refused = true,
	 .target_documents = -1,
	 .note = STR("stores no _source")},
	{.name = STR("old"),
	 .creation = OUTCOME_FAILED,
	 .creation_note = STR("exists"),
	 .target_documents = -1,
	 .note = STR("exists")},
	{.name = STR("odd"),
	 .creation = OUTCOME_WRITTEN,
	 .creation_note = STR("left out x"),
	 .documents = {.documents = 10, .sent = 9, .failed = 1, .source_bytes = 1000000},
	 .target_documents = 9},
};

static struct progress progress;
static const struct run_facts facts = {
	.command = "migrate",
	.repository = STR("/backups"),
	.snapshot = STR("s"),
	.source_version = STR("7.10.2"),
	.target = "http://localhost:9200",
	.target_version = "OpenSearch 2.19.6",
	.failed_documents = "/state/failed-documents",
	.creates_indices = true,
	.elapsed_ms = 2000,
	.progress = &progress,
};

static char *printed(const struct migrate_report *report, const struct run_facts *with,
		     int (*print)(const struct migrate_report *, const struct run_facts *, FILE *,
				  struct err *))
{
	struct err err = {0};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(print(report, with, out, &err), 0);
	fclose(out);
	return text;
}

static void the_table_tells_every_index_once_and_why_it_does_not_agree(void **state)
{
	const struct migrate_report report = {.indices = indices, .count = COUNT_OF(indices)};
	char *text = printed(&report, &facts, run_report_print);

	(void)state;
	assert_string_equal(
		text, "INDEX    IN SNAPSHOT  ON TARGET  FAILED  RESULT       NOTE\n"
		      "books             35         35       0  ok\n"
		      "metrics            -          -       0  refused      stores no _source\n"
		      "old                -          -       0  not created  exists\n"
		      "odd               10          9       1  differs      left out x\n"
		      "\n"
		      "44 documents sent, 1 failed; 1.9 MiB of sources in 2.0 s: 22 documents/s, "
		      "1.0 MB/s\n"
		      "Failed documents, with reasons: /state/failed-documents\n");
	free(text);
}

static void a_target_of_files_has_documents_written_and_none_asked_for(void **state)
{
	const struct migrate_report report = {.indices = indices, .count = 1, .agrees = true};
	struct run_facts files = facts;
	char *text;

	(void)state;
	files.target_version = NULL;
	files.creates_indices = false;
	text = printed(&report, &files, run_report_print);
	assert_non_null(strstr(text, "INDEX  IN SNAPSHOT  WRITTEN  FAILED  RESULT  NOTE\n"
				     "books           35       35       0  ok\n"));
	free(text);
}

static void the_json_says_the_same(void **state)
{
	const struct migrate_report report = {.indices = indices, .count = COUNT_OF(indices)};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	char *text = printed(&report, &facts, run_report_print_json);
	struct json *root, *index;

	(void)state;
	assert_int_equal(json_parse(str_from(text), &mem, &root, NULL), 0);
	assert_int_equal(json_i64_or(json_path(root, "totals", "sent", NULL), -1), 44);
	assert_false(json_bool_or(json_get(root, "agrees"), true));
	index = json_get(root, "indices")->first->next;
	assert_true(str_is(json_string(json_get(index, "result")), "refused"));
	assert_true(str_is(json_string(json_get(index, "source")), "disabled"));
	assert_int_equal(json_get(index, "documents")->type, JSON_NULL);
	free(text);
}

static void the_exit_code_is_that_of_the_worst_index(void **state)
{
	struct migrate_index one = {.agrees = true};
	struct migrate_report report = {.indices = &one, .count = 1, .agrees = true};

	(void)state;
	assert_int_equal(run_report_exit_code(&report), EXIT_CODE_OK);
	report.agrees = false;
	assert_int_equal(run_report_exit_code(&report), EXIT_CODE_COMPLETED_WITH_ERRORS);
	one.documents.unreadable = true;
	assert_int_equal(run_report_exit_code(&report), EXIT_CODE_SOURCE_UNREADABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_tells_every_index_once_and_why_it_does_not_agree),
		cmocka_unit_test(a_target_of_files_has_documents_written_and_none_asked_for),
		cmocka_unit_test(the_json_says_the_same),
		cmocka_unit_test(the_exit_code_is_that_of_the_worst_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
