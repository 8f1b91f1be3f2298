/* What is captured on several connections and depends on one another, replayed all at once. */
#include "fake_source.h"

#include <stdatomic.h>

enum { WRITERS = 40 };

static void write_request(struct record_writer *w, int32_t ms, int32_t took_ms,
			  const char *first_line, const char *body, const char *answer)
{
	const struct record_time began = {1700000000, ms * 1000000};
	const struct record_time ended = {1700000000, (ms + took_ms) * 1000000};
	char text[1000];

	snprintf(text, sizeof(text), "%s HTTP/1.1\r\nContent-Length: %zu\r\n\r\n%s", first_line,
		 strlen(body), body);
	record_writer_read(w, began, str_from(text));
	record_writer_end_of_message(w, began, RECORD_UNKNOWN, RECORD_UNKNOWN);
	snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
		 strlen(answer), answer);
	record_writer_write(w, ended, str_from(text));
}

static void end_connection(struct fake_source *source, struct record_writer *w, int32_t ms)
{
	record_writer_close(w, (struct record_time){1700000000, ms * 1000000});
	fake_source_add(source, w);
}

static void add_request(struct fake_source *source, const char *id, int32_t ms, int32_t took_ms,
			const char *first_line, const char *body, const char *answer)
{
	struct record_writer *w = record_writer_new(STR("node"), str_from(id), MIB(1));

	write_request(w, ms, took_ms, first_line, body, answer);
	end_connection(source, w, ms + took_ms);
}

/* Of one connection. */
static void add_two_requests(struct fake_source *source, const char *id, const char *first,
			     const char *first_answer, const char *second,
			     const char *second_answer)
{
	struct record_writer *w = record_writer_new(STR("node"), str_from(id), MIB(1));

	write_request(w, 10, 10, first, "{\"doc\":{}}", first_answer);
	write_request(w, 30, 10, second, "{\"doc\":{}}", second_answer);
	end_connection(source, w, 40);
}

static void run(const struct replay_options *options, struct replay_counts *counts)
{
	struct err err = {0};

	if (replay_run(options, counts, &err) < 0)
		fail_msg("%s", err.message);
}

/* --- By-query requests --- */

struct phases {
	int before, after; /* answered */
	bool failed[2 * WRITERS];
	bool by_query, refused, refreshed;
	size_t wrong;
};

/* Each writer before and after fails once. */
static void count_phases(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct phases *p = user;
	int number;

	if (str_starts(request->head, STR("POST /i/_refresh?"))) {
		p->wrong += p->before != WRITERS || p->by_query;
		if (!p->refused) {
			p->refused = true;
			return fake_reply_json(reply, 503, "{}");
		}
		p->refreshed = true;
		return fake_reply_json(reply, 403, "{}");
	}
	if (str_starts(request->head, STR("POST /i/_update_by_query "))) {
		p->wrong += p->before != WRITERS || p->after > 0 || !p->refreshed;
		p->by_query = true;
		return fake_reply_json(reply, 200, "{}");
	}
	if (sscanf(request->head.ptr, "PUT /i/_doc/%d?", &number) != 1 || number < 0 ||
	    number >= 2 * WRITERS) {
		p->wrong++;
		return fake_reply_json(reply, 400, "{}");
	}
	p->wrong += (number >= WRITERS) != p->by_query;
	if (!p->failed[number]) {
		p->failed[number] = true;
		return fake_reply_json(reply, 503, "{}");
	}
	if (number < WRITERS)
		p->before++;
	else
		p->after++;
	fake_reply_json(reply, 200, "{}");
}

static void a_by_query_request_comes_between_what_was_before_and_after_it(void **state)
{
	static struct phases phases;
	static struct fake_source source;
	struct fake_server *server = fake_server_start(count_phases, &phases);
	struct replay_options options = fake_replay_options(&source, server);
	struct replay_counts counts;
	char id[16], line[40];

	(void)state;
	options.rules.source_versions = true;
	for (int i = 0; i < 2 * WRITERS; i++) {
		if (i == WRITERS)
			add_request(&source, "query", 100, 50, "POST /i/_update_by_query", "{}",
				    "{\"updated\":1}");
		snprintf(id, sizeof(id), "c%d", i);
		snprintf(line, sizeof(line), "PUT /i/_doc/%d", i);
		add_request(&source, id, i < WRITERS ? 10 : 200, 5, line, "{}",
			    "{\"_id\":\"1\",\"_version\":1,\"result\":\"created\"}");
	}
	run(&options, &counts);
	assert_int_equal(phases.wrong, 0);
	assert_int_equal(phases.before, WRITERS);
	assert_int_equal(phases.after, WRITERS);
	assert_true(phases.by_query);
	fake_source_release(&source);
	fake_server_free(server);
}

/* --- Updates --- */

struct document {
	atomic_int version;
	int questions;
	size_t wrong;
};

/* One document, at the target of version 0 until it is written. */
static void keep_document(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct document *d = user;
	char text[300];
	int seq_no;

	if (str_starts(request->head, STR("POST /_mget "))) {
		d->questions++;
		snprintf(text, sizeof(text),
			 d->version ? "{\"docs\":[{\"found\":true,\"_version\":%d,\"_seq_no\":%d,"
				      "\"_primary_term\":1}]}"
				    : "{\"docs\":[{\"found\":false}]}",
			 d->version, d->version);
		fake_reply_json(reply, 200, text);
	} else if (str_starts(request->head, STR("POST /_bulk "))) {
		fake_reply_json(
			reply, 200,
			"{\"items\":[{\"delete\":{\"status\":404,\"result\":\"not_found\"}}]}");
	} else if (str_starts(request->head, STR("PUT /i/_doc/1?version=1&"))) {
		/* Late: the updates have asked for it by then. */
		if (d->questions < 3)
			return fake_reply_json(reply, 503, "{}");
		d->version = 1;
		fake_reply_json(reply, 201, "{}");
	} else if (sscanf(request->head.ptr, "POST /i/_update/1?if_seq_no=%d", &seq_no) == 1 &&
		   seq_no == d->version) {
		d->version++;
		fake_reply_json(reply, 200, "{}");
	} else {
		d->wrong++;
		fake_reply_json(reply, 409, "{}");
	}
}

static void updates_that_are_read_before_their_document_come_after_it(void **state)
{
	static struct document document;
	static struct fake_source source;
	struct fake_server *server = fake_server_start(keep_document, &document);
	struct replay_options options = fake_replay_options(&source, server);
	struct replay_counts counts;
	char id[16], answer[100];

	(void)state;
	options.rules.source_versions = true;
	options.rules.attempts = 20;
	options.update_wait_ms = 600000;
	/* They began before what came before them, and took longer. */
	for (int version = 6; version >= 2; version--) {
		snprintf(id, sizeof(id), "c%d", version);
		snprintf(answer, sizeof(answer),
			 "{\"_id\":\"1\",\"_version\":%d,\"result\":\"updated\"}", version);
		add_request(&source, id, 10, 100, "POST /i/_update/1", "{\"doc\":{}}", answer);
	}
	add_request(&source, "first", 20, 10, "PUT /i/_doc/1", "{}",
		    "{\"_id\":\"1\",\"_version\":1,\"result\":\"created\"}");
	run(&options, &counts);
	assert_int_equal(document.wrong, 0);
	assert_int_equal(document.version, 6);
	assert_int_equal(counts.job.updates_out_of_order, 0);
	assert_int_equal(counts.job.updates_lost, 0);
	fake_source_release(&source);
	fake_server_free(server);
}

/* --- Updates that nothing brings --- */

/* Of one id in two indices: in i nothing brings the document, in j it is behind the request that
 * waits for that. */
struct two_documents {
	int of_the_other; /* questions */
	bool written;
	size_t updated;
};

static void keep_two_documents(void *user, const struct fake_request *request,
			       struct fake_reply *reply)
{
	static const char absent[] = "{\"docs\":[{\"found\":false}]}";
	static const char there[] = "{\"docs\":[{\"found\":true,\"_version\":1,\"_seq_no\":1,"
				    "\"_primary_term\":1}]}";
	struct two_documents *d = user;

	if (str_starts(request->head, STR("POST /_mget "))) {
		bool first = memmem(request->body.ptr, request->body.len, "\"i\"", 3);

		d->of_the_other += !first;
		/* By then the other waits. */
		if (first && d->of_the_other < 2)
			return fake_reply_json(reply, 503, "{}");
		fake_reply_json(reply, 200, !first && d->written ? there : absent);
	} else if (str_starts(request->head, STR("POST /_bulk "))) {
		fake_reply_json(
			reply, 200,
			"{\"items\":[{\"delete\":{\"status\":404,\"result\":\"not_found\"}}]}");
	} else if (str_starts(request->head, STR("POST /i/_update/x"))) {
		fake_reply_json(reply, 404, "{}");
	} else if (str_starts(request->head, STR("PUT /j/_doc/x?version=1&"))) {
		d->written = true;
		fake_reply_json(reply, 201, "{}");
	} else {
		d->updated += d->written;
		fake_reply_json(reply, 200, "{}");
	}
}

static void an_update_does_not_wait_for_one_of_another_index_that_waits_for_what_is_behind_it(
	void **state)
{
	static struct two_documents documents;
	static struct fake_source source;
	struct fake_server *server = fake_server_start(keep_two_documents, &documents);
	struct replay_options options = fake_replay_options(&source, server);
	struct replay_counts counts;

	(void)state;
	options.rules.source_versions = true;
	options.update_wait_ms = 1;
	add_two_requests(&source, "c", "POST /i/_update/x",
			 "{\"_index\":\"i\",\"_id\":\"x\",\"_version\":9,\"result\":\"updated\"}",
			 "PUT /j/_doc/x",
			 "{\"_index\":\"j\",\"_id\":\"x\",\"_version\":1,\"result\":\"created\"}");
	add_request(&source, "d", 500, 10, "POST /j/_update/x", "{\"doc\":{}}",
		    "{\"_index\":\"j\",\"_id\":\"x\",\"_version\":2,\"result\":\"updated\"}");
	run(&options, &counts);
	assert_int_equal(documents.updated, 1);
	assert_int_equal(counts.job.updates_lost, 1);
	fake_source_release(&source);
	fake_server_free(server);
}

/* --- What is told of who waits --- */

struct told {
	struct document document;
	atomic_bool backfill_works, is_told;
	const char *by; /* not each moment is one in which it rests */
	char waits_for[600];
};

static void keep_what_is_told(void *user, const struct replay_counts *counts)
{
	struct told *told = user;

	if (!strstr(counts->waits_for, told->by) || told->is_told)
		return;
	assert_true(counts->waits_since_ms > 0);
	snprintf(told->waits_for, sizeof(told->waits_for), "%s", counts->waits_for);
	told->backfill_works = false;
	told->is_told = true;
}

static void run_and_be_told(struct fake_source *source, struct told *told,
			    void (*handle)(void *, const struct fake_request *,
					   struct fake_reply *))
{
	struct fake_server *server = fake_server_start(handle, told);
	struct replay_options options = fake_replay_options(source, server);
	struct replay_counts counts;

	options.rules.source_versions = true;
	options.update_wait_ms = 1;
	options.held_up_ms = 1;
	options.backfill_works = &told->backfill_works;
	options.report = keep_what_is_told;
	options.user = told;
	run(&options, &counts);
	assert_string_equal(counts.waits_for, "");
	fake_source_release(source);
	fake_server_free(server);
}

static void an_update_that_waits_for_the_backfill_tells_so(void **state)
{
	static struct told told = {.backfill_works = true, .by = "backfill"};
	static struct fake_source source;

	(void)state;
	add_request(&source, "c", 10, 10, "POST /i/_update/1?x=y", "{\"doc\":{}}",
		    "{\"_id\":\"1\",\"_version\":7,\"result\":\"updated\"}");
	run_and_be_told(&source, &told, keep_document);
	assert_string_equal(told.waits_for, "POST /i/_update/1 of connection c.0 waits for the "
					    "backfill, which may bring the document of its update");
}

static void be_busy_until_told(void *user, const struct fake_request *request,
			       struct fake_reply *reply)
{
	struct told *told = user;

	(void)request;
	fake_reply_json(reply, told->is_told ? 200 : 503, "{}");
}

static void a_write_that_the_target_refuses_tells_so(void **state)
{
	static struct told told = {.by = "another try"};
	static struct fake_source source;

	(void)state;
	add_request(&source, "c", 10, 10, "PUT /i/_doc/1", "{}",
		    "{\"_id\":\"1\",\"_version\":1,\"result\":\"created\"}");
	run_and_be_told(&source, &told, be_busy_until_told);
	assert_string_equal(told.waits_for,
			    "PUT /i/_doc/1 of connection c.0 waits for another try, since the "
			    "target was away or busy (status 503)");
}

/* --- An update that is refused --- */

static void refuse_updates(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	(void)user;
	if (str_starts(request->head, STR("POST /_mget ")))
		fake_reply_json(reply, 200, "{\"docs\":[{\"found\":false}]}");
	else if (str_starts(request->head, STR("POST /_bulk ")))
		fake_reply_json(
			reply, 200,
			"{\"items\":[{\"delete\":{\"status\":404,\"result\":\"not_found\"}}]}");
	else
		fake_reply_json(reply, 429, "{}");
}

static void an_update_that_is_refused_ends_the_run_though_its_questions_are_answered(void **state)
{
	static struct fake_source source;
	struct fake_server *server = fake_server_start(refuse_updates, NULL);
	struct replay_options options = fake_replay_options(&source, server);
	struct replay_counts counts;
	struct err err = {0};

	(void)state;
	options.rules.source_versions = true;
	options.update_wait_ms = options.retry_ms = 1;
	add_request(&source, "c", 10, 10, "POST /i/_update/1",
		    "{\"script\":\"s\",\"upsert\":{},\"scripted_upsert\":true}",
		    "{\"_id\":\"1\",\"_version\":3,\"result\":\"created\"}");
	assert_int_equal(replay_run(&options, &counts, &err), -ERR_UNREACHABLE);
	fake_source_release(&source);
	fake_server_free(server);
}

/* --- What another replayer brings --- */

struct shared_source {
	struct fake_source fake; /* first */
	struct document document;
	int asked;
};

/* There might be more until all is done. */
static int give_and_go_on(struct record_source *source, int timeout_ms, struct record_item *out,
			  struct err *err)
{
	struct fake_source *s = (struct fake_source *)source;

	if (s->given < s->count || s->finished == s->count)
		return fake_give(source, timeout_ms, out, err);
	return RECORD_SOURCE_NOTHING_YET;
}

/* The other one writes the document while it is waited for. */
static bool other_has_passed(struct record_source *source, int64_t time_ms)
{
	struct shared_source *s = (struct shared_source *)source;

	assert_int_equal(time_ms, 1700000000110);
	if (++s->asked < 3)
		return false;
	atomic_store(&s->document.version, 1);
	return true;
}

static void an_update_waits_for_what_another_replayer_brings(void **state)
{
	static const struct record_source_ops ops = {.next = give_and_go_on,
						     .finish = fake_finish,
						     .commit = fake_commit,
						     .close = fake_end,
						     .has_passed = other_has_passed};
	static struct shared_source source;
	struct fake_server *server = fake_server_start(keep_document, &source.document);
	struct replay_options options = fake_replay_options(&source.fake, server);
	struct replay_counts counts;

	(void)state;
	source.fake.source.ops = &ops;
	options.rules.source_versions = true;
	options.update_wait_ms = 0;
	add_request(&source.fake, "c", 10, 100, "POST /i/_update/1", "{\"doc\":{}}",
		    "{\"_id\":\"1\",\"_version\":2,\"result\":\"updated\"}");
	run(&options, &counts);
	assert_int_equal(source.asked, 3);
	assert_int_equal(source.document.wrong, 0);
	assert_int_equal(source.document.version, 2);
	assert_int_equal(counts.job.updates_out_of_order, 0);
	fake_source_release(&source.fake);
	fake_server_free(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_by_query_request_comes_between_what_was_before_and_after_it),
		cmocka_unit_test(updates_that_are_read_before_their_document_come_after_it),
		cmocka_unit_test(
			an_update_does_not_wait_for_one_of_another_index_that_waits_for_what_is_behind_it),
		cmocka_unit_test(an_update_that_waits_for_the_backfill_tells_so),
		cmocka_unit_test(a_write_that_the_target_refuses_tells_so),
		cmocka_unit_test(
			an_update_that_is_refused_ends_the_run_though_its_questions_are_answered),
		cmocka_unit_test(an_update_waits_for_what_another_replayer_brings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
