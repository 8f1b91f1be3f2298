#include "snapshot/repository.h"
#include "memory_store.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

struct fixture {
	struct memory_store *memory;
	struct repository *repository;
	struct snapshot *snapshot;
	struct err err;
};

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	f->memory = memory_store_new();
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	snapshot_close(f->snapshot);
	repository_close(f->repository);
	memory_store_free(f->memory);
	mem_freep(&f);
	return 0;
}

static void put(struct fixture *f, const char *name, const char *text)
{
	memory_store_put_text(f->memory, name, text);
}

static void put_snapshot(struct fixture *f, const char *blob, const char *json)
{
	memory_store_put_dat(f->memory, blob, "snapshot", json);
}

static void open_repository(struct fixture *f)
{
	if (repository_open(memory_store_blobs(f->memory), &f->repository, &f->err) < 0)
		fail_msg("%s", f->err.message);
}

static void open_snapshot(struct fixture *f, const char *name)
{
	open_repository(f);
	if (snapshot_open(f->repository, str_from(name), &f->snapshot, &f->err) < 0)
		fail_msg("%s", f->err.message);
}

static void assert_said(struct fixture *f, const char *why)
{
	if (!strstr(f->err.message, why))
		fail_msg("'%s' does not say '%s'", f->err.message, why);
}

static void assert_refused(struct fixture *f, int kind, const char *why)
{
	assert_int_equal(repository_open(memory_store_blobs(f->memory), &f->repository, &f->err),
			 -kind);
	assert_said(f, why);
}

static void assert_snapshot_refused(struct fixture *f, const char *name, int kind, const char *why)
{
	open_repository(f);
	assert_int_equal(snapshot_open(f->repository, str_from(name), &f->snapshot, &f->err),
			 -kind);
	assert_said(f, why);
}

static void assert_metadata_blob(struct fixture *f, const char *index, const char *blob)
{
	const struct snapshot_index *found = snapshot_find_index(f->snapshot, str_from(index));

	assert_non_null(found);
	if (!str_is(found->metadata_blob, blob))
		fail_msg(STR_FMT " is not %s", STR_ARG(found->metadata_blob), blob);
}

static void the_highest_generation_counts(void **state)
{
	struct fixture *f = *state;
	size_t count;

	put(f, "index-9", "{\"snapshots\":[]}");
	put(f, "index-10", "{\"snapshots\":[{\"name\":\"newest\",\"uuid\":\"u\"}],\"indices\":{}}");
	put(f, "index-x", "no number");
	memory_store_put(f->memory, "index.latest", STR("\0\0\0\0\0\0\0\x0a"));
	open_repository(f);
	assert_true(str_is(repository_snapshots(f->repository, &count)[0].name, "newest"));
	assert_int_equal(count, 1);
}

static void index_latest_may_lag_or_be_broken(void **state)
{
	struct fixture *f = *state;

	put(f, "index-3", "{\"snapshots\":[]}");
	memory_store_put(f->memory, "index.latest", STR("\0\0\0\0\0\0\0\x02"));
	open_repository(f);
	repository_close(f->repository);
	memory_store_put(f->memory, "index.latest", STR("\xff"));
	open_repository(f);
}

static void an_index_latest_ahead_of_all_is_an_incomplete_copy(void **state)
{
	struct fixture *f = *state;

	put(f, "index-3", "{\"snapshots\":[]}");
	memory_store_put(f->memory, "index.latest", STR("\0\0\0\0\0\0\0\x04"));
	assert_refused(f, ERR_FORMAT, "names index-4, and the newest there is is index-3");
}

static void a_folder_without_index_is_no_repository(void **state)
{
	struct fixture *f = *state;

	put(f, "some-file", "");
	assert_refused(f, ERR_NOT_FOUND, "it holds no blob 'index-N'");
	assert_said(f, "--repo-uri must name the folder that holds it");
}

static void a_damaged_index_names_the_blob(void **state)
{
	static const char *const damaged[] = {
		"",
		"{\"snapshots\":[",
		"[]",
		"{}",
		"{\"snapshots\":{}}",
		"{\"snapshots\":[{}]}",
		"{\"snapshots\":[7]}",
		"{\"snapshots\":[{\"name\":\"a\",\"uuid\":\"../x\"}]}",
		"{\"snapshots\":[],\"indices\":[]}"};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(damaged); i++) {
		put(f, "index-7", damaged[i]);
		assert_refused(f, ERR_FORMAT, "blob 'index-7' of repository 'memory'");
	}
}

static void states_are_words(void **state)
{
	static const char *const words[] = {"IN_PROGRESS",  "SUCCESS", "FAILED", "PARTIAL",
					    "INCOMPATIBLE", "99",      ""};
	struct fixture *f = *state;
	const struct snapshot_summary *snapshots;
	size_t count;

	put(f, "index-0",
	    "{\"snapshots\":[{\"name\":\"a\",\"state\":0},{\"name\":\"b\",\"state\":1},"
	    "{\"name\":\"c\",\"state\":2},{\"name\":\"d\",\"state\":3},{\"name\":\"e\",\"state\":4}"
	    ","
	    "{\"name\":\"f\",\"state\":99},{\"name\":\"g\"}]}");
	open_repository(f);
	snapshots = repository_snapshots(f->repository, &count);
	assert_int_equal(count, COUNT_OF(words));
	for (size_t i = 0; i < count; i++)
		assert_true(str_is(snapshots[i].state, words[i]));
}

static void the_layout_of_5_0_to_5_4_is_read(void **state)
{
	struct fixture *f = *state;

	put(f, "index-1",
	    "{\"snapshots\":[{\"name\":\"s1\",\"uuid\":\"U1\",\"state\":1},\"old\"],\"indices\":{"
	    "\"a\":{\"id\":\"IA\",\"snapshots\":[{\"name\":\"s1\",\"uuid\":\"U1\"},"
	    "{\"name\":\"old\"}]},"
	    "\"b\":{\"id\":\"IB\",\"snapshots\":[{\"name\":\"s0\",\"uuid\":\"U0\"}]}}}");
	put_snapshot(f, "snap-U1.dat",
		     "{\"snapshot\":{\"name\":\"s1\",\"uuid\":\"U1\",\"version_id\":5010299,"
		     "\"indices\":[\"a\"],\"state\":\"SUCCESS\",\"start_time\":12,"
		     "\"end_time\":34,\"total_shards\":5,\"successful_shards\":5}}");
	put_snapshot(f, "snap-old.dat",
		     "{\"snapshot\":{\"name\":\"old\",\"indices\":[\"a\"],\"state\":\"SUCCESS\"}}");
	open_snapshot(f, "s1");
	assert_int_equal(f->snapshot->index_count, 1);
	assert_metadata_blob(f, "a", "indices/IA/meta-U1.dat");
	assert_null(snapshot_find_index(f->snapshot, STR("b")));
	assert_true(str_is(f->snapshot->summary.version, "5.1.2"));
	assert_int_equal(f->snapshot->start_ms, 12);
	assert_int_equal(f->snapshot->end_ms, 34);
	assert_int_equal(f->snapshot->successful_shards, 5);
	snapshot_close(f->snapshot);
	repository_close(f->repository);
	open_snapshot(f, "old");
	assert_metadata_blob(f, "a", "indices/IA/meta-old.dat");
}

#define INDEX_7_9                                                                             \
	"{\"min_version\":\"7.12.0\",\"uuid\":\"R\",\"cluster_id\":\"C\",\"snapshots\":["     \
	"{\"name\":\"new\",\"uuid\":\"UN\",\"state\":1,\"version\":\"7.10.2\","               \
	"\"index_metadata_lookup\":{\"IB\":\"key-b\",\"IA\":\"key-a\"},\"slm_policy\":\"\"}," \
	"{\"name\":\"older\",\"uuid\":\"UO\",\"state\":1}],"                                  \
	"\"indices\":{"                                                                       \
	"\"b\":{\"id\":\"IB\",\"snapshots\":[\"UN\",\"UO\"],\"shard_path_type\":2},"          \
	"\"a\":{\"id\":\"IA\",\"snapshots\":[\"UN\"],\"shard_generations\":[\"g\",null]}},"   \
	"\"index_metadata_identifiers\":{\"key-a\":\"MA\",\"key-b\":\"MB\"}}"

static void the_layout_of_7_9_is_read_by_its_lookups(void **state)
{
	struct fixture *f = *state;

	put(f, "index-1", INDEX_7_9);
	put_snapshot(f, "snap-UN.dat",
		     "{\"snapshot\":{\"name\":\"new\",\"version_id\":7100299,"
		     "\"indices\":[\"b\",\"a\"],\"state\":\"SUCCESS\"}}");
	open_snapshot(f, "new");
	assert_int_equal(f->snapshot->index_count, 2);
	assert_true(str_is(f->snapshot->indices[0].name, "a"));
	assert_metadata_blob(f, "a", "indices/IA/meta-MA.dat");
	assert_metadata_blob(f, "b", "indices/IB/meta-MB.dat");
	assert_true(str_is(f->snapshot->summary.version, "7.10.2"));
}

static void a_snapshot_older_than_the_lookups_has_its_own_metadata(void **state)
{
	struct fixture *f = *state;

	put(f, "index-1", INDEX_7_9);
	put_snapshot(f, "snap-UO.dat",
		     "{\"snapshot\":{\"name\":\"older\",\"version_id\":137297827,"
		     "\"indices\":[\"b\"],\"state\":\"SUCCESS\"}}");
	open_snapshot(f, "older");
	assert_int_equal(f->snapshot->index_count, 1);
	assert_metadata_blob(f, "b", "indices/IB/meta-UO.dat");
	assert_true(str_is(f->snapshot->summary.version, "3.8.0"));
}

static void assert_shard_refused(struct fixture *f, int kind, const char *why)
{
	struct snapshot_shard *shard;

	assert_int_equal(snapshot_shard_open(f->snapshot, f->snapshot->indices, 0, &shard, &f->err),
			 -kind);
	assert_said(f, "shard 0 of index 'b'");
	assert_said(f, why);
}

#define SNAPSHOT_OF_B \
	"{\"snapshot\":{\"name\":\"older\",\"indices\":[\"b\"],\"state\":\"SUCCESS\"}}"

static void shards_at_hashed_paths_are_looked_for_where_the_hash_says(void **state)
{
	struct fixture *f = *state;

	put(f, "index-1", INDEX_7_9);
	put_snapshot(f, "snap-UO.dat", SNAPSHOT_OF_B);
	open_snapshot(f, "older");
	assert_shard_refused(f, ERR_NOT_FOUND, "/indices/IB/0/snap-UO.dat");
	assert_said(f, "no list of such paths in the folder snapshot_shard_paths");
}

static void the_longest_list_of_hashed_paths_counts(void **state)
{
	static const char *const names[] = {
		"snapshot_shard_paths/IB.b.9.2.1", /* of 2.17.0 */
		"snapshot_shard_paths/snapshot_path_IB.b.10.2.1",
		"snapshot_shard_paths/snapshot_path_IB.b.2.2.1",
		"snapshot_shard_paths/snapshot_path_IB2.b.11.2.1", /* of another index */
		"snapshot_shard_paths/snapshot_path_IB.b.x.2.1",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(names); i++)
		put(f, names[i], "{}");
	put(f, "index-1", INDEX_7_9);
	put_snapshot(f, "snap-UO.dat", SNAPSHOT_OF_B);
	open_snapshot(f, "older");
	assert_true(str_is(f->snapshot->indices->shard_paths_blob, names[1]));
	assert_shard_refused(f, ERR_UNSUPPORTED, names[1]);
}

static void paths_of_an_unknown_type_are_refused_by_it(void **state)
{
	struct fixture *f = *state;

	put(f, "index-1",
	    "{\"snapshots\":[{\"name\":\"older\",\"uuid\":\"UO\"}],\"indices\":{\"b\":{"
	    "\"id\":\"IB\",\"shard_path_type\":3,\"snapshots\":[\"UO\"]}}}");
	put_snapshot(f, "snap-UO.dat", SNAPSHOT_OF_B);
	open_snapshot(f, "older");
	assert_shard_refused(f, ERR_UNSUPPORTED, "the unknown shard_path_type 3");
}

static void versions_are_told_as_far_as_their_ids_do(void **state)
{
	static const struct {
		const char *entry, *version;
	} cases[] = {
		{"\"version\":\"7.10.2\"", "7.10.2"},
		{"\"version\":8090099", "8.9.0"},
		{"\"version\":8500010", "8.x"},
		{"\"version\":\"8.11.0\",\"index_version\":8536000", "8.11.0"},
		{"\"version\":\"8.11.0\",\"index_version\":9033000", "9.x"},
		{"\"state\":1", ""},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		cleanup(buf_release) struct buf text = BUF_INIT(KIB(1));
		size_t count;

		buf_printf(&text,
			   "{\"snapshots\":[{\"name\":\"s\",\"uuid\":\"U\",%s}],\"indices\":{}}",
			   cases[i].entry);
		put(f, "index-1", buf_cstr(&text));
		assert_int_equal(
			repository_open(memory_store_blobs(f->memory), &f->repository, &f->err), 0);
		assert_true(str_is(repository_snapshots(f->repository, &count)->version,
				   cases[i].version));
		repository_close(f->repository);
		f->repository = NULL;
	}
}

static void an_encrypted_repository_is_recognised(void **state)
{
	static const char *const heads[] = {"\2\5\x78...", "\2\4\x78...", "\1\x80..."};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(heads); i++) {
		put(f, "index-1", heads[i]);
		assert_int_equal(
			repository_open(memory_store_blobs(f->memory), &f->repository, &f->err),
			-ERR_UNSUPPORTED);
		assert_said(f, "'index-1'");
		assert_said(f, "the cluster encrypts this repository");
	}
	put(f, "index-1", "mVJhcGgAAAAAAAAAAAAAAA noise");
	assert_int_equal(repository_open(memory_store_blobs(f->memory), &f->repository, &f->err),
			 -ERR_FORMAT);
	assert_said(f, "it is damaged, or the cluster encrypts this repository");
}

static void an_unknown_snapshot_is_answered_with_those_there_are(void **state)
{
	struct fixture *f = *state;

	put(f, "index-1", INDEX_7_9);
	assert_snapshot_refused(f, "nwe", ERR_NOT_FOUND,
				"no snapshot 'nwe' in repository 'memory'; there are: new, older");
}

static void a_missing_or_foreign_snapshot_blob_is_named(void **state)
{
	struct fixture *f = *state;

	put(f, "index-1", INDEX_7_9);
	assert_snapshot_refused(f, "new", ERR_NOT_FOUND, "snap-UN.dat");
	repository_close(f->repository);
	put_snapshot(f, "snap-UN.dat", "{\"snapshot\":{\"name\":\"older\"}}");
	assert_snapshot_refused(f, "new", ERR_FORMAT,
				"blob 'snap-UN.dat': is snapshot 'older', not 'new'");
	repository_close(f->repository);
	put_snapshot(f, "snap-UN.dat", "{\"other\":1}");
	assert_snapshot_refused(f, "new", ERR_FORMAT, "blob 'snap-UN.dat': holds no snapshot");
}

static void an_index_that_is_in_one_list_only_is_damage(void **state)
{
	struct fixture *f = *state;

	put(f, "index-1", INDEX_7_9);
	put_snapshot(f, "snap-UN.dat",
		     "{\"snapshot\":{\"name\":\"new\",\"indices\":[\"a\",\"b\",\"c\"],"
		     "\"state\":\"SUCCESS\"}}");
	assert_snapshot_refused(f, "new", ERR_FORMAT, "holds index 'c', and 'index-1' does not");
	repository_close(f->repository);
	put_snapshot(f, "snap-UN.dat",
		     "{\"snapshot\":{\"name\":\"new\",\"indices\":[\"a\"],\"state\":\"SUCCESS\"}}");
	assert_snapshot_refused(f, "new", ERR_FORMAT, "holds 1 indices, and 'index-1' lists 2");
}

static void an_index_id_that_leaves_its_folder_is_refused(void **state)
{
	struct fixture *f = *state;

	put(f, "index-1",
	    "{\"snapshots\":[{\"name\":\"s\",\"uuid\":\"U\"}],"
	    "\"indices\":{\"a\":{\"id\":\"../a\",\"snapshots\":[\"U\"]}}}");
	put_snapshot(f, "snap-U.dat", "{\"snapshot\":{\"name\":\"s\"}}");
	assert_snapshot_refused(f, "s", ERR_FORMAT, "index 'a': '../a' cannot be the id");
}

static void a_lookup_that_leads_nowhere_is_damage(void **state)
{
	struct fixture *f = *state;

	put(f, "index-1",
	    "{\"snapshots\":[{\"name\":\"s\",\"uuid\":\"U\",\"index_metadata_lookup\":{\"I\":\"k\"}"
	    "}],"
	    "\"indices\":{\"a\":{\"id\":\"I\",\"snapshots\":[\"U\"]}}}");
	put_snapshot(f, "snap-U.dat", "{\"snapshot\":{\"name\":\"s\"}}");
	assert_snapshot_refused(f, "s", ERR_FORMAT, "blob 'index-1': index 'a'");
}

static void a_partial_snapshot_opens_and_says_what_failed(void **state)
{
	struct fixture *f = *state;

	put(f, "index-1",
	    "{\"snapshots\":[{\"name\":\"s\",\"uuid\":\"U\",\"state\":3}],"
	    "\"indices\":{\"a\":{\"id\":\"I\",\"snapshots\":[\"U\"]}}}");
	put_snapshot(f, "snap-U.dat",
		     "{\"snapshot\":{\"name\":\"s\",\"state\":\"PARTIAL\",\"indices\":[\"a\"],"
		     "\"total_shards\":2,\"successful_shards\":1,\"failures\":[{\"index\":\"a\","
		     "\"shard_id\":1,\"reason\":\"node left\"}]}}");
	open_snapshot(f, "s");
	assert_int_equal(f->snapshot->failure_count, 1);
	assert_true(str_is(f->snapshot->failures[0], "a[1]: node left"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_highest_generation_counts),
		TEST(index_latest_may_lag_or_be_broken),
		TEST(an_index_latest_ahead_of_all_is_an_incomplete_copy),
		TEST(a_folder_without_index_is_no_repository),
		TEST(a_damaged_index_names_the_blob),
		TEST(states_are_words),
		TEST(the_layout_of_5_0_to_5_4_is_read),
		TEST(the_layout_of_7_9_is_read_by_its_lookups),
		TEST(a_snapshot_older_than_the_lookups_has_its_own_metadata),
		TEST(shards_at_hashed_paths_are_looked_for_where_the_hash_says),
		TEST(the_longest_list_of_hashed_paths_counts),
		TEST(paths_of_an_unknown_type_are_refused_by_it),
		TEST(versions_are_told_as_far_as_their_ids_do),
		TEST(an_encrypted_repository_is_recognised),
		TEST(an_unknown_snapshot_is_answered_with_those_there_are),
		TEST(a_missing_or_foreign_snapshot_blob_is_named),
		TEST(an_index_that_is_in_one_list_only_is_damage),
		TEST(an_index_id_that_leaves_its_folder_is_refused),
		TEST(a_lookup_that_leads_nowhere_is_damage),
		TEST(a_partial_snapshot_opens_and_says_what_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
