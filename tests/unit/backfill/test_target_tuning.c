/* Tuning against a fake cluster that keeps the settings of a few indices. */
#include "backfill/target_tuning.h"

#include "backfill/tuning_file.h"
#include "base/state_dir.h"
#include "fake_server.h"
#include "temporary_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define assert_contains(text, part)                                  \
	do {                                                         \
		if (!strstr(text, part))                             \
			fail_msg("'%s' is not in '%s'", part, text); \
	} while (0)

struct fake_index {
	const char *name;
	char refresh[8], replicas[8]; /* "": not set */
	const char *expand;           /* NULL: not set */
	bool missing, full, several;
	size_t puts;
};

struct stage {
	struct fake_index indices[4];
	int forbidden; /* the status of every PUT, 0: none */
	struct fake_server *server;
	struct cluster *cluster;
	char *folder;
	struct tuning_place place;
	struct tuning_report report;
	struct err err;
};

static struct fake_index *index_of(struct stage *s, const struct fake_request *request)
{
	for (size_t i = 0; i < COUNT_OF(s->indices) && s->indices[i].name; i++) {
		char mark[40];

		snprintf(mark, sizeof(mark), " /%s/_settings", s->indices[i].name);
		if (memmem(request->head.ptr, request->head.len, mark, strlen(mark)))
			return &s->indices[i];
	}
	BUG("that is no index of the test");
}

static void set(char field[8], const struct json *value)
{
	if (value)
		snprintf(field, 8, STR_FMT, STR_ARG(json_text_or(value, STR(""))));
}

static void change(struct fake_index *index, struct str body)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct json *settings;

	if (json_parse(body, &mem, &settings, NULL) < 0)
		BUG("that is no JSON");
	set(index->refresh, json_get(settings, "index.refresh_interval"));
	set(index->replicas, json_get(settings, "index.number_of_replicas"));
	index->puts++;
}

static void show(const struct fake_index *index, struct fake_reply *reply)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(4));

	buf_printf(&text, "{\"%s\":{\"settings\":{\"index.number_of_replicas\":\"%s\"", index->name,
		   index->replicas);
	if (index->refresh[0])
		buf_printf(&text, ",\"index.refresh_interval\":\"%s\"", index->refresh);
	if (index->expand)
		buf_printf(&text, ",\"index.auto_expand_replicas\":\"%s\"", index->expand);
	buf_printf(&text, "}}%s}", index->several ? ",\"other\":{\"settings\":{}}" : "");
	fake_reply_json(reply, 200, buf_cstr(&text));
}

static void serve(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct stage *s = user;
	struct fake_index *index;

	if (str_starts(request->head, STR("GET / "))) {
		fake_reply_json(reply, 200,
				"{\"version\":{\"distribution\":\"opensearch\",\"number\":\"2.0."
				"0\"}}");
		return;
	}
	index = index_of(s, request);
	if (index->missing) {
		fake_reply_json(reply, 404, "{\"error\":{\"type\":\"index_not_found_exception\"}}");
	} else if (str_starts(request->head, STR("GET "))) {
		show(index, reply);
	} else if (s->forbidden) {
		fake_reply_json(reply, s->forbidden,
				"{\"error\":{\"type\":\"security_exception\",\"reason\":\"no\"}}");
	} else if (index->full) {
		fake_reply_json(
			reply, 429,
			"{\"error\":{\"type\":\"cluster_block_exception\",\"reason\":\"index "
			"[books] blocked by: [TOO_MANY_REQUESTS/12/disk usage];\"}}");
	} else {
		change(index, request->body);
		fake_reply_json(reply, 200, "{\"acknowledged\":true}");
	}
}

static void begin(struct stage *s)
{
	const struct cluster_retry retry = {1, 1, 20};
	struct http_options options = {0};

	*s = (struct stage){.indices = {{"books", "5s", "2"}, {"logs", "", "1"}},
			    .folder = temporary_folder()};
	s->server = fake_server_start(serve, s);
	options.host = fake_server_url(s->server);
	if (cluster_connect(&options, &retry, &s->cluster, &s->err) < 0)
		fail_msg("%s", s->err.message);
	s->place = (struct tuning_place){s->folder, "s-1", "http://target", NULL};
}

static void end(struct stage *s)
{
	cluster_close(s->cluster);
	fake_server_free(s->server);
	temporary_folder_remove(&s->folder);
}

static const struct tuned_index both[] = {{STR("books"), false}, {STR("logs"), true}};

static struct target_tuning *tune_by(struct stage *s, const struct tuning_place *place)
{
	struct target_tuning *tuning;

	if (target_tuning_begin(s->cluster, place, both, COUNT_OF(both), &tuning, &s->report,
				&s->err) < 0)
		fail_msg("%s", s->err.message);
	return tuning;
}

static struct target_tuning *tune(struct stage *s)
{
	return tune_by(s, &s->place);
}

static void put_back(struct stage *s, struct target_tuning *tuning)
{
	if (target_tuning_end(tuning, &s->report, &s->err) < 0)
		fail_msg("%s", s->err.message);
}

static void expect(const struct stage *s, size_t index, const char *refresh, const char *replicas)
{
	assert_string_equal(s->indices[index].refresh, refresh);
	assert_string_equal(s->indices[index].replicas, replicas);
}

static bool is_saved(const struct stage *s)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct json *root = NULL;

	assert_int_equal(tuning_file_peek(s->folder, "s-1", &mem, &root, NULL), 0);
	return root != NULL;
}

static void what_was_changed_is_put_back_and_forgotten(void **state)
{
	cleanup(end) struct stage s;
	struct target_tuning *tuning;

	(void)state;
	begin(&s);
	tuning = tune(&s);
	assert_int_equal(s.report.tuned, 2);
	expect(&s, 0, "-1", "2");
	expect(&s, 1, "-1", "0");
	assert_true(is_saved(&s));
	put_back(&s, tuning);
	assert_int_equal(s.report.restored, 2);
	expect(&s, 0, "5s", "2");
	expect(&s, 1, "", "1");
	assert_false(is_saved(&s));
}

static void a_crashed_run_is_put_back_by_the_next_one_of_its_session(void **state)
{
	cleanup(end) struct stage s;

	(void)state;
	begin(&s);
	target_tuning_abandon(tune(&s));
	expect(&s, 1, "-1", "0");
	put_back(&s, tune(&s));
	expect(&s, 0, "5s", "2");
	expect(&s, 1, "", "1");
	assert_false(is_saved(&s));
}

static void what_somebody_set_after_a_crash_is_what_comes_back(void **state)
{
	cleanup(end) struct stage s;

	(void)state;
	begin(&s);
	target_tuning_abandon(tune(&s));
	strcpy(s.indices[0].refresh, "9s");
	strcpy(s.indices[1].refresh, "8s");
	put_back(&s, tune(&s));
	expect(&s, 0, "9s", "2");
	expect(&s, 1, "8s", "1");
	assert_false(is_saved(&s));
}

static void a_crashed_run_is_put_back_without_another_one(void **state)
{
	cleanup(end) struct stage s;

	(void)state;
	begin(&s);
	assert_int_equal(target_tuning_restore(s.cluster, &s.place, &s.report, &s.err), 0);
	assert_int_equal(s.report.restored, 0);
	target_tuning_abandon(tune(&s));
	assert_int_equal(target_tuning_restore(s.cluster, &s.place, &s.report, &s.err), 0);
	assert_int_equal(s.report.restored, 2);
	expect(&s, 0, "5s", "2");
	expect(&s, 1, "", "1");
	assert_false(is_saved(&s));
}

static void another_session_finds_what_a_crashed_one_saved(void **state)
{
	cleanup(end) struct stage s;
	struct tuning_place other;

	(void)state;
	begin(&s);
	target_tuning_abandon(tune(&s));
	other = s.place;
	other.session = "s-2";
	put_back(&s, tune_by(&s, &other));
	expect(&s, 0, "5s", "2");
	/* The replicas are the first session's own. */
	expect(&s, 1, "", "0");
	assert_true(is_saved(&s));
}

static void a_value_that_somebody_changed_meanwhile_stays(void **state)
{
	cleanup(end) struct stage s;
	struct target_tuning *tuning;

	(void)state;
	begin(&s);
	tuning = tune(&s);
	strcpy(s.indices[0].refresh, "9s");
	strcpy(s.indices[1].replicas, "3");
	put_back(&s, tuning);
	expect(&s, 0, "9s", "2");
	expect(&s, 1, "", "3");
	assert_false(is_saved(&s));
}

static void what_is_so_already_is_left_alone(void **state)
{
	cleanup(end) struct stage s;

	(void)state;
	begin(&s);
	strcpy(s.indices[0].refresh, "-1");
	s.indices[1].expand = "0-1";
	put_back(&s, tune(&s));
	assert_int_equal(s.indices[0].puts, 0);
	assert_int_equal(s.indices[1].puts, 2);
	expect(&s, 0, "-1", "2");
	expect(&s, 1, "", "1");
}

static void what_is_missing_or_several_is_left_alone(void **state)
{
	cleanup(end) struct stage s;
	struct target_tuning *tuning;

	(void)state;
	begin(&s);
	s.indices[0].missing = true;
	s.indices[1].several = true;
	tuning = tune(&s);
	assert_int_equal(s.report.tuned, 0);
	assert_int_equal(s.report.left_alone, 2);
	assert_contains(s.report.reason, "several indices");
	put_back(&s, tuning);
	assert_int_equal(s.indices[1].puts, 0);
}

static void a_user_who_may_not_tune_goes_without(void **state)
{
	cleanup(end) struct stage s;
	struct target_tuning *tuning;

	(void)state;
	begin(&s);
	s.forbidden = 403;
	tuning = tune(&s);
	assert_int_equal(s.report.tuned, 0);
	assert_int_equal(s.report.left_alone, 2);
	assert_contains(s.report.reason, "security_exception");
	put_back(&s, tuning);
	assert_int_equal(s.report.kept, 0);
	assert_false(is_saved(&s));
}

static void what_cannot_be_put_back_stays_on_disk(void **state)
{
	cleanup(end) struct stage s;
	struct target_tuning *tuning;

	(void)state;
	begin(&s);
	tuning = tune(&s);
	s.indices[0].full = true;
	put_back(&s, tuning);
	assert_int_equal(s.report.restored, 1);
	assert_int_equal(s.report.kept, 1);
	assert_contains(s.report.reason, "index 'books': cluster_block_exception");
	expect(&s, 1, "", "1");
	assert_true(is_saved(&s));
	s.indices[0].full = false;
	assert_int_equal(target_tuning_restore(s.cluster, &s.place, &s.report, &s.err), 0);
	expect(&s, 0, "5s", "2");
	assert_false(is_saved(&s));
}

static void an_index_that_is_gone_is_forgotten(void **state)
{
	cleanup(end) struct stage s;
	struct target_tuning *tuning;

	(void)state;
	begin(&s);
	tuning = tune(&s);
	s.indices[0].missing = true;
	put_back(&s, tuning);
	assert_int_equal(s.report.kept, 0);
	assert_false(is_saved(&s));
}

/* Locks belong to open files, so that two in one process are as two processes. */
static void the_last_of_several_processes_puts_it_back(void **state)
{
	cleanup(end) struct stage s;
	struct target_tuning *first, *second;

	(void)state;
	begin(&s);
	first = tune(&s);
	second = tune(&s);
	assert_int_equal(target_tuning_restore(s.cluster, &s.place, &s.report, &s.err), 0);
	assert_true(s.report.busy);
	put_back(&s, first);
	assert_true(s.report.busy);
	expect(&s, 0, "-1", "2");
	assert_true(is_saved(&s));
	put_back(&s, second);
	assert_false(s.report.busy);
	expect(&s, 0, "5s", "2");
	assert_false(is_saved(&s));
}

static void a_session_of_another_target_is_refused(void **state)
{
	cleanup(end) struct stage s;
	struct target_tuning *tuning;

	(void)state;
	begin(&s);
	target_tuning_abandon(tune(&s));
	s.place.target = "http://elsewhere";
	assert_int_equal(target_tuning_begin(s.cluster, &s.place, both, COUNT_OF(both), &tuning,
					     &s.report, &s.err),
			 -ERR_USAGE);
	assert_null(tuning);
	assert_contains(s.err.message, "restore-settings --target-host http://target");
}

static void settings_are_saved_before_anything_is_changed(void **state)
{
	cleanup(end) struct stage s;
	struct target_tuning *tuning;
	char path[300];

	(void)state;
	begin(&s);
	/* A folder in the file's place: it cannot be written. */
	snprintf(path, sizeof(path), "%s/tuning/s-1.json/x", s.folder);
	assert_int_equal(directory_make(path, NULL), 0);
	assert_int_equal(target_tuning_begin(s.cluster, &s.place, both, COUNT_OF(both), &tuning,
					     &s.report, &s.err),
			 -ERR_IO);
	assert_int_equal(s.indices[0].puts + s.indices[1].puts, 0);
	assert_contains(s.err.message, "s-1.json");
}

/* What is published, and how many settings had been changed then. */
struct publication {
	struct stage *stage;
	char saved[1000];
	size_t puts_before;
	bool fails;
};

static int publish(void *user, struct str saved, struct err *err)
{
	struct publication *to = user;

	to->puts_before = to->stage->indices[0].puts + to->stage->indices[1].puts;
	snprintf(to->saved, sizeof(to->saved), STR_FMT, STR_ARG(saved));
	return to->fails ? err_set(err, ERR_UNREACHABLE, "no coordinator") : 0;
}

static void another_host_puts_back_what_one_that_crashed_has_published(void **state)
{
	cleanup(end) struct stage s;
	cleanup(temporary_folder_remove) char *elsewhere = temporary_folder();
	struct publication published = {.stage = &s};
	struct tuning_share share = {.publish = publish, .user = &published};
	struct tuning_place here, there;

	(void)state;
	begin(&s);
	here = s.place;
	here.share = &share;
	target_tuning_abandon(tune_by(&s, &here));
	expect(&s, 1, "-1", "0");
	assert_int_equal(published.puts_before, 0);
	there = here;
	there.state_dir = elsewhere;
	share.saved = str_from(published.saved);
	assert_int_equal(target_tuning_restore(s.cluster, &there, &s.report, &s.err), 0);
	assert_int_equal(s.report.restored, 2);
	expect(&s, 0, "5s", "2");
	expect(&s, 1, "", "1");
	/* The one that crashed comes back, and finds nothing to do. */
	assert_int_equal(target_tuning_restore(s.cluster, &s.place, &s.report, &s.err), 0);
	assert_int_equal(s.report.restored, 0);
	assert_false(is_saved(&s));
}

static void another_host_goes_on_with_what_was_saved(void **state)
{
	cleanup(end) struct stage s;
	cleanup(temporary_folder_remove) char *elsewhere = temporary_folder();
	struct publication published = {.stage = &s};
	struct tuning_share share = {.publish = publish, .user = &published};
	struct tuning_place place;

	(void)state;
	begin(&s);
	place = s.place;
	place.share = &share;
	target_tuning_abandon(tune_by(&s, &place));
	place.state_dir = elsewhere;
	share.saved = str_from(published.saved);
	put_back(&s, tune_by(&s, &place));
	expect(&s, 0, "5s", "2");
	expect(&s, 1, "", "1");
}

static void what_cannot_be_published_is_not_changed(void **state)
{
	cleanup(end) struct stage s;
	struct publication published = {.stage = &s, .fails = true};
	const struct tuning_share share = {.publish = publish, .user = &published};
	struct target_tuning *tuning;

	(void)state;
	begin(&s);
	s.place.share = &share;
	assert_int_equal(target_tuning_begin(s.cluster, &s.place, both, COUNT_OF(both), &tuning,
					     &s.report, &s.err),
			 -ERR_UNREACHABLE);
	assert_int_equal(s.indices[0].puts + s.indices[1].puts, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_changed_is_put_back_and_forgotten),
		cmocka_unit_test(a_crashed_run_is_put_back_by_the_next_one_of_its_session),
		cmocka_unit_test(what_somebody_set_after_a_crash_is_what_comes_back),
		cmocka_unit_test(a_crashed_run_is_put_back_without_another_one),
		cmocka_unit_test(another_session_finds_what_a_crashed_one_saved),
		cmocka_unit_test(a_value_that_somebody_changed_meanwhile_stays),
		cmocka_unit_test(what_is_so_already_is_left_alone),
		cmocka_unit_test(what_is_missing_or_several_is_left_alone),
		cmocka_unit_test(a_user_who_may_not_tune_goes_without),
		cmocka_unit_test(what_cannot_be_put_back_stays_on_disk),
		cmocka_unit_test(an_index_that_is_gone_is_forgotten),
		cmocka_unit_test(the_last_of_several_processes_puts_it_back),
		cmocka_unit_test(a_session_of_another_target_is_refused),
		cmocka_unit_test(settings_are_saved_before_anything_is_changed),
		cmocka_unit_test(another_host_puts_back_what_one_that_crashed_has_published),
		cmocka_unit_test(another_host_goes_on_with_what_was_saved),
		cmocka_unit_test(what_cannot_be_published_is_not_changed),
	};

	unsetenv("http_proxy");
	unsetenv("all_proxy");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
