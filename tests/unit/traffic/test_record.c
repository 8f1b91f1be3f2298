#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/small_file.h"
#include "traffic/record.h"

static const char *const samples[] = {
	"02fc00fffe000001-00007122-00000001-8e5d160be5fa5f53-79a20bdb_1.protocap",
	"02fc00fffe000001-00007122-00000003-7c6c22d105fad01a-783c55d7_1.protocap",
	"02fc00fffe000001-00007122-00000003-7c6c22d105fad01a-783c55d7_2.protocap",
	"02fc00fffe000001-00007122-00000005-7d03e0ec05fadad6-ad79947f_1.protocap",
	"02fc00fffe000001-00007122-00000005-7d03e0ec05fadad6-ad79947f_2.protocap",
	"02fc00fffe000001-00007122-00000011-87fba7ca7bfafebd-1a3b1399_1.protocap",
};

static time_t wall_set_by; /* seconds */

/* Stands in for libc's. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
	int got = (int)syscall(SYS_clock_gettime, clock, now);

	now->tv_sec += clock == CLOCK_REALTIME ? wall_set_by : 0;
	return got;
}

static void read_sample(const char *name, struct buf *out)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);
	struct err err;

	buf_printf(&path, "%s/%s", TRAFFIC_SAMPLES, name);
	assert_int_equal(small_file_read(buf_cstr(&path), out, &err), 1);
}

static void observe(struct record_writer *w, const struct observation *o)
{
	switch ((int)o->kind) {
	case OBSERVATION_READ:
		record_writer_read(w, o->time, o->data);
		break;
	case OBSERVATION_WRITE:
		record_writer_write(w, o->time, o->data);
		break;
	case OBSERVATION_END_OF_MESSAGE:
		record_writer_end_of_message(w, o->time, o->first_line_bytes, o->headers_bytes);
		break;
	case OBSERVATION_CLOSE:
		record_writer_close(w, o->time);
		break;
	default:
		fail_msg("observation %s is in no sample", observation_kind_name(o->kind));
	}
}

static void assert_taken(struct record_writer *w, struct str expected)
{
	struct record *record = record_writer_take(w);
	char *bytes;

	assert_non_null(record);
	bytes = mem_alloc(record->bytes);
	record_copy(record, bytes);
	assert_int_equal(record->bytes, expected.len);
	assert_memory_equal(bytes, expected.ptr, expected.len);
	free(bytes);
	record_free(record);
}

static void samples_of_the_java_tool_encode_to_the_same_bytes(void **state)
{
	struct record_writer *w = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		cleanup(buf_release) struct buf bytes = BUF_INIT(MIB(1));
		struct record_view view;
		struct observation o;
		struct err err;

		read_sample(samples[i], &bytes);
		assert_int_equal(record_view_open(&view, buf_str(&bytes), &err), 0);
		if (!w)
			w = record_writer_new(view.node_id, view.connection_id,
					      RECORD_LIMIT_DEFAULT);
		while (record_view_next(&view, &o))
			observe(w, &o);
		if (view.last)
			record_writer_finish(w);
		else
			record_writer_flush(w);
		assert_taken(w, buf_str(&bytes));
		assert_null(record_writer_take(w));
		if (view.last) {
			record_writer_free(w);
			w = NULL;
		}
	}
	record_writer_free(w);
}

static void a_sample_tells_what_happened(void **state)
{
	cleanup(buf_release) struct buf bytes = BUF_INIT(MIB(1));
	struct record_view view;
	struct observation o;
	struct err err;

	(void)state;
	read_sample(samples[2], &bytes);
	assert_int_equal(record_view_open(&view, buf_str(&bytes), &err), 0);
	assert_int_equal(view.number, 2);
	assert_true(view.last && view.has_prior_requests && !view.unterminated_read);
	assert_int_equal(view.prior_requests, 2);
	assert_int_equal(view.observations, 5);
	assert_true(str_is(view.node_id, "a30f9cb4-27a3-4dd3-b0e9-95d4bd388cb3"));
	assert_int_equal(record_view_next(&view, &o), 1);
	assert_int_equal(o.kind, OBSERVATION_WRITE);
	assert_int_equal(record_view_next(&view, &o), 1);
	assert_int_equal(o.kind, OBSERVATION_READ);
	assert_true(str_is(o.data, "GET /b HTTP/1.1\r\nHost: x\r\n\r\n"));
	assert_int_equal(record_view_next(&view, &o), 1);
	assert_int_equal(o.kind, OBSERVATION_END_OF_MESSAGE);
	assert_int_equal(o.first_line_bytes, 15);
	assert_int_equal(o.headers_bytes, 7);
}

static const struct record_time noon = {.seconds = 1000, .nanos = 5};

/* Joins what the records hold in that direction, and checks their bounds and numbers. */
static void join(struct record_writer *w, size_t limit, struct buf *out, size_t *count)
{
	struct record *record;
	bool in_request = false, segments = false;

	*count = 0;
	while ((record = record_writer_take(w))) {
		char *bytes = mem_alloc(record->bytes);
		struct record_view view;
		struct observation o;
		struct err err;

		record_copy(record, bytes);
		assert_true(record->bytes <= limit);
		assert_int_equal(record_view_open(&view, str_of(bytes, record->bytes), &err), 0);
		assert_int_equal(view.number, ++*count);
		assert_int_equal(view.unterminated_read, in_request);
		while (record_view_next(&view, &o)) {
			buf_append_str(out, o.data);
			if (o.kind == OBSERVATION_READ_SEGMENT)
				segments = true;
			if (o.kind == OBSERVATION_READ)
				assert_false(segments);
			if (o.kind == OBSERVATION_SEGMENT_END)
				segments = false;
			in_request = o.kind != OBSERVATION_END_OF_MESSAGE;
		}
		free(bytes);
		record_free(record);
	}
	assert_false(segments);
}

static void every_length_of_a_read_comes_back_whole(void **state)
{
	enum { LIMIT = RECORD_LIMIT_MIN };
	char payload[3 * LIMIT];

	(void)state;
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (char)('a' + i % 26);
	for (size_t len = 0; len <= sizeof(payload); len += len > 2 * LIMIT ? 37 : 1) {
		struct record_writer *w = record_writer_new(STR("n"), STR("c"), LIMIT);
		cleanup(buf_release) struct buf out = BUF_INIT(MIB(1));
		size_t count;

		record_writer_read(w, noon, str_of(payload, len));
		record_writer_end_of_message(w, noon, RECORD_UNKNOWN, 1);
		record_writer_finish(w);
		join(w, LIMIT, &out, &count);
		assert_int_equal(out.len, len);
		if (len > 0)
			assert_memory_equal(out.ptr, payload, len);
		record_writer_free(w);
	}
}

/* Worked out by hand from StreamChannelConnectionCaptureSerializer: with ids "c" and "n" a record
 * begins with 6 bytes and keeps 2 for its number, which leaves 2040. A segment of 3000 bytes would
 * need 3014, and 6 for the largest number: 18 beside the data and its length. What is left, 2022,
 * holds a length of 2 bytes and 2020 of data. */
static void a_read_is_cut_where_the_java_writer_cuts_it(void **state)
{
	struct record_writer *w = record_writer_new(STR("n"), STR("c"), 2048);
	cleanup(mem_freep) char *payload = mem_zalloc(3000);
	struct record *record;
	struct record_view view;
	struct observation o;
	struct err err;
	char bytes[2048];

	(void)state;
	record_writer_read(w, (struct record_time){.seconds = 1000}, str_of(payload, 3000));
	record = record_writer_take(w);
	assert_non_null(record);
	record_copy(record, bytes);
	assert_int_equal(record_view_open(&view, str_of(bytes, record->bytes), &err), 0);
	assert_int_equal(record_view_next(&view, &o), 1);
	assert_int_equal(o.kind, OBSERVATION_READ_SEGMENT);
	assert_int_equal(o.data.len, 2020);
	record_free(record);
	record_writer_free(w);
}

static void a_request_that_is_dropped_leaves_the_next_record_clean(void **state)
{
	struct record_writer *w = record_writer_new(STR("n"), STR("c"), RECORD_LIMIT_DEFAULT);
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(1));
	static const char first[] = "\x0a\x01"
				    "c"
				    "\x2a\x01"
				    "n"
				    "\x12\x0e\x0a\x05\x08\xe8\x07\x10\x05\x22\x05\x0a\x03"
				    "GET"
				    "\x12\x0a\x0a\x05\x08\xe8\x07\x10\x05\x82\x01\x00"
				    "\x18\x01";
	static const char second[] = "\x0a\x01"
				     "c"
				     "\x2a\x01"
				     "n"
				     "\x12\x0c\x0a\x05\x08\xe8\x07\x10\x05\x62\x03\x0a\x01"
				     "x"
				     "\x20\x02";

	(void)state;
	record_writer_read(w, noon, STR("GET"));
	record_writer_request_dropped(w, noon);
	record_writer_flush(w);
	assert_taken(w, str_of(first, sizeof(first) - 1));
	assert_false(record_writer_pending_since(w, &(struct record_time){0}));
	record_writer_exception(w, noon, STR("x"));
	record_writer_finish(w);
	assert_taken(w, str_of(second, sizeof(second) - 1));
	record_writer_free(w);
}

static void unknown_lengths_take_ten_bytes_as_in_java(void **state)
{
	struct record_writer *w = record_writer_new(STR("n"), STR("c"), RECORD_LIMIT_DEFAULT);
	static const char expected[] = "\x0a\x01"
				       "c"
				       "\x2a\x01"
				       "n"
				       "\x12\x1f\x0a\x05\x08\xe8\x07\x10\x05\x7a\x16"
				       "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
				       "\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x20\x01";

	(void)state;
	record_writer_end_of_message(w, noon, RECORD_UNKNOWN, RECORD_UNKNOWN);
	record_writer_finish(w);
	assert_taken(w, str_of(expected, sizeof(expected) - 1));
	record_writer_free(w);
}

static void an_envelope_is_refused_by_name(void **state)
{
	cleanup(buf_release) struct buf sample = BUF_INIT(MIB(1)), envelope = BUF_INIT(MIB(1));
	struct record_view view;
	struct err err;

	(void)state;
	read_sample(samples[0], &sample);
	buf_append_byte(&envelope, 0x0a);
	buf_append_byte(&envelope, (char)((sample.len & 0x7f) | 0x80));
	buf_append_byte(&envelope, (char)(sample.len >> 7));
	buf_append_str(&envelope, buf_str(&sample));
	assert_int_equal(record_view_open(&view, buf_str(&envelope), &err), -ERR_UNSUPPORTED);
	assert_non_null(strstr(err.message, "CaptureRecord"));
}

static void fields_of_later_versions_are_skipped(void **state)
{
	/* Fields 8 of the stream, 17 and 18 of an observation. */
	static const char bytes[] = "\x0a\x01"
				    "c"
				    "\x12\x0e\x0a\x03\x08\xe8\x07\x88\x01\x07\x92\x01\x01"
				    "z"
				    "\x5a\x00"
				    "\x40\x03\x20\x01";
	struct record_view view;
	struct observation o;
	struct err err = {0};

	(void)state;
	assert_int_equal(record_view_open(&view, str_of(bytes, sizeof(bytes) - 1), &err), 0);
	assert_int_equal(record_view_next(&view, &o), 1);
	assert_int_equal(o.kind, OBSERVATION_CLOSE);
	assert_int_equal(o.time.seconds, 1000);
	assert_int_equal(record_view_next(&view, &o), 0);
}

static void a_record_cut_within_a_field_is_refused(void **state)
{
	cleanup(buf_release) struct buf bytes = BUF_INIT(MIB(1));
	size_t refused = 0;

	(void)state;
	read_sample(samples[0], &bytes);
	for (size_t len = 0; len < bytes.len; len++) {
		cleanup(mem_freep) char *cut = mem_alloc(len + 1);
		struct record_view view;
		struct err err = {0};

		memcpy(cut, bytes.ptr, len);
		if (record_view_open(&view, str_of(cut, len), &err) < 0) {
			refused++;
			assert_true(err.message[0]);
		}
	}
	/* Between two fields nothing shows that it was cut: behind each of 7. */
	assert_int_equal(refused, bytes.len - 6);
}

static void a_clock_that_is_set_back_makes_nothing_earlier(void **state)
{
	int64_t before = record_time_us(record_time_now()), back, ahead;

	(void)state;
	wall_set_by = -3600;
	back = record_time_us(record_time_now());
	assert_true(back >= before);
	wall_set_by = 3600;
	ahead = record_time_us(record_time_now());
	assert_true(ahead >= before + 3600 * INT64_C(1000000));
	wall_set_by = 0;
	assert_true(record_time_us(record_time_now()) >= ahead);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_that_is_set_back_makes_nothing_earlier),
		cmocka_unit_test(samples_of_the_java_tool_encode_to_the_same_bytes),
		cmocka_unit_test(a_sample_tells_what_happened),
		cmocka_unit_test(every_length_of_a_read_comes_back_whole),
		cmocka_unit_test(a_read_is_cut_where_the_java_writer_cuts_it),
		cmocka_unit_test(a_request_that_is_dropped_leaves_the_next_record_clean),
		cmocka_unit_test(unknown_lengths_take_ten_bytes_as_in_java),
		cmocka_unit_test(an_envelope_is_refused_by_name),
		cmocka_unit_test(fields_of_later_versions_are_skipped),
		cmocka_unit_test(a_record_cut_within_a_field_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
