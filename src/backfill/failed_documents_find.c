#include "backfill/failed_documents_read.h"
#include "backfill/file_name.h"

#include "base/limits.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEEPEST 8 /* folders; the layout has three */

/* One search. */
struct search {
	struct failed_documents_files *out;
	struct str session; /* "session=…"; ptr NULL: any */
	size_t capacity;
};

static void directory_closep(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

static int add_file(struct search *search, struct str path, struct str home, struct err *err)
{
	struct failed_documents_files *out = search->out;

	if (search->session.ptr && !str_ends(home, search->session))
		return 0;
	if (out->count == search->capacity) {
		search->capacity = MAX(search->capacity * 2, (size_t)64);
		out->files = mem_realloc(out->files, search->capacity * sizeof(*out->files));
	}
	path = arena_str(&out->mem, path);
	if (!path.ptr)
		return arena_fail(&out->mem, "the list of failed documents' files", err);
	out->files[out->count++] = (struct failed_documents_file){path, home};
	return 0;
}

static int walk(struct search *search, struct str folder, struct str home, int depth,
		struct err *err);

static int visit(struct search *search, struct str folder, struct str home, const char *name,
		 int depth, struct err *err)
{
	struct arena *mem = &search->out->mem;
	struct str path = arena_printf(mem, STR_FMT "/%s", STR_ARG(folder), name);
	struct stat status;

	if (!path.ptr)
		return arena_fail(mem, "the list of failed documents' files", err);
	if (lstat(path.ptr, &status) < 0)
		return errno == ENOENT
			       ? 0
			       : err_set_errno(err, ERR_IO, errno, "cannot read '%s'", path.ptr);
	if (S_ISREG(status.st_mode))
		return str_ends(path, STR(".ndjson.gz")) ? add_file(search, path, home, err) : 0;
	if (!S_ISDIR(status.st_mode) || depth == DEEPEST)
		return 0;
	return walk(search, path, str_starts(str_from(name), STR("session=")) ? path : home,
		    depth + 1, err);
}

static int walk(struct search *search, struct str folder, struct str home, int depth,
		struct err *err)
{
	cleanup(directory_closep) DIR *directory = opendir(folder.ptr);
	struct dirent *entry;
	int rc = 0;

	if (!directory)
		return err_set_errno(err, ERR_IO, errno, "cannot read '%s'", folder.ptr);
	while (rc == 0 && (errno = 0, entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			rc = visit(search, folder, home, entry->d_name, depth, err);
	if (rc == 0 && errno)
		rc = err_set_errno(err, ERR_IO, errno, "cannot read '%s'", folder.ptr);
	return rc;
}

static int by_path(const void *a, const void *b)
{
	const struct failed_documents_file *x = a, *y = b;

	return str_cmp(x->path, y->path);
}

/* The folder session=… that `folder` is or lies in; else itself. */
static struct str home_of(struct str folder, struct arena *mem)
{
	for (size_t i = 0; i < folder.len; i++) {
		struct str rest = str_from_offset(folder, i), name, tail;

		if ((i > 0 && folder.ptr[i - 1] != '/') || !str_starts(rest, STR("session=")))
			continue;
		str_split(rest, '/', &name, &tail);
		return arena_str(mem, str_of(folder.ptr, i + name.len));
	}
	return folder;
}

int failed_documents_find(const char *folder, const char *session,
			  struct failed_documents_files *out, struct err *err)
{
	cleanup(buf_release) struct buf wanted = BUF_INIT(LIMIT_PATH);
	struct search search = {.out = out};
	struct str root = str_from(folder);
	int rc;

	*out = (struct failed_documents_files){.mem = ARENA_INIT(LIMIT_LISTING)};
	while (root.len > 1 && root.ptr[root.len - 1] == '/')
		root.len--;
	root = arena_str(&out->mem, root);
	if (access(root.ptr, F_OK) < 0 && errno == ENOENT)
		return 0;
	if (session) {
		buf_append_str(&wanted, STR("/session="));
		file_name_append(&wanted, str_from(session));
		search.session = buf_str(&wanted);
	}
	rc = walk(&search, root, home_of(root, &out->mem), 0, err);
	if (rc < 0) {
		failed_documents_files_release(out);
		return rc;
	}
	if (out->count > 0)
		qsort(out->files, out->count, sizeof(*out->files), by_path);
	return 0;
}

void failed_documents_files_release(struct failed_documents_files *files)
{
	free(files->files);
	arena_release(&files->mem);
	*files = (struct failed_documents_files){.mem = ARENA_INIT(LIMIT_LISTING)};
}
