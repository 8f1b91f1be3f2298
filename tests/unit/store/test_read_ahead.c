#include "store/read_ahead.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define SIZE (MIB(9) + 12345)
#define WINDOW KIB(512)

struct remote {
	struct bytes_source source;
	atomic_size_t reads, bytes;
	bool fails_once, fails;
	uint64_t silent_from; /* ranges ahead from here on get no answer */
	pthread_mutex_t lock;
	pthread_cond_t arrived;
	size_t meet, in_flight; /* ranges ahead wait until `meet` of them have come */
};

static char byte_at(uint64_t offset)
{
	return (char)(offset ^ offset >> 8 ^ offset >> 16);
}

static int remote_read_at(struct bytes_source *source, uint64_t offset, void *dst, size_t len,
			  struct err *err)
{
	struct remote *remote = (struct remote *)source;
	char *to = dst;

	if (remote->fails)
		return err_set(err, ERR_UNREACHABLE, "the server is gone");
	for (size_t i = 0; i < len; i++)
		to[i] = byte_at(offset + i);
	atomic_fetch_add(&remote->reads, 1);
	atomic_fetch_add(&remote->bytes, len);
	return 0;
}

static int remote_read_once(struct bytes_source *source, uint64_t offset, void *dst, size_t len,
			    const atomic_bool *stop, struct err *err)
{
	struct remote *remote = (struct remote *)source;

	if (remote->fails_once)
		return err_set(err, ERR_UNREACHABLE, "not this time");
	while (offset >= remote->silent_from && !atomic_load(stop))
		sched_yield();
	if (atomic_load(stop))
		return err_set(err, ERR_CANCELLED, "stopped");
	pthread_mutex_lock(&remote->lock);
	remote->in_flight++;
	pthread_cond_broadcast(&remote->arrived);
	while (remote->in_flight < remote->meet)
		pthread_cond_wait(&remote->arrived, &remote->lock);
	pthread_mutex_unlock(&remote->lock);
	return remote_read_at(source, offset, dst, len, err);
}

static void remote_close(struct bytes_source *source)
{
	(void)source;
}

static const struct bytes_source_ops remote_ops = {
	.read_at = remote_read_at, .close = remote_close, .read_once = remote_read_once};

static int set_up(void **state)
{
	struct remote *remote = mem_zalloc(sizeof(*remote));

	remote->source = (struct bytes_source){&remote_ops, SIZE, mem_strdup("remote")};
	remote->silent_from = UINT64_MAX;
	pthread_mutex_init(&remote->lock, NULL);
	pthread_cond_init(&remote->arrived, NULL);
	*state = remote;
	return 0;
}

static int tear_down(void **state)
{
	struct remote *remote = *state;

	pthread_mutex_destroy(&remote->lock);
	pthread_cond_destroy(&remote->arrived);
	free(remote->source.name);
	free(remote);
	return read_ahead_memory() == 0 ? 0 : -1;
}

/* `base`: where the source begins in the remote one. */
static void assert_reads_of(struct bytes_source *source, uint64_t offset, size_t len, uint64_t base)
{
	cleanup(mem_freep) char *bytes = mem_alloc(len + 1);
	struct err err = {0};

	if (bytes_source_read(source, offset, bytes, len, &err) < 0)
		fail_msg("%s", err.message);
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != byte_at(base + offset + i))
			fail_msg("byte %llu is wrong", (unsigned long long)(offset + i));
}

static void assert_reads(struct bytes_source *source, uint64_t offset, size_t len)
{
	assert_reads_of(source, offset, len, 0);
}

static void assert_passes(struct bytes_source *source, uint64_t from)
{
	for (uint64_t at = from; at < source->size; at += WINDOW)
		assert_reads(source, at, (size_t)MIN(WINDOW, source->size - at));
}

static void a_pass_fetches_every_byte_once(void **state)
{
	struct remote *remote = *state;
	struct bytes_source *source = read_ahead_new(&remote->source);

	assert_passes(source, 0);
	bytes_source_close(source);
	assert_int_equal(remote->bytes, SIZE);
}

static void a_pass_that_is_told_of_asks_for_all_its_ranges_before_the_first_read(void **state)
{
	struct remote *remote = *state;
	struct bytes_source *source = read_ahead_new(&remote->source);

	/* None of the six ranges is answered before all of them are asked for. */
	remote->meet = 6;
	read_ahead_until(source, MIB(8));
	read_ahead_begin(source, MIB(2));
	for (uint64_t at = MIB(2); at < MIB(8); at += WINDOW)
		assert_reads(source, at, WINDOW);
	bytes_source_close(source);
	assert_int_equal(remote->reads, 6);
	assert_int_equal(remote->bytes, MIB(6));
}

static void a_pass_over_a_part_of_a_file_fetches_nothing_beside_it(void **state)
{
	struct remote *remote = *state;
	struct bytes_source *slice, *source;
	struct err err;

	assert_int_equal(
		slice_source_open(&remote->source, MIB(3) + 1, MIB(4), STR("part"), &slice, &err),
		0);
	source = read_ahead_new(slice);
	for (uint64_t at = 0; at < source->size; at += WINDOW)
		assert_reads_of(source, at, WINDOW, MIB(3) + 1);
	bytes_source_close(source);
	assert_int_equal(remote->bytes, MIB(4));
}

static void one_read_fetches_what_it_asks_for(void **state)
{
	struct remote *remote = *state;
	struct bytes_source *source = read_ahead_new(&remote->source);

	assert_reads(source, 0, WINDOW);
	assert_int_equal(read_ahead_memory(), 0);
	bytes_source_close(source);
	assert_int_equal(remote->reads, 1);
	assert_int_equal(remote->bytes, WINDOW);
}

static void ranges_are_in_flight_together(void **state)
{
	struct remote *remote = *state;
	struct bytes_source *source = read_ahead_new(&remote->source);

	remote->meet = 2;
	assert_passes(source, 0);
	bytes_source_close(source);
}

static void nothing_is_fetched_behind_where_the_pass_will_end(void **state)
{
	struct remote *remote = *state;
	struct bytes_source *source = read_ahead_new(&remote->source);

	read_ahead_until(source, MIB(3) + 5);
	for (uint64_t at = 0; at < MIB(3) + 5; at += WINDOW)
		assert_reads(source, at, (size_t)MIN(WINDOW, MIB(3) + 5 - at));
	bytes_source_close(source);
	assert_int_equal(remote->bytes, MIB(3) + 5);
}

static void what_lies_behind_the_expected_end_is_read_when_asked_for(void **state)
{
	struct remote *remote = *state;
	struct bytes_source *source = read_ahead_new(&remote->source);

	read_ahead_until(source, MIB(1));
	assert_passes(source, 0);
	bytes_source_close(source);
	assert_int_equal(remote->bytes, SIZE);
}

static void a_jump_goes_on_from_there(void **state)
{
	struct remote *remote = *state;
	struct bytes_source *source = read_ahead_new(&remote->source);

	assert_reads(source, 0, WINDOW);
	assert_reads(source, WINDOW, WINDOW);
	assert_reads(source, MIB(7) + 3, 100);
	assert_reads(source, MIB(7) + 103, 100);
	assert_passes(source, MIB(2) + 1);
	assert_reads(source, 5, 10);
	bytes_source_close(source);
}

static void a_range_that_fails_ahead_is_asked_for_again(void **state)
{
	struct remote *remote = *state;
	struct bytes_source *source = read_ahead_new(&remote->source);

	remote->fails_once = true;
	assert_passes(source, 0);
	bytes_source_close(source);
	assert_int_equal(remote->bytes, SIZE);
}

static void a_reader_gets_the_error_of_its_own_read(void **state)
{
	struct remote *remote = *state;
	struct bytes_source *source = read_ahead_new(&remote->source);
	struct err err = {0};
	char bytes[16];

	assert_reads(source, 0, WINDOW);
	remote->fails = remote->fails_once = true;
	assert_int_equal(bytes_source_read(source, WINDOW, bytes, sizeof(bytes), &err),
			 -ERR_UNREACHABLE);
	assert_string_equal(err.message, "the server is gone");
	bytes_source_close(source);
}

static void what_all_sources_take_is_limited(void **state)
{
	struct remote *remote = *state;
	struct bytes_source *source = read_ahead_new(&remote->source);

	read_ahead_set_memory(2 * READ_AHEAD_RANGE);
	read_ahead_begin(source, 0);
	for (uint64_t at = 0; at < SIZE; at += WINDOW)
		assert_reads(source, at, MIN((uint64_t)WINDOW, SIZE - at));
	assert_int_equal(read_ahead_memory(), 2 * READ_AHEAD_RANGE);
	bytes_source_close(source);
	read_ahead_set_memory(READ_AHEAD_MEMORY);
	assert_int_equal(remote->bytes, SIZE);
}

/* Reads on by what is lent, and where nothing is by itself. */
static void assert_borrows_on(struct bytes_source *source, uint64_t from, uint64_t to)
{
	struct str lent;

	for (uint64_t at = from; at < to; at += lent.len) {
		if (!read_ahead_borrow(source, at, &lent))
			fail_msg("nothing is lent at byte %llu", (unsigned long long)at);
		for (size_t i = 0; i < lent.len; i++)
			if (lent.ptr[i] != byte_at(at + i))
				fail_msg("byte %llu is wrong", (unsigned long long)(at + i));
	}
}

static void what_is_lent_is_fetched_once(void **state)
{
	struct remote *remote = *state;
	struct bytes_source *source = read_ahead_new(&remote->source);

	read_ahead_begin(source, 0);
	assert_borrows_on(source, 0, SIZE);
	bytes_source_close(source);
	assert_int_equal(remote->bytes, SIZE);
}

static void nothing_is_lent_before_a_read_follows_another(void **state)
{
	struct remote *remote = *state;
	struct bytes_source *source = read_ahead_new(&remote->source);
	struct str lent;

	assert_false(read_ahead_borrow(source, 0, &lent));
	assert_reads(source, 0, WINDOW);
	assert_false(read_ahead_borrow(source, WINDOW + 1, &lent));
	assert_int_equal(remote->bytes, WINDOW);
	assert_borrows_on(source, WINDOW, SIZE);
	bytes_source_close(source);
	assert_int_equal(remote->bytes, SIZE);
}

static void a_part_of_what_was_lent_may_be_read_again(void **state)
{
	struct remote *remote = *state;
	struct bytes_source *source = read_ahead_new(&remote->source);

	read_ahead_begin(source, 0);
	assert_borrows_on(source, 0, SIZE);
	assert_reads(source, SIZE - 16, 16);
	bytes_source_close(source);
	assert_int_equal(remote->bytes, SIZE);
}

static void a_jump_away_from_what_is_lent_goes_on_from_there(void **state)
{
	struct remote *remote = *state;
	struct bytes_source *source = read_ahead_new(&remote->source);

	read_ahead_begin(source, MIB(1));
	assert_borrows_on(source, MIB(1), MIB(2));
	read_ahead_begin(source, MIB(6) + 7);
	assert_borrows_on(source, MIB(6) + 7, MIB(7) + 7);
	assert_passes(source, 3);
	bytes_source_close(source);
}

static void a_range_that_fails_ahead_is_not_lent(void **state)
{
	struct remote *remote = *state;
	struct bytes_source *source = read_ahead_new(&remote->source);
	struct str lent;

	remote->fails_once = true;
	read_ahead_begin(source, 0);
	assert_false(read_ahead_borrow(source, 0, &lent));
	assert_reads(source, 0, WINDOW);
	bytes_source_close(source);
}

static void what_is_left_of_closed_sources_goes_to_others(void **state)
{
	struct remote *remote = *state;
	struct bytes_source *first, *second;
	struct err err;

	assert_int_equal(slice_source_open(&remote->source, 0, MIB(4), STR("first"), &first, &err),
			 0);
	assert_int_equal(
		slice_source_open(&remote->source, 0, MIB(4), STR("second"), &second, &err), 0);
	first = read_ahead_new(first);
	second = read_ahead_new(second);
	assert_passes(first, 0);
	bytes_source_close(first);
	assert_true(read_ahead_memory() > 0);
	read_ahead_set_memory(read_ahead_memory());
	read_ahead_begin(second, 0);
	assert_borrows_on(second, 0, MIB(1));
	read_ahead_set_memory(READ_AHEAD_MEMORY);
	bytes_source_close(second);
}

static void closing_ends_ranges_that_get_no_answer(void **state)
{
	struct remote *remote = *state;
	struct bytes_source *source = read_ahead_new(&remote->source);

	remote->silent_from = WINDOW + READ_AHEAD_RANGE;
	assert_reads(source, 0, WINDOW);
	assert_reads(source, WINDOW, WINDOW);
	assert_true(read_ahead_memory() > 0);
	assert_true(read_ahead_memory() <= READ_AHEAD_RANGES * READ_AHEAD_RANGE);
	bytes_source_close(source);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pass_fetches_every_byte_once),
		TEST(a_pass_that_is_told_of_asks_for_all_its_ranges_before_the_first_read),
		TEST(a_pass_over_a_part_of_a_file_fetches_nothing_beside_it),
		TEST(one_read_fetches_what_it_asks_for),
		TEST(ranges_are_in_flight_together),
		TEST(nothing_is_fetched_behind_where_the_pass_will_end),
		TEST(what_lies_behind_the_expected_end_is_read_when_asked_for),
		TEST(a_jump_goes_on_from_there),
		TEST(a_range_that_fails_ahead_is_asked_for_again),
		TEST(a_reader_gets_the_error_of_its_own_read),
		TEST(what_all_sources_take_is_limited),
		TEST(what_is_lent_is_fetched_once),
		TEST(nothing_is_lent_before_a_read_follows_another),
		TEST(a_part_of_what_was_lent_may_be_read_again),
		TEST(a_jump_away_from_what_is_lent_goes_on_from_there),
		TEST(a_range_that_fails_ahead_is_not_lent),
		TEST(what_is_left_of_closed_sources_goes_to_others),
		TEST(closing_ends_ranges_that_get_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
