#include "backfill/coordinator_cluster_internal.h"
#include "base/clock.h"
#include "coordinator_suite.h"
#include "fake_state_index.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct coordinator_options usual = {.session = "nightly",
						 .worker = "me",
						 .lease_ms = 600000,
						 .max_lease_ms = 600000,
						 .max_failures = 3};

static int open_at(struct fake_state_index *index, const struct coordinator_options *options,
		   const struct coordinator_clock *clock, struct coordinator **out, struct err *err)
{
	const struct http_options http = {.host = fake_server_url(index->server),
					  .flag_prefix = "--coordinator-"};
	const struct cluster_retry quick = {
		.initial_delay_ms = 1, .max_delay_ms = 2, .max_total_ms = 60000};
	struct cluster *cluster;

	if (cluster_connect(&http, &quick, &cluster, err) < 0)
		fail_msg("%s", err->message);
	return coordinator_cluster_open_with(cluster, COORDINATOR_OWN, options, clock, out, err);
}

/* For the suite: all coordinators of its sessions share one index, that of the session. */
static int open_for_suite(void *user, const struct coordinator_options *options,
			  const struct coordinator_clock *clock, struct coordinator **out,
			  struct err *err)
{
	static char session[COORDINATOR_SESSION_MAX + 1];
	struct fake_state_index *index = user;

	if (strcmp(session, options->session) != 0) {
		snprintf(session, sizeof(session), "%s", options->session);
		if (index->server)
			fake_state_index_stop(index);
		fake_state_index_start(index);
	}
	return open_at(index, options, clock, out, err);
}

static void assert_open_refused(struct fake_state_index *index,
				const struct coordinator_options *options, const char *word,
				const char *other)
{
	struct coordinator *c = NULL;
	struct err err = {0};

	fake_state_index_start(index);
	assert_int_equal(open_at(index, options, &(struct coordinator_clock){0}, &c, &err),
			 -ERR_USAGE);
	if (!strstr(err.message, word) || !strstr(err.message, other))
		fail_msg("not told as expected: %s", err.message);
	fake_state_index_stop(index);
}

static void clocks_far_apart_are_refused_naming_both_times(void **state)
{
	(void)state;
	assert_open_refused(&(struct fake_state_index){.ahead_ms = 3600 * 1000}, &usual,
			    "more than 15 seconds apart", "NTP");
	assert_open_refused(&(struct fake_state_index){.ahead_ms = -60 * 1000}, &usual, "Z here, ",
			    "Z on the coordinator's OpenSearch 2.19.6");
}

static void clusters_that_cannot_hold_work_items_are_refused(void **state)
{
	struct fake_state_index old = {
		.root = "{\"version\":{\"number\":\"2.4.6\",\"lucene_version\":\"5.5.4\"},"
			"\"tagline\":\"You Know, for Search\"}"};

	(void)state;
	assert_open_refused(&old, &usual, "Elasticsearch 2.4.6", "--coordinator-host");
	assert_open_refused(&(struct fake_state_index){.root = ""}, &usual, "Serverless",
			    "--coordinator-host");
}

static void capitals_in_a_session_are_refused(void **state)
{
	struct coordinator_options options = usual;

	(void)state;
	options.session = "Nightly";
	assert_open_refused(&(struct fake_state_index){0}, &options, "'Nightly'", "lower case");
}

#define assert_ok(call)                                         \
	do {                                                    \
		if ((call) != 0)                                \
			fail_msg("%s: %s", #call, err.message); \
	} while (0)

/* Works on everything: the large item in two ranges. */
static void work_through(struct fake_state_index *index)
{
	const struct work_item items[] = {{STR("logs"), 0, 0, WORK_TO_END, 900},
					  {STR("logs"), 1, 0, WORK_TO_END, 100}};
	const struct work_item ranges[] = {{STR("logs"), 0, 0, 50, 500},
					   {STR("logs"), 0, 50, WORK_TO_END, 400}};
	struct work_progress progress = {.next_doc = 10, .state = STR("{\"a\":1}")};
	enum claim_outcome outcome;
	struct work_claim claim;
	struct coordinator *c;
	struct err err = {0};
	int64_t wait_ms;
	bool created;

	work_claim_init(&claim);
	assert_ok(open_at(index, &usual, &(struct coordinator_clock){0}, &c, &err));
	assert_ok(c->ops->create(c, STR("f"), items, 2, &created, &err));
	assert_ok(c->ops->claim(c, &claim, &outcome, &wait_ms, &err));
	assert_int_equal(claim.item.shard, 0);
	assert_ok(c->ops->checkpoint(c, &claim, &progress, &err));
	assert_ok(c->ops->release(c, &claim, &err));
	assert_ok(c->ops->claim(c, &claim, &outcome, &wait_ms, &err));
	assert_int_equal(claim.progress.next_doc, 10);
	assert_ok(c->ops->divide(c, &claim, ranges, 2, &err));
	while (outcome == CLAIM_TAKEN) {
		progress.next_doc = claim.item.first_doc + 20;
		assert_ok(c->ops->complete(c, &claim, &progress, &err));
		assert_ok(c->ops->claim(c, &claim, &outcome, &wait_ms, &err));
	}
	assert_int_equal(outcome, CLAIM_ALL_DONE);
	work_claim_release(&claim);
	c->ops->close(c);
}

static void assert_worked_through(struct fake_state_index *index)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct work_status *all;
	struct coordinator *c;
	struct err err = {0};
	size_t count;

	assert_ok(open_at(index, &usual, &(struct coordinator_clock){0}, &c, &err));
	assert_ok(c->ops->list(c, &mem, &all, &count, &err));
	assert_int_equal(count, 3);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(all[i].state, WORK_COMPLETED);
		assert_int_equal(all[i].progress.next_doc, all[i].item.first_doc + 20);
	}
	assert_int_equal(all[0].item.end_doc, 50);
	assert_int_equal(all[1].item.first_doc, 50);
	assert_true(all[1].item.end_doc == WORK_TO_END);
	c->ops->close(c);
}

static void an_answer_that_is_lost_anywhere_changes_nothing(void **state)
{
	size_t requests = 0;

	(void)state;
	/* The first time none is lost, to count them. */
	for (size_t lose = 0; lose <= requests; lose++) {
		struct fake_state_index index = {.lose = lose};

		fake_state_index_start(&index);
		work_through(&index);
		requests = lose ? requests : index.requests;
		index.lose = 0;
		assert_worked_through(&index);
		fake_state_index_stop(&index);
	}
	assert_true(requests > 20);
}

static int64_t much_later(void *user)
{
	(void)user;
	return clock_wall_ms() + 2 * usual.lease_ms;
}

static void a_list_of_which_a_page_is_lost_is_read_anew(void **state)
{
	struct fake_state_index index = {0};

	(void)state;
	fake_state_index_start(&index);
	work_through(&index);
	index.lose_pages = 3;
	assert_worked_through(&index);
	assert_int_equal(index.lose_pages, 0);
	fake_state_index_stop(&index);
}

/* One item, divided in three; stops at the first error, as if killed. */
static void divide_until_cut(struct fake_state_index *index)
{
	const struct work_item item = {STR("logs"), 0, 0, WORK_TO_END, 900};
	const struct work_item ranges[] = {{STR("logs"), 0, 0, 50, 500},
					   {STR("logs"), 0, 50, 70, 200},
					   {STR("logs"), 0, 70, WORK_TO_END, 200}};
	struct work_progress progress = {.next_doc = 50};
	enum claim_outcome outcome = CLAIM_LATER;
	struct work_claim claim;
	struct coordinator *c;
	struct err err = {0};
	int64_t wait_ms;
	bool created;

	work_claim_init(&claim);
	assert_ok(open_at(index, &usual, &(struct coordinator_clock){0}, &c, &err));
	if (c->ops->create(c, STR("f"), &item, 1, &created, &err) == 0 &&
	    c->ops->claim(c, &claim, &outcome, &wait_ms, &err) == 0 &&
	    c->ops->divide(c, &claim, ranges, 3, &err) == 0)
		c->ops->complete(c, &claim, &progress, &err);
	work_claim_release(&claim);
	c->ops->close(c);
}

/* Whatever is left, by another one after the leases have ended; all documents once. */
static void assert_others_finish(struct fake_state_index *index)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	const struct work_item item = {STR("logs"), 0, 0, WORK_TO_END, 900};
	const struct coordinator_clock later = {.now_ms = much_later};
	enum claim_outcome outcome = CLAIM_TAKEN;
	struct work_status *all;
	struct work_claim claim;
	struct coordinator *c;
	struct err err = {0};
	int64_t wait_ms, at = 0;
	size_t count;
	bool created;

	work_claim_init(&claim);
	index->ahead_ms = 2 * usual.lease_ms;
	assert_ok(open_at(index, &usual, &later, &c, &err));
	assert_ok(c->ops->create(c, STR("f"), &item, 1, &created, &err));
	while (outcome == CLAIM_TAKEN) {
		assert_ok(c->ops->claim(c, &claim, &outcome, &wait_ms, &err));
		if (outcome == CLAIM_TAKEN)
			assert_ok(c->ops->complete(c, &claim, &claim.progress, &err));
	}
	assert_int_equal(outcome, CLAIM_ALL_DONE);
	assert_ok(c->ops->list(c, &mem, &all, &count, &err));
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(all[i].item.first_doc, at);
		at = all[i].item.end_doc;
	}
	assert_true(at == WORK_TO_END);
	work_claim_release(&claim);
	c->ops->close(c);
}

static void a_division_that_is_cut_short_anywhere_is_finished_by_others(void **state)
{
	size_t requests = 0, begin = 3;

	(void)state;
	/* The first time it is not cut, to count; the first two requests open the coordinator. */
	for (size_t cut = begin; cut <= requests + begin; cut++) {
		struct fake_state_index index = {.cut = requests ? cut - 1 : 0};

		fake_state_index_start(&index);
		divide_until_cut(&index);
		requests = requests ? requests : index.requests;
		index.cut = 0;
		assert_others_finish(&index);
		fake_state_index_stop(&index);
	}
	assert_true(requests > 10);
}

static void work_items_that_a_bulk_turned_down_for_now_are_sent_again(void **state)
{
	struct fake_state_index index = {.turn_down = 2};

	(void)state;
	fake_state_index_start(&index);
	work_through(&index);
	assert_worked_through(&index);
	fake_state_index_stop(&index);
}

static void an_item_is_found_in_its_id_whatever_its_index_is_called(void **state)
{
	static const char *const names[] = {"a",     "ab", "abc", "a__b", "\xc3\xbc?\xc3\xbf",
					    ">>>???"};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		cleanup(buf_release) struct buf id = BUF_INIT(KIB(4));
		struct work_item item = {str_from(names[i]), 12, 34567, WORK_TO_END, 0};
		struct item_document read;

		document_append_id(&id, &item);
		assert_true(document_read(buf_str(&id), NULL, &mem, &read));
		assert_true(str_eq(read.item.index, item.index));
		assert_int_equal(read.item.shard, 12);
		assert_int_equal(read.item.first_doc, 34567);
		assert_null(memchr(id.ptr, '/', id.len));
		assert_null(memchr(id.ptr, '=', id.len));
	}
}

static void what_is_no_id_of_an_item_is_none(void **state)
{
	static const char *const ids[] = {"",         "shard_setup",        "YQ__1",
					  "YQ_1__2",  "YQ__1__x",           "YQ__1__",
					  "__1__2x3", "YQ__99999999999__0", "Y!__1__2"};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct item_document read;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ids); i++)
		if (document_read(str_from(ids[i]), NULL, &mem, &read))
			fail_msg("'%s' was taken for an item", ids[i]);
}

static struct coordinator *open_as(struct fake_state_index *index, const char *worker)
{
	struct coordinator_options options = usual;
	struct coordinator *c = NULL;
	struct err err = {0};

	options.worker = worker;
	if (open_at(index, &options, &(struct coordinator_clock){0}, &c, &err) < 0)
		fail_msg("%s", err.message);
	return c;
}

static void assert_takes(struct coordinator *c, bool expected, const char *saved)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct err err = {0};
	struct str found;
	bool ours;

	if (c->ops->tuning_take(c, &mem, &ours, &found, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(ours, expected);
	assert_true(saved ? str_is(found, saved) : !found.ptr);
}

static void keep(struct coordinator *c, struct str saved)
{
	struct err err = {0};

	if (c->ops->tuning_keep(c, saved, &err) < 0)
		fail_msg("%s", err.message);
}

static void the_first_worker_tunes_until_nothing_is_left_to_put_back(void **state)
{
	struct fake_state_index index = {0};
	struct coordinator *a, *b;

	(void)state;
	fake_state_index_start(&index);
	a = open_as(&index, "a");
	b = open_as(&index, "b");
	assert_takes(a, true, NULL);
	assert_takes(b, false, NULL);
	keep(a, STR("{\"target\":\"x\"}"));
	assert_takes(b, false, "{\"target\":\"x\"}");
	keep(b, STR_NONE);
	assert_takes(b, true, NULL);
	assert_takes(a, false, NULL);
	a->ops->close(a);
	b->ops->close(b);
	fake_state_index_stop(&index);
}

/* Of the process that had it only what it saved is left. */
static void what_a_dead_process_saved_is_taken_with_its_place(void **state)
{
	struct fake_state_index index = {0};
	struct coordinator *survivor;
	pid_t child;
	int status;

	(void)state;
	fake_state_index_start(&index);
	child = fork();
	if (child == 0) {
		struct coordinator *c = open_as(&index, "dead");

		assert_takes(c, true, NULL);
		keep(c, STR("{}"));
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	survivor = open_as(&index, "survivor");
	assert_takes(survivor, true, "{}");
	survivor->ops->close(survivor);
	fake_state_index_stop(&index);
}

/* Neither is it work, nor does it keep work from being finished. */
static void who_tunes_is_no_work_item(void **state)
{
	struct fake_state_index index = {0};
	struct coordinator *c;

	(void)state;
	fake_state_index_start(&index);
	c = open_as(&index, "a");
	assert_takes(c, true, NULL);
	c->ops->close(c);
	work_through(&index);
	assert_worked_through(&index);
	fake_state_index_stop(&index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clocks_far_apart_are_refused_naming_both_times),
		cmocka_unit_test(clusters_that_cannot_hold_work_items_are_refused),
		cmocka_unit_test(capitals_in_a_session_are_refused),
		cmocka_unit_test(an_answer_that_is_lost_anywhere_changes_nothing),
		cmocka_unit_test(a_list_of_which_a_page_is_lost_is_read_anew),
		cmocka_unit_test(a_division_that_is_cut_short_anywhere_is_finished_by_others),
		cmocka_unit_test(work_items_that_a_bulk_turned_down_for_now_are_sent_again),
		cmocka_unit_test(an_item_is_found_in_its_id_whatever_its_index_is_called),
		cmocka_unit_test(what_is_no_id_of_an_item_is_none),
		cmocka_unit_test(the_first_worker_tunes_until_nothing_is_left_to_put_back),
		cmocka_unit_test(what_a_dead_process_saved_is_taken_with_its_place),
		cmocka_unit_test(who_tunes_is_no_work_item),
	};
	struct fake_state_index index = {0};
	struct coordinator_suite suite = {
		.name = "coordinator_cluster", .open = open_for_suite, .user = &index, .items = 20};
	int failed = coordinator_suite_run(&suite);

	fake_state_index_stop(&index);
	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
