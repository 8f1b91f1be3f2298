#include "base/small_file.h"

#include "base/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static void fd_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

int small_file_read(const char *path, struct buf *out, struct err *err)
{
	cleanup(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return errno == ENOENT
			       ? 0
			       : err_set_errno(err, ERR_IO, errno, "cannot read '%s'", path);
	do {
		void *at = buf_reserve(out, 4096);

		if (!at)
			return buf_check(out, path, err);
		got = read(fd, at, 4096);
		if (got < 0)
			return err_set_errno(err, ERR_IO, errno, "cannot read '%s'", path);
		out->len += (size_t)got;
	} while (got > 0);
	return 1;
}

/* The part before the last slash; owned. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return mem_strdup(".");
	return str_dup(str_of(path, slash == path ? 1 : (size_t)(slash - path)));
}

static int sync_folder(const char *path, struct err *err)
{
	cleanup(mem_freep) char *folder = folder_of(path);
	cleanup(fd_closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot write to '%s'", folder);
	return 0;
}

static int write_whole(const char *path, struct str content, struct err *err)
{
	cleanup(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	while (fd >= 0 && content.len > 0) {
		ssize_t wrote = write(fd, content.ptr, content.len);

		if (wrote < 0)
			return err_set_errno(err, ERR_IO, errno, "cannot write '%s'", path);
		content = str_from_offset(content, (size_t)wrote);
	}
	if (fd < 0 || fsync(fd) < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot write '%s'", path);
	return 0;
}

int small_file_replace(const char *path, struct str content, struct err *err)
{
	cleanup(mem_freep) char *folder = folder_of(path);
	cleanup(buf_release) struct buf beside = BUF_INIT(LIMIT_PATH);
	int failed;

	/* A name of this process's own: several may write the same file. */
	buf_printf(&beside, "%s.%ld.tmp", path, (long)getpid());
	if ((failed = buf_check(&beside, "the name of a file", err)) < 0 ||
	    (failed = directory_make(folder, err)) < 0)
		return failed;
	failed = write_whole(buf_cstr(&beside), content, err);
	if (failed == 0 && rename(buf_cstr(&beside), path) < 0)
		failed = err_set_errno(err, ERR_IO, errno, "cannot write '%s'", path);
	if (failed < 0) {
		unlink(buf_cstr(&beside));
		return failed;
	}
	return sync_folder(path, err);
}

int small_file_remove(const char *path, struct err *err)
{
	if (unlink(path) == 0)
		return sync_folder(path, err);
	if (errno == ENOENT)
		return 0;
	return err_set_errno(err, ERR_IO, errno, "cannot remove '%s'", path);
}
