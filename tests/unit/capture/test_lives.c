#include "capture/lives.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define FIRST "11111111-1111-4111-8111-111111111111"
#define SECOND "22222222-2222-4222-8222-222222222222"
#define THIRD "33333333-3333-4333-8333-333333333333"

struct fixture {
	char folder[64], path[100], log[100];
	struct sink *sink;
	struct completion_queue *queue;
	struct proxy_counters counters;
};

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));
	struct err err = {0};

	strcpy(f->folder, "/tmp/livesXXXXXX");
	if (!mkdtemp(f->folder))
		fail_msg("no folder");
	snprintf(f->path, sizeof(f->path), "%s/lives", f->folder);
	snprintf(f->log, sizeof(f->log), "%s/log", f->folder);
	if (sink_open_log(f->log, &(struct segment_log_options){0}, &f->sink, &err) < 0 ||
	    completion_queue_new(&f->queue, &err) < 0)
		fail_msg("%s", err.message);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[100];

	sink_close(f->sink);
	completion_queue_free(f->queue);
	snprintf(command, sizeof(command), "rm -r '%s'", f->folder);
	free(f);
	return system(command);
}

static void begin_life(struct fixture *f, struct lives *lives, const char *id)
{
	struct err err = {0};

	if (lives_open(lives, f->path, id, &err) < 0)
		fail_msg("%s", err.message);
}

/* As the loop of a proxy does, but at once. */
static void tell(struct fixture *f, struct lives *lives, uint32_t partitions)
{
	const struct recorder_options options = {.sink = f->sink,
						 .queue = f->queue,
						 .counters = &f->counters,
						 .node_id = str_from(lives->own),
						 .connection_id = STR("connection"),
						 .record_limit = 4096};

	while (lives_is_due(lives, partitions, 1)) {
		lives_begin(lives, &options, 1);
		while (!recorder_is_settled(&lives->recorder)) {
			struct completion *one = completion_queue_wait(f->queue, 60000), *next;

			assert_non_null(one);
			for (; one; one = next) {
				next = one->next;
				assert_null(recorder_complete(one));
			}
		}
		lives_settle(lives, partitions);
	}
}

/* What the log tells, from its beginning: "1 2, " for a record that ends FIRST and SECOND. */
static void assert_told(struct fixture *f, const char *expected)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(4));
	struct str over = STR(RECORD_NODE_OVER_PREFIX);
	struct segment_log_reader *reader;
	struct segment_log_entry entry;
	struct record_view view;
	struct observation o;
	struct err err = {0};

	if (segment_log_reader_open(f->log, &reader, &err) < 0)
		fail_msg("%s", err.message);
	while (segment_log_reader_next(reader, 0, &entry, &err) == 1) {
		assert_int_equal(record_view_open(&view, entry.bytes, &err), 0);
		while (record_view_next(&view, &o))
			if (o.kind == OBSERVATION_EXCEPTION && str_starts(o.data, over))
				buf_printf(&text, "%c ", o.data.ptr[over.len]);
		buf_printf(&text, ", ");
	}
	segment_log_reader_close(reader);
	assert_string_equal(buf_cstr(&text), expected);
}

static void a_process_that_was_killed_is_told_of_once(void **state)
{
	struct fixture *f = *state;
	struct lives lives;

	begin_life(f, &lives, FIRST);
	tell(f, &lives, 1);
	assert_told(f, "");
	lives_close(&lives, false);
	begin_life(f, &lives, SECOND);
	tell(f, &lives, 1);
	assert_told(f, "1 , ");
	lives_close(&lives, false);
	begin_life(f, &lives, THIRD);
	tell(f, &lives, 1);
	assert_told(f, "1 , 2 , ");
	lives_close(&lives, true);
	begin_life(f, &lives, FIRST);
	tell(f, &lives, 1);
	assert_told(f, "1 , 2 , ");
	lives_close(&lives, true);
}

static void those_that_nobody_told_of_yet_are_told_in_each_partition(void **state)
{
	struct fixture *f = *state;
	struct lives lives;

	begin_life(f, &lives, FIRST);
	lives_close(&lives, false);
	begin_life(f, &lives, SECOND);
	assert_false(lives_is_due(&lives, 0, 1)); /* nobody knows the partitions yet */
	lives_close(&lives, true);
	begin_life(f, &lives, THIRD);
	tell(f, &lives, 3);
	assert_told(f, "1 , 1 , 1 , ");
	lives_close(&lives, false);
}

/* Of a topic that is made anew with fewer of them. */
static void partitions_that_went_away_are_not_told(void **state)
{
	struct fixture *f = *state;
	struct lives lives;

	begin_life(f, &lives, FIRST);
	lives_close(&lives, false);
	begin_life(f, &lives, SECOND);
	lives.told = 2;
	assert_false(lives_is_due(&lives, 2, 1));
	assert_true(lives_is_due(&lives, 3, 1));
	lives_close(&lives, true);
}

/* One that cannot listen may begin again and again. */
static void those_that_wrote_nothing_displace_nobody(void **state)
{
	struct fixture *f = *state;
	struct lives lives;

	begin_life(f, &lives, FIRST);
	lives_close(&lives, false);
	for (int i = 0; i < 2 * LIVES_MAX; i++) {
		begin_life(f, &lives, SECOND);
		lives_close(&lives, true);
	}
	begin_life(f, &lives, THIRD);
	tell(f, &lives, 1);
	assert_told(f, "1 , ");
	lives_close(&lives, true);
}

static void a_process_that_lives_is_not_over(void **state)
{
	struct fixture *f = *state;
	struct lives first, second;
	struct err err = {0};

	begin_life(f, &first, FIRST);
	assert_int_equal(lives_open(&second, f->path, SECOND, &err), -ERR_CONFLICT);
	tell(f, &second, 1);
	assert_told(f, "");
	lives_close(&second, true);
	lives_close(&first, false);
	begin_life(f, &second, SECOND);
	tell(f, &second, 1);
	assert_told(f, "1 , ");
	lives_close(&second, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_process_that_was_killed_is_told_of_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			those_that_nobody_told_of_yet_are_told_in_each_partition, setup, teardown),
		cmocka_unit_test_setup_teardown(partitions_that_went_away_are_not_told, setup,
						teardown),
		cmocka_unit_test_setup_teardown(those_that_wrote_nothing_displace_nobody, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_process_that_lives_is_not_over, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
