/* Time stands still unless somebody waits; whoever waits may be given something to happen. */
#include "backfill/pressure_internal.h"
#include "backfill/token_bucket.h"

#include "base/limits.h"

#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct stage {
	int64_t now_ms, waited_ms;
	size_t waits;
	/* Called at every wait, without the lock. */
	void (*meanwhile)(struct stage *stage);
	struct pressure *pressure;
	atomic_bool stop;
};

static int64_t stage_now(void *user)
{
	return ((struct stage *)user)->now_ms;
}

static void stage_wait(void *user, pthread_cond_t *changed, pthread_mutex_t *lock, int64_t ms)
{
	struct stage *stage = user;

	(void)changed;
	if (ms <= 0 || ++stage->waits > 1000000)
		BUG("waits for nothing");
	pthread_mutex_unlock(lock);
	stage->now_ms += ms;
	stage->waited_ms += ms;
	if (stage->meanwhile)
		stage->meanwhile(stage);
	pthread_mutex_lock(lock);
}

static void begin(struct stage *stage, const struct pressure_options *options)
{
	struct pressure_clock clock = {stage_now, stage_wait, stage};

	*stage = (struct stage){.now_ms = 5000};
	stage->pressure = pressure_new_by(options, &clock);
}

static void end(struct stage *stage)
{
	pressure_free(stage->pressure);
}

static void enter(struct stage *stage, size_t documents, size_t bytes)
{
	assert_true(pressure_enter(stage->pressure, documents, bytes, &stage->stop));
}

static void leave(struct stage *stage, int64_t elapsed_ms, uint64_t refusals)
{
	const struct pressure_outcome outcome = {elapsed_ms, refusals, MIB(1)};

	pressure_leave(stage->pressure, &outcome);
}

static int64_t allowed(struct stage *stage)
{
	return pressure_look(stage->pressure).allowed;
}

/* As many as are allowed go out and come back. */
static void round_of(struct stage *stage, int64_t elapsed_ms)
{
	int64_t count = allowed(stage);

	for (int64_t i = 0; i < count; i++)
		enter(stage, 1, MIB(1));
	for (int64_t i = 0; i < count; i++)
		leave(stage, elapsed_ms, 0);
	assert_int_equal(stage->waited_ms, 0);
}

static void bulks_double_at_first_and_never_exceed_the_most(void **state)
{
	const struct pressure_options options = {.max_in_flight = 13, .adaptive = true};
	cleanup(end) struct stage stage;

	(void)state;
	begin(&stage, &options);
	assert_int_equal(allowed(&stage), 2);
	round_of(&stage, 100);
	assert_int_equal(allowed(&stage), 4);
	round_of(&stage, 100);
	assert_int_equal(allowed(&stage), 8);
	round_of(&stage, 100);
	assert_int_equal(allowed(&stage), 13);
	round_of(&stage, 100);
	assert_int_equal(allowed(&stage), 13);
}

static void without_adaption_all_go_at_once_whatever_is_refused(void **state)
{
	const struct pressure_options options = {.max_in_flight = 10};
	cleanup(end) struct stage stage;

	(void)state;
	begin(&stage, &options);
	assert_int_equal(allowed(&stage), 10);
	enter(&stage, 1, 1);
	pressure_refused(stage.pressure, 1);
	leave(&stage, 1, 4);
	assert_int_equal(allowed(&stage), 10);
	assert_int_equal(pressure_look(stage.pressure).refusals, 4);
}

static void a_refusal_halves_once_for_all_that_are_in_flight(void **state)
{
	const struct pressure_options options = {.max_in_flight = 16, .adaptive = true};
	cleanup(end) struct stage stage;

	(void)state;
	begin(&stage, &options);
	for (int i = 0; i < 4; i++)
		round_of(&stage, 100);
	assert_int_equal(allowed(&stage), 16);
	for (int i = 0; i < 10; i++)
		enter(&stage, 1, MIB(1));
	stage.now_ms += 100;
	pressure_refused(stage.pressure, 100);
	assert_int_equal(allowed(&stage), 8);
	pressure_refused(stage.pressure, 90);
	for (int i = 0; i < 10; i++)
		leave(&stage, 100, 1);
	assert_int_equal(allowed(&stage), 8);
	/* Those after them are a new round. */
	stage.now_ms++;
	enter(&stage, 1, MIB(1));
	stage.now_ms += 100;
	leave(&stage, 100, 1);
	assert_int_equal(allowed(&stage), 4);
	assert_int_equal(pressure_look(stage.pressure).refusals, 11);
}

/* Bulks stay in flight while they are tried again: each round of tries halves once more. */
static void a_storm_that_lasts_halves_once_a_round_of_tries(void **state)
{
	const struct pressure_options options = {.max_in_flight = 16, .adaptive = true};
	cleanup(end) struct stage stage;

	(void)state;
	begin(&stage, &options);
	for (int i = 0; i < 4; i++)
		round_of(&stage, 100);
	for (int i = 0; i < 16; i++)
		enter(&stage, 1, MIB(1));
	for (int64_t expected = 8; expected >= 1; expected /= 2) {
		stage.now_ms += 1000;
		for (int i = 0; i < 16; i++)
			pressure_refused(stage.pressure, 20 + i);
		assert_int_equal(allowed(&stage), expected);
	}
	/* It ends: what its bulks have met has been counted. */
	stage.now_ms += 1000;
	for (int i = 0; i < 16; i++)
		leave(&stage, 4000, 4);
	assert_int_equal(allowed(&stage), 1);
	round_of(&stage, 100);
	round_of(&stage, 100);
	assert_int_equal(allowed(&stage), 3);
}

static void a_target_that_always_refuses_still_gets_one(void **state)
{
	const struct pressure_options options = {.max_in_flight = 4, .adaptive = true};
	cleanup(end) struct stage stage;

	(void)state;
	begin(&stage, &options);
	for (int i = 0; i < 5; i++) {
		enter(&stage, 1, 1);
		stage.now_ms += 2;
		leave(&stage, 1, 1);
	}
	assert_int_equal(allowed(&stage), 1);
	enter(&stage, 1, 1);
}

static void after_a_refusal_one_more_a_round(void **state)
{
	const struct pressure_options options = {.max_in_flight = 16, .adaptive = true};
	cleanup(end) struct stage stage;

	(void)state;
	begin(&stage, &options);
	for (int i = 0; i < 4; i++)
		round_of(&stage, 100);
	enter(&stage, 1, MIB(1));
	leave(&stage, 100, 3);
	assert_int_equal(allowed(&stage), 8);
	for (int64_t expected = 9; expected <= 16; expected++) {
		round_of(&stage, 100);
		assert_int_equal(allowed(&stage), expected);
	}
}

static void it_grows_while_latency_holds_and_stays_when_not(void **state)
{
	const struct pressure_options options = {.max_in_flight = 100, .adaptive = true};
	cleanup(end) struct stage stage;

	(void)state;
	begin(&stage, &options);
	round_of(&stage, 100);
	round_of(&stage, 150);
	assert_int_equal(allowed(&stage), 8);
	round_of(&stage, 300);
	assert_int_equal(allowed(&stage), 8);
	round_of(&stage, 100);
	assert_int_equal(allowed(&stage), 9);
}

static void a_latency_that_lasts_becomes_the_new_one(void **state)
{
	const struct pressure_options options = {.max_in_flight = 100, .adaptive = true};
	cleanup(end) struct stage stage;
	int rounds = 0;

	(void)state;
	begin(&stage, &options);
	round_of(&stage, 100);
	assert_int_equal(allowed(&stage), 4);
	while (allowed(&stage) == 4 && ++rounds < 1000)
		round_of(&stage, 400);
	/* The best of 100 ms has to come up to 200: 1 - (15/16)^n >= 1/3. */
	assert_in_range(rounds, 6, 9);
}

static void small_bulks_are_not_slow_ones(void **state)
{
	const struct pressure_options options = {.max_in_flight = 100, .adaptive = true};
	const struct pressure_outcome small = {.elapsed_ms = 30, .bytes = 1000};
	cleanup(end) struct stage stage;

	(void)state;
	begin(&stage, &options);
	round_of(&stage, 100);
	for (int i = 0; i < 4; i++)
		enter(&stage, 1, 1000);
	for (int i = 0; i < 4; i++)
		pressure_leave(stage.pressure, &small);
	assert_int_equal(allowed(&stage), 8);
}

static void nothing_grows_that_is_not_used(void **state)
{
	const struct pressure_options options = {.max_in_flight = 100, .adaptive = true};
	cleanup(end) struct stage stage;

	(void)state;
	begin(&stage, &options);
	for (int i = 0; i < 100; i++) {
		enter(&stage, 1, MIB(1));
		leave(&stage, 100, 0);
	}
	assert_int_equal(allowed(&stage), 2);
}

static void let_one_leave(struct stage *stage)
{
	if (stage->waits == 3)
		leave(stage, 100, 0);
}

static void one_too_many_waits_until_another_leaves(void **state)
{
	const struct pressure_options options = {.max_in_flight = 3};
	cleanup(end) struct stage stage;

	(void)state;
	begin(&stage, &options);
	for (int i = 0; i < 3; i++)
		enter(&stage, 1, 1);
	assert_int_equal(stage.waits, 0);
	stage.meanwhile = let_one_leave;
	enter(&stage, 1, 1);
	assert_int_equal(stage.waits, 3);
	assert_int_equal(pressure_look(stage.pressure).in_flight, 3);
}

static void documents_a_second_hold_in_the_long_run(void **state)
{
	const struct pressure_options options = {.max_in_flight = 1, .documents_per_second = 100};
	cleanup(end) struct stage stage;

	(void)state;
	begin(&stage, &options);
	/* The first goes at once, though larger than a second's worth. */
	enter(&stage, 1000, 1);
	assert_int_equal(stage.waited_ms, 0);
	leave(&stage, 0, 0);
	enter(&stage, 50, 1);
	assert_int_equal(stage.waited_ms, 10000);
	leave(&stage, 0, 0);
	enter(&stage, 1, 1);
	assert_int_equal(stage.waited_ms, 10500);
}

static void bytes_a_second_hold_too_and_the_stricter_counts(void **state)
{
	const struct pressure_options options = {
		.max_in_flight = 1, .documents_per_second = 1000, .bytes_per_second = 1000};
	cleanup(end) struct stage stage;

	(void)state;
	begin(&stage, &options);
	for (int i = 0; i < 10; i++) {
		enter(&stage, 100, 3000);
		leave(&stage, 0, 0);
	}
	assert_int_equal(stage.waited_ms, 9 * 3000);
	for (int i = 0; i < 10; i++) {
		enter(&stage, 3000, 1);
		leave(&stage, 0, 0);
	}
	/* One more wait for bytes; of documents a second's worth was saved up. */
	assert_int_equal(stage.waited_ms, 9 * 3000 + 3000 + 9 * 3000 - 1000);
}

static void an_idle_time_saves_up_one_second_at_most(void **state)
{
	const struct pressure_options options = {.max_in_flight = 1, .documents_per_second = 10};
	cleanup(end) struct stage stage;

	(void)state;
	begin(&stage, &options);
	stage.now_ms += 3600 * 1000;
	for (int i = 0; i < 21; i++) {
		enter(&stage, 1, 1);
		leave(&stage, 0, 0);
	}
	/* Ten saved, one on credit, ten more at ten a second. */
	assert_int_equal(stage.waited_ms, 1000);
}

static void set_rates_meanwhile(struct stage *stage)
{
	if (stage->waits == 1)
		pressure_set_rates(stage->pressure, 10000, 0);
}

static void rates_can_be_changed_while_it_runs(void **state)
{
	const struct pressure_options options = {.max_in_flight = 1, .documents_per_second = 1};
	cleanup(end) struct stage stage;

	(void)state;
	begin(&stage, &options);
	enter(&stage, 1000, 1);
	leave(&stage, 0, 0);
	stage.meanwhile = set_rates_meanwhile;
	enter(&stage, 1000, 1);
	/* 1000 documents are owed, and paid at the new rate. */
	assert_in_range(stage.waited_ms, 100, 200);
	leave(&stage, 0, 0);
	pressure_set_rates(stage.pressure, 0, 0);
	stage.waited_ms = 0;
	enter(&stage, 1000000, 1000000);
	assert_int_equal(stage.waited_ms, 0);
}

static void resume(struct stage *stage)
{
	assert_true(pressure_look(stage->pressure).paused);
	if (stage->waits == 7)
		pressure_pause(stage->pressure, false);
}

static void a_pause_holds_all_back(void **state)
{
	const struct pressure_options options = {.max_in_flight = 8};
	cleanup(end) struct stage stage;

	(void)state;
	begin(&stage, &options);
	pressure_pause(stage.pressure, true);
	stage.meanwhile = resume;
	enter(&stage, 1, 1);
	assert_int_equal(stage.waits, 7);
}

static void stop(struct stage *stage)
{
	atomic_store(&stage->stop, stage->waits == 4);
}

static void a_stop_ends_the_wait(void **state)
{
	const struct pressure_options options = {.max_in_flight = 1};
	cleanup(end) struct stage stage;

	(void)state;
	begin(&stage, &options);
	enter(&stage, 1, 1);
	stage.meanwhile = stop;
	assert_false(pressure_enter(stage.pressure, 1, 1, &stage.stop));
	assert_int_equal(stage.waits, 4);
	assert_int_equal(pressure_look(stage.pressure).in_flight, 1);
	/* Nor do later ones begin. */
	assert_false(pressure_enter(stage.pressure, 1, 1, &stage.stop));
	leave(&stage, 0, 0);
}

static void absurd_rates_and_sizes_do_not_overflow(void **state)
{
	struct token_bucket bucket = {0};

	(void)state;
	token_bucket_set(&bucket, INT64_MAX, 0);
	assert_int_equal(token_bucket_wait(&bucket, INT64_MAX / 2), 0);
	token_bucket_take(&bucket, SIZE_MAX);
	token_bucket_take(&bucket, SIZE_MAX);
	assert_true(token_bucket_wait(&bucket, INT64_MAX / 2) > 0);
	/* A clock that goes back brings nothing. */
	assert_true(token_bucket_wait(&bucket, 0) > 0);
	token_bucket_set(&bucket, -1, 0);
	assert_int_equal(token_bucket_wait(&bucket, 0), 0);
}

struct crowd {
	struct pressure *pressure;
	atomic_bool stop;
	_Atomic int64_t in_flight;
	_Atomic uint64_t done;
};

#define CROWD 6
#define BULKS_EACH 200

static void *crowd_main(void *user)
{
	struct crowd *crowd = user;
	const struct pressure_outcome outcome = {.bytes = 1};

	for (int i = 0; i < BULKS_EACH; i++) {
		if (!pressure_enter(crowd->pressure, 1, 1, &crowd->stop))
			break;
		if (atomic_fetch_add(&crowd->in_flight, 1) >= 3)
			BUG("more in flight than are allowed");
		atomic_fetch_sub(&crowd->in_flight, 1);
		atomic_fetch_add(&crowd->done, 1);
		pressure_leave(crowd->pressure, &outcome);
	}
	return NULL;
}

static void threads_share_it(void **state)
{
	const struct pressure_options options = {.max_in_flight = 3};
	struct crowd crowd = {.pressure = pressure_new(&options)};
	pthread_t threads[CROWD];

	(void)state;
	for (size_t i = 0; i < CROWD; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, crowd_main, &crowd), 0);
	for (size_t i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(crowd.done, CROWD * BULKS_EACH);
	assert_int_equal(pressure_look(crowd.pressure).in_flight, 0);
	pressure_free(crowd.pressure);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bulks_double_at_first_and_never_exceed_the_most),
		cmocka_unit_test(without_adaption_all_go_at_once_whatever_is_refused),
		cmocka_unit_test(a_refusal_halves_once_for_all_that_are_in_flight),
		cmocka_unit_test(a_storm_that_lasts_halves_once_a_round_of_tries),
		cmocka_unit_test(a_target_that_always_refuses_still_gets_one),
		cmocka_unit_test(after_a_refusal_one_more_a_round),
		cmocka_unit_test(it_grows_while_latency_holds_and_stays_when_not),
		cmocka_unit_test(a_latency_that_lasts_becomes_the_new_one),
		cmocka_unit_test(small_bulks_are_not_slow_ones),
		cmocka_unit_test(nothing_grows_that_is_not_used),
		cmocka_unit_test(one_too_many_waits_until_another_leaves),
		cmocka_unit_test(documents_a_second_hold_in_the_long_run),
		cmocka_unit_test(bytes_a_second_hold_too_and_the_stricter_counts),
		cmocka_unit_test(an_idle_time_saves_up_one_second_at_most),
		cmocka_unit_test(rates_can_be_changed_while_it_runs),
		cmocka_unit_test(a_pause_holds_all_back),
		cmocka_unit_test(a_stop_ends_the_wait),
		cmocka_unit_test(absurd_rates_and_sizes_do_not_overflow),
		cmocka_unit_test(threads_share_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
