/* What a writer finds when it opens a folder: segments that are whole but for the tail of the last,
 * where a power cut or a kill left what was never durable. */
#include "traffic/segment_log_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int io_error(const struct segment_log *log, uint64_t base, int failed_errno, struct err *err)
{
	return err_set_errno(err, ERR_IO, failed_errno,
			     "cannot read or write the segment %" PRIu64 " of the log '%s'", base,
			     log->path);
}

static struct segment_info *add_segment(struct segment_log *log, uint64_t base)
{
	log->segments =
		mem_realloc(log->segments, (log->segment_count + 1) * sizeof(*log->segments));
	log->segments[log->segment_count] =
		(struct segment_info){.base = base, .newest = INT64_MIN};
	return &log->segments[log->segment_count++];
}

static int open_index(struct segment_log *log, uint64_t base)
{
	char name[SEGMENT_NAME];

	segment_name(name, base, ".index");
	return openat(log->folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
}

static int write_segment_header(struct segment_log *log, int fd, uint64_t previous_end)
{
	struct segment_header header = {
		.base = log->next, .previous_end = previous_end, .newest_before = log->newest};
	uint8_t bytes[SEGMENT_HEADER];
	int failed;

	segment_header_encode(&header, bytes);
	failed = write_all_at(fd, bytes, sizeof(bytes), 0);
	if (failed == 0 && (fsync(fd) < 0 || fsync(log->folder) < 0))
		failed = -errno;
	return failed;
}

int segment_log_begin_segment(struct segment_log *log, uint64_t previous_end)
{
	char name[SEGMENT_NAME];
	int fd, failed;

	segment_name(name, log->next, ".segment");
	fd = openat(log->folder, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	failed = write_segment_header(log, fd, previous_end);
	if (failed < 0) {
		close(fd);
		unlinkat(log->folder, name, 0);
		return failed;
	}
	segment_fd_closep(&log->segment);
	segment_fd_closep(&log->index);
	log->segment = fd;
	log->index = open_index(log, log->next);
	log->position = log->index_due = SEGMENT_HEADER;
	*add_segment(log, log->next) = (struct segment_info){
		.base = log->next, .bytes = SEGMENT_HEADER, .newest = log->newest};
	segment_log_direct_open(log);
	return 0;
}

/* One entry at log->position. 1; 0: there is none (the end, or damage). */
static int recover_entry(struct segment_log *log, struct buf *content)
{
	uint8_t bytes[ENTRY_HEADER];
	struct entry_header header;
	struct index_entry index;
	size_t len;
	void *at;

	if (read_up_to_at(log->segment, bytes, sizeof(bytes), log->position) != ENTRY_HEADER ||
	    !entry_header_decode(bytes, &header) || header.offset != log->next)
		return 0;
	len = entry_content(&header);
	buf_reset(content);
	at = buf_reserve(content, len);
	if (!at ||
	    read_up_to_at(log->segment, at, len, log->position + ENTRY_HEADER) != (ssize_t)len ||
	    !entry_check(bytes, at, len))
		return 0;
	if (log->position >= log->index_due && log->index >= 0) {
		index = (struct index_entry){.offset = log->next,
					     .newest_before = log->newest,
					     .position = log->position};
		index_entry_encode(&index, bytes);
		if (write(log->index, bytes, INDEX_ENTRY) == INDEX_ENTRY)
			log->index_due = log->position + INDEX_EVERY;
	}
	log->position += ENTRY_HEADER + len;
	log->newest = MAX(log->newest, header.time_ms);
	log->next++;
	return 1;
}

static int damaged(const struct segment_log *log, uint64_t base, struct err *err)
{
	return err_set(err, ERR_FORMAT,
		       "the segment %" PRIu64 " of the log '%s' is damaged, though it had been "
		       "durable: restore it, or move it and those behind it away",
		       base, log->path);
}

/* Reads the last segment through, makes its index again, and cuts what is behind its last entry. */
static int recover_last(struct segment_log *log, struct segment_info *segment,
			const struct end_mark *mark, struct err *err)
{
	cleanup(buf_release) struct buf content =
		BUF_INIT(RECORD_LIMIT_DECODED + SEGMENT_LOG_KEY_MAX + 1);
	struct stat status;

	log->index = open_index(log, segment->base);
	log->position = log->index_due = SEGMENT_HEADER;
	while (recover_entry(log, &content))
		;
	if (log->next < mark->durable)
		return damaged(log, segment->base, err);
	if (fstat(log->segment, &status) < 0)
		return io_error(log, segment->base, errno, err);
	if ((uint64_t)status.st_size > log->position) {
		if (!segment_log_is_padding(log->segment, log->position, (uint64_t)status.st_size))
			segment_log_warn(log,
					 "cut %" PRIu64 " bytes off the segment %" PRIu64
					 " of the log '%s', which were never durable",
					 (uint64_t)status.st_size - log->position, segment->base,
					 log->path);
		if (ftruncate(log->segment, (off_t)log->position) < 0)
			return io_error(log, segment->base, errno, err);
	}
	if (fsync(log->segment) < 0)
		return io_error(log, segment->base, errno, err);
	segment->bytes = log->position;
	segment->newest = log->newest;
	segment_log_direct_open(log);
	return 0;
}

/* 1; 0: its beginning was never written whole. */
static int open_segment(struct segment_log *log, uint64_t base, int *fd,
			struct segment_header *header, struct err *err)
{
	uint8_t bytes[SEGMENT_HEADER];
	char name[SEGMENT_NAME];
	ssize_t got;

	segment_name(name, base, ".segment");
	*fd = openat(log->folder, name, O_RDWR | O_CLOEXEC);
	if (*fd < 0)
		return io_error(log, base, errno, err);
	got = read_up_to_at(*fd, bytes, sizeof(bytes), 0);
	if (got < 0)
		return io_error(log, base, (int)-got, err);
	return got == SEGMENT_HEADER && segment_header_decode(bytes, header) &&
	       header->base == base;
}

static void remove_segment(struct segment_log *log, uint64_t base)
{
	char name[SEGMENT_NAME];

	segment_name(name, base, ".segment");
	unlinkat(log->folder, name, 0);
	segment_name(name, base, ".index");
	unlinkat(log->folder, name, 0);
}

/* Fills in sizes and times; opens the last one. A last one whose header is torn was being begun. */
static int recover_segments(struct segment_log *log, struct segment_list *list,
			    const struct end_mark *mark, struct err *err)
{
	for (size_t i = 0; i < list->count; i++) {
		cleanup(segment_fd_closep) int fd = -1;
		struct segment_info *segment;
		struct segment_header header;
		struct stat status;
		int got = open_segment(log, list->bases[i], &fd, &header, err);

		if (got < 0)
			return got;
		if (got == 0 && (i + 1 < list->count || mark->durable > list->bases[i]))
			return damaged(log, list->bases[i], err);
		if (got == 0) {
			remove_segment(log, list->bases[i]);
			continue;
		}
		if (fstat(fd, &status) < 0)
			return io_error(log, list->bases[i], errno, err);
		if (log->segment_count > 0)
			log->segments[log->segment_count - 1].newest = header.newest_before;
		segment = add_segment(log, list->bases[i]);
		segment->bytes = (uint64_t)status.st_size;
		log->newest = header.newest_before;
		log->next = header.base;
		segment_fd_closep(&log->segment);
		log->segment = fd;
		fd = -1;
	}
	return 0;
}

/* Offsets that somebody has seen are not given out again: the next segment begins behind them. */
static int begin_behind_what_was_seen(struct segment_log *log, const struct end_mark *mark,
				      struct err *err)
{
	uint64_t least, greatest, recovered = log->next;
	bool any;
	int failed = groups_committed(log->path, &least, &greatest, &any, err);

	if (failed < 0)
		return failed;
	log->next = MAX(log->next, MAX(mark->visible, greatest));
	if (log->segment_count > 0 && log->next == recovered)
		return 0;
	if (log->next > recovered)
		segment_log_warn(log,
				 "the log '%s' ends at offset %" PRIu64
				 ", though readers had come to %" PRIu64
				 ": what is between was not durable",
				 log->path, recovered, log->next);
	failed = segment_log_begin_segment(log, recovered);
	return failed < 0 ? io_error(log, log->next, -failed, err) : 0;
}

int segment_log_recover(struct segment_log *log, struct err *err)
{
	cleanup(segment_list_release) struct segment_list list = {0};
	struct end_mark mark = {0};
	uint8_t bytes[END_FILE];
	int failed;

	if (read_up_to_at(log->end_file, bytes, sizeof(bytes), 0) != END_FILE ||
	    !end_mark_decode(bytes, &mark))
		mark = (struct end_mark){0};
	if ((failed = segment_list_read(log->folder, log->path, &list, err)) < 0 ||
	    (failed = recover_segments(log, &list, &mark, err)) < 0)
		return failed;
	if (log->segment_count > 0) {
		struct segment_info *last = &log->segments[log->segment_count - 1];

		if ((failed = recover_last(log, last, &mark, err)) < 0)
			return failed;
	}
	if ((failed = begin_behind_what_was_seen(log, &mark, err)) < 0)
		return failed;
	log->durable = log->next;
	if (fsync(log->folder) < 0 || (failed = segment_log_publish(log)) < 0)
		return io_error(log, log->segments[0].base, failed < 0 ? -failed : errno, err);
	return 0;
}
