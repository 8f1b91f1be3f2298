/* Bulk lines in files, as backfill writes them to a dir: target, as one side of a comparison: each
 * file is a part. */
#include "backfill/file_name.h"
#include "base/json_hash.h"
#include "base/small_file.h"
#include "verify/verify_side.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <libdeflate.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <zstd.h>

#define FILE_MAX MIB(2047)

/* The files of one index. */
struct index_files {
	struct index_files *next;
	struct str name;
	struct str *paths;
	size_t count;
	uint64_t state; /* of their names, sizes and times */
};

struct files_side {
	struct verify_side base;
	const char *path;
	pthread_mutex_t lock;
	struct arena mem;
	struct index_files *indices;
};

struct file_documents {
	struct document_source base;
	struct arena mem; /* of one action line */
	struct buf text;
	size_t at;
	struct str path, index;
	uint64_t line;
};

static struct files_side *side_of(struct verify_side *side)
{
	return (struct files_side *)side;
}

static void directory_closep(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

static bool is_bulk_file(struct str name)
{
	return str_ends(name, STR(".ndjson")) || str_ends(name, STR(".ndjson.gz")) ||
	       str_ends(name, STR(".ndjson.zst"));
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* A file that is gone by now is told of where it is opened. */
static void add_state(struct index_files *files, int directory, const char *name)
{
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_PATH);
	struct stat is = {0};

	fstatat(directory, name, &is, 0);
	buf_printf(&text, "%s/%" PRIu64 "/%" PRIu64 "/%" PRId64 ".%ld", name, (uint64_t)is.st_ino,
		   (uint64_t)is.st_size, (int64_t)is.st_mtim.tv_sec, is.st_mtim.tv_nsec);
	files->state += bytes_hash(buf_str(&text)).low;
}

static int list_files(struct files_side *side, const char *folder, struct index_files *out,
		      struct err *err)
{
	cleanup(directory_closep) DIR *directory = opendir(folder);
	struct dirent *entry;
	size_t capacity = 0;

	if (!directory && errno == ENOENT)
		return err_set(err, ERR_NOT_FOUND, "%s has no index '" STR_FMT "'", side->base.what,
			       STR_ARG(out->name));
	if (!directory)
		return err_set_errno(err, ERR_IO, errno, "cannot read '%s'", folder);
	while ((entry = readdir(directory))) {
		if (!is_bulk_file(str_from(entry->d_name)))
			continue;
		if (out->count == capacity) {
			capacity = MAX(capacity * 2, (size_t)16);
			out->paths = mem_realloc(out->paths, capacity * sizeof(*out->paths));
		}
		out->paths[out->count++] = arena_printf(&side->mem, "%s/%s", folder, entry->d_name);
		add_state(out, dirfd(directory), entry->d_name);
	}
	if (out->count > 0)
		qsort(out->paths, out->count, sizeof(*out->paths), by_name);
	return side->mem.failed ? arena_fail(&side->mem, "the names of files", err) : 0;
}

static struct index_files *find(const struct files_side *side, struct str name)
{
	struct index_files *files = side->indices;

	while (files && !str_eq(files->name, name))
		files = files->next;
	return files;
}

static int look(struct verify_side *base, struct verify_index *index, struct err *err)
{
	cleanup(buf_release) struct buf folder = BUF_INIT(LIMIT_PATH);
	struct files_side *side = side_of(base);
	struct index_files *files;
	int rc = 0;

	buf_printf(&folder, "%s/", side->path);
	file_name_append(&folder, index->name);
	if (buf_check(&folder, "the name of a folder", err) < 0)
		return -(int)err->kind;
	pthread_mutex_lock(&side->lock);
	files = find(side, index->name);
	if (!files) {
		files = mem_zalloc(sizeof(*files));
		files->name = arena_str(&side->mem, index->name);
		files->next = side->indices;
		side->indices = files;
		rc = list_files(side, buf_cstr(&folder), files, err);
	}
	pthread_mutex_unlock(&side->lock);
	if (rc == 0 && files->count == 0)
		rc = err_set(err, ERR_NOT_FOUND, "%s has no bulk lines of index '" STR_FMT "'",
			     base->what, STR_ARG(index->name));
	index->parts = files->count;
	index->state.writes = files->state;
	return rc;
}

static int damaged(const struct file_documents *d, const char *what, struct err *err)
{
	return err_set(err, ERR_FORMAT, "line %" PRIu64 " of '" STR_FMT "' %s", d->line,
		       STR_ARG(d->path), what);
}

/* False: the text ends without a line break. */
static bool next_line(struct file_documents *d, struct str *line)
{
	struct str rest = str_from_offset(buf_str(&d->text), d->at);
	const char *end = rest.len ? memchr(rest.ptr, '\n', rest.len) : NULL;

	if (!end)
		return false;
	*line = str_of(rest.ptr, (size_t)(end - rest.ptr));
	d->at += line->len + 1;
	d->line++;
	return true;
}

static int read_action(struct file_documents *d, struct str line, struct document *out,
		       struct err *err)
{
	const struct json *action;
	struct json *root;

	arena_reset(&d->mem);
	if (json_parse(line, &d->mem, &root, NULL) < 0 || root->type != JSON_OBJECT || !root->first)
		return damaged(d, "is no action of a bulk", err);
	action = root->first;
	if (!str_is(action->key, "index") && !str_is(action->key, "create"))
		return err_set(err, ERR_UNSUPPORTED,
			       "line %" PRIu64 " of '" STR_FMT "' is a '" STR_FMT
			       "': only files with whole documents can be compared",
			       d->line, STR_ARG(d->path), STR_ARG(action->key));
	if (!str_eq(json_string(json_get(action, "_index")), d->index))
		return damaged(d, "is for another index", err);
	*out = (struct document){.id = json_string(json_get(action, "_id")),
				 .routing = json_string(json_get(action, "routing")),
				 .type = json_string(json_get(action, "_type")),
				 .version = -1,
				 .live = true};
	if (!out->routing.ptr)
		out->routing = json_string(json_get(action, "_routing"));
	return 0;
}

static int next(struct document_source *base, struct document *out, struct err *err)
{
	struct file_documents *d = (struct file_documents *)base;
	struct str action, source;

	if (d->at == d->text.len)
		return 0;
	if (!next_line(d, &action))
		return damaged(d, "is cut off", err);
	if (read_action(d, action, out, err) < 0)
		return -(int)err->kind;
	if (!next_line(d, &source))
		return damaged(d, "is followed by no document", err);
	out->source = source;
	return 1;
}

static uint64_t position(const struct document_source *base)
{
	return ((const struct file_documents *)base)->at;
}

static void close_source(struct document_source *base)
{
	struct file_documents *d = (struct file_documents *)base;

	arena_release(&d->mem);
	buf_release(&d->text);
	free(d);
}

/* A file of one member, as backfill writes them: what stood behind it would not be compared. */
static bool unzip(struct str packed, struct buf *out)
{
	struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
	uint32_t length = 0;
	size_t consumed = 0;
	void *room = NULL;
	bool done = false;

	if (packed.len >= 4)
		memcpy(&length, packed.ptr + packed.len - 4, sizeof(length));
	length = le32toh(length);
	if (decompressor)
		room = buf_reserve(out, (size_t)length + 1);
	if (room)
		done = libdeflate_gzip_decompress_ex(decompressor, packed.ptr, packed.len, room,
						     length, &consumed,
						     NULL) == LIBDEFLATE_SUCCESS &&
		       consumed == packed.len;
	libdeflate_free_decompressor(decompressor);
	out->len = done ? length : 0;
	return done;
}

static bool unpack_zstd(struct str packed, struct buf *out)
{
	unsigned long long length = ZSTD_getFrameContentSize(packed.ptr, packed.len);
	void *room;

	if (length > FILE_MAX)
		return false;
	room = buf_reserve(out, (size_t)length + 1);
	if (!room || ZSTD_decompress(room, (size_t)length, packed.ptr, packed.len) != length)
		return false;
	out->len = (size_t)length;
	return true;
}

static int read_file(struct file_documents *d, struct err *err)
{
	cleanup(buf_release) struct buf packed = BUF_INIT(FILE_MAX);
	bool whole = true;
	int rc = small_file_read(d->path.ptr, &packed, err);

	if (rc == 0)
		return err_set(err, ERR_IO, "file '" STR_FMT "' has gone", STR_ARG(d->path));
	if (rc < 0)
		return rc;
	if (str_ends(d->path, STR(".gz"))) {
		whole = unzip(buf_str(&packed), &d->text);
	} else if (str_ends(d->path, STR(".zst"))) {
		whole = unpack_zstd(buf_str(&packed), &d->text);
	} else {
		d->text = packed;
		packed = BUF_INIT(0);
	}
	if (!whole)
		return err_set(err, ERR_FORMAT, "file '" STR_FMT "' cannot be decompressed",
			       STR_ARG(d->path));
	d->base.total_bytes = d->text.len;
	return 0;
}

static int open_part(struct verify_side *base, const struct verify_index *index, size_t part,
		     struct document_source **out, struct err *err)
{
	static const struct document_source_ops ops = {next, position, close_source};
	struct files_side *side = side_of(base);
	struct file_documents *d = mem_zalloc(sizeof(*d));
	int rc;

	pthread_mutex_lock(&side->lock);
	d->path = find(side, index->name)->paths[part];
	pthread_mutex_unlock(&side->lock);
	d->base.ops = &ops;
	d->mem = ARENA_INIT(MIB(16));
	d->text = BUF_INIT(FILE_MAX);
	d->index = index->name;
	rc = read_file(d, err);
	if (rc < 0) {
		close_source(&d->base);
		return rc;
	}
	*out = &d->base;
	return 0;
}

/* As a target: its folders are looked for by name. */
static int list(struct verify_side *side, struct arena *mem, struct str **names, size_t *count,
		struct err *err)
{
	(void)mem;
	(void)names;
	(void)count;
	return err_set(err, ERR_USAGE, "%s: bulk lines are a target, not a source", side->what);
}

static void close_side(struct verify_side *base)
{
	struct files_side *side = side_of(base);

	while (side->indices) {
		struct index_files *files = side->indices;

		side->indices = files->next;
		free(files->paths);
		free(files);
	}
	arena_release(&side->mem);
	pthread_mutex_destroy(&side->lock);
	free(side);
}

struct verify_side *verify_side_of_files(const char *path, const char *what)
{
	static const struct verify_side_ops ops = {look, open_part, list, NULL, close_side};
	struct files_side *side = mem_zalloc(sizeof(*side));

	side->base = (struct verify_side){&ops, what};
	side->path = path;
	side->mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	pthread_mutex_init(&side->lock, NULL);
	return &side->base;
}
