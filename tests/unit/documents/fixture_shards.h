/* The shards of the repositories in tests/fixtures, and what their nodes said of the documents. */
#ifndef TEST_FIXTURE_SHARDS_H
#define TEST_FIXTURE_SHARDS_H

#include "base/json.h"
#include "snapshot/repository.h"

struct fixture_shards {
	char *path;
	struct blob_store *store;
	struct repository *repository;
};

/* Unpacks a fixture ("es-7.10.2"); aborts when that fails, as the functions below. */
void fixture_shards_open(struct fixture_shards *fixture, const char *name);
void fixture_shards_close(struct fixture_shards *fixture);
struct snapshot *fixture_snapshot(struct fixture_shards *fixture, const char *name);
struct snapshot_shard *fixture_shard(const struct snapshot *snapshot,
				     const struct snapshot_index *index, int32_t number);
int32_t fixture_shard_count(const struct snapshot *snapshot, const struct snapshot_index *index);

/* A document as the node told of it. */
struct expected_document {
	char *key; /* "index/type/id", owned; the type is "_doc" where segments store none */
	int64_t version;
	bool seen;
};

struct expected_documents {
	struct expected_document *documents; /* by key */
	size_t count;
};

void expected_documents_load(struct expected_documents *expected, const char *fixture,
			     const char *snapshot);
void expected_documents_release(struct expected_documents *expected);
/* NULL when there is none. */
struct expected_document *expected_documents_find(const struct expected_documents *expected,
						  const char *key);

#endif
