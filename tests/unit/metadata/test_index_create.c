/* index_create against a target that answers from a script. */
#include "metadata/index_create.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct script {
	const char *answers[8]; /* the last one is repeated */
	size_t sent;
	char last_path[256];
	char last_body[4096];
} script;

int cluster_request(struct cluster *cluster, const char *method, const char *path, struct str body,
		    bool repeatable, struct arena *mem, int *status, struct json **answer,
		    struct err *err)
{
	const char *text = script.answers[script.sent];

	(void)cluster;
	(void)repeatable;
	assert_string_equal(method, "PUT");
	snprintf(script.last_path, sizeof(script.last_path), "%s", path);
	snprintf(script.last_body, sizeof(script.last_body), STR_FMT, STR_ARG(body));
	if (!text)
		return err_set(err, ERR_UNREACHABLE, "no answer");
	if (script.answers[script.sent + 1])
		script.sent++;
	*status = strstr(text, "\"error\"") ? 400 : 200;
	return json_parse(str_from(text), mem, answer, err);
}

struct str cluster_error_reason(const struct json *answer, int status, struct arena *mem)
{
	(void)status;
	return arena_str(mem, json_string(json_path(answer, "error", "reason", NULL)));
}

void http_append_encoded(struct buf *out, struct str text)
{
	buf_append_str(out, text);
}

#define REFUSED(type, reason) "{\"error\":{\"type\":\"" type "\",\"reason\":\"" reason "\"}}"
#define DONE "{\"acknowledged\":true}"
#define PLEASE " please check that any required plugins are installed"

static int create(const char *settings, const char *mappings, bool allow_existing,
		  struct arena *mem, struct index_create_result *result, struct err *err)
{
	struct index_metadata metadata = {.name = STR("books"), .shard_count = 1};
	struct index_create_options options = {
		.target = {CLUSTER_OPENSEARCH, 2, 19, 6},
		.replicas = -1,
		.allow_existing = allow_existing,
	};

	if (json_parse(str_from(settings), mem, &metadata.settings, err) < 0 ||
	    json_parse(str_from(mappings), mem, &metadata.mappings, err) < 0)
		fail_msg("%s", err->message);
	return index_create(NULL, metadata.name, &metadata, &options, mem, result, err);
}

static void expect(const char *settings, const char *mappings, enum index_create_outcome outcome,
		   const char *reason)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct index_create_result result;
	struct err err = {0};

	if (create(settings, mappings, false, &mem, &result, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(result.outcome, outcome);
	assert_int_equal(result.reason.len, strlen(reason));
	assert_memory_equal(result.reason.ptr, reason, strlen(reason));
}

static void an_index_is_created_under_its_name(void **state)
{
	(void)state;
	script = (struct script){.answers = {DONE}};
	expect("{\"index.number_of_shards\":\"1\"}", "{}", INDEX_CREATED, "");
	assert_string_equal(script.last_path, "/books?wait_for_active_shards=0");
}

static void unknown_and_private_settings_are_left_out_as_the_target_names_them(void **state)
{
	(void)state;
	script = (struct script){
		.answers = {"{\"error\":{\"type\":\"illegal_argument_exception\","
			    "\"reason\":\"unknown setting [index.b]" PLEASE "\",\"suppressed\":[{"
			    "\"reason\":\"unknown setting [index.a]" PLEASE "\"}]}}",
			    REFUSED("validation_exception",
				    "Validation Failed: 1: private index setting [index.c] can not "
				    "be set explicitly;"),
			    DONE}};
	expect("{\"index.number_of_shards\":\"1\",\"index.a\":\"1\",\"index.b\":\"2\","
	       "\"index.c\":\"3\"}",
	       "{}", INDEX_CREATED,
	       "left out index.b: the target does not know it; left out index.a: the target does "
	       "not know it; left out index.c: the target sets it itself");
	assert_string_equal(script.last_body,
			    "{\"settings\":{\"index.number_of_shards\":\"1\"},\"mappings\":{}}");
}

static void unsupported_parameters_are_left_out_at_the_root_and_of_fields(void **state)
{
	(void)state;
	script = (struct script){
		.answers = {REFUSED("mapper_parsing_exception",
				    "Root mapping definition has unsupported parameters:  [_ttx : "
				    "{x=1}] [runtime : {}]"),
			    REFUSED("mapper_parsing_exception",
				    "Failed to parse mapping [_doc]: unknown parameter [odd] on "
				    "mapper [a] of type [text]"),
			    DONE}};
	expect("{\"index.number_of_shards\":\"1\"}",
	       "{\"_doc\":{\"_ttx\":{\"x\":1},\"runtime\":{},\"properties\":{\"b\":{\"properties\":"
	       "{\"a\":{\"type\":\"text\",\"odd\":1}}},\"odd\":{\"type\":\"long\"}}}}",
	       INDEX_CREATED,
	       "left out _ttx of the mapping: the target does not know it; left out runtime of the "
	       "mapping: the target does not know it; left out odd of field a: the target does not "
	       "know it");
	assert_string_equal(script.last_body,
			    "{\"settings\":{\"index.number_of_shards\":\"1\"},\"mappings\":{"
			    "\"properties\":{\"b\":{\"properties\":{\"a\":{\"type\":\"text\"}}},"
			    "\"odd\":{\"type\":\"long\"}}}}");
}

static void a_codec_the_target_has_not_becomes_the_nearest(void **state)
{
	(void)state;
	script = (struct script){
		.answers = {REFUSED("illegal_argument_exception",
				    "unknown value for [index.codec] must be one of [default] but "
				    "was: zstd"),
			    DONE}};
	expect("{\"index.number_of_shards\":\"1\",\"index.codec\":\"zstd\"}", "{}", INDEX_CREATED,
	       "index.codec is best_compression: the target has no zstd");
}

static void a_repair_that_changes_nothing_ends_in_failure_with_the_reason(void **state)
{
	(void)state;
	script = (struct script){.answers = {REFUSED("illegal_argument_exception",
						     "unknown setting [index.ghost]" PLEASE)}};
	expect("{\"index.number_of_shards\":\"1\"}", "{}", INDEX_FAILED,
	       "unknown setting [index.ghost]" PLEASE);
}

static void an_existing_index_fails_unless_it_is_allowed(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct index_create_result result;
	struct err err = {0};

	(void)state;
	script = (struct script){.answers = {REFUSED("resource_already_exists_exception",
						     "index [books/x] already exists")}};
	expect("{}", "{}", INDEX_FAILED,
	       "exists on the target already; delete it there, or pass --allow-existing-indexes "
	       "true to write into it as it is");
	assert_int_equal(create("{}", "{}", true, &mem, &result, &err), 0);
	assert_int_equal(result.outcome, INDEX_EXISTED);
}

static void a_target_that_is_gone_is_an_error(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct index_create_result result;
	struct err err = {0};

	(void)state;
	script = (struct script){0};
	assert_int_equal(create("{}", "{}", false, &mem, &result, &err), -ERR_UNREACHABLE);
	assert_string_equal(err.message, "creating index 'books': no answer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_index_is_created_under_its_name),
		cmocka_unit_test(
			unknown_and_private_settings_are_left_out_as_the_target_names_them),
		cmocka_unit_test(unsupported_parameters_are_left_out_at_the_root_and_of_fields),
		cmocka_unit_test(a_codec_the_target_has_not_becomes_the_nearest),
		cmocka_unit_test(a_repair_that_changes_nothing_ends_in_failure_with_the_reason),
		cmocka_unit_test(an_existing_index_fails_unless_it_is_allowed),
		cmocka_unit_test(a_target_that_is_gone_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
