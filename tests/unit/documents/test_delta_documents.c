/* The delta between the two snapshots of real repositories: applied to the documents of the first,
 * it has to give those of the second. */
#include "documents/delta_documents.h"
#include "fixture_shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

struct kept {
	struct str key, rest; /* type and id; routing and source */
	int64_t version;
};

struct kept_documents {
	struct arena mem;
	struct kept *list;
	size_t count, capacity;
};

static int by_key(const void *a, const void *b)
{
	return str_cmp(((const struct kept *)a)->key, ((const struct kept *)b)->key);
}

static void release(struct kept_documents *kept)
{
	free(kept->list);
	arena_release(&kept->mem);
}

static struct kept *find(struct kept_documents *kept, struct str key)
{
	for (size_t i = 0; i < kept->count; i++)
		if (str_eq(kept->list[i].key, key))
			return &kept->list[i];
	return NULL;
}

static struct kept keep(struct arena *mem, const struct document *document)
{
	struct kept one = {.version = document->version};

	one.key = arena_printf(mem, STR_FMT "/" STR_FMT, STR_ARG(document->type),
			       STR_ARG(document->id));
	one.rest = arena_printf(mem, STR_FMT "/" STR_FMT, STR_ARG(document->routing),
				STR_ARG(document->source));
	return one;
}

static void put(struct kept_documents *kept, const struct document *document)
{
	struct kept one = keep(&kept->mem, document), *old = find(kept, one.key);

	if (old) {
		*old = one;
		return;
	}
	if (kept->count == kept->capacity) {
		kept->capacity = kept->capacity * 2 + 64;
		kept->list = mem_realloc(kept->list, kept->capacity * sizeof(*kept->list));
	}
	kept->list[kept->count++] = one;
}

static void drop(struct kept_documents *kept, const struct document *document)
{
	struct kept one = keep(&kept->mem, document), *old = find(kept, one.key);

	if (!old)
		fail_msg(STR_FMT " is to be deleted, and is not there", STR_ARG(one.key));
	if (old->version >= 0 && document->version != old->version + 1)
		fail_msg(STR_FMT " is to be deleted as version %lld", STR_ARG(one.key),
			 (long long)document->version);
	*old = kept->list[--kept->count];
}

static struct kept_documents read_all(struct lucene_directory *dir)
{
	const struct lucene_documents_options options = {.versions = true};
	struct kept_documents kept = {.mem = ARENA_INIT(MIB(256))};
	struct document_source *source;
	struct document document;
	struct err err = {0};
	int got = 0;

	if (!dir)
		return kept;
	if (lucene_documents_open(dir, &options, &source, &err) < 0)
		fail_msg("%s", err.message);
	while ((got = document_source_next(source, &document, &err)) > 0)
		put(&kept, &document);
	if (got < 0)
		fail_msg("%s", err.message);
	document_source_close(source);
	return kept;
}

static void assert_same(struct kept_documents *got, struct kept_documents *expected)
{
	if (got->count > 0)
		qsort(got->list, got->count, sizeof(*got->list), by_key);
	if (expected->count > 0)
		qsort(expected->list, expected->count, sizeof(*expected->list), by_key);
	for (size_t i = 0; i < got->count && i < expected->count; i++) {
		if (!str_eq(got->list[i].key, expected->list[i].key))
			fail_msg(STR_FMT " instead of " STR_FMT, STR_ARG(got->list[i].key),
				 STR_ARG(expected->list[i].key));
		if (!str_eq(got->list[i].rest, expected->list[i].rest) ||
		    got->list[i].version != expected->list[i].version)
			fail_msg(STR_FMT " differs", STR_ARG(got->list[i].key));
	}
	assert_int_equal(got->count, expected->count);
}

struct counts {
	size_t deletes, updates;
};

/* Applies one run of the delta; with a `stop`, only that many documents. Returns where the next run
 * begins; -1 at the end. */
static int64_t apply(struct kept_documents *kept, struct lucene_directory *previous,
		     struct lucene_directory *current, struct delta_options options, size_t stop,
		     struct counts *counts)
{
	struct document_source *source;
	struct document document;
	struct err err = {0};
	int64_t last = options.first_doc - 1;
	int got = 1;

	options.versions = true;
	if (delta_documents_open(previous, current, &options, &source, &err) < 0)
		fail_msg("%s", err.message);
	while (stop-- > 0 && (got = document_source_next(source, &document, &err)) > 0) {
		assert_true(document.doc > last);
		last = document.doc;
		if (document.deleted)
			drop(kept, &document);
		else
			put(kept, &document);
		counts->deletes += document.deleted;
		counts->updates += !document.deleted;
		assert_true(document_source_position(source) <= source->total_bytes);
	}
	if (got < 0)
		fail_msg("%s", err.message);
	if (got == 0)
		assert_int_equal(document_source_position(source), source->total_bytes);
	document_source_close(source);
	return got == 0 ? -1 : last + 1;
}

static void expect_delta(struct lucene_directory *previous, struct lucene_directory *current,
			 struct counts *counts)
{
	struct kept_documents expected = read_all(current), kept = read_all(previous);
	struct counts again = {0}, few = {0};
	int64_t next = 0;

	apply(&kept, previous, current, (struct delta_options){.mode = DELTA_UPDATES_AND_DELETES},
	      SIZE_MAX, counts);
	assert_same(&kept, &expected);
	release(&kept);
	/* In many passes. */
	kept = read_all(previous);
	apply(&kept, previous, current,
	      (struct delta_options){.mode = DELTA_UPDATES_AND_DELETES, .memory = 1}, SIZE_MAX,
	      &again);
	assert_same(&kept, &expected);
	release(&kept);
	/* Interrupted after every few documents, and gone on with. */
	kept = read_all(previous);
	while (next >= 0)
		next = apply(&kept, previous, current,
			     (struct delta_options){.mode = DELTA_UPDATES_AND_DELETES,
						    .first_doc = next},
			     7, &few);
	assert_same(&kept, &expected);
	release(&kept);
	/* Deletes and updates apart, the latter first. */
	kept = read_all(previous);
	apply(&kept, previous, current, (struct delta_options){.mode = DELTA_UPDATES}, SIZE_MAX,
	      &again);
	apply(&kept, previous, current, (struct delta_options){.mode = DELTA_DELETES}, SIZE_MAX,
	      &again);
	assert_same(&kept, &expected);
	release(&kept);
	release(&expected);
	assert_int_equal(few.deletes + few.updates, (again.deletes + again.updates) / 2);
}

static void compare_snapshots(struct fixture_shards *fixture, const char *before, const char *after,
			      struct counts *counts)
{
	struct snapshot *previous = fixture_snapshot(fixture, before);
	struct snapshot *current = fixture_snapshot(fixture, after);

	for (size_t i = 0; i < current->index_count; i++) {
		const struct snapshot_index *index = &current->indices[i];
		const struct snapshot_index *old = snapshot_find_index(previous, index->name);
		int32_t shards = fixture_shard_count(current, index);

		if (old && fixture_shard_count(previous, old) != shards)
			continue;
		for (int32_t number = 0; number < shards; number++) {
			struct snapshot_shard *now = fixture_shard(current, index, number);
			struct snapshot_shard *then =
				old ? fixture_shard(previous, old, number) : NULL;

			expect_delta(then ? then->directory : NULL, now->directory, counts);
			if (then)
				expect_delta(now->directory, then->directory, &(struct counts){0});
			snapshot_shard_close(then);
			snapshot_shard_close(now);
		}
	}
	snapshot_close(current);
	snapshot_close(previous);
}

static void a_delta_leads_from_one_snapshot_to_the_next(void **state)
{
	static const struct {
		const char *name, *first, *second;
	} fixtures[] = {
		{"es-1.7.6", "snap1", "snap2"},    {"es-2.4.6", "snap1", "snap2"},
		{"es-5.6.16", "snap1", "snap2"},   {"es-6.8.23", "snap1", "snap2"},
		{"es-7.10.2", "snap1", "snap2"},   {"es-8.19.21", "snap1", "snap2"},
		{"os-1.3.14", "snap-1", "snap-2"}, {"os-2.19.6", "snap-1", "snap-2"},
		{"os-3.8.0", "snap-1", "snap-2"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(fixtures); i++) {
		struct fixture_shards fixture;
		struct counts counts = {0};

		fixture_shards_open(&fixture, fixtures[i].name);
		compare_snapshots(&fixture, fixtures[i].first, fixtures[i].second, &counts);
		print_message("%s: %zu deletes, %zu updates\n", fixtures[i].name, counts.deletes,
			      counts.updates);
		assert_true(counts.deletes > 0);
		assert_true(counts.updates > 0);
		counts = (struct counts){0};
		compare_snapshots(&fixture, fixtures[i].second, fixtures[i].second, &counts);
		assert_int_equal(counts.deletes + counts.updates, 0);
		fixture_shards_close(&fixture);
	}
}

static void a_shard_that_is_gone_is_all_deletes(void **state)
{
	struct fixture_shards fixture;
	struct snapshot *snapshot;
	struct snapshot_shard *shard;
	struct counts counts = {0};
	struct kept_documents kept;

	(void)state;
	fixture_shards_open(&fixture, "es-7.10.2");
	snapshot = fixture_snapshot(&fixture, "snap1");
	shard = fixture_shard(snapshot, snapshot_find_index(snapshot, STR("books")), 0);
	kept = read_all(shard->directory);
	assert_true(kept.count > 0);
	apply(&kept, shard->directory, NULL,
	      (struct delta_options){.mode = DELTA_UPDATES_AND_DELETES}, SIZE_MAX, &counts);
	assert_int_equal(kept.count, 0);
	assert_int_equal(counts.updates, 0);
	release(&kept);
	snapshot_shard_close(shard);
	snapshot_close(snapshot);
	fixture_shards_close(&fixture);
}

static void modes_are_called_as_here_or_as_the_java_tool_calls_them(void **state)
{
	enum delta_mode mode;

	(void)state;
	assert_true(delta_mode_parse(STR("updates-and-deletes"), &mode));
	assert_int_equal(mode, DELTA_UPDATES_AND_DELETES);
	assert_true(delta_mode_parse(STR("DELETES_ONLY"), &mode));
	assert_int_equal(mode, DELTA_DELETES);
	assert_true(delta_mode_parse(STR("UPDATES_ONLY"), &mode));
	assert_int_equal(mode, DELTA_UPDATES);
	assert_false(delta_mode_parse(STR("all"), &mode));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_delta_leads_from_one_snapshot_to_the_next),
		cmocka_unit_test(a_shard_that_is_gone_is_all_deletes),
		cmocka_unit_test(modes_are_called_as_here_or_as_the_java_tool_calls_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
