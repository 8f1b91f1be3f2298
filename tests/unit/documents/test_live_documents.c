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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_page_is_the_end),
		cmocka_unit_test(a_shard_that_did_not_answer_is_no_end),
		cmocka_unit_test(an_answer_without_hits_is_no_end),
		cmocka_unit_test(an_index_without_a_mapping_has_no_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
