#include "coordinator_suite.h"

#include "base/clock.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define LEASE_MS 600000
#define FINGERPRINT STR("fs:/repository#nightly")

static const struct work_item small = {STR("logs-1"), 0, 0, WORK_TO_END, 100},
			      large = {STR("logs-1"), 1, 0, WORK_TO_END, 900},
			      middle = {STR("b\"\\\xc3\xa4"), 0, 0, WORK_TO_END, 500};

/* A session of its own and two workers at it. */
struct pair {
	struct coordinator_suite *suite;
	char session[64];
	int64_t ahead_ms; /* of the machine's clock */
	struct coordinator_clock clock;
	struct coordinator *a, *b;
	struct work_claim claim, other;
	struct err err;
	enum claim_outcome outcome;
	int64_t wait_ms;
};

static int64_t shifted_now(void *user)
{
	return clock_wall_ms() + *(int64_t *)user;
}

static struct coordinator *open_as(struct pair *pair, const char *worker)
{
	struct coordinator_options options = {
		.session = pair->session,
		.worker = worker,
		.lease_ms = LEASE_MS,
		.max_lease_ms = 3 * LEASE_MS,
		.max_failures = 3,
	};
	struct coordinator *c = NULL;

	if (pair->suite->open(pair->suite->user, &options, &pair->clock, &c, &pair->err) < 0)
		fail_msg("open: %s", pair->err.message);
	return c;
}

static void begin_session(struct pair *pair, void **state)
{
	static unsigned number;

	*pair = (struct pair){.suite = *state};
	pair->clock = (struct coordinator_clock){shifted_now, &pair->ahead_ms};
	snprintf(pair->session, sizeof(pair->session), "s%ld-%" PRId64 "-%u", (long)getpid(),
		 clock_wall_ms(), number++);
	work_claim_init(&pair->claim);
	work_claim_init(&pair->other);
}

static void begin(struct pair *pair, void **state)
{
	begin_session(pair, state);
	pair->a = open_as(pair, "worker-a");
	pair->b = open_as(pair, "worker-b");
}

static void end(struct pair *pair)
{
	work_claim_release(&pair->claim);
	work_claim_release(&pair->other);
	pair->a->ops->close(pair->a);
	pair->b->ops->close(pair->b);
}

#define assert_ok(pair, call)                                           \
	do {                                                            \
		if ((call) != 0)                                        \
			fail_msg("%s: %s", #call, (pair)->err.message); \
	} while (0)

static bool create(struct pair *pair, struct coordinator *c, const struct work_item *items,
		   size_t count)
{
	bool created = false;

	assert_ok(pair, c->ops->create(c, FINGERPRINT, items, count, &created, &pair->err));
	return created;
}

static enum claim_outcome claim(struct pair *pair, struct coordinator *c, struct work_claim *out)
{
	assert_ok(pair, c->ops->claim(c, out, &pair->outcome, &pair->wait_ms, &pair->err));
	return pair->outcome;
}

static void must_claim(struct pair *pair, struct coordinator *c, struct work_claim *out)
{
	if (claim(pair, c, out) != CLAIM_TAKEN)
		fail_msg("nothing was claimed: outcome %d", pair->outcome);
}

static struct work_progress progress_to(int64_t next_doc)
{
	return (struct work_progress){.next_doc = next_doc,
				      .documents = (uint64_t)next_doc,
				      .sent = (uint64_t)next_doc,
				      .source_bytes = (uint64_t)next_doc * 10};
}

static int checkpoint(struct pair *pair, struct coordinator *c, struct work_claim *of,
		      int64_t next_doc)
{
	struct work_progress progress = progress_to(next_doc);

	return c->ops->checkpoint(c, of, &progress, &pair->err);
}

static int complete(struct pair *pair, struct coordinator *c, struct work_claim *of,
		    int64_t next_doc)
{
	struct work_progress progress = progress_to(next_doc);

	return c->ops->complete(c, of, &progress, &pair->err);
}

static struct work_status *list(struct pair *pair, struct coordinator *c, struct arena *mem,
				size_t expected)
{
	struct work_status *all;
	size_t count;

	assert_ok(pair, c->ops->list(c, mem, &all, &count, &pair->err));
	assert_int_equal(count, expected);
	return all;
}

static void creating_again_leaves_the_items_as_they_are(void **state)
{
	const struct work_item items[] = {small, large};
	struct pair pair;

	begin(&pair, state);
	assert_true(create(&pair, pair.a, items, 2));
	must_claim(&pair, pair.a, &pair.claim);
	assert_ok(&pair, checkpoint(&pair, pair.a, &pair.claim, 7));
	assert_false(create(&pair, pair.b, items, 2));
	assert_ok(&pair, complete(&pair, pair.a, &pair.claim, 9));
	must_claim(&pair, pair.b, &pair.claim);
	assert_int_equal(pair.claim.item.shard, 0);
	assert_ok(&pair, complete(&pair, pair.b, &pair.claim, 9));
	assert_false(create(&pair, pair.b, items, 2));
	assert_int_equal(claim(&pair, pair.a, &pair.claim), CLAIM_ALL_DONE);
	end(&pair);
}

static void a_session_of_another_snapshot_is_refused_by_both_names(void **state)
{
	struct pair pair;
	bool created;

	begin(&pair, state);
	create(&pair, pair.a, &small, 1);
	assert_int_equal(pair.b->ops->create(pair.b, STR("s3:bucket#weekly"), &large, 1, &created,
					     &pair.err),
			 -ERR_USAGE);
	assert_non_null(strstr(pair.err.message, "s3:bucket#weekly"));
	assert_non_null(strstr(pair.err.message, "fs:/repository#nightly"));
	assert_non_null(strstr(pair.err.message, "--session-name"));
	end(&pair);
}

static void larger_items_are_given_out_first(void **state)
{
	const struct work_item items[] = {small, large, middle};
	struct pair pair;

	begin(&pair, state);
	create(&pair, pair.a, items, 3);
	must_claim(&pair, pair.a, &pair.claim);
	assert_int_equal(pair.claim.item.bytes, large.bytes);
	assert_int_equal(pair.claim.item.shard, 1);
	assert_true(pair.claim.item.end_doc == WORK_TO_END);
	assert_int_equal(pair.claim.progress.next_doc, 0);
	assert_false(pair.claim.divided);
	assert_null(pair.claim.progress.state.ptr);
	must_claim(&pair, pair.a, &pair.claim);
	assert_true(str_eq(pair.claim.item.index, middle.index));
	must_claim(&pair, pair.a, &pair.claim);
	assert_int_equal(pair.claim.item.bytes, small.bytes);
	end(&pair);
}

static void an_item_is_leased_to_one_worker_at_a_time(void **state)
{
	struct pair pair;
	int64_t before = clock_monotonic_ms();

	begin(&pair, state);
	create(&pair, pair.a, &small, 1);
	must_claim(&pair, pair.a, &pair.claim);
	assert_int_equal(pair.claim.lease_ms, LEASE_MS);
	assert_true(pair.claim.lease_until_ms >= before + LEASE_MS);
	assert_true(pair.claim.lease_until_ms <= clock_monotonic_ms() + LEASE_MS);
	assert_int_equal(claim(&pair, pair.b, &pair.other), CLAIM_LATER);
	assert_true(pair.wait_ms > 0 && pair.wait_ms <= LEASE_MS);
	assert_int_equal(claim(&pair, pair.a, &pair.other), CLAIM_LATER);
	assert_ok(&pair, complete(&pair, pair.a, &pair.claim, 5));
	assert_int_equal(claim(&pair, pair.b, &pair.other), CLAIM_ALL_DONE);
	end(&pair);
}

static void a_session_without_items_is_done(void **state)
{
	struct pair pair;

	begin(&pair, state);
	create(&pair, pair.a, NULL, 0);
	assert_int_equal(claim(&pair, pair.b, &pair.claim), CLAIM_ALL_DONE);
	end(&pair);
}

/* Every change by a holder whose lease another one has. */
static void assert_all_lost(struct pair *pair, struct coordinator *c, struct work_claim *of)
{
	const struct work_item halves[] = {{of->item.index, of->item.shard, 0, 50, 50},
					   {of->item.index, of->item.shard, 50, WORK_TO_END, 50}};

	assert_int_equal(checkpoint(pair, c, of, 99), -ERR_LEASE_LOST);
	assert_non_null(strstr(pair->err.message, "logs-1"));
	assert_int_equal(complete(pair, c, of, 99), -ERR_LEASE_LOST);
	assert_int_equal(c->ops->divide(c, of, halves, 2, &pair->err), -ERR_LEASE_LOST);
	assert_int_equal(c->ops->release(c, of, &pair->err), -ERR_LEASE_LOST);
	assert_int_equal((c->ops->fail)(c, of, "late", true, &pair->err), -ERR_LEASE_LOST);
}

static void an_expired_lease_goes_to_the_next_with_what_was_done(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct work_status *all;
	struct pair pair;

	begin(&pair, state);
	create(&pair, pair.a, &small, 1);
	must_claim(&pair, pair.a, &pair.claim);
	assert_ok(&pair, checkpoint(&pair, pair.a, &pair.claim, 42));
	pair.ahead_ms += LEASE_MS + 1000;
	must_claim(&pair, pair.b, &pair.other);
	assert_int_equal(pair.other.progress.next_doc, 42);
	assert_int_equal(pair.other.progress.source_bytes, 420);
	assert_int_equal(pair.other.failures, 0);
	assert_all_lost(&pair, pair.a, &pair.claim);
	all = list(&pair, pair.b, &mem, 1);
	assert_int_equal(all[0].progress.next_doc, 42);
	assert_true(str_is(all[0].worker, "worker-b"));
	assert_ok(&pair, complete(&pair, pair.b, &pair.other, 50));
	assert_all_lost(&pair, pair.a, &pair.claim);
	end(&pair);
}

static void a_lease_taken_again_by_the_same_worker_is_another_one(void **state)
{
	struct pair pair;

	begin(&pair, state);
	create(&pair, pair.a, &small, 1);
	must_claim(&pair, pair.a, &pair.claim);
	pair.ahead_ms += LEASE_MS + 1000;
	must_claim(&pair, pair.a, &pair.other);
	assert_all_lost(&pair, pair.a, &pair.claim);
	assert_ok(&pair, complete(&pair, pair.a, &pair.other, 50));
	end(&pair);
}

static void a_lease_that_nobody_took_goes_on_late(void **state)
{
	struct pair pair;

	begin(&pair, state);
	create(&pair, pair.a, &small, 1);
	must_claim(&pair, pair.a, &pair.claim);
	pair.ahead_ms += LEASE_MS + 1000;
	assert_ok(&pair, checkpoint(&pair, pair.a, &pair.claim, 42));
	assert_int_equal(claim(&pair, pair.b, &pair.other), CLAIM_LATER);
	end(&pair);
}

static void a_lease_lost_without_progress_is_twice_as_long_the_next_time(void **state)
{
	struct pair pair;

	begin(&pair, state);
	create(&pair, pair.a, &small, 1);
	must_claim(&pair, pair.a, &pair.claim);
	assert_int_equal(pair.claim.lease_ms, LEASE_MS);
	assert_int_equal(pair.claim.failures, 0);
	pair.ahead_ms += LEASE_MS + 1000;
	must_claim(&pair, pair.a, &pair.claim);
	assert_int_equal(pair.claim.lease_ms, 2 * LEASE_MS);
	assert_int_equal(pair.claim.failures, 1);
	/* Renewed without progress it is no failure, but no progress either. */
	assert_ok(&pair, checkpoint(&pair, pair.a, &pair.claim, 0));
	assert_int_equal(pair.claim.lease_ms, 2 * LEASE_MS);
	pair.ahead_ms += 2 * LEASE_MS + 1000;
	must_claim(&pair, pair.b, &pair.claim);
	assert_int_equal(pair.claim.lease_ms, 3 * LEASE_MS); /* max_lease_ms */
	assert_int_equal(pair.claim.failures, 2);
	end(&pair);
}

static void progress_resets_failures_and_the_length_of_leases(void **state)
{
	struct pair pair;

	begin(&pair, state);
	create(&pair, pair.a, &small, 1);
	must_claim(&pair, pair.a, &pair.claim);
	pair.ahead_ms += LEASE_MS + 1000;
	must_claim(&pair, pair.a, &pair.claim);
	assert_int_equal(pair.claim.failures, 1);
	assert_ok(&pair, checkpoint(&pair, pair.a, &pair.claim, 10));
	assert_int_equal(pair.claim.failures, 0);
	assert_int_equal(pair.claim.lease_ms, LEASE_MS);
	pair.ahead_ms += LEASE_MS + 1000;
	must_claim(&pair, pair.b, &pair.claim);
	assert_int_equal(pair.claim.failures, 0);
	assert_int_equal(pair.claim.lease_ms, LEASE_MS);
	assert_int_equal(pair.claim.progress.next_doc, 10);
	end(&pair);
}

static void an_item_whose_leases_run_out_is_parked_with_its_reason(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct work_status *all;
	struct pair pair;

	begin(&pair, state);
	create(&pair, pair.a, &small, 1);
	for (int i = 0; i < 3; i++) {
		must_claim(&pair, pair.a, &pair.claim);
		pair.ahead_ms += 3 * LEASE_MS + 1000;
	}
	assert_int_equal(claim(&pair, pair.b, &pair.claim), CLAIM_ALL_DONE);
	all = list(&pair, pair.a, &mem, 1);
	assert_int_equal(all[0].state, WORK_PARKED);
	assert_int_equal(all[0].failures, 3);
	assert_non_null(strstr(all[0].reason.ptr, "without progress"));
	assert_non_null(strstr(all[0].reason.ptr, "worker-a"));
	end(&pair);
}

static void an_item_that_fails_waits_and_is_parked_in_the_end(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct work_status *all;
	struct pair pair;

	begin(&pair, state);
	create(&pair, pair.a, &small, 1);
	for (int i = 0; i < 3; i++) {
		must_claim(&pair, pair.a, &pair.claim);
		assert_int_equal(pair.claim.failures, i);
		assert_ok(&pair, (pair.a->ops->fail)(pair.a, &pair.claim, "no \"blob\" there",
						     false, &pair.err));
		if (i < 2)
			assert_int_equal(claim(&pair, pair.b, &pair.other), CLAIM_LATER);
		assert_all_lost(&pair, pair.a, &pair.claim);
		pair.ahead_ms += LEASE_MS + 1000;
	}
	assert_int_equal(claim(&pair, pair.b, &pair.other), CLAIM_ALL_DONE);
	all = list(&pair, pair.b, &mem, 1);
	assert_int_equal(all[0].state, WORK_PARKED);
	assert_true(str_is(all[0].reason, "no \"blob\" there"));
	end(&pair);
}

static void a_final_failure_parks_at_once_and_unpark_brings_it_back(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	const struct work_item items[] = {small, large};
	struct pair pair;
	size_t count;

	begin(&pair, state);
	create(&pair, pair.a, items, 2);
	must_claim(&pair, pair.a, &pair.claim);
	assert_ok(&pair, checkpoint(&pair, pair.a, &pair.claim, 30));
	assert_ok(&pair, (pair.a->ops->fail)(pair.a, &pair.claim, "damaged", true, &pair.err));
	assert_int_equal(list(&pair, pair.a, &mem, 2)[1].state, WORK_PARKED);
	must_claim(&pair, pair.a, &pair.claim);
	assert_ok(&pair, complete(&pair, pair.a, &pair.claim, 3));
	assert_int_equal(claim(&pair, pair.b, &pair.claim), CLAIM_ALL_DONE);
	assert_ok(&pair, pair.b->ops->unpark(pair.b, &count, &pair.err));
	assert_int_equal(count, 1);
	must_claim(&pair, pair.b, &pair.claim);
	assert_int_equal(pair.claim.item.shard, 1);
	assert_int_equal(pair.claim.failures, 0);
	assert_int_equal(pair.claim.progress.next_doc, 30);
	assert_ok(&pair, complete(&pair, pair.b, &pair.claim, 31));
	assert_ok(&pair, pair.b->ops->unpark(pair.b, &count, &pair.err));
	assert_int_equal(count, 0);
	end(&pair);
}

static void a_released_item_is_free_at_once_and_has_not_failed(void **state)
{
	struct pair pair;

	begin(&pair, state);
	create(&pair, pair.a, &small, 1);
	must_claim(&pair, pair.a, &pair.claim);
	assert_ok(&pair, checkpoint(&pair, pair.a, &pair.claim, 5));
	assert_ok(&pair, pair.a->ops->release(pair.a, &pair.claim, &pair.err));
	assert_all_lost(&pair, pair.a, &pair.claim);
	must_claim(&pair, pair.b, &pair.other);
	assert_int_equal(pair.other.failures, 0);
	assert_int_equal(pair.other.lease_ms, LEASE_MS);
	assert_int_equal(pair.other.progress.next_doc, 5);
	end(&pair);
}

static void a_divided_item_is_claimed_range_by_range(void **state)
{
	const struct work_item ranges[] = {{large.index, 1, 0, 1000, 400},
					   {large.index, 1, 1000, 2000, 600},
					   {large.index, 1, 2000, WORK_TO_END, 500}};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct work_status *all;
	struct pair pair;

	begin(&pair, state);
	create(&pair, pair.a, &large, 1);
	must_claim(&pair, pair.a, &pair.claim);
	assert_ok(&pair, checkpoint(&pair, pair.a, &pair.claim, 100));
	assert_ok(&pair, pair.a->ops->divide(pair.a, &pair.claim, ranges, 3, &pair.err));
	assert_true(pair.claim.divided);
	assert_int_equal(pair.claim.item.end_doc, 1000);
	must_claim(&pair, pair.b, &pair.other);
	assert_int_equal(pair.other.item.first_doc, 1000);
	assert_int_equal(pair.other.item.end_doc, 2000);
	assert_int_equal(pair.other.progress.next_doc, 1000);
	assert_true(pair.other.divided);
	assert_ok(&pair, complete(&pair, pair.a, &pair.claim, 1000));
	assert_ok(&pair, complete(&pair, pair.b, &pair.other, 2000));
	must_claim(&pair, pair.a, &pair.claim);
	assert_int_equal(pair.claim.item.first_doc, 2000);
	assert_true(pair.claim.item.end_doc == WORK_TO_END);
	all = list(&pair, pair.a, &mem, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(all[i].item.first_doc, ranges[i].first_doc);
		assert_true(all[i].item.end_doc == ranges[i].end_doc);
		assert_int_equal(all[i].item.bytes, ranges[i].bytes);
	}
	end(&pair);
}

static void a_lost_lease_divides_nothing(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	const struct work_item ranges[] = {{small.index, 0, 0, 10, 50},
					   {small.index, 0, 10, WORK_TO_END, 50}};
	struct work_status *all;
	struct pair pair;

	begin(&pair, state);
	create(&pair, pair.a, &small, 1);
	must_claim(&pair, pair.a, &pair.claim);
	pair.ahead_ms += LEASE_MS + 1000;
	must_claim(&pair, pair.b, &pair.other);
	assert_int_equal(pair.a->ops->divide(pair.a, &pair.claim, ranges, 2, &pair.err),
			 -ERR_LEASE_LOST);
	assert_false(pair.claim.divided);
	all = list(&pair, pair.b, &mem, 1);
	assert_true(all[0].item.end_doc == WORK_TO_END);
	assert_false(pair.other.divided);
	end(&pair);
}

static void the_list_tells_all_of_every_item(void **state)
{
	const struct work_item items[] = {large, small, middle};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct work_progress progress = {42, 41, 40, 1, 2, 4096, STR("{\"crc\":[1,2]}")};
	struct work_status *all;
	struct pair pair;

	begin(&pair, state);
	create(&pair, pair.a, items, 3);
	must_claim(&pair, pair.a, &pair.claim);
	assert_ok(&pair, pair.a->ops->checkpoint(pair.a, &pair.claim, &progress, &pair.err));
	must_claim(&pair, pair.a, &pair.other);
	assert_ok(&pair, complete(&pair, pair.a, &pair.other, 8));
	all = list(&pair, pair.b, &mem, 3);
	assert_true(str_eq(all[0].item.index, middle.index));
	assert_int_equal(all[0].state, WORK_COMPLETED);
	assert_int_equal(all[0].progress.next_doc, 8);
	assert_int_equal(all[1].item.shard, 0);
	assert_int_equal(all[1].state, WORK_WAITING);
	assert_null(all[1].worker.ptr);
	assert_null(all[1].reason.ptr);
	assert_int_equal(all[1].item.bytes, small.bytes);
	assert_int_equal(all[2].state, WORK_LEASED);
	assert_true(str_is(all[2].worker, "worker-a"));
	assert_true(all[2].lease_left_ms > 0 && all[2].lease_left_ms <= LEASE_MS);
	assert_int_equal(all[2].progress.next_doc, 42);
	assert_int_equal(all[2].progress.documents, 41);
	assert_int_equal(all[2].progress.sent, 40);
	assert_int_equal(all[2].progress.failed, 1);
	assert_int_equal(all[2].progress.superseded, 2);
	assert_int_equal(all[2].progress.source_bytes, 4096);
	assert_true(str_eq(all[2].progress.state, progress.state));
	end(&pair);
}

static void closing_gives_back_what_is_held(void **state)
{
	const struct work_item items[] = {large, small};
	struct pair pair;

	begin(&pair, state);
	create(&pair, pair.a, items, 2);
	must_claim(&pair, pair.a, &pair.claim);
	assert_ok(&pair, checkpoint(&pair, pair.a, &pair.claim, 77));
	must_claim(&pair, pair.b, &pair.other);
	pair.a->ops->close(pair.a);
	pair.a = open_as(&pair, "worker-c");
	must_claim(&pair, pair.a, &pair.claim);
	assert_int_equal(pair.claim.item.bytes, large.bytes);
	assert_int_equal(pair.claim.progress.next_doc, 77);
	assert_int_equal(pair.claim.failures, 0);
	assert_ok(&pair, complete(&pair, pair.b, &pair.other, 1));
	end(&pair);
}

static void a_state_of_a_mebibyte_comes_back_and_a_larger_one_is_refused(void **state)
{
	struct work_progress progress = progress_to(3);
	char *text = malloc(LIMIT_WORK_STATE + 1);
	struct pair pair;

	begin(&pair, state);
	create(&pair, pair.a, &small, 1);
	must_claim(&pair, pair.a, &pair.claim);
	memset(text, 'x', LIMIT_WORK_STATE + 1);
	text[0] = text[LIMIT_WORK_STATE - 1] = '"';
	progress.state = str_of(text, LIMIT_WORK_STATE + 1);
	assert_int_equal(pair.a->ops->checkpoint(pair.a, &pair.claim, &progress, &pair.err),
			 -ERR_LIMIT);
	progress.state.len = LIMIT_WORK_STATE;
	assert_ok(&pair, pair.a->ops->checkpoint(pair.a, &pair.claim, &progress, &pair.err));
	assert_ok(&pair, pair.a->ops->release(pair.a, &pair.claim, &pair.err));
	must_claim(&pair, pair.b, &pair.other);
	assert_true(str_eq(pair.other.progress.state, progress.state));
	free(text);
	end(&pair);
}

/* Several workers at once */

static struct work_item *many_items(const struct coordinator_suite *suite)
{
	struct work_item *items = mem_zalloc(suite->items * sizeof(*items));

	for (size_t i = 0; i < suite->items; i++)
		items[i] = (struct work_item){STR("many"), (int32_t)i, 0, WORK_TO_END, i % 7};
	return items;
}

/* Claims and completes until nothing is left; notes each shard it had. False: an error. */
static bool work_on_all(struct coordinator *c, int fd)
{
	struct work_claim claim;
	enum claim_outcome outcome = CLAIM_LATER;
	struct err err = {0};
	int64_t wait_ms;
	bool fine = true;

	work_claim_init(&claim);
	while (fine && outcome != CLAIM_ALL_DONE) {
		struct work_progress progress = {.next_doc = 10, .documents = 10};

		fine = c->ops->claim(c, &claim, &outcome, &wait_ms, &err) == 0;
		if (!fine || outcome == CLAIM_ALL_DONE)
			break;
		if (outcome == CLAIM_LATER) {
			usleep((useconds_t)MIN(wait_ms, 20) * 1000);
			continue;
		}
		fine = write(fd, &claim.item.shard, sizeof(claim.item.shard)) ==
			       sizeof(claim.item.shard) &&
		       c->ops->complete(c, &claim, &progress, &err) == 0;
	}
	if (!fine)
		fprintf(stderr, "worker %ld: %s\n", (long)getpid(), err.message);
	work_claim_release(&claim);
	return fine;
}

static void run_child(struct pair *pair, int fd)
{
	struct coordinator *c = NULL;
	struct work_item *items = many_items(pair->suite);
	bool created, fine;

	alarm(300);
	c = open_as(pair, NULL);
	fine = c->ops->create(c, FINGERPRINT, items, pair->suite->items, &created, &pair->err) == 0;
	if (!fine)
		fprintf(stderr, "create: %s\n", pair->err.message);
	fine = fine && work_on_all(c, fd);
	c->ops->close(c);
	free(items);
	_exit(fine ? 0 : 1);
}

static void assert_each_once(const struct coordinator_suite *suite, int fd)
{
	unsigned *times = mem_zalloc(suite->items * sizeof(*times));
	int32_t shard;

	while (read(fd, &shard, sizeof(shard)) == sizeof(shard))
		times[shard]++;
	for (size_t i = 0; i < suite->items; i++)
		if (times[i] != 1)
			fail_msg("item %zu was claimed %u times", i, times[i]);
	free(times);
}

static void processes_that_create_and_claim_together_have_each_item_once(void **state)
{
	struct coordinator_suite *suite = *state;
	struct pair pair;
	pid_t *children;
	int pipe_fds[2], status;

	if (!suite->processes)
		skip();
	children = mem_zalloc(suite->processes * sizeof(*children));
	begin_session(&pair, state);
	assert_int_equal(pipe(pipe_fds), 0);
	fflush(NULL);
	for (size_t i = 0; i < suite->processes; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			run_child(&pair, pipe_fds[1]);
	}
	close(pipe_fds[1]);
	assert_each_once(suite, pipe_fds[0]);
	close(pipe_fds[0]);
	for (size_t i = 0; i < suite->processes; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	work_claim_release(&pair.claim);
	work_claim_release(&pair.other);
	free(children);
}

struct thread_work {
	struct coordinator *c;
	int fd;
	bool fine;
};

static void *run_thread(void *user)
{
	struct thread_work *work = user;

	work->fine = work_on_all(work->c, work->fd);
	return NULL;
}

static void threads_that_share_a_coordinator_have_each_item_once(void **state)
{
	struct coordinator_suite *suite = *state;
	struct work_item *items = many_items(suite);
	struct thread_work work[3];
	pthread_t threads[3];
	struct pair pair;
	int pipe_fds[2];

	begin(&pair, state);
	create(&pair, pair.a, items, suite->items);
	assert_int_equal(pipe(pipe_fds), 0);
	for (size_t i = 0; i < 3; i++) {
		work[i] = (struct thread_work){.c = pair.a, .fd = pipe_fds[1]};
		assert_int_equal(pthread_create(&threads[i], NULL, run_thread, &work[i]), 0);
	}
	for (size_t i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		assert_true(work[i].fine);
	}
	close(pipe_fds[1]);
	assert_each_once(suite, pipe_fds[0]);
	close(pipe_fds[0]);
	free(items);
	end(&pair);
}

/* Claims, tells so, and never returns. */
static void hold_until_killed(struct pair *pair, int fd)
{
	struct coordinator *c;
	char ready = 'r';

	alarm(300);
	c = open_as(pair, "mortal");
	must_claim(pair, c, &pair->claim);
	if (write(fd, &ready, 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void die_with_the_lease(struct pair *pair)
{
	int pipe_fds[2], status;
	pid_t child;
	char ready;

	assert_int_equal(pipe(pipe_fds), 0);
	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		hold_until_killed(pair, pipe_fds[1]);
	close(pipe_fds[1]);
	assert_int_equal(read(pipe_fds[0], &ready, 1), 1);
	close(pipe_fds[0]);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
}

static void the_lease_of_a_dead_process_is_free_at_once(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct pair pair;

	if (!((struct coordinator_suite *)*state)->frees_dead)
		skip();
	begin_session(&pair, state);
	pair.a = open_as(&pair, "worker-a");
	create(&pair, pair.a, &small, 1);
	pair.a->ops->close(pair.a);
	die_with_the_lease(&pair);
	pair.a = open_as(&pair, "worker-a");
	pair.b = open_as(&pair, "worker-b");
	assert_int_equal(list(&pair, pair.a, &mem, 1)[0].state, WORK_WAITING);
	must_claim(&pair, pair.a, &pair.claim);
	assert_int_equal(pair.claim.lease_ms, LEASE_MS);
	assert_int_equal(pair.claim.failures, 0);
	assert_non_null(strstr(list(&pair, pair.a, &mem, 1)[0].reason.ptr, "mortal"));
	end(&pair);
}

#define SUITE_TEST(test) cmocka_unit_test_prestate(test, suite)

int coordinator_suite_run(struct coordinator_suite *suite)
{
	const struct CMUnitTest tests[] = {
		SUITE_TEST(creating_again_leaves_the_items_as_they_are),
		SUITE_TEST(a_session_of_another_snapshot_is_refused_by_both_names),
		SUITE_TEST(larger_items_are_given_out_first),
		SUITE_TEST(an_item_is_leased_to_one_worker_at_a_time),
		SUITE_TEST(a_session_without_items_is_done),
		SUITE_TEST(an_expired_lease_goes_to_the_next_with_what_was_done),
		SUITE_TEST(a_lease_taken_again_by_the_same_worker_is_another_one),
		SUITE_TEST(a_lease_that_nobody_took_goes_on_late),
		SUITE_TEST(a_lease_lost_without_progress_is_twice_as_long_the_next_time),
		SUITE_TEST(progress_resets_failures_and_the_length_of_leases),
		SUITE_TEST(an_item_whose_leases_run_out_is_parked_with_its_reason),
		SUITE_TEST(an_item_that_fails_waits_and_is_parked_in_the_end),
		SUITE_TEST(a_final_failure_parks_at_once_and_unpark_brings_it_back),
		SUITE_TEST(a_released_item_is_free_at_once_and_has_not_failed),
		SUITE_TEST(a_divided_item_is_claimed_range_by_range),
		SUITE_TEST(a_lost_lease_divides_nothing),
		SUITE_TEST(the_list_tells_all_of_every_item),
		SUITE_TEST(closing_gives_back_what_is_held),
		SUITE_TEST(a_state_of_a_mebibyte_comes_back_and_a_larger_one_is_refused),
		SUITE_TEST(processes_that_create_and_claim_together_have_each_item_once),
		SUITE_TEST(threads_that_share_a_coordinator_have_each_item_once),
		SUITE_TEST(the_lease_of_a_dead_process_is_free_at_once),
	};

	const struct CMUnitTest few[] = {
		SUITE_TEST(creating_again_leaves_the_items_as_they_are),
		SUITE_TEST(an_expired_lease_goes_to_the_next_with_what_was_done),
		SUITE_TEST(a_final_failure_parks_at_once_and_unpark_brings_it_back),
		SUITE_TEST(a_divided_item_is_claimed_range_by_range),
		SUITE_TEST(the_list_tells_all_of_every_item),
		SUITE_TEST(processes_that_create_and_claim_together_have_each_item_once),
	};

	return suite->brief ? cmocka_run_group_tests_name(suite->name, few, NULL, NULL)
			    : cmocka_run_group_tests_name(suite->name, tests, NULL, NULL);
}
