/* Versions out of real snapshots, against what the nodes' search API said of the same documents. */
#include "documents/lucene_documents.h"
#include "fixture_shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

/* Of one shard; returns how many documents had a version above 1. */
static size_t check_shard(const struct snapshot_shard *shard, struct str index,
			  struct expected_documents *expected)
{
	const struct lucene_documents_options options = {.versions = true};
	struct document_source *source;
	struct document document;
	size_t updated = 0;
	struct err err = {0};
	int got;

	if (lucene_documents_open(shard->directory, &options, &source, &err) < 0)
		fail_msg("%s", err.message);
	while ((got = document_source_next(source, &document, &err)) > 0) {
		cleanup(buf_release) struct buf key = BUF_INIT(KIB(8));
		struct expected_document *one;
		struct str type = document.type.ptr ? document.type : STR("_doc");

		buf_printf(&key, STR_FMT "/" STR_FMT "/" STR_FMT, STR_ARG(index), STR_ARG(type),
			   STR_ARG(document.id));
		one = expected_documents_find(expected, buf_cstr(&key));
		if (!one)
			fail_msg("%s should not be there", buf_cstr(&key));
		if (one->version != document.version)
			fail_msg("%s has version %lld, and the node says %lld", buf_cstr(&key),
				 (long long)document.version, (long long)one->version);
		one->seen = true;
		updated += document.version > 1;
	}
	if (got < 0)
		fail_msg("%s", err.message);
	document_source_close(source);
	return updated;
}

static size_t check_snapshot(struct fixture_shards *fixture, const char *name,
			     const char *snapshot_name)
{
	struct snapshot *snapshot = fixture_snapshot(fixture, snapshot_name);
	struct expected_documents expected;
	size_t updated = 0;

	expected_documents_load(&expected, name, snapshot_name);
	for (size_t i = 0; i < snapshot->index_count; i++) {
		const struct snapshot_index *index = &snapshot->indices[i];
		int32_t shards = fixture_shard_count(snapshot, index);

		for (int32_t number = 0; number < shards; number++) {
			struct snapshot_shard *shard = fixture_shard(snapshot, index, number);

			updated += check_shard(shard, index->name, &expected);
			snapshot_shard_close(shard);
		}
	}
	for (size_t i = 0; i < expected.count; i++)
		if (!expected.documents[i].seen)
			fail_msg("%s is not found", expected.documents[i].key);
	expected_documents_release(&expected);
	snapshot_close(snapshot);
	return updated;
}

static void versions_are_those_that_the_node_told(void **state)
{
	static const char *const names[] = {"es-1.7.6",  "es-2.4.6",  "es-5.6.16",
					    "es-6.8.23", "es-7.10.2", "es-8.19.21"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct fixture_shards fixture;

		fixture_shards_open(&fixture, names[i]);
		assert_true(check_snapshot(&fixture, names[i], "snap1") > 0);
		assert_true(check_snapshot(&fixture, names[i], "snap2") > 0);
		fixture_shards_close(&fixture);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_are_those_that_the_node_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
