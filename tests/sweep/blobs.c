#include "blobs.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int list(struct blob_store *store, struct str folder, struct arena *mem,
		struct blob_listing *out, struct err *err)
{
	const struct blobs *blobs = (const struct blobs *)store;

	*out = (struct blob_listing){.blobs = arena_zalloc(mem, blobs->count, sizeof(*out->blobs))};
	if (!out->blobs)
		return arena_fail(mem, "a listing", err);
	for (size_t i = 0; i < blobs->count; i++) {
		const struct blob *blob = &blobs->all[i];
		const char *slash = strrchr(blob->name, '/');
		size_t length = slash ? (size_t)(slash - blob->name) : 0;

		if (str_eq(str_of(blob->name, length), folder))
			out->blobs[out->count++] =
				(struct blob_info){str_from(blob->name), blob->visible};
	}
	return 0;
}

static int open_blob(struct blob_store *store, struct str name, struct bytes_source **out,
		     struct err *err)
{
	const struct blobs *blobs = (const struct blobs *)store;

	for (size_t i = 0; i < blobs->count; i++) {
		const struct blob *blob = &blobs->all[i];

		if (!str_is(name, blob->name))
			continue;
		*out = memory_source_new(str_of(blob->bytes, blob->visible), name);
		return 0;
	}
	return err_set(err, ERR_NOT_FOUND, "no blob '" STR_FMT "'", STR_ARG(name));
}

static void close_nothing(struct blob_store *store)
{
	(void)store;
}

static const struct blob_store_ops ops = {.list = list, .open = open_blob, .close = close_nothing};

static int load(const char *path, const char *name, size_t size, struct blob *out, struct err *err)
{
	FILE *file = fopen(path, "rb");
	size_t got;

	if (!file)
		return err_set_errno(err, ERR_IO, errno, "cannot open '%s'", path);
	*out = (struct blob){mem_strdup(name), mem_alloc(size), size, size};
	got = fread(out->bytes, 1, size, file);
	fclose(file);
	return got == size ? 0 : err_set(err, ERR_IO, "cannot read '%s'", path);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

int blobs_load(const char *folder, struct blobs *out, struct err *err)
{
	char *roots[] = {mem_strdup(folder), NULL};
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	int code = 0;
	FTSENT *entry;

	*out = (struct blobs){.store = {&ops, mem_strdup("memory:")}};
	while (tree && !code && (entry = fts_read(tree))) {
		if (entry->fts_info != FTS_F)
			continue;
		out->all = mem_realloc(out->all, (out->count + 1) * sizeof(*out->all));
		code = load(entry->fts_path, entry->fts_path + strlen(folder) + 1,
			    (size_t)entry->fts_statp->st_size, &out->all[out->count++], err);
	}
	if (tree)
		fts_close(tree);
	free(roots[0]);
	if (!code && !out->count)
		return err_set(err, ERR_IO, "no files below '%s'", folder);
	return code;
}

void blobs_release(struct blobs *blobs)
{
	for (size_t i = 0; i < blobs->count; i++) {
		free(blobs->all[i].name);
		free(blobs->all[i].bytes);
	}
	free(blobs->all);
	free(blobs->store.uri);
}
