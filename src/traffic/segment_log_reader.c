#include "traffic/segment_log_reader_internal.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	WINDOW = 256 * 1024,
	MARK_TRIES = 8,     /* of a mark that is being written */
	POLL_MOST_MS = 1000 /* where changes are not told (network file systems) */
};

static int io_error(const struct segment_log_reader *reader, int failed_errno, struct err *err)
{
	return err_set_errno(err, ERR_IO, failed_errno,
			     "cannot read the segment %" PRIu64 " of the log '%s'", reader->base,
			     reader->path);
}

/* The one that was read last counts on where there is none now. */
static void refresh_mark(struct segment_log_reader *reader)
{
	uint8_t bytes[END_FILE];

	if (reader->end_file < 0)
		reader->end_file = openat(reader->folder, "end", O_RDONLY | O_CLOEXEC);
	for (int i = 0; reader->end_file >= 0 && i < MARK_TRIES; i++)
		if (read_up_to_at(reader->end_file, bytes, sizeof(bytes), 0) == END_FILE &&
		    end_mark_decode(bytes, &reader->mark)) {
			reader->has_mark = true;
			return;
		}
}

/* Where the bytes end that may be read of this segment. */
static int limit_of_segment(struct segment_log_reader *reader, uint64_t *out, struct err *err)
{
	struct stat status;

	*out = SEGMENT_HEADER;
	if (reader->has_mark && reader->mark.segment_base == reader->base)
		*out = reader->mark.position;
	else if (!reader->has_mark || reader->mark.segment_base > reader->base) {
		if (fstat(reader->segment, &status) < 0)
			return io_error(reader, errno, err);
		*out = (uint64_t)status.st_size;
	}
	return 0;
}

/* 1 with at least n bytes from reader->position in the window; 0: they are not there (yet). */
static int fill_window(struct segment_log_reader *reader, size_t n, struct err *err)
{
	size_t skip = (size_t)(reader->position - reader->window_at), wanted;
	ssize_t got;
	void *at;

	if (reader->window.len - skip >= n)
		return 1;
	if (reader->limit < reader->position + n)
		return 0;
	if (skip > 0)
		memmove(reader->window.ptr, reader->window.ptr + skip, reader->window.len - skip);
	reader->window.len -= skip;
	reader->window_at = reader->position;
	wanted = MIN(MAX(n, WINDOW), (size_t)(reader->limit - reader->position)) -
		 reader->window.len;
	at = buf_reserve(&reader->window, wanted);
	if (!at)
		return buf_check(&reader->window, "an entry of a segment log", err);
	got = read_up_to_at(reader->segment, at, wanted, reader->window_at + reader->window.len);
	if (got < 0)
		return io_error(reader, (int)-got, err);
	reader->window.len += (size_t)got;
	return reader->window.len >= n;
}

static int damaged(const struct segment_log_reader *reader, struct err *err)
{
	return err_set(err, ERR_FORMAT,
		       "the segment %" PRIu64 " of the log '%s' is damaged at byte %" PRIu64
		       " (offset %" PRIu64 "): restore it, or go on at a later offset",
		       reader->base, reader->path, reader->position, reader->next_here);
}

static const uint8_t *at_position(const struct segment_log_reader *reader)
{
	return (const uint8_t *)reader->window.ptr + (reader->position - reader->window_at);
}

/* 1 with all bytes of an entry in the window; 0: they are not there, or those of no entry. */
static int fill_entry(struct segment_log_reader *reader, struct entry_header *header,
		      struct err *err)
{
	int got = fill_window(reader, ENTRY_HEADER, err);

	if (got <= 0)
		return got;
	if (!entry_header_decode(at_position(reader), header) || header->offset < reader->next_here)
		return 0;
	return fill_window(reader, ENTRY_HEADER + entry_content(header), err);
}

int segment_reader_entry(struct segment_log_reader *reader, struct segment_log_entry *out,
			 struct err *err)
{
	struct entry_header header = {0};
	const uint8_t *bytes;
	int got = fill_entry(reader, &header, err);

	if (got < 0 || reader->position >= reader->limit)
		return got;
	bytes = got > 0 ? at_position(reader) : NULL;
	if (!bytes || !entry_check(bytes, bytes + ENTRY_HEADER, entry_content(&header)))
		return reader->has_mark ? damaged(reader, err) : 0;
	*out = (struct segment_log_entry){
		.offset = header.offset,
		.time_ms = header.time_ms,
		.key = str_of(bytes + ENTRY_HEADER, header.key_length),
		.bytes = str_of(bytes + ENTRY_HEADER + header.key_length, header.length)};
	reader->entry_bytes = ENTRY_HEADER + entry_content(&header);
	return 1;
}

void segment_reader_step(struct segment_log_reader *reader, uint64_t offset)
{
	reader->position += reader->entry_bytes;
	reader->next_here = offset + 1;
}

void segment_reader_go_to(struct segment_log_reader *reader, uint64_t position, uint64_t offset)
{
	reader->position = reader->window_at = position;
	reader->window.len = 0;
	reader->next_here = offset;
}

int segment_reader_open_segment(struct segment_log_reader *reader, uint64_t base, struct err *err)
{
	cleanup(segment_fd_closep) int fd = -1;
	uint8_t bytes[SEGMENT_HEADER];
	struct segment_header header;
	char name[SEGMENT_NAME];

	segment_name(name, base, ".segment");
	fd = openat(reader->folder, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return io_error(reader, errno, err);
	if (read_up_to_at(fd, bytes, sizeof(bytes), 0) != SEGMENT_HEADER ||
	    !segment_header_decode(bytes, &header) || header.base != base)
		return !reader->has_mark
			       ? 0
			       : err_set(err, ERR_FORMAT,
					 "the beginning of the segment %" PRIu64
					 " of the log '%s' is damaged: restore it, or move it away",
					 base, reader->path);
	segment_fd_closep(&reader->segment);
	reader->segment = fd;
	fd = -1; /* NOLINT(clang-analyzer-deadcode.DeadStores): it is closed in the end */
	reader->base = base;
	reader->header = header;
	segment_reader_go_to(reader, SEGMENT_HEADER, base);
	return limit_of_segment(reader, &reader->limit, err) < 0 ? -(int)err->kind : 1;
}

/* Opens the segment behind this one. 1; 0: there is none. */
static int go_to_next_segment(struct segment_log_reader *reader, struct err *err)
{
	cleanup(segment_list_release) struct segment_list list = {0};
	uint64_t wanted = MAX(reader->wanted, reader->next_here);
	int got = segment_list_read(reader->folder, reader->path, &list, err);

	for (size_t i = 0; got == 0 && i < list.count; i++) {
		if (reader->segment >= 0 && list.bases[i] <= reader->base)
			continue;
		/* One without its header is being begun, or was, when the power went. */
		if (reader->has_mark && list.bases[i] > reader->mark.segment_base)
			return 0;
		got = segment_reader_open_segment(reader, list.bases[i], err);
		if (got == 0)
			continue;
		if (got > 0 && reader->header.previous_end > wanted)
			return err_set(err, ERR_NOT_FOUND,
				       "the offsets %" PRIu64 " to %" PRIu64
				       " of the segment log '%s' are gone: its retention was "
				       "shorter than this reader was behind; reading on goes on "
				       "behind them",
				       wanted, reader->base - 1, reader->path);
		return got;
	}
	return got;
}

static bool is_wanted(struct segment_log_reader *reader, const struct segment_log_entry *entry)
{
	if (entry->offset < reader->wanted ||
	    (reader->has_wanted_time && entry->time_ms < reader->wanted_time_ms))
		return false;
	reader->has_wanted_time = false;
	return true;
}

/* 1; 0: nothing that may be read now. */
static int next_now(struct segment_log_reader *reader, struct segment_log_entry *out,
		    struct err *err)
{
	for (;;) {
		int got = reader->segment < 0 ? 0 : segment_reader_entry(reader, out, err);

		if (got < 0)
			return got;
		if (got > 0) {
			segment_reader_step(reader, out->offset);
			if (is_wanted(reader, out))
				return 1;
			continue;
		}
		refresh_mark(reader);
		if (reader->segment >= 0) {
			uint64_t before = reader->limit;

			/* Without a mark it holds what a writer cuts off and writes anew. */
			segment_reader_go_to(reader, reader->position, reader->next_here);
			if ((got = limit_of_segment(reader, &reader->limit, err)) < 0)
				return got;
			if (reader->limit > before)
				continue;
		}
		if ((got = go_to_next_segment(reader, err)) <= 0)
			return got;
	}
}

static void drain(int fd)
{
	char events[4096];

	while (read(fd, events, sizeof(events)) > 0)
		;
}

/* False when it was woken by segment_log_reader_wake. */
static bool wait_for_writer(struct segment_log_reader *reader, int timeout_ms)
{
	struct pollfd fds[] = {{.fd = reader->wake, .events = POLLIN},
			       {.fd = reader->changes, .events = POLLIN}};

	poll(fds, COUNT_OF(fds), timeout_ms < 0 ? POLL_MOST_MS : MIN(timeout_ms, POLL_MOST_MS));
	if (fds[1].revents & POLLIN)
		drain(reader->changes);
	if (!(fds[0].revents & POLLIN))
		return true;
	drain(reader->wake);
	return false;
}

int segment_log_reader_next(struct segment_log_reader *reader, int timeout_ms,
			    struct segment_log_entry *out, struct err *err)
{
	int64_t until = clock_monotonic_ms() + timeout_ms;

	for (;;) {
		int got = next_now(reader, out, err);
		int64_t left = timeout_ms < 0 ? -1 : until - clock_monotonic_ms();

		if (got != 0)
			return got;
		if (timeout_ms == 0 || (timeout_ms > 0 && left <= 0) ||
		    !wait_for_writer(reader, (int)left))
			return 0;
	}
}

void segment_log_reader_wake(struct segment_log_reader *reader)
{
	uint64_t one = 1;

	if (write(reader->wake, &one, sizeof(one)) < 0 && errno != EAGAIN)
		BUG("an eventfd that cannot be written");
}

/* Only the mark is watched: segments change more often than readers may read on. */
static void watch(struct segment_log_reader *reader, const char *folder)
{
	cleanup(buf_release) struct buf end = BUF_INIT(LIMIT_PATH);

	buf_printf(&end, "%s/end", folder);
	if (inotify_add_watch(reader->changes, buf_cstr(&end), IN_MODIFY) < 0)
		inotify_add_watch(reader->changes, folder, IN_MODIFY | IN_CREATE);
}

int segment_log_reader_open(const char *folder, struct segment_log_reader **out, struct err *err)
{
	cleanup(segment_list_release) struct segment_list list = {0};
	struct segment_log_reader *reader = mem_zalloc(sizeof(*reader));
	int failed = 0;

	reader->segment = reader->end_file = -1;
	reader->path = mem_strdup(folder);
	reader->window = BUF_INIT(2 * (RECORD_LIMIT_DECODED + MIB(1)));
	reader->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	reader->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	reader->changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (reader->folder < 0 && errno != ENOENT && errno != ENOTDIR)
		failed = err_set_errno(err, ERR_IO, errno, "cannot open the segment log '%s'",
				       folder);
	else if (reader->folder >= 0) {
		watch(reader, folder);
		refresh_mark(reader);
		failed = segment_list_read(reader->folder, folder, &list, err);
	}
	if (failed == 0 && list.count == 0)
		failed = err_set(err, ERR_NOT_FOUND,
				 "there is no segment log in '%s': check the path", folder);
	if (failed == 0)
		failed = segment_log_reader_seek(reader, 0, err);
	if (failed < 0) {
		segment_log_reader_close(reader);
		return failed;
	}
	*out = reader;
	return 0;
}

void segment_log_reader_close(struct segment_log_reader *reader)
{
	if (!reader)
		return;
	segment_fd_closep(&reader->segment);
	segment_fd_closep(&reader->end_file);
	segment_fd_closep(&reader->folder);
	segment_fd_closep(&reader->wake);
	segment_fd_closep(&reader->changes);
	buf_release(&reader->window);
	free(reader->path);
	free(reader);
}
