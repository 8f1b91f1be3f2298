#include "cluster/bulk.h"

#include "fake_server.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define assert_contains(text, part)                                  \
	do {                                                         \
		if (!strstr(text, part))                             \
			fail_msg("'%s' is not in '%s'", part, text); \
	} while (0)

#define MOST_IDS 1100
/* A 404 without an error, as for a document that is not there. */
#define GONE (-404)

/* What the fake cluster does with a document is in its id: "ok-…" is taken; "bad-…" refused;
 * "busyN-…" comes back 429 N times, "fullN-…" for a full disk; "stuck-…" and "fullX-…" always;
 * "newer-…" conflicts, "gone-…" is not found, "homeless-…" misses its index. One "poison-…" brings
 * 400 for the whole bulk, "big-…" 413, "boom-…" 500. */
struct fake_cluster {
	char ids[MOST_IDS][32];
	unsigned sends[MOST_IDS];
	size_t id_count;
	size_t bulks;
	size_t full_first; /* so many bulks are refused whole for a full disk */
	size_t fail_first; /* so many bulks end as `how` says, and are not looked at */
	enum fake_end how;
	const char *always; /* the answer to every bulk, with status 200 */
	int always_status;  /* the status of every bulk, with "{}" */
	bool asks_to_wait;  /* longer than anybody will */
	bool expect_seen;
};

static unsigned *sends_of(struct fake_cluster *fake, struct str id)
{
	size_t i = 0;

	while (i < fake->id_count && !str_is(id, fake->ids[i]))
		i++;
	if (i == fake->id_count) {
		if (i == MOST_IDS)
			BUG("more documents than a test should need");
		snprintf(fake->ids[i], sizeof(fake->ids[i]), STR_FMT, STR_ARG(id));
		fake->id_count++;
	}
	return &fake->sends[i];
}

static int status_of(struct str id, unsigned sends)
{
	if (str_starts(id, STR("ok-")))
		return 201;
	if (str_starts(id, STR("bad-")))
		return 400;
	if (str_starts(id, STR("stuck-")))
		return 429;
	if (str_starts(id, STR("newer-")))
		return 409;
	if (str_starts(id, STR("gone-")))
		return GONE;
	if (str_starts(id, STR("homeless-")))
		return 404;
	if (str_starts(id, STR("fullX")))
		return 403;
	if (str_starts(id, STR("busy")) || str_starts(id, STR("full")))
		return sends <= (unsigned)(id.ptr[4] - '0') ? 429 : 201;
	BUG("an id that says nothing");
}

static int whole_status(struct str body)
{
	static const struct {
		struct str mark;
		int status;
	} marks[] = {{STR("\"poison-"), 400}, {STR("\"big-"), 413}, {STR("\"boom-"), 500}};

	for (size_t i = 0; i < COUNT_OF(marks); i++)
		if (memmem(body.ptr, body.len, marks[i].mark.ptr, marks[i].mark.len))
			return marks[i].status;
	return 200;
}

static void write_item(struct buf *out, struct str id, int status)
{
	if (status == 201)
		buf_printf(out, "{\"index\":{\"status\":201}}");
	else if (str_starts(id, STR("full")))
		buf_printf(out,
			   "{\"index\":{\"status\":%d,\"error\":{\"type\":"
			   "\"cluster_block_exception\",\"reason\":\"index [books] blocked by: "
			   "[%s/12/disk usage exceeded flood-stage watermark];\"}}}",
			   status, status == 403 ? "FORBIDDEN" : "TOO_MANY_REQUESTS");
	else if (status == GONE)
		buf_printf(out, "{\"delete\":{\"status\":404}}");
	else
		buf_printf(out,
			   "{\"index\":{\"status\":%d,\"error\":{\"type\":\"%s\",\"reason\":\"no "
			   "(%d)\"}}}",
			   status,
			   status == 429 ? "es_rejected_execution_exception"
					 : "mapper_parsing_exception",
			   status);
}

static void answer_items(struct fake_cluster *fake, struct str body, struct fake_reply *reply)
{
	cleanup(buf_release) struct buf items = BUF_INIT(MIB(1));
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(1));
	bool errors = false;
	struct str line;

	while (str_split(body, '\n', &line, &body)) {
		static const struct str key = STR("\"_id\":\"");
		const char *at = memmem(line.ptr, line.len, key.ptr, key.len);
		struct str id, rest;
		unsigned *sends;
		int status;

		if (!at)
			continue;
		str_split(str_from_offset(line, (size_t)(at - line.ptr) + key.len), '"', &id,
			  &rest);
		sends = sends_of(fake, id);
		status = status_of(id, ++*sends);
		errors |= status != 201;
		if (items.len)
			buf_append_byte(&items, ',');
		write_item(&items, id, status);
	}
	buf_printf(&out, "{\"errors\":%s,\"items\":[", errors ? "true" : "false");
	buf_append_str(&out, buf_str(&items));
	buf_append_str(&out, STR("]}"));
	fake_reply_write(reply, 200, fake->asks_to_wait ? "Retry-After: 3000\r\n" : "",
			 buf_str(&out));
}

static void serve(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct fake_cluster *fake = user;
	int status = whole_status(request->body);

	if (str_starts(request->head, STR("GET / "))) {
		fake_reply_json(reply, 200,
				"{\"version\":{\"distribution\":\"opensearch\",\"number\":\"2.0."
				"0\"}}");
		return;
	}
	if (!str_starts(request->head, STR("POST /_bulk?filter_path=")) ||
	    !fake_request_has(request, "Content-Type: application/x-ndjson"))
		BUG("that is no bulk");
	fake->expect_seen |= fake_request_has(request, "Expect: 100-continue");
	if (fake->bulks++ < fake->fail_first) {
		/* Cut off in the middle of the answer. */
		buf_append_str(&reply->bytes,
			       STR("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"));
		reply->end = fake->how;
	} else if (fake->bulks <= fake->full_first) {
		fake_reply_json(reply, 403,
				"{\"error\":{\"type\":\"cluster_block_exception\",\"reason\":"
				"\"blocked by: [FORBIDDEN/13/cluster read-only / allow delete "
				"(api)];\"}}");
	} else if (fake->always) {
		fake_reply_json(reply, 200, fake->always);
	} else if (fake->always_status || status != 200) {
		fake_reply_json(
			reply, fake->always_status ? fake->always_status : status,
			"{\"error\":{\"type\":\"whole_exception\",\"reason\":\"the bulk\"}}");
	} else {
		answer_items(fake, request->body, reply);
	}
}

/* What the cluster's watch was told. */
struct heard {
	unsigned refused, blocked, unblocked;
	char reason[200];
};

static void hear_refused(void *user, int64_t elapsed_ms)
{
	assert_true(elapsed_ms >= 0 && elapsed_ms < 3600 * 1000);
	((struct heard *)user)->refused++;
}

static void hear_blocked(void *user, struct str reason)
{
	struct heard *heard = user;

	heard->blocked++;
	snprintf(heard->reason, sizeof(heard->reason), STR_FMT, STR_ARG(reason));
}

static void hear_unblocked(void *user)
{
	((struct heard *)user)->unblocked++;
}

struct stage {
	struct heard heard;
	struct fake_cluster *fake;
	struct fake_server *server;
	struct cluster *cluster;
	struct bulk bulk;
	struct bulk_result result;
	struct err err;
};

static void begin(struct stage *s, int64_t max_total_ms)
{
	struct cluster_retry retry = {
		.initial_delay_ms = 1, .max_delay_ms = 1, .max_total_ms = max_total_ms};
	struct cluster_watch watch = {hear_refused, hear_blocked, hear_unblocked};
	struct http_options options = {0};

	*s = (struct stage){.fake = mem_zalloc(sizeof(*s->fake))};
	s->server = fake_server_start(serve, s->fake);
	options.host = fake_server_url(s->server);
	if (cluster_connect(&options, &retry, &s->cluster, &s->err) < 0)
		fail_msg("%s", s->err.message);
	watch.user = &s->heard;
	cluster_set_watch(s->cluster, &watch);
	bulk_init(&s->bulk, MIB(4));
	bulk_result_init(&s->result);
}

static void end(struct stage *s)
{
	cluster_close(s->cluster);
	fake_server_free(s->server);
	bulk_release(&s->bulk);
	bulk_result_release(&s->result);
	free(s->fake);
}

static void add_sized(struct stage *s, const char *id, size_t size)
{
	cleanup(buf_release) struct buf source = BUF_INIT(MIB(2));
	struct bulk_document document = {.index = STR("books"), .id = str_from(id)};

	buf_append_str(&source, STR("{\"text\":\""));
	for (size_t i = 0; i < size; i++)
		buf_append_byte(&source, 'x');
	buf_append_str(&source, STR("\"}"));
	document.source = buf_str(&source);
	if (bulk_add(&s->bulk, &document, &s->err) < 0)
		fail_msg("%s", s->err.message);
}

static void add_as(struct stage *s, const char *id, enum bulk_operation operation, bool external)
{
	struct bulk_document document = {.index = STR("books"),
					 .id = str_from(id),
					 .source = STR("{}"),
					 .operation = operation,
					 .version = 3,
					 .external = external};

	if (bulk_add(&s->bulk, &document, &s->err) < 0)
		fail_msg("%s", s->err.message);
}

static void add(struct stage *s, const char *id)
{
	add_sized(s, id, 10);
}

static void add_many(struct stage *s, size_t count)
{
	char id[32];

	for (size_t i = 0; i < count; i++) {
		snprintf(id, sizeof(id), "ok-%zu", s->bulk.count);
		add(s, id);
	}
}

static int send_now(struct stage *s)
{
	return bulk_send(s->cluster, &s->bulk, false, &s->result, &s->err);
}

static void sends_well(struct stage *s)
{
	if (send_now(s) < 0)
		fail_msg("%s", s->err.message);
	assert_int_equal(s->result.succeeded + s->result.failure_count, s->bulk.count);
}

static void a_bulk_that_is_taken_whole_is_one_request(void **state)
{
	cleanup(end) struct stage s;

	(void)state;
	begin(&s, 60 * 1000);
	add_many(&s, 1000);
	sends_well(&s);
	assert_int_equal(s.result.succeeded, 1000);
	assert_int_equal(s.result.retries, 0);
	assert_int_equal(s.fake->bulks, 1);
	/* The result may be used again. */
	bulk_reset(&s.bulk);
	add(&s, "bad-1");
	sends_well(&s);
	assert_int_equal(s.result.succeeded, 0);
	bulk_reset(&s.bulk);
	sends_well(&s);
	assert_int_equal(s.result.failure_count, 0);
	assert_int_equal(s.fake->bulks, 2);
}

static void a_compressed_bulk_arrives_as_it_is(void **state)
{
	cleanup(end) struct stage s;

	(void)state;
	begin(&s, 60 * 1000);
	add_many(&s, 100);
	assert_int_equal(bulk_send(s.cluster, &s.bulk, true, &s.result, &s.err), 0);
	assert_int_equal(s.result.succeeded, 100);
	assert_int_equal(s.fake->id_count, 100);
}

static void a_refused_document_fails_with_its_reason_and_is_not_sent_again(void **state)
{
	cleanup(end) struct stage s;

	(void)state;
	begin(&s, 60 * 1000);
	add(&s, "ok-1");
	add(&s, "bad-1");
	add(&s, "ok-2");
	sends_well(&s);
	assert_int_equal(s.result.succeeded, 2);
	assert_int_equal(s.result.failure_count, 1);
	assert_int_equal(s.result.failures[0].item, 1);
	assert_int_equal(s.result.failures[0].status, 400);
	assert_true(str_is(s.result.failures[0].type, "mapper_parsing_exception"));
	assert_true(str_is(s.result.failures[0].reason, "no (400)"));
	assert_int_equal(s.fake->bulks, 1);
}

static void only_the_documents_that_came_back_are_sent_again(void **state)
{
	cleanup(end) struct stage s;

	(void)state;
	begin(&s, 60 * 1000);
	add(&s, "busy2-a");
	add(&s, "ok-1");
	add(&s, "bad-1");
	add(&s, "busy1-b");
	add(&s, "ok-2");
	add(&s, "busy3-c");
	sends_well(&s);
	assert_int_equal(s.result.succeeded, 5);
	assert_int_equal(s.result.failure_count, 1);
	assert_int_equal(s.result.failures[0].item, 2);
	assert_int_equal(s.result.retries, 3);
	assert_int_equal(*sends_of(s.fake, STR("ok-1")), 1);
	assert_int_equal(*sends_of(s.fake, STR("bad-1")), 1);
	assert_int_equal(*sends_of(s.fake, STR("busy1-b")), 2);
	assert_int_equal(*sends_of(s.fake, STR("busy2-a")), 3);
	assert_int_equal(*sends_of(s.fake, STR("busy3-c")), 4);
}

static void what_the_target_has_already_is_a_success_where_the_item_says_so(void **state)
{
	cleanup(end) struct stage s;

	(void)state;
	begin(&s, 60 * 1000);
	add_as(&s, "newer-index", BULK_INDEX, true);
	add_as(&s, "newer-plain", BULK_INDEX, false);
	add_as(&s, "newer-create", BULK_CREATE, false);
	add_as(&s, "newer-delete", BULK_DELETE, true);
	add_as(&s, "newer-deleted", BULK_DELETE, false);
	add_as(&s, "gone-delete", BULK_DELETE, false);
	add_as(&s, "gone-index", BULK_INDEX, true);
	add_as(&s, "homeless-delete", BULK_DELETE, true);
	sends_well(&s);
	assert_int_equal(s.result.succeeded, 4);
	assert_int_equal(s.result.superseded, 4);
	assert_int_equal(s.result.failure_count, 4);
	assert_int_equal(s.result.failures[0].item, 1);
	assert_int_equal(s.result.failures[0].status, 409);
	assert_int_equal(s.result.failures[1].item, 4);
	assert_int_equal(s.result.failures[2].item, 6);
	assert_int_equal(s.result.failures[3].item, 7);
	assert_int_equal(s.fake->bulks, 1);
}

static void a_delete_among_others_that_came_back_is_sent_again_without_a_source(void **state)
{
	cleanup(end) struct stage s;

	(void)state;
	begin(&s, 60 * 1000);
	add(&s, "ok-1");
	add_as(&s, "busy1-delete", BULK_DELETE, true);
	add(&s, "ok-2");
	add_as(&s, "busy1-create", BULK_CREATE, false);
	sends_well(&s);
	assert_int_equal(s.result.succeeded, 4);
	assert_int_equal(s.result.superseded, 0);
	assert_int_equal(*sends_of(s.fake, STR("ok-2")), 1);
	assert_int_equal(*sends_of(s.fake, STR("busy1-delete")), 2);
	assert_int_equal(*sends_of(s.fake, STR("busy1-create")), 2);
	assert_int_equal(s.result.refusals, 2);
}

static void whole_answers_that_say_not_now_count_as_refusals(void **state)
{
	cleanup(end) struct stage s;

	(void)state;
	begin(&s, 0);
	s.fake->always_status = 503;
	add(&s, "ok-1");
	assert_int_equal(send_now(&s), -ERR_HTTP);
	assert_int_equal(s.result.refusals, 1);
	s.fake->always_status = 0;
	sends_well(&s);
	assert_int_equal(s.result.refusals, 0);
}

static void documents_that_are_never_taken_fail_when_the_time_is_up(void **state)
{
	cleanup(end) struct stage s;

	(void)state;
	begin(&s, 3000);
	add(&s, "ok-1");
	add(&s, "stuck-1");
	add(&s, "ok-2");
	add(&s, "stuck-2");
	sends_well(&s);
	assert_int_equal(s.result.succeeded, 2);
	assert_int_equal(s.result.failure_count, 2);
	assert_int_equal(s.result.failures[0].item, 1);
	assert_int_equal(s.result.failures[1].item, 3);
	assert_int_equal(s.result.failures[1].status, 429);
	assert_true(str_is(s.result.failures[1].type, "es_rejected_execution_exception"));
	assert_true(str_starts(s.result.failures[1].reason, STR("gave up after ")));
	assert_contains(s.result.failures[1].reason.ptr, "tries: no (429)");
	assert_int_equal(*sends_of(s.fake, STR("ok-2")), 1);
	assert_true(*sends_of(s.fake, STR("stuck-2")) == s.result.retries + 1);
}

static void the_time_begins_anew_with_every_document_that_is_taken(void **state)
{
	cleanup(end) struct stage s;

	(void)state;
	begin(&s, 2000);
	/* Every wait lasts until the time is up. */
	s.fake->asks_to_wait = true;
	add(&s, "busy3-c");
	add(&s, "ok-1");
	add(&s, "busy1-a");
	add(&s, "busy2-b");
	sends_well(&s);
	assert_int_equal(s.result.succeeded, 4);
	assert_int_equal(s.result.retries, 3);
}

static void what_a_full_disk_keeps_out_waits_longer_than_other_refusals(void **state)
{
	cleanup(end) struct stage s;
	struct cluster_watch watch = {hear_refused, hear_blocked, hear_unblocked};

	(void)state;
	begin(&s, 0);
	watch.user = &s.heard;
	watch.block_wait_ms = 3600 * 1000;
	cluster_set_watch(s.cluster, &watch);
	add(&s, "ok-1");
	add(&s, "full3-a");
	add(&s, "bad-1");
	add(&s, "full1-b");
	sends_well(&s);
	assert_int_equal(s.result.succeeded, 3);
	assert_int_equal(s.result.failure_count, 1);
	assert_int_equal(s.result.failures[0].item, 2);
	assert_int_equal(s.result.retries, 3);
	assert_int_equal(s.heard.refused, 3);
	assert_int_equal(s.heard.blocked, 3);
	assert_int_equal(s.heard.unblocked, 1);
	assert_contains(s.heard.reason, "flood-stage");
	/* Then the usual time counts again. */
	bulk_reset(&s.bulk);
	add(&s, "stuck-1");
	sends_well(&s);
	assert_int_equal(s.result.failure_count, 1);
	assert_int_equal(s.heard.blocked, 3);
}

static void a_disk_that_stays_full_ends_it_and_no_document_fails(void **state)
{
	cleanup(end) struct stage s;

	(void)state;
	begin(&s, 20);
	add(&s, "ok-1");
	add(&s, "fullX-a");
	add(&s, "stuck-1");
	assert_int_equal(send_now(&s), -ERR_HTTP);
	assert_contains(s.err.message, "free space there and run the same command again");
	assert_contains(s.err.message, "flood-stage");
	assert_int_equal(s.result.succeeded, 1);
	assert_int_equal(s.result.failure_count, 0);
	assert_int_equal(s.heard.unblocked, 0);
}

static void a_cluster_whose_disks_are_all_full_is_waited_for(void **state)
{
	cleanup(end) struct stage s;

	(void)state;
	begin(&s, 60 * 1000);
	s.fake->full_first = 2;
	add_many(&s, 10);
	sends_well(&s);
	assert_int_equal(s.result.succeeded, 10);
	assert_int_equal(s.heard.blocked, 2);
	assert_int_equal(s.heard.unblocked, 1);
	assert_contains(s.heard.reason, "[FORBIDDEN/13/");
}

static void a_busy_target_is_told_at_once(void **state)
{
	cleanup(end) struct stage s;

	(void)state;
	begin(&s, 20);
	s.fake->always_status = 503;
	add(&s, "ok-1");
	assert_int_equal(send_now(&s), -ERR_HTTP);
	assert_int_equal(s.heard.refused, s.fake->bulks);
	assert_int_equal(s.heard.blocked, 0);
}

static void splitting_finds_the_document(const char *id, int status)
{
	cleanup(end) struct stage s;

	begin(&s, 60 * 1000);
	add_many(&s, 61);
	add(&s, id);
	add_many(&s, 37);
	sends_well(&s);
	assert_int_equal(s.result.succeeded, 98);
	assert_int_equal(s.result.failure_count, 1);
	assert_int_equal(s.result.failures[0].item, 61);
	assert_int_equal(s.result.failures[0].status, status);
	assert_true(str_is(s.result.failures[0].type, "whole_exception"));
	assert_true(str_is(s.result.failures[0].reason, "the bulk"));
	for (size_t i = 0; i < s.fake->id_count; i++)
		assert_int_equal(s.fake->sends[i], 1);
	/* Two requests for each halving, and a few more tries for a server error. */
	assert_true(s.fake->bulks <= 2 * 7 + 3);
}

static void a_bulk_that_is_refused_whole_is_split_until_the_document_stands_alone(void **state)
{
	(void)state;
	splitting_finds_the_document("poison-1", 400);
	splitting_finds_the_document("big-1", 413);
	splitting_finds_the_document("boom-1", 500);
}

static void what_came_back_is_split_too(void **state)
{
	cleanup(end) struct stage s;

	(void)state;
	begin(&s, 60 * 1000);
	add(&s, "busy1-a");
	add(&s, "poison-1");
	add(&s, "busy2-b");
	add(&s, "big-1");
	add(&s, "bad-1");
	sends_well(&s);
	assert_int_equal(s.result.succeeded, 2);
	assert_int_equal(s.result.failure_count, 3);
}

static void a_server_that_fails_with_every_document_is_given_up(void **state)
{
	cleanup(end) struct stage s;

	(void)state;
	begin(&s, 60 * 1000);
	s.fake->always_status = 500;
	add_many(&s, 1000);
	assert_int_equal(send_now(&s), -ERR_HTTP);
	assert_int_equal(s.err.http_status, 500);
	assert_contains(s.err.message, "every document is refused, even alone: status 500");
	assert_true(s.fake->bulks < 60);
}

static void a_connection_lost_in_the_answer_sends_the_bulk_again(void **state)
{
	cleanup(end) struct stage s;

	(void)state;
	begin(&s, 60 * 1000);
	s.fake->fail_first = 2;
	s.fake->how = FAKE_RESET;
	add_many(&s, 10);
	sends_well(&s);
	assert_int_equal(s.result.succeeded, 10);
	assert_int_equal(s.result.retries, 2);
	assert_false(s.fake->expect_seen);
}

static void a_large_bulk_that_was_cut_off_is_announced_before_it_is_sent_again(void **state)
{
	cleanup(end) struct stage s;

	(void)state;
	begin(&s, 60 * 1000);
	s.fake->fail_first = 1;
	s.fake->how = FAKE_CLOSE;
	add_sized(&s, "ok-large", KIB(600));
	sends_well(&s);
	assert_int_equal(s.result.succeeded, 1);
	assert_true(s.fake->expect_seen);
}

static void a_size_that_is_refused_by_cutting_the_connection_is_found_out(void **state)
{
	cleanup(end) struct stage s;

	(void)state;
	begin(&s, 60 * 1000);
	fake_server_refuse_above(s.server, KIB(700));
	add_many(&s, 3);
	add_sized(&s, "ok-too-large", KIB(701));
	add_sized(&s, "ok-large", KIB(600));
	add_many(&s, 3);
	sends_well(&s);
	assert_int_equal(s.result.succeeded, 7);
	assert_int_equal(s.result.failure_count, 1);
	assert_int_equal(s.result.failures[0].item, 3);
	assert_int_equal(s.result.failures[0].status, 413);
	assert_contains(s.result.failures[0].reason.ptr, "http.max_content_length");
}

static void a_refused_user_and_a_missing_bulk_endpoint_end_it(void **state)
{
	static const struct {
		int status;
		enum err_kind kind;
	} cases[] = {{401, ERR_AUTH}, {403, ERR_AUTH}, {404, ERR_HTTP}, {405, ERR_HTTP}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		cleanup(end) struct stage s;

		begin(&s, 60 * 1000);
		s.fake->always_status = cases[i].status;
		add_many(&s, 5);
		assert_int_equal(send_now(&s), -(int)cases[i].kind);
		assert_int_equal(s.err.http_status, cases[i].status);
		assert_contains(s.err.message, "whole_exception: the bulk");
		assert_int_equal(s.fake->bulks, 1);
	}
}

static void a_busy_server_is_given_up_when_the_time_is_up(void **state)
{
	cleanup(end) struct stage s;

	(void)state;
	begin(&s, 2000);
	s.fake->always_status = 503;
	add_many(&s, 5);
	assert_int_equal(send_now(&s), -ERR_HTTP);
	assert_contains(s.err.message, "/_bulk: gave up after ");
	assert_true(s.fake->bulks > 1);
}

static void an_answer_that_accounts_for_something_else_is_an_error(void **state)
{
	static const char *const answers[] = {
		"{\"errors\":true,\"items\":[{\"index\":{\"status\":201}}]}",
		"{\"errors\":false,\"items\":[]}",
		"{\"acknowledged\":true}",
		"<html>",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		cleanup(end) struct stage s;

		begin(&s, 60 * 1000);
		s.fake->always = answers[i];
		add_many(&s, 2);
		assert_int_equal(send_now(&s), -ERR_HTTP);
		assert_contains(s.err.message, "POST http://127.0.0.1:");
		assert_int_equal(s.result.succeeded, 0);
		assert_int_equal(s.fake->bulks, 1);
	}
}

static void *cancel_during_retries(void *user)
{
	struct stage *s = user;

	fake_server_await(s->server, 5);
	cluster_cancel(s->cluster);
	return NULL;
}

static void sending_again_can_be_cancelled(void **state)
{
	cleanup(end) struct stage s;
	pthread_t thread;

	(void)state;
	begin(&s, 3600 * 1000);
	add(&s, "ok-1");
	add(&s, "stuck-1");
	assert_int_equal(pthread_create(&thread, NULL, cancel_during_retries, &s), 0);
	assert_int_equal(send_now(&s), -ERR_CANCELLED);
	pthread_join(thread, NULL);
	assert_int_equal(s.result.succeeded, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bulk_that_is_taken_whole_is_one_request),
		cmocka_unit_test(a_compressed_bulk_arrives_as_it_is),
		cmocka_unit_test(a_refused_document_fails_with_its_reason_and_is_not_sent_again),
		cmocka_unit_test(only_the_documents_that_came_back_are_sent_again),
		cmocka_unit_test(what_the_target_has_already_is_a_success_where_the_item_says_so),
		cmocka_unit_test(
			a_delete_among_others_that_came_back_is_sent_again_without_a_source),
		cmocka_unit_test(whole_answers_that_say_not_now_count_as_refusals),
		cmocka_unit_test(documents_that_are_never_taken_fail_when_the_time_is_up),
		cmocka_unit_test(the_time_begins_anew_with_every_document_that_is_taken),
		cmocka_unit_test(what_a_full_disk_keeps_out_waits_longer_than_other_refusals),
		cmocka_unit_test(a_disk_that_stays_full_ends_it_and_no_document_fails),
		cmocka_unit_test(a_cluster_whose_disks_are_all_full_is_waited_for),
		cmocka_unit_test(a_busy_target_is_told_at_once),
		cmocka_unit_test(
			a_bulk_that_is_refused_whole_is_split_until_the_document_stands_alone),
		cmocka_unit_test(what_came_back_is_split_too),
		cmocka_unit_test(a_server_that_fails_with_every_document_is_given_up),
		cmocka_unit_test(a_connection_lost_in_the_answer_sends_the_bulk_again),
		cmocka_unit_test(
			a_large_bulk_that_was_cut_off_is_announced_before_it_is_sent_again),
		cmocka_unit_test(a_size_that_is_refused_by_cutting_the_connection_is_found_out),
		cmocka_unit_test(a_refused_user_and_a_missing_bulk_endpoint_end_it),
		cmocka_unit_test(a_busy_server_is_given_up_when_the_time_is_up),
		cmocka_unit_test(an_answer_that_accounts_for_something_else_is_an_error),
		cmocka_unit_test(sending_again_can_be_cancelled),
	};

	unsetenv("http_proxy");
	unsetenv("all_proxy");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
