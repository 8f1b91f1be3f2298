#include "snapshot/shard_directory.h"

#include "lucene/codec_file.h"
#include "snapshot/file_checksum.h"
#include "snapshot/parts_source.h"
#include "store/small_reads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* A file of a remote store that is no larger comes with one request, rather than with one for its
 * footer, one for its header, and so on. */
#define WHOLE_MAX KIB(64)
/* What is kept of the files of a remote shard. */
#define KEPT_MAX MIB(4)
/* What is fetched as the first file is opened. */
#define WARM_MOST 512
#define WARM_THREADS 16

struct shard_directory {
	struct lucene_directory directory;
	struct blob_store *store;
	char *folder;
	const struct snapshot_file *files;
	size_t count;
	atomic_bool *checked;     /* of files[i]: its checksum was found right */
	struct small_reads *kept; /* of a remote store; else NULL. Keys are places in files */
	pthread_mutex_t warming;  /* of what follows */
	bool warmed;
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

/* The blob as it is: nothing of it is checked yet. */
static int open_bytes(struct shard_directory *shard, const struct snapshot_file *file,
		      struct str blob, struct bytes_source **out, struct err *err)
{
	struct bytes_source *source = NULL;
	int rc = 0;

	if (file->content.ptr)
		source = memory_source_new(file->content, file->physical_name);
	else if (file->length > file->part_size)
		source = parts_source_new(shard->store, blob, file->length, file->part_size, blob);
	else
		rc = blob_store_source_sized(shard->store, blob, file->length, &source, err);
	if (rc < 0)
		return rc;
	*out = shard->kept && !file->content.ptr
		       ? small_reads_source(shard->kept, (uint64_t)(file - shard->files), source)
		       : source;
	return 0;
}

static int open_blob(struct shard_directory *shard, const struct snapshot_file *file,
		     struct str blob, struct bytes_source **out, struct err *err)
{
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	int rc = open_bytes(shard, file, blob, &source, err);

	if (rc == 0 && bytes_source_is_remote(source) && source->size <= WHOLE_MAX)
		rc = small_reads_fetch(source, 0, (size_t)source->size, err);
	if (rc == 0)
		rc = check(shard, file, source, err);
	if (rc == 0)
		*out = take(source);
	return rc;
}

/* A range that is worth having before anybody asks for it. */
struct wanted {
	const struct snapshot_file *file;
	uint64_t offset;
	size_t len;
};

struct warming {
	struct shard_directory *shard;
	struct wanted wanted[WARM_MOST];
	size_t count, bytes;
	atomic_size_t next;
};

static void want(struct warming *warming, const struct snapshot_file *file, uint64_t offset,
		 uint64_t len)
{
	if (warming->count == WARM_MOST || warming->bytes + len > KEPT_MAX)
		return;
	warming->wanted[warming->count++] = (struct wanted){file, offset, (size_t)len};
	warming->bytes += (size_t)len;
}

/* "_0_1.fnm", "_0_2_Lucene80_0.dvd": what updates of doc values wrote, soft deletes among it. */
static bool is_of_generation(struct str name)
{
	const char *second = name.len > 1 ? memchr(name.ptr + 1, '_', name.len - 1) : NULL;

	return second && second + 1 < name.ptr + name.len && (second[1] < 'A' || second[1] > 'Z');
}

/* What every opening of the shard reads of the file: the small ones whole, of the others what says
 * where things are, and whether they are the right ones. */
static void want_of_file(struct warming *warming, const struct snapshot_file *file)
{
	static const char *const small[] = {".si", ".cfe", ".fnm", ".liv", ".fdm", ".fdx"};
	struct str name = file->physical_name;
	bool opened = str_starts(name, STR("segments")) || is_of_generation(name);

	for (size_t i = 0; i < COUNT_OF(small); i++)
		opened |= str_ends(name, str_from(small[i]));
	if (file->content.ptr || file->length == 0)
		return;
	if ((opened || str_ends(name, STR(".cfs")) || str_ends(name, STR(".fdt"))) &&
	    file->length <= WHOLE_MAX)
		want(warming, file, 0, file->length);
	else if (str_ends(name, STR(".cfs")))
		want(warming, file, 0, SMALL_READ);
	if (file->length > WHOLE_MAX && file->checksum_kind == FILE_CHECKSUM_FOOTER &&
	    (opened || str_ends(name, STR(".cfs")) || str_ends(name, STR(".fdt"))))
		want(warming, file, file->length - CODEC_FOOTER_LENGTH, CODEC_FOOTER_LENGTH);
}

/* What fails here is asked for again, and told, by who needs it. */
static void fetch_wanted(struct warming *warming, const struct wanted *wanted)
{
	cleanup(buf_release) struct buf blob = BUF_INIT(2 * LIMIT_PATH);
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	struct err ignored;

	buf_printf(&blob, "%s/" STR_FMT, warming->shard->folder, STR_ARG(wanted->file->blob));
	if (open_bytes(warming->shard, wanted->file, buf_str(&blob), &source, &ignored) == 0)
		small_reads_fetch(source, wanted->offset, wanted->len, &ignored);
}

static void *fetch_all_wanted(void *user)
{
	struct warming *warming = user;
	size_t i;

	while ((i = atomic_fetch_add(&warming->next, 1)) < warming->count)
		fetch_wanted(warming, &warming->wanted[i]);
	return NULL;
}

/* Round trips that do not wait for one another: at most WARM_THREADS at a time. */
static void warm(struct shard_directory *shard)
{
	cleanup(mem_freep) struct warming *warming = mem_zalloc(sizeof(*warming));
	pthread_t threads[WARM_THREADS];
	size_t started = 0;

	warming->shard = shard;
	for (size_t i = 0; i < shard->count; i++)
		want_of_file(warming, &shard->files[i]);
	while (started < WARM_THREADS && started < warming->count &&
	       pthread_create(&threads[started], NULL, fetch_all_wanted, warming) == 0)
		started++;
	if (started == 0)
		fetch_all_wanted(warming);
	while (started > 0)
		pthread_join(threads[--started], NULL);
}

static void shard_warm_once(struct shard_directory *shard)
{
	pthread_mutex_lock(&shard->warming);
	if (!shard->warmed)
		warm(shard);
	shard->warmed = true;
	pthread_mutex_unlock(&shard->warming);
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
	if (shard->kept)
		shard_warm_once(shard);
	buf_printf(&blob, "%s/" STR_FMT, shard->folder, STR_ARG(file->blob));
	if (open_blob(shard, file, buf_str(&blob), out, err) < 0)
		return err_wrap(err, "file '" STR_FMT "' of %s, blob '" STR_FMT "'", STR_ARG(name),
				directory->name, STR_ARG(buf_str(&blob)));
	return 0;
}

static void shard_close(struct lucene_directory *directory)
{
	struct shard_directory *shard = shard_of(directory);

	small_reads_free(shard->kept);
	pthread_mutex_destroy(&shard->warming);
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
	pthread_mutex_init(&shard->warming, NULL);
	if (blob_store_is_remote(store))
		shard->kept = small_reads_new(KEPT_MAX);
	return &shard->directory;
}
