/* The window of stored fields over a source that is read ahead, whose ranges it uses where they
 * lie, against the same bytes read by copies. */
#include "lucene/stored_window.h"

#include "base/crc32.h"
#include "store/read_ahead.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define SIZE (MIB(5) + 4321)
#define FOOTER 16
#define WANT_MOST KIB(200)
#define WANT_HUGE MIB(3)

struct remote {
	struct bytes_source source;
	const uint8_t *bytes;
	atomic_size_t sent;
	atomic_bool fails_ahead;
};

static int remote_read_at(struct bytes_source *source, uint64_t offset, void *dst, size_t len,
			  struct err *err)
{
	struct remote *remote = (struct remote *)source;

	(void)err;
	memcpy(dst, remote->bytes + offset, len);
	atomic_fetch_add(&remote->sent, len);
	return 0;
}

static int remote_read_once(struct bytes_source *source, uint64_t offset, void *dst, size_t len,
			    const atomic_bool *stop, struct err *err)
{
	(void)stop;
	if (atomic_load(&((struct remote *)source)->fails_ahead))
		return err_set(err, ERR_UNREACHABLE, "not this time");
	return remote_read_at(source, offset, dst, len, err);
}

static void remote_close(struct bytes_source *source)
{
	(void)source;
}

static const struct bytes_source_ops remote_ops = {
	.read_at = remote_read_at, .close = remote_close, .read_once = remote_read_once};

static unsigned long next_random(unsigned long *seed)
{
	*seed = *seed * 6364136223846793005UL + 1442695040888963407UL;
	return *seed >> 33;
}

/* SIZE random bytes, the last of which are a footer. */
static uint8_t *make_file(unsigned long seed)
{
	uint8_t *bytes = mem_alloc(SIZE), footer[] = {0xc0, 0x28, 0x93, 0xe8};
	uint32_t crc;

	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (uint8_t)next_random(&seed);
	memset(bytes + SIZE - FOOTER, 0, FOOTER);
	memcpy(bytes + SIZE - FOOTER, footer, sizeof(footer));
	crc = crc32_update(0, bytes, SIZE - 8);
	for (size_t i = 0; i < 4; i++)
		bytes[SIZE - 1 - i] = (uint8_t)(crc >> 8 * i);
	return bytes;
}

/* Takes bytes as a pass over chunks does, some without looking at them, to the end. */
static void assert_window_passes(struct stored_window *w, const uint8_t *bytes, unsigned long *seed)
{
	struct err err = {0};
	uint64_t left;

	while ((left = stored_window_left(w)) > 0) {
		size_t most = next_random(seed) % 64 ? WANT_MOST : WANT_HUGE;
		uint64_t n = 1 + next_random(seed) % most, at = stored_window_position(w);

		n = MIN(n, left);
		if (next_random(seed) % 16 == 0) {
			assert_int_equal(stored_window_skip(w, n, &err), 0);
			assert_int_equal(stored_window_position(w), at + n);
			continue;
		}
		if (stored_window_need(w, n, &err) < 0)
			fail_msg("%s", err.message);
		assert_memory_equal(stored_window_at(w), bytes + at, n);
		w->pos += next_random(seed) % (n + 1);
	}
}

static void pass(uint64_t from, bool fails_ahead, size_t memory, unsigned long seed)
{
	cleanup(mem_freep) uint8_t *bytes = make_file(seed);
	cleanup(mem_freep) char *name = mem_strdup("remote");
	struct remote remote = {.source = {&remote_ops, SIZE, name}, .bytes = bytes};
	struct bytes_source *source = read_ahead_new(&remote.source);
	struct stored_window w;
	struct err err = {0};

	print_message("seed %lu\n", seed);
	atomic_store(&remote.fails_ahead, fails_ahead);
	read_ahead_set_memory(memory);
	stored_window_init(&w, source, true);
	assert_int_equal(stored_window_end(&w, true, &err), 0);
	if (from > 0) {
		assert_int_equal(stored_window_seek(&w, from, &err), 0);
		read_ahead_begin(source, from);
	}
	assert_window_passes(&w, bytes, &seed);
	assert_int_equal(stored_window_finish(&w, &err), 0);
	assert_int_equal(w.crc, crc32_update(0, bytes + from, SIZE - 8 - from));
	stored_window_release(&w);
	bytes_source_close(source);
	read_ahead_set_memory(READ_AHEAD_MEMORY);
	if (memory == READ_AHEAD_MEMORY && !fails_ahead)
		assert_int_equal(remote.sent, SIZE - from);
}

static void what_is_lent_is_passed_over_as_what_is_copied(void **state)
{
	(void)state;
	for (unsigned long seed = 1; seed <= 8; seed++)
		pass(0, false, READ_AHEAD_MEMORY, seed);
}

static void a_pass_over_the_rest_begins_with_what_is_lent(void **state)
{
	(void)state;
	for (unsigned long seed = 1; seed <= 4; seed++)
		pass(MIB(2) + 77 * seed, false, READ_AHEAD_MEMORY, seed);
}

static void a_pass_may_go_back(void **state)
{
	unsigned long seed = 1;
	cleanup(mem_freep) uint8_t *bytes = make_file(seed);
	cleanup(mem_freep) char *name = mem_strdup("remote");
	struct remote remote = {.source = {&remote_ops, SIZE, name}, .bytes = bytes};
	struct bytes_source *source = read_ahead_new(&remote.source);
	struct stored_window w;
	struct err err = {0};

	(void)state;
	stored_window_init(&w, source, true);
	assert_int_equal(stored_window_end(&w, true, &err), 0);
	assert_window_passes(&w, bytes, &seed);
	for (uint64_t from = MIB(4); from > 0; from /= 8) {
		assert_int_equal(stored_window_seek(&w, from, &err), 0);
		assert_window_passes(&w, bytes, &seed);
		assert_int_equal(stored_window_crc(&w),
				 crc32_update(0, bytes + from, SIZE - FOOTER - from));
	}
	stored_window_release(&w);
	bytes_source_close(source);
}

static void what_is_not_lent_is_read(void **state)
{
	(void)state;
	pass(0, true, READ_AHEAD_MEMORY, 1);
	pass(0, false, READ_AHEAD_RANGE, 2);
	pass(0, false, 0, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_lent_is_passed_over_as_what_is_copied),
		cmocka_unit_test(a_pass_over_the_rest_begins_with_what_is_lent),
		cmocka_unit_test(a_pass_may_go_back),
		cmocka_unit_test(what_is_not_lent_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
