/* Nested documents of real shards: wherever a range begins, its documents are rebuilt with all of
 * theirs. */
#include "documents/lucene_documents.h"
#include "fixture_shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define DOCS_MOST 4096

/* The stars of reviews once more, beside the source that is stored. */
static struct rebuild_field field = {.path = STR("again.stars"),
				     .type = STR("byte"),
				     .column = STR("reviews.stars"),
				     .nested = 1};
static struct rebuild_nested nested = {.path = STR("again")};
static const struct rebuild_plan plan = {.fields = &field,
					 .count = 1,
					 .nested = &nested,
					 .nested_count = 1,
					 .columns_most = MIB(64)};

static int next_from(struct snapshot_shard *shard, int64_t first, int64_t *doc, char **text)
{
	const struct lucene_documents_options options = {.rebuild = &plan, .first_doc = first};
	struct document_source *source;
	struct document document;
	struct err err = {0};
	int got;

	if (lucene_documents_open(shard->directory, &options, &source, &err) < 0)
		fail_msg("%s", err.message);
	got = document_source_next(source, &document, &err);
	if (got < 0)
		fail_msg("%s", err.message);
	if (got > 0) {
		assert_null(document.problem);
		*doc = document.doc;
		*text = strndup(document.source.ptr, document.source.len);
	}
	document_source_close(source);
	return got;
}

/* Returns how many documents had nested ones. */
static size_t check_shard(struct snapshot_shard *shard)
{
	size_t with = 0;
	int64_t from = 0, doc = 0, same = 0;
	char *text = NULL, *again = NULL;

	while (from < DOCS_MOST && next_from(shard, from, &doc, &text) > 0) {
		with += strstr(text, "\"again\":") != NULL;
		for (int64_t first = from + 1; first <= doc; first++) {
			assert_int_equal(next_from(shard, first, &same, &again), 1);
			assert_int_equal(same, doc);
			assert_string_equal(again, text);
			free(again);
		}
		from = doc + 1;
		free(text);
	}
	return with;
}

static void a_range_may_begin_among_nested_documents(void **state)
{
	static const char *const names[] = {"es-5.6.16", "es-7.10.2", "es-8.19.21"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct fixture_shards fixture;
		struct snapshot *snapshot;
		size_t with = 0;

		fixture_shards_open(&fixture, names[i]);
		snapshot = fixture_snapshot(&fixture, "snap1");
		for (size_t j = 0; j < snapshot->index_count; j++) {
			struct snapshot_shard *shard;

			if (!str_is(snapshot->indices[j].name, "books"))
				continue;
			shard = fixture_shard(snapshot, &snapshot->indices[j], 0);
			with += check_shard(shard);
			snapshot_shard_close(shard);
		}
		assert_true(with > 0);
		snapshot_close(snapshot);
		fixture_shards_close(&fixture);
	}
}

/* Rebuilds document `doc` of the chunk out of nothing. */
static bool has_nested(struct rebuilder *rebuilder, const struct segment_reader *segment,
		       const struct stored_chunk *chunk, int32_t doc)
{
	struct stored_field_cursor cursor = stored_field_cursor_at(segment->stored, chunk, doc);
	struct err err = {0};
	struct str text;

	if (rebuilder_document(rebuilder, doc, &cursor, STR_NONE, STR("{}"), &text, &err) < 0)
		fail_msg("%s", err.message);
	return memmem(text.ptr, text.len, "again", 5) != NULL;
}

/* All documents of the chunk in front of the first that has nested ones are skipped. */
static void check_skipping(const struct segment_reader *segment, const struct stored_chunk *chunk,
			   int32_t first_nested)
{
	struct stored_field_cursor cursor =
		stored_field_cursor_at(segment->stored, chunk, first_nested);
	struct rebuilder *rebuilder;
	struct err err = {0};

	for (int skips = 0; skips < 2; skips++) {
		assert_int_equal(rebuilder_open(&plan, segment, 0, &rebuilder, &err), 0);
		assert_int_equal(rebuilder_nested(rebuilder, first_nested, &cursor, &err), 0);
		if (skips)
			rebuilder_skip(rebuilder);
		assert_int_equal(has_nested(rebuilder, segment, chunk, chunk->doc_count - 1),
				 !skips);
		rebuilder_close(rebuilder);
	}
}

/* Where the mapping has nested objects that are left out, one without a value may be of these. */
static void check_doubt(const struct segment_reader *segment, const struct stored_chunk *chunk,
			int32_t first_nested)
{
	struct stored_field_cursor cursor =
		stored_field_cursor_at(segment->stored, chunk, first_nested);
	struct rebuild_field other = field;
	struct rebuild_plan doubtful = plan;
	struct rebuilder *rebuilder;
	struct err err = {0};
	struct str text;

	other.path = other.column = STR("none.such");
	doubtful.fields = &other;
	for (int left_out = 0; left_out < 2; left_out++) {
		doubtful.nested_left_out = left_out;
		assert_int_equal(rebuilder_open(&doubtful, segment, 0, &rebuilder, &err), 0);
		assert_int_equal(rebuilder_nested(rebuilder, first_nested, &cursor, &err), 0);
		assert_int_equal(rebuilder_document(rebuilder, chunk->doc_count - 1, &cursor,
						    STR_NONE, STR("{}"), &text, &err),
				 left_out ? -(int)ERR_UNSUPPORTED : 0);
		rebuilder_close(rebuilder);
	}
}

static void nested_documents_are_of_the_document_behind_them_or_of_none(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct fixture_shards fixture;
	struct snapshot_shard *shard = NULL;
	struct segment_reader *segment;
	struct segment_infos infos;
	struct snapshot *snapshot;
	struct stored_chunk chunk;
	struct err err = {0};

	(void)state;
	fixture_shards_open(&fixture, "es-8.19.21");
	snapshot = fixture_snapshot(&fixture, "snap1");
	for (size_t i = 0; i < snapshot->index_count; i++)
		if (str_is(snapshot->indices[i].name, "books"))
			shard = fixture_shard(snapshot, &snapshot->indices[i], 0);
	assert_non_null(shard);
	assert_int_equal(segment_infos_read(shard->directory, &mem, &infos, &err), 0);
	assert_int_equal(segment_reader_open(shard->directory, &infos.segments[0], &segment, &err),
			 0);
	assert_int_equal(stored_fields_next_chunk(segment->stored, NULL, &chunk, &err), 1);
	check_skipping(segment, &chunk, 0);
	check_doubt(segment, &chunk, 0);
	segment_reader_close(segment);
	snapshot_shard_close(shard);
	snapshot_close(snapshot);
	fixture_shards_close(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nested_documents_are_of_the_document_behind_them_or_of_none),
		cmocka_unit_test(a_range_may_begin_among_nested_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
