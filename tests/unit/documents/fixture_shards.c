#include "fixture_shards.h"

#include "../snapshot/fixture_repository.h"

#include <stdio.h>
#include <stdlib.h>

static void must(int rc, const struct err *err)
{
	if (rc < 0)
		BUG(err->message);
}

void fixture_shards_open(struct fixture_shards *fixture, const char *name)
{
	struct err err = {0};

	fixture->path = fixture_repository_unpack(name);
	must(blob_store_open(fixture->path, &fixture->store, &err), &err);
	must(repository_open(fixture->store, &fixture->repository, &err), &err);
}

void fixture_shards_close(struct fixture_shards *fixture)
{
	repository_close(fixture->repository);
	blob_store_close(fixture->store);
	fixture_repository_remove(fixture->path);
}

struct snapshot *fixture_snapshot(struct fixture_shards *fixture, const char *name)
{
	struct snapshot *snapshot;
	struct err err = {0};

	must(snapshot_open(fixture->repository, str_from(name), &snapshot, &err), &err);
	return snapshot;
}

struct snapshot_shard *fixture_shard(const struct snapshot *snapshot,
				     const struct snapshot_index *index, int32_t number)
{
	struct snapshot_shard *shard;
	struct err err = {0};

	must(snapshot_shard_open(snapshot, index, number, &shard, &err), &err);
	return shard;
}

int32_t fixture_shard_count(const struct snapshot *snapshot, const struct snapshot_index *index)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	struct index_metadata metadata;
	struct err err = {0};

	must(snapshot_index_metadata(snapshot, index, &mem, &metadata, &err), &err);
	return metadata.shard_count;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct expected_document *)a)->key,
		      ((const struct expected_document *)b)->key);
}

static void add_line(struct expected_documents *expected, struct str line, struct str snapshot,
		     bool types)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct expected_document *one;
	struct json *row;
	struct err err = {0};
	struct str key, type;

	must(json_parse(line, &mem, &row, &err), &err);
	if (!str_eq(json_string(json_get(row, "snapshot")), snapshot))
		return;
	type = types ? json_string(json_get(row, "type")) : STR_NONE;
	key = arena_printf(
		&mem, STR_FMT "/" STR_FMT "/" STR_FMT, STR_ARG(json_string(json_get(row, "index"))),
		STR_ARG(type.ptr ? type : STR("_doc")), STR_ARG(json_string(json_get(row, "id"))));
	expected->documents = mem_realloc(expected->documents,
					  (expected->count + 1) * sizeof(*expected->documents));
	one = &expected->documents[expected->count++];
	*one = (struct expected_document){.key = str_dup(key),
					  .version = json_i64_or(json_get(row, "version"), -1)};
}

/* Segments of Elasticsearch 6 and later do not. */
static bool stores_types(const char *fixture)
{
	return strncmp(fixture, "es-", 3) == 0 && fixture[3] < '6';
}

void expected_documents_load(struct expected_documents *expected, const char *fixture,
			     const char *snapshot)
{
	cleanup(buf_release) struct buf command = BUF_INIT(KIB(8));
	char *line = NULL;
	size_t capacity = 0;
	ssize_t len;
	FILE *lines;

	*expected = (struct expected_documents){0};
	buf_printf(&command, "gzip -dc '%s/%s.expected.ndjson.gz'", FIXTURES, fixture);
	lines = popen(buf_cstr(&command), "r");
	if (!lines)
		BUG("cannot start gzip");
	while ((len = getline(&line, &capacity, lines)) > 0)
		add_line(expected, str_of(line, (size_t)len), str_from(snapshot),
			 stores_types(fixture));
	free(line);
	if (pclose(lines) != 0)
		BUG("gzip fails");
	qsort(expected->documents, expected->count, sizeof(*expected->documents), by_key);
}

void expected_documents_release(struct expected_documents *expected)
{
	for (size_t i = 0; i < expected->count; i++)
		free(expected->documents[i].key);
	free(expected->documents);
}

struct expected_document *expected_documents_find(const struct expected_documents *expected,
						  const char *key)
{
	char *copy = str_dup(str_from(key));
	struct expected_document wanted = {.key = copy}, *found;

	found = bsearch(&wanted, expected->documents, expected->count, sizeof(wanted), by_key);
	free(copy);
	return found;
}
