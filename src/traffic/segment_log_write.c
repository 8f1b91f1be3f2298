/* Entries into the open segment, with as few calls as possible. */
#include "traffic/segment_log_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum {
	IOVECS = 1024,    /* of one pwritev: IOV_MAX of Linux */
	CACHED = MIB(64), /* of the open segment, for readers that follow closely */
	UNCACHE_AT_ONCE = MIB(4),
};

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

uint64_t segment_log_entry_size(const struct append *append)
{
	return ENTRY_HEADER + append->record->connection_id.len + append->record->bytes;
}

void segment_log_number(struct append *append, uint64_t offset)
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
		segment_log_number(*end, offset++);
		count += gather_one(*end, iov + count);
		*bytes += segment_log_entry_size(*end);
	}
	return count;
}

struct index_entries {
	uint8_t bytes[32 * INDEX_ENTRY];
	size_t len;
};

/* What is lost of them costs a reader time, nothing else. */
static void write_index(struct segment_log *log, struct index_entries *entries)
{
	if (entries->len > 0 && log->index >= 0 &&
	    write(log->index, entries->bytes, entries->len) != (ssize_t)entries->len) {
		close(log->index);
		log->index = -1;
	}
	entries->len = 0;
}

/* An index entry in front of each 64 KiB. */
static void note_index(struct segment_log *log, const struct append *append,
		       struct index_entries *entries)
{
	struct index_entry entry = {
		.offset = append->offset, .newest_before = log->newest, .position = log->position};

	if (log->position < log->index_due)
		return;
	log->index_due = log->position + INDEX_EVERY;
	index_entry_encode(&entry, entries->bytes + entries->len);
	entries->len += INDEX_ENTRY;
	if (entries->len == sizeof(entries->bytes))
		write_index(log, entries);
}

static void stored(struct segment_log *log, struct append *from, const struct append *end)
{
	struct segment_info *segment = &log->segments[log->segment_count - 1];
	struct index_entries entries = {.len = 0};

	for (struct append *append = from; append != end; append = append->next) {
		note_index(log, append, &entries);
		log->position += segment_log_entry_size(append);
		log->newest = MAX(log->newest, append->time_ms);
		log->next++;
	}
	write_index(log, &entries);
	segment->bytes = log->position;
	segment->newest = log->newest;
}

/* A log is read once, soon after it was written. It is not to fill the page cache, at the cost of
 * the cluster beside it; and pages that are used again cost less to write to than new ones. */
void segment_log_uncache(struct segment_log *log)
{
	uint64_t to = log->position - MIN(log->position, (uint64_t)CACHED);

	if (to < log->uncached + UNCACHE_AT_ONCE)
		return;
	posix_fadvise(log->segment, (off_t)log->uncached, (off_t)(to - log->uncached),
		      POSIX_FADV_DONTNEED);
	log->uncached = to;
}

/* The segment that is full is on the disk, whatever the log's sync is, before there is a next. */
static int roll_if_full(struct segment_log *log)
{
	int failed;

	if (log->position < log->options.segment_bytes)
		return 0;
	if (log->durable < log->next && (failed = segment_log_sync_now(log)) < 0) {
		segment_log_break(log, "fdatasync", -failed);
		return failed;
	}
	/* Readers take the file's length for that of a segment which has another behind it. */
	if ((failed = segment_log_trim(log)) < 0) {
		segment_log_break(log, "a full segment cannot be cut to its length", -failed);
		return failed;
	}
	posix_fadvise(log->segment, 0, 0, POSIX_FADV_DONTNEED);
	log->uncached = 0;
	return segment_log_begin_segment(log, log->next);
}

void segment_log_fail(struct append *from, const struct append *end, int failed_errno)
{
	for (struct append *append = from; append != end; append = append->next)
		append->failed_errno = failed_errno;
}

static int write_cached(struct segment_log *log, struct append *from, struct append **end)
{
	struct iovec iov[IOVECS];
	uint64_t bytes;
	size_t count = gather(log, from, end, iov, &bytes);

	return writev_all_at(log->segment, iov, count, log->position);
}

/* 0, or -errno; what failed leaves the segment as it was. */
static int write_some(struct segment_log *log, struct append *from, struct append **end)
{
	bool cached;
	int failed;

	*end = from;
	if ((failed = roll_if_full(log)) < 0)
		return failed;
	if (log->direct >= 0)
		failed = segment_log_write_direct(log, from, end);
	cached = failed == 0 && *end == from;
	if (cached)
		failed = write_cached(log, from, end);
	if (failed == 0)
		stored(log, from, *end);
	else if (ftruncate(log->segment, (off_t)log->position) < 0)
		segment_log_break(log, "a write failed, and so did ftruncate", errno);
	if (cached)
		segment_log_direct_again(log);
	return failed;
}

/* How many were written. */
uint64_t segment_log_write(struct segment_log *log, struct append *batch)
{
	uint64_t before = log->next;
	struct append *end;

	for (; batch && !log->broken; batch = end) {
		int failed = write_some(log, batch, &end);

		if (failed < 0) {
			segment_log_fail(batch, NULL, -failed);
			return log->next - before;
		}
	}
	if (batch)
		segment_log_fail(batch, NULL, EIO);
	return log->next - before;
}
