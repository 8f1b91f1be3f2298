/* metadata_check, metadata_write and metadata_read_cluster against a cluster that answers from a
 * list. */
#include "metadata/metadata_read.h"
#include "metadata/metadata_write.h"
#include "metadata/rules.h"

#include "fake_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define SENT_MAX 64

struct answer {
	const char *start; /* of the request: "PUT /books" */
	int status;
	const char *body;
	const char *having; /* only where the body still has this; NULL: always */
};

static struct stage {
	const struct answer *answers; /* ended by one without start; the first that fits */
	char sent[SENT_MAX][80];      /* "PUT /books", without the query */
	char body[SENT_MAX][2000];
	size_t count;
	struct fake_server *server;
	struct cluster *cluster;
	struct metadata_set set;
} stage;

static void record(const struct fake_request *request)
{
	size_t length = 0;
	struct str head = request->head;

	if (stage.count == SENT_MAX)
		BUG("more requests than the test has room for");
	/* Method and path. */
	while (length < head.len && head.ptr[length] != ' ')
		length++;
	length++;
	while (length < head.len && head.ptr[length] != ' ' && head.ptr[length] != '?')
		length++;
	snprintf(stage.sent[stage.count], sizeof(stage.sent[0]), "%.*s", (int)length, head.ptr);
	snprintf(stage.body[stage.count], sizeof(stage.body[0]), STR_FMT, STR_ARG(request->body));
	stage.count++;
}

static bool fits(const struct answer *answer, const struct fake_request *request)
{
	const char *mark = answer->having;

	if (!str_starts(request->head, str_from(answer->start)))
		return false;
	return !mark || memmem(request->body.ptr, request->body.len, mark, strlen(mark));
}

static void serve(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	(void)user;
	record(request);
	for (const struct answer *a = stage.answers; a && a->start; a++)
		if (fits(a, request)) {
			fake_reply_json(reply, a->status, a->body);
			return;
		}
	if (str_starts(request->head, STR("GET / ")))
		fake_reply_json(reply, 200,
				"{\"version\":{\"distribution\":\"opensearch\",\"number\":"
				"\"2.19.6\"}}");
	else if (str_starts(request->head, STR("GET /_cat/")))
		fake_reply_json(reply, 200, "[]");
	else if (str_starts(request->head, STR("GET ")))
		fake_reply_json(reply, 404, "{}");
	else
		fake_reply_json(reply, 200, "{\"acknowledged\":true}");
}

static int set_up(void **state)
{
	struct http_options http = {0};
	struct cluster_retry retry = {
		.initial_delay_ms = 1, .max_delay_ms = 1, .max_total_ms = 60000};
	struct err err = {0};

	(void)state;
	memset(&stage, 0, sizeof(stage));
	stage.server = fake_server_start(serve, NULL);
	http.host = fake_server_url(stage.server);
	if (cluster_connect(&http, &retry, &stage.cluster, &err) < 0)
		fail_msg("%s", err.message);
	stage.count = 0;
	metadata_set_init(&stage.set);
	stage.set.version = (struct cluster_version){CLUSTER_ELASTICSEARCH, 7, 10, 2};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	metadata_set_release(&stage.set);
	cluster_close(stage.cluster);
	fake_server_free(stage.server);
	return 0;
}

static struct metadata_item *add(enum metadata_kind kind, const char *name, const char *body)
{
	struct json *source = NULL;
	struct err err = {0};

	if (json_parse(str_from(body), &stage.set.mem, &source, &err) < 0)
		fail_msg("%s", err.message);
	return metadata_set_add(&stage.set, kind, str_from(name), source);
}

static void write_all(const struct metadata_write_options *options)
{
	const struct rule_options rules = {.target = *cluster_version(stage.cluster),
					   .replicas = -1,
					   .awareness_attributes = 1};
	struct err err = {0};

	if (rules_apply(&stage.set, &rules, &err) < 0 ||
	    metadata_check(&stage.set, stage.cluster, options, &err) < 0 ||
	    metadata_write(&stage.set, stage.cluster, options, NULL, &err) < 0)
		fail_msg("%s", err.message);
}

static const struct metadata_write_options writing = {0};
static const struct metadata_write_options leaving_existing = {.allow_existing = true};
static const struct metadata_write_options planning = {.plan = true};

/* All requests of a method, in order, with commas. */
static void assert_sent(const char *method, const char *expected)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(8));

	for (size_t i = 0; i < stage.count; i++)
		if (strncmp(stage.sent[i], method, strlen(method)) == 0)
			buf_printf(&text, "%s%s", text.len ? "," : "",
				   stage.sent[i] + strlen(method) + 1);
	assert_string_equal(buf_cstr(&text), expected);
}

static const char *last_body(const char *request)
{
	for (size_t i = stage.count; i > 0; i--)
		if (strcmp(stage.sent[i - 1], request) == 0)
			return stage.body[i - 1];
	fail_msg("%s was not sent", request);
	return NULL;
}

#define PUT(path) "PUT " path
#define REASON(text) "{\"error\":{\"type\":\"illegal_argument_exception\",\"reason\":\"" text "\"}}"

static void add_one_of_each(void)
{
	add(METADATA_INDEX, "books",
	    "{\"settings\":{},\"mappings\":{},\"aliases\":{\"shelf\":{}}}");
	add(METADATA_ALIAS, "shelf", "{\"books\":{}}");
	add(METADATA_DATA_STREAM, "events", "{\"name\":\"events\"}");
	add(METADATA_LEGACY_TEMPLATE, "old", "{\"index_patterns\":[\"o*\"]}");
	add(METADATA_INDEX_TEMPLATE, "new",
	    "{\"index_patterns\":[\"e*\"],\"composed_of\":[\"base\"]}");
	add(METADATA_COMPONENT_TEMPLATE, "base", "{\"template\":{}}");
	add(METADATA_SCRIPT, "sum", "{\"script\":{\"lang\":\"painless\",\"source\":\"1\"}}");
	add(METADATA_PIPELINE, "stamp", "{\"processors\":[]}");
	add(METADATA_CLUSTER_SETTINGS, "persistent", "{\"a\":\"b\"}");
}

static void what_others_need_is_written_before_them(void **state)
{
	(void)state;
	add_one_of_each();
	write_all(&writing);
	assert_sent("PUT", "/_ingest/pipeline/stamp,/_scripts/sum,/_component_template/base,"
			   "/_index_template/new,/_template/old,/_data_stream/events,/books");
	assert_string_equal(last_body(PUT("/books")), "{\"aliases\":{\"shelf\":{}}}");
	assert_string_equal(last_body(PUT("/_data_stream/events")), "");
	for (size_t i = 0; i < stage.set.count; i++)
		assert_int_equal(stage.set.items[i]->outcome,
				 stage.set.items[i]->kind == METADATA_CLUSTER_SETTINGS
					 ? OUTCOME_REPORTED
					 : OUTCOME_WRITTEN);
}

static void a_plan_sends_nothing_but_gets(void **state)
{
	(void)state;
	add_one_of_each();
	write_all(&planning);
	for (size_t i = 0; i < stage.count; i++)
		assert_memory_equal(stage.sent[i], "GET ", 4);
	assert_int_equal(metadata_set_find(&stage.set, METADATA_INDEX, STR("books"))->outcome,
			 OUTCOME_READY);
	assert_int_equal(metadata_set_find(&stage.set, METADATA_ALIAS, STR("shelf"))->outcome,
			 OUTCOME_READY);
}

static const struct answer existing[] = {
	{"GET /books/_settings", 200, "{\"books\":{\"settings\":{}}}", NULL},
	{"GET /_ingest/pipeline/stamp", 200, "{\"stamp\":{}}", NULL},
	{"GET /_scripts/sum", 200, "{\"_id\":\"sum\",\"found\":false}", NULL},
	{0},
};

static void what_exists_is_left_as_it_is(void **state)
{
	(void)state;
	stage.answers = existing;
	add_one_of_each();
	write_all(&leaving_existing);
	assert_sent("PUT", "/_scripts/sum,/_component_template/base,/_index_template/new,"
			   "/_template/old,/_data_stream/events");
	assert_int_equal(metadata_set_find(&stage.set, METADATA_INDEX, STR("books"))->outcome,
			 OUTCOME_EXISTED);
	assert_int_equal(metadata_set_find(&stage.set, METADATA_PIPELINE, STR("stamp"))->outcome,
			 OUTCOME_EXISTED);
}

static void an_index_that_exists_is_a_failure_unless_that_is_allowed(void **state)
{
	const struct metadata_item *books;

	(void)state;
	stage.answers = existing;
	books = add(METADATA_INDEX, "books", "{\"settings\":{}}");
	write_all(&writing);
	assert_int_equal(books->outcome, OUTCOME_FAILED);
	assert_non_null(
		memmem(books->reason.ptr, books->reason.len, "--allow-existing-indexes", 24));
	assert_sent("PUT", "");
}

static const struct answer refusing_settings[] = {
	{PUT("/books"), 400,
	 REASON("unknown setting [index.a] please check that any required plugins are installed"),
	 "\"index.a\""},
	{PUT("/books"), 400,
	 REASON("unknown setting [index.b.c] please check that any required plugins are installed"),
	 "\"index.b.c\""},
	{0},
};

static void what_the_target_names_is_left_out_until_it_takes_the_rest(void **state)
{
	const struct metadata_item *books;

	(void)state;
	stage.answers = refusing_settings;
	books = add(METADATA_INDEX, "books",
		    "{\"settings\":{\"a\":\"1\",\"b\":{\"c\":\"2\"},\"number_of_shards\":\"3\"}}");
	write_all(&writing);
	assert_int_equal(books->outcome, OUTCOME_WRITTEN);
	assert_sent("PUT", "/books,/books,/books");
	assert_string_equal(last_body(PUT("/books")),
			    "{\"settings\":{\"index.number_of_shards\":\"3\"}}");
	assert_int_equal(books->note_count, 1);
	assert_string_equal(books->notes[0].rule, "repair");
}

static const struct answer refusing_always[] = {
	{PUT("/books"), 400, REASON("unknown setting [index.z] please check"), NULL},
	{0},
};

static void a_refusal_that_nothing_can_be_done_about_ends_the_item(void **state)
{
	const struct metadata_item *books, *other;

	(void)state;
	stage.answers = refusing_always;
	books = add(METADATA_INDEX, "books", "{\"settings\":{\"number_of_shards\":\"3\"}}");
	other = add(METADATA_INDEX, "other", "{\"settings\":{}}");
	write_all(&writing);
	assert_sent("PUT", "/books,/other");
	assert_int_equal(books->outcome, OUTCOME_FAILED);
	assert_non_null(memmem(books->reason.ptr, books->reason.len, "index.z", 7));
	assert_int_equal(other->outcome, OUTCOME_WRITTEN);
}

static const struct answer refusing_pipelines[] = {
	{PUT("/_ingest/pipeline/stamp"), 403, REASON("no permissions"), NULL},
	{0},
};

static void what_the_user_may_not_write_does_not_stop_the_rest(void **state)
{
	(void)state;
	stage.answers = refusing_pipelines;
	add_one_of_each();
	write_all(&writing);
	assert_int_equal(metadata_set_find(&stage.set, METADATA_PIPELINE, STR("stamp"))->outcome,
			 OUTCOME_FAILED);
	assert_int_equal(metadata_set_find(&stage.set, METADATA_INDEX, STR("books"))->outcome,
			 OUTCOME_WRITTEN);
}

static void assert_blocked(const struct metadata_item *item, const char *part)
{
	assert_int_equal(item->outcome, OUTCOME_BLOCKED);
	if (!memmem(item->reason.ptr, item->reason.len, part, strlen(part)))
		fail_msg(STR_FMT " does not say %s", STR_ARG(item->reason), part);
	assert_sent("PUT", "");
}

static const struct answer name_taken[] = {
	{"GET /_cat/indices", 200, "[{\"index\":\"shelf\"}]", NULL},
	{"GET /_cat/aliases", 200, "[{\"alias\":\"books\"}]", NULL},
	{0},
};

static void names_that_clash_are_told_before_anything_is_created(void **state)
{
	const struct metadata_item *index, *alias;

	(void)state;
	stage.answers = name_taken;
	index = add(METADATA_INDEX, "books", "{\"settings\":{}}");
	alias = add(METADATA_ALIAS, "shelf", "{\"books\":{}}");
	write_all(&writing);
	assert_blocked(index, "name of an alias");
	assert_blocked(alias, "name of an index");
}

static void two_write_indices_are_told_before_anything_is_created(void **state)
{
	const struct metadata_item *alias, *index;

	(void)state;
	index = add(METADATA_INDEX, "a", "{\"aliases\":{\"shelf\":{\"is_write_index\":true}}}");
	alias = add(METADATA_ALIAS, "shelf",
		    "{\"a\":{\"is_write_index\":true},\"b\":{\"is_write_index\":true}}");
	write_all(&writing);
	assert_blocked(alias, "write index");
	assert_blocked(index, "its alias 'shelf'");
}

static void a_write_index_that_does_not_go_is_none(void **state)
{
	const struct metadata_item *index;
	struct metadata_item *other;

	(void)state;
	index = add(METADATA_INDEX, "a", "{\"aliases\":{\"shelf\":{\"is_write_index\":true}}}");
	other = add(METADATA_INDEX, "b", "{\"aliases\":{\"shelf\":{\"is_write_index\":true}}}");
	other->outcome = OUTCOME_EXCLUDED;
	add(METADATA_ALIAS, "shelf",
	    "{\"a\":{\"is_write_index\":true},\"b\":{\"is_write_index\":true}}");
	write_all(&writing);
	assert_int_equal(index->outcome, OUTCOME_WRITTEN);
}

static void what_is_missing_on_the_target_is_told_before_anything_is_created(void **state)
{
	const struct metadata_item *template, *analysis, *field;

	(void)state;
	template = add(METADATA_INDEX_TEMPLATE, "new",
		       "{\"index_patterns\":[\"e*\"],\"composed_of\":[\"base\"]}");
	analysis =
		add(METADATA_INDEX, "names",
		    "{\"settings\":{\"analysis\":{\"filter\":{\"f\":{\"type\":\"phonetic\"}}}}}");
	field = add(METADATA_INDEX, "hashes",
		    "{\"mappings\":{\"properties\":{\"h\":{\"type\":\"murmur3\"}}}}");
	stage.answers = (const struct answer[]){
		{"GET /_component_template", 200, "{\"component_templates\":[]}", NULL}, {0}};
	write_all(&writing);
	assert_blocked(template, "'base'");
	assert_blocked(analysis, "analysis-phonetic");
	assert_blocked(field, "mapper-murmur3");
}

static const struct answer balanced[] = {
	{"GET /_cluster/settings", 200,
	 "{\"transient\":{\"cluster.routing.allocation.awareness.balance\":\"true\"},"
	 "\"persistent\":{\"cluster.routing.allocation.awareness.balance\":\"false\","
	 "\"cluster.routing.allocation.awareness.attributes\":\"rack,zone\","
	 "\"cluster.routing.allocation.awareness.force.rack.values\":\"r1,r2\","
	 "\"cluster.routing.allocation.awareness.force.zone.values\":[\"a\",\"b\",\"c\"]},"
	 "\"defaults\":{}}",
	 NULL},
	{0},
};

static void copies_that_the_zones_refuse_are_told_before_anything_is_created(void **state)
{
	const struct metadata_item *books;

	(void)state;
	stage.answers = balanced;
	books = add(METADATA_INDEX, "books", "{\"settings\":{\"number_of_replicas\":\"1\"}}");
	write_all(&writing);
	assert_blocked(books, "--cluster-awareness-attributes 3");
}

static void copies_that_fill_the_zones_are_taken(void **state)
{
	const struct metadata_item *books, *silent;

	(void)state;
	stage.answers = balanced;
	books = add(METADATA_INDEX, "books", "{\"settings\":{\"number_of_replicas\":\"5\"}}");
	silent = add(METADATA_LEGACY_TEMPLATE, "silent", "{\"index_patterns\":[\"a\"]}");
	write_all(&writing);
	assert_int_equal(books->outcome, OUTCOME_WRITTEN);
	assert_int_equal(silent->outcome, OUTCOME_WRITTEN);
}

static const struct answer half_closed_source[] = {
	{"GET /_ingest/pipeline", 403, REASON("no permissions for pipelines"), NULL},
	{"GET /*", 200, "{\"books\":{\"settings\":{\"index\":{}},\"mappings\":{},\"aliases\":{}}}",
	 NULL},
	{0},
};

static void what_may_not_be_read_is_told_and_the_rest_read(void **state)
{
	struct err err = {0};

	(void)state;
	stage.answers = half_closed_source;
	metadata_set_release(&stage.set);
	if (metadata_read_cluster(stage.cluster, NULL, &stage.set, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(stage.set.unreadable_count, 1);
	assert_int_equal(stage.set.unreadable[0].kind, METADATA_PIPELINE);
	assert_non_null(metadata_set_find(&stage.set, METADATA_INDEX, STR("books")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_others_need_is_written_before_them),
		TEST(a_plan_sends_nothing_but_gets),
		TEST(what_exists_is_left_as_it_is),
		TEST(an_index_that_exists_is_a_failure_unless_that_is_allowed),
		TEST(what_the_target_names_is_left_out_until_it_takes_the_rest),
		TEST(a_refusal_that_nothing_can_be_done_about_ends_the_item),
		TEST(what_the_user_may_not_write_does_not_stop_the_rest),
		TEST(names_that_clash_are_told_before_anything_is_created),
		TEST(two_write_indices_are_told_before_anything_is_created),
		TEST(a_write_index_that_does_not_go_is_none),
		TEST(what_is_missing_on_the_target_is_told_before_anything_is_created),
		TEST(copies_that_the_zones_refuse_are_told_before_anything_is_created),
		TEST(copies_that_fill_the_zones_are_taken),
		TEST(what_may_not_be_read_is_told_and_the_rest_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
