/* backfill_run in several goes: killed, interrupted, handed over. */
#include "fake_backfill.h"
#include "temporary_folder.h"

#include "backfill/source_digest_file.h"
#include "backfill/source_digests.h"

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define PER_BULK 10
#define SENDERS 2

/* A coordinator around one in memory, that fails at one of its checkpoints. */
struct faulty {
	struct coordinator base;
	struct coordinator_ops ops;
	struct coordinator *memory;
	pthread_mutex_t lock;
	size_t checkpoints; /* completions too */
	size_t fault_at;    /* from 1; 0: never */
	enum { KILL_BEFORE, KILL_AFTER, LOSE } fault;
	bool dead;
	size_t divisions, ranges;
};

static struct faulty faulty;

static int killed(struct err *err)
{
	return err_set(err, ERR_IO, "killed");
}

static int faulty_store(struct work_claim *claim, const struct work_progress *progress, bool ends,
			struct err *err)
{
	const struct coordinator_ops *ops = faulty.memory->ops;
	bool here;
	int rc;

	if (faulty.dead)
		return killed(err);
	here = ++faulty.checkpoints == faulty.fault_at;
	if (here && faulty.fault == LOSE) {
		coordinator_memory_expire(faulty.memory);
		return err_set(err, ERR_LEASE_LOST, "another worker has it");
	}
	faulty.dead = here;
	atomic_store(&target.dead, here);
	if (here && faulty.fault == KILL_BEFORE)
		return killed(err);
	rc = ends ? ops->complete(faulty.memory, claim, progress, err)
		  : ops->checkpoint(faulty.memory, claim, progress, err);
	return here ? killed(err) : rc;
}

/* The target's lock keeps bulks from arriving while the process dies. */
static int faulty_locked(struct work_claim *claim, const struct work_progress *progress, bool ends,
			 struct err *err)
{
	int rc;

	pthread_mutex_lock(&target.lock);
	rc = faulty_store(claim, progress, ends, err);
	pthread_mutex_unlock(&target.lock);
	return rc;
}

static int faulty_checkpoint(struct coordinator *c, struct work_claim *claim,
			     const struct work_progress *progress, struct err *err)
{
	(void)c;
	return faulty_locked(claim, progress, false, err);
}

static int faulty_complete(struct coordinator *c, struct work_claim *claim,
			   const struct work_progress *progress, struct err *err)
{
	(void)c;
	return faulty_locked(claim, progress, true, err);
}

static bool is_dead(void)
{
	bool dead;

	pthread_mutex_lock(&target.lock);
	dead = faulty.dead;
	pthread_mutex_unlock(&target.lock);
	return dead;
}

static int faulty_claim(struct coordinator *c, struct work_claim *out, enum claim_outcome *outcome,
			int64_t *wait_ms, struct err *err)
{
	(void)c;
	if (is_dead())
		return killed(err);
	return faulty.memory->ops->claim(faulty.memory, out, outcome, wait_ms, err);
}

static int faulty_release(struct coordinator *c, struct work_claim *claim, struct err *err)
{
	(void)c;
	return is_dead() ? killed(err) : faulty.memory->ops->release(faulty.memory, claim, err);
}

static int faulty_fail(struct coordinator *c, struct work_claim *claim, const char *reason,
		       bool final, struct err *err)
{
	(void)c;
	return is_dead() ? killed(err)
			 : (faulty.memory->ops->fail)(faulty.memory, claim, reason, final, err);
}

static int faulty_divide(struct coordinator *c, struct work_claim *claim,
			 const struct work_item *ranges, size_t count, struct err *err)
{
	(void)c;
	faulty.divisions++;
	faulty.ranges += count;
	return faulty.memory->ops->divide(faulty.memory, claim, ranges, count, err);
}

static int faulty_create(struct coordinator *c, struct str fingerprint,
			 const struct work_item *items, size_t count, bool *created,
			 struct err *err)
{
	(void)c;
	return faulty.memory->ops->create(faulty.memory, fingerprint, items, count, created, err);
}

static int faulty_list(struct coordinator *c, struct arena *mem, struct work_status **out,
		       size_t *count, struct err *err)
{
	(void)c;
	return faulty.memory->ops->list(faulty.memory, mem, out, count, err);
}

static int faulty_unpark(struct coordinator *c, size_t *count, struct err *err)
{
	(void)c;
	return faulty.memory->ops->unpark(faulty.memory, count, err);
}

static void faulty_close(struct coordinator *c)
{
	(void)c;
	faulty.memory->ops->close(faulty.memory);
}

/* One shard, small bulks. */
static struct run *prepare_one(size_t documents)
{
	static const struct coordinator_ops ops = {
		faulty_create,  faulty_claim, faulty_checkpoint, faulty_divide, faulty_complete,
		faulty_release, faulty_fail,  faulty_list,       faulty_unpark, faulty_close};
	struct run *run = prepare(1);

	shards[0] = (struct fake_shard){.documents = documents, .source_bytes = 30};
	faulty = (struct faulty){.base = {.ops = &ops}, .memory = run->options.coordinator};
	run->options.coordinator = &faulty.base;
	run->options.documents_per_bulk = PER_BULK;
	run->options.readers = 2;
	run->options.senders = SENDERS;
	return run;
}

static size_t sent_again(size_t documents)
{
	size_t again = 0;

	for (size_t i = 0; i < documents; i++) {
		assert_true(target.arrived[0][i] > 0);
		again += target.arrived[0][i] - 1u;
	}
	return again;
}

static size_t checkpoints_of_a_run(size_t documents, int64_t range_bytes)
{
	struct run *run = prepare_one(documents);

	run->options.range_bytes = range_bytes;
	assert_succeeds(run);
	finish(run);
	return faulty.checkpoints;
}

static void kill_and_go_on(size_t documents, int64_t range_bytes, size_t at, int fault)
{
	struct run *run = prepare_one(documents);

	run->options.range_bytes = range_bytes;
	faulty.fault_at = at;
	faulty.fault = fault;
	go(run);
	assert_int_equal(run->rc, -ERR_IO);
	faulty.fault_at = 0;
	faulty.dead = false;
	coordinator_memory_expire(faulty.memory);
	prepare_again(run);
	assert_succeeds(run);
	assert_true(run->report.resumed);
	assert_true(sent_again(documents) <= SENDERS * PER_BULK);
	assert_int_equal(run->result.documents, documents);
	assert_int_equal(run->result.sent, documents);
	assert_int_equal(run->progress.documents_sent, documents);
	assert_int_equal(run->progress.bytes_read, run->progress.bytes_total);
	finish(run);
}

static void killed_at_any_checkpoint_it_sends_again_only_what_was_in_flight(void **state)
{
	size_t count = checkpoints_of_a_run(305, 0);

	(void)state;
	/* Acknowledgements may share one, so later ones may not come. */
	assert_true(count >= 305 / PER_BULK / SENDERS);
	for (size_t at = 1; at <= 305 / PER_BULK / SENDERS; at++) {
		kill_and_go_on(305, 0, at, KILL_BEFORE);
		kill_and_go_on(305, 0, at, KILL_AFTER);
	}
}

static void killed_among_ranges_it_goes_on_in_each(void **state)
{
	(void)state;
	for (size_t at = 1; at <= 305 / PER_BULK / SENDERS; at += 2)
		kill_and_go_on(305, 700, at, at % 4 == 1 ? KILL_BEFORE : KILL_AFTER);
}

static void killed_again_and_again_it_comes_to_the_end(void **state)
{
	struct run *run = prepare_one(500);
	size_t kills = 0;

	(void)state;
	run->options.range_bytes = 900;
	do {
		prepare_again(run);
		faulty.dead = false;
		faulty.fault = kills % 2 ? KILL_BEFORE : KILL_AFTER;
		faulty.fault_at = faulty.checkpoints + 3;
		coordinator_memory_expire(faulty.memory);
		go(run);
		kills += run->rc < 0;
		assert_true(run->rc == 0 || run->rc == -ERR_IO);
		assert_true(kills < 200);
	} while (run->rc < 0);
	assert_true(kills > 5);
	assert_true(sent_again(500) <= kills * SENDERS * PER_BULK);
	assert_int_equal(run->result.sent, 500);
	finish(run);
}

/* As a run leaves it whose second bulk of ten came, and whose first one did not. */
static void begin_with_the_second_bulk(struct run *run)
{
	struct coordinator *c = run->options.coordinator;
	const struct work_item item = {
		.index = STR("in"), .end_doc = WORK_TO_END, .bytes = shards[0].documents * 25};
	const struct work_progress progress = {.documents = PER_BULK,
					       .sent = PER_BULK,
					       .state = STR("{\"acknowledged\":[[20,40]]}")};
	enum claim_outcome outcome;
	struct work_claim claim;
	int64_t wait_ms;
	bool created;

	work_claim_init(&claim);
	assert_int_equal(c->ops->create(c, run->options.fingerprint, &item, 1, &created, NULL), 0);
	assert_int_equal(c->ops->claim(c, &claim, &outcome, &wait_ms, NULL), 0);
	assert_int_equal(c->ops->checkpoint(c, &claim, &progress, NULL), 0);
	assert_int_equal(c->ops->release(c, &claim, NULL), 0);
	work_claim_release(&claim);
}

static void what_was_begun_whole_is_not_divided(void **state)
{
	struct run *run = prepare_one(305);

	(void)state;
	begin_with_the_second_bulk(run);
	run->options.range_bytes = 700;
	assert_succeeds(run);
	assert_int_equal(faulty.divisions, 0);
	assert_int_equal(run->result.documents, 305);
	assert_int_equal(run->result.sent, 305);
	for (size_t i = 0; i < 305; i++)
		assert_int_equal(target.arrived[0][i], i < 10 || i >= 20);
	finish(run);
}

static struct digest digest_of_snapshot(const char *folder)
{
	struct digest digest;
	struct err err = {0};

	if (source_digest_file_read(folder, STR("uuid"), STR("in"), &digest, &err) != 1)
		fail_msg("no digest: %s", err.message);
	return digest;
}

static struct run *prepare_digests(const char *folder)
{
	struct run *run = prepare_one(451);

	run->snapshot.summary.uuid = STR("uuid");
	run->options.range_bytes = 900;
	run->options.digest_folder = folder;
	/* The last one, alone in its range, is not sent and in the digest all the same. */
	shards[0].has_odd = true;
	shards[0].odd_at = 450;
	return run;
}

static void digests_are_exact_however_often_it_is_killed(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(digest_release) struct digest straight, killed_often;
	struct run *run = prepare_digests(folder);
	struct err err;
	size_t kills = 0;

	(void)state;
	assert_succeeds(run);
	finish(run);
	straight = digest_of_snapshot(folder);
	assert_int_equal(digest_documents(&straight), 451);
	assert_int_equal(source_digest_file_remove(folder, STR("in"), &err), 0);

	run = prepare_digests(folder);
	do {
		prepare_again(run);
		faulty.dead = false;
		faulty.fault = kills % 2 ? KILL_BEFORE : KILL_AFTER;
		faulty.fault_at = faulty.checkpoints + 3;
		coordinator_memory_expire(faulty.memory);
		go(run);
		kills += run->rc < 0;
		assert_true(kills < 200);
	} while (run->rc < 0);
	assert_true(kills > 5);
	finish(run);
	killed_often = digest_of_snapshot(folder);
	for (uint32_t i = 0; i < straight.bucket_count; i++)
		assert_true(digest_bucket_equal(&straight.buckets[i], &killed_often.buckets[i]));
}

static void digests_of_a_shard_without_bulks_are_exact(void **state)
{
	const size_t count = 3 * HASH_LIST_MAX + 1;
	struct hash_list list = {0};
	struct digest straight, listed;

	(void)state;
	digest_init(&straight, SOURCE_DIGEST_BUCKETS);
	digest_init(&listed, SOURCE_DIGEST_BUCKETS);
	for (size_t i = 0; i < count; i++) {
		struct document_hash hash = {.bucket = (uint32_t)(i * 7919 % DIGEST_BUCKETS_MAX)};

		hash.hash.low = i;
		digest_add(&straight, &hash);
		hash_list_add(&list, &hash);
		assert_true(list.count <= HASH_LIST_MAX);
	}
	hash_list_add_to(&list, &listed);
	assert_int_equal(digest_documents(&listed), count);
	for (uint32_t i = 0; i < straight.bucket_count; i++)
		assert_true(digest_bucket_equal(&straight.buckets[i], &listed.buckets[i]));
	hash_list_release(&list);
	digest_release(&straight);
	digest_release(&listed);
}

static void a_session_begun_without_digests_has_none(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	struct run *run = prepare_digests(folder);
	struct digest digest;

	(void)state;
	run->options.digest_folder = NULL;
	faulty.fault_at = 3;
	faulty.fault = KILL_AFTER;
	go(run);
	assert_int_equal(run->rc, -ERR_IO);
	faulty.fault_at = 0;
	faulty.dead = false;
	coordinator_memory_expire(faulty.memory);
	prepare_again(run);
	run->options.digest_folder = folder;
	assert_succeeds(run);
	assert_int_equal(source_digest_file_read(folder, STR("uuid"), STR("in"), &digest, NULL), 0);
	finish(run);
}

static void a_lost_lease_ends_the_item_and_not_the_run(void **state)
{
	struct run *run = prepare_one(305);

	(void)state;
	faulty.fault_at = 5;
	faulty.fault = LOSE;
	assert_succeeds(run);
	assert_true(sent_again(305) <= 305);
	assert_int_equal(run->result.sent, 305);
	finish(run);
}

static void a_lost_lease_is_told_where_one_item_is_done(void **state)
{
	struct run *run = prepare_one(305);

	(void)state;
	run->options.one_item = true;
	faulty.fault_at = 5;
	faulty.fault = LOSE;
	assert_succeeds(run);
	assert_int_equal(run->report.end, BACKFILL_LEASE_LOST);
	finish(run);
}

static void an_interrupted_run_hands_back_and_the_next_one_goes_on(void **state)
{
	struct run *run = prepare_one(2000);

	(void)state;
	run->options.range_bytes = 5000;
	target.cancel_at_send = 20;
	go(run);
	assert_int_equal(run->rc, -ERR_CANCELLED);
	assert_true(run->result.sent >= 20 * PER_BULK);
	/* Without leases that ran out: they were given back, and what was sent is acknowledged. */
	prepare_again(run);
	assert_succeeds(run);
	assert_int_equal(sent_again(2000), 0);
	assert_int_equal(run->result.sent, 2000);
	finish(run);
}

static void a_bulk_in_flight_has_its_grace_though_others_wait_for_their_turn(void **state)
{
	const struct pressure_options one_in_flight = {.max_in_flight = 1};
	struct run *run = prepare_one(2000);
	struct pressure *pressure = pressure_new(&one_in_flight);

	(void)state;
	run->options.pressure = pressure;
	target.cancel_at_send = 20;
	target.slow_at_cancel = true;
	go(run);
	assert_int_equal(run->rc, -ERR_CANCELLED);
	assert_int_equal(target.cancels, 0);
	assert_true(run->result.sent >= 20 * PER_BULK);
	finish(run);
	pressure_free(pressure);
}

static void a_finished_session_has_nothing_left_and_tells_all(void **state)
{
	struct run *run = prepare_one(305);

	(void)state;
	assert_succeeds(run);
	assert_false(run->report.resumed);
	assert_int_equal(run->report.end, BACKFILL_ALL_DONE);
	prepare_again(run);
	assert_succeeds(run);
	assert_true(run->report.finished_before);
	assert_int_equal(target.sends, 0);
	assert_int_equal(run->result.sent, 305);
	assert_int_equal(run->progress.documents_sent, 305);
	finish(run);
}

static void another_plan_is_another_session(void **state)
{
	struct run *run = prepare_one(20);

	(void)state;
	assert_succeeds(run);
	prepare_again(run);
	run->options.fingerprint = STR("other");
	go(run);
	assert_int_equal(run->rc, -ERR_USAGE);
	finish(run);
}

static void a_damaged_shard_is_put_aside_until_the_next_run(void **state)
{
	struct run *run = prepare_one(305);

	(void)state;
	shards[0].breaks_after = 100;
	assert_succeeds(run);
	assert_true(run->result.unreadable);
	assert_int_equal(opened, 1);
	assert_int_equal(run->result.sent, 100);
	shards[0].breaks_after = 0;
	prepare_again(run);
	assert_succeeds(run);
	assert_false(run->result.unreadable);
	assert_int_equal(sent_again(305), 0);
	finish(run);
}

static void a_store_that_stays_away_is_tried_some_times(void **state)
{
	struct run *run = prepare_one(305);

	(void)state;
	shards[0].away = true;
	assert_succeeds(run);
	assert_true(run->result.unreadable);
	assert_string_equal(run->result.reason, "in[0]: the store is away");
	assert_int_equal(opened, 3);
	finish(run);
}

static void a_blocked_index_waits_for_a_run_where_it_is_not(void **state)
{
	struct run *run = prepare_one(305);

	(void)state;
	run->index.blocked = "not created";
	assert_succeeds(run);
	assert_false(run->result.unreadable);
	assert_int_equal(target.sends, 0);
	run->index.blocked = NULL;
	prepare_again(run);
	assert_succeeds(run);
	assert_int_equal(run->result.sent, 305);
	finish(run);
}

static void one_item_is_done_at_a_time(void **state)
{
	struct run *run = prepare_one(300);

	(void)state;
	run->options.range_bytes = 1000; /* 100 documents */
	run->options.one_item = true;
	for (uint64_t sent = 100; sent <= 300; sent += 100) {
		prepare_again(run);
		assert_succeeds(run);
		assert_int_equal(run->report.end, BACKFILL_ITEM_DONE);
		assert_int_equal(run->result.sent, sent);
	}
	prepare_again(run);
	assert_succeeds(run);
	assert_int_equal(run->report.end, BACKFILL_ALL_DONE);
	assert_int_equal(sent_again(300), 0);
	assert_int_equal(faulty.divisions, 1);
	assert_int_equal(faulty.ranges, 3);
	finish(run);
}

static void one_item_that_cannot_be_read_is_told(void **state)
{
	struct run *run = prepare_one(300);

	(void)state;
	run->options.one_item = true;
	shards[0].breaks_after = 50;
	assert_succeeds(run);
	assert_int_equal(run->report.end, BACKFILL_UNREADABLE);
	finish(run);
}

/* The checksums do not agree once all is read; a later run that finds no work says so as well. */
static void one_item_whose_shard_is_not_proven_is_told(void **state)
{
	struct run *run = prepare_one(300);

	(void)state;
	run->options.one_item = true;
	shards[0].parts_are_wrong = true;
	assert_succeeds(run);
	assert_int_equal(run->report.end, BACKFILL_ITEM_DONE);
	prepare_again(run);
	assert_succeeds(run);
	assert_true(run->result.unreadable);
	assert_int_equal(run->report.end, BACKFILL_UNREADABLE);
	finish(run);
}

static void one_item_that_others_have_is_told(void **state)
{
	struct run *run = prepare_one(300);
	enum claim_outcome outcome;
	struct work_claim claim;
	int64_t wait_ms;

	(void)state;
	run->options.one_item = true;
	target.fail_at_send = 1;
	go(run);
	assert_int_equal(run->rc, -ERR_UNREACHABLE);
	work_claim_init(&claim);
	assert_int_equal(faulty_claim(&faulty.base, &claim, &outcome, &wait_ms, &run->err), 0);
	assert_int_equal(outcome, CLAIM_TAKEN);
	prepare_again(run);
	assert_succeeds(run);
	assert_int_equal(run->report.end, BACKFILL_ALL_LEASED);
	work_claim_release(&claim);
	finish(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_at_any_checkpoint_it_sends_again_only_what_was_in_flight),
		cmocka_unit_test(killed_among_ranges_it_goes_on_in_each),
		cmocka_unit_test(killed_again_and_again_it_comes_to_the_end),
		cmocka_unit_test(what_was_begun_whole_is_not_divided),
		cmocka_unit_test(digests_are_exact_however_often_it_is_killed),
		cmocka_unit_test(digests_of_a_shard_without_bulks_are_exact),
		cmocka_unit_test(a_session_begun_without_digests_has_none),
		cmocka_unit_test(a_lost_lease_ends_the_item_and_not_the_run),
		cmocka_unit_test(a_lost_lease_is_told_where_one_item_is_done),
		cmocka_unit_test(an_interrupted_run_hands_back_and_the_next_one_goes_on),
		cmocka_unit_test(a_bulk_in_flight_has_its_grace_though_others_wait_for_their_turn),
		cmocka_unit_test(a_finished_session_has_nothing_left_and_tells_all),
		cmocka_unit_test(another_plan_is_another_session),
		cmocka_unit_test(a_damaged_shard_is_put_aside_until_the_next_run),
		cmocka_unit_test(a_store_that_stays_away_is_tried_some_times),
		cmocka_unit_test(a_blocked_index_waits_for_a_run_where_it_is_not),
		cmocka_unit_test(one_item_is_done_at_a_time),
		cmocka_unit_test(one_item_that_cannot_be_read_is_told),
		cmocka_unit_test(one_item_whose_shard_is_not_proven_is_told),
		cmocka_unit_test(one_item_that_others_have_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
