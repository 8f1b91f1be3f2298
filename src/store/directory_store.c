#include "store/directory_store.h"

#include "base/buf.h"
#include "base/small_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEEPEST 16 /* folders below one another */

struct directory_store {
	struct blob_store store;
	char *path;
};

static struct directory_store *directory_of(struct blob_store *store)
{
	return (struct directory_store *)store;
}

/* The path of a blob or folder, owned by the caller. */
static char *path_of(struct blob_store *store, struct str name)
{
	const char *root = directory_of(store)->path;
	size_t root_len = strlen(root);
	char *path = mem_alloc(root_len + 1 + name.len + 1);

	memcpy(path, root, root_len);
	path[root_len] = '/';
	if (name.len > 0)
		memcpy(path + root_len + 1, name.ptr, name.len);
	path[root_len + 1 + name.len] = '\0';
	return path;
}

static void close_dirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* Appends one entry if it is a regular file. A file that went away meanwhile is left out. */
static int list_entry(DIR *dir, const char *path, const char *name, struct arena *mem,
		      struct buf *entries, struct err *err)
{
	struct blob_info info;
	struct stat st;

	if (fstatat(dirfd(dir), name, &st, 0) < 0)
		return errno == ENOENT ? 0
				       : err_set_errno(err, ERR_UNREADABLE, errno,
						       "cannot look at '%s/%s'", path, name);
	if (!S_ISREG(st.st_mode))
		return 0;
	info = (struct blob_info){arena_str(mem, str_from(name)), (uint64_t)st.st_size};
	if (!info.name.ptr)
		return arena_fail(mem, path, err);
	buf_append(entries, &info, sizeof(info));
	return buf_check(entries, path, err);
}

static int list_entries(DIR *dir, const char *path, struct arena *mem, struct buf *entries,
			struct err *err)
{
	struct dirent *entry;
	int rc;

	for (;;) {
		errno = 0;
		entry = readdir(dir);
		if (!entry)
			break;
		rc = list_entry(dir, path, entry->d_name, mem, entries, err);
		if (rc < 0)
			return rc;
	}
	if (errno)
		return err_set_errno(err, ERR_UNREADABLE, errno, "cannot list '%s'", path);
	return 0;
}

/* Names come from readdir bare; put the folder before them. */
static int prefix_names(struct blob_info *blobs, size_t count, struct str folder, struct arena *mem,
			struct err *err)
{
	for (size_t i = 0; i < count && folder.len > 0; i++) {
		blobs[i].name = arena_printf(mem, STR_FMT "/" STR_FMT, STR_ARG(folder),
					     STR_ARG(blobs[i].name));
		if (!blobs[i].name.ptr)
			return arena_fail(mem, "a listing", err);
	}
	return 0;
}

static int sorted_listing(const struct buf *entries, struct arena *mem, struct blob_listing *out,
			  struct err *err)
{
	out->blobs = arena_alloc(mem, entries->len);
	if (!out->blobs)
		return arena_fail(mem, "a listing", err);
	out->count = entries->len / sizeof(struct blob_info);
	if (out->count > 0) {
		memcpy(out->blobs, entries->ptr, entries->len);
		qsort(out->blobs, out->count, sizeof(struct blob_info), blob_compare_names);
	}
	return 0;
}

static int directory_list(struct blob_store *store, struct str folder, struct arena *mem,
			  struct blob_listing *out, struct err *err)
{
	cleanup(buf_release) struct buf entries = BUF_INIT(LIMIT_LISTING);
	cleanup(mem_freep) char *path = path_of(store, folder);
	cleanup(close_dirp) DIR *dir = opendir(path);
	int rc;

	*out = (struct blob_listing){0};
	if (!dir && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (!dir)
		return err_set_errno(err, ERR_UNREADABLE, errno, "cannot list '%s'", path);
	rc = list_entries(dir, path, mem, &entries, err);
	if (rc < 0)
		return rc;
	rc = sorted_listing(&entries, mem, out, err);
	return rc < 0 ? rc : prefix_names(out->blobs, out->count, folder, mem, err);
}

/* Appends the folder and, by way of `entries`, all that is in it. */
static int list_folder(struct blob_store *store, struct str folder, int depth, struct arena *mem,
		       struct buf *entries, struct err *err);

static int list_folders_in(struct blob_store *store, struct str folder, DIR *dir, int depth,
			   struct arena *mem, struct buf *entries, struct err *err)
{
	struct dirent *entry;
	struct stat st;
	int rc = 0;

	rewinddir(dir);
	while (rc == 0 && (errno = 0, entry = readdir(dir))) {
		struct str path;

		/* Links are not followed: they may lead back up. */
		if (entry->d_name[0] == '.' ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISDIR(st.st_mode))
			continue;
		path = arena_printf(mem, STR_FMT "%s%s", STR_ARG(folder), folder.len ? "/" : "",
				    entry->d_name);
		rc = path.ptr ? list_folder(store, path, depth + 1, mem, entries, err)
			      : arena_fail(mem, "a listing", err);
	}
	return rc;
}

static int list_folder(struct blob_store *store, struct str folder, int depth, struct arena *mem,
		       struct buf *entries, struct err *err)
{
	cleanup(mem_freep) char *path = path_of(store, folder);
	cleanup(close_dirp) DIR *dir = opendir(path);
	size_t before = entries->len;
	struct blob_info info;
	int rc;

	if (!dir && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (!dir)
		return err_set_errno(err, ERR_UNREADABLE, errno, "cannot list '%s'", path);
	if (depth == DEEPEST)
		return err_set(err, ERR_LIMIT, "'%s' lies more than %d folders deep", path,
			       DEEPEST);
	rc = list_entries(dir, path, mem, entries, err);
	for (; rc == 0 && before < entries->len; before += sizeof(info)) {
		memcpy(&info, entries->ptr + before, sizeof(info));
		rc = prefix_names(&info, 1, folder, mem, err);
		memcpy(entries->ptr + before, &info, sizeof(info));
	}
	return rc < 0 ? rc : list_folders_in(store, folder, dir, depth, mem, entries, err);
}

static int directory_list_below(struct blob_store *store, struct str folder, struct arena *mem,
				struct blob_listing *out, struct err *err)
{
	cleanup(buf_release) struct buf entries = BUF_INIT(LIMIT_LISTING);
	int rc = list_folder(store, folder, 0, mem, &entries, err);

	*out = (struct blob_listing){0};
	return rc < 0 ? rc : sorted_listing(&entries, mem, out, err);
}

static int directory_open(struct blob_store *store, struct str name, struct bytes_source **out,
			  struct err *err)
{
	cleanup(mem_freep) char *path = path_of(store, name);

	return file_source_open(path, out, err);
}

static int directory_put(struct blob_store *store, struct str name, struct str bytes,
			 struct err *err)
{
	cleanup(mem_freep) char *path = path_of(store, name);

	return small_file_replace(path, bytes, err);
}

static void directory_close(struct blob_store *store)
{
	struct directory_store *directory = directory_of(store);

	free(directory->path);
	free(store->uri);
	free(directory);
}

static const struct blob_store_ops directory_ops = {.list = directory_list,
						    .list_below = directory_list_below,
						    .open = directory_open,
						    .put = directory_put,
						    .close = directory_close};

int directory_store_open(const char *path, const char *uri, struct blob_store **out,
			 struct err *err)
{
	struct directory_store *directory;
	struct stat st;

	if (stat(path, &st) < 0)
		return err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_UNREADABLE, errno,
				     "cannot open repository '%s'", uri);
	if (!S_ISDIR(st.st_mode))
		return err_set(
			err, ERR_NOT_FOUND,
			"repository '%s' is no directory; name the folder that holds index-N", uri);
	if (access(path, R_OK | X_OK) < 0)
		return err_set_errno(err, ERR_UNREADABLE, errno, "cannot read repository '%s'",
				     uri);
	directory = mem_zalloc(sizeof(*directory));
	directory->store = (struct blob_store){&directory_ops, mem_strdup(uri)};
	directory->path = mem_strdup(path);
	*out = &directory->store;
	return 0;
}
