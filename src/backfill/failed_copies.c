#include "backfill/failed_copies.h"

#include "backfill/failed_sink.h"
#include "base/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP MIB(1)

static void fd_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int write_all(int fd, const char *bytes, size_t len, const char *path, struct err *err)
{
	while (len > 0) {
		ssize_t wrote = write(fd, bytes, len);

		if (wrote < 0 && errno != EINTR)
			return err_set_errno(err, ERR_IO, errno, "cannot write '%s'", path);
		bytes += wrote < 0 ? 0 : wrote;
		len -= wrote < 0 ? 0 : (size_t)wrote;
	}
	return 0;
}

static int copy_to(struct bytes_source *source, const char *path, struct err *err)
{
	cleanup(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	cleanup(mem_freep) char *step = mem_alloc(STEP);
	int rc = 0;

	if (fd < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot write '%s'", path);
	for (uint64_t at = 0; rc == 0 && at < source->size; at += STEP) {
		size_t len = (size_t)MIN(source->size - at, (uint64_t)STEP);

		rc = bytes_source_read(source, at, step, len, err);
		if (rc == 0)
			rc = write_all(fd, step, len, path, err);
	}
	return rc;
}

static bool is_there(const char *path, uint64_t size)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
	       (uint64_t)status.st_size == size;
}

static int make_folder_of(struct buf *path, struct err *err)
{
	char *slash = strrchr(buf_cstr(path), '/');
	int rc;

	*slash = '\0';
	rc = directory_make(path->ptr, err);
	*slash = '/';
	return rc;
}

static int fetch(struct blob_store *store, const struct blob_info *blob, const char *folder,
		 struct err *err)
{
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	cleanup(buf_release) struct buf path = BUF_INIT(2 * LIMIT_PATH),
					beside = BUF_INIT(2 * LIMIT_PATH);
	int rc;

	buf_printf(&path, "%s/" STR_FMT, folder, STR_ARG(blob->name));
	buf_printf(&beside, STR_FMT ".%ld.tmp", STR_ARG(buf_str(&path)), (long)getpid());
	if (buf_check(&beside, "the name of a copy", err) < 0)
		return -ERR_LIMIT;
	if (is_there(buf_cstr(&path), blob->size))
		return 0;
	if ((rc = blob_store_source_sized(store, blob->name, blob->size, &source, err)) < 0 ||
	    (rc = make_folder_of(&path, err)) < 0)
		return rc;
	rc = copy_to(source, buf_cstr(&beside), err);
	if (rc == 0 && rename(buf_cstr(&beside), buf_cstr(&path)) < 0)
		rc = err_set_errno(err, ERR_IO, errno, "cannot write '%s'", buf_cstr(&path));
	if (rc < 0)
		unlink(buf_cstr(&beside));
	return rc;
}

static int list(struct blob_store *store, const char *session, struct arena *mem,
		struct blob_listing *out, struct err *err)
{
	cleanup(mem_freep) char *folder =
		session ? failed_folder_name("session=", str_from(session)) : NULL;
	int rc = 0;

	*out = (struct blob_listing){0};
	if (folder)
		rc = blob_store_list_below(store, str_from(folder), mem, out, err);
	/* The root may be a session's folder itself. */
	if (rc == 0 && out->count == 0)
		rc = blob_store_list_below(store, STR_NONE, mem, out, err);
	return rc;
}

int failed_documents_fetch(struct blob_store *store, const char *session, const char *folder,
			   struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_LISTING);
	struct blob_listing listing;
	int rc = list(store, session, &mem, &listing, err);

	if (rc == 0)
		rc = directory_make(folder, err);
	for (size_t i = 0; rc == 0 && i < listing.count; i++)
		if (str_ends(listing.blobs[i].name, STR(".ndjson.gz")))
			rc = fetch(store, &listing.blobs[i], folder, err);
	return rc < 0 ? err_wrap(err, "the failed documents in '%s'", store->uri) : 0;
}
