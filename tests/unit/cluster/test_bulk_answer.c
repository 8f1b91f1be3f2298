#include "cluster/bulk_answer.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct arena mem = ARENA_INIT(MIB(1));
static struct bulk_answer answer;
static struct err err;

static int release(void **state)
{
	(void)state;
	arena_release(&mem);
	return 0;
}

static int reading(const char *text, size_t count)
{
	err = (struct err){0};
	return bulk_answer_read(str_from(text), count, &mem, &answer, &err);
}

static void an_answer_without_errors_is_told_by_its_beginning_and_its_length(void **state)
{
	(void)state;
	assert_int_equal(reading("{\"errors\":false,\"items\":[{\"index\":{\"status\":201}},"
				 "{\"index\":{\"status\":200}}]}",
				 2),
			 0);
	assert_true(answer.all_taken);
	assert_int_equal(reading("{\"took\":12,\"ingest_took\":3,\"errors\":false,\"items\":["
				 "{\"index\":{\"_id\":\"1\",\"_shards\":{\"total\":1},"
				 "\"status\":201}}]}",
				 1),
			 0);
	assert_true(answer.all_taken);
	/* Any white space, as other servers write it. */
	assert_int_equal(reading(" { \"errors\" : false , \"items\" : [ { \"index\" : "
				 "{ \"status\" : 201 } } ] } ",
				 1),
			 0);
	assert_null(answer.items[0].error);
}

static void a_status_inside_a_text_is_not_counted(void **state)
{
	(void)state;
	assert_int_equal(
		reading("{\"errors\":false,\"items\":[{\"index\":{\"_id\":\"\\\"status\\\":\","
			"\"status\":201}}]}",
			1),
		0);
	assert_true(answer.all_taken);
}

static void with_errors_each_item_keeps_its_status_and_reason(void **state)
{
	(void)state;
	assert_int_equal(
		reading("{\"errors\":true,\"items\":[{\"index\":{\"status\":201}},"
			"{\"create\":{\"status\":400,\"error\":{\"type\":\"t\",\"reason\":\"r\"}}},"
			"{\"index\":{\"status\":429,\"error\":\"Rejected[x]\"}},"
			"{\"index\":{\"status\":503}}]}",
			4),
		0);
	assert_false(answer.all_taken);
	assert_null(answer.items[0].error);
	assert_int_equal(answer.items[1].status, 400);
	assert_true(str_is(json_string(json_get(answer.items[1].error, "type")), "t"));
	assert_int_equal(answer.items[2].status, 429);
	assert_true(str_is(json_string(answer.items[2].error), "Rejected[x]"));
	assert_int_equal(answer.items[3].status, 503);
	assert_non_null(answer.items[3].error);
	assert_false(answer.items[0].wordless);
	assert_false(answer.items[2].wordless);
	assert_true(answer.items[3].wordless);
}

static void an_answer_to_another_number_of_items_tells_nothing(void **state)
{
	static const char one[] = "{\"errors\":false,\"items\":[{\"index\":{\"status\":201}}]}";

	(void)state;
	assert_int_equal(reading(one, 2), -ERR_HTTP);
	assert_non_null(strstr(err.message, "bulk of 2 documents is answered for 1 of them"));
	assert_int_equal(reading(one, 1), 0);
	assert_int_equal(reading("{\"errors\":false}", 1), -ERR_HTTP);
	assert_int_equal(reading("{\"errors\":false,\"items\":[]}", 1), -ERR_HTTP);
	assert_int_equal(reading("{\"errors\":true,\"items\":{}}", 1), -ERR_HTTP);
	assert_int_equal(reading("{\"errors\":true}", 1), -ERR_HTTP);
}

static void what_is_no_answer_to_a_bulk_is_an_error(void **state)
{
	static const char *const texts[] = {
		"",
		"<html>\"errors\":false</html>",
		"{\"errors\":tru",
		"[]",
		"{\"errors\":true,\"items\":[1]}",
		"{\"errors\":true,\"items\":[{}]}",
		"{\"errors\":true,\"items\":[{\"index\":{}}]}",
		"{\"errors\":true,\"items\":[{\"index\":{\"status\":\"x\"}}]}",
		"{\"errors\":true,\"items\":[{\"index\":{\"status\":0}}]}",
		"{\"errors\":true,\"items\":[{\"index\":{\"status\":201},\"more\":1}]}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (reading(texts[i], 1) != -ERR_HTTP)
			fail_msg("'%s' is taken", texts[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			an_answer_without_errors_is_told_by_its_beginning_and_its_length, release),
		cmocka_unit_test_teardown(a_status_inside_a_text_is_not_counted, release),
		cmocka_unit_test_teardown(with_errors_each_item_keeps_its_status_and_reason,
					  release),
		cmocka_unit_test_teardown(an_answer_to_another_number_of_items_tells_nothing,
					  release),
		cmocka_unit_test_teardown(what_is_no_answer_to_a_bulk_is_an_error, release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
