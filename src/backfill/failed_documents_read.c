#include "backfill/failed_documents_read.h"

#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#define GZIP_WINDOW (15 + 16)
#define LINE_MAX_BYTES MIB(512) /* LIMIT_SOURCE in base64, and some */
#define LINE_KEPT MIB(4)        /* memory kept from line to line */

struct failed_documents_reader {
	int fd;
	char *path;
	z_stream stream;
	bool in_member, at_end, cut;
	struct buf line;
	unsigned char *out_at; /* what is left of output */
	size_t out_left;
	unsigned char input[KIB(32)], output[KIB(64)];
};

struct failed_documents_reader *failed_documents_reader_over(int fd, const char *path)
{
	struct failed_documents_reader *reader = mem_zalloc(sizeof(*reader));

	reader->fd = fd;
	reader->path = mem_strdup(path);
	reader->line = BUF_INIT(LINE_MAX_BYTES);
	if (inflateInit2(&reader->stream, GZIP_WINDOW) != Z_OK)
		BUG("zlib cannot be initialised");
	return reader;
}

int failed_documents_reader_open(const char *path, struct failed_documents_reader **out,
				 struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot read '%s'", path);
	*out = failed_documents_reader_over(fd, path);
	return 0;
}

void failed_documents_reader_close(struct failed_documents_reader *reader)
{
	if (!reader)
		return;
	inflateEnd(&reader->stream);
	close(reader->fd);
	buf_release(&reader->line);
	free(reader->path);
	free(reader);
}

bool failed_documents_reader_is_cut(const struct failed_documents_reader *reader)
{
	return reader->cut;
}

/* More input where there is none left. 1; 0 at the end of the file. */
static int fill_input(struct failed_documents_reader *reader, struct err *err)
{
	ssize_t got;

	if (reader->stream.avail_in > 0)
		return 1;
	do {
		got = read(reader->fd, reader->input, sizeof(reader->input));
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot read '%s'", reader->path);
	reader->stream.next_in = reader->input;
	reader->stream.avail_in = (uInt)got;
	return got > 0;
}

/* Whether only zero bytes are left: a file system may leave them at an end that never was written.
 */
static int rest_is_zero(struct failed_documents_reader *reader, struct err *err)
{
	int more, any = 0;

	while ((more = fill_input(reader, err)) > 0)
		for (; reader->stream.avail_in > 0; reader->stream.avail_in--, any = 1)
			if (*reader->stream.next_in++ != 0)
				return 0;
	return more < 0 ? more : any;
}

static int damaged(struct failed_documents_reader *reader, struct err *err)
{
	const char *reason = reader->stream.msg ? reader->stream.msg : "no gzip data";
	int zero = rest_is_zero(reader, err);

	reader->at_end = true;
	if (zero < 0)
		return zero;
	reader->cut = true;
	if (zero > 0)
		return 0;
	return err_set(err, ERR_FORMAT, "'%s' is damaged: %s; what stands after it is not read",
		       reader->path, reason);
}

/* 1: there is output; 0: the end. */
static int inflate_more(struct failed_documents_reader *reader, struct err *err)
{
	int rc, status;

	for (;;) {
		rc = fill_input(reader, err);
		if (rc < 0)
			return rc;
		if (rc == 0) {
			reader->at_end = true;
			reader->cut = reader->in_member;
			return 0;
		}
		reader->stream.next_out = reader->output;
		reader->stream.avail_out = sizeof(reader->output);
		reader->in_member = true;
		status = inflate(&reader->stream, Z_NO_FLUSH);
		reader->out_at = reader->output;
		reader->out_left = sizeof(reader->output) - reader->stream.avail_out;
		if (status == Z_STREAM_END) {
			reader->in_member = false;
			inflateReset(&reader->stream);
		} else if (status != Z_OK && status != Z_BUF_ERROR && reader->out_left == 0) {
			return damaged(reader, err);
		}
		if (reader->out_left > 0)
			return 1;
	}
}

/* Moves what there is of the line into reader->line; true: it is whole. */
static bool take_line(struct failed_documents_reader *reader)
{
	unsigned char *end =
		reader->out_left ? memchr(reader->out_at, '\n', reader->out_left) : NULL;
	size_t len = end ? (size_t)(end - reader->out_at) : reader->out_left;

	buf_append(&reader->line, reader->out_at, len);
	len += end != NULL;
	reader->out_at += len;
	reader->out_left -= len;
	return end != NULL;
}

int failed_documents_reader_next(struct failed_documents_reader *reader, struct str *line,
				 struct err *err)
{
	int rc = 1;

	if (reader->line.capacity > LINE_KEPT)
		buf_release(&reader->line);
	buf_reset(&reader->line);
	while (!take_line(reader)) {
		rc = reader->at_end ? 0 : inflate_more(reader, err);
		if (rc <= 0)
			break;
	}
	if (buf_check(&reader->line, reader->path, err) < 0)
		return -(int)err->kind;
	*line = buf_str(&reader->line);
	if (rc < 0)
		return rc;
	/* What a whole file ends with is a line even without its line break. */
	return rc > 0 || (line->len > 0 && !reader->cut);
}
