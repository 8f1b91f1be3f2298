#include "capture/recorder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

struct fixture {
	char folder[64];
	struct sink *sink;
	struct completion_queue *queue;
	struct proxy_counters counters;
	struct recorder recorder;
};

static int setup(void **state)
{
	struct segment_log_options options = {.buffer_bytes = 8192};
	struct fixture *f = mem_zalloc(sizeof(*f));
	struct err err = {0};

	strcpy(f->folder, "/tmp/recorderXXXXXX");
	if (!mkdtemp(f->folder) || sink_open_log(f->folder, &options, &f->sink, &err) < 0 ||
	    completion_queue_new(&f->queue, &err) < 0)
		fail_msg("%s", err.message);
	recorder_init(&f->recorder, &(struct recorder_options){.sink = f->sink,
							       .queue = f->queue,
							       .counters = &f->counters,
							       .node_id = STR("node"),
							       .connection_id = STR("connection"),
							       .record_limit = 4096,
							       .owner = f});
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[100];

	recorder_release(&f->recorder);
	sink_close(f->sink);
	completion_queue_free(f->queue);
	snprintf(command, sizeof(command), "rm -r '%s'", f->folder);
	free(f);
	return system(command);
}

/* Takes in what is finished until the recorder is settled. */
static void settle(struct fixture *f)
{
	while (!recorder_is_settled(&f->recorder)) {
		struct completion *one = completion_queue_wait(f->queue, 60000), *next;

		assert_non_null(one);
		for (; one; one = next) {
			next = one->next;
			assert_ptr_equal(recorder_complete(one), f);
		}
		recorder_retry(&f->recorder);
	}
}

static void a_flush_settles_when_its_records_are_stored(void **state)
{
	struct fixture *f = *state;
	uint64_t count;

	recorder_read(&f->recorder, record_time_now(), STR("bytes"));
	assert_true(recorder_is_settled(&f->recorder));
	count = recorder_flush(&f->recorder);
	assert_int_equal(count, 1);
	assert_false(recorder_has_settled(&f->recorder, count));
	settle(f);
	assert_true(recorder_has_settled(&f->recorder, count));
	assert_int_equal(f->recorder.lost, 0);
}

static void a_sink_without_room_makes_records_wait_in_order(void **state)
{
	static char bytes[40000];
	struct fixture *f = *state;
	struct segment_log_state log;
	uint64_t count;

	recorder_read(&f->recorder, record_time_now(), str_of(bytes, sizeof(bytes)));
	count = recorder_flush(&f->recorder);
	assert_true(count >= 10);
	settle(f);
	assert_true(recorder_has_settled(&f->recorder, count));
	assert_false(recorder_is_full(&f->recorder));
	assert_int_equal(counter_get(&f->counters.records), count);
	sink_log_state(f->sink, &log);
	assert_int_equal(log.end, count);
}

static void the_close_is_the_last_record(void **state)
{
	struct fixture *f = *state;
	struct segment_log_state log;

	recorder_read(&f->recorder, record_time_now(), STR("bytes"));
	recorder_close(&f->recorder);
	settle(f);
	sink_log_state(f->sink, &log);
	assert_int_equal(log.end, 1);
}

static void without_a_sink_nothing_is_recorded(void **state)
{
	struct fixture *f = *state;
	struct recorder none;

	recorder_init(&none, &(struct recorder_options){.counters = &f->counters});
	assert_false(recorder_is_on(&none));
	recorder_read(&none, record_time_now(), STR("bytes"));
	assert_int_equal(recorder_flush(&none), 0);
	recorder_close(&none);
	assert_true(recorder_is_settled(&none));
	recorder_release(&none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_flush_settles_when_its_records_are_stored, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_sink_without_room_makes_records_wait_in_order,
						setup, teardown),
		cmocka_unit_test_setup_teardown(the_close_is_the_last_record, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_sink_nothing_is_recorded, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
