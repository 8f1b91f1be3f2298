/* Files of documents, as an export fills a folder with them, as one side of a comparison: each file
 * is a part. */
#include "backfill/file_name.h"
#include "base/json_hash.h"
#include "documents/file_documents.h"
#include "verify/verify_side.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

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
	bool ignores_ids;
	pthread_mutex_t lock;
	struct arena mem;
	struct index_files *indices;
};

struct file_part {
	struct document_source base;
	struct document_source *documents;
	struct input_file file;
	struct input_files files;
	struct str index;
	bool ignores_ids;
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
		rc = err_set(err, ERR_NOT_FOUND, "%s has no documents of index '" STR_FMT "'",
			     base->what, STR_ARG(index->name));
	index->parts = files->count;
	index->state.writes = files->state;
	return rc;
}

/* What would be compared wrongly ends the reading. */
static int check_document(const struct file_part *part, const struct document *document,
			  struct err *err)
{
	if (document->problem)
		return err_set(err, ERR_FORMAT, "%s", document->problem);
	if (document->deleted)
		return err_set(err, ERR_UNSUPPORTED,
			       "'%s' deletes document '" STR_FMT
			       "': only files with whole documents can be compared",
			       part->file.path, STR_ARG(document->id));
	if (!str_eq(document->index, part->index))
		return err_set(err, ERR_FORMAT,
			       "'%s' holds a document of index '" STR_FMT "', not of '" STR_FMT "'",
			       part->file.path, STR_ARG(document->index), STR_ARG(part->index));
	if (!part->ignores_ids && file_documents_format(part->documents) == FILE_FORMAT_DOCUMENTS)
		return err_set(err, ERR_UNSUPPORTED,
			       "'%s' holds documents without their ids: compare it with "
			       "--ignore-ids",
			       part->file.path);
	return 1;
}

static int next(struct document_source *base, struct document *out, struct err *err)
{
	struct file_part *part = (struct file_part *)base;
	int rc = document_source_next(part->documents, out, err);

	return rc > 0 ? check_document(part, out, err) : rc;
}

static uint64_t position(const struct document_source *base)
{
	return document_source_position(((const struct file_part *)base)->documents);
}

static void close_source(struct document_source *base)
{
	struct file_part *part = (struct file_part *)base;

	document_source_close(part->documents);
	free(part);
}

static int open_documents(struct file_part *part, struct err *err)
{
	const struct file_documents_options options = {.files = &part->files,
						       .line_limit = LIMIT_SOURCE};
	struct stat is;
	int rc;

	if (stat(part->file.path, &is) < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot read '%s'", part->file.path);
	part->file.index = part->index;
	part->file.size = (uint64_t)is.st_size;
	part->files =
		(struct input_files){.files = &part->file, .count = 1, .bytes = part->file.size};
	rc = file_documents_open(&options, &part->documents, err);
	if (rc == 0)
		part->base.total_bytes = part->documents->total_bytes;
	return rc;
}

static int open_part(struct verify_side *base, const struct verify_index *index, size_t number,
		     struct document_source **out, struct err *err)
{
	static const struct document_source_ops ops = {next, position, close_source};
	struct files_side *side = side_of(base);
	struct file_part *part = mem_zalloc(sizeof(*part));
	int rc;

	pthread_mutex_lock(&side->lock);
	part->file.path = find(side, index->name)->paths[number].ptr;
	pthread_mutex_unlock(&side->lock);
	part->base.ops = &ops;
	part->index = index->name;
	part->ignores_ids = side->ignores_ids;
	rc = open_documents(part, err);
	if (rc < 0) {
		close_source(&part->base);
		return rc;
	}
	*out = &part->base;
	return 0;
}

/* As a target: its folders are looked for by name. */
static int list(struct verify_side *side, struct arena *mem, struct str **names, size_t *count,
		struct err *err)
{
	(void)mem;
	(void)names;
	(void)count;
	return err_set(err, ERR_USAGE, "%s: a folder of files is a target, not a source",
		       side->what);
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

struct verify_side *verify_side_of_files(const char *path, const char *what, bool ignore_ids)
{
	static const struct verify_side_ops ops = {look, open_part, list, NULL, close_side};
	struct files_side *side = mem_zalloc(sizeof(*side));

	side->base = (struct verify_side){&ops, what};
	side->path = path;
	side->ignores_ids = ignore_ids;
	side->mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	pthread_mutex_init(&side->lock, NULL);
	return &side->base;
}
