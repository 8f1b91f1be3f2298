#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "traffic/reassembly.h"

enum { MOST = 8192 };

/* What the handler was told, as lines. */
struct told {
	struct buf text;
	struct captured_transaction *kept[64];
	size_t kept_count;
	bool keep;
	uint32_t partition; /* of what is added */
	bool finished[MOST];
	size_t finished_count;
};

static void on_request(void *user, struct captured_transaction *t)
{
	struct told *told = user;

	buf_printf(&told->text, "request %d " STR_FMT "\n", (int)t->index,
		   STR_ARG(str_of(t->request.bytes, t->request.len)));
}

static void on_response(void *user, struct captured_transaction *t)
{
	struct told *told = user;

	buf_printf(&told->text, "response %d %s " STR_FMT "\n", (int)t->index,
		   captured_end_name(t->end), STR_ARG(str_of(t->response.bytes, t->response.len)));
	if (told->keep)
		told->kept[told->kept_count++] = t;
	else
		captured_transaction_release(t);
}

static void on_closed(void *user, uint64_t connection, struct str connection_id)
{
	struct told *told = user;

	(void)connection;
	buf_printf(&told->text, "closed " STR_FMT "\n", STR_ARG(connection_id));
}

static void on_finished(void *user, struct record_position position, int64_t added_us)
{
	struct told *told = user;

	assert_true(added_us > 0);
	assert_false(told->finished[position.offset]);
	told->finished[position.offset] = true;
	told->finished_count++;
}

static void on_set_aside(void *user, struct record_position position, const char *reason)
{
	struct told *told = user;

	assert_true(reason[0]);
	buf_printf(&told->text, "set aside %d\n", (int)position.offset);
}

static void on_dropped(void *user, struct str connection_id, int64_t index, const char *reason)
{
	struct told *told = user;

	(void)connection_id;
	buf_printf(&told->text, "dropped %d: %s\n", (int)index, reason);
}

struct bench {
	struct told told;
	struct reassembly *r;
	uint64_t offset;
	int64_t now;
};

static void bench_init(struct bench *b, const struct reassembly_options *options)
{
	*b = (struct bench){.told = {.text = BUF_INIT(MIB(8))}};
	b->r = reassembly_new(options, &(struct reassembly_handler){.request = on_request,
								    .response = on_response,
								    .closed = on_closed,
								    .finished = on_finished,
								    .set_aside = on_set_aside,
								    .dropped = on_dropped,
								    .user = &b->told});
}

static void bench_release(struct bench *b)
{
	reassembly_free(b->r);
	buf_release(&b->told.text);
}

static void add_bytes(struct bench *b, struct str key, struct str bytes)
{
	struct record_item item = {
		.position = {b->told.partition, b->offset++}, .key = key, .bytes = bytes};
	struct err err = {0};

	if (reassembly_add(b->r, &item, b->now, &err) < 0)
		fail_msg("%s", err.message);
}

static void add_record(struct bench *b, struct record *record, bool number_in_key)
{
	char *bytes = mem_alloc(record->bytes), key[300];

	record_copy(record, bytes);
	snprintf(key, sizeof(key), STR_FMT ".%d", STR_ARG(record->connection_id), record->number);
	add_bytes(b, number_in_key ? str_from(key) : record->connection_id,
		  str_of(bytes, record->bytes));
	free(bytes);
	record_free(record);
}

static void add_all(struct bench *b, struct record_writer *w)
{
	struct record *record;

	while ((record = record_writer_take(w)))
		add_record(b, record, false);
}

#define assert_told(b, lines) assert_string_equal(buf_cstr(&(b)->told.text), lines)

static const struct record_time noon = {.seconds = 1000};

static void ask(struct record_writer *w, const char *request)
{
	record_writer_read(w, noon, str_from(request));
	record_writer_end_of_message(w, noon, 1, 1);
}

static void requests_and_responses_come_in_pairs(void **state)
{
	struct record_writer *w = record_writer_new(STR("n"), STR("c"), RECORD_LIMIT_DEFAULT);
	struct bench b;

	(void)state;
	bench_init(&b, NULL);
	ask(w, "A");
	record_writer_flush(w);
	add_all(&b, w);
	assert_told(&b, "request 0 A\n");
	record_writer_write(w, noon, STR("a1"));
	record_writer_write(w, noon, STR("a2"));
	ask(w, "B");
	record_writer_write(w, noon, STR("b"));
	record_writer_close(w, noon);
	record_writer_finish(w);
	add_all(&b, w);
	assert_told(&b, "request 0 A\nresponse 0 complete a1a2\nrequest 1 B\n"
			"response 1 complete b\nclosed c\n");
	assert_int_equal(b.told.finished_count, 2);
	record_writer_free(w);
	bench_release(&b);
}

static void an_idle_response_settles_by_the_clock(void **state)
{
	struct record_writer *w = record_writer_new(STR("n"), STR("c"), RECORD_LIMIT_DEFAULT);
	struct bench b;

	(void)state;
	bench_init(&b, &(struct reassembly_options){.settle_ms = 100, .silent_ms = 1000});
	ask(w, "A");
	record_writer_flush(w);
	add_all(&b, w);
	assert_int_equal(reassembly_tick(b.r, 500), 1000);
	record_writer_write(w, noon, STR("a"));
	record_writer_flush(w);
	b.now = 600;
	add_all(&b, w);
	assert_int_equal(reassembly_tick(b.r, 699), 700);
	assert_int_equal(b.told.finished_count, 0);
	assert_int_equal(reassembly_tick(b.r, 700), 1700);
	assert_int_equal(b.told.finished_count, 2);
	assert_int_equal(reassembly_tick(b.r, 1700), -1);
	assert_told(&b, "request 0 A\nresponse 0 settled a\nclosed c\n");
	record_writer_free(w);
	bench_release(&b);
}

static void a_100_continue_does_not_settle_a_response(void **state)
{
	struct record_writer *w = record_writer_new(STR("n"), STR("c"), RECORD_LIMIT_DEFAULT);
	struct bench b;

	(void)state;
	bench_init(&b, &(struct reassembly_options){.settle_ms = 100, .silent_ms = 1000});
	record_writer_read(w, noon, STR("A"));
	record_writer_write(w, noon, STR("100 "));
	ask(w, "body");
	record_writer_flush(w);
	add_all(&b, w);
	assert_int_equal(reassembly_tick(b.r, 500), 1000);
	record_writer_write(w, noon, STR("200"));
	record_writer_flush(w);
	b.now = 600;
	add_all(&b, w);
	reassembly_tick(b.r, 700);
	assert_told(&b, "request 0 Abody\nresponse 0 settled 100 200\n");
	record_writer_free(w);
	bench_release(&b);
}

static void a_log_that_begins_within_a_request_skips_it(void **state)
{
	struct record_writer *w = record_writer_new(STR("n"), STR("c"), RECORD_LIMIT_DEFAULT);
	struct bench b;

	(void)state;
	bench_init(&b, NULL);
	ask(w, "A");
	record_writer_read(w, noon, STR("B1"));
	record_writer_flush(w);
	record_free(record_writer_take(w));
	record_writer_read(w, noon, STR("B2"));
	record_writer_end_of_message(w, noon, 1, 1);
	record_writer_write(w, noon, STR("b"));
	ask(w, "C");
	record_writer_write(w, noon, STR("c"));
	record_writer_finish(w);
	add_all(&b, w);
	assert_told(&b, "request 2 C\nresponse 2 complete c\nclosed c\n");
	assert_int_equal(b.told.finished_count, 1);
	record_writer_free(w);
	bench_release(&b);
}

static void a_missing_record_ends_what_it_was_part_of(void **state)
{
	struct record_writer *w = record_writer_new(STR("n"), STR("c"), RECORD_LIMIT_DEFAULT);
	struct bench b;

	(void)state;
	bench_init(&b, NULL);
	record_writer_read(w, noon, STR("A1"));
	record_writer_flush(w);
	add_all(&b, w);
	record_writer_end_of_message(w, noon, 1, 1);
	record_writer_flush(w);
	record_free(record_writer_take(w));
	record_writer_write(w, noon, STR("a"));
	ask(w, "B");
	record_writer_finish(w);
	add_all(&b, w);
	assert_told(&b, "dropped 0: records 2 to 2 of its connection are missing\n"
			"request 1 B\nresponse 1 complete \nclosed c\n");
	assert_int_equal(b.told.finished_count, 2);
	record_writer_free(w);
	bench_release(&b);
}

static void excluded_requests_are_forgotten_with_their_answers(void **state)
{
	struct record_writer *w = record_writer_new(STR("n"), STR("c"), RECORD_LIMIT_DEFAULT);
	struct bench b;

	(void)state;
	bench_init(&b, NULL);
	record_writer_read(w, noon, STR("secret"));
	record_writer_request_dropped(w, noon);
	ask(w, "B");
	record_writer_write(w, noon, STR("b"));
	record_writer_exception(w, noon, STR("reset"));
	record_writer_finish(w);
	add_all(&b, w);
	assert_told(&b, "dropped 0: the capture excluded it\nrequest 0 B\n"
			"response 0 exception b\nclosed c\n");
	record_writer_free(w);
	bench_release(&b);
}

static void a_mark_of_a_gap_is_told(void **state)
{
	struct record_writer *w = record_writer_new(STR("n"), STR("c"), RECORD_LIMIT_DEFAULT);
	struct bench b;

	(void)state;
	bench_init(&b, NULL);
	record_writer_exception(w, noon, STR(RECORD_GAP_PREFIX "2 went"));
	record_writer_close(w, noon);
	record_writer_finish(w);
	add_all(&b, w);
	assert_told(&b, "dropped 0: shardlift gap: 2 went\nclosed c\n");
	record_writer_free(w);
	bench_release(&b);
}

/* What a proxy that was killed left open, of its own node and partition only. */
static void the_mark_of_a_node_that_is_over_ends_its_connections(void **state)
{
	static const struct {
		const char *node, *connection;
		uint32_t partition;
	} open[] = {{"old", "a", 0}, {"old", "b", 1}, {"other", "c", 0}};
	struct record_writer *mark;
	struct bench b;

	(void)state;
	bench_init(&b, NULL);
	for (size_t i = 0; i < COUNT_OF(open); i++) {
		struct record_writer *w = record_writer_new(
			str_from(open[i].node), str_from(open[i].connection), RECORD_LIMIT_DEFAULT);

		b.told.partition = open[i].partition;
		ask(w, open[i].connection);
		record_writer_flush(w);
		add_all(&b, w);
		record_writer_free(w);
	}
	assert_int_equal(b.told.finished_count, 0);
	mark = record_writer_new(STR("new"), STR("m"), RECORD_LIMIT_DEFAULT);
	record_writer_exception(mark, noon, STR(RECORD_NODE_OVER_PREFIX "old"));
	record_writer_exception(mark, noon, STR(RECORD_NODE_OVER_PREFIX "new"));
	record_writer_close(mark, noon);
	record_writer_finish(mark);
	b.told.partition = 0;
	add_all(&b, mark);
	assert_told(&b, "request 0 a\nrequest 0 b\nrequest 0 c\n"
			"response 0 settled \nclosed a\nclosed m\n");
	assert_int_equal(b.told.finished_count, 2);
	record_writer_free(mark);
	bench_release(&b);
}

static void a_request_that_the_source_never_got_ends_as_dropped(void **state)
{
	struct record_writer *w = record_writer_new(STR("n"), STR("c"), RECORD_LIMIT_DEFAULT);
	struct bench b;

	(void)state;
	bench_init(&b, NULL);
	ask(w, "A");
	record_writer_flush(w);
	record_writer_write(w, noon, STR("503"));
	record_writer_request_dropped(w, noon);
	ask(w, "B");
	record_writer_request_dropped(w, noon);
	record_writer_close(w, noon);
	record_writer_finish(w);
	add_all(&b, w);
	assert_told(&b, "request 0 A\nresponse 0 dropped 503\nrequest 1 B\n"
			"response 1 dropped \nclosed c\n");
	record_writer_free(w);
	bench_release(&b);
}

static void a_poison_record_is_set_aside_and_finished(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b, NULL);
	add_bytes(&b, STR("k"), STR("\xff\xff\xff"));
	assert_told(&b, "set aside 0\n");
	assert_int_equal(b.told.finished_count, 1);
	bench_release(&b);
}

static void a_record_is_finished_when_its_last_transaction_is_released(void **state)
{
	struct record_writer *w = record_writer_new(STR("n"), STR("c"), RECORD_LIMIT_DEFAULT);
	struct bench b;

	(void)state;
	bench_init(&b, NULL);
	b.told.keep = true;
	ask(w, "A");
	record_writer_write(w, noon, STR("a"));
	ask(w, "B");
	record_writer_flush(w);
	record_writer_write(w, noon, STR("b"));
	record_writer_finish(w);
	add_all(&b, w);
	assert_int_equal(b.told.kept_count, 2);
	captured_transaction_release(b.told.kept[0]);
	assert_int_equal(b.told.finished_count, 0);
	captured_transaction_release(b.told.kept[1]);
	assert_int_equal(b.told.finished_count, 2);
	record_writer_free(w);
	bench_release(&b);
}

static void what_the_input_cuts_is_not_finished(void **state)
{
	struct record_writer *w = record_writer_new(STR("n"), STR("c"), RECORD_LIMIT_DEFAULT);
	struct bench b;

	(void)state;
	bench_init(&b, NULL);
	ask(w, "A");
	record_writer_flush(w);
	record_writer_write(w, noon, STR("a"));
	ask(w, "B");
	record_writer_flush(w);
	add_all(&b, w);
	reassembly_end(b.r, false);
	assert_told(&b, "request 0 A\nresponse 0 complete a\nrequest 1 B\nresponse 1 cut \n"
			"closed c\n");
	assert_true(b.told.finished[0]);
	assert_false(b.told.finished[1]);
	record_writer_free(w);
	bench_release(&b);
}

static void a_partition_that_is_read_elsewhere_is_cut(void **state)
{
	struct record_writer *here = record_writer_new(STR("n"), STR("h"), RECORD_LIMIT_DEFAULT);
	struct record_writer *gone = record_writer_new(STR("n"), STR("g"), RECORD_LIMIT_DEFAULT);
	struct bench b;

	(void)state;
	bench_init(&b, NULL);
	ask(here, "A");
	record_writer_flush(here);
	add_all(&b, here);
	b.told.partition = 1;
	ask(gone, "B");
	record_writer_flush(gone);
	add_all(&b, gone);
	reassembly_cut_partition(b.r, 1);
	b.told.partition = 0;
	record_writer_write(here, noon, STR("a"));
	record_writer_close(here, noon);
	record_writer_finish(here);
	add_all(&b, here);
	assert_told(&b, "request 0 A\nrequest 0 B\nresponse 0 cut \nclosed g\n"
			"response 0 complete a\nclosed h\n");
	assert_true(b.told.finished[0] && b.told.finished[2]);
	assert_false(b.told.finished[1]);
	record_writer_free(here);
	record_writer_free(gone);
	bench_release(&b);
}

static void what_the_caller_disowns_is_not_finished(void **state)
{
	struct record_writer *w = record_writer_new(STR("n"), STR("c"), RECORD_LIMIT_DEFAULT);
	struct bench b;

	(void)state;
	bench_init(&b, NULL);
	b.told.keep = true;
	ask(w, "A");
	record_writer_close(w, noon);
	record_writer_finish(w);
	add_all(&b, w);
	assert_int_equal(b.told.kept_count, 1);
	captured_transaction_disown(b.told.kept[0]);
	captured_transaction_release(b.told.kept[0]);
	assert_int_equal(b.told.finished_count, 0);
	record_writer_free(w);
	bench_release(&b);
}

static void a_request_longer_than_its_memory_is_dropped(void **state)
{
	struct record_writer *w = record_writer_new(STR("n"), STR("c"), RECORD_LIMIT_DEFAULT);
	struct bench b;

	(void)state;
	bench_init(&b, &(struct reassembly_options){.connection_bytes = 10});
	record_writer_read(w, noon, STR("0123456789"));
	record_writer_read(w, noon, STR("0123456789"));
	record_writer_end_of_message(w, noon, 1, 1);
	record_writer_write(w, noon, STR("a"));
	ask(w, "B");
	record_writer_write(w, noon, STR("0123456789abc"));
	ask(w, "C");
	record_writer_finish(w);
	add_all(&b, w);
	assert_told(&b, "dropped 0: it is longer than the memory for one connection\n"
			"request 1 B\nresponse 1 expired 0123456789abc\nrequest 2 C\n"
			"response 2 complete \nclosed c\n");
	record_writer_free(w);
	bench_release(&b);
}

static void too_many_in_flight_push_back(void **state)
{
	struct record_writer *w = record_writer_new(STR("n"), STR("c"), RECORD_LIMIT_DEFAULT);
	struct record_item item = {.position = {.offset = 7}};
	struct err err = {0};
	struct bench b;

	(void)state;
	bench_init(&b, &(struct reassembly_options){.total_bytes = 100});
	b.told.keep = true;
	ask(w, "0123456789012345678901234567890123456789");
	record_writer_finish(w);
	add_all(&b, w);
	item.bytes = STR("0123456789012345678901234567890123456789012345678901234567890123456789");
	assert_int_equal(reassembly_add(b.r, &item, 0, &err), -ERR_LIMIT);
	assert_true(err.retry);
	captured_transaction_release(b.told.kept[0]);
	assert_int_equal(reassembly_add(b.r, &item, 0, &err), 0);
	record_writer_free(w);
	bench_release(&b);
}

/* Random conversations of one connection, cut into small records. */
static struct record_writer *random_conversation(unsigned *seed, struct buf *expected)
{
	struct record_writer *w = record_writer_new(STR("node"), STR("conn"), RECORD_LIMIT_MIN);
	char bytes[6000];

	for (int i = 0, n = 1 + rand_r(seed) % 8; i < n; i++) {
		size_t request = 0, response = 0;

		memset(bytes, 'a' + i, sizeof(bytes));
		buf_printf(expected, "request %d ", i);
		do {
			size_t len = (size_t)rand_r(seed) % (sizeof(bytes) - request);

			record_writer_read(w, noon, str_of(bytes, len));
			request += len;
			if (rand_r(seed) % 3 == 0)
				record_writer_flush(w);
		} while (rand_r(seed) % 3 && request < sizeof(bytes) - 1);
		record_writer_end_of_message(w, noon, 1, 1);
		buf_append(expected, bytes, request);
		buf_printf(expected, "\nresponse %d complete ", i);
		while (rand_r(seed) % 3 && response < sizeof(bytes) - 1) {
			size_t len = (size_t)rand_r(seed) % (sizeof(bytes) - response);

			record_writer_write(w, noon, str_of(bytes, len));
			response += len;
			if (rand_r(seed) % 3 == 0)
				record_writer_flush(w);
		}
		buf_append(expected, bytes, response);
		buf_append_byte(expected, '\n');
	}
	record_writer_close(w, noon);
	record_writer_finish(w);
	buf_printf(expected, "closed conn\n");
	return w;
}

static void conversations_cut_and_shuffled_come_back_whole(void **state)
{
	unsigned seed = (unsigned)time(NULL);

	(void)state;
	print_message("seed %u\n", seed);
	for (int i = 0; i < 200; i++) {
		cleanup(buf_release) struct buf expected = BUF_INIT(MIB(8));
		struct record_writer *w = random_conversation(&seed, &expected);
		struct record *records[512];
		size_t count = 0;
		struct bench b;

		bench_init(&b, NULL);
		while ((records[count] = record_writer_take(w)))
			assert_true(++count < COUNT_OF(records));
		/* Old topics: any order, the number in the key. */
		for (size_t k = count; k > 1 && i % 2; k--) {
			size_t other = (size_t)rand_r(&seed) % k;
			struct record *record = records[k - 1];

			records[k - 1] = records[other];
			records[other] = record;
		}
		for (size_t k = 0; k < count; k++)
			add_record(&b, records[k], i % 2);
		assert_told(&b, buf_cstr(&expected));
		assert_int_equal(b.told.finished_count, count);
		record_writer_free(w);
		bench_release(&b);
	}
}

static void a_record_that_is_missing_is_waited_for_and_then_given_up(void **state)
{
	struct record_writer *w = record_writer_new(STR("n"), STR("c"), RECORD_LIMIT_DEFAULT);
	struct bench b;

	(void)state;
	bench_init(&b, &(struct reassembly_options){.reorder_ms = 50});
	ask(w, "A");
	record_writer_flush(w);
	record_free(record_writer_take(w));
	ask(w, "B");
	record_writer_flush(w);
	add_record(&b, record_writer_take(w), true);
	assert_told(&b, "");
	reassembly_tick(b.r, 49);
	assert_told(&b, "");
	reassembly_tick(b.r, 50);
	assert_told(&b, "request 1 B\n");
	record_writer_free(w);
	bench_release(&b);
}

static void samples_of_the_java_tool_are_put_together(void **state)
{
	struct record_source *source;
	struct record_item item;
	struct err err = {0};
	struct bench b;

	(void)state;
	bench_init(&b, NULL);
	assert_int_equal(record_source_open(TRAFFIC_SAMPLES, NULL, &source, &err), 0);
	while (record_source_next(source, 0, &item, &err) == RECORD_SOURCE_ITEM) {
		b.offset = item.position.offset;
		add_bytes(&b, item.key, item.bytes);
	}
	record_source_close(source);
	reassembly_end(b.r, true);
	assert_non_null(strstr(buf_cstr(&b.told.text), "request 2 GET /b HTTP/1.1\r\n"));
	assert_non_null(
		strstr(buf_cstr(&b.told.text), "response 0 complete HTTP/1.1 100 Continue\r\n"));
	assert_null(strstr(buf_cstr(&b.told.text), "dropped"));
	assert_int_equal(b.told.finished_count, 6);
	bench_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_and_responses_come_in_pairs),
		cmocka_unit_test(an_idle_response_settles_by_the_clock),
		cmocka_unit_test(a_100_continue_does_not_settle_a_response),
		cmocka_unit_test(a_log_that_begins_within_a_request_skips_it),
		cmocka_unit_test(a_missing_record_ends_what_it_was_part_of),
		cmocka_unit_test(excluded_requests_are_forgotten_with_their_answers),
		cmocka_unit_test(a_mark_of_a_gap_is_told),
		cmocka_unit_test(the_mark_of_a_node_that_is_over_ends_its_connections),
		cmocka_unit_test(a_request_that_the_source_never_got_ends_as_dropped),
		cmocka_unit_test(a_poison_record_is_set_aside_and_finished),
		cmocka_unit_test(a_record_is_finished_when_its_last_transaction_is_released),
		cmocka_unit_test(what_the_input_cuts_is_not_finished),
		cmocka_unit_test(a_partition_that_is_read_elsewhere_is_cut),
		cmocka_unit_test(what_the_caller_disowns_is_not_finished),
		cmocka_unit_test(a_request_longer_than_its_memory_is_dropped),
		cmocka_unit_test(too_many_in_flight_push_back),
		cmocka_unit_test(conversations_cut_and_shuffled_come_back_whole),
		cmocka_unit_test(a_record_that_is_missing_is_waited_for_and_then_given_up),
		cmocka_unit_test(samples_of_the_java_tool_are_put_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
