#include "workflow/routes/created_indices.h"

#include "base/bytes_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define ANSWER_MAX KIB(64)
#define FILE_MAX MIB(64)

struct created_indices {
	struct arena mem; /* path and names */
	const char *path;
	struct str *names;
	size_t count, capacity;
	uint64_t length; /* of the file's whole lines */
	int fd;          /* -1: nothing to write yet */
};

static void add_name(struct created_indices *indices, struct str name)
{
	if (indices->count == indices->capacity) {
		indices->capacity = MAX(indices->capacity * 2, (size_t)16);
		indices->names =
			mem_realloc(indices->names, indices->capacity * sizeof(*indices->names));
	}
	indices->names[indices->count++] = name;
}

/* A line without an end was cut off in the middle, and its index not created: it is written over.
 */
static int read_names(struct created_indices *indices, struct str text, struct err *err)
{
	struct str line, rest = text;

	indices->count = 0;
	while (str_split(rest, '\n', &line, &text)) {
		struct json *name;

		if (json_parse(line, &indices->mem, &name, err) < 0)
			return err_wrap(err, "'%s'", indices->path);
		add_name(indices, json_string(name));
		indices->length += line.len + 1;
		rest = text;
	}
	return 0;
}

static int read_file(struct created_indices *indices, struct err *err)
{
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	struct str text = STR_NONE;
	struct err missing;

	indices->length = 0;
	if (file_source_open(indices->path, &source, &missing) < 0) {
		if (missing.kind == ERR_NOT_FOUND)
			return 0;
		*err = missing;
		return -(int)err->kind;
	}
	if (bytes_source_read_all(source, &indices->mem, FILE_MAX, &text, err) < 0)
		return -(int)err->kind;
	return read_names(indices, text, err);
}

int created_indices_open(const char *path, struct created_indices **out, struct err *err)
{
	struct created_indices *indices = mem_zalloc(sizeof(*indices));
	int rc;

	indices->mem = ARENA_INIT(2 * FILE_MAX);
	indices->fd = -1;
	indices->path = arena_str(&indices->mem, str_from(path)).ptr;
	rc = read_file(indices, err);
	if (rc < 0) {
		created_indices_close(indices);
		return rc;
	}
	*out = indices;
	return 0;
}

void created_indices_close(struct created_indices *indices)
{
	if (!indices)
		return;
	if (indices->fd >= 0)
		close(indices->fd);
	free(indices->names);
	arena_release(&indices->mem);
	free(indices);
}

bool created_indices_has(const struct created_indices *indices, struct str name)
{
	for (size_t i = 0; i < indices->count; i++)
		if (str_eq(indices->names[i], name))
			return true;
	return false;
}

static int is_on_target(struct cluster *target, struct str name, bool *there, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);
	struct json *answer;
	int status, rc;

	buf_append_byte(&path, '/');
	http_append_encoded(&path, name);
	rc = buf_check(&path, "the path of a request", err);
	if (rc == 0)
		rc = cluster_request(target, "HEAD", buf_cstr(&path), STR_NONE, true, &mem, &status,
				     &answer, err);
	*there = rc == 0 && status != 404;
	return rc;
}

static int fail(const struct created_indices *indices, struct err *err)
{
	return err_set_errno(err, ERR_IO, errno, "cannot write '%s'", indices->path);
}

/* Others of the session may append at the same time: only what has no end is cut off. */
static int open_file(struct created_indices *indices)
{
	int fd = open(indices->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	char last;

	if (size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n' &&
	    ftruncate(fd, (off_t)indices->length) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int append(struct created_indices *indices, struct str name, struct err *err)
{
	cleanup(buf_release) struct buf line = BUF_INIT(KIB(8));
	ssize_t written;

	if (indices->fd < 0)
		indices->fd = open_file(indices);
	if (indices->fd < 0)
		return fail(indices, err);
	json_write_string(&line, name);
	buf_append_byte(&line, '\n');
	if (buf_check(&line, "the name of an index", err) < 0)
		return -(int)err->kind;
	written = write(indices->fd, line.ptr, line.len);
	if (written >= 0 && (size_t)written < line.len)
		errno = ENOSPC;
	if (written != (ssize_t)line.len || fdatasync(indices->fd) < 0)
		return fail(indices, err);
	add_name(indices, arena_str(&indices->mem, name));
	return indices->mem.failed ? arena_fail(&indices->mem, "names of indices", err) : 0;
}

int created_indices_begin(struct created_indices *indices, struct cluster *target, struct str name,
			  bool *ours, struct err *err)
{
	bool there;

	*ours = created_indices_has(indices, name);
	if (*ours)
		return 0;
	if (is_on_target(target, name, &there, err) < 0)
		return -(int)err->kind;
	/* Another process of the session may have been faster. */
	if (there && read_file(indices, err) < 0)
		return -(int)err->kind;
	*ours = !there || created_indices_has(indices, name);
	return there ? 0 : append(indices, name, err);
}
