#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "log_folder.h"
#include "traffic/commit_tracker.h"
#include "traffic/segment_log_internal.h"

enum { WAIT_MS = 120000 };

static const struct segment_log_options small_segments = {.segment_bytes = 400,
							  .sync = SEGMENT_LOG_SYNC_NONE};

/* Record i: a key, a time and as many bytes as i says. */
static struct str bytes_of(uint64_t i, char bytes[1024])
{
	size_t len = (size_t)(i * 37 % 900);

	memset(bytes, (int)('a' + i % 26), len);
	return str_of(bytes, len);
}

static void append_many(const struct log_folder *folder, struct segment_log *log, uint64_t from,
			uint64_t to)
{
	char bytes[1024];
	uint64_t offset;

	for (uint64_t i = from; i < to; i++) {
		assert_int_equal(append_and_wait(folder, log, STR("key"), (int64_t)(1000 + i),
						 bytes_of(i, bytes), &offset),
				 0);
		assert_int_equal(offset, i);
	}
}

static void assert_many(struct segment_log_reader *reader, uint64_t from, uint64_t to)
{
	char bytes[1024];

	for (uint64_t i = from; i < to; i++)
		assert_next(reader, i, STR("key"), (int64_t)(1000 + i), bytes_of(i, bytes));
}

static struct segment_log_reader *reader_of(const struct log_folder *folder)
{
	struct segment_log_reader *reader = NULL;
	struct err err = {0};

	if (segment_log_reader_open(folder->path, &reader, &err) < 0)
		fail_msg("%s", err.message);
	return reader;
}

static void crc32c_is_castagnolis(void **state)
{
	uint8_t zeros[32] = {0};

	(void)state;
	assert_int_equal(crc32c_update(0, zeros, sizeof(zeros)), 0x8a9136aa);
	assert_int_equal(crc32c_update(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c_update(crc32c_update(0, "12345", 5), "6789", 4), 0xe3069283);
}

static void what_is_appended_is_read_again_after_opening_anew(void **state)
{
	struct log_folder folder;
	struct segment_log_reader *reader;
	struct segment_log_state now;
	struct segment_log_entry entry;
	struct segment_log *log;
	struct err err;

	(void)state;
	log_folder_make(&folder);
	log = log_folder_open(&folder, &small_segments);
	append_many(&folder, log, 0, 40);
	segment_log_state(log, &now);
	assert_int_equal(now.first, 0);
	assert_int_equal(now.end, 40);
	assert_int_equal(now.buffered_bytes, 0);
	reader = reader_of(&folder);
	assert_many(reader, 0, 40);
	assert_int_equal(segment_log_reader_next(reader, 0, &entry, &err), 0);
	segment_log_close(log);

	log = log_folder_open(&folder, &small_segments);
	append_many(&folder, log, 40, 80);
	assert_many(reader, 40, 80);
	segment_log_reader_close(reader);
	segment_log_close(log);
	log_folder_remove(&folder);
}

static void a_reader_seeks_by_offset_and_by_time(void **state)
{
	struct log_folder folder;
	struct segment_log_reader *reader;
	struct segment_log_entry entry;
	struct segment_log *log;
	uint64_t first, end;
	struct err err;

	(void)state;
	log_folder_make(&folder);
	log = log_folder_open(&folder,
			      &(struct segment_log_options){.segment_bytes = MIB(1),
							    .sync = SEGMENT_LOG_SYNC_NONE});
	append_many(&folder, log, 0, 3000);
	reader = reader_of(&folder);
	for (uint64_t i = 0; i < 3000; i += 97) {
		assert_int_equal(segment_log_reader_seek(reader, i, &err), 0);
		assert_many(reader, i, i + 2);
		assert_int_equal(segment_log_reader_seek_time(reader, (int64_t)(1000 + i), &err),
				 0);
		assert_many(reader, i, i + 2);
	}
	assert_int_equal(segment_log_reader_seek_time(reader, 0, &err), 0);
	assert_many(reader, 0, 1);
	assert_int_equal(segment_log_reader_seek(reader, 3000, &err), 0);
	assert_int_equal(segment_log_reader_next(reader, 0, &entry, &err), 0);
	append_many(&folder, log, 3000, 3001);
	assert_many(reader, 3000, 3001);
	assert_int_equal(segment_log_reader_range(reader, &first, &end, &err), 0);
	assert_int_equal(first, 0);
	assert_int_equal(end, 3001);
	segment_log_reader_close(reader);
	segment_log_close(log);
	log_folder_remove(&folder);
}

static void a_second_writer_is_refused(void **state)
{
	struct log_folder folder;
	struct segment_log *log, *second;
	struct err err = {0};

	(void)state;
	log_folder_make(&folder);
	log = log_folder_open(&folder, NULL);
	assert_int_equal(segment_log_open(folder.path, NULL, &second, &err), -ERR_CONFLICT);
	segment_log_close(log);
	log_folder_remove(&folder);
}

static void a_folder_without_a_log_is_not_found(void **state)
{
	struct segment_log_reader *reader;
	struct log_folder folder;
	struct err err = {0};

	(void)state;
	log_folder_make(&folder);
	assert_int_equal(segment_log_reader_open(folder.path, &reader, &err), -ERR_NOT_FOUND);
	assert_int_equal(segment_log_reader_open("/nowhere/at/all", &reader, &err), -ERR_NOT_FOUND);
	log_folder_remove(&folder);
}

static void copy_file(const char *from, const char *to, off_t len)
{
	cleanup(mem_freep) char *bytes = mem_alloc((size_t)len + 1);
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(read(in, bytes, (size_t)len), len);
	assert_int_equal(write(out, bytes, (size_t)len), len);
	close(in);
	close(out);
}

static void assert_torn_at(const struct log_folder *whole, off_t kept, off_t size, bool zeros)
{
	char from[256], to[256];
	struct log_folder torn;
	struct segment_log *log;
	struct segment_log_reader *reader;
	uint64_t offset;

	log_folder_make(&torn);
	log_folder_file(whole, "00000000000000000000.segment", from);
	log_folder_file(&torn, "00000000000000000000.segment", to);
	copy_file(from, to, kept);
	if (zeros)
		assert_int_equal(truncate(to, size), 0);
	/* The record that is not whole is gone, its number is given out again, all others stay. */
	log = log_folder_open(&torn, NULL);
	assert_int_equal(append_and_wait(&torn, log, STR("again"), 5, STR("x"), &offset), 0);
	assert_int_equal(offset, kept == size ? 4 : 3);
	reader = reader_of(&torn);
	assert_many(reader, 0, offset);
	assert_next(reader, offset, STR("again"), 5, STR("x"));
	segment_log_reader_close(reader);
	segment_log_close(log);
	log_folder_remove(&torn);
}

static void a_tail_torn_at_any_byte_is_cut_off(void **state)
{
	struct log_folder folder;
	struct segment_log_state before;
	struct segment_log *log;
	struct stat after;
	char path[256];

	(void)state;
	log_folder_make(&folder);
	log = log_folder_open(&folder, NULL);
	append_many(&folder, log, 0, 3);
	log_folder_file(&folder, "00000000000000000000.segment", path);
	segment_log_state(log, &before);
	append_many(&folder, log, 3, 4);
	segment_log_close(log);
	assert_int_equal(stat(path, &after), 0);
	for (off_t kept = (off_t)before.bytes; kept <= after.st_size; kept++) {
		assert_torn_at(&folder, kept, after.st_size, false);
		if (kept % 5 == 0)
			assert_torn_at(&folder, kept, after.st_size, true);
	}
	log_folder_remove(&folder);
}

/* Around blocks, and around what is written at a time. */
static const size_t sizes[] = {
	1, 4096 - 64 - 2 * 28 - 2, 4096, 8191, 100, 2097152 - 300, 2097152, 3000000, 0, 5, 1048576};

static struct str bytes_of_size(size_t i)
{
	static char bytes[3000000];

	memset(bytes, (int)('A' + i), sizes[i]);
	return str_of(bytes, sizes[i]);
}

static void append_sizes(const struct log_folder *folder, struct segment_log *log, uint64_t from,
			 struct segment_log_reader **reader)
{
	uint64_t offset;

	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		assert_int_equal(append_and_wait(folder, log, STR("k"), (int64_t)i,
						 bytes_of_size(i), &offset),
				 0);
		assert_int_equal(offset, from + i);
		if (!*reader)
			*reader = reader_of(folder);
		assert_next(*reader, offset, STR("k"), (int64_t)i, bytes_of_size(i));
	}
}

static void assert_sizes(const struct log_folder *folder, size_t rounds)
{
	struct segment_log_reader *reader = reader_of(folder);
	struct segment_log_entry entry;
	struct err err = {0};

	for (size_t i = 0; i < rounds * COUNT_OF(sizes); i++)
		assert_next(reader, i, STR("k"), (int64_t)(i % COUNT_OF(sizes)),
			    bytes_of_size(i % COUNT_OF(sizes)));
	assert_int_equal(segment_log_reader_next(reader, 0, &entry, &err), 0);
	segment_log_reader_close(reader);
}

static void a_log_on_a_disk_is_read_while_it_is_written(void **state)
{
	struct segment_log_options options = {.segment_bytes = 5000};
	struct segment_log_reader *reader = NULL;
	struct log_folder folder;
	struct segment_log *log;

	(void)state;
	log_folder_make_on_disk(&folder);
	for (uint64_t round = 0; round < 3; round++) {
		log = log_folder_open(&folder, &options);
		append_sizes(&folder, log, round * COUNT_OF(sizes), &reader);
		segment_log_close(log);
	}
	segment_log_reader_close(reader);
	assert_sizes(&folder, 3);
	log_folder_remove(&folder);
}

static void count_warning(void *user, const char *message)
{
	(void)message;
	++*(int *)user;
}

/* As a kill leaves it, or somebody copied it: its last block may end with zeros. */
static void a_log_that_was_not_closed_ends_with_its_last_record(void **state)
{
	struct segment_log_options options = {.warn = count_warning};
	struct segment_log_reader *reader = NULL;
	struct log_folder folder, copy;
	char from[256], to[256];
	struct segment_log *log;
	struct stat status;
	int warnings = 0;

	(void)state;
	log_folder_make_on_disk(&folder);
	log_folder_make_on_disk(&copy);
	log = log_folder_open(&folder, NULL);
	append_sizes(&folder, log, 0, &reader);
	log_folder_file(&folder, "00000000000000000000.segment", from);
	log_folder_file(&copy, "00000000000000000000.segment", to);
	assert_int_equal(stat(from, &status), 0);
	copy_file(from, to, status.st_size);
	assert_sizes(&copy, 1);
	segment_log_reader_close(take(reader));
	segment_log_close(log);
	options.user = &warnings;
	log = log_folder_open(&copy, &options);
	reader = reader_of(&copy);
	assert_int_equal(segment_log_reader_seek(reader, COUNT_OF(sizes), NULL), 0);
	append_sizes(&copy, log, COUNT_OF(sizes), &reader);
	segment_log_reader_close(reader);
	segment_log_close(log);
	assert_sizes(&copy, 2);
	assert_int_equal(warnings, 0);
	log_folder_remove(&folder);
	log_folder_remove(&copy);
}

/* As on a disk that takes no more writes past the page cache, of a sudden. */
static void a_segment_that_is_full_has_no_zeros_behind_its_last_record(void **state)
{
	struct segment_log_options options = {.segment_bytes = 3000};
	struct segment_log_reader *reader;
	struct log_folder folder;
	struct segment_log *log;

	(void)state;
	log_folder_make_on_disk(&folder);
	log = log_folder_open(&folder, &options);
	append_many(&folder, log, 0, 1);
	segment_log_direct_close(log); /* its thread has nothing to do */
	append_many(&folder, log, 1, 20);
	reader = reader_of(&folder);
	assert_many(reader, 0, 20);
	segment_log_reader_close(reader);
	segment_log_close(log);
	log_folder_remove(&folder);
}

/* Else it would have zeros behind its last record for good, which a reader takes for damage. */
static void a_full_segment_that_cannot_be_cut_breaks_the_log(void **state)
{
	struct segment_log_options options = {.segment_bytes = 3000};
	char path[256], bytes[1024];
	struct log_folder folder;
	struct segment_log *log;
	struct err err = {0};
	uint64_t offset;
	int unwritable;

	(void)state;
	log_folder_make_on_disk(&folder);
	log = log_folder_open(&folder, &options);
	if (log->direct < 0) {
		segment_log_close(log);
		log_folder_remove(&folder);
		skip(); /* no zeros on this disk */
	}
	for (uint64_t i = 0; log->position < options.segment_bytes; i++)
		append_many(&folder, log, i, i + 1);
	log_folder_file(&folder, "00000000000000000000.segment", path);
	unwritable = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(dup2(unwritable, log->segment), -1);
	close(unwritable);
	assert_int_equal(append_and_wait(&folder, log, STR("key"), 1, bytes_of(9, bytes), &offset),
			 EIO);
	assert_int_equal(segment_log_append_bytes(log, STR("key"), 1, STR("later"), NULL, &err),
			 -ERR_IO);
	segment_log_close(log);
	log = log_folder_open(&folder, &options);
	append_many(&folder, log, log->next, log->next + 10);
	segment_log_close(log);
	log_folder_remove(&folder);
}

/* After a power cut there may be none. */
static void a_reader_that_found_no_mark_follows_the_writer_that_comes(void **state)
{
	struct segment_log_reader *reader;
	struct segment_log_entry entry;
	struct log_folder folder;
	struct segment_log *log;
	struct err err = {0};
	struct stat status;
	char path[256];

	(void)state;
	log_folder_make(&folder);
	log = log_folder_open(&folder, NULL);
	append_many(&folder, log, 0, 3);
	segment_log_close(log);
	log_folder_file(&folder, "end", path);
	assert_int_equal(unlink(path), 0);
	log_folder_file(&folder, "00000000000000000000.segment", path);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(truncate(path, status.st_size + 1000), 0);
	reader = reader_of(&folder);
	assert_many(reader, 0, 3);
	assert_int_equal(segment_log_reader_next(reader, 0, &entry, &err), 0);
	log = log_folder_open(&folder, NULL);
	append_many(&folder, log, 3, 6);
	assert_many(reader, 3, 6);
	segment_log_reader_close(reader);
	segment_log_close(log);
	log_folder_remove(&folder);
}

static void damage_of_what_was_durable_is_refused(void **state)
{
	struct segment_log_reader *reader;
	struct segment_log_entry entry;
	struct log_folder folder;
	struct segment_log *log;
	struct err err = {0};
	char path[256];
	int fd;

	(void)state;
	log_folder_make(&folder);
	log = log_folder_open(&folder, NULL);
	append_many(&folder, log, 0, 5);
	segment_log_close(log);
	fd = open(log_folder_file(&folder, "00000000000000000000.segment", path), O_WRONLY);
	assert_int_equal(pwrite(fd, "!", 1, 64 + 28 + 3 + 28 + 20), 1);
	close(fd);
	assert_int_equal(segment_log_open(folder.path, NULL, &log, &err), -ERR_FORMAT);
	assert_non_null(strstr(err.message, "damaged"));
	reader = reader_of(&folder);
	assert_many(reader, 0, 1);
	assert_int_equal(segment_log_reader_next(reader, 0, &entry, &err), -ERR_FORMAT);
	assert_int_equal(segment_log_reader_next(reader, 0, &entry, &err), -ERR_FORMAT);
	assert_non_null(strstr(err.message, "offset 1"));
	segment_log_reader_close(reader);
	log_folder_remove(&folder);
}

static void retention_keeps_what_a_group_has_not_committed(void **state)
{
	struct segment_log_options options = {
		.segment_bytes = 400, .retention_bytes = 1, .sync = SEGMENT_LOG_SYNC_NONE};
	struct segment_log_reader *slow, *quick;
	struct segment_log_entry entry;
	struct segment_log_state now;
	struct log_folder folder;
	struct segment_log *log;
	struct err err = {0};

	(void)state;
	log_folder_make(&folder);
	assert_int_equal(segment_log_group_commit(folder.path, "lagging", 0, &err), 0);
	log = log_folder_open(&folder, &options);
	append_many(&folder, log, 0, 30);
	slow = reader_of(&folder);
	quick = reader_of(&folder);
	assert_many(quick, 0, 30);
	assert_many(slow, 0, 10);
	segment_log_close(log);

	/* Closing and opening is the way to wait for the next look. */
	assert_int_equal(segment_log_group_commit(folder.path, "lagging", 10, &err), 0);
	log = log_folder_open(&folder, &options);
	segment_log_close(log);
	log = log_folder_open(&folder, &options);
	segment_log_state(log, &now);
	assert_in_range(now.first, 1, 10);
	assert_many(slow, 10, 12);

	assert_int_equal(segment_log_group_remove(folder.path, "lagging", &err), 0);
	segment_log_close(log);
	log = log_folder_open(&folder, &options);
	append_many(&folder, log, 30, 40);
	segment_log_close(log);
	log = log_folder_open(&folder, &options);
	segment_log_close(log);
	/* The segment it has open is read to its end; behind it some are gone, which is told. */
	while (segment_log_reader_next(slow, 0, &entry, &err) == 1)
		;
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_int_equal(segment_log_reader_next(slow, 0, &entry, &err), 1);
	assert_in_range(entry.offset, 20, 39);
	segment_log_reader_close(slow);
	segment_log_reader_close(quick);
	log_folder_remove(&folder);
}

static void offsets_that_a_group_has_seen_are_not_given_out_again(void **state)
{
	struct segment_log_reader *reader;
	struct log_folder folder;
	struct segment_log *log;
	struct err err = {0};
	uint64_t offset;

	(void)state;
	log_folder_make(&folder);
	log = log_folder_open(&folder, NULL);
	append_many(&folder, log, 0, 5);
	segment_log_close(log);
	assert_int_equal(segment_log_group_commit(folder.path, "g", 9, &err), 0);
	log = log_folder_open(&folder, NULL);
	assert_int_equal(append_and_wait(&folder, log, STR("k"), 1, STR("x"), &offset), 0);
	assert_int_equal(offset, 9);
	reader = reader_of(&folder);
	assert_many(reader, 0, 5);
	assert_next(reader, 9, STR("k"), 1, STR("x"));
	segment_log_reader_close(reader);
	segment_log_close(log);
	log_folder_remove(&folder);
}

static void a_group_keeps_its_offset_and_its_name_is_checked(void **state)
{
	struct log_folder folder;
	struct err err = {0};
	uint64_t offset = 7;

	(void)state;
	log_folder_make(&folder);
	assert_int_equal(segment_log_group_committed(folder.path, "g", &offset, &err), 0);
	assert_int_equal(offset, 7);
	assert_int_equal(segment_log_group_commit(folder.path, "g", 12, &err), 0);
	assert_int_equal(segment_log_group_committed(folder.path, "g", &offset, &err), 1);
	assert_int_equal(offset, 12);
	assert_int_equal(segment_log_group_commit(folder.path, "../g", 1, &err), -ERR_USAGE);
	assert_int_equal(segment_log_group_commit(folder.path, "", 1, &err), -ERR_USAGE);
	log_folder_remove(&folder);
}

static void a_full_buffer_says_so_and_takes_more_later(void **state)
{
	struct segment_log_options options = {.buffer_bytes = 1};
	struct log_folder folder;
	struct segment_log *log;
	char bytes[1024] = {0};
	size_t accepted = 0, completed = 0;

	(void)state;
	log_folder_make(&folder);
	log = log_folder_open(&folder, &options);
	while (completed < 200) {
		struct completion *list, *done = mem_zalloc(sizeof(*done));
		struct err err = {0};
		int failed;

		done->queue = folder.queue;
		failed =
			segment_log_append_bytes(log, STR("k"), 1, str_of(bytes, 1024), done, &err);
		if (failed < 0) {
			assert_int_equal(failed, -ERR_LIMIT);
			assert_true(err.retry);
			free(done);
			list = completion_queue_wait(folder.queue, WAIT_MS);
			assert_non_null(list);
		} else {
			accepted++;
			list = completion_queue_take(folder.queue);
		}
		while (list) {
			struct completion *next = list->next;

			assert_int_equal(list->failed, ERR_NONE);
			free(list);
			list = next;
			completed++;
		}
	}
	while (completed < accepted) {
		free(completion_queue_wait(folder.queue, WAIT_MS));
		completed++;
	}
	segment_log_close(log);
	log_folder_remove(&folder);
}

static void a_record_that_finds_no_space_fails_and_the_next_that_does_is_stored(void **state)
{
	struct rlimit limit, small = {.rlim_cur = 1200, .rlim_max = RLIM_INFINITY};
	struct segment_log_reader *reader;
	struct segment_log_entry entry;
	struct log_folder folder;
	struct segment_log *log;
	struct segment_log_state now;
	char bytes[2000] = {0};
	struct err err = {0};
	uint64_t offset;

	(void)state;
	log_folder_make(&folder);
	log = log_folder_open(&folder, NULL);
	append_many(&folder, log, 0, 1);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	small.rlim_max = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(append_and_wait(&folder, log, STR("k"), 1, str_of(bytes, 2000), &offset),
			 EFBIG);
	assert_int_equal(append_and_wait(&folder, log, STR("k"), 2, STR("fits"), &offset), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(offset, 1);
	segment_log_state(log, &now);
	assert_int_equal(now.failed, 1);
	reader = reader_of(&folder);
	assert_many(reader, 0, 1);
	assert_next(reader, 1, STR("k"), 2, STR("fits"));
	assert_int_equal(segment_log_reader_next(reader, 0, &entry, &err), 0);
	segment_log_reader_close(reader);
	segment_log_close(log);
	log_folder_remove(&folder);
}

static void note_message(void *user, const char *message)
{
	snprintf(user, 512, "%s", message);
}

static void a_disk_that_fills_is_told_before_it_is_full(void **state)
{
	char told[512] = "";
	struct segment_log_options options = {
		.warn_free_bytes = UINT64_MAX / 20, .warn = note_message, .user = told};
	struct log_folder folder;
	struct segment_log *log;

	(void)state;
	log_folder_make(&folder);
	log = log_folder_open(&folder, &options);
	append_many(&folder, log, 0, 1);
	segment_log_close(log);
	assert_non_null(strstr(told, "fills"));
	assert_non_null(strstr(told, "--retention"));
	log_folder_remove(&folder);
}

struct follower {
	const char *folder;
	uint64_t until;
	size_t read;
};

static void *follow(void *argument)
{
	struct follower *follower = argument;
	struct segment_log_reader *reader;
	struct segment_log_entry entry;
	struct err err = {0};
	char bytes[1024];

	if (segment_log_reader_open(follower->folder, &reader, &err) < 0)
		return NULL;
	while (follower->read < follower->until &&
	       segment_log_reader_next(reader, WAIT_MS, &entry, &err) == 1 &&
	       entry.offset == follower->read && str_eq(entry.bytes, bytes_of(entry.offset, bytes)))
		follower->read++;
	segment_log_reader_close(reader);
	return NULL;
}

static void readers_follow_the_writer_through_its_segments(void **state)
{
	enum { RECORDS = 1500 };
	struct segment_log_options options = {.segment_bytes = 20000,
					      .sync = SEGMENT_LOG_SYNC_NONE};
	struct follower followers[2];
	pthread_t threads[2];
	struct log_folder folder;
	struct segment_log *log;

	(void)state;
	log_folder_make(&folder);
	log = log_folder_open(&folder, &options);
	for (size_t i = 0; i < 2; i++) {
		followers[i] = (struct follower){.folder = folder.path, .until = RECORDS};
		assert_int_equal(pthread_create(&threads[i], NULL, follow, &followers[i]), 0);
	}
	append_many(&folder, log, 0, RECORDS);
	for (size_t i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(followers[i].read, RECORDS);
	}
	segment_log_close(log);
	log_folder_remove(&folder);
}

static void a_reader_that_waits_is_woken(void **state)
{
	struct segment_log_reader *reader;
	struct segment_log_entry entry;
	struct log_folder folder;
	struct segment_log *log;
	struct err err = {0};

	(void)state;
	log_folder_make(&folder);
	log = log_folder_open(&folder, NULL);
	reader = reader_of(&folder);
	segment_log_reader_wake(reader);
	assert_int_equal(segment_log_reader_next(reader, -1, &entry, &err), 0);
	segment_log_reader_close(reader);
	segment_log_close(log);
	log_folder_remove(&folder);
}

static void a_commit_waits_for_the_lowest(void **state)
{
	struct commit_tracker t = COMMIT_TRACKER_INIT(5);

	(void)state;
	for (uint64_t i = 5; i < 5000; i++)
		if (i != 7)
			commit_tracker_begin(&t, i);
	for (uint64_t i = 4999; i > 5; i--) {
		assert_int_equal(commit_tracker_finish(&t, i), i != 7);
		assert_int_equal(commit_tracker_committable(&t), 5);
	}
	assert_true(commit_tracker_finish(&t, 5));
	assert_false(commit_tracker_finish(&t, 5));
	assert_int_equal(commit_tracker_committable(&t), 5000);
	commit_tracker_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc32c_is_castagnolis),
		cmocka_unit_test(what_is_appended_is_read_again_after_opening_anew),
		cmocka_unit_test(a_reader_seeks_by_offset_and_by_time),
		cmocka_unit_test(a_second_writer_is_refused),
		cmocka_unit_test(a_folder_without_a_log_is_not_found),
		cmocka_unit_test(a_tail_torn_at_any_byte_is_cut_off),
		cmocka_unit_test(a_log_on_a_disk_is_read_while_it_is_written),
		cmocka_unit_test(a_log_that_was_not_closed_ends_with_its_last_record),
		cmocka_unit_test(a_segment_that_is_full_has_no_zeros_behind_its_last_record),
		cmocka_unit_test(a_full_segment_that_cannot_be_cut_breaks_the_log),
		cmocka_unit_test(a_reader_that_found_no_mark_follows_the_writer_that_comes),
		cmocka_unit_test(damage_of_what_was_durable_is_refused),
		cmocka_unit_test(retention_keeps_what_a_group_has_not_committed),
		cmocka_unit_test(offsets_that_a_group_has_seen_are_not_given_out_again),
		cmocka_unit_test(a_group_keeps_its_offset_and_its_name_is_checked),
		cmocka_unit_test(a_full_buffer_says_so_and_takes_more_later),
		cmocka_unit_test(
			a_record_that_finds_no_space_fails_and_the_next_that_does_is_stored),
		cmocka_unit_test(a_disk_that_fills_is_told_before_it_is_full),
		cmocka_unit_test(readers_follow_the_writer_through_its_segments),
		cmocka_unit_test(a_reader_that_waits_is_woken),
		cmocka_unit_test(a_commit_waits_for_the_lowest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
