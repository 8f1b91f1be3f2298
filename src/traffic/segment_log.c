#include "traffic/segment_log_internal.h"

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

void segment_log_warn(const struct segment_log *log, const char *fmt, ...)
{
	char message[512];
	va_list args;

	if (!log->options.warn)
		return;
	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	log->options.warn(log->options.user, message);
}

static struct segment_log_options with_defaults(const struct segment_log_options *given)
{
	struct segment_log_options options = given ? *given : (struct segment_log_options){0};

	if (options.sync_interval_ms == 0)
		options.sync_interval_ms = 1000;
	if (options.segment_bytes == 0)
		options.segment_bytes = MIB(256);
	if (options.buffer_bytes == 0)
		options.buffer_bytes = MIB(64);
	if (options.warn_free_bytes == 0)
		options.warn_free_bytes = MIB(1024);
	return options;
}

static int take_lock(struct segment_log *log, struct err *err)
{
	log->lock_file = openat(log->folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (log->lock_file < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot make the lock of '%s'", log->path);
	if (flock(log->lock_file, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return err_set(err, ERR_CONFLICT,
			       "another process writes to the segment log '%s': stop it, or use "
			       "another folder",
			       log->path);
	return err_set_errno(err, ERR_IO, errno, "cannot lock the segment log '%s'", log->path);
}

/* A new folder is on the disk when the one is that it is in, and so on. Those above that may not
 * be opened were there before. */
static void sync_folders_above(int folder)
{
	static const char above[] = "../../../../../../../..";

	for (const char *path = above + sizeof(above) - sizeof(".."); path >= above; path -= 3) {
		int fd = openat(folder, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			return;
		fsync(fd);
		close(fd);
	}
}

static int make_folders(const struct segment_log *log, struct err *err)
{
	char groups[LIMIT_PATH];

	if ((size_t)snprintf(groups, sizeof(groups), "%s/groups", log->path) >= sizeof(groups))
		return err_set(err, ERR_LIMIT, "the path '%s' is too long", log->path);
	return directory_make(groups, err);
}

static int open_files(struct segment_log *log, struct err *err)
{
	int failed = make_folders(log, err);

	if (failed < 0)
		return failed;
	log->folder = open(log->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (log->folder < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot open the segment log '%s'",
				     log->path);
	if ((failed = take_lock(log, err)) < 0)
		return failed;
	sync_folders_above(log->folder);
	log->end_file = openat(log->folder, "end", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (log->end_file < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot open the segment log '%s'",
				     log->path);
	return segment_log_recover(log, err);
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void log_free(struct segment_log *log)
{
	close_fd(log->segment);
	close_fd(log->direct);
	close_fd(log->index);
	close_fd(log->end_file);
	close_fd(log->lock_file);
	close_fd(log->folder);
	pthread_mutex_destroy(&log->lock);
	pthread_cond_destroy(&log->wake);
	free(log->segments);
	free(log->room);
	free(log->path);
	free(log);
}

static void init_locks(struct segment_log *log)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&log->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&log->lock, NULL);
}

int segment_log_open(const char *folder, const struct segment_log_options *options,
		     struct segment_log **out, struct err *err)
{
	struct segment_log *log = mem_zalloc(sizeof(*log));
	int failed;

	log->folder = log->lock_file = log->end_file = log->segment = log->index = log->direct = -1;
	log->path = mem_strdup(folder);
	log->options = with_defaults(options);
	log->last = &log->first;
	log->newest = INT64_MIN;
	log->synced_ms = clock_monotonic_ms();
	init_locks(log);
	failed = open_files(log, err);
	if (failed == 0 &&
	    (errno = pthread_create(&log->thread, NULL, segment_log_commit_loop, log)) != 0)
		failed = err_set_errno(err, ERR_IO, errno, "cannot start a thread");
	if (failed < 0) {
		log_free(log);
		return failed;
	}
	*out = log;
	return 0;
}

void segment_log_close(struct segment_log *log)
{
	if (!log)
		return;
	pthread_mutex_lock(&log->lock);
	log->closing = true;
	pthread_cond_signal(&log->wake);
	pthread_mutex_unlock(&log->lock);
	pthread_join(log->thread, NULL);
	segment_log_trim(log);
	log_free(log);
}

static uint32_t content_crc(const struct record *record)
{
	uint32_t crc = crc32c_update(0, record->connection_id.ptr, record->connection_id.len);

	for (size_t i = 0; i < record->iov_count; i++)
		crc = crc32c_update(crc, record->iov[i].iov_base, record->iov[i].iov_len);
	return crc;
}

/* What an append weighs in the buffer. */
static size_t append_weight(const struct record *record)
{
	return record->bytes + record->connection_id.len + sizeof(struct append) + sizeof(*record);
}

static int enqueue(struct segment_log *log, struct append *append, struct err *err)
{
	size_t weight = append_weight(append->record);
	bool enough = false;
	int failed = 0;

	pthread_mutex_lock(&log->lock);
	if (log->broken)
		failed = err_set(err, ERR_IO,
				 "the segment log '%s' is broken: writing to the disk failed; free "
				 "or repair it, and start again",
				 log->path);
	else if (log->buffered > 0 && log->buffered + weight > log->options.buffer_bytes) {
		failed = err_set(err, ERR_LIMIT,
				 "the buffer of the segment log '%s' is full (%zu of %zu bytes)",
				 log->path, log->buffered, log->options.buffer_bytes);
		if (err)
			err->retry = true;
	} else {
		*log->last = append;
		log->last = &append->next;
		log->buffered += weight;
		log->state.buffered_bytes = log->buffered;
		enough = ++log->queued >= log->wanted;
	}
	pthread_mutex_unlock(&log->lock);
	if (enough)
		pthread_cond_signal(&log->wake);
	return failed;
}

static int append_record(struct segment_log *log, struct record *record, int64_t time_ms,
			 struct completion *done, struct err *err)
{
	struct append *append;
	int failed;

	if (record->connection_id.len > SEGMENT_LOG_KEY_MAX || record->bytes > RECORD_LIMIT_DECODED)
		return err_set(err, ERR_LIMIT,
			       "a record of %zu bytes with a key of %zu is too long for a segment "
			       "log (%zu, %d)",
			       record->bytes, record->connection_id.len, RECORD_LIMIT_DECODED,
			       SEGMENT_LOG_KEY_MAX);
	append = mem_zalloc(sizeof(*append));
	*append = (struct append){.record = record,
				  .done = done && done->queue ? done : NULL,
				  .time_ms = time_ms,
				  .content_crc = content_crc(record)};
	failed = enqueue(log, append, err);
	if (failed < 0)
		free(append);
	return failed;
}

int segment_log_append(struct segment_log *log, struct record *record, struct completion *done,
		       struct err *err)
{
	return append_record(log, record, record_time_ms(record->time), done, err);
}

int segment_log_append_bytes(struct segment_log *log, struct str key, int64_t time_ms,
			     struct str bytes, struct completion *done, struct err *err)
{
	struct record *record = record_from_bytes(key, bytes);
	int failed = append_record(log, record, time_ms, done, err);

	if (failed < 0)
		record_free(record);
	return failed;
}

void segment_log_state(struct segment_log *log, struct segment_log_state *out)
{
	pthread_mutex_lock(&log->lock);
	*out = log->state;
	pthread_mutex_unlock(&log->lock);
}
