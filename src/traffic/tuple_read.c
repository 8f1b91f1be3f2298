#include "traffic/tuple_read.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <zlib.h>

enum { READ_AT_ONCE = 256 * 1024, FOLDERS_DEEP = 16, FILES_MAX = 1000000 };

struct tuple_reader {
	char **files; /* owned, as their names are */
	size_t count, capacity, next;
	gzFile open;
	uint64_t line;    /* of the open file */
	struct buf bytes; /* read; from `used` on not given yet */
	size_t used;
	size_t searched; /* from `used` on, without a line's end */
	bool at_end;
	bool skipping; /* the rest of a line that is too long */
};

static int add_file(struct tuple_reader *reader, const char *path, struct err *err)
{
	if (reader->count == FILES_MAX)
		return err_set(err, ERR_LIMIT, "more than %d files of tuples", FILES_MAX);
	if (reader->count == reader->capacity) {
		reader->capacity = MAX(reader->capacity * 2, (size_t)16);
		reader->files =
			mem_realloc(reader->files, reader->capacity * sizeof(*reader->files));
	}
	reader->files[reader->count++] = mem_strdup(path);
	return 0;
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_path(struct tuple_reader *reader, const char *path, int depth, struct err *err);

static int add_folder(struct tuple_reader *reader, const char *path, int depth, struct err *err)
{
	struct dirent **entries = NULL;
	int found = scandir(path, &entries, visible, by_name), rc = 0;

	if (found < 0)
		return err_set_errno(err, ERR_UNREADABLE, errno, "cannot list '%s'", path);
	for (int i = 0; i < found; i++) {
		cleanup(buf_release) struct buf name = BUF_INIT(LIMIT_PATH);

		buf_printf(&name, "%s/%s", path, entries[i]->d_name);
		free(entries[i]);
		if (rc == 0)
			rc = buf_check(&name, "the name of a file of tuples", err);
		if (rc == 0)
			rc = add_path(reader, buf_cstr(&name), depth + 1, err);
	}
	free(entries);
	return rc;
}

/* NOLINTNEXTLINE(misc-no-recursion): FOLDERS_DEEP */
static int add_path(struct tuple_reader *reader, const char *path, int depth, struct err *err)
{
	struct stat stat_buf;

	if (stat(path, &stat_buf) < 0)
		return err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_UNREADABLE, errno,
				     "cannot read tuples of '%s'", path);
	if (!S_ISDIR(stat_buf.st_mode))
		return add_file(reader, path, err);
	if (depth > FOLDERS_DEEP)
		return err_set(err, ERR_LIMIT, "folders below '%s' are more than %d deep", path,
			       FOLDERS_DEEP);
	return add_folder(reader, path, depth, err);
}

int tuple_reader_open(const char *const *paths, size_t count, struct tuple_reader **out,
		      struct err *err)
{
	struct tuple_reader *reader = mem_zalloc(sizeof(*reader));
	int rc = 0;

	reader->bytes = BUF_INIT(TUPLE_LINE_MAX + READ_AT_ONCE);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = add_path(reader, paths[i], 0, err);
	if (rc == 0 && reader->count == 0)
		rc = err_set(err, ERR_NOT_FOUND, "there is no file of tuples in '%s'",
			     count > 0 ? paths[0] : "");
	if (rc < 0) {
		tuple_reader_close(reader);
		return rc;
	}
	*out = reader;
	return 0;
}

static void close_file(struct tuple_reader *reader)
{
	if (reader->open)
		gzclose(reader->open);
	reader->open = NULL;
	reader->next++;
}

void tuple_reader_close(struct tuple_reader *reader)
{
	if (!reader)
		return;
	if (reader->open)
		gzclose(reader->open);
	for (size_t i = 0; i < reader->count; i++)
		free(reader->files[i]);
	free(reader->files);
	buf_release(&reader->bytes);
	free(reader);
}

void tuple_reader_closep(struct tuple_reader **reader)
{
	tuple_reader_close(*reader);
}

static int open_file(struct tuple_reader *reader, struct err *err)
{
	reader->open = gzopen(reader->files[reader->next], "rb");
	if (!reader->open) {
		err_set_errno(err, ERR_UNREADABLE, errno, "cannot open '%s'",
			      reader->files[reader->next]);
		reader->next++;
		return -ERR_UNREADABLE;
	}
	gzbuffer(reader->open, READ_AT_ONCE);
	reader->line = 0;
	reader->used = reader->searched = 0;
	buf_reset(&reader->bytes);
	reader->at_end = reader->skipping = false;
	return 0;
}

/* More bytes behind those that are there; what was given is dropped. */
static int read_more(struct tuple_reader *reader, struct err *err)
{
	int got, number;
	void *at;

	if (reader->used > 0) {
		memmove(reader->bytes.ptr, reader->bytes.ptr + reader->used,
			reader->bytes.len - reader->used);
		reader->bytes.len -= reader->used;
		reader->used = 0;
	}
	at = buf_reserve(&reader->bytes, READ_AT_ONCE);
	if (!at)
		BUG("a line longer than its limit");
	got = gzread(reader->open, at, READ_AT_ONCE);
	if (got < 0 || (got == 0 && gzerror(reader->open, &number) && number == Z_BUF_ERROR))
		return err_set(err, ERR_FORMAT,
			       "'%s' cannot be read on behind line %llu: %s; is it truncated?",
			       reader->files[reader->next], (unsigned long long)reader->line,
			       gzerror(reader->open, &number));
	reader->bytes.len += (size_t)got;
	reader->at_end = got == 0;
	return 0;
}

static void take_line(struct tuple_reader *reader, const char *end, struct str *out)
{
	const char *at = reader->bytes.ptr + reader->used;

	out->ptr = at;
	out->len = end ? (size_t)(end - at) : reader->bytes.len - reader->used;
	reader->used += out->len + (end != NULL);
	reader->searched = 0;
	reader->line++;
}

/* 1; 0 at the file's end; -ERR_FORMAT: the rest cannot be read; -ERR_LIMIT: this line cannot. */
static int next_line(struct tuple_reader *reader, struct str *out, struct err *err)
{
	for (;;) {
		size_t left = reader->bytes.len - reader->used;
		const char *at = left > 0 ? reader->bytes.ptr + reader->used : NULL;
		const char *end = left > reader->searched ? memchr(at + reader->searched, '\n',
								   left - reader->searched)
							  : NULL;
		bool skipped = reader->skipping;

		if (end || (reader->at_end && left > 0)) {
			take_line(reader, end, out);
			reader->skipping = false;
			if (!skipped)
				return 1;
			return err_set(err, ERR_LIMIT, "longer than %zu bytes",
				       (size_t)TUPLE_LINE_MAX);
		}
		if (reader->at_end)
			return 0;
		reader->searched = left;
		if (left > TUPLE_LINE_MAX) {
			reader->skipping = true;
			reader->used = reader->bytes.len;
			reader->searched = 0;
		}
		if (read_more(reader, err) < 0)
			return -(int)err->kind;
	}
}

static int name_line(const struct tuple_reader *reader, struct err *err)
{
	return err_wrap(err, "'%s' line %llu is no tuple", reader->files[reader->next],
			(unsigned long long)reader->line);
}

/* A tuple, damage, or -1: on with the next line or file. */
static int next_of_file(struct tuple_reader *reader, struct arena *mem, struct tuple *out,
			struct err *err)
{
	struct str line;
	int got = next_line(reader, &line, err);

	if (got == -ERR_LIMIT) {
		name_line(reader, err);
		return TUPLE_READ_DAMAGED;
	}
	if (got <= 0) {
		close_file(reader);
		return got == 0 ? -1 : TUPLE_READ_DAMAGED;
	}
	if (str_trim(line).len == 0)
		return -1;
	if (tuple_parse(line, mem, out, err) == 0)
		return TUPLE_READ_TUPLE;
	name_line(reader, err);
	return TUPLE_READ_DAMAGED;
}

enum tuple_read tuple_reader_next(struct tuple_reader *reader, struct arena *mem, struct tuple *out,
				  struct err *err)
{
	while (reader->next < reader->count) {
		int got;

		if (!reader->open && open_file(reader, err) < 0)
			return TUPLE_READ_DAMAGED;
		got = next_of_file(reader, mem, out, err);
		if (got >= 0)
			return (enum tuple_read)got;
	}
	return TUPLE_READ_END;
}

size_t tuple_reader_files(const struct tuple_reader *reader)
{
	return reader->count;
}
