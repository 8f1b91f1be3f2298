#include "snapshot/repository.h"
#include "memory_store.h"

#include "base/limits.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#define FOLDER "indices/I/0/"
#define SHARD FOLDER "snap-U.dat"

struct fixture {
	struct arena mem;
	struct memory_store *memory;
	struct repository *repository;
	struct snapshot *snapshot;
	struct snapshot_shard *shard;
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
	memory_store_put_dat(
		f->memory, "snap-U.dat", "snapshot",
		"{\"snapshot\":{\"name\":\"s\",\"state\":\"PARTIAL\",\"indices\":[\"a\"],"
		"\"failures\":[{\"index\":\"a\",\"shard_id\":7,\"reason\":\"node left\"}]}}");
	if (repository_open(memory_store_blobs(f->memory), &f->repository, &f->err) < 0 ||
	    snapshot_open(f->repository, STR("s"), &f->snapshot, &f->err) < 0)
		fail_msg("%s", f->err.message);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	snapshot_shard_close(f->shard);
	snapshot_close(f->snapshot);
	repository_close(f->repository);
	memory_store_free(f->memory);
	arena_release(&f->mem);
	mem_freep(&f);
	return 0;
}

static int open_shard(struct fixture *f, int32_t number)
{
	return snapshot_shard_open(f->snapshot, f->snapshot->indices, number, &f->shard, &f->err);
}

static void put_list(struct fixture *f, const char *files)
{
	struct str json = arena_printf(&f->mem, "{\"name\":\"s\",\"files\":[%s]}", files);

	memory_store_put_dat(f->memory, SHARD, "snapshot", json.ptr);
}

static void assert_said(struct fixture *f, const char *why)
{
	if (!strstr(f->err.message, why))
		fail_msg("'%s' does not say '%s'", f->err.message, why);
}

static void assert_list_refused(struct fixture *f, const char *files, int kind, const char *why)
{
	put_list(f, files);
	assert_int_equal(open_shard(f, 0), -kind);
	assert_said(f, "shard 0 of index 'a'");
	assert_said(f, SHARD);
	assert_said(f, why);
}

static char *base36(uint32_t value, char text[static 8])
{
	char *at = text + 7;

	*at = '\0';
	do
		*--at = "0123456789abcdefghijklmnopqrstuvwxyz"[value % 36];
	while (value /= 36);
	return at;
}

/* A file "_0.x" of this text and a footer, in blobs of part_size (0: one blob). Lists it. */
static struct str put_file(struct fixture *f, const char *text, size_t part_size)
{
	char checksum[8], name[64];
	uint32_t crc;
	struct str file = with_footer(text, &f->mem, &crc), entry;
	size_t step = part_size ? part_size : file.len;

	for (size_t at = 0, part = 0; at < file.len; at += step, part++) {
		snprintf(name, sizeof(name), part_size ? FOLDER "__b.part%zu" : FOLDER "__b", part);
		memory_store_put(f->memory, name, str_of(file.ptr + at, MIN(step, file.len - at)));
	}
	entry = arena_printf(&f->mem,
			     "{\"name\":\"__b\",\"physical_name\":\"_0.x\",\"length\":%zu,"
			     "\"checksum\":\"%s\",\"written_by\":\"8.7.0\",\"part_size\":%zu}",
			     file.len, base36(crc, checksum),
			     part_size ? part_size : (size_t)INT64_MAX);
	put_list(f, entry.ptr);
	if (open_shard(f, 0) < 0)
		fail_msg("%s", f->err.message);
	return file;
}

static int open_file(struct fixture *f, struct bytes_source **out)
{
	return lucene_directory_open(f->shard->directory, STR("_0.x"), out, &f->err);
}

static void a_file_in_one_blob_is_read(void **state)
{
	struct fixture *f = *state;
	struct str file = put_file(f, "the text of a file", 0), got;
	struct bytes_source *source;

	assert_int_equal(open_file(f, &source), 0);
	assert_int_equal(bytes_source_read_all(source, &f->mem, 100, &got, &f->err), 0);
	assert_true(str_eq(file, got));
	assert_int_equal(f->shard->total_bytes, file.len);
	bytes_source_close(source);
}

static void every_range_of_a_file_in_parts_is_read(void **state)
{
	struct fixture *f = *state;
	struct str file = put_file(f, "0123456789abcdefghijklmnopqrstuvw", 7);
	struct bytes_source *source;
	char got[64];

	assert_int_equal(open_file(f, &source), 0);
	assert_int_equal(source->size, file.len);
	for (size_t from = 0; from <= file.len; from++)
		for (size_t len = 0; from + len <= file.len; len++) {
			assert_int_equal(bytes_source_read(source, from, got, len, &f->err), 0);
			assert_memory_equal(got, file.ptr + from, len);
		}
	assert_int_equal(bytes_source_read(source, 1, got, file.len, &f->err), -ERR_FORMAT);
	bytes_source_close(source);
}

static void few_parts_are_open_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct str file = put_file(f, "0123456789abcdefghijklmnopqrstuvwxyz", 2), got;
	struct bytes_source *source;

	assert_int_equal(open_file(f, &source), 0);
	assert_int_equal(bytes_source_read_all(source, &f->mem, 100, &got, &f->err), 0);
	assert_true(str_eq(file, got));
	assert_in_range(memory_store_open_count(f->memory), 1, 4);
	bytes_source_close(source);
	assert_int_equal(memory_store_open_count(f->memory), 0);
}

struct reader {
	struct bytes_source *source;
	struct str file;
	unsigned seed;
	bool wrong;
};

static void *read_at_random(void *arg)
{
	struct reader *reader = arg;
	char got[128];

	for (int i = 0; i < 2000; i++) {
		size_t from = (size_t)rand_r(&reader->seed) % reader->file.len;
		size_t len = (size_t)rand_r(&reader->seed) % (reader->file.len - from + 1);

		if (bytes_source_read(reader->source, from, got, len, NULL) < 0 ||
		    memcmp(got, reader->file.ptr + from, len) != 0)
			reader->wrong = true;
	}
	return NULL;
}

static void threads_read_parts_at_once(void **state)
{
	struct fixture *f = *state;
	struct str file =
		put_file(f, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTU", 3);
	struct bytes_source *source;
	struct reader readers[8];
	pthread_t threads[8];
	unsigned seed = (unsigned)time(NULL);

	print_message("seed %u\n", seed);
	assert_int_equal(open_file(f, &source), 0);
	for (unsigned i = 0; i < 8; i++) {
		readers[i] = (struct reader){source, file, seed + i, false};
		pthread_create(&threads[i], NULL, read_at_random, &readers[i]);
	}
	for (size_t i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		assert_false(readers[i].wrong);
	}
	bytes_source_close(source);
}

static void a_blob_of_another_size_is_named_with_both_sizes(void **state)
{
	struct fixture *f = *state;
	struct str file = put_file(f, "the text of a file", 0);
	struct bytes_source *source;

	memory_store_put(f->memory, FOLDER "__b", str_of(file.ptr, file.len - 1));
	assert_int_equal(open_file(f, &source), -ERR_FORMAT);
	assert_said(f, "file '_0.x' of shard 0 of index 'a', blob 'indices/I/0/__b'");
	assert_said(f, "has 33 bytes and should have 34");
}

static void a_part_of_another_size_is_named_with_both_sizes(void **state)
{
	struct fixture *f = *state;
	struct bytes_source *source;
	char got[64];

	put_file(f, "the text of a file", 10);
	memory_store_put_text(f->memory, FOLDER "__b.part0", "short");
	assert_int_equal(open_file(f, &source), 0);
	assert_int_equal(bytes_source_read(source, 8, got, 10, &f->err), -ERR_FORMAT);
	assert_said(f, "blob 'indices/I/0/__b.part0' has 5 bytes and should have 10");
	bytes_source_close(source);
	memory_store_remove(f->memory, FOLDER "__b.part3");
	assert_int_equal(open_file(f, &source), -ERR_NOT_FOUND);
	assert_said(f, "__b.part3");
}

static void a_blob_of_another_file_is_noticed_by_its_checksum(void **state)
{
	struct fixture *f = *state;
	struct bytes_source *source;
	uint32_t crc;

	put_file(f, "the text of a file", 0);
	memory_store_put(f->memory, FOLDER "__b", with_footer("the text of a gile", &f->mem, &crc));
	assert_int_equal(open_file(f, &source), -ERR_FORMAT);
	assert_said(f, "the blob is damaged or another file's");
	memory_store_put_text(f->memory, FOLDER "__b", "no footer at all, but 34 bytes lon");
	assert_int_equal(open_file(f, &source), -ERR_FORMAT);
	assert_said(f, "does not end in a Lucene footer");
}

static void a_missing_blob_and_an_unlisted_file_are_named(void **state)
{
	struct fixture *f = *state;
	struct bytes_source *source;

	put_file(f, "the text of a file", 0);
	memory_store_remove(f->memory, FOLDER "__b");
	assert_int_equal(open_file(f, &source), -ERR_NOT_FOUND);
	assert_said(f, "file '_0.x' of shard 0 of index 'a', blob 'indices/I/0/__b'");
	assert_int_equal(lucene_directory_open(f->shard->directory, STR("_1.x"), &source, &f->err),
			 -ERR_NOT_FOUND);
	assert_said(f, "'_1.x'");
}

/* "x" is no Lucene file; without checksum it need not be. */
static void content_in_the_list_needs_no_blob(void **state)
{
	struct fixture *f = *state;
	struct bytes_source *source;
	struct str got, *names;
	size_t count;

	put_list(f, "{\"name\":\"v__c\",\"physical_name\":\"segments_2\",\"length\":3,"
		    "\"meta_hash\":\"binary:abc\"},"
		    "{\"name\":\"__d\",\"physical_name\":\"_0.si\",\"length\":4,"
		    "\"meta_hash\":\"binary:long\"}");
	assert_int_equal(open_shard(f, 0), 0);
	assert_int_equal(
		lucene_directory_open(f->shard->directory, STR("segments_2"), &source, &f->err), 0);
	assert_int_equal(bytes_source_read_all(source, &f->mem, 10, &got, &f->err), 0);
	assert_true(str_is(got, "abc"));
	bytes_source_close(source);
	assert_int_equal(
		lucene_directory_list(f->shard->directory, &f->mem, &names, &count, &f->err), 0);
	assert_int_equal(count, 2);
	assert_true(str_is(names[0], "_0.si"));
	assert_int_equal(f->shard->total_bytes, 7);
}

static void content_that_is_cut_off_is_read_from_the_blob(void **state)
{
	struct fixture *f = *state;
	struct bytes_source *source;

	memory_store_put_text(f->memory, FOLDER "__c", "abcdef");
	put_list(f, "{\"name\":\"__c\",\"physical_name\":\"_0.x\",\"length\":6,"
		    "\"meta_hash\":\"binary:abc\"}");
	assert_int_equal(open_shard(f, 0), 0);
	assert_int_equal(open_file(f, &source), 0);
	assert_int_equal(source->size, 6);
	bytes_source_close(source);
}

static void a_virtual_blob_without_content_is_refused(void **state)
{
	assert_list_refused(*state,
			    "{\"name\":\"v__c\",\"physical_name\":\"_0.si\",\"length\":6,"
			    "\"meta_hash\":\"binary:abc\"}",
			    ERR_FORMAT, "file '_0.si': it has no blob");
}

static void content_with_a_wrong_checksum_is_refused(void **state)
{
	assert_list_refused(*state,
			    "{\"name\":\"v__c\",\"physical_name\":\"_0.si\",\"length\":20,"
			    "\"checksum\":\"1\",\"written_by\":\"8.7.0\",\"meta_hash\":\"binary:"
			    "aaaaaaaaaaaaaaaaaaaa\"}",
			    ERR_FORMAT, "file '_0.si': its meta_hash");
}

static void names_and_sizes_that_cannot_be_are_refused(void **state)
{
	static const struct {
		const char *entry, *why;
	} bad[] = {
		{"{\"name\":\"__a\",\"length\":1}", "physical_name '' is no name"},
		{"{\"name\":\"__a\",\"physical_name\":\"../x\",\"length\":1}", "'../x' is no name"},
		{"{\"name\":\"a/b\",\"physical_name\":\"_0.x\",\"length\":1}", "'a/b' is no name"},
		{"{\"name\":\"..\",\"physical_name\":\"_0.x\",\"length\":1}", "'..' is no name"},
		{"{\"name\":\"__a\",\"physical_name\":\"_0.x\"}", "its length is missing"},
		{"{\"name\":\"__a\",\"physical_name\":\"_0.x\",\"length\":-1}", "its length"},
		{"{\"name\":\"__a\",\"physical_name\":\"_0.x\",\"length\":1,\"part_size\":0}",
		 "its part_size is not above 0"},
		{"{\"name\":\"__a\",\"physical_name\":\"_0.x\",\"length\":1,\"part_size\":-4}",
		 "its part_size is not above 0"},
		{"{\"name\":\"__a\",\"physical_name\":\"_0.x\",\"length\":1,\"checksum\":\"A-\"}",
		 "its checksum 'A-' is no CRC-32"},
		{"{\"name\":\"__a\",\"physical_name\":\"_0.x\",\"length\":1,"
		 "\"checksum\":\"1z141z4\"}",
		 "is no CRC-32"},
		{"{\"name\":\"__a\",\"physical_name\":\"_0.x\",\"length\":1},"
		 "{\"name\":\"__b\",\"physical_name\":\"_0.x\",\"length\":1}",
		 "lists file '_0.x' twice"},
		{"7", "is no name"},
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_list_refused(*state, bad[i].entry, ERR_FORMAT, bad[i].why);
	assert_list_refused(*state,
			    "{\"name\":\"__a\",\"physical_name\":\"_0.x\","
			    "\"length\":9223372036854775807,\"part_size\":1}",
			    ERR_LIMIT, "parts");
}

static void put_settings(struct fixture *f, const char *settings)
{
	struct str json = arena_printf(
		&f->mem, "{\"a\":{\"settings\":{\"index.number_of_shards\":\"1\"%s}}}", settings);

	memory_store_put_dat(f->memory, "indices/I/meta-U.dat", "index-metadata", json.ptr);
}

static void a_list_without_files_names_the_snapshot_it_is_mounted_from(void **state)
{
	static const char *const settings[] = {
		",\"index.searchable_snapshot.repository\":\"archive\","
		"\"index.searchable_snapshot.snapshot_id.name\":\"old\"",
		",\"index.store.snapshot.repository_name\":\"archive\","
		"\"index.store.snapshot.snapshot_name\":\"old\"",
	};
	struct fixture *f = *state;

	put_list(f, "");
	for (size_t i = 0; i < COUNT_OF(settings); i++) {
		put_settings(f, settings[i]);
		assert_int_equal(open_shard(f, 0), -ERR_UNSUPPORTED);
		assert_said(f, "shard 0 of index 'a'");
		assert_said(f, "snapshot 'old' of the cluster's repository 'archive'");
	}
	put_settings(f, "");
	assert_int_equal(open_shard(f, 0), -ERR_UNSUPPORTED);
	assert_said(f, "mounted from another snapshot");
}

static void a_shallow_copy_names_the_remote_store(void **state)
{
	struct fixture *f = *state;

	memory_store_put_dat(f->memory, FOLDER "shallow-snap-U.dat", "snapshot",
			     "{\"name\":\"s\",\"remote_store_repository\":\"far\"}");
	assert_int_equal(open_shard(f, 0), -ERR_UNSUPPORTED);
	assert_said(f, "remote store (repository 'far')");
	memory_store_remove(f->memory, FOLDER "shallow-snap-U.dat");
	assert_int_equal(open_shard(f, 0), -ERR_NOT_FOUND);
	f->snapshot->shallow_copy = true;
	assert_int_equal(open_shard(f, 0), -ERR_UNSUPPORTED);
	assert_said(f, "remote_store_index_shallow_copy false");
}

static void a_missing_shard_is_told_with_the_snapshots_reason(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(open_shard(f, 6), -ERR_NOT_FOUND);
	assert_said(f, "shard 6 of index 'a': no blob 'indices/I/6/snap-U.dat'");
	assert_int_equal(open_shard(f, 7), -ERR_NOT_FOUND);
	assert_said(f, "the snapshot is partial and says 'node left'");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_in_one_blob_is_read),
		TEST(every_range_of_a_file_in_parts_is_read),
		TEST(few_parts_are_open_at_a_time),
		TEST(threads_read_parts_at_once),
		TEST(a_blob_of_another_size_is_named_with_both_sizes),
		TEST(a_part_of_another_size_is_named_with_both_sizes),
		TEST(a_blob_of_another_file_is_noticed_by_its_checksum),
		TEST(a_missing_blob_and_an_unlisted_file_are_named),
		TEST(content_in_the_list_needs_no_blob),
		TEST(content_that_is_cut_off_is_read_from_the_blob),
		TEST(a_virtual_blob_without_content_is_refused),
		TEST(content_with_a_wrong_checksum_is_refused),
		TEST(names_and_sizes_that_cannot_be_are_refused),
		TEST(a_list_without_files_names_the_snapshot_it_is_mounted_from),
		TEST(a_shallow_copy_names_the_remote_store),
		TEST(a_missing_shard_is_told_with_the_snapshots_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
