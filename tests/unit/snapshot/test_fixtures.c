/* What real nodes wrote, against what the same nodes answered about it. */
#include "snapshot/repository.h"
#include "fixture_repository.h"

#include "lucene/codec_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

struct fixture {
	struct arena mem;
	char *path;
	struct blob_store *store;
	struct repository *repository;
	struct snapshot *snapshot;
	struct json *meta;
	const struct json *info; /* GET _snapshot/…, of the snapshot that is open */
	size_t files;
	uint64_t bytes;
	struct err err;
};

static void check(struct fixture *f, int rc)
{
	if (rc < 0)
		fail_msg("%s", f->err.message);
}

static struct fixture *open_fixture(const char *name, const char *meta)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	f->mem = ARENA_INIT(MIB(256));
	f->path = fixture_repository_unpack(name);
	f->meta = fixture_meta(meta, &f->mem);
	check(f, blob_store_open(f->path, &f->store, &f->err));
	return f;
}

static void close_fixture(struct fixture *f)
{
	repository_close(f->repository);
	blob_store_close(f->store);
	fixture_repository_remove(f->path);
	arena_release(&f->mem);
	mem_freep(&f);
}

static void assert_same(const char *what, const struct json *got, const struct json *expected)
{
	cleanup(buf_release) struct buf a = BUF_INIT(MIB(1)), b = BUF_INIT(MIB(1));

	if (got && expected && json_equal(got, expected))
		return;
	if (got)
		json_write(&a, got);
	if (expected)
		json_write(&b, expected);
	fail_msg("%s\n   %s\nis not\n   %s", what, buf_cstr(&a), buf_cstr(&b));
}

static void check_summary(struct fixture *f)
{
	const struct snapshot *s = f->snapshot;
	const struct json *info = f->info, *indices = json_get(info, "indices");

	/* Before 5.0 there are only names. */
	assert_true(str_eq(s->summary.uuid, json_text_or(json_get(info, "uuid"),
							 json_string(json_get(info, "snapshot")))));
	assert_true(str_eq(s->summary.state, json_string(json_get(info, "state"))));
	/* Elasticsearch 8.11 and later write this instead of their version. */
	if (!str_is(s->summary.version, "8.11.0"))
		assert_true(str_eq(s->summary.version, json_string(json_get(info, "version"))));
	assert_int_equal(s->start_ms, json_i64_or(json_get(info, "start_time_in_millis"), -1));
	assert_int_equal(s->end_ms, json_i64_or(json_get(info, "end_time_in_millis"), -1));
	assert_int_equal(s->total_shards,
			 json_i64_or(json_path(info, "shards", "total", NULL), -1));
	assert_int_equal(s->successful_shards,
			 json_i64_or(json_path(info, "shards", "successful", NULL), -1));
	assert_int_equal(s->failure_count, 0);
	assert_false(s->shallow_copy);
	assert_int_equal(s->index_count, indices->count);
	json_each (name, indices)
		assert_non_null(snapshot_find_index(s, name->text));
}

/* Every file is there, has its size, and the content its footer and the snapshot say. */
static void check_shard(struct fixture *f, const struct snapshot_index *index, int32_t number)
{
	cleanup(snapshot_shard_closep) struct snapshot_shard *shard = NULL;
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	bool commit = false;

	check(f, snapshot_shard_open(f->snapshot, index, number, &shard, &f->err));
	for (size_t i = 0; i < shard->file_count; i++) {
		cleanup(bytes_source_closep) struct bytes_source *source = NULL;
		const struct snapshot_file *file = &shard->files[i];
		struct str content;

		check(f, lucene_directory_open(shard->directory, file->physical_name, &source,
					       &f->err));
		check(f, bytes_source_read_all(source, &mem, MIB(16), &content, &f->err));
		check(f, codec_footer_check(content, &f->err));
		assert_int_equal(content.len, file->length);
		/* Elasticsearch 1 keeps none of the segments_N of an empty shard. */
		if (file->checksum_kind == FILE_CHECKSUM_NONE)
			assert_int_equal(shard->file_count, 1);
		else
			assert_int_equal(file->checksum_kind, FILE_CHECKSUM_FOOTER);
		commit |= str_starts(file->physical_name, STR("segments_"));
	}
	assert_true(commit);
	f->files += shard->file_count;
	f->bytes += shard->total_bytes;
}

static void flatten(const struct json *from, struct str prefix, struct json *flat,
		    struct arena *mem)
{
	json_each (v, from) {
		struct str key = prefix.len ? arena_printf(mem, STR_FMT "." STR_FMT,
							   STR_ARG(prefix), STR_ARG(v->key))
					    : v->key;

		if (v->type == JSON_OBJECT)
			flatten(v, key, flat, mem);
		else
			json_set(flat, key, json_copy(mem, v));
	}
}

static void check_index(struct fixture *f, const struct snapshot_index *index,
			const struct json *mappings, const struct json *settings,
			const struct json *aliases)
{
	struct json *flat = json_new(&f->mem, JSON_OBJECT);
	struct index_metadata metadata;
	struct json *typed;

	check(f, snapshot_index_metadata(f->snapshot, index, &f->mem, &metadata, &f->err));
	assert_false(metadata.closed);
	flatten(settings, STR_NONE, flat, &f->mem);
	assert_same("settings", metadata.settings, flat);
	/* From 7.0 on the type is not in the answer. */
	typed = json_get(metadata.mappings, "_doc");
	if (typed && !json_get(mappings, "_doc"))
		assert_same("mapping", typed, mappings);
	else
		assert_same("mappings", metadata.mappings, mappings);
	assert_same("aliases", metadata.aliases, aliases);
	assert_int_equal(metadata.shard_count,
			 json_i64_or(json_get(flat, "index.number_of_shards"), -1));
	for (int32_t shard = 0; shard < metadata.shard_count; shard++)
		check_shard(f, index, shard);
}

static void check_global_metadata(struct fixture *f)
{
	struct json *global;

	check(f, snapshot_global_metadata(f->snapshot, &f->mem, &global, &f->err));
	assert_non_null(global);
	assert_non_null(json_get(global, "templates"));
	/* Elasticsearch 1 calls it uuid. */
	assert_true(json_get(global, "cluster_uuid") || json_get(global, "uuid"));
}

static void open_snapshot(struct fixture *f, const char *name)
{
	f->files = 0;
	f->bytes = 0;
	check(f, snapshot_open(f->repository, str_from(name), &f->snapshot, &f->err));
}

static void check_elasticsearch_snapshot(struct fixture *f, const char *name)
{
	const struct json *answers = json_get(f->meta, name);
	struct str path = arena_printf(&f->mem, "/_snapshot/fixture/%s", name);
	const struct json *aliases = json_get(answers, "/_alias");

	if (!aliases)
		aliases = json_get(answers, "/_aliases");
	open_snapshot(f, name);
	f->info = json_get(json_get_str(answers, path), "snapshots")->first;
	check_summary(f);
	for (size_t i = 0; i < f->snapshot->index_count; i++) {
		const struct snapshot_index *index = &f->snapshot->indices[i];
		const struct json *of = json_get_str(json_get(answers, "/_mapping"), index->name);
		const struct json *mappings = json_get(of, "mappings");

		of = json_get_str(json_get(answers, "/_settings"), index->name);
		check_index(f, index, mappings, json_get(of, "settings"),
			    json_get(json_get_str(aliases, index->name), "aliases"));
	}
	check_global_metadata(f);
	snapshot_close(f->snapshot);
}

static void check_elasticsearch(const char *name)
{
	struct fixture *f = open_fixture(name, name);
	size_t count;

	check(f, repository_open(f->store, &f->repository, &f->err));
	repository_snapshots(f->repository, &count);
	assert_int_equal(count, 2);
	check_elasticsearch_snapshot(f, "snap1");
	check_elasticsearch_snapshot(f, "snap2");
	close_fixture(f);
}

static void check_opensearch_snapshot(struct fixture *f, const char *name, bool whole)
{
	const struct json *of = json_path(f->meta, "snapshots", name, NULL);
	const struct json *total = json_path(f->meta, "stats", name, "total", NULL);

	open_snapshot(f, name);
	f->info = json_get(of, "info");
	if (whole)
		check_summary(f);
	for (size_t i = 0; i < f->snapshot->index_count; i++) {
		const struct snapshot_index *index = &f->snapshot->indices[i];
		const struct json *body = json_get_str(json_get(of, "indices"), index->name);

		check_index(f, index, json_get(body, "mappings"), json_get(body, "settings"),
			    json_get(body, "aliases"));
	}
	check_global_metadata(f);
	if (whole) {
		assert_int_equal(f->files, json_i64_or(json_get(total, "file_count"), -1));
		assert_int_equal(f->bytes, json_i64_or(json_get(total, "size_in_bytes"), -1));
	}
	snapshot_close(f->snapshot);
}

static void check_opensearch(const char *name)
{
	struct str chunked_name;
	struct fixture *f = open_fixture(name, name);
	size_t count;

	check(f, repository_open(f->store, &f->repository, &f->err));
	repository_snapshots(f->repository, &count);
	assert_int_equal(count, 2);
	check_opensearch_snapshot(f, "snap-1", true);
	check_opensearch_snapshot(f, "snap-2", true);
	chunked_name = arena_printf(&f->mem, "%s.chunked", name);
	{
		struct fixture *chunked = open_fixture(chunked_name.ptr, name);

		check(chunked,
		      repository_open(chunked->store, &chunked->repository, &chunked->err));
		check_opensearch_snapshot(chunked, "snap-2", false);
		close_fixture(chunked);
	}
	close_fixture(f);
}

static void elasticsearch_1_7_is_read_as_it_was(void **state)
{
	(void)state;
	check_elasticsearch("es-1.7.6");
}

static void elasticsearch_2_4_is_read_as_it_was(void **state)
{
	(void)state;
	check_elasticsearch("es-2.4.6");
}

static void elasticsearch_5_6_is_read_as_it_was(void **state)
{
	(void)state;
	check_elasticsearch("es-5.6.16");
}

static void elasticsearch_6_8_is_read_as_it_was(void **state)
{
	(void)state;
	check_elasticsearch("es-6.8.23");
}

static void elasticsearch_7_10_is_read_as_it_was(void **state)
{
	(void)state;
	check_elasticsearch("es-7.10.2");
}

static void elasticsearch_8_19_is_read_as_it_was(void **state)
{
	(void)state;
	check_elasticsearch("es-8.19.21");
}

static void opensearch_1_3_is_read_as_it_was(void **state)
{
	(void)state;
	check_opensearch("os-1.3.14");
}

static void opensearch_2_19_is_read_as_it_was(void **state)
{
	(void)state;
	check_opensearch("os-2.19.6");
}

static void opensearch_3_8_is_read_as_it_was(void **state)
{
	(void)state;
	check_opensearch("os-3.8.0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elasticsearch_1_7_is_read_as_it_was),
		cmocka_unit_test(elasticsearch_2_4_is_read_as_it_was),
		cmocka_unit_test(elasticsearch_5_6_is_read_as_it_was),
		cmocka_unit_test(elasticsearch_6_8_is_read_as_it_was),
		cmocka_unit_test(elasticsearch_7_10_is_read_as_it_was),
		cmocka_unit_test(elasticsearch_8_19_is_read_as_it_was),
		cmocka_unit_test(opensearch_1_3_is_read_as_it_was),
		cmocka_unit_test(opensearch_2_19_is_read_as_it_was),
		cmocka_unit_test(opensearch_3_8_is_read_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
