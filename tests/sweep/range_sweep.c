/* range_sweep ROUNDS SEED DIR...
 * range_sweep ROUNDS SEED REPOSITORY#SNAPSHOT...
 *
 * Reads Lucene directories, or all shards of snapshots, in ranges, as workers do who share a shard
 * and stop anywhere: what comes must be what one pass gives, and the parts of the checksums must
 * join to those of the files. Prints how often workers stopped; exit code 0 when all held. */
#include "base/limits.h"
#include "range_walk.h"
#include "snapshot/repository.h"

#include <stdio.h>
#include <stdlib.h>

struct sweep {
	int rounds, stops;
};

static int sweep_directory(struct sweep *sweep, struct lucene_directory *dir, struct err *err)
{
	int stops;

	if (range_walk_all(dir, rand() % 2, sweep->rounds, &stops, err) < 0)
		return -(int)err->kind;
	sweep->stops += stops;
	return 0;
}

static int sweep_folder(struct sweep *sweep, const char *path, struct err *err)
{
	struct lucene_directory *dir;
	int rc;

	if (lucene_folder_open(path, &dir, err) < 0)
		return -(int)err->kind;
	rc = sweep_directory(sweep, dir, err);
	lucene_directory_close(dir);
	return rc;
}

static int sweep_index(struct sweep *sweep, const struct snapshot *snapshot,
		       const struct snapshot_index *index, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	struct index_metadata metadata;
	struct snapshot_shard *shard;
	int rc = snapshot_index_metadata(snapshot, index, &mem, &metadata, err);

	for (int32_t number = 0; rc == 0 && number < metadata.shard_count; number++) {
		rc = snapshot_shard_open(snapshot, index, number, &shard, err);
		if (rc < 0)
			break;
		rc = sweep_directory(sweep, shard->directory, err);
		snapshot_shard_close(shard);
		if (rc < 0)
			err_wrap(err, STR_FMT "[%d]", STR_ARG(index->name), number);
	}
	return rc;
}

static int sweep_snapshot(struct sweep *sweep, const char *uri, struct str name, struct err *err)
{
	struct blob_store *store = NULL;
	struct repository *repository = NULL;
	struct snapshot *snapshot = NULL;
	int rc = blob_store_open(uri, &store, err);

	if (rc == 0)
		rc = repository_open(store, &repository, err);
	if (rc == 0)
		rc = snapshot_open(repository, name, &snapshot, err);
	for (size_t i = 0; rc == 0 && i < snapshot->index_count; i++)
		rc = sweep_index(sweep, snapshot, &snapshot->indices[i], err);
	snapshot_close(snapshot);
	repository_close(repository);
	blob_store_close(store);
	return rc;
}

int main(int argc, char **argv)
{
	struct sweep sweep = {0};
	struct err err = {0};

	if (argc < 4) {
		fprintf(stderr, "usage: range_sweep ROUNDS SEED DIR|REPOSITORY#SNAPSHOT...\n");
		return 2;
	}
	sweep.rounds = atoi(argv[1]);
	srand((unsigned)strtoul(argv[2], NULL, 10));
	for (int i = 3; i < argc; i++) {
		char *hash = strchr(argv[i], '#');
		int rc;

		if (hash)
			*hash = '\0';
		rc = hash ? sweep_snapshot(&sweep, argv[i], str_from(hash + 1), &err)
			  : sweep_folder(&sweep, argv[i], &err);
		if (rc < 0) {
			fprintf(stderr, "range_sweep: %s: %s\n", argv[i], err.message);
			return 1;
		}
	}
	printf("%d stops\n", sweep.stops);
	return 0;
}
