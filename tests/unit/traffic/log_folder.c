#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <ftw.h>
#include <unistd.h>

#include <cmocka.h>

#include "log_folder.h"

enum { WAIT_MS = 120000 };

static void make_below(struct log_folder *folder, const char *where)
{
	struct err err;

	snprintf(folder->path, sizeof(folder->path), "%s/segment-log-XXXXXX", where);
	assert_non_null(mkdtemp(folder->path));
	assert_int_equal(completion_queue_new(&folder->queue, &err), 0);
}

void log_folder_make(struct log_folder *folder)
{
	/* In memory where there is such a folder: syncs of a shared disk take long. */
	make_below(folder, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

void log_folder_make_on_disk(struct log_folder *folder)
{
	make_below(folder, "/var/tmp");
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
	(void)status;
	(void)kind;
	(void)at;
	return remove(path);
}

void log_folder_remove(struct log_folder *folder)
{
	completion_queue_free(folder->queue);
	nftw(folder->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *log_folder_file(const struct log_folder *folder, const char *name, char path[256])
{
	snprintf(path, 256, "%s/%s", folder->path, name);
	return path;
}

struct segment_log *log_folder_open(const struct log_folder *folder,
				    const struct segment_log_options *options)
{
	struct segment_log *log = NULL;
	struct err err = {0};

	if (segment_log_open(folder->path, options, &log, &err) < 0)
		fail_msg("%s", err.message);
	return log;
}

int append_and_wait(const struct log_folder *folder, struct segment_log *log, struct str key,
		    int64_t time_ms, struct str bytes, uint64_t *offset)
{
	struct completion done = {.queue = folder->queue};
	struct err err = {0};

	if (segment_log_append_bytes(log, key, time_ms, bytes, &done, &err) < 0)
		fail_msg("%s", err.message);
	assert_ptr_equal(completion_queue_wait(folder->queue, WAIT_MS), &done);
	*offset = done.offset;
	return done.failed_errno;
}

void assert_next(struct segment_log_reader *reader, uint64_t offset, struct str key,
		 int64_t time_ms, struct str bytes)
{
	struct segment_log_entry entry;
	struct err err = {0};

	if (segment_log_reader_next(reader, 0, &entry, &err) != 1)
		fail_msg("offset %d: %s", (int)offset, err.message);
	assert_int_equal(entry.offset, offset);
	assert_true(str_eq(entry.key, key));
	assert_int_equal(entry.time_ms, time_ms);
	assert_true(str_eq(entry.bytes, bytes));
}
