#include "backfill/gzip_file.h"

#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#define GZIP_WINDOW (15 + 16) /* zlib: the largest window, in gzip's clothes */

struct gzip_file {
	int fd;
	char *path;
	z_stream stream;
	bool in_member;
	uint64_t length;
	unsigned char output[KIB(16)];
};

int gzip_file_create(int at, const char *name, const char *path, struct gzip_file **out,
		     struct err *err)
{
	int fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	struct gzip_file *file;

	if (fd < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot create '%s'", path);
	file = mem_zalloc(sizeof(*file));
	file->fd = fd;
	file->path = mem_strdup(path);
	if (deflateInit2(&file->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK) {
		gzip_file_close(file);
		return err_set(err, ERR_NOMEM, "no memory is left to compress '%s' with", path);
	}
	*out = file;
	return 0;
}

static int write_output(struct gzip_file *file, struct err *err)
{
	size_t length = sizeof(file->output) - file->stream.avail_out, written = 0;

	while (written < length) {
		ssize_t n = write(file->fd, file->output + written, length - written);

		if (n < 0 && errno != EINTR)
			return err_set_errno(err, ERR_IO, errno, "cannot write '%s'", file->path);
		written += n < 0 ? 0 : (size_t)n;
	}
	return 0;
}

/* Runs the compressor until it has taken all input and, for Z_FINISH, ended the member. */
static int run(struct gzip_file *file, int flush, struct err *err)
{
	int status, rc;

	do {
		file->stream.next_out = file->output;
		file->stream.avail_out = sizeof(file->output);
		status = deflate(&file->stream, flush);
		rc = write_output(file, err);
		if (rc < 0)
			return rc;
	} while (file->stream.avail_out == 0 || (flush == Z_FINISH && status == Z_OK));
	return 0;
}

int gzip_file_append(struct gzip_file *file, struct str text, struct err *err)
{
	file->in_member = true;
	file->length += text.len;
	while (text.len > 0) {
		size_t step = MIN(text.len, MIB(1));
		int rc;

		/* zlib reads it only; its interface is older than const. */
		memcpy(&file->stream.next_in, &text.ptr, sizeof(text.ptr));
		file->stream.avail_in = (uInt)step;
		rc = run(file, Z_NO_FLUSH, err);
		if (rc < 0)
			return rc;
		text = str_from_offset(text, step);
	}
	return 0;
}

int gzip_file_sync(struct gzip_file *file, struct err *err)
{
	int rc;

	if (!file->in_member)
		return 0;
	rc = run(file, Z_FINISH, err);
	if (rc < 0)
		return rc;
	deflateReset(&file->stream);
	file->in_member = false;
	if (fsync(file->fd) < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot write '%s'", file->path);
	return 0;
}

uint64_t gzip_file_length(const struct gzip_file *file)
{
	return file->length;
}

void gzip_file_close(struct gzip_file *file)
{
	if (!file)
		return;
	deflateEnd(&file->stream);
	close(file->fd);
	free(file->path);
	free(file);
}
