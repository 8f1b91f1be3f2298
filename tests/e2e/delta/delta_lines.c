/* Prints what changed in an index between two snapshots, as the lines of a bulk into another index.
 *
 *   delta_lines REPOSITORY PREVIOUS|- CURRENT INDEX TARGET plain|versions
 *
 * PREVIOUS -: everything. */
#include "backfill/delta_shard.h"
#include "cluster/bulk.h"

#include <stdio.h>
#include <stdlib.h>

static struct err err;

static void must(int rc)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "%s\n", err.message);
	exit(1);
}

static void print_document(const struct document *document, const char *target, bool versions)
{
	cleanup(bulk_release) struct bulk bulk;
	const struct bulk_document line = {
		.index = str_from(target),
		.id = document->id,
		.routing = document->routing,
		.source = document->source,
		.version = document->version,
		.external = versions,
		.operation = document->deleted ? BULK_DELETE : BULK_INDEX,
	};

	bulk_init(&bulk, MIB(64));
	must(bulk_add(&bulk, &line, &err));
	fwrite(bulk.body.ptr, 1, bulk.body.len, stdout);
}

static void print_shard(const struct snapshot *previous, const struct snapshot *current,
			const struct snapshot_index *index, int32_t number, const char *target,
			bool versions)
{
	const struct delta_options options = {
		.mode = DELTA_UPDATES_AND_DELETES, .versions = versions, .memory = 4096};
	struct snapshot_shard *shard = NULL;
	struct document_source *source;
	struct document document;
	int got;

	if (previous) {
		must(delta_shard_check(previous, current, index, &err));
		must(delta_shard_open(previous, current, index, number, &options, &source, &err));
	} else {
		must(snapshot_shard_open(current, index, number, &shard, &err));
		must(delta_documents_open(NULL, shard->directory, &options, &source, &err));
	}
	while ((got = document_source_next(source, &document, &err)) > 0)
		print_document(&document, target, versions);
	must(got);
	document_source_close(source);
	snapshot_shard_close(shard);
}

int main(int argc, char **argv)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(256));
	struct snapshot *previous = NULL, *current;
	const struct snapshot_index *index;
	struct index_metadata metadata;
	struct repository *repository;
	struct blob_store *store;

	if (argc != 7)
		return 2;
	must(blob_store_open(argv[1], &store, &err));
	must(repository_open(store, &repository, &err));
	if (strcmp(argv[2], "-") != 0)
		must(snapshot_open(repository, str_from(argv[2]), &previous, &err));
	must(snapshot_open(repository, str_from(argv[3]), &current, &err));
	index = snapshot_find_index(current, str_from(argv[4]));
	if (!index)
		return 3;
	must(snapshot_index_metadata(current, index, &mem, &metadata, &err));
	for (int32_t number = 0; number < metadata.shard_count; number++)
		print_shard(previous, current, index, number, argv[5],
			    strcmp(argv[6], "versions") == 0);
	snapshot_close(current);
	snapshot_close(previous);
	repository_close(repository);
	blob_store_close(store);
	return 0;
}
