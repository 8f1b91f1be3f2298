#include "backfill/failed_documents.h"
#include "base/json.h"
#include "temporary_folder.h"

#include <glob.h>
#include <signal.h>
#include <sys/resource.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct failed_document refused = {
	.work_item = STR("books[2]"),
	.target_index = STR("books"),
	.id = STR("\xc3\xa4 1"),
	.failure_type = STR("mapper_parsing_exception"),
	.reason = STR("failed to parse field [year] of type [long]"),
	.status = 400,
	.action =
		STR("{\"index\":{\"_index\":\"books\",\"_id\":\"\xc3\xa4 1\",\"routing\":\"r\"}}"),
	.source = STR("{\"year\": 1.10, \"n\":12345678901234567890}"),
};

static struct failed_documents *open_stream(const char *folder)
{
	struct failed_documents *stream = NULL;
	struct err err = {0};

	assert_int_equal(failed_documents_open(folder, "s1", &stream, &err), 0);
	return stream;
}

/* The text of the one file that matches below the folder. */
static struct str only_file(const char *folder, const char *index, struct arena *mem)
{
	struct str pattern = arena_printf(mem,
					  "%s/session=s1/index=%s/worker=*/failed-document-"
					  "stream-20[0-9][0-9]*T*Z-*.ndjson.gz",
					  folder, index);
	struct str text;
	glob_t found;

	assert_int_equal(glob(pattern.ptr, 0, NULL, &found), 0);
	assert_int_equal(found.gl_pathc, 1);
	text = read_text(found.gl_pathv[0], mem);
	globfree(&found);
	return text;
}

static void assert_text(const struct json *record, const char *name, const char *expected)
{
	struct str text = json_string(json_get(record, name));

	assert_int_equal(text.len, strlen(expected));
	assert_memory_equal(text.ptr, expected, text.len);
}

static struct json *parse(struct str text, struct arena *mem)
{
	struct json *value = NULL;
	struct err err = {0};

	assert_int_equal(json_parse(text, mem, &value, &err), 0);
	return value;
}

static void a_record_holds_the_fields_of_the_java_tool(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(8));
	struct failed_documents *stream = open_stream(folder);
	struct json *record, *request, *response, *expected;
	struct err err = {0};

	(void)state;
	assert_int_equal(failed_documents_add(stream, &refused, &err), 0);
	assert_int_equal(failed_documents_close(stream, &err), 0);
	record = parse(only_file(folder, "books", &mem), &mem);
	assert_text(record, "sessionId", "s1");
	assert_text(record, "workItemId", "books[2]");
	assert_text(record, "targetIndex", "books");
	assert_text(record, "documentId", "\xc3\xa4 1");
	assert_text(record, "failureType", "mapper_parsing_exception");
	assert_text(record, "failureClass", "NON_RETRYABLE");
	assert_int_equal(json_string(json_get(record, "timestamp")).len, 24);
	assert_true(json_string(json_get(record, "workerId")).len > 0);
	request = json_get(record, "requestItem");
	assert_text(request, "operation_type", "index");
	assert_text(json_get(request, "operation"), "routing", "r");
	expected = parse(refused.source, &mem);
	assert_true(json_equal(json_get(request, "document"), expected));
	response = json_path(record, "responseItem", "index", NULL);
	assert_int_equal(json_i64_or(json_get(response, "status"), 0), 400);
	assert_text(json_get(response, "error"), "reason",
		    "failed to parse field [year] of type [long]");
}

static void a_source_that_is_no_json_is_kept_byte_for_byte(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(8));
	struct failed_documents *stream = open_stream(folder);
	struct failed_document document = refused;
	struct json *request;
	struct err err = {0};

	(void)state;
	document.source = STR(":)\n\x00\xff");
	document.id = STR_NONE;
	document.status = 0;
	assert_int_equal(failed_documents_add(stream, &document, &err), 0);
	assert_int_equal(failed_documents_close(stream, &err), 0);
	request = json_get(parse(only_file(folder, "books", &mem), &mem), "requestItem");
	assert_null(json_get(request, "document"));
	assert_text(request, "documentBase64", "OikKAP8=");
}

static void exhausted_retries_are_told_apart(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(8));
	struct failed_documents *stream = open_stream(folder);
	struct failed_document document = refused;
	struct err err = {0};

	(void)state;
	document.status = 429;
	assert_int_equal(failed_documents_add(stream, &document, &err), 0);
	assert_int_equal(failed_documents_close(stream, &err), 0);
	assert_text(parse(only_file(folder, "books", &mem), &mem), "failureClass",
		    "RETRYABLE_EXHAUSTED");
}

static size_t count_lines(struct str text)
{
	size_t lines = 0;

	for (size_t i = 0; i < text.len; i++)
		lines += text.ptr[i] == '\n';
	return lines;
}

static void what_was_flushed_is_readable_while_more_is_added(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(8));
	struct failed_documents *stream = open_stream(folder);
	struct failed_document document = refused;
	struct err err = {0};

	(void)state;
	document.source = STR("{\n\"a\":\n1\n}");
	assert_int_equal(failed_documents_add(stream, &document, &err), 0);
	assert_int_equal(failed_documents_flush(stream, &err), 0);
	assert_int_equal(count_lines(only_file(folder, "books", &mem)), 1);
	assert_int_equal(failed_documents_flush(stream, &err), 0);
	for (int i = 0; i < 500; i++)
		assert_int_equal(failed_documents_add(stream, &document, &err), 0);
	assert_int_equal(failed_documents_close(stream, &err), 0);
	assert_int_equal(count_lines(only_file(folder, "books", &mem)), 501);
}

static void more_indices_than_open_files_lose_nothing(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	struct failed_documents *stream = open_stream(folder);
	struct failed_document document = refused;
	struct err err = {0};
	char name[16];

	(void)state;
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "../i%d", i);
		document.target_index = str_from(name);
		assert_int_equal(failed_documents_add(stream, &document, &err), 0);
		assert_int_equal(failed_documents_add(stream, &document, &err), 0);
	}
	assert_int_equal(failed_documents_close(stream, &err), 0);
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "%%2E.%%2Fi%d", i);
		assert_int_equal(count_lines(only_file(folder, name, &mem)), 2);
	}
}

static struct failed_document operated(struct str action, struct str source)
{
	struct failed_document document = refused;

	document.action = action;
	document.source = source;
	return document;
}

static void creates_and_deletes_are_recorded_as_what_they_are(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(8));
	struct failed_documents *stream = open_stream(folder);
	struct failed_document document =
		operated(STR("{\"delete\":{\"_index\":\"books\",\"_id\":\"}\",\"version\":7,"
			     "\"version_type\":\"external_gte\"}}"),
			 STR_NONE);
	struct str text, first, second;
	struct json *request;
	struct err err = {0};

	(void)state;
	assert_int_equal(failed_documents_add(stream, &document, &err), 0);
	document = operated(STR("{\"create\":{\"_index\":\"books\"}}"), STR("{}"));
	assert_int_equal(failed_documents_add(stream, &document, &err), 0);
	assert_int_equal(failed_documents_close(stream, &err), 0);
	text = only_file(folder, "books", &mem);
	str_split(text, '\n', &first, &second);
	request = json_get(parse(first, &mem), "requestItem");
	assert_text(request, "operation_type", "delete");
	assert_false(json_bool_or(json_get(request, "include_document"), true));
	assert_int_equal(json_i64_or(json_path(request, "operation", "version", NULL), -1), 7);
	assert_text(json_get(request, "operation"), "_id", "}");
	assert_null(json_get(request, "document"));
	assert_non_null(json_path(parse(first, &mem), "responseItem", "delete", "error", NULL));
	request = json_get(parse(second, &mem), "requestItem");
	assert_text(request, "operation_type", "create");
	assert_non_null(json_get(request, "document"));
}

static void a_process_of_the_same_number_takes_another_file(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	struct err err = {0};

	(void)state;
	for (int i = 0; i < 5; i++) {
		struct failed_documents *stream = open_stream(folder);

		assert_int_equal(failed_documents_add(stream, &refused, &err), 0);
		assert_int_equal(failed_documents_close(stream, &err), 0);
	}
}

static void nothing_is_written_before_the_first_failure(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	struct failed_documents *stream = open_stream(folder);
	struct err err = {0};

	(void)state;
	assert_non_null(strstr(failed_documents_path(stream), "/session=s1"));
	assert_int_not_equal(access(failed_documents_path(stream), F_OK), 0);
	assert_int_equal(failed_documents_close(stream, &err), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void a_full_disk_is_an_error_and_not_a_lost_record(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	struct failed_documents *stream = open_stream(folder);
	struct rlimit before, none;
	struct err err = {0};
	int rc;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
	setrlimit(RLIMIT_FSIZE, &none);
	rc = failed_documents_add(stream, &refused, &err);
	if (rc == 0)
		rc = failed_documents_flush(stream, &err);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(rc, -ERR_IO);
	assert_non_null(strstr(err.message, "failed-document-stream-"));
	failed_documents_close(stream, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_holds_the_fields_of_the_java_tool),
		cmocka_unit_test(a_source_that_is_no_json_is_kept_byte_for_byte),
		cmocka_unit_test(exhausted_retries_are_told_apart),
		cmocka_unit_test(what_was_flushed_is_readable_while_more_is_added),
		cmocka_unit_test(more_indices_than_open_files_lose_nothing),
		cmocka_unit_test(creates_and_deletes_are_recorded_as_what_they_are),
		cmocka_unit_test(a_process_of_the_same_number_takes_another_file),
		cmocka_unit_test(nothing_is_written_before_the_first_failure),
		cmocka_unit_test(a_full_disk_is_an_error_and_not_a_lost_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
