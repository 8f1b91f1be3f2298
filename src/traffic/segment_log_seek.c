#include "traffic/segment_log_reader_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INDEX_FILE_MAX = 16 * 1024 * 1024, SEEK_TRIES = 16 };

/* What is looked for, in segments and index entries alike. */
struct place {
	bool by_time;
	uint64_t offset;
	int64_t time_ms;
};

static bool is_before(const struct place *wanted, uint64_t offset, int64_t newest_before)
{
	return wanted->by_time ? newest_before < wanted->time_ms : offset <= wanted->offset;
}

/* The last entry of the index from which reading leads to the place. It may be damaged. */
static bool look_into_index(struct segment_log_reader *reader, const struct place *wanted,
			    struct index_entry *out)
{
	cleanup(segment_fd_closep) int fd = -1;
	cleanup(buf_release) struct buf bytes = BUF_INIT(INDEX_FILE_MAX);
	char name[SEGMENT_NAME];
	struct stat status;
	ssize_t got;
	void *at;

	segment_name(name, reader->base, ".index");
	fd = openat(reader->folder, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0 || status.st_size < INDEX_ENTRY ||
	    !(at = buf_reserve(&bytes, (size_t)status.st_size)))
		return false;
	got = read_up_to_at(fd, at, (size_t)status.st_size, 0);
	for (ssize_t i = got / INDEX_ENTRY - 1; i >= 0; i--) {
		*out = index_entry_decode((const uint8_t *)at + i * INDEX_ENTRY);
		if (is_before(wanted, out->offset, out->newest_before))
			return out->position >= SEGMENT_HEADER && out->position < reader->limit;
	}
	return false;
}

/* An index entry counts when there is an entry where it says. */
static void skip_by_index(struct segment_log_reader *reader, const struct place *wanted)
{
	struct segment_log_entry entry;
	struct index_entry index;
	struct err ignored;

	if (!look_into_index(reader, wanted, &index))
		return;
	segment_reader_go_to(reader, index.position, index.offset);
	if (segment_reader_entry(reader, &entry, &ignored) <= 0 || entry.offset != index.offset)
		segment_reader_go_to(reader, SEGMENT_HEADER, reader->base);
}

/* Whether the place can be in this segment, as far as its name tells. One that has no published
 * entry may not even have its header yet. */
static bool may_hold(const struct segment_log_reader *reader, const struct place *wanted,
		     uint64_t base)
{
	return (!reader->has_mark || base <= reader->mark.segment_base) &&
	       (wanted->by_time || base <= wanted->offset);
}

/* 1: the last segment from which reading leads to the place is open; 0: it went away meanwhile. */
static int open_segment_before(struct segment_log_reader *reader, const struct place *wanted,
			       struct err *err)
{
	cleanup(segment_list_release) struct segment_list list = {0};
	int got = segment_list_read(reader->folder, reader->path, &list, err);

	if (got < 0)
		return got;
	if (list.count == 0)
		return err_set(err, ERR_NOT_FOUND,
			       "there is no segment log in '%s' any more: check the path",
			       reader->path);
	for (size_t i = list.count - 1;; i--) {
		if (i > 0 && !may_hold(reader, wanted, list.bases[i]))
			continue;
		got = segment_reader_open_segment(reader, list.bases[i], err);
		/* Without a mark, a last one that is torn was being begun. */
		if (got == 0 && !reader->has_mark && i > 0)
			continue;
		if (got <= 0 || i == 0 ||
		    is_before(wanted, reader->base, reader->header.newest_before))
			return got;
	}
}

static int seek_to(struct segment_log_reader *reader, const struct place *wanted, struct err *err)
{
	int got = 0;

	for (int i = 0; got == 0 && i < SEEK_TRIES; i++)
		got = open_segment_before(reader, wanted, err);
	if (got < 0)
		return got;
	if (got == 0)
		return err_set(err, ERR_IO,
			       "the segments of the log '%s' go away while it is opened: try again",
			       reader->path);
	reader->wanted = wanted->by_time ? 0 : wanted->offset;
	reader->has_wanted_time = wanted->by_time;
	reader->wanted_time_ms = wanted->time_ms;
	skip_by_index(reader, wanted);
	return 0;
}

int segment_log_reader_seek(struct segment_log_reader *reader, uint64_t offset, struct err *err)
{
	return seek_to(reader, &(struct place){.offset = offset}, err);
}

int segment_log_reader_seek_time(struct segment_log_reader *reader, int64_t time_ms,
				 struct err *err)
{
	return seek_to(reader, &(struct place){.by_time = true, .time_ms = time_ms}, err);
}

int segment_log_reader_range(struct segment_log_reader *reader, uint64_t *first, uint64_t *end,
			     struct err *err)
{
	cleanup(segment_list_release) struct segment_list list = {0};
	struct segment_log_reader *looking;
	struct segment_log_entry entry;
	int got = segment_list_read(reader->folder, reader->path, &list, err);

	if (got < 0)
		return got;
	*first = list.count > 0 ? list.bases[0] : 0;
	/* A reader of its own reads to the end: where there is no mark, that is the only way. */
	if ((got = segment_log_reader_open(reader->path, &looking, err)) < 0)
		return got;
	*end = looking->mark.visible;
	if (!looking->has_mark) {
		if (list.count > 0)
			got = segment_log_reader_seek(looking, UINT64_MAX, err);
		looking->wanted = 0;
		*end = looking->base;
		while (got >= 0 && (got = segment_log_reader_next(looking, 0, &entry, err)) > 0)
			*end = entry.offset + 1;
	}
	segment_log_reader_close(looking);
	return MIN(got, 0);
}
