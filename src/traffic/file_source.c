/* Records in a file: one raw TrafficStream, or lines of base64 or key|base64, plain or gzip. */
#include "traffic/packed_bytes.h"
#include "traffic/record_source_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* base64 of the longest record, its key and a bar */
#define LINE_MAX_BYTES (RECORD_LIMIT_DECODED / 3 * 4 + KIB(4))

enum { READ_AT_ONCE = 256 * 1024 };

struct file_source {
	struct record_source source;
	struct packed_bytes *packed;
	bool whole; /* a .protocap: one record */
	bool at_end;
	struct buf bytes; /* read, from `used` on not given yet */
	size_t used;
	size_t searched; /* from `used` on, without a line's end */
	struct buf decoded;
	uint64_t records;
};

/* Reads on. 1; 0 at the end. */
static int read_more(struct file_source *file, struct err *err)
{
	size_t got;
	void *at;
	int rc;

	if (file->at_end)
		return 0;
	if (file->used > 0) {
		memmove(file->bytes.ptr, file->bytes.ptr + file->used,
			file->bytes.len - file->used);
		file->bytes.len -= file->used;
		file->used = 0;
	}
	at = buf_reserve(&file->bytes, READ_AT_ONCE);
	if (!at) {
		buf_check(&file->bytes, "a line of base64, or one record,", err);
		return err_wrap(err, "'%s' behind record %llu", file->source.name,
				(unsigned long long)file->records);
	}
	rc = packed_bytes_read(file->packed, at, READ_AT_ONCE, &got, err);
	file->at_end = rc <= 0;
	if (rc < 0) {
		file->bytes.len = 0;
		return err_wrap(err, "behind record %llu", (unsigned long long)file->records);
	}
	file->bytes.len += got;
	return rc;
}

/* 1; 0 at the end. The line is valid until the next call. */
static int next_line(struct file_source *file, struct str *out, struct err *err)
{
	for (;;) {
		size_t left = file->bytes.len - file->used;
		const char *at = file->bytes.ptr ? file->bytes.ptr + file->used : NULL;
		const char *end = left > file->searched
					  ? memchr(at + file->searched, '\n', left - file->searched)
					  : NULL;
		int got;

		if (end || (file->at_end && left > 0)) {
			out->ptr = at;
			out->len = end ? (size_t)(end - at) : left;
			file->used += end ? out->len + 1 : left;
			file->searched = 0;
			return 1;
		}
		file->searched = left;
		got = read_more(file, err);
		if (got < 0 || (got == 0 && left == 0))
			return got;
	}
}

static int next_of_lines(struct file_source *file, struct record_item *out, struct err *err)
{
	struct str line;
	int got;

	for (;;) {
		out->position.offset = file->records;
		got = next_line(file, &line, err);
		if (got <= 0)
			return got;
		got = record_line_decode(line, &out->key, &file->decoded, err);
		if (got != 0)
			file->records++;
		if (got < 0)
			return err_wrap(err, "record %llu of '%s'",
					(unsigned long long)out->position.offset,
					file->source.name);
		if (got > 0)
			break;
	}
	out->bytes = buf_str(&file->decoded);
	return RECORD_SOURCE_ITEM;
}

static int next_whole(struct file_source *file, struct record_item *out, struct err *err)
{
	int got;

	if (file->records > 0)
		return RECORD_SOURCE_END;
	out->position.offset = 0;
	while ((got = read_more(file, err)) > 0)
		;
	file->records++;
	if (got < 0)
		return got;
	out->bytes = buf_str(&file->bytes);
	return RECORD_SOURCE_ITEM;
}

static int file_next(struct record_source *source, int timeout_ms, struct record_item *out,
		     struct err *err)
{
	struct file_source *file = (struct file_source *)source;
	int got = file->whole ? next_whole(file, out, err) : next_of_lines(file, out, err);

	(void)timeout_ms;
	if (got < 0 && err->kind != ERR_FORMAT)
		out->position.offset = RECORD_NOWHERE;
	return got;
}

static void file_close(struct record_source *source)
{
	struct file_source *file = (struct file_source *)source;

	packed_bytes_close(file->packed);
	buf_release(&file->bytes);
	buf_release(&file->decoded);
	free(source->name);
	free(file);
}

static const struct record_source_ops file_ops = {.next = file_next, .close = file_close};

/* A TrafficStream begins with the tag of a string and its length, and is not text. */
static bool looks_raw(struct str bytes)
{
	struct record_view view;
	struct err ignored;

	for (size_t i = 0; i < MIN(bytes.len, 4096); i++)
		if ((uint8_t)bytes.ptr[i] < 0x20 && !strchr("\t\r\n", bytes.ptr[i]))
			return true;
	return record_view_open(&view, bytes, &ignored) == 0;
}

int packed_source_open(struct packed_bytes *packed, const char *name, bool may_be_raw,
		       struct record_source **out, struct err *err)
{
	struct file_source *file = mem_zalloc(sizeof(*file));
	int failed;

	file->source.ops = &file_ops;
	file->source.name = mem_strdup(name);
	file->bytes = BUF_INIT(LINE_MAX_BYTES + READ_AT_ONCE);
	file->decoded = BUF_INIT(RECORD_LIMIT_DECODED);
	file->packed = packed;
	failed = read_more(file, err);
	if (failed < 0) {
		file_close(&file->source);
		return failed;
	}
	file->whole = may_be_raw && looks_raw(buf_str(&file->bytes));
	*out = &file->source;
	return 0;
}

int file_source_records_open(const char *path, struct record_source **out, struct err *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno,
				     "cannot open '%s'", path);
	return packed_source_open(packed_bytes_of_file(fd, path), path, !is_stdin, out, err);
}
