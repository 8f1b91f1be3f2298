/* The checks before a run against a fake cluster. */
#include "backfill/target_care.h"

#include "fake_server.h"

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

struct stage {
	const char *index; /* the answer to GET /books; NULL: it is not there */
	int index_status;  /* other than 200; 0: none */
	size_t red_looks;  /* so many looks find it red */
	const char *red;   /* which one; NULL: books */
	bool serverless;
	const char *probe; /* the answer to an index with an impossible vector */
	int probe_status;
	size_t health_asked, deleted;
	struct fake_server *server;
	struct cluster *cluster;
	struct buf told;
	atomic_bool cancel;
	struct err err;
};

static void answer_index(struct stage *s, struct fake_reply *reply)
{
	if (s->index_status)
		fake_reply_json(reply, s->index_status, "{\"error\":\"no\"}");
	else if (s->index)
		fake_reply_json(reply, 200, s->index);
	else
		fake_reply_json(reply, 404, "{\"error\":{\"type\":\"index_not_found_exception\"}}");
}

static void answer_health(struct stage *s, struct fake_reply *reply)
{
	char text[200];

	if (s->health_asked++ >= s->red_looks) {
		fake_reply_json(reply, 200,
				"{\"status\":\"yellow\",\"indices\":{\"books\":{\"status\":"
				"\"yellow\"}}}");
		return;
	}
	snprintf(text, sizeof(text),
		 "{\"status\":\"red\",\"indices\":{\"%s\":{\"status\":\"red\"}}}",
		 s->red ? s->red : "books");
	fake_reply_json(reply, 408, text);
}

static void serve(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct stage *s = user;

	if (str_starts(request->head, STR("GET / ")) && s->serverless)
		fake_reply_json(reply, 404, "{}");
	else if (str_starts(request->head, STR("GET / ")))
		fake_reply_json(reply, 200,
				"{\"version\":{\"distribution\":\"opensearch\",\"number\":\"2.0."
				"0\"}}");
	else if (str_starts(request->head, STR("GET /_cat/indices")))
		fake_reply_json(reply, 200, "[]");
	else if (str_starts(request->head, STR("GET /books?")))
		answer_index(s, reply);
	else if (str_starts(request->head, STR("GET /_cluster/health?")))
		answer_health(s, reply);
	else if (str_starts(request->head, STR("PUT /migrations_type_probe_")))
		fake_reply_json(reply, s->probe_status, s->probe);
	else if (str_starts(request->head, STR("DELETE /migrations_type_probe_")))
		fake_reply_json(reply, 200, s->deleted++ ? "{}" : "{\"acknowledged\":true}");
	else
		BUG("that is not asked for");
}

static void open_cluster(struct stage *s)
{
	const struct cluster_retry retry = {1, 1, 20};
	struct http_options options = {0};

	s->told = BUF_INIT(KIB(16));
	s->server = fake_server_start(serve, s);
	options.host = fake_server_url(s->server);
	if (cluster_connect(&options, &retry, &s->cluster, &s->err) < 0)
		fail_msg("%s", s->err.message);
}

static void end(struct stage *s)
{
	cluster_close(s->cluster);
	fake_server_free(s->server);
	buf_release(&s->told);
}

static void tell(void *user, const char *line)
{
	struct stage *s = user;

	buf_printf(&s->told, "%s\n", line);
}

/* Of an index that this run created, so that no snapshot is needed to compare it with. */
static int check(struct stage *s, bool allow_missing, int64_t wait_ms)
{
	const struct backfill_index books = {.target_name = STR("books")};
	const bool created = true;
	const struct target_check_options options = {
		.allow_missing = allow_missing, .wait_ms = wait_ms, .tell = tell, .user = s};

	return target_check(s->cluster, NULL, &books, &created, 1, &options, &s->cancel, &s->err);
}

#define OPEN "{\"books\":{\"settings\":{},\"mappings\":{}}}"

static void an_index_that_is_there_and_not_red_passes_silently(void **state)
{
	cleanup(end) struct stage s = {.index = OPEN};

	(void)state;
	open_cluster(&s);
	assert_int_equal(check(&s, false, 0), 0);
	assert_int_equal(s.told.len, 0);
	assert_int_equal(s.health_asked, 1);
}

static void a_missing_index_stops_unless_it_is_allowed(void **state)
{
	cleanup(end) struct stage s = {0};

	(void)state;
	open_cluster(&s);
	assert_int_equal(check(&s, false, 0), -ERR_BLOCKED);
	assert_contains(s.err.message, "index 'books' is not on the target");
	assert_int_equal(check(&s, true, 0), 0);
}

static void blocks_that_do_not_go_away_stop_it(void **state)
{
	static const char *const settings[][2] = {
		{"\"index.blocks.write\":\"true\"", "index.blocks.write is true"},
		{"\"index.blocks.read_only\":\"true\"", "index.blocks.read_only is true"},
		{"\"index.verified_before_close\":\"true\"", "POST /books/_open"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(settings); i++) {
		cleanup(end) struct stage s = {0};
		char text[200];

		snprintf(text, sizeof(text), "{\"books\":{\"settings\":{%s}}}", settings[i][0]);
		s.index = text;
		open_cluster(&s);
		assert_int_equal(check(&s, false, 0), -ERR_BLOCKED);
		assert_contains(s.err.message, settings[i][1]);
	}
}

static void who_may_not_look_passes(void **state)
{
	cleanup(end) struct stage s = {.index_status = 403};

	(void)state;
	open_cluster(&s);
	assert_int_equal(check(&s, false, 0), 0);
}

static void a_red_index_is_waited_for_with_one_line(void **state)
{
	cleanup(end) struct stage s = {.index = OPEN, .red_looks = 5};

	(void)state;
	open_cluster(&s);
	assert_int_equal(check(&s, false, 3600 * 1000), 0);
	assert_int_equal(s.health_asked, 6);
	assert_contains(buf_cstr(&s.told),
			"index 'books' is red on the target: waiting up to 3600 s");
	assert_ptr_equal(strchr(buf_cstr(&s.told), '\n'), buf_cstr(&s.told) + s.told.len - 1);
}

static void an_index_that_was_just_made_is_red_for_a_moment_without_a_word(void **state)
{
	cleanup(end) struct stage s = {.index = OPEN, .red_looks = 1};

	(void)state;
	open_cluster(&s);
	assert_int_equal(check(&s, false, 3600 * 1000), 0);
	assert_int_equal(s.told.len, 0);
}

static void an_index_that_stays_red_stops_it(void **state)
{
	cleanup(end) struct stage s = {.index = OPEN, .red_looks = SIZE_MAX};

	(void)state;
	open_cluster(&s);
	assert_int_equal(check(&s, false, 0), -ERR_TIMEOUT);
	assert_contains(s.err.message, "index 'books' is still red");
	assert_contains(s.err.message, "--target-pause-time");
	atomic_store(&s.cancel, true);
	assert_int_equal(check(&s, false, 3600 * 1000), -ERR_CANCELLED);
}

static void another_index_may_be_red(void **state)
{
	cleanup(end) struct stage s = {.index = OPEN, .red_looks = SIZE_MAX, .red = "other"};

	(void)state;
	open_cluster(&s);
	assert_int_equal(check(&s, false, 0), 0);
}

static void a_serverless_collection_has_no_health(void **state)
{
	cleanup(end) struct stage s = {.index = OPEN, .serverless = true};

	(void)state;
	open_cluster(&s);
	assert_int_equal(check(&s, false, 0), 0);
	assert_int_equal(s.health_asked, 0);
}

static bool generates_ids(struct stage *s, enum generated_ids mode)
{
	bool generates;

	if (target_generates_ids(s->cluster, mode, &generates, &s->err) < 0)
		fail_msg("%s", s->err.message);
	return generates;
}

static void a_collection_tells_its_type_by_how_it_refuses_a_vector(void **state)
{
	static const struct {
		int status;
		const char *answer;
		bool generates;
	} cases[] = {
		{400,
		 "{\"error\":{\"type\":\"x\",\"reason\":\"KNN features not supported on TIMESERIES "
		 "collection type\"}}",
		 true},
		{400,
		 "{\"error\":{\"type\":\"x\",\"reason\":\"KNN features not supported on SEARCH "
		 "collection type\"}}",
		 false},
		{400,
		 "{\"error\":{\"type\":\"mapper_parsing_exception\",\"reason\":\"Failed to parse "
		 "mapping [_doc]\",\"caused_by\":{\"type\":\"y\",\"reason\":\"Dimension value must "
		 "be greater than 0 for vector: v\"}}}",
		 true},
		{400, "{\"error\":{\"type\":\"x\",\"reason\":\"something else\"}}", false},
		{200, "{\"acknowledged\":true}", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		cleanup(end) struct stage s = {.serverless = true,
					       .probe = cases[i].answer,
					       .probe_status = cases[i].status};

		open_cluster(&s);
		assert_int_equal(generates_ids(&s, GENERATED_IDS_AUTO), cases[i].generates);
		/* What was made is taken away again. */
		assert_int_equal(s.deleted, cases[i].status == 200);
		assert_true(generates_ids(&s, GENERATED_IDS_ALWAYS));
		assert_false(generates_ids(&s, GENERATED_IDS_NEVER));
	}
}

static void a_cluster_is_not_asked_for_its_type(void **state)
{
	cleanup(end) struct stage s = {0};

	(void)state;
	open_cluster(&s);
	assert_false(generates_ids(&s, GENERATED_IDS_AUTO));
	assert_true(generates_ids(&s, GENERATED_IDS_ALWAYS));
	assert_int_equal(fake_server_requests(s.server), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_index_that_is_there_and_not_red_passes_silently),
		cmocka_unit_test(a_missing_index_stops_unless_it_is_allowed),
		cmocka_unit_test(blocks_that_do_not_go_away_stop_it),
		cmocka_unit_test(who_may_not_look_passes),
		cmocka_unit_test(a_red_index_is_waited_for_with_one_line),
		cmocka_unit_test(an_index_that_was_just_made_is_red_for_a_moment_without_a_word),
		cmocka_unit_test(an_index_that_stays_red_stops_it),
		cmocka_unit_test(another_index_may_be_red),
		cmocka_unit_test(a_serverless_collection_has_no_health),
		cmocka_unit_test(a_collection_tells_its_type_by_how_it_refuses_a_vector),
		cmocka_unit_test(a_cluster_is_not_asked_for_its_type),
	};

	unsetenv("http_proxy");
	unsetenv("all_proxy");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
