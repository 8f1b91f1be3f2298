#include "backfill/failed_documents_retry.h"
#include "fake_server.h"
#include "failed_streams.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* Takes all documents but those whose id is `refused`; remembers what came. */
struct target {
	struct fake_server *server;
	struct cluster *cluster;
	const char *refused;
	struct buf bodies;
	size_t bulks;
};

static bool is_action(struct str line)
{
	return str_starts(line, STR("{\"index\":{")) || str_starts(line, STR("{\"create\":{")) ||
	       str_starts(line, STR("{\"delete\":{"));
}

static void answer_bulk(struct target *target, struct str body, struct fake_reply *reply)
{
	cleanup(buf_release) struct buf answer = BUF_INIT(MIB(1));
	struct str line;
	size_t items = 0;

	buf_append_str(&answer, STR("{\"errors\":true,\"items\":["));
	while (str_split(body, '\n', &line, &body)) {
		bool bad = target->refused &&
			   memmem(line.ptr, line.len, target->refused, strlen(target->refused));

		if (!is_action(line))
			continue;
		buf_append_str(&answer, items++ ? STR(",") : STR(""));
		buf_append_str(&answer,
			       bad ? STR("{\"index\":{\"status\":400,\"error\":{\"type\":"
					 "\"mapper_parsing_exception\",\"reason\":\"still\"}}}")
				   : STR("{\"index\":{\"status\":201}}"));
	}
	buf_append_str(&answer, STR("]}"));
	fake_reply_json(reply, 200, buf_cstr(&answer));
}

static void handle(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct target *target = user;

	if (!str_starts(request->head, STR("POST /_bulk"))) {
		fake_reply_json(
			reply, 200,
			"{\"version\":{\"distribution\":\"opensearch\",\"number\":\"2.19.6\"}}");
		return;
	}
	target->bulks++;
	buf_append_str(&target->bodies, request->body);
	answer_bulk(target, request->body, reply);
}

static void target_start(struct target *target)
{
	const struct cluster_retry retry = {
		.initial_delay_ms = 1, .max_delay_ms = 1, .max_total_ms = 60000};
	struct http_options options = {0};
	struct err err = {0};

	target->bodies = BUF_INIT(MIB(16));
	target->server = fake_server_start(handle, target);
	options.host = fake_server_url(target->server);
	if (cluster_connect(&options, &retry, &target->cluster, &err) < 0)
		fail_msg("%s", err.message);
}

static void target_release(struct target *target)
{
	cluster_close(target->cluster);
	fake_server_free(target->server);
	buf_release(&target->bodies);
}

static struct failed_retry to(const struct target *target, const char *folder)
{
	return (struct failed_retry){
		.filter = {.folder = folder},
		.target = target->cluster,
		.documents_per_bulk = 2,
		.bytes_per_bulk = MIB(1),
	};
}

static void retry(const struct failed_retry *options, uint64_t sent, uint64_t failed,
		  uint64_t unsendable)
{
	cleanup(failed_retry_report_release) struct failed_retry_report report = {0};
	const atomic_bool cancel = false;
	struct err err = {0};

	if (failed_documents_retry(options, &cancel, &report, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(report.sent, sent);
	assert_int_equal(report.failed, failed);
	assert_int_equal(report.unsendable, unsendable);
}

static void what_is_taken_is_sent_once_and_what_fails_again_stays(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(target_release) struct target target = {.refused = "\"_id\":\"2\""};
	struct failed_retry options;

	(void)state;
	write_stream(folder, "s", "a",
		     RECORD("i", "\"1\"", "01.000", "x") RECORD("i", "\"2\"", "01.000", "x")
			     RECORD("i", "\"3\"", "01.000", "x")
				     RECORD("i", "\"1\"", "02.000", "y"));
	target_start(&target);
	options = to(&target, folder);
	retry(&options, 2, 1, 0);
	assert_int_equal(target.bulks, 2);
	assert_non_null(strstr(buf_cstr(&target.bodies), "\n{\"n\": 1.10}\n"));
	retry(&options, 0, 1, 0);
	assert_int_equal(target.bulks, 3);
	target.refused = NULL;
	retry(&options, 1, 0, 0);
	assert_int_equal(target.bulks, 4);
	retry(&options, 0, 0, 0);
	assert_int_equal(target.bulks, 4);
}

static void a_plan_sends_nothing_and_needs_no_target(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(failed_retry_report_release) struct failed_retry_report report = {0};
	struct failed_retry options = {
		.filter = {.folder = folder}, .documents_per_bulk = 2, .bytes_per_bulk = MIB(1)};
	const atomic_bool cancel = false;
	struct err err = {0};
	char ledger[200];

	(void)state;
	write_stream(folder, "s", "a",
		     RECORD("i", "\"1\"", "01.000", "x") RECORD("j", "\"1\"", "01.000", "x"));
	assert_int_equal(failed_documents_retry(&options, &cancel, &report, &err), 0);
	assert_int_equal(report.pending, 2);
	assert_int_equal(report.count, 2);
	assert_int_equal(report.sent, 0);
	snprintf(ledger, sizeof(ledger), "%s/session=s/retried.ndjson", folder);
	assert_int_not_equal(access(ledger, F_OK), 0);
}

static void operations_routing_and_versions_are_kept(void **state)
{
#define HEAD "{\"targetIndex\":\"i\",\"requestItem\":{\"operation_type\":"
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(target_release) struct target target = {0};
	struct failed_retry options;
	const char *bodies;

	(void)state;
	write_stream(folder, "s", "a",
		     HEAD
		     "\"delete\",\"operation\":{\"_index\":\"i\",\"_id\":\"1\",\"version\":4,"
		     "\"version_type\":\"external_gte\"}}}\n" HEAD
		     "\"create\",\"operation\":{\"_index\":\"i\",\"_id\":\"2\",\"routing\":"
		     "\"r\"},\"document\":{}}}\n" HEAD
		     "\"index\",\"operation\":{\"_index\":\"i\",\"_id\":\"3\",\"version\":5,"
		     "\"version_type\":\"external_gte\"},\"document\":{}}}\n" HEAD
		     "\"index\",\"operation\":{\"_id\":\"4\"},\"documentBase64\":\"OikK\"}}\n");
	target_start(&target);
	options = to(&target, folder);
	retry(&options, 3, 0, 1);
	bodies = buf_cstr(&target.bodies);
	assert_non_null(strstr(bodies, "{\"delete\":{\"_index\":\"i\",\"_id\":\"1\",\"version\":4,"
				       "\"version_type\":\"external_gte\"}}\n{\"create\":"));
	assert_non_null(strstr(bodies, "\"_id\":\"2\",\"routing\":\"r\"}}\n{}\n"));
	assert_non_null(strstr(bodies, "\"_id\":\"3\",\"version\":5,"));
	assert_null(strstr(bodies, "\"_id\":\"4\""));
	retry(&options, 0, 0, 1);
#undef HEAD
}

static void allowed_types_count_as_sent(void **state)
{
	static const char *const types[] = {"mapper_parsing_exception"};
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(target_release) struct target target = {.refused = "\"_id\":\"1\""};
	struct failed_retry options;

	(void)state;
	write_stream(folder, "s", "a", RECORD("i", "\"1\"", "01.000", "x"));
	target_start(&target);
	options = to(&target, folder);
	options.allowed = (struct allowed_failures){types, COUNT_OF(types)};
	retry(&options, 1, 0, 0);
	retry(&options, 0, 0, 0);
}

static void a_cancelled_retry_says_so_and_goes_on_later(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(failed_retry_report_release) struct failed_retry_report report = {0};
	cleanup(target_release) struct target target = {0};
	const atomic_bool cancel = true;
	struct failed_retry options;
	struct err err = {0};

	(void)state;
	write_stream(folder, "s", "a", RECORD("i", "\"1\"", "01.000", "x"));
	target_start(&target);
	options = to(&target, folder);
	assert_int_equal(failed_documents_retry(&options, &cancel, &report, &err), -ERR_CANCELLED);
	retry(&options, 1, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_taken_is_sent_once_and_what_fails_again_stays),
		cmocka_unit_test(a_plan_sends_nothing_and_needs_no_target),
		cmocka_unit_test(operations_routing_and_versions_are_kept),
		cmocka_unit_test(allowed_types_count_as_sent),
		cmocka_unit_test(a_cancelled_retry_says_so_and_goes_on_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
