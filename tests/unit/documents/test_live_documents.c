#include "documents/live_documents.h"

#include "fake_server.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ROOT "{\"version\":{\"distribution\":\"opensearch\",\"number\":\"2.19.6\"}}"
#define STATS \
	"{\"_all\":{\"primaries\":{\"docs\":{\"count\":2},\"store\":{\"size_in_bytes\":100}}}}"
#define SHARDS(total, successful) \
	"\"_shards\":{\"total\":" total ",\"successful\":" successful ",\"failed\":0}"
#define FIRST_PAGE                                                                       \
	"{\"_scroll_id\":\"s\"," SHARDS("1", "1") ",\"hits\":{\"hits\":[{\"_id\":\"1\"," \
						  "\"_routing\":\"r\",\"_source\":{\"a\":1.0}}]}}"
#define NO_MORE "{\"_scroll_id\":\"s\"," SHARDS("1", "1") ",\"hits\":{\"hits\":[]}}"

struct script {
	const char *first, *second;
};

static void play(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	const struct script *script = user;
	struct str method, path, rest;

	str_split(request->head, ' ', &method, &rest);
	str_split(rest, ' ', &path, &rest);
	if (str_is(path, "/"))
		fake_reply_json(reply, 200, ROOT);
	else if (str_starts(path, STR("/books/_stats")))
		fake_reply_json(reply, 200, STATS);
	else if (str_starts(path, STR("/books/_search")))
		fake_reply_json(reply, 200, script->first);
	else if (str_is(method, "POST"))
		fake_reply_json(reply, 200, script->second);
	else
		fake_reply_json(reply, 200, "{}");
}

/* Reads it all; returns what the last call returned. */
static int read_all(const char *first, const char *second, size_t *count, struct err *err)
{
	const struct cluster_retry retry = {
		.initial_delay_ms = 1, .max_delay_ms = 1, .max_total_ms = 60000};
	const struct live_documents_options options = {.index = STR("books"), .shard = 0};
	struct script script = {first, second};
	struct fake_server *server = fake_server_start(play, &script);
	const struct http_options http = {.host = fake_server_url(server)};
	struct document_source *source;
	struct document document;
	struct cluster *cluster;
	int rc;

	assert_int_equal(cluster_connect(&http, &retry, &cluster, err), 0);
	assert_int_equal(live_documents_open(cluster, &options, &source, err), 0);
	*count = 0;
	while ((rc = document_source_next(source, &document, err)) > 0) {
		assert_true(str_is(document.source, "{\"a\":1.0}"));
		assert_true(str_is(document.routing, "r"));
		++*count;
	}
	document_source_close(source);
	cluster_close(cluster);
	fake_server_stop(server);
	fake_server_free(server);
	return rc;
}

static void an_empty_page_is_the_end(void **state)
{
	struct err err;
	size_t count;

	(void)state;
	assert_int_equal(read_all(FIRST_PAGE, NO_MORE, &count, &err), 0);
	assert_int_equal(count, 1);
}

/* As when the node of the shard has left: no hits, and nothing failed. */
static void a_shard_that_did_not_answer_is_no_end(void **state)
{
	struct err err;
	size_t count;

	(void)state;
	assert_int_equal(
		read_all(FIRST_PAGE,
			 "{\"_scroll_id\":\"s\"," SHARDS("1", "0") ",\"hits\":{\"hits\":[]}}",
			 &count, &err),
		-ERR_UNREADABLE);
	assert_int_equal(
		read_all("{\"_scroll_id\":\"s\"," SHARDS("2", "1") ",\"hits\":{\"hits\":[]}}",
			 NO_MORE, &count, &err),
		-ERR_UNREADABLE);
}

static void an_answer_without_hits_is_no_end(void **state)
{
	static const char *const answers[] = {"{}", "", "<html></html>", "{\"hits\":{}}",
					      "{\"hits\":{\"hits\":{}}}"};
	struct err err;
	size_t count;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(answers); i++)
		assert_int_equal(read_all(FIRST_PAGE, answers[i], &count, &err), -ERR_FORMAT);
}

#define UNMAPPED "{\"error\":{\"reason\":\"No mapping found for [_seq_no] in order to sort on\"}}"

static bool contains(struct str text, const char *words)
{
	return text.len > 0 && memmem(text.ptr, text.len, words, strlen(words));
}

/* As an index answers that nothing was ever written to. */
static void play_empty(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct script script = {.second = "{}"};

	(void)user;
	if (contains(request->body, "_seq_no")) {
		bool fits = contains(request->body, "\"unmapped_type\":\"long\"");

		fake_reply_json(reply, fits ? 200 : 400, fits ? NO_MORE : UNMAPPED);
		return;
	}
	script.first = NO_MORE;
	play(&script, request, reply);
}

static void an_index_without_a_mapping_has_no_documents(void **state)
{
	const struct cluster_retry retry = {
		.initial_delay_ms = 1, .max_delay_ms = 1, .max_total_ms = 60000};
	const struct live_documents_options options = {
		.index = STR("books"), .shard = 0, .by_sequence = true, .after_sequence = -1};
	struct fake_server *server = fake_server_start(play_empty, NULL);
	const struct http_options http = {.host = fake_server_url(server)};
	struct document_source *source;
	struct document document;
	struct cluster *cluster;
	struct err err;

	(void)state;
	assert_int_equal(cluster_connect(&http, &retry, &cluster, &err), 0);
	assert_int_equal(live_documents_open(cluster, &options, &source, &err), 0);
	assert_int_equal(document_source_next(source, &document, &err), 0);
	document_source_close(source);
	cluster_close(cluster);
	fake_server_stop(server);
	fake_server_free(server);
}

#define NUMBERED(id, number) \
	"{\"_id\":\"" id "\",\"_routing\":\"r\",\"_source\":{\"a\":1.0},\"sort\":[" number "]}"
#define PAGE(hits) "{\"_scroll_id\":\"s\"," SHARDS("1", "1") ",\"hits\":{\"hits\":[" hits "]}}"
#define LOST "{\"error\":{\"reason\":\"No search context found for id\"}}"

/* A cluster with two documents, a page each, that loses points in time. */
struct losing {
	int refused_after; /* that many points in time are opened */
	int opened, lost;  /* so many were lost */
	int losing;        /* searches after the first document that find none */
	int outside, scrolls, sliced;
};

static void play_sequence(struct losing *losing, struct str body, struct fake_reply *reply)
{
	bool inside = contains(body, "\"pit\":{\"id\":\"p\"");

	if (!inside && contains(body, "\"slice\"")) {
		fake_reply_json(reply, 400,
				"{\"error\":{\"reason\":\"[slice] wants a point in time\"}}");
		return;
	}

	losing->outside += !inside;
	losing->sliced += contains(body, "\"slice\":{\"field\":\"_seq_no\",\"id\":1,\"max\":2}");
	if (contains(body, "\"search_after\":[9]")) {
		fake_reply_json(reply, 200, NO_MORE);
	} else if (!contains(body, "\"search_after\"")) {
		fake_reply_json(reply, 200, PAGE(NUMBERED("1", "4")));
	} else if (inside && losing->lost < losing->losing) {
		losing->lost++;
		fake_reply_json(reply, 404, LOST);
	} else {
		assert_true(contains(body, "\"search_after\":[4]"));
		fake_reply_json(reply, 200, PAGE(NUMBERED("2", "9")));
	}
}

static void play_losing(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct script script = {PAGE(NUMBERED("1", "0") "," NUMBERED("2", "1")), NO_MORE};
	struct losing *losing = user;

	if (contains(request->head, "DELETE") || !contains(request->head, "_search")) {
		play(&script, request, reply);
	} else if (contains(request->head, "point_in_time?")) {
		assert_true(contains(request->head, "preference=_shards:0"));
		if (losing->opened < losing->refused_after)
			fake_reply_json(reply, 200, "{\"pit_id\":\"p\"}");
		else
			fake_reply_json(reply, 400, LOST);
		losing->opened++;
	} else if (contains(request->body, "_doc") || contains(request->body, "scroll_id")) {
		losing->scrolls++;
		play(&script, request, reply);
	} else {
		play_sequence(losing, request->body, reply);
	}
}

/* Reads the second of two slices; both documents are to come, or the error instead of one. */
static int read_losing(struct losing *losing, bool or_scroll, int slices)
{
	const struct cluster_retry retry = {
		.initial_delay_ms = 1, .max_delay_ms = 1, .max_total_ms = 60000};
	const struct live_documents_options options = {.index = STR("books"),
						       .shard = 0,
						       .slice = slices - 1,
						       .slices = slices,
						       .by_sequence = true,
						       .after_sequence = -1,
						       .or_scroll = or_scroll};
	struct fake_server *server = fake_server_start(play_losing, losing);
	const struct http_options http = {.host = fake_server_url(server)};
	struct document_source *source;
	struct document document;
	struct cluster *cluster;
	struct err err;
	int got;

	assert_int_equal(cluster_connect(&http, &retry, &cluster, &err), 0);
	assert_int_equal(live_documents_open(cluster, &options, &source, &err), 0);
	assert_int_equal(document_source_next(source, &document, &err), 1);
	assert_true(str_is(document.id, "1"));
	got = document_source_next(source, &document, &err);
	if (got == 1) {
		assert_true(str_is(document.id, "2"));
		got = document_source_next(source, &document, &err);
	}
	document_source_close(source);
	cluster_close(cluster);
	fake_server_stop(server);
	fake_server_free(server);
	return got;
}

static void slices_are_read_in_a_point_in_time(void **state)
{
	struct losing losing = {.refused_after = 9};

	(void)state;
	assert_int_equal(read_losing(&losing, true, 2), 0);
	assert_int_equal(losing.opened, 1);
	assert_int_equal(losing.outside + losing.scrolls, 0);
	assert_int_equal(losing.sliced, 3);
}

static void a_lost_point_in_time_is_opened_again_and_gone_on_after_the_last_document(void **state)
{
	(void)state;
	for (int lost = 1; lost <= 3; lost++) {
		struct losing losing = {.refused_after = 9, .losing = lost};

		assert_int_equal(read_losing(&losing, true, 2), 0);
		assert_int_equal(losing.opened, 1 + lost);
		assert_int_equal(losing.outside + losing.scrolls, 0);
	}
}

static void where_points_in_time_do_not_last_the_order_goes_on_without(void **state)
{
	struct losing losing = {.refused_after = 99, .losing = 99};

	(void)state;
	assert_int_equal(read_losing(&losing, true, 1), 0);
	assert_true(losing.outside > 0);
	assert_int_equal(losing.scrolls, 0);
}

static void where_points_in_time_do_not_last_a_slice_starts_anew(void **state)
{
	struct losing lost = {.refused_after = 99, .losing = 99};
	struct losing refused = {.refused_after = 1, .losing = 99};

	(void)state;
	assert_int_equal(read_losing(&lost, true, 2), -ERR_CONFLICT);
	assert_int_equal(read_losing(&refused, true, 2), -ERR_CONFLICT);
	assert_int_equal(lost.outside + refused.outside, 0);
}

static void a_refused_point_in_time_is_a_scroll_where_one_is_wanted(void **state)
{
	struct losing scrolled = {.refused_after = 0}, numbered = {.refused_after = 0};

	(void)state;
	assert_int_equal(read_losing(&scrolled, true, 2), 0);
	assert_int_equal(scrolled.opened, 1);
	assert_int_equal(scrolled.outside, 0);
	assert_true(scrolled.scrolls > 0);
	assert_int_equal(read_losing(&numbered, false, 1), 0);
	assert_int_equal(numbered.scrolls, 0);
	assert_true(numbered.outside > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_page_is_the_end),
		cmocka_unit_test(a_shard_that_did_not_answer_is_no_end),
		cmocka_unit_test(an_answer_without_hits_is_no_end),
		cmocka_unit_test(an_index_without_a_mapping_has_no_documents),
		cmocka_unit_test(slices_are_read_in_a_point_in_time),
		cmocka_unit_test(
			a_lost_point_in_time_is_opened_again_and_gone_on_after_the_last_document),
		cmocka_unit_test(where_points_in_time_do_not_last_the_order_goes_on_without),
		cmocka_unit_test(where_points_in_time_do_not_last_a_slice_starts_anew),
		cmocka_unit_test(a_refused_point_in_time_is_a_scroll_where_one_is_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
