#include "snapshot/shard_directory.h"
#include "snapshot/parts_source.h"

#include "lucene/codec_file.h"

#include <stdlib.h>

struct shard_directory {
	struct lucene_directory directory;
	struct blob_store *store;
	char *folder;
	const struct snapshot_file *files;
	size_t count;
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

/* The footer of a file says which content it should have; so does the snapshot. Comparing them at
 * the cost of one small read finds a blob that is whole, but of another file. That the content is
 * what the footer says is checked by who reads it all. */
static int check_footer(struct bytes_source *source, const struct snapshot_file *file,
			struct err *err)
{
	char bytes[CODEC_FOOTER_LENGTH];
	struct rd rd = rd_over(str_of(bytes, sizeof(bytes)));
	uint64_t checksum;
	int rc;

	if (!file->has_checksum)
		return 0;
	if (source->size < sizeof(bytes))
		return err_set(err, ERR_FORMAT, "has %llu bytes, too few for a Lucene file",
			       (unsigned long long)source->size);
	rc = bytes_source_read(source, source->size - sizeof(bytes), bytes, sizeof(bytes), err);
	if (rc < 0)
		return rc;
	if (rd_be32(&rd) != CODEC_FOOTER_MAGIC || rd_be32(&rd) != 0)
		return err_set(err, ERR_FORMAT, "does not end in a Lucene footer: it is damaged");
	checksum = rd_be64(&rd);
	if (checksum != file->checksum)
		return err_set(
			err, ERR_FORMAT,
			"has the checksum %08llx in its footer, and the snapshot took a file "
			"with %08x: the blob is damaged or another file's",
			(unsigned long long)checksum, file->checksum);
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
		rc = sized_blob_open(shard->store, blob, file->length, &source, err);
	if (rc == 0)
		rc = check_footer(source, file, err);
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
	return &shard->directory;
}
