#include "capture/recorder.h"

#include "base/small_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

struct fixture {
	char folder[64];
	struct sink *sink;
	struct completion_queue *queue;
	struct proxy_counters counters;
	struct activity_tally commits;
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
							       .commits = &f->commits,
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
	assert_int_equal(counter_get(&f->commits.count), 1);
	assert_int_equal(counter_get(&f->commits.failed), 0);
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
	assert_int_equal(counter_get(&f->commits.count), count);
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

/* --- What a sink does not take --- */

/* Records go into a folder, and nowhere while it has another name. */
struct moving {
	char folder[64], away[80];
	struct proxy_counters counters;
	struct sink *sink;
	struct recorder recorder;
};

static int setup_moving(void **state)
{
	struct moving *m = mem_zalloc(sizeof(*m));
	struct err err = {0};

	strcpy(m->folder, "/tmp/recorderXXXXXX");
	if (!mkdtemp(m->folder) || sink_open_trace_folder(m->folder, &m->sink, &err) < 0)
		fail_msg("%s", err.message);
	snprintf(m->away, sizeof(m->away), "%s-away", m->folder);
	recorder_init(&m->recorder, &(struct recorder_options){.sink = m->sink,
							       .counters = &m->counters,
							       .node_id = STR("node"),
							       .connection_id = STR("connection"),
							       .record_limit = 4096});
	*state = m;
	return 0;
}

static int teardown_moving(void **state)
{
	struct moving *m = *state;
	char command[100];

	recorder_release(&m->recorder);
	sink_close(m->sink);
	snprintf(command, sizeof(command), "rm -r '%s'", m->folder);
	free(m);
	return system(command);
}

static void move(const char *from, const char *to)
{
	assert_int_equal(rename(from, to), 0);
}

static void say(struct recorder *r)
{
	recorder_read(r, record_time_now(), STR("bytes"));
	recorder_flush(r);
}

/* The record with this number is there, and has one observation. */
static void assert_stored(const struct moving *m, int number, enum observation_kind kind, bool last)
{
	cleanup(buf_release) struct buf bytes = BUF_INIT(65536);
	char path[120];
	struct record_view view;
	struct observation o;
	struct err err = {0};

	snprintf(path, sizeof(path), "%s/connection_%d.protocap", m->folder, number);
	assert_int_equal(small_file_read(path, &bytes, &err), 1);
	assert_int_equal(record_view_open(&view, buf_str(&bytes), &err), 0);
	assert_int_equal(view.observations, 1);
	assert_true(record_view_next(&view, &o));
	assert_int_equal(o.kind, kind);
	assert_int_equal(view.last, last);
}

static void what_was_lost_is_told_when_records_are_stored_again(void **state)
{
	struct moving *m = *state;
	struct recorder *r = &m->recorder;

	say(r);
	assert_false(recorder_owes_mark(r));
	move(m->folder, m->away);
	say(r);
	assert_true(recorder_owes_mark(r));
	recorder_mark_loss(r, 1000);
	assert_int_equal(r->lost, 2);
	recorder_mark_loss(r, 1999);
	assert_int_equal(r->lost, 2);
	move(m->away, m->folder);
	recorder_mark_loss(r, 2000);
	assert_false(recorder_owes_mark(r));
	assert_stored(m, 4, OBSERVATION_EXCEPTION, false);
	recorder_mark_loss(r, 9000);
	assert_int_equal(r->appended, 4);
}

static void a_close_that_was_lost_is_recorded_again(void **state)
{
	struct moving *m = *state;
	struct recorder *r = &m->recorder;

	say(r);
	move(m->folder, m->away);
	recorder_close(r);
	assert_true(recorder_owes_mark(r));
	move(m->away, m->folder);
	recorder_mark_loss(r, 1000);
	assert_false(recorder_owes_mark(r));
	assert_stored(m, 3, OBSERVATION_CLOSE, true);
}

static void what_comes_next_tells_of_a_loss_by_itself(void **state)
{
	struct moving *m = *state;
	struct recorder *r = &m->recorder;

	say(r);
	move(m->folder, m->away);
	say(r);
	move(m->away, m->folder);
	recorder_read(r, record_time_now(), STR("bytes"));
	assert_false(recorder_owes_mark(r));
	recorder_flush(r);
	assert_false(recorder_owes_mark(r));
}

static void nobody_waits_for_what_is_lost_whole(void **state)
{
	struct moving *m = *state;
	struct recorder *r = &m->recorder;

	move(m->folder, m->away);
	say(r);
	recorder_close(r);
	assert_int_equal(r->lost, 2);
	assert_false(recorder_owes_mark(r));
	move(m->away, m->folder);
}

static void settle_one(struct recorder *r)
{
	struct completion *one = completion_queue_wait(r->queue, 60000);

	assert_non_null(one);
	assert_null(one->next);
	recorder_complete(one);
	assert_true(recorder_is_settled(r));
}

static void what_finds_no_room_in_time_is_lost(void **state)
{
	static char bytes[40000];
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), NULL, 0);
	rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(rk, 1);
	struct kafka_log_options options = {
		.kafka = {.brokers = rd_kafka_mock_cluster_bootstraps(cluster), .topic = "records"},
		.timeout_ms = 600000,
		.buffer_bytes = 4096,
		.must_be_there = true};
	struct fixture *f = *state;
	struct recorder stuck;
	struct sink *sink;
	struct err err = {0};
	uint64_t count;

	assert_int_equal(rd_kafka_mock_topic_create(cluster, "records", 1, 1), 0);
	if (sink_open_kafka(&options, &sink, &err) < 0)
		fail_msg("%s", err.message);
	rd_kafka_mock_broker_set_down(cluster, 1);
	recorder_init(&stuck, &(struct recorder_options){.sink = sink,
							 .queue = f->queue,
							 .counters = &f->counters,
							 .node_id = STR("node"),
							 .connection_id = STR("connection"),
							 .record_limit = 4096});
	recorder_read(&stuck, record_time_now(), str_of(bytes, sizeof(bytes)));
	count = recorder_flush(&stuck);
	assert_true(recorder_is_full(&stuck));
	recorder_check_room(&stuck, 5000, 1000);
	recorder_check_room(&stuck, 5999, 1000);
	assert_int_equal(stuck.lost, 0);
	recorder_check_room(&stuck, 6000, 1000);
	assert_false(recorder_is_full(&stuck));
	assert_int_equal(stuck.lost, count - 1);
	recorder_read(&stuck, record_time_now(), STR("bytes"));
	recorder_flush(&stuck);
	assert_int_equal(stuck.lost, count);
	assert_false(recorder_owes_mark(&stuck));
	rd_kafka_mock_broker_set_up(cluster, 1);
	settle_one(&stuck);
	assert_true(recorder_owes_mark(&stuck));
	recorder_mark_loss(&stuck, 7000);
	settle_one(&stuck);
	assert_false(recorder_owes_mark(&stuck));
	assert_int_equal(stuck.lost, count);
	sink_close(sink);
	recorder_release(&stuck);
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(rk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_flush_settles_when_its_records_are_stored, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_sink_without_room_makes_records_wait_in_order,
						setup, teardown),
		cmocka_unit_test_setup_teardown(the_close_is_the_last_record, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_lost_is_told_when_records_are_stored_again,
						setup_moving, teardown_moving),
		cmocka_unit_test_setup_teardown(a_close_that_was_lost_is_recorded_again,
						setup_moving, teardown_moving),
		cmocka_unit_test_setup_teardown(what_comes_next_tells_of_a_loss_by_itself,
						setup_moving, teardown_moving),
		cmocka_unit_test_setup_teardown(nobody_waits_for_what_is_lost_whole, setup_moving,
						teardown_moving),
		cmocka_unit_test_setup_teardown(what_finds_no_room_in_time_is_lost, setup,
						teardown),
		cmocka_unit_test_setup_teardown(without_a_sink_nothing_is_recorded, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
