#include "backfill/failed_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct failed_record read_well(const char *line, struct arena *mem)
{
	struct failed_record record;
	struct err err = {0};

	if (failed_record_read(str_from(line), mem, &record, &err) < 0)
		fail_msg("%s", err.message);
	return record;
}

static void a_record_is_read_with_its_document_as_it_was(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct failed_record record = read_well(
		"{\"sessionId\":\"s\",\"workerId\":\"w\",\"workItemId\":\"books[2]\","
		"\"targetIndex\":\"b\\u00fccher\",\"documentId\":\"1\","
		"\"failureType\":\"mapper_parsing_exception\",\"failureClass\":\"NON_RETRYABLE\","
		"\"timestamp\":\"2026-11-21T10:24:00.123Z\",\"requestItem\":{\"schema\":"
		"\"rfs-opensearch-bulk-v1\",\"operation_type\":\"index\",\"include_document\":true,"
		"\"operation\":{\"_index\":\"b\\u00fccher\",\"_id\":\"1\",\"routing\":\"r\","
		"\"_type\":\"t\",\"version\":7,\"version_type\":\"external_gte\"},"
		"\"document\":{\"n\": 1.10,\"u\":\"\\u00e4\"}},\"responseItem\":{\"index\":{"
		"\"status\":400,\"error\":{\"type\":\"mapper_parsing_exception\",\"reason\":\"no "
		"number\"}}}}",
		&mem);

	(void)state;
	assert_true(str_is(record.target_index, "b\xc3\xbc"
						"cher"));
	assert_true(str_is(record.id, "1"));
	assert_true(str_is(record.document, "{\"n\": 1.10,\"u\":\"\\u00e4\"}"));
	assert_true(str_is(record.routing, "r"));
	assert_true(str_is(record.type, "t"));
	assert_true(str_is(record.reason, "no number"));
	assert_int_equal(record.status, 400);
	assert_int_equal(record.operation, BULK_INDEX);
	assert_true(record.external);
	assert_int_equal(record.version, 7);
}

static void other_operations_and_missing_parts_are_understood(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct failed_record record = read_well(
		"{\"requestItem\":{\"operation_type\":\"delete\",\"operation\":{\"_index\":"
		"\"i\",\"_id\":\"9\"}}}",
		&mem);

	(void)state;
	assert_int_equal(record.operation, BULK_DELETE);
	assert_true(str_is(record.target_index, "i"));
	assert_true(str_is(record.id, "9"));
	assert_null(record.document.ptr);
	assert_false(record.external);
	record = read_well("{\"targetIndex\":\"i\",\"documentId\":null,\"requestItem\":{"
			   "\"operation_type\":\"create\",\"document\":{}}}",
			   &mem);
	assert_int_equal(record.operation, BULK_CREATE);
	assert_null(record.id.ptr);
	assert_true(str_is(record.document, "{}"));
	assert_true(str_is(record.metadata, "{}"));
}

static void what_is_no_record_is_refused(void **state)
{
	static const char *const lines[] = {
		"",
		"{",
		"[]",
		"{\"requestItem\":1}",
		"{\"targetIndex\":\"i\",\"requestItem\":{\"operation_type\":\"update\"}}",
		"{\"requestItem\":{\"operation_type\":\"index\",\"operation\":{}}}",
		"{\"targetIndex\":7,\"requestItem\":{\"operation_type\":\"index\"}}",
	};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct failed_record record;
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++)
		assert_int_equal(failed_record_read(str_from(lines[i]), &mem, &record, &err),
				 -ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_read_with_its_document_as_it_was),
		cmocka_unit_test(other_operations_and_missing_parts_are_understood),
		cmocka_unit_test(what_is_no_record_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
