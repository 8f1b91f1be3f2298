#include "fake_job.h"

#include "replay/bulk.h"
#include "replay/updates.h"
#include "replay/deletes.h"
#include "replay/updates.h"

#define CREATED(id, version)                                             \
	"{\"_index\":\"i\",\"_id\":\"" id "\",\"_version\":" version "," \
	"\"result\":\"created\"}"
#define UPDATED(id, version)                                             \
	"{\"_index\":\"i\",\"_id\":\"" id "\",\"_version\":" version "," \
	"\"result\":\"updated\"}"
#define FOUND(version)                                         \
	"{\"docs\":[{\"found\":true,\"_version\":" version "," \
	"\"_seq_no\":7,\"_primary_term\":2}]}"
#define MISSING "{\"docs\":[{\"found\":false}]}"
#define PROBE "POST /_mget\n{\"docs\":[{\"_index\":\"i\",\"_id\":\"1\",\"_source\":false}]}"
#define TOMBSTONES_OF(version)                                                              \
	"POST /_bulk\n{\"delete\":{\"_index\":\"i\",\"_id\":\"1\",\"version\":" version "," \
	"\"version_type\":\"external_gte\"}}\n"
#define TOMBSTONES TOMBSTONES_OF("0")
#define NO_TOMBSTONE "{\"items\":[{\"delete\":{\"status\":404,\"result\":\"not_found\"}}]}"
#define TOMBSTONE(version)                                                              \
	"{\"items\":[{\"delete\":{\"status\":409,\"error\":{\"reason\":\"[1]: version " \
	"conflict, current version [" version "] is higher than the one provided [0]\"}}}]}"
#define EXTERNAL "&version_type=external_gte"

struct rewrite {
	const char *request, *body;
	int status;
	const char *answer, *expected;
};

static void single_writes_carry_the_version_of_the_source(void **state)
{
	static const struct rewrite all[] = {
		{"PUT /i/_doc/a%2Fb", "{}", 201, CREATED("a/b", "3"),
		 "PUT /i/_doc/a%2Fb?version=3" EXTERNAL "\n{}"},
		{"PUT /i/_create/1?refresh=true", "{}", 201, CREATED("1", "1"),
		 "PUT /i/_doc/1?refresh=true&version=1" EXTERNAL "\n{}"},
		{"PUT /i/_doc/1?if_seq_no=3&if_primary_term=1&routing=r", "{}", 200,
		 UPDATED("1", "4"), "PUT /i/_doc/1?routing=r&version=4" EXTERNAL "\n{}"},
		{"PUT /i/_doc/1?version=9&version_type=external", "{}", 200, UPDATED("1", "9"),
		 "PUT /i/_doc/1?version=9" EXTERNAL "\n{}"},
		{"POST /i/_doc", "{}", 201, CREATED("x y", "1"),
		 "PUT /i/_doc/x%20y?version=1" EXTERNAL "\n{}"},
		{"POST /i/t", "{}", 201, CREATED("x", "1"), "PUT /i/t/x?version=1" EXTERNAL "\n{}"},
		{"DELETE /i/_doc/1", "", 200, UPDATED("1", "5"),
		 "DELETE /i/_doc/1?version=5" EXTERNAL "\n"},
		{"DELETE /i/_doc/1", "", 404, UPDATED("1", "1"),
		 "DELETE /i/_doc/1?version=1" EXTERNAL "\n"},
		{"POST /i/_update/1", "{\"doc\":{},\"upsert\":{\"a\":1.50}}", 201,
		 CREATED("1", "4"), "PUT /i/_doc/1?version=4" EXTERNAL "\n{\"a\":1.50}"},
		{"POST /i/_update/1", "{\"doc\":{\"b\":2},\"doc_as_upsert\":true}", 201,
		 CREATED("1", "1"), "PUT /i/_doc/1?version=1" EXTERNAL "\n{\"b\":2}"},
		{"POST /ds/_doc", "{}", 201,
		 "{\"_index\":\".ds-ds-1\",\"_id\":\"x\",\"_version\":1,\"result\":\"created\"}",
		 "PUT /ds/_create/x\n{}"},
		/* Without an answer nothing may be overwritten. */
		{"PUT /i/_create/1", "{}", 0, NULL, "PUT /i/_create/1\n{}"},
		{"PUT /i/t/1?op_type=create", "{}", 0, NULL, "PUT /i/t/1/_create\n{}"},
		{"PUT /i/_doc/1", "{}", 0, NULL, "PUT /i/_doc/1\n{}"},
		{"POST /i/_search", "{}", 200, "{}", "POST /i/_search\n{}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		struct fake_job f;

		assert_int_equal(fake_job_open(&f, true, all[i].request, all[i].body, all[i].status,
					       all[i].answer),
				 1);
		assert_string_equal(fake_job_sends(&f), all[i].expected);
		fake_job_close(&f);
	}
}

static void what_the_source_refused_is_not_sent(void **state)
{
	struct fake_job f;

	(void)state;
	assert_int_equal(fake_job_open(&f, true, "PUT /i/_create/1", "{}", 409, "{}"), 0);
	assert_non_null(f.why);
	fake_job_close(&f);
	assert_int_equal(fake_job_open(&f, true, "POST /i/_update/1", "{}", 404, "{}"), 0);
	fake_job_close(&f);
}

static void an_answer_of_the_capture_proxy_is_no_refusal_of_the_source(void **state)
{
	struct fake_job f;

	(void)state;
	assert_int_equal(
		fake_job_open(&f, true, "PUT /i/_doc/1", "{}", 502,
			      "{\"error\":{\"type\":\"shardlift_capture\"},\"status\":502}"),
		1);
	assert_string_equal(fake_job_sends(&f), "PUT /i/_doc/1\n{}");
	fake_job_close(&f);
	assert_int_equal(fake_job_open(&f, true, "PUT /i/_doc/1", "{}", 503,
				       "{\"error\":{\"type\":\"unavailable_shards_exception\"}}"),
			 0);
	fake_job_close(&f);
}

static void an_id_without_an_answer_is_the_same_each_time(void **state)
{
	char first[200];
	struct fake_job f;

	(void)state;
	assert_int_equal(fake_job_open(&f, true, "POST /i/_doc", "{}", 0, NULL), 1);
	snprintf(first, sizeof(first), "%s", fake_job_sends(&f));
	assert_true(str_starts(str_from(first), STR("PUT /i/_create/sl-")));
	assert_int_equal(f.counts.ids_derived, 1);
	fake_job_close(&f);
	assert_int_equal(fake_job_open(&f, true, "POST /i/_doc", "{}", 0, NULL), 1);
	assert_string_equal(fake_job_sends(&f), first);
	fake_job_close(&f);
}

static void something_newer_at_the_target_is_a_success(void **state)
{
	struct fake_job f;

	(void)state;
	assert_int_equal(fake_job_open(&f, true, "PUT /i/_doc/1", "{}", 201, CREATED("1", "1")), 1);
	fake_job_sends(&f);
	assert_int_equal(fake_job_answer(&f, 409, "{}"), JOB_FINAL);
	assert_int_equal(f.counts.conflicts_newer, 1);
	fake_job_close(&f);
}

static void a_write_outlasts_a_busy_target_when_it_carries_versions(void **state)
{
	struct fake_job f;

	(void)state;
	for (int versions = 0; versions < 2; versions++) {
		assert_int_equal(
			fake_job_open(&f, versions, "PUT /i/_doc/1", "{}", 201, CREATED("1", "1")),
			1);
		for (int i = 1; i < (versions ? 100 : JOB_ATTEMPTS); i++) {
			fake_job_sends(&f);
			assert_int_equal(fake_job_answer(&f, i % 2 ? 429 : 503, "{}"), JOB_AGAIN);
			assert_int_equal(f.job.refused, versions);
		}
		fake_job_sends(&f);
		assert_int_equal(fake_job_answer(&f, versions ? 200 : 503, "{}"), JOB_FINAL);
		assert_false(f.job.refused);
		fake_job_close(&f);
	}
}

static void one_that_never_gets_an_answer_is_given_up_at_last(void **state)
{
	/* A node that is stopped answers 500 to what it has begun. */
	static const int statuses[] = {0, 500};
	struct fake_job f;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(statuses); i++) {
		int sends = 1;

		assert_int_equal(
			fake_job_open(&f, true, "PUT /i/_doc/1", "{}", 201, CREATED("1", "1")), 1);
		fake_job_sends(&f);
		while (fake_job_answer(&f, statuses[i], "") == JOB_AGAIN) {
			fake_job_sends(&f);
			sends++;
		}
		assert_int_equal(sends, JOB_ATTEMPTS_MOST);
		fake_job_close(&f);
	}
}

static void a_connection_that_ends_after_a_busy_time_is_not_the_last(void **state)
{
	struct fake_job f;

	(void)state;
	assert_int_equal(fake_job_open(&f, true, "PUT /i/_doc/1", "{}", 201, CREATED("1", "1")), 1);
	for (int i = 0; i < 2 * JOB_ATTEMPTS_MOST; i++) {
		fake_job_sends(&f);
		assert_int_equal(fake_job_answer(&f, 429, "{}"), JOB_AGAIN);
	}
	fake_job_sends(&f);
	assert_int_equal(fake_job_answer(&f, 0, ""), JOB_AGAIN);
	fake_job_close(&f);
	/* A delete of what was not there at the source. */
	assert_int_equal(fake_job_open(&f, true, "DELETE /i/_doc/1", "", 404, UPDATED("1", "3")),
			 1);
	fake_job_sends(&f);
	assert_int_equal(fake_job_answer(&f, 503, "{}"), JOB_AGAIN);
	fake_job_close(&f);
}

#define BUSY "{\"index\":{\"status\":429,\"error\":{\"type\":\"es_rejected_execution_exception\"}}}"
#define WRONG "{\"index\":{\"status\":400,\"error\":{\"type\":\"io_exception\"}}}"
#define BROKEN "{\"index\":{\"status\":500,\"error\":{\"type\":\"node_closed_exception\"}}}"
#define WRITTEN "{\"index\":{\"status\":201}}"

static void items_of_a_bulk_outlast_a_busy_target_and_others_do_not(void **state)
{
	static const char *const request = "{\"index\":{\"_index\":\"i\",\"_id\":\"1\"}}\n{}\n"
					   "{\"index\":{\"_index\":\"i\",\"_id\":\"2\"}}\n{}\n";
	struct fake_job f;

	(void)state;
	assert_int_equal(fake_job_open(&f, true, "POST /_bulk", request, 200,
				       "{\"items\":[{\"index\":" CREATED(
					       "1", "1") "},{\"index\":" CREATED("2", "1") "}]}"),
			 1);
	for (int i = 1; i <= JOB_ATTEMPTS; i++) {
		fake_job_sends(&f);
		assert_int_equal(fake_job_answer(&f, 200, "{\"items\":[" BUSY "," WRONG "]}"),
				 JOB_AGAIN);
	}
	/* The wrong one has had its tries. */
	for (int i = 0; i < 50; i++) {
		const char *body = f.job.out.body.ptr, *result = f.job.bulk->items[0].result.ptr;

		assert_string_equal(fake_job_sends(&f),
				    "POST /_bulk\n{\"index\":{\"_index\":\"i\",\"_id\":\"1\","
				    "\"version\":1,\"version_type\":\"external_gte\"}}\n{}\n");
		assert_int_equal(fake_job_answer(&f, 200, "{\"items\":[" BUSY "]}"), JOB_AGAIN);
		/* Hundreds of tries take no more memory than one. */
		assert_true(i == 0 || f.job.out.body.ptr == body);
		assert_ptr_equal(f.job.bulk->items[0].result.ptr, result);
	}
	fake_job_sends(&f);
	assert_int_equal(fake_job_answer(&f, 200, "{\"items\":[" WRITTEN "]}"), JOB_FINAL);
	assert_string_equal(fake_job_stitched(&f),
			    "{\"took\":0,\"errors\":true,\"items\":[" WRITTEN "," WRONG "]}");
	fake_job_close(&f);
}

static void an_item_that_the_target_stumbles_over_is_given_up_at_last(void **state)
{
	struct fake_job f;
	unsigned sends = 1;

	(void)state;
	assert_int_equal(fake_job_open(&f, true, "POST /i/_bulk",
				       "{\"index\":{\"_id\":\"1\"}}\n{}\n", 200,
				       "{\"items\":[{\"index\":" CREATED("1", "1") "}]}"),
			 1);
	fake_job_sends(&f);
	while (fake_job_answer(&f, 200, "{\"items\":[" BROKEN "]}") == JOB_AGAIN) {
		fake_job_sends(&f);
		sends++;
	}
	assert_int_equal(sends, JOB_ATTEMPTS_MOST);
	fake_job_close(&f);
}

static void routing_has_its_later_name_in_bulks(void **state)
{
	struct fake_job f;

	(void)state;
	assert_int_equal(fake_job_open(&f, true, "POST /i/_bulk",
				       "{\"index\":{\"_id\":\"1\",\"_routing\":\"r\"}}\n{}\n", 200,
				       "{\"items\":[{\"index\":" CREATED("1", "1") "}]}"),
			 1);
	assert_string_equal(fake_job_sends(&f),
			    "POST /i/_bulk\n{\"index\":{\"_id\":\"1\",\"routing\":\"r\","
			    "\"version\":1,\"version_type\":\"external_gte\"}}\n{}\n");
	fake_job_close(&f);
}

static void what_a_request_by_query_reads_is_refreshed_first(void **state)
{
	static const struct {
		const char *request, *body, *refresh;
	} all[] = {
		{"POST /i%2a,j/_update_by_query?refresh", "{}", "POST /i%2a,j/_refresh"},
		{"POST /i/_delete_by_query", "{}", "POST /i/_refresh"},
		{"POST /_reindex", "{\"source\":{\"index\":\"i\"},\"dest\":{\"index\":\"j\"}}",
		 "POST /i/_refresh"},
		{"POST /_reindex", "{\"source\":{\"index\":[\"i\",\"j\"]}}", "POST /i,j/_refresh"},
		{"POST /_reindex", "{\"source\":{\"index\":\"i\",\"remote\":{}}}", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		struct fake_job f;

		assert_int_equal(fake_job_open(&f, true, all[i].request, all[i].body, 200, "{}"),
				 1);
		if (all[i].refresh) {
			assert_true(
				str_starts(str_from(fake_job_sends(&f)), str_from(all[i].refresh)));
			assert_int_equal(fake_job_answer(&f, 404, "{}"), JOB_NEXT);
		}
		assert_string_equal(
			fake_job_sends(&f),
			arena_printf(&f.mem, "%s\n%s", all[i].request, all[i].body).ptr);
		assert_int_equal(fake_job_answer(&f, 200, "{}"), JOB_FINAL);
		fake_job_close(&f);
	}
}

static void a_refresh_that_a_busy_target_refuses_is_sent_again(void **state)
{
	static const char *const refresh = "POST /i/_refresh";
	static const int busy[] = {429, 503, 0};
	struct fake_job f;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(busy); i++) {
		assert_int_equal(
			fake_job_open(&f, true, "POST /i/_delete_by_query", "{}", 200, "{}"), 1);
		for (int sent = 1; sent < JOB_ATTEMPTS; sent++) {
			assert_true(str_starts(str_from(fake_job_sends(&f)), str_from(refresh)));
			/* What never went out counts for nothing. */
			job_not_sent(&f.job);
			assert_int_equal(f.job.probes, 0);
			assert_true(str_starts(str_from(fake_job_sends(&f)), str_from(refresh)));
			assert_int_equal(fake_job_answer(&f, busy[i], "{}"), JOB_AGAIN);
		}
		assert_true(str_starts(str_from(fake_job_sends(&f)), str_from(refresh)));
		assert_int_equal(fake_job_answer(&f, busy[i], "{}"), JOB_NEXT);
		assert_string_equal(fake_job_sends(&f), "POST /i/_delete_by_query\n{}");
		assert_int_equal(fake_job_answer(&f, 200, "{}"), JOB_FINAL);
		fake_job_close(&f);
	}
}

static void bulk_items_carry_versions_and_ids_of_the_source(void **state)
{
	static const char *const request = "{\"create\":{\"_index\":\"i\",\"_id\":\"1\"}}\n{}\n"
					   "{\"index\":{\"_index\":\"i\"}}\n{\"a\":1}\n"
					   "{\"delete\":{\"_index\":\"i\",\"_id\":\"2\"}}\n"
					   "{\"create\":{\"_index\":\"i\",\"_id\":\"3\"}}\n{}\n";
	static const char *const answer = "{\"errors\":true,\"items\":[{\"create\":" CREATED(
		"1", "1") "},"
			  "{\"index\":" CREATED("auto", "1") "},{\"delete\":" UPDATED(
				  "2", "6") "},"
					    "{\"create\":{\"status\":409,\"error\":{\"type\":"
					    "\"conflict\"}}}]}";
	struct fake_job f;

	(void)state;
	assert_int_equal(fake_job_open(&f, true, "POST /_bulk", request, 200, answer), 1);
	assert_string_equal(fake_job_sends(&f),
			    "POST /_bulk\n"
			    "{\"index\":{\"_index\":\"i\",\"_id\":\"1\",\"version\":1,"
			    "\"version_type\":\"external_gte\"}}\n{}\n"
			    "{\"index\":{\"_index\":\"i\",\"_id\":\"auto\",\"version\":1,"
			    "\"version_type\":\"external_gte\"}}\n{\"a\":1}\n"
			    "{\"delete\":{\"_index\":\"i\",\"_id\":\"2\",\"version\":6,"
			    "\"version_type\":\"external_gte\"}}\n");
	assert_int_equal(f.counts.ids_taken, 1);
	assert_int_equal(
		fake_job_answer(
			&f, 200,
			"{\"items\":[{\"index\":{\"status\":201}},{\"index\":{\"status\":409,"
			"\"error\":{\"type\":\"c\"}}},{\"delete\":{\"status\":200}}]}"),
		JOB_FINAL);
	assert_string_equal(fake_job_stitched(&f),
			    "{\"took\":0,\"errors\":true,\"items\":[{\"index\":{\"status\":201}},"
			    "{\"index\":{\"status\":409,\"error\":{\"type\":\"c\"}}},{\"delete\":{"
			    "\"status\":200}},"
			    "{\"create\":{\"status\":409,\"error\":{\"type\":\"conflict\"}}}]}");
	fake_job_close(&f);
}

static void a_create_in_a_bulk_without_an_answer_overwrites_nothing(void **state)
{
	struct fake_job f;

	(void)state;
	assert_int_equal(fake_job_open(&f, true, "POST /i/_bulk",
				       "{\"create\":{\"_id\":\"1\"}}\n{}\n", 0, NULL),
			 1);
	assert_string_equal(fake_job_sends(&f),
			    "POST /i/_bulk\n{\"create\":{\"_id\":\"1\"}}\n{}\n");
	fake_job_close(&f);
}

static void open_update(struct fake_job *f)
{
	assert_int_equal(fake_job_open(f, true, "POST /i/_update/1",
				       "{\"doc\":{\"a\":1},\"upsert\":{}}", 200, UPDATED("1", "3")),
			 1);
	assert_string_equal(fake_job_sends(f), PROBE);
}

static void an_update_goes_out_bound_to_what_it_was_of(void **state)
{
	struct fake_job f;

	(void)state;
	open_update(&f);
	assert_int_equal(fake_job_answer(&f, 200, FOUND("2")), JOB_NEXT);
	assert_string_equal(fake_job_sends(&f), "POST /i/_update/1?if_seq_no=7&if_primary_term=2\n"
						"{\"doc\":{\"a\":1}}");
	/* Another writer came between: it is asked again. */
	assert_int_equal(fake_job_answer(&f, 409, "{}"), JOB_AGAIN);
	assert_string_equal(fake_job_sends(&f), PROBE);
	assert_int_equal(fake_job_answer(&f, 200, FOUND("3")), JOB_FINAL);
	assert_int_equal(f.counts.skipped_newer, 1);
	fake_job_close(&f);
}

static void an_update_waits_for_what_is_before_it(void **state)
{
	struct fake_job f;

	(void)state;
	open_update(&f);
	assert_int_equal(fake_job_answer(&f, 200, FOUND("1")), JOB_AGAIN);
	assert_string_equal(fake_job_sends(&f), PROBE);
	assert_int_equal(fake_job_answer(&f, 200, FOUND("2")), JOB_NEXT);
	assert_int_equal(f.counts.updates_out_of_order, 0);
	fake_job_close(&f);
}

static void questions_keep_no_memory(void **state)
{
	struct fake_job f;
	struct str answer;
	size_t used;

	(void)state;
	open_update(&f);
	answer = answer_text(&f.mem, 200, FOUND("1"));
	used = f.mem.used;
	assert_int_equal(job_decide(&f.job, 200, answer, true), JOB_AGAIN);
	assert_int_equal(f.mem.used, used);
	fake_job_close(&f);
}

static void an_update_of_nothing_waits_as_long_as_it_may(void **state)
{
	struct fake_job f;

	(void)state;
	open_update(&f);
	assert_int_equal(fake_job_answer(&f, 200, MISSING), JOB_NEXT);
	assert_string_equal(fake_job_sends(&f), TOMBSTONES);
	assert_int_equal(fake_job_answer(&f, 200, NO_TOMBSTONE), JOB_AGAIN);
	for (int i = 0; i < 5; i++) {
		assert_string_equal(fake_job_sends(&f), PROBE);
		assert_int_equal(fake_job_answer(&f, 200, MISSING), JOB_AGAIN);
	}
	/* Nothing brings it any more. */
	f.job.may_wait = false;
	assert_string_equal(fake_job_sends(&f), PROBE);
	assert_int_equal(fake_job_answer(&f, 200, MISSING), JOB_NEXT);
	assert_string_equal(fake_job_sends(&f), TOMBSTONES);
	/* Sent it could come to the document that is made next. */
	assert_int_equal(fake_job_answer(&f, 200, NO_TOMBSTONE), JOB_FINAL);
	assert_int_equal(f.counts.updates_lost, 1);
	assert_true(f.job.is_lost);
	fake_job_close(&f);
}

static void an_update_of_what_was_deleted_since_is_in(void **state)
{
	struct fake_job f;

	(void)state;
	open_update(&f);
	assert_int_equal(fake_job_answer(&f, 200, MISSING), JOB_NEXT);
	assert_string_equal(fake_job_sends(&f), TOMBSTONES);
	assert_int_equal(fake_job_answer(&f, 200, TOMBSTONE("3")), JOB_FINAL);
	assert_int_equal(f.counts.skipped_newer, 1);
	fake_job_close(&f);
	/* The tombstone of what came before the document that it was of. */
	open_update(&f);
	assert_int_equal(fake_job_answer(&f, 200, MISSING), JOB_NEXT);
	assert_string_equal(fake_job_sends(&f), TOMBSTONES);
	assert_int_equal(fake_job_answer(&f, 200, TOMBSTONE("1")), JOB_AGAIN);
	assert_string_equal(fake_job_sends(&f), PROBE);
	fake_job_close(&f);
}

/* Sent, it could come to the document that is made next, as to one that nothing was left out of. */
static void an_update_that_gives_up_is_not_sent_to_what_is_deleted(void **state)
{
	static const char *const then[] = {MISSING, FOUND("2")};
	struct fake_job f;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(then); i++) {
		open_update(&f);
		f.job.may_wait = false;
		assert_int_equal(fake_job_answer(&f, 200, MISSING), JOB_NEXT);
		assert_string_equal(fake_job_sends(&f), TOMBSTONES);
		/* Or of a document that was made since the first question. */
		assert_int_equal(fake_job_answer(&f, 200, TOMBSTONE("1")), JOB_AGAIN);
		assert_string_equal(fake_job_sends(&f), PROBE);
		assert_int_equal(fake_job_answer(&f, 200, then[i]), JOB_NEXT);
		if (i == 0) {
			assert_string_equal(fake_job_sends(&f), TOMBSTONES);
			assert_int_equal(fake_job_answer(&f, 200, TOMBSTONE("1")), JOB_FINAL);
		}
		assert_int_equal(f.counts.updates_lost, i == 0);
		assert_int_equal(f.counts.updates_out_of_order, 1);
		fake_job_close(&f);
	}
}

static void an_update_of_a_shard_that_is_away_stays_a_question(void **state)
{
	struct fake_job f;

	(void)state;
	open_update(&f);
	f.job.may_wait = false;
	assert_int_equal(
		fake_job_answer(&f, 200,
				"{\"docs\":[{\"_id\":\"1\",\"error\":{\"type\":"
				"\"no_shard_available_action_exception\",\"reason\":\"r\"}}]}"),
		JOB_AGAIN);
	assert_true(f.job.refused);
	assert_string_equal(fake_job_sends(&f), PROBE);
	assert_int_equal(fake_job_answer(&f, 200, MISSING), JOB_NEXT);
	assert_string_equal(fake_job_sends(&f), TOMBSTONES);
	assert_int_equal(
		fake_job_answer(&f, 200,
				"{\"items\":[{\"delete\":{\"status\":503,\"error\":{\"type\":"
				"\"unavailable_shards_exception\",\"reason\":\"r\"}}}]}"),
		JOB_AGAIN);
	assert_true(f.job.refused);
	assert_string_equal(fake_job_sends(&f), PROBE);
	assert_int_equal(fake_job_answer(&f, 200, FOUND("3")), JOB_FINAL);
	assert_false(f.job.refused);
	assert_int_equal(f.counts.updates_out_of_order, 0);
	fake_job_close(&f);
}

static void an_update_that_is_overwritten_later_waits_for_nothing(void **state)
{
	struct fake_job f;

	(void)state;
	open_update(&f);
	f.job.may_wait = false;
	f.job.is_overwritten = true;
	assert_int_equal(fake_job_answer(&f, 200, MISSING), JOB_NEXT);
	assert_string_equal(fake_job_sends(&f), TOMBSTONES);
	assert_int_equal(fake_job_answer(&f, 200, NO_TOMBSTONE), JOB_FINAL);
	assert_int_equal(f.counts.updates_out_of_order, 0);
	fake_job_close(&f);
}

/* The delete before it may have been before the capture began, and in no snapshot: without it the
 * versions from there on would be too low. */
static void a_script_that_made_the_document_comes_after_the_delete_before_it(void **state)
{
	static const char *const body = "{\"script\":\"s\",\"upsert\":{},\"scripted_upsert\":true}";
	static const char *const before[] = {MISSING, FOUND("1")};
	static const char *const deleted[] = {
		NO_TOMBSTONE, "{\"items\":[{\"delete\":{\"status\":200,\"result\":\"deleted\"}}]}"};
	struct fake_job f;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(before); i++) {
		assert_int_equal(
			fake_job_open(&f, true, "POST /i/_update/1", body, 201, CREATED("1", "3")),
			1);
		assert_string_equal(fake_job_sends(&f), PROBE);
		assert_int_equal(fake_job_answer(&f, 200, before[i]), JOB_NEXT);
		assert_string_equal(fake_job_sends(&f), TOMBSTONES_OF("2"));
		assert_int_equal(fake_job_answer(&f, 200, deleted[i]), JOB_NEXT);
		assert_string_equal(fake_job_sends(&f),
				    arena_printf(&f.mem, "POST /i/_update/1\n%s", body).ptr);
		assert_int_equal(f.counts.updates_out_of_order, 0);
		fake_job_close(&f);
	}
}

static void a_script_is_not_done_twice_where_its_first_answer_is_not_known(void **state)
{
	static const char *const body = "{\"script\":\"s\",\"upsert\":{},\"scripted_upsert\":true}";
	/* It did not come, or tells of a replayer that was killed with this under way; -1: the
	 * connection was used before, and may have ended behind the request. */
	static const int statuses[] = {0, 503, 409, -1};
	struct fake_job f;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(statuses); i++) {
		assert_int_equal(
			fake_job_open(&f, true, "POST /i/_update/1", body, 201, CREATED("1", "3")),
			1);
		assert_string_equal(fake_job_sends(&f), PROBE);
		assert_int_equal(fake_job_answer(&f, 200, MISSING), JOB_NEXT);
		assert_string_equal(fake_job_sends(&f), TOMBSTONES_OF("2"));
		assert_int_equal(fake_job_answer(&f, 200, NO_TOMBSTONE), JOB_NEXT);
		fake_job_sends(&f);
		if (statuses[i] < 0)
			job_not_sent(&f.job);
		else
			assert_int_equal(fake_job_answer(&f, statuses[i], "{}"), JOB_AGAIN);
		assert_string_equal(fake_job_sends(&f), PROBE);
		assert_int_equal(fake_job_answer(&f, 200, FOUND("3")), JOB_FINAL);
		assert_int_equal(f.counts.skipped_newer, 1);
		fake_job_close(&f);
	}
}

static void a_script_in_a_bulk_is_not_done_twice_by_a_target_that_ends(void **state)
{
	struct fake_job f;

	(void)state;
	assert_int_equal(
		fake_job_open(&f, true, "POST /_bulk",
			      "{\"update\":{\"_index\":\"i\",\"_id\":\"1\"}}\n"
			      "{\"script\":\"s\",\"upsert\":{},\"scripted_upsert\":true}\n",
			      200, "{\"items\":[{\"update\":" CREATED("1", "3") "}]}"),
		1);
	assert_string_equal(fake_job_sends(&f), PROBE);
	assert_int_equal(fake_job_answer(&f, 200, MISSING), JOB_NEXT);
	assert_string_equal(fake_job_sends(&f), TOMBSTONES_OF("2"));
	assert_int_equal(fake_job_answer(&f, 200, NO_TOMBSTONE), JOB_NEXT);
	fake_job_sends(&f);
	assert_int_equal(fake_job_answer(&f, 200,
					 "{\"items\":[{\"update\":{\"status\":500,\"error\":{"
					 "\"type\":\"closed\"}}}]}"),
			 JOB_AGAIN);
	assert_string_equal(fake_job_sends(&f), PROBE);
	assert_int_equal(fake_job_answer(&f, 200, FOUND("3")), JOB_FINAL);
	fake_job_close(&f);
}

static void conflicts_of_one_update_do_not_count_for_another(void **state)
{
	enum { ITEMS = 3 };
	static const char *const refused =
		"{\"items\":[{\"update\":{\"status\":409,\"error\":{\"type\":\"c\"}}},"
		"{\"update\":{\"status\":409,\"error\":{\"type\":\"c\"}}},"
		"{\"update\":{\"status\":409,\"error\":{\"type\":\"c\"}}}]}";
	static const char *const there =
		"{\"docs\":[{\"found\":true,\"_version\":1,\"_seq_no\":7,\"_primary_term\":2},"
		"{\"found\":true,\"_version\":1,\"_seq_no\":8,\"_primary_term\":2},"
		"{\"found\":true,\"_version\":1,\"_seq_no\":9,\"_primary_term\":2}]}";
	char request[400] = "", answer[400] = "{\"items\":[";
	struct fake_job f;

	(void)state;
	for (int i = 0; i < ITEMS; i++) {
		snprintf(request + strlen(request), sizeof(request) - strlen(request),
			 "{\"update\":{\"_index\":\"i\",\"_id\":\"%d\"}}\n{\"doc\":{}}\n", i);
		snprintf(answer + strlen(answer), sizeof(answer) - strlen(answer),
			 "%s{\"update\":{\"_id\":\"%d\",\"_version\":2,\"result\":\"updated\"}}",
			 i ? "," : "", i);
	}
	strcat(answer, "]}");
	assert_int_equal(fake_job_open(&f, true, "POST /_bulk", request, 200, answer), 1);
	for (int i = 0; i < UPDATES_CONFLICTS; i++) {
		fake_job_sends(&f);
		assert_int_equal(fake_job_answer(&f, 200, there), JOB_NEXT);
		fake_job_sends(&f);
		assert_int_equal(fake_job_answer(&f, 200, refused), JOB_NEXT);
		for (int n = 0; n < ITEMS; n++)
			assert_true(f.job.updates[n].open);
	}
	fake_job_close(&f);
}

static void a_script_does_not_make_anew_what_was_deleted_since(void **state)
{
	static const char *const body = "{\"script\":\"s\",\"upsert\":{},\"scripted_upsert\":true}";
	struct fake_job f;

	(void)state;
	for (int deleted = 0; deleted < 2; deleted++) {
		assert_int_equal(
			fake_job_open(&f, true, "POST /i/_update/1", body, 201, CREATED("1", "1")),
			1);
		assert_string_equal(fake_job_sends(&f), PROBE);
		assert_int_equal(fake_job_answer(&f, 200, MISSING), JOB_NEXT);
		assert_string_equal(fake_job_sends(&f), TOMBSTONES);
		assert_int_equal(fake_job_answer(&f, 200, deleted ? TOMBSTONE("2") : NO_TOMBSTONE),
				 deleted ? JOB_FINAL : JOB_NEXT);
		if (!deleted)
			assert_string_equal(
				fake_job_sends(&f),
				arena_printf(&f.mem, "POST /i/_update/1\n%s", body).ptr);
		fake_job_close(&f);
	}
}

static uint64_t forgotten_after_delete(const char *created)
{
	struct deletes *deletes = deletes_new();
	struct fake_job f;
	uint64_t count;
	char bulk[300];

	snprintf(bulk, sizeof(bulk), "{\"items\":[{\"index\":%s}]}", created);
	assert_int_equal(fake_job_open_watching(&f, deletes, "DELETE /i/_doc/1", "",
						"{\"_index\":\"i\",\"_id\":\"1\",\"_version\":5,"
						"\"_seq_no\":80,\"result\":\"deleted\"}"),
			 1);
	assert_int_equal(f.counts.deletes_forgotten, 0);
	fake_job_close(&f);
	assert_int_equal(fake_job_open_watching(&f, deletes, "PUT /i/_doc/1", "{}", created), 1);
	count = f.counts.deletes_forgotten;
	fake_job_close(&f);
	assert_int_equal(
		fake_job_open_watching(&f, deletes, "POST /_bulk",
				       "{\"index\":{\"_index\":\"i\",\"_id\":\"1\"}}\n{}\n", bulk),
		1);
	assert_int_equal(f.counts.deletes_forgotten, count);
	fake_job_close(&f);
	deletes_free(deletes);
	return count;
}

#define MADE(id, version, seq_no)                                                           \
	"{\"_index\":\"i\",\"_id\":\"" id "\",\"_version\":" version ",\"_seq_no\":" seq_no \
	",\"result\":\"created\"}"

static void an_id_that_comes_back_below_its_delete_is_counted(void **state)
{
	(void)state;
	assert_int_equal(forgotten_after_delete(MADE("1", "1", "90")), 1);
	/* The delete was known, came later, was of another document, or nobody knows. */
	assert_int_equal(forgotten_after_delete(MADE("1", "6", "90")), 0);
	assert_int_equal(forgotten_after_delete(MADE("1", "1", "70")), 0);
	assert_int_equal(forgotten_after_delete(MADE("2", "1", "90")), 0);
	assert_int_equal(forgotten_after_delete(CREATED("1", "1")), 0);
}

static void what_changed_nothing_at_the_source_is_not_sent(void **state)
{
	struct fake_job f;

	(void)state;
	assert_int_equal(fake_job_open(&f, true, "POST /i/_update/1", "{\"doc\":{}}", 200,
				       "{\"_version\":4,\"result\":\"noop\"}"),
			 0);
	assert_int_equal(f.counts.skipped_unchanged, 1);
	fake_job_close(&f);
}

static void a_question_that_never_went_out_is_not_counted(void **state)
{
	struct fake_job f;

	(void)state;
	open_update(&f);
	for (int i = 0; i < 10; i++) {
		job_not_sent(&f.job);
		assert_string_equal(fake_job_sends(&f), PROBE);
	}
	assert_int_equal(f.job.probes, 1);
	assert_int_equal(fake_job_answer(&f, 200, MISSING), JOB_NEXT);
	assert_string_equal(fake_job_sends(&f), TOMBSTONES);
	job_not_sent(&f.job);
	assert_string_equal(fake_job_sends(&f), TOMBSTONES);
	fake_job_close(&f);
}

static void an_update_in_a_bulk_waits_while_other_items_go(void **state)
{
	static const char *const request =
		"{\"index\":{\"_index\":\"i\",\"_id\":\"1\"}}\n{\"a\":1}\n"
		"{\"update\":{\"_index\":\"i\",\"_id\":\"1\",\"retry_on_conflict\":3}}\n"
		"{\"doc\":{\"a\":2}}\n";
	static const char *const answer = "{\"errors\":false,\"items\":[{\"index\":" CREATED(
		"1", "1") "},{\"update\":" UPDATED("1", "2") "}]}";
	struct fake_job f;

	(void)state;
	assert_int_equal(fake_job_open(&f, true, "POST /_bulk", request, 200, answer), 1);
	assert_string_equal(fake_job_sends(&f), PROBE);
	assert_int_equal(fake_job_answer(&f, 200, MISSING), JOB_NEXT);
	assert_string_equal(fake_job_sends(&f), TOMBSTONES);
	assert_int_equal(fake_job_answer(&f, 200, NO_TOMBSTONE), JOB_NEXT);
	assert_string_equal(fake_job_sends(&f),
			    "POST /_bulk\n{\"index\":{\"_index\":\"i\",\"_id\":\"1\",\"version\":1,"
			    "\"version_type\":\"external_gte\"}}\n{\"a\":1}\n");
	assert_int_equal(fake_job_answer(&f, 200, "{\"items\":[{\"index\":{\"status\":201}}]}"),
			 JOB_NEXT);
	assert_string_equal(fake_job_sends(&f), PROBE);
	assert_int_equal(fake_job_answer(&f, 200, FOUND("1")), JOB_NEXT);
	assert_string_equal(
		fake_job_sends(&f),
		"POST /_bulk\n{\"update\":{\"_index\":\"i\",\"_id\":\"1\",\"if_seq_no\":7,"
		"\"if_primary_term\":2}}\n{\"doc\":{\"a\":2}}\n");
	assert_int_equal(fake_job_answer(&f, 200, "{\"items\":[{\"update\":{\"status\":200}}]}"),
			 JOB_FINAL);
	assert_string_equal(fake_job_stitched(&f),
			    "{\"took\":0,\"errors\":false,\"items\":[{\"index\":{\"status\":201}},"
			    "{\"update\":{\"status\":200}}]}");
	fake_job_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_writes_carry_the_version_of_the_source),
		cmocka_unit_test(what_the_source_refused_is_not_sent),
		cmocka_unit_test(a_write_outlasts_a_busy_target_when_it_carries_versions),
		cmocka_unit_test(a_connection_that_ends_after_a_busy_time_is_not_the_last),
		cmocka_unit_test(one_that_never_gets_an_answer_is_given_up_at_last),
		cmocka_unit_test(items_of_a_bulk_outlast_a_busy_target_and_others_do_not),
		cmocka_unit_test(an_item_that_the_target_stumbles_over_is_given_up_at_last),
		cmocka_unit_test(routing_has_its_later_name_in_bulks),
		cmocka_unit_test(what_a_request_by_query_reads_is_refreshed_first),
		cmocka_unit_test(a_refresh_that_a_busy_target_refuses_is_sent_again),
		cmocka_unit_test(an_answer_of_the_capture_proxy_is_no_refusal_of_the_source),
		cmocka_unit_test(an_id_without_an_answer_is_the_same_each_time),
		cmocka_unit_test(something_newer_at_the_target_is_a_success),
		cmocka_unit_test(bulk_items_carry_versions_and_ids_of_the_source),
		cmocka_unit_test(a_create_in_a_bulk_without_an_answer_overwrites_nothing),
		cmocka_unit_test(an_update_goes_out_bound_to_what_it_was_of),
		cmocka_unit_test(an_update_waits_for_what_is_before_it),
		cmocka_unit_test(questions_keep_no_memory),
		cmocka_unit_test(an_update_of_nothing_waits_as_long_as_it_may),
		cmocka_unit_test(an_update_of_what_was_deleted_since_is_in),
		cmocka_unit_test(an_update_that_gives_up_is_not_sent_to_what_is_deleted),
		cmocka_unit_test(an_update_of_a_shard_that_is_away_stays_a_question),
		cmocka_unit_test(an_update_that_is_overwritten_later_waits_for_nothing),
		cmocka_unit_test(a_script_that_made_the_document_comes_after_the_delete_before_it),
		cmocka_unit_test(a_script_is_not_done_twice_where_its_first_answer_is_not_known),
		cmocka_unit_test(a_script_in_a_bulk_is_not_done_twice_by_a_target_that_ends),
		cmocka_unit_test(conflicts_of_one_update_do_not_count_for_another),
		cmocka_unit_test(a_script_does_not_make_anew_what_was_deleted_since),
		cmocka_unit_test(an_id_that_comes_back_below_its_delete_is_counted),
		cmocka_unit_test(what_changed_nothing_at_the_source_is_not_sent),
		cmocka_unit_test(a_question_that_never_went_out_is_not_counted),
		cmocka_unit_test(an_update_in_a_bulk_waits_while_other_items_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
