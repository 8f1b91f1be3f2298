#include "backfill/failed_sink.h"

#include "backfill/gzip_file.h"
#include "base/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROTATE_AT MIB(64) /* bytes of one file before compression, as the Java tool */
#define OPEN_MAX_FILES 16 /* indices whose file stays open; the longest unused makes room */

/* One index's file. */
struct stream_file {
	char *index;
	struct gzip_file *file;
	uint64_t used_at; /* by the count of uses */
};

struct failed_files {
	struct failed_sink sink;
	char *directory; /* holds session=… */
	char *session;   /* "session=…" */
	char *worker;    /* "worker=…" */
	char *path;      /* directory/session, for messages */
	struct stream_file files[OPEN_MAX_FILES];
	uint64_t uses, file_number;
};

static void fd_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* Goes from the folder *at into its folder `name`, which is made, durably, when it is not there. */
static int descend(int *at, const char *name)
{
	int child;

	if (mkdirat(*at, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	if (fsync(*at) < 0)
		return -errno;
	child = openat(*at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (child < 0)
		return -errno;
	close(*at);
	*at = child;
	return 0;
}

/* The folder of an index, opened. */
static int open_folder(const struct failed_files *files, const char *index, int *folder,
		       struct err *err)
{
	cleanup(fd_closep) int at = -1;
	int rc = directory_make(files->directory, err);

	if (rc < 0)
		return rc;
	at = open(files->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = at < 0 ? -errno : 0;
	if (rc == 0)
		rc = descend(&at, files->session);
	if (rc == 0)
		rc = descend(&at, index);
	if (rc == 0)
		rc = descend(&at, files->worker);
	if (rc < 0)
		return err_set_errno(err, ERR_IO, -rc, "cannot make '%s/%s/%s'", files->path, index,
				     files->worker);
	*folder = at;
	at = -1;
	return 0;
}

/* A process of the same number may have written here within this second, where numbers are few. */
static void append_free_name(struct buf *name, struct failed_files *files, int folder)
{
	do {
		buf_reset(name);
		failed_file_name(name, files->file_number++);
	} while (faccessat(folder, buf_cstr(name), F_OK, AT_SYMLINK_NOFOLLOW) == 0);
}

static int create_file(struct failed_files *files, struct str target_index, struct gzip_file **out,
		       struct err *err)
{
	cleanup(fd_closep) int folder = -1;
	cleanup(mem_freep) char *index = failed_folder_name("index=", target_index);
	cleanup(buf_release) struct buf name = BUF_INIT(LIMIT_PATH),
					path = BUF_INIT(LIMIT_PATH * 4);
	int rc = open_folder(files, index, &folder, err);

	if (rc < 0)
		return rc;
	append_free_name(&name, files, folder);
	buf_printf(&path, "%s/%s/%s/%s", files->path, index, files->worker, buf_cstr(&name));
	rc = gzip_file_create(folder, buf_cstr(&name), buf_cstr(&path), out, err);
	if (rc == 0 && fsync(folder) < 0)
		rc = err_set_errno(err, ERR_IO, errno, "cannot write '%s'", buf_cstr(&path));
	return rc;
}

static int end_file(struct stream_file *slot, struct err *err)
{
	int rc = slot->file ? gzip_file_sync(slot->file, err) : 0;

	gzip_file_close(slot->file);
	free(slot->index);
	*slot = (struct stream_file){0};
	return rc;
}

/* The open file of the index, or the slot to be used for one. */
static struct stream_file *slot_of(struct failed_files *files, struct str index)
{
	struct stream_file *oldest = &files->files[0];

	for (size_t i = 0; i < OPEN_MAX_FILES; i++) {
		struct stream_file *slot = &files->files[i];

		if (slot->index && str_is(index, slot->index))
			return slot;
		if (slot->used_at < oldest->used_at)
			oldest = slot;
	}
	return oldest;
}

static int file_of(struct failed_files *files, struct str index, struct gzip_file **out,
		   struct err *err)
{
	struct stream_file *slot = slot_of(files, index);
	bool other = !slot->index || !str_is(index, slot->index);
	int rc = 0;

	if (other || gzip_file_length(slot->file) >= ROTATE_AT) {
		rc = end_file(slot, err);
		if (rc == 0)
			rc = create_file(files, index, &slot->file, err);
		if (rc < 0)
			return rc;
		slot->index = str_dup(index);
	}
	slot->used_at = ++files->uses;
	*out = slot->file;
	return 0;
}

static int files_append(struct failed_sink *sink, struct str index, struct str line,
			struct err *err)
{
	struct gzip_file *file;
	int rc = file_of((struct failed_files *)sink, index, &file, err);

	return rc < 0 ? rc : gzip_file_append(file, line, err);
}

static int files_flush(struct failed_sink *sink, struct err *err)
{
	struct failed_files *files = (struct failed_files *)sink;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < OPEN_MAX_FILES; i++)
		if (files->files[i].file)
			rc = gzip_file_sync(files->files[i].file, err);
	return rc;
}

static int files_close(struct failed_sink *sink, struct err *err)
{
	struct failed_files *files = (struct failed_files *)sink;
	int rc = 0;

	for (size_t i = 0; i < OPEN_MAX_FILES; i++) {
		int ended = end_file(&files->files[i], rc < 0 ? NULL : err);

		rc = rc < 0 ? rc : ended;
	}
	free(files->directory);
	free(files->session);
	free(files->worker);
	free(files->path);
	free(files);
	return rc;
}

struct failed_sink *failed_files_new(const char *directory, const char *session, const char *worker)
{
	static const struct failed_sink_ops ops = {files_append, files_flush, files_close};
	cleanup(buf_release) struct buf path = BUF_INIT(SIZE_MAX / 2);
	struct failed_files *files = mem_zalloc(sizeof(*files));

	files->sink.ops = &ops;
	files->directory = mem_strdup(directory);
	files->session = failed_folder_name("session=", str_from(session));
	files->worker = failed_folder_name("worker=", str_from(worker));
	buf_printf(&path, "%s/%s", directory, files->session);
	files->path = mem_strdup(buf_cstr(&path));
	return &files->sink;
}
