#include "traffic/segment_file.h"

#include "base/crc32c.h"
#include "base/rd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SEGMENT_VERSION 1

static const char segment_magic[8] = {'S', 'L', 'S', 'E', 'G', 'M', 'N', 'T'};
static const char end_magic[8] = {'S', 'L', 'L', 'O', 'G', 'E', 'N', 'D'};

static uint8_t *put_le(uint8_t *to, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		to[i] = (uint8_t)(value >> 8 * i);
	return to + bytes;
}

/* magic 8, crc of what follows 4, version 4, base 8, previous end 8, newest before 8, zeros */
void segment_header_encode(const struct segment_header *header, uint8_t to[SEGMENT_HEADER])
{
	uint8_t *at = to + 12;

	memset(to, 0, SEGMENT_HEADER);
	memcpy(to, segment_magic, sizeof(segment_magic));
	at = put_le(at, SEGMENT_VERSION, 4);
	at = put_le(at, header->base, 8);
	at = put_le(at, header->previous_end, 8);
	put_le(at, (uint64_t)header->newest_before, 8);
	put_le(to + 8, crc32c_update(0, to + 12, SEGMENT_HEADER - 12), 4);
}

bool segment_header_decode(const uint8_t from[SEGMENT_HEADER], struct segment_header *out)
{
	struct rd r = rd_over(str_of(from, SEGMENT_HEADER));
	bool magic = memcmp(rd_bytes(&r, 8), segment_magic, 8) == 0;
	uint32_t crc = rd_le32(&r), version = rd_le32(&r);

	out->base = rd_le64(&r);
	out->previous_end = rd_le64(&r);
	out->newest_before = (int64_t)rd_le64(&r);
	return magic && version == SEGMENT_VERSION && out->previous_end <= out->base &&
	       crc == crc32c_update(0, from + 12, SEGMENT_HEADER - 12);
}

/* crc 4 (of key, bytes, and this header from here on), length 4, offset 8, time 8, key length 2,
 * zeros 2 */
void entry_header_encode(const struct entry_header *header, uint32_t content_crc,
			 uint8_t to[ENTRY_HEADER])
{
	uint8_t *at = put_le(to + 4, header->length, 4);

	at = put_le(at, header->offset, 8);
	at = put_le(at, (uint64_t)header->time_ms, 8);
	at = put_le(at, header->key_length, 2);
	put_le(at, 0, 2);
	put_le(to, crc32c_update(content_crc, to + 4, ENTRY_HEADER - 4), 4);
}

bool entry_header_decode(const uint8_t from[ENTRY_HEADER], struct entry_header *out)
{
	struct rd r = rd_over(str_of(from, ENTRY_HEADER));

	out->crc = rd_le32(&r);
	out->length = rd_le32(&r);
	out->offset = rd_le64(&r);
	out->time_ms = (int64_t)rd_le64(&r);
	out->key_length = rd_le16(&r);
	return out->length <= RECORD_LIMIT_DECODED && out->key_length <= SEGMENT_LOG_KEY_MAX;
}

bool entry_check(const uint8_t header[ENTRY_HEADER], const void *content, size_t len)
{
	struct entry_header decoded;
	uint32_t crc = crc32c_update(0, content, len);

	return entry_header_decode(header, &decoded) && entry_content(&decoded) == len &&
	       crc32c_update(crc, header + 4, ENTRY_HEADER - 4) == decoded.crc;
}

void index_entry_encode(const struct index_entry *entry, uint8_t to[INDEX_ENTRY])
{
	to = put_le(to, entry->offset, 8);
	to = put_le(to, (uint64_t)entry->newest_before, 8);
	put_le(to, entry->position, 8);
}

struct index_entry index_entry_decode(const uint8_t from[INDEX_ENTRY])
{
	struct rd r = rd_over(str_of(from, INDEX_ENTRY));
	struct index_entry entry = {.offset = rd_le64(&r)};

	entry.newest_before = (int64_t)rd_le64(&r);
	entry.position = rd_le64(&r);
	return entry;
}

/* magic 8, crc of what follows 4, zeros 4, visible 8, durable 8, segment 8, position 8 */
void end_mark_encode(const struct end_mark *mark, uint8_t to[END_FILE])
{
	uint8_t *at = to + 16;

	memset(to, 0, END_FILE);
	memcpy(to, end_magic, sizeof(end_magic));
	at = put_le(at, mark->visible, 8);
	at = put_le(at, mark->durable, 8);
	at = put_le(at, mark->segment_base, 8);
	put_le(at, mark->position, 8);
	put_le(to + 8, crc32c_update(0, to + 12, END_FILE - 12), 4);
}

bool end_mark_decode(const uint8_t from[END_FILE], struct end_mark *out)
{
	struct rd r = rd_over(str_of(from, END_FILE));
	bool magic = memcmp(rd_bytes(&r, 8), end_magic, 8) == 0;
	uint32_t crc = rd_le32(&r);

	rd_skip(&r, 4);
	out->visible = rd_le64(&r);
	out->durable = rd_le64(&r);
	out->segment_base = rd_le64(&r);
	out->position = rd_le64(&r);
	return magic && crc == crc32c_update(0, from + 12, END_FILE - 12) &&
	       out->durable <= out->visible && out->segment_base <= out->visible &&
	       out->position >= SEGMENT_HEADER;
}

void segment_name(char name[SEGMENT_NAME], uint64_t base, const char *suffix)
{
	snprintf(name, SEGMENT_NAME, "%020" PRIu64 "%s", base, suffix);
}

void segment_list_release(struct segment_list *list)
{
	free(list->bases);
	*list = (struct segment_list){0};
}

static int by_base(const void *a, const void *b)
{
	uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;

	return (first > second) - (first < second);
}

static bool base_of_name(struct str name, uint64_t *out)
{
	return name.len == 20 + strlen(".segment") && str_ends(name, STR(".segment")) &&
	       str_to_u64(str_of(name.ptr, 20), out);
}

static void dir_closep(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

int segment_list_read(int folder, const char *path, struct segment_list *out, struct err *err)
{
	int listed = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup(dir_closep) DIR *dir = listed < 0 ? NULL : fdopendir(listed);
	struct dirent *entry;
	uint64_t base;

	*out = (struct segment_list){0};
	if (!dir)
		return err_set_errno(err, ERR_IO, errno, "cannot list the segment log '%s'", path);
	while ((errno = 0, entry = readdir(dir))) {
		if (!base_of_name(str_from(entry->d_name), &base))
			continue;
		out->bases = mem_realloc(out->bases, (out->count + 1) * sizeof(*out->bases));
		out->bases[out->count++] = base;
	}
	if (errno != 0) {
		segment_list_release(out);
		return err_set_errno(err, ERR_IO, errno, "cannot list the segment log '%s'", path);
	}
	if (out->count > 0)
		qsort(out->bases, out->count, sizeof(*out->bases), by_base);
	return 0;
}

int write_all_at(int fd, const void *bytes, size_t len, uint64_t position)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t wrote = pwrite(fd, at, len, (off_t)position);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return wrote < 0 ? -errno : -ENOSPC;
		at += wrote;
		len -= (size_t)wrote;
		position += (uint64_t)wrote;
	}
	return 0;
}

ssize_t read_up_to_at(int fd, void *bytes, size_t len, uint64_t position)
{
	size_t got = 0;

	while (got < len) {
		ssize_t more = pread(fd, (char *)bytes + got, len - got, (off_t)(position + got));

		if (more < 0 && errno == EINTR)
			continue;
		if (more < 0)
			return -errno;
		if (more == 0)
			break;
		got += (size_t)more;
	}
	return (ssize_t)got;
}

void segment_fd_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
