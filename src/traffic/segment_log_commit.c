/* The commit thread: takes all that was appended since it looked last, writes it with as few calls
 * as possible, syncs once, tells the readers, and completes. */
#include "traffic/segment_log_internal.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	IOVECS = 1024, /* of one pwritev: IOV_MAX of Linux */
	TICK_MS = 1000,
	CACHED = MIB(64), /* of the open segment, for readers that follow closely */
	UNCACHE_AT_ONCE = MIB(4),
	GATHER_FROM = 4, /* records of a batch */
	GATHER_US = 2000,
	QUEUES = 16, /* that completions are sorted for at a time */
};

int segment_log_sync_now(struct segment_log *log)
{
	int64_t begun_us = clock_monotonic_us();

	if (fdatasync(log->segment) < 0)
		return -errno;
	log->sync_us = (3 * log->sync_us + clock_monotonic_us() - begun_us) / 4;
	log->durable = log->next;
	log->synced_ms = clock_monotonic_ms();
	pthread_mutex_lock(&log->lock);
	log->state.syncs++;
	pthread_mutex_unlock(&log->lock);
	return 0;
}

int segment_log_publish(struct segment_log *log)
{
	struct end_mark mark = {.visible = log->next,
				.durable = log->durable,
				.segment_base = log->segments[log->segment_count - 1].base,
				.position = log->position};
	uint8_t bytes[END_FILE];

	end_mark_encode(&mark, bytes);
	pthread_mutex_lock(&log->lock);
	log->state.first = log->segments[0].base;
	log->state.end = log->next;
	log->state.bytes = 0;
	for (size_t i = 0; i < log->segment_count; i++)
		log->state.bytes += log->segments[i].bytes;
	pthread_mutex_unlock(&log->lock);
	return write_all_at(log->end_file, bytes, sizeof(bytes), 0);
}

static int writev_all_at(int fd, struct iovec *iov, size_t count, uint64_t position)
{
	while (count > 0) {
		ssize_t wrote = pwritev(fd, iov, (int)count, (off_t)position);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return wrote < 0 ? -errno : -ENOSPC;
		position += (uint64_t)wrote;
		while (count > 0 && (size_t)wrote >= iov->iov_len) {
			wrote -= (ssize_t)iov->iov_len;
			iov++;
			count--;
		}
		if (wrote > 0) {
			iov->iov_base = (char *)iov->iov_base + wrote;
			iov->iov_len -= (size_t)wrote;
		}
	}
	return 0;
}

static uint64_t entry_size(const struct append *append)
{
	return ENTRY_HEADER + append->record->connection_id.len + append->record->bytes;
}

static void number(struct append *append, uint64_t offset)
{
	struct entry_header header = {.length = (uint32_t)append->record->bytes,
				      .key_length = (uint16_t)append->record->connection_id.len,
				      .offset = offset,
				      .time_ms = append->time_ms};

	append->offset = offset;
	entry_header_encode(&header, append->content_crc, append->header);
}

static size_t gather_one(const struct append *append, struct iovec *iov)
{
	const struct record *record = append->record;
	size_t count = 0;

	iov[count++] = (struct iovec){(void *)(uintptr_t)append->header, ENTRY_HEADER};
	if (record->connection_id.len > 0)
		iov[count++] = (struct iovec){(void *)(uintptr_t)record->connection_id.ptr,
					      record->connection_id.len};
	if (record->iov_count > 0)
		memcpy(iov + count, record->iov, record->iov_count * sizeof(*iov));
	return count + record->iov_count;
}

/* As many as fit into one call and this segment, at least one; *end is the first left out. */
static size_t gather(struct segment_log *log, struct append *from, struct append **end,
		     struct iovec iov[IOVECS], uint64_t *bytes)
{
	size_t count = 0;
	uint64_t offset = log->next;

	*bytes = 0;
	for (*end = from; *end; *end = (*end)->next) {
		if (*end != from && (count + (*end)->record->iov_count + 2 > IOVECS ||
				     log->position + *bytes >= log->options.segment_bytes))
			break;
		number(*end, offset++);
		count += gather_one(*end, iov + count);
		*bytes += entry_size(*end);
	}
	return count;
}

/* An index entry in front of each 64 KiB; what is lost of it costs a reader time, nothing else. */
static void note_index(struct segment_log *log, const struct append *append)
{
	struct index_entry entry = {
		.offset = append->offset, .newest_before = log->newest, .position = log->position};
	uint8_t bytes[INDEX_ENTRY];

	if (log->position < log->index_due || log->index < 0)
		return;
	log->index_due = log->position + INDEX_EVERY;
	index_entry_encode(&entry, bytes);
	if (write(log->index, bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes)) {
		close(log->index);
		log->index = -1;
	}
}

static void stored(struct segment_log *log, struct append *from, const struct append *end)
{
	struct segment_info *segment = &log->segments[log->segment_count - 1];

	for (struct append *append = from; append != end; append = append->next) {
		note_index(log, append);
		log->position += entry_size(append);
		log->newest = MAX(log->newest, append->time_ms);
		log->next++;
	}
	segment->bytes = log->position;
	segment->newest = log->newest;
}

/* A log is read once, soon after it was written. It is not to fill the page cache, at the cost of
 * the cluster beside it; and pages that are used again cost less to write to than new ones. */
static void uncache(struct segment_log *log)
{
	uint64_t to = log->position - MIN(log->position, (uint64_t)CACHED);

	if (to < log->uncached + UNCACHE_AT_ONCE)
		return;
	posix_fadvise(log->segment, (off_t)log->uncached, (off_t)(to - log->uncached),
		      POSIX_FADV_DONTNEED);
	log->uncached = to;
}

static void set_broken(struct segment_log *log, const char *what, int failed_errno)
{
	pthread_mutex_lock(&log->lock);
	log->broken = true;
	pthread_mutex_unlock(&log->lock);
	segment_log_warn(log,
			 "the segment log '%s' is broken: %s: %s; nothing more is stored until it "
			 "is opened again",
			 log->path, what, strerror(failed_errno));
}

/* The segment that is full is on the disk, whatever the log's sync is, before there is a next. */
static int roll_if_full(struct segment_log *log)
{
	int failed;

	if (log->position < log->options.segment_bytes)
		return 0;
	if (log->durable < log->next && (failed = segment_log_sync_now(log)) < 0) {
		set_broken(log, "fdatasync", -failed);
		return failed;
	}
	posix_fadvise(log->segment, 0, 0, POSIX_FADV_DONTNEED);
	log->uncached = 0;
	return segment_log_begin_segment(log, log->next);
}

static void fail_all(struct append *from, const struct append *end, int failed_errno)
{
	for (struct append *append = from; append != end; append = append->next)
		append->failed_errno = failed_errno;
}

/* 0, or -errno; what failed leaves the segment as it was. */
static int write_some(struct segment_log *log, struct append *from, struct append **end)
{
	struct iovec iov[IOVECS];
	uint64_t bytes;
	size_t count;
	int failed;

	*end = NULL;
	if ((failed = roll_if_full(log)) < 0)
		return failed;
	count = gather(log, from, end, iov, &bytes);
	failed = writev_all_at(log->segment, iov, count, log->position);
	if (failed == 0)
		stored(log, from, *end);
	else if (ftruncate(log->segment, (off_t)log->position) < 0)
		set_broken(log, "a write failed, and so did ftruncate", errno);
	return failed;
}

/* How many were written. */
static uint64_t write_batch(struct segment_log *log, struct append *batch)
{
	uint64_t before = log->next;
	struct append *end;

	for (; batch && !log->broken; batch = end) {
		int failed = write_some(log, batch, &end);

		if (failed < 0) {
			fail_all(batch, NULL, -failed);
			return log->next - before;
		}
	}
	if (batch)
		fail_all(batch, NULL, EIO);
	return log->next - before;
}

struct completion_list {
	struct completion_queue *queue;
	struct completion *first, **end;
};

static void put_lists(struct completion_list *lists, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		completion_queue_put(lists[i].queue, lists[i].first);
	*count = 0;
}

static void sort_completion(struct completion_list lists[QUEUES], size_t *count,
			    struct completion *done)
{
	size_t i = 0;

	while (i < *count && lists[i].queue != done->queue)
		i++;
	if (i == QUEUES) {
		put_lists(lists, count);
		i = 0;
	}
	if (i == *count) {
		lists[i] = (struct completion_list){.queue = done->queue};
		lists[i].end = &lists[i].first;
		++*count;
	}
	done->next = NULL;
	*lists[i].end = done;
	lists[i].end = &done->next;
}

/* Frees the batch; each queue is woken once. */
static void complete(struct segment_log *log, struct append *batch)
{
	struct completion_list lists[QUEUES];
	size_t queues = 0, weight = 0;
	uint64_t failed = 0;

	log->told = 0;
	for (struct append *at = batch; at; at = at->next) {
		failed += at->failed_errno != 0;
		log->told++;
		weight += at->record->bytes + at->record->connection_id.len +
			  sizeof(struct append) + sizeof(struct record);
	}
	pthread_mutex_lock(&log->lock);
	log->buffered -= weight;
	log->state.buffered_bytes = log->buffered;
	log->state.failed += failed;
	log->queued_then = log->queued;
	pthread_mutex_unlock(&log->lock);
	while (batch) {
		struct append *append = batch;
		struct completion *done = append->done;

		batch = append->next;
		if (done) {
			done->offset = append->offset;
			done->failed_errno = append->failed_errno;
			done->failed = append->failed_errno ? ERR_IO : ERR_NONE;
			sort_completion(lists, &queues, done);
		}
		record_free(append->record);
		free(append);
	}
	put_lists(lists, &queues);
	log->told_us = clock_monotonic_us();
}

static void commit_batch(struct segment_log *log, struct append *batch)
{
	uint64_t written = write_batch(log, batch);
	int failed = 0;

	if (written > 0 && log->options.sync == SEGMENT_LOG_SYNC_ALWAYS &&
	    log->durable < log->next && (failed = segment_log_sync_now(log)) < 0)
		set_broken(log, "fdatasync", -failed);
	if (log->broken && failed == 0)
		failed = -EIO;
	if (failed < 0)
		fail_all(batch, NULL, -failed);
	else if (written > 0 && (failed = segment_log_publish(log)) < 0)
		set_broken(log, "the readers cannot be told", -failed);
	complete(log, batch);
	uncache(log);
}

static struct timespec at_us(int64_t us)
{
	return (struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
}

/* Longer while more of those who were told come within it than would at an even pace, shorter while
 * not: clients that wait for their answers come back together, others do not. */
static void adapt_gathering(struct segment_log *log, size_t came)
{
	int64_t even = (int64_t)log->told * log->gather_us;

	if (2 * (int64_t)came * (log->sync_us + log->gather_us) > 3 * even)
		log->gather_us *= 2;
	else
		log->gather_us /= 2;
}

/* Those who have just been told come again at once, most of them. Without a wait, short beside a
 * sync, they would miss the next one, and there would be two halves that sync in turns: twice the
 * syncs, twice the time. Under the lock. */
static void let_gather(struct segment_log *log)
{
	int64_t most = MIN(log->sync_us, (int64_t)GATHER_US);
	struct timespec until;
	int timed_out = 0;

	log->gather_us = MAX(MIN(log->gather_us, most), most / 4);
	if (log->options.sync != SEGMENT_LOG_SYNC_ALWAYS || log->told < GATHER_FROM ||
	    clock_monotonic_us() >= log->told_us + log->gather_us)
		return;
	until = at_us(log->told_us + log->gather_us);
	log->wanted = log->queued_then + log->told;
	while (log->queued < log->wanted && !log->closing && timed_out == 0)
		timed_out = pthread_cond_timedwait(&log->wake, &log->lock, &until);
	log->wanted = 0;
	adapt_gathering(log, log->queued - log->queued_then);
}

/* All that waits; NULL: nothing until the next tick, or closing. */
static struct append *take_batch(struct segment_log *log, bool *closing)
{
	int64_t ms = log->options.sync == SEGMENT_LOG_SYNC_INTERVAL && log->durable < log->next
			     ? MIN(log->options.sync_interval_ms, TICK_MS)
			     : TICK_MS;
	struct timespec until = at_us(clock_monotonic_us() + ms * 1000);
	struct append *batch;
	int timed_out = 0;

	pthread_mutex_lock(&log->lock);
	while (!log->first && !log->closing && timed_out == 0)
		timed_out = pthread_cond_timedwait(&log->wake, &log->lock, &until);
	if (log->first)
		let_gather(log);
	batch = take(log->first);
	log->last = &log->first;
	log->queued = 0;
	*closing = log->closing;
	pthread_mutex_unlock(&log->lock);
	return batch;
}

static void sync_if_due(struct segment_log *log, bool closing)
{
	bool due = log->options.sync == SEGMENT_LOG_SYNC_INTERVAL &&
		   clock_monotonic_ms() - log->synced_ms >= log->options.sync_interval_ms;
	int failed;

	if (log->broken || log->durable == log->next || !(due || closing))
		return;
	if ((failed = segment_log_sync_now(log)) < 0 || (failed = segment_log_publish(log)) < 0)
		set_broken(log, "fdatasync", -failed);
}

void *segment_log_commit_loop(void *argument)
{
	struct segment_log *log = argument;
	struct append *batch;
	bool closing;

	do {
		batch = take_batch(log, &closing);
		if (batch)
			commit_batch(log, batch);
		sync_if_due(log, closing && !batch);
		segment_log_housekeeping(log);
	} while (batch || !closing);
	return NULL;
}
