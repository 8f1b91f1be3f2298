#include "snapshot/shard_directory.h"
#include "snapshot/file_checksum.h"
#include "snapshot/parts_source.h"

#include <stdatomic.h>
#include <stdlib.h>

/* A file of a remote store that is no larger comes with one request, rather than with one for its
 * footer, one for its header, and so on. */
#define WHOLE_MAX KIB(64)

struct shard_directory {
	struct lucene_directory directory;
	struct blob_store *store;
	char *folder;
	const struct snapshot_file *files;
	size_t count;
	atomic_bool *checked; /* of files[i]: its checksum was found right */
};

static struct shard_directory *shard_of(struct lucene_directory *directory)
{
	return (struct shard_directory *)directory;
}

static int shard_list(struct lucene_directory *directory, struct arena *mem, struct str **names,
		      size_t *count, struct err *err)
{
	const struct shard_directory *shard = shard_of(directory);

	*count = shard->count;
	*names = arena_zalloc(mem, shard->count, sizeof(struct str));
	if (!*names)
		return arena_fail(mem, directory->name, err);
	for (size_t i = 0; i < shard->count; i++)
		(*names)[i] = shard->files[i].physical_name;
	return 0;
}

static int compare_to_file(const void *name, const void *file)
{
	return str_cmp(*(const struct str *)name,
		       ((const struct snapshot_file *)file)->physical_name);
}

/* A checksum over the whole file is computed once: parts of compound files are opened again and
 * again. */
static int check(struct shard_directory *shard, const struct snapshot_file *file,
		 struct bytes_source *source, struct err *err)
{
	atomic_bool *checked = &shard->checked[file - shard->files];
	int rc;

	if (file->checksum_kind == FILE_CHECKSUM_WHOLE && atomic_load(checked))
		return 0;
	rc = file_checksum_check(file, source, err);
	if (rc == 0)
		atomic_store(checked, true);
	return rc;
}

/* Puts the bytes of the source in its place. */
static int fetch_whole(struct bytes_source **source, struct err *err)
{
	size_t len = (size_t)(*source)->size;
	cleanup(mem_freep) char *bytes = mem_alloc(len + 1);
	struct bytes_source *whole;
	int rc = bytes_source_read(*source, 0, bytes, len, err);

	if (rc < 0)
		return rc;
	whole = owned_source_new(take(bytes), len, str_from((*source)->name));
	bytes_source_close(*source);
	*source = whole;
	return 0;
}

static int open_blob(struct shard_directory *shard, const struct snapshot_file *file,
		     struct str blob, struct bytes_source **out, struct err *err)
{
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	int rc = 0;

	if (file->content.ptr)
		source = memory_source_new(file->content, file->physical_name);
	else if (file->length > file->part_size)
		source = parts_source_new(shard->store, blob, file->length, file->part_size, blob);
	else
		rc = blob_store_source_sized(shard->store, blob, file->length, &source, err);
	if (rc == 0 && bytes_source_is_remote(source) && source->size <= WHOLE_MAX)
		rc = fetch_whole(&source, err);
	if (rc == 0)
		rc = check(shard, file, source, err);
	if (rc == 0)
		*out = take(source);
	return rc;
}

static int shard_open(struct lucene_directory *directory, struct str name,
		      struct bytes_source **out, struct err *err)
{
	cleanup(buf_release) struct buf blob = BUF_INIT(2 * LIMIT_PATH);
	struct shard_directory *shard = shard_of(directory);
	const struct snapshot_file *file = NULL;

	if (shard->count > 0)
		file = bsearch(&name, shard->files, shard->count, sizeof(*file), compare_to_file);
	if (!file)
		return err_set(err, ERR_NOT_FOUND, "there is no file '" STR_FMT "' in %s",
			       STR_ARG(name), directory->name);
	buf_printf(&blob, "%s/" STR_FMT, shard->folder, STR_ARG(file->blob));
	if (open_blob(shard, file, buf_str(&blob), out, err) < 0)
		return err_wrap(err, "file '" STR_FMT "' of %s, blob '" STR_FMT "'", STR_ARG(name),
				directory->name, STR_ARG(buf_str(&blob)));
	return 0;
}

static void shard_close(struct lucene_directory *directory)
{
	struct shard_directory *shard = shard_of(directory);

	free(shard->checked);
	free(shard->folder);
	free(directory->name);
	free(shard);
}

static const struct lucene_directory_ops shard_ops = {
	.list = shard_list, .open = shard_open, .close = shard_close};

struct lucene_directory *shard_directory_new(struct blob_store *store, struct str folder,
					     struct str name, const struct snapshot_file *files,
					     size_t count)
{
	struct shard_directory *shard = mem_zalloc(sizeof(*shard));

	shard->directory = (struct lucene_directory){&shard_ops, str_dup(name)};
	shard->store = store;
	shard->folder = str_dup(folder);
	shard->files = files;
	shard->count = count;
	shard->checked = mem_zalloc((count + 1) * sizeof(*shard->checked));
	return &shard->directory;
}
