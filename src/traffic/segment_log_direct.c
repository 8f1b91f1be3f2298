/* Entries into the open segment past the page cache, in whole blocks that end with zeros: for held
 * requests, which wait for the disk in any case, it is half of what writing and syncing cost. */
#include "traffic/segment_log_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
	BLOCK = 4096,
	ROOM = MIB(2), /* of one write, what stands before it in its first block included */
};

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

/* Those of which it is known that readers through the page cache see what was written past it. */
static bool readers_see_it(int folder)
{
	struct statfs system;

	return fstatfs(folder, &system) == 0 &&
	       (system.f_type == EXT4_SUPER_MAGIC || system.f_type == XFS_SUPER_MAGIC);
}

static bool take_room(struct segment_log *log)
{
	void *room;

	if (log->room)
		return true;
	if (posix_memalign(&room, ROOM, ROOM) != 0)
		return false;
	madvise(room, ROOM, MADV_HUGEPAGE);
	log->room = room;
	return true;
}

/* What the block of log->position holds before it is written again with what comes. */
static bool read_block(struct segment_log *log)
{
	size_t before = log->position % BLOCK;

	return read_up_to_at(log->segment, log->room, before, log->position - before) ==
	       (ssize_t)before;
}

void segment_log_direct_close(struct segment_log *log)
{
	segment_fd_closep(&log->direct);
	log->direct = -1;
}

void segment_log_direct_open(struct segment_log *log)
{
	char name[SEGMENT_NAME];

	segment_log_direct_close(log);
	if (log->options.sync != SEGMENT_LOG_SYNC_ALWAYS || !readers_see_it(log->folder))
		return;
	segment_name(name, log->segments[log->segment_count - 1].base, ".segment");
	log->direct = openat(log->folder, name, O_WRONLY | O_DIRECT | O_CLOEXEC);
	if (log->direct >= 0 && !(take_room(log) && read_block(log)))
		segment_log_direct_close(log);
}

void segment_log_direct_again(struct segment_log *log)
{
	if (log->direct >= 0 && !read_block(log))
		segment_log_direct_close(log);
}

static uint8_t *put(uint8_t *to, const void *bytes, size_t len)
{
	if (len > 0)
		memcpy(to, bytes, len);
	return to + len;
}

static void copy_entry(const struct append *append, uint8_t *to)
{
	const struct str key = append->record->connection_id;

	to = put(to, append->header, ENTRY_HEADER);
	record_copy(append->record, put(to, key.ptr, key.len));
}

/* Where in the room the last entry ends; *end is the first that is left out. */
static size_t fill_room(struct segment_log *log, struct append *from, struct append **end)
{
	size_t begin = log->position % BLOCK, at = begin;
	uint64_t offset = log->next;

	for (*end = from; *end; *end = (*end)->next) {
		uint64_t size = segment_log_entry_size(*end);

		if (size > ROOM - at ||
		    (*end != from && log->position + (at - begin) >= log->options.segment_bytes))
			break;
		segment_log_number(*end, offset++);
		copy_entry(*end, log->room + at);
		at += size;
	}
	return at;
}

int segment_log_write_direct(struct segment_log *log, struct append *from, struct append **end)
{
	size_t at = fill_room(log, from, end), whole = (at + BLOCK - 1) / BLOCK * BLOCK;
	int failed;

	if (*end == from)
		return 0;
	memset(log->room + at, 0, whole - at);
	failed = write_all_at(log->direct, log->room, whole, log->position / BLOCK * BLOCK);
	if (failed == -EINVAL) { /* not on this disk, after all */
		segment_log_direct_close(log);
		*end = from;
		return 0;
	}
	if (failed == 0)
		memmove(log->room, log->room + at / BLOCK * BLOCK, at % BLOCK);
	return failed;
}

int segment_log_trim(struct segment_log *log)
{
	struct stat status;

	if (fstat(log->segment, &status) < 0)
		return -errno;
	if ((uint64_t)status.st_size <= log->position)
		return 0;
	if (ftruncate(log->segment, (off_t)log->position) < 0 || fdatasync(log->segment) < 0)
		return -errno;
	return 0;
}

bool segment_log_is_padding(int segment, uint64_t position, uint64_t size)
{
	uint8_t rest[BLOCK];
	size_t len = (size_t)MIN(size - position, (uint64_t)BLOCK);

	if (size - position >= BLOCK || read_up_to_at(segment, rest, len, position) != (ssize_t)len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (rest[i] != 0)
			return false;
	return true;
}
