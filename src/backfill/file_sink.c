#include "backfill/bulk_sink.h"

#include "backfill/file_lines.h"
#include "backfill/file_name.h"
#include "base/state_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#define GZIP_LEVEL 6
#define KEPT_OUTPUT MIB(64) /* compressed bytes whose memory is kept for the next bulk */

struct file_sink {
	struct bulk_sink base;
	enum file_compression compression;
	enum file_lines lines;
	bool keeps_places;
	char *path;
	int folder; /* -1: not opened yet */
	struct libdeflate_compressor *gzip;
	ZSTD_CCtx *zstd;
	struct buf text, output, name, temporary;
};

static struct file_sink *of(struct bulk_sink *sink)
{
	return (struct file_sink *)sink;
}

static void fd_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int fail(const struct file_sink *sink, const char *what, const char *name, int errno_value,
		struct err *err)
{
	if (errno_value == ENOSPC || errno_value == EDQUOT)
		return err_set_errno(err, ERR_IO, errno_value,
				     "cannot %s '%s/%s'; make space there, then run again into an "
				     "empty folder",
				     what, sink->path, name);
	return err_set_errno(err, ERR_IO, errno_value, "cannot %s '%s/%s'", what, sink->path, name);
}

static int gzip(struct file_sink *sink, struct str body, struct err *err)
{
	size_t most, length;
	void *room;

	if (!sink->gzip)
		sink->gzip = libdeflate_alloc_compressor(GZIP_LEVEL);
	if (!sink->gzip)
		return err_set(err, ERR_NOMEM, "no memory is left to compress with");
	most = libdeflate_gzip_compress_bound(sink->gzip, body.len);
	room = buf_reserve(&sink->output, most);
	length = room ? libdeflate_gzip_compress(sink->gzip, body.ptr, body.len, room, most) : 0;
	if (length == 0)
		return err_set(err, ERR_LIMIT, "a bulk of %zu bytes cannot be compressed",
			       body.len);
	sink->output.len = length;
	return 0;
}

static int zstd(struct file_sink *sink, struct str body, struct err *err)
{
	size_t most = ZSTD_compressBound(body.len), length;
	void *room;

	if (!sink->zstd)
		sink->zstd = ZSTD_createCCtx();
	if (!sink->zstd)
		return err_set(err, ERR_NOMEM, "no memory is left to compress with");
	ZSTD_CCtx_setParameter(sink->zstd, ZSTD_c_checksumFlag, 1);
	room = buf_reserve(&sink->output, most);
	if (!room)
		return buf_check(&sink->output, "a compressed bulk", err);
	length = ZSTD_compress2(sink->zstd, room, most, body.ptr, body.len);
	if (ZSTD_isError(length))
		return err_set(err, ERR_LIMIT, "a bulk of %zu bytes cannot be compressed: %s",
			       body.len, ZSTD_getErrorName(length));
	sink->output.len = length;
	return 0;
}

static int encode(struct file_sink *sink, struct str body, struct str *out, struct err *err)
{
	int rc = 0;

	*out = body;
	if (sink->compression == FILE_PLAIN)
		return 0;
	if (sink->output.capacity > KEPT_OUTPUT)
		buf_release(&sink->output);
	buf_reset(&sink->output);
	rc = sink->compression == FILE_GZIP ? gzip(sink, body, err) : zstd(sink, body, err);
	*out = buf_str(&sink->output);
	return rc;
}

static int write_all(int fd, struct str bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes = str_from_offset(bytes, (size_t)n);
	}
	return 0;
}

/* Written and on the disk; -errno. */
static int write_file(int folder, const char *name, struct str bytes)
{
	cleanup(fd_closep) int fd = -1;
	int rc;

	fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	rc = write_all(fd, bytes);
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	return rc;
}

static int make_names(struct file_sink *sink, const struct bulk_origin *origin, struct err *err)
{
	static const char *const endings[] = {
		[FILE_PLAIN] = "", [FILE_GZIP] = ".gz", [FILE_ZSTD] = ".zst"};

	buf_reset(&sink->name);
	file_name_append(&sink->name, origin->index);
	if (mkdirat(sink->folder, buf_cstr(&sink->name), 0777) < 0 && errno != EEXIST)
		return fail(sink, "make the folder", buf_cstr(&sink->name), errno, err);
	buf_printf(&sink->name, "/%d-", origin->shard);
	if (sink->keeps_places)
		buf_printf(&sink->name, "%" PRId64 "-", origin->first_doc);
	buf_printf(&sink->name, "%" PRIu64 ".ndjson%s", origin->sequence,
		   endings[sink->compression]);
	buf_reset(&sink->temporary);
	buf_append_str(&sink->temporary, buf_str(&sink->name));
	buf_append_str(&sink->temporary, STR(".tmp"));
	return buf_check(&sink->temporary, "a file name", err);
}

static int open_folder(struct file_sink *sink, struct err *err)
{
	if (sink->folder < 0)
		sink->folder = open(sink->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (sink->folder < 0)
		return fail(sink, "open the folder", "", errno, err);
	return 0;
}

/* 0 for what is no folder; -errno. */
static int sync_folder(int parent, const char *name)
{
	cleanup(fd_closep) int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOTDIR ? 0 : -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

/* The name of a file that counts from now on; -errno. */
static int sync_name(const struct file_sink *sink, const struct bulk_origin *origin)
{
	cleanup(buf_release) struct buf index = BUF_INIT(LIMIT_PATH);
	int rc;

	if (!sink->keeps_places)
		return 0;
	file_name_append(&index, origin->index);
	rc = sync_folder(sink->folder, buf_cstr(&index));
	return rc == 0 ? sync_folder(sink->folder, ".") : rc;
}

static int send_bulk(struct bulk_sink *base, const struct bulk *bulk,
		     const struct bulk_origin *origin, struct bulk_result *result, struct err *err)
{
	struct file_sink *sink = of(base);
	const char *name, *temporary;
	struct str bytes = STR_NONE;
	int rc = open_folder(sink, err);

	if (rc == 0)
		rc = make_names(sink, origin, err);
	buf_reset(&sink->text);
	if (rc == 0 && sink->lines != FILE_LINES_BULK)
		rc = file_lines_write(bulk, sink->lines, &sink->text, err);
	if (rc == 0)
		rc = encode(sink,
			    sink->lines == FILE_LINES_BULK ? buf_str(&bulk->body)
							   : buf_str(&sink->text),
			    &bytes, err);
	if (rc < 0)
		return rc;
	name = buf_cstr(&sink->name);
	temporary = buf_cstr(&sink->temporary);
	rc = write_file(sink->folder, temporary, bytes);
	if (rc == 0 && renameat(sink->folder, temporary, sink->folder, name) < 0)
		rc = -errno;
	if (rc == 0)
		rc = sync_name(sink, origin);
	if (rc < 0) {
		unlinkat(sink->folder, temporary, 0);
		return fail(sink, "write", name, -rc, err);
	}
	result->succeeded = bulk->count;
	return 0;
}

static void directory_closep(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

/* The names of the files, which a power loss could still take, are in the folders. */
static int finish(struct bulk_sink *base, struct err *err)
{
	struct file_sink *sink = of(base);
	cleanup(directory_closep) DIR *directory = opendir(sink->path);
	struct dirent *entry;

	if (!directory)
		return fail(sink, "open the folder", "", errno, err);
	while ((entry = readdir(directory))) {
		int rc = strcmp(entry->d_name, "..") == 0
				 ? 0
				 : sync_folder(dirfd(directory), entry->d_name);

		if (rc < 0)
			return fail(sink, "write", entry->d_name, -rc, err);
	}
	return 0;
}

static void cancel(struct bulk_sink *sink)
{
	(void)sink;
}

static void close_sink(struct bulk_sink *base)
{
	struct file_sink *sink = of(base);

	fd_closep(&sink->folder);
	libdeflate_free_compressor(sink->gzip);
	ZSTD_freeCCtx(sink->zstd);
	buf_release(&sink->text);
	buf_release(&sink->output);
	buf_release(&sink->name);
	buf_release(&sink->temporary);
	free(sink->path);
	free(sink);
}

struct bulk_sink *file_sink_new(const char *path, enum file_compression compression,
				enum file_lines lines)
{
	static const struct bulk_sink_ops ops = {
		.send = send_bulk, .finish = finish, .cancel = cancel, .close = close_sink};
	struct file_sink *sink = mem_zalloc(sizeof(*sink));

	sink->base.ops = &ops;
	sink->compression = compression;
	sink->lines = lines;
	sink->text = BUF_INIT(SIZE_MAX / 2);
	sink->path = mem_strdup(path);
	sink->folder = -1;
	sink->output = BUF_INIT(SIZE_MAX / 2);
	sink->name = BUF_INIT(LIMIT_PATH);
	sink->temporary = BUF_INIT(LIMIT_PATH);
	return &sink->base;
}

void file_sink_keep_places(struct bulk_sink *sink)
{
	of(sink)->keeps_places = true;
}

int file_sink_prepare(const char *path, struct err *err)
{
	cleanup(directory_closep) DIR *directory = NULL;
	struct dirent *entry;
	int rc = directory_make(path, err);

	if (rc < 0)
		return rc;
	directory = opendir(path);
	if (!directory)
		return err_set_errno(err, ERR_IO, errno, "cannot open the folder '%s'", path);
	while ((entry = readdir(directory)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return err_set(err, ERR_USAGE,
				       "the folder '%s' is not empty ('%s' is in it); name a new "
				       "or an empty one",
				       path, entry->d_name);
	return 0;
}
