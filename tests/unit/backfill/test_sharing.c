/* backfill_run by two workers at once, over one session. */
#include "fake_backfill.h"

#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* As a process is. */
struct worker {
	struct run *run;
	struct backfill_options options;
	struct fake_way way;
	struct progress progress;
	struct backfill_index_result result;
	struct backfill_report report;
	struct err err;
	int rc;
};

static void *work(void *user)
{
	struct worker *w = user;

	w->report.indices = &w->result;
	w->rc = backfill_run(&w->run->snapshot, &w->run->index, 1, &w->options, NULL, &w->progress,
			     &w->run->cancel, &w->report, &w->err);
	return NULL;
}

static void two_workers_share_the_ranges_of_a_shard(void **state)
{
	struct run *run = prepare(1);
	struct worker *workers = mem_zalloc(2 * sizeof(*workers));
	pthread_t threads[2];

	(void)state;
	shards[0] = (struct fake_shard){.documents = 400, .source_bytes = 30};
	run->options.documents_per_bulk = 10;
	target.meet = true;
	run->options.readers = 1;
	run->options.range_bytes = 1000;
	for (size_t i = 0; i < 2; i++) {
		workers[i].run = run;
		workers[i].options = run->options;
		workers[i].way = (struct fake_way){.fails_at = SIZE_MAX, .worker = i};
		workers[i].options.open_sink_user = &workers[i].way;
		assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (size_t i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(workers[i].rc, 0);
		assert_int_equal(workers[i].result.sent, 400);
	}
	assert_arrived_once(0);
	assert_true(target.came[0] && target.came[1]);
	free(workers);
	finish(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_workers_share_the_ranges_of_a_shard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
