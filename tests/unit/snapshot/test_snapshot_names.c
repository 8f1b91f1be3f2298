/* Repositories of Elasticsearch 1 and 2, where snapshots and indices have names alone. */
#include "snapshot/repository.h"
#include "memory_store.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

struct fixture {
	struct arena mem;
	struct memory_store *memory;
	struct repository *repository;
	struct snapshot *snapshot;
	struct err err;
};

#define SNAPSHOT(name, indices)                                             \
	"{\"snapshot\":{\"name\":\"" name "\",\"version_id\":1070699,"      \
	"\"indices\":[" indices "],\"state\":\"SUCCESS\",\"start_time\":1," \
	"\"end_time\":2,\"total_shards\":3,\"successful_shards\":3,\"failures\":[]}}"

static void put(struct fixture *f, const char *name, const char *text)
{
	memory_store_put_text(f->memory, name, text);
}

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	f->mem = ARENA_INIT(MIB(64));
	f->memory = memory_store_new();
	put(f, "index", "{\"snapshots\":[\"one\",\"two\"]}");
	put(f, "snapshot-one", SNAPSHOT("one", "\"b\",\"a\""));
	put(f, "indices/a/snapshot-one",
	    "{\"a\":{\"version\":1,\"state\":\"open\",\"settings\":{\"index.number_of_shards\":"
	    "\"2\",\"index.number_of_replicas\":\"0\"},\"mappings\":[{\"t\":{\"x\":1}}],"
	    "\"aliases\":{\"al\":{}}}}");
	put(f, "indices/a/1/snapshot-one",
	    "{\"name\":\"one\",\"files\":[{\"name\":\"__0\",\"physical_name\":\"segments_1\","
	    "\"length\":3,\"meta_hash\":\"YWJj\"}]}");
	memory_store_put_dat(f->memory, "snap-two.dat", "snapshot", SNAPSHOT("two", "\"a\""));
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

static int try_snapshot(struct fixture *f, const char *name)
{
	snapshot_close(f->snapshot);
	repository_close(f->repository);
	f->snapshot = NULL;
	if (repository_open(memory_store_blobs(f->memory), &f->repository, &f->err) < 0)
		fail_msg("%s", f->err.message);
	return snapshot_open(f->repository, str_from(name), &f->snapshot, &f->err);
}

static void open_snapshot(struct fixture *f, const char *name)
{
	if (try_snapshot(f, name) < 0)
		fail_msg("%s", f->err.message);
}

static void assert_said(struct fixture *f, const char *why)
{
	if (!strstr(f->err.message, why))
		fail_msg("'%s' does not say '%s'", f->err.message, why);
}

static void assert_refused(struct fixture *f, const char *name, int kind, const char *why)
{
	assert_int_equal(try_snapshot(f, name), -kind);
	assert_said(f, why);
}

static int read_metadata(struct fixture *f, struct index_metadata *metadata)
{
	return snapshot_index_metadata(f->snapshot, snapshot_find_index(f->snapshot, STR("a")),
				       &f->mem, metadata, &f->err);
}

static void snapshots_are_named_without_more(void **state)
{
	struct fixture *f = *state;
	const struct snapshot_summary *summaries;
	size_t count;

	open_snapshot(f, "one");
	summaries = repository_snapshots(f->repository, &count);
	assert_int_equal(count, 2);
	assert_true(str_is(summaries[1].name, "two"));
	assert_true(str_is(summaries[1].uuid, "two"));
	assert_true(str_is(summaries[1].state, ""));
}

static void elasticsearch_1_and_2_share_a_repository(void **state)
{
	struct fixture *f = *state;

	open_snapshot(f, "one");
	assert_int_equal(f->snapshot->index_count, 2);
	assert_true(str_is(f->snapshot->indices[0].metadata_blob, "indices/a/snapshot-one"));
	assert_true(str_is(f->snapshot->summary.version, "1.7.6"));
	open_snapshot(f, "two");
	assert_int_equal(f->snapshot->index_count, 1);
	assert_true(str_is(f->snapshot->indices[0].metadata_blob, "indices/a/meta-two.dat"));
}

static void metadata_and_files_of_elasticsearch_1_are_read_from_text(void **state)
{
	struct fixture *f = *state;
	struct snapshot_shard *shard;
	struct index_metadata metadata;

	open_snapshot(f, "one");
	assert_int_equal(read_metadata(f, &metadata), 0);
	assert_int_equal(metadata.shard_count, 2);
	assert_non_null(json_get(metadata.mappings, "t"));
	assert_non_null(json_get(metadata.aliases, "al"));
	if (snapshot_shard_open(f->snapshot, &f->snapshot->indices[0], 1, &shard, &f->err) < 0)
		fail_msg("%s", f->err.message);
	assert_int_equal(shard->file_count, 1);
	assert_true(str_is(shard->files[0].content, "abc"));
	snapshot_shard_close(shard);
}

static void global_metadata_is_called_metadata(void **state)
{
	struct fixture *f = *state;
	struct json *global;

	put(f, "metadata-one", "{\"meta-data\":{\"templates\":{}}}");
	open_snapshot(f, "one");
	assert_int_equal(snapshot_global_metadata(f->snapshot, &f->mem, &global, &f->err), 0);
	assert_non_null(json_get(global, "templates"));
}

static void aliases_may_be_in_an_array(void **state)
{
	struct fixture *f = *state;
	struct index_metadata metadata;

	put(f, "indices/a/snapshot-one",
	    "{\"a\":{\"settings\":{\"index\":{\"number_of_shards\":2}},\"mappings\":{},"
	    "\"aliases\":[{\"x\":{},\"y\":{}},7,{\"z\":{\"index_routing\":\"r\"}}]}}");
	open_snapshot(f, "one");
	assert_int_equal(read_metadata(f, &metadata), 0);
	assert_int_equal(metadata.aliases->count, 3);
	assert_true(
		str_is(json_string(json_path(metadata.aliases, "z", "index_routing", NULL)), "r"));
}

static void a_snapshot_of_elasticsearch_1_in_a_later_repository_lists_its_own(void **state)
{
	struct fixture *f = *state;

	put(f, "index-3",
	    "{\"snapshots\":[\"one\",{\"name\":\"new\",\"uuid\":\"U\",\"state\":1}],"
	    "\"indices\":{\"c\":{\"id\":\"I\",\"snapshots\":[\"U\"]}}}");
	open_snapshot(f, "one");
	assert_int_equal(f->snapshot->index_count, 2);
	assert_true(str_is(f->snapshot->indices[1].metadata_blob, "indices/b/snapshot-one"));
}

static void snapshots_that_later_releases_put_aside_are_there_too(void **state)
{
	struct fixture *f = *state;
	const struct snapshot_summary *summaries;
	size_t count;

	put(f, "index-3",
	    "{\"snapshots\":[{\"name\":\"new\",\"uuid\":\"U\",\"state\":1}],"
	    "\"indices\":{\"a\":{\"id\":\"I\",\"snapshots\":[\"U\"]}}}");
	put(f, "incompatible-snapshots",
	    "{\"incompatible-snapshots\":[{\"name\":\"two\",\"uuid\":\"two\"},\"one\"]}");
	open_snapshot(f, "one");
	summaries = repository_snapshots(f->repository, &count);
	assert_int_equal(count, 3);
	assert_true(str_is(summaries[0].name, "new"));
	assert_int_equal(f->snapshot->index_count, 2);
	open_snapshot(f, "two");
	assert_true(str_is(f->snapshot->indices[0].metadata_blob, "indices/a/meta-two.dat"));
}

static void a_damaged_list_of_snapshots_put_aside_is_named(void **state)
{
	static const char *const damaged[] = {"", "{}", "{\"incompatible-snapshots\":[{}]}"};
	struct fixture *f = *state;

	put(f, "index-3", "{\"snapshots\":[]}");
	for (size_t i = 0; i < COUNT_OF(damaged); i++) {
		put(f, "incompatible-snapshots", damaged[i]);
		assert_int_equal(
			repository_open(memory_store_blobs(f->memory), &f->repository, &f->err),
			-ERR_FORMAT);
		assert_said(f, "blob 'incompatible-snapshots' of repository 'memory'");
	}
}

static void the_list_of_snapshots_may_be_compressed(void **state)
{
	struct fixture *f = *state;

	memory_store_put(f->memory, "index", STR("ZV\x00\x00\x15{\"snapshots\":[\"one\"]}"));
	open_snapshot(f, "one");
	assert_int_equal(f->snapshot->index_count, 2);
}

static void a_snapshot_without_its_blob_names_both_it_may_be(void **state)
{
	struct fixture *f = *state;

	memory_store_remove(f->memory, "snapshot-one");
	assert_refused(f, "one", ERR_NOT_FOUND, "neither a blob 'snap-one.dat' nor 'snapshot-one'");
}

static void what_is_left_out_of_a_text_is_damage(void **state)
{
	static const struct {
		const char *info, *why;
	} bad[] = {
		{"{}", "holds no snapshot"},
		{"{\"name\":\"one\"}", "no list of indices"},
		{"{\"name\":\"one\",\"indices\":[\"a\"],\"failures\":[]}", "is in state ''"},
		{"{\"name\":\"one\",\"indices\":[\"a\"],\"failures\":[],\"state\":\"SUCCERS\"}",
		 "is in state 'SUCCERS'"},
		{"{\"name\":\"one\",\"indices\":[\"a\"],\"failures\":[],\"state\":\"SUCCESS\"}",
		 "no number of shards"},
		{"{\"name\":\"one\",\"indices\":[\"a/b\"],\"failures\":[],\"state\":\"SUCCESS\","
		 "\"total_shards\":1}",
		 "'a/b' cannot be the name of an index"},
		{"{\"name\":\"one\",\"indices\":[7],\"failures\":[],\"state\":\"SUCCESS\","
		 "\"total_shards\":1}",
		 "cannot be the name of an index"},
		{"{\"name\":\"one\",\"indices\":[\"a\",\"b\",\"a\"],\"failures\":[],"
		 "\"state\":\"SUCCESS\",\"total_shards\":1}",
		 "lists index 'a' twice"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct str text =
			arena_printf(&f->mem, i ? "{\"snapshot\":%s}" : "%s", bad[i].info);

		put(f, "snapshot-one", text.ptr);
		assert_refused(f, "one", ERR_FORMAT, bad[i].why);
		assert_said(f, "blob 'snapshot-one'");
	}
}

static void fewer_shards_than_there_are_is_damage(void **state)
{
	struct fixture *f = *state;
	struct index_metadata metadata;

	put(f, "indices/a/2/snapshot-one", "{}");
	open_snapshot(f, "one");
	assert_int_equal(read_metadata(f, &metadata), -ERR_FORMAT);
	assert_said(f, "there are 2 shards, and blob 'indices/a/2/snapshot-one' is of one more");
}

static void a_damaged_meta_hash_is_named(void **state)
{
	struct fixture *f = *state;
	struct snapshot_shard *shard;

	put(f, "indices/a/1/snapshot-one",
	    "{\"name\":\"one\",\"files\":[{\"name\":\"__0\",\"physical_name\":\"segments_1\","
	    "\"length\":3,\"meta_hash\":\"YW*j\"}]}");
	open_snapshot(f, "one");
	assert_int_equal(
		snapshot_shard_open(f->snapshot, &f->snapshot->indices[0], 1, &shard, &f->err),
		-ERR_FORMAT);
	assert_said(f, "file 'segments_1': its meta_hash is no base 64");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(snapshots_are_named_without_more),
		TEST(elasticsearch_1_and_2_share_a_repository),
		TEST(metadata_and_files_of_elasticsearch_1_are_read_from_text),
		TEST(global_metadata_is_called_metadata),
		TEST(aliases_may_be_in_an_array),
		TEST(a_snapshot_of_elasticsearch_1_in_a_later_repository_lists_its_own),
		TEST(snapshots_that_later_releases_put_aside_are_there_too),
		TEST(a_damaged_list_of_snapshots_put_aside_is_named),
		TEST(the_list_of_snapshots_may_be_compressed),
		TEST(a_snapshot_without_its_blob_names_both_it_may_be),
		TEST(what_is_left_out_of_a_text_is_damage),
		TEST(fewer_shards_than_there_are_is_damage),
		TEST(a_damaged_meta_hash_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
