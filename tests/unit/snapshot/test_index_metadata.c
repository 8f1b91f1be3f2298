#include "snapshot/repository.h"
#include "memory_store.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define METADATA "indices/I/meta-U.dat"

struct fixture {
	struct arena mem;
	struct memory_store *memory;
	struct repository *repository;
	struct snapshot *snapshot;
	struct index_metadata metadata;
	struct err err;
};

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	f->mem = ARENA_INIT(MIB(64));
	f->memory = memory_store_new();
	memory_store_put_text(f->memory, "index-0",
			      "{\"snapshots\":[{\"name\":\"s\",\"uuid\":\"U\",\"state\":1}],"
			      "\"indices\":{\"a\":{\"id\":\"I\",\"snapshots\":[\"U\"]}}}");
	memory_store_put_dat(f->memory, "snap-U.dat", "snapshot",
			     "{\"snapshot\":{\"name\":\"s\",\"state\":\"SUCCESS\","
			     "\"indices\":[\"a\"],\"include_global_state\":false}}");
	if (repository_open(memory_store_blobs(f->memory), &f->repository, &f->err) < 0 ||
	    snapshot_open(f->repository, STR("s"), &f->snapshot, &f->err) < 0)
		fail_msg("%s", f->err.message);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	snapshot_close(f->snapshot);
	repository_close(f->repository);
	memory_store_free(f->memory);
	arena_release(&f->mem);
	mem_freep(&f);
	return 0;
}

static int read_metadata(struct fixture *f)
{
	return snapshot_index_metadata(f->snapshot, f->snapshot->indices, &f->mem, &f->metadata,
				       &f->err);
}

static void put_and_read(struct fixture *f, const char *json)
{
	memory_store_put_dat(f->memory, METADATA, "index-metadata", json);
	if (read_metadata(f) < 0)
		fail_msg("%s", f->err.message);
}

static void assert_refused(struct fixture *f, const char *json, int kind, const char *why)
{
	memory_store_put_dat(f->memory, METADATA, "index-metadata", json);
	assert_int_equal(read_metadata(f), -kind);
	if (!strstr(f->err.message, why))
		fail_msg("'%s' does not say '%s'", f->err.message, why);
}

static void assert_json(const struct json *v, const char *expected)
{
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(1));

	json_write(&out, v);
	assert_string_equal(buf_cstr(&out), expected);
}

static void an_open_index_is_read(void **state)
{
	struct fixture *f = *state;

	put_and_read(f, "{\"a\":{\"version\":3,\"routing_num_shards\":1024,\"state\":\"open\","
			"\"settings\":{\"index.number_of_shards\":\"4\","
			"\"index.number_of_replicas\":\"2\",\"index.version.created\":\"7100299\","
			"\"index.list\":[\"x\",\"y\"]},"
			"\"mappings\":[{\"_doc\":{\"properties\":{\"f\":{\"type\":\"text\"}}}}],"
			"\"aliases\":{\"l\":{\"is_write_index\":true}}}}");
	assert_false(f->metadata.closed);
	assert_int_equal(f->metadata.shard_count, 4);
	assert_int_equal(f->metadata.replica_count, 2);
	assert_int_equal(f->metadata.routing_shard_count, 1024);
	assert_true(str_is(f->metadata.created_version, "7100299"));
	assert_json(f->metadata.settings,
		    "{\"index.number_of_shards\":\"4\",\"index.number_of_replicas\":\"2\","
		    "\"index.version.created\":\"7100299\",\"index.list\":[\"x\",\"y\"]}");
	assert_json(f->metadata.mappings,
		    "{\"_doc\":{\"properties\":{\"f\":{\"type\":\"text\"}}}}");
	assert_json(f->metadata.aliases, "{\"l\":{\"is_write_index\":true}}");
	assert_int_equal(json_i64_or(json_get(f->metadata.raw, "version"), 0), 3);
}

static void nested_settings_become_flat_ones(void **state)
{
	struct fixture *f = *state;

	put_and_read(f, "{\"a\":{\"state\":\"close\",\"settings\":{\"index\":{"
			"\"number_of_shards\":1,\"hidden\":true,\"empty\":{},"
			"\"analysis.filter\":{\"f\":{\"type\":\"stop\"}}}}}}");
	assert_true(f->metadata.closed);
	assert_int_equal(f->metadata.replica_count, 1);
	assert_json(f->metadata.settings,
		    "{\"index.number_of_shards\":\"1\",\"index.hidden\":\"true\","
		    "\"index.analysis.filter.f.type\":\"stop\"}");
	assert_json(f->metadata.mappings, "{}");
	assert_json(f->metadata.aliases, "{}");
}

static void numbered_settings_of_5_x_become_lists(void **state)
{
	struct fixture *f = *state;

	put_and_read(f,
		     "{\"a\":{\"settings\":{\"index.number_of_shards\":\"1\","
		     "\"x.stopwords.0\":\"a\",\"x.stopwords.1\":\"b\",\"x.stopwords.3\":\"gap\","
		     "\"y.7\":\"no list\",\"z.00\":\"nor this\",\"0\":\"nor this\",\".0\":\"\"}}}");
	assert_json(f->metadata.settings,
		    "{\"index.number_of_shards\":\"1\",\"x.stopwords\":[\"a\",\"b\"],"
		    "\"x.stopwords.3\":\"gap\",\"y.7\":\"no list\",\"z.00\":\"nor this\","
		    "\"0\":\"nor this\",\".0\":\"\"}");
}

static void a_long_list_keeps_its_order(void **state)
{
	struct fixture *f = *state;

	put_and_read(f, "{\"a\":{\"settings\":{\"l.0\":\"0\",\"l.1\":\"1\",\"l.10\":\"10\","
			"\"l.2\":\"2\",\"l.3\":\"3\",\"l.4\":\"4\",\"l.5\":\"5\",\"l.6\":\"6\","
			"\"l.7\":\"7\",\"l.8\":\"8\",\"l.9\":\"9\","
			"\"index.number_of_shards\":\"1\"}}}");
	assert_json(f->metadata.settings,
		    "{\"l\":[\"0\",\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\"],"
		    "\"index.number_of_shards\":\"1\"}");
}

static void mappings_of_a_source_only_snapshot_are_what_they_were(void **state)
{
	struct fixture *f = *state;

	put_and_read(f, "{\"a\":{\"settings\":{\"index.number_of_shards\":\"1\","
			"\"index.source_only\":\"true\"},"
			"\"mappings\":[{\"_doc\":{\"enabled\":false,\"_meta\":{\"_doc\":{"
			"\"properties\":{\"f\":{\"type\":\"text\"}}}}}}]}}");
	assert_json(f->metadata.mappings,
		    "{\"_doc\":{\"properties\":{\"f\":{\"type\":\"text\"}}}}");
}

static void mappings_are_read_as_object_text_and_bytes(void **state)
{
	struct fixture *f = *state;

	put_and_read(f, "{\"a\":{\"settings\":{\"index.number_of_shards\":\"1\"},"
			"\"mappings\":[{\"one\":{\"x\":1}},\"{\\\"two\\\":{\\\"x\\\":2}}\","
			"\"binary:{\\\"three\\\":{\\\"x\\\":3}}\"]}}");
	assert_json(f->metadata.mappings,
		    "{\"one\":{\"x\":1},\"two\":{\"x\":2},\"three\":{\"x\":3}}");
	put_and_read(f, "{\"a\":{\"settings\":{\"index.number_of_shards\":\"1\"},"
			"\"mappings\":{\"one\":{\"x\":1}}}}");
	assert_json(f->metadata.mappings, "{\"one\":{\"x\":1}}");
}

static void damaged_metadata_names_index_and_blob(void **state)
{
	struct fixture *f = *state;
	const char *blob = "metadata of index 'a' in blob 'indices/I/meta-U.dat'";

	assert_refused(f, "{\"b\":{\"settings\":{\"index.number_of_shards\":\"1\"}}}", ERR_FORMAT,
		       "does not hold the metadata of index 'a'");
	assert_refused(f, "{\"a\":{\"settings\":{}}}", ERR_FORMAT, blob);
	assert_refused(f, "{\"a\":{\"settings\":{\"index.number_of_shards\":\"-1\"}}}", ERR_FORMAT,
		       "'index.number_of_shards' is missing or out of range");
	assert_refused(f, "{\"a\":{\"settings\":{\"index.number_of_shards\":\"2000000000\"}}}",
		       ERR_FORMAT, blob);
	assert_refused(f,
		       "{\"a\":{\"settings\":{\"index.number_of_shards\":\"1\"},"
		       "\"mappings\":[\"{\"]}}",
		       ERR_FORMAT, blob);
	assert_refused(f,
		       "{\"a\":{\"settings\":{\"index.number_of_shards\":\"1\"},"
		       "\"mappings\":[\"binary:DFL\\u0000xx\"]}}",
		       ERR_FORMAT, blob);
}

static void missing_metadata_names_index_and_blob(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_metadata(f), -ERR_NOT_FOUND);
	assert_non_null(strstr(f->err.message, "metadata of index 'a'"));
	assert_non_null(strstr(f->err.message, METADATA));
}

static void a_snapshot_may_be_without_global_metadata(void **state)
{
	struct fixture *f = *state;
	struct json *global;

	assert_int_equal(snapshot_global_metadata(f->snapshot, &f->mem, &global, &f->err), 0);
	assert_null(global);
	memory_store_put_dat(f->memory, "meta-U.dat", "metadata",
			     "{\"meta-data\":{\"templates\":{}}}");
	assert_int_equal(snapshot_global_metadata(f->snapshot, &f->mem, &global, &f->err), 0);
	assert_json(global, "{\"templates\":{}}");
	memory_store_put_dat(f->memory, "meta-U.dat", "metadata", "{}");
	assert_int_equal(snapshot_global_metadata(f->snapshot, &f->mem, &global, &f->err),
			 -ERR_FORMAT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_open_index_is_read),
		TEST(nested_settings_become_flat_ones),
		TEST(numbered_settings_of_5_x_become_lists),
		TEST(a_long_list_keeps_its_order),
		TEST(mappings_of_a_source_only_snapshot_are_what_they_were),
		TEST(mappings_are_read_as_object_text_and_bytes),
		TEST(damaged_metadata_names_index_and_blob),
		TEST(missing_metadata_names_index_and_blob),
		TEST(a_snapshot_may_be_without_global_metadata),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
