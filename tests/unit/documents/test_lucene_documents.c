#include "documents/lucene_documents.h"

#include "base/limits.h"
#include "memory_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

static const char *const fixtures[] = {"6.6.6", "7.7.3", "8.11.3-high", "9.3.0", "10.5.0"};

static struct str or_dash(struct str s)
{
	return s.ptr ? s : STR("-");
}

/* All documents as lines of expected.tsv. 0, or the error; nothing is said of what came before. */
static int extract(struct memory_directory *memory, bool include_deleted, struct buf *out,
		   struct err *err)
{
	const struct lucene_documents_options options = {.include_deleted = include_deleted};
	struct document_source *source;
	struct document document;
	int got;

	if (lucene_documents_open(&memory->directory, &options, &source, err) < 0)
		return -(int)err->kind;
	while ((got = document_source_next(source, &document, err)) > 0)
		buf_printf(out, "doc\t%lld\t%d\t" STR_FMT "\t" STR_FMT "\t" STR_FMT "\n",
			   (long long)document.doc, document.live, STR_ARG(document.id),
			   STR_ARG(or_dash(document.routing)), STR_ARG(or_dash(document.source)));
	if (got == 0)
		assert_int_equal(document_source_position(source), source->total_bytes);
	document_source_close(source);
	return got;
}

/* The lines of expected.tsv that start with `first`; live documents only if so asked. */
static void expected_lines(struct memory_directory *memory, const char *first, bool dead_too,
			   struct buf *out)
{
	struct memory_file *file = memory_directory_find(memory, "expected.tsv");
	struct str rest = buf_str(&file->bytes), line;

	while (str_split(rest, '\n', &line, &rest)) {
		struct str number, live, kind, tail;

		str_split(line, '\t', &kind, &tail);
		str_split(tail, '\t', &number, &live);
		if (str_is(kind, first) && (dead_too || live.ptr[0] == '1'))
			buf_printf(out, STR_FMT "\n", STR_ARG(line));
	}
}

static void expect_documents(const char *fixture, bool include_deleted)
{
	struct memory_directory *memory = memory_directory_new(fixture);
	cleanup(buf_release) struct buf got = BUF_INIT(MIB(1)), expected = BUF_INIT(MIB(1));
	struct err err = {0};

	if (extract(memory, include_deleted, &got, &err) < 0)
		fail_msg("%s", err.message);
	expected_lines(memory, "doc", include_deleted, &expected);
	assert_true(expected.len > 100);
	assert_string_equal(buf_cstr(&got), buf_cstr(&expected));
	memory_directory_free(memory);
}

static void live_documents_are_those_that_lucene_reads(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(fixtures); i++)
		expect_documents(fixtures[i], false);
}

static void deleted_documents_and_tombstones_come_when_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(fixtures); i++)
		expect_documents(fixtures[i], true);
}

static void a_uid_tells_the_type(void **state)
{
	struct memory_directory *memory = memory_directory_new("6.6.6");
	struct document_source *source;
	struct document document;
	struct err err = {0};

	(void)state;
	assert_int_equal(lucene_documents_open(&memory->directory, NULL, &source, &err), 0);
	assert_int_equal(document_source_next(source, &document, &err), 1);
	assert_true(str_is(document.type, "type"));
	document_source_close(source);
	memory_directory_free(memory);

	memory = memory_directory_new("10.5.0");
	assert_int_equal(lucene_documents_open(&memory->directory, NULL, &source, &err), 0);
	assert_int_equal(document_source_next(source, &document, &err), 1);
	assert_null(document.type.ptr);
	document_source_close(source);
	memory_directory_free(memory);
}

static void segments_are_summarised_as_lucene_counts_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(fixtures); i++) {
		struct memory_directory *memory = memory_directory_new(fixtures[i]);
		cleanup(buf_release) struct buf got = BUF_INIT(MIB(1)), expected = BUF_INIT(MIB(1));
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
		struct segment_summary *segments;
		struct err err = {0};
		size_t count;

		assert_int_equal(lucene_segments_summarise(&memory->directory, &mem, &segments,
							   &count, &err),
				 0);
		for (size_t k = 0; k < count; k++)
			buf_printf(&got, "segment\t" STR_FMT "\t%d\t%d\t%d\t%d\n",
				   STR_ARG(segments[k].name), segments[k].max_doc,
				   segments[k].deleted_docs, segments[k].soft_deleted_docs,
				   segments[k].compound);
		expected_lines(memory, "segment", true, &expected);
		assert_string_equal(buf_cstr(&got), buf_cstr(&expected));
		assert_true(str_starts(segments[0].stored_format, STR("Lucene")));
		assert_true(str_starts(str_from(fixtures[i]), segments[0].version));
		memory_directory_free(memory);
	}
}

/* Whatever byte of whatever file is damaged: an error, or the documents as they are. */
static void a_flipped_bit_is_an_error_or_changes_no_document(void **state)
{
	unsigned seed = (unsigned)time(NULL);

	(void)state;
	printf("seed %u\n", seed);
	srand(seed);
	for (size_t i = 0; i < COUNT_OF(fixtures); i++) {
		struct memory_directory *memory = memory_directory_new(fixtures[i]);
		cleanup(buf_release) struct buf expected = BUF_INIT(MIB(1));

		expected_lines(memory, "doc", true, &expected);
		for (size_t k = 0; k < memory->count; k++) {
			struct memory_file *file = &memory->files[k];

			if (strcmp(file->name, "expected.tsv") == 0)
				continue;
			for (size_t at = (size_t)(rand() % 3); at < file->bytes.len; at += 3) {
				cleanup(buf_release) struct buf got = BUF_INIT(MIB(1));
				char bit = (char)(1 << rand() % 8);
				struct err err = {0};

				file->bytes.ptr[at] ^= bit;
				if (extract(memory, true, &got, &err) == 0 &&
				    !str_eq(buf_str(&got), buf_str(&expected)))
					fail_msg("%s: byte %zu of '%s' flipped, and other "
						 "documents came",
						 fixtures[i], at, file->name);
				file->bytes.ptr[at] ^= bit;
			}
		}
		memory_directory_free(memory);
	}
}

/* Gives a field another name of the same length. */
static void rename_field(struct memory_directory *memory, const char *file_name, const char *from,
			 const char *to)
{
	struct memory_file *file = memory_directory_find(memory, file_name);
	char *at = memmem(file->bytes.ptr, file->bytes.len, from, strlen(from));

	assert_non_null(at);
	memcpy(at, to, strlen(to));
	memory_file_reseal(file);
}

static void a_segment_without_stored_ids_is_refused_not_skipped(void **state)
{
	struct memory_directory *memory = memory_directory_new("10.5.0");
	cleanup(buf_release) struct buf got = BUF_INIT(MIB(1));
	struct err err = {0};

	(void)state;
	/* First no field of that name at all, then one that no document stores. */
	rename_field(memory, "_1.fnm", "\x03_id", "\x03xid");
	assert_int_equal(extract(memory, false, &got, &err), -ERR_UNSUPPORTED);
	assert_non_null(strstr(err.message, "segment '_1'"));
	assert_non_null(strstr(err.message, "with shardlift copy"));
	rename_field(memory, "_1.fnm", "\x03set", "\x03_id");
	assert_int_equal(extract(memory, false, &got, &err), -ERR_UNSUPPORTED);
	assert_non_null(strstr(err.message, "segment '_1'"));
	memory_directory_free(memory);
}

static void a_live_document_without_source_comes_without_one(void **state)
{
	struct memory_directory *memory = memory_directory_new("10.5.0");
	struct document_source *source;
	struct document document;
	struct err err = {0};
	int count = 0;

	(void)state;
	rename_field(memory, "_1.fnm", "\x07_source", "\x07_xource");
	assert_int_equal(lucene_documents_open(&memory->directory, NULL, &source, &err), 0);
	while (document_source_next(source, &document, &err) > 0) {
		assert_non_null(document.id.ptr);
		assert_int_equal(document.source.ptr != NULL, document.doc < 9);
		count++;
	}
	assert_int_equal(count, 8);
	document_source_close(source);
	memory_directory_free(memory);
}

static void a_damaged_document_is_an_error_that_names_its_file(void **state)
{
	struct memory_directory *memory = memory_directory_new("10.5.0");
	struct memory_file *file = memory_directory_find(memory, "_1.fdt");
	cleanup(buf_release) struct buf got = BUF_INIT(MIB(1));
	struct err err = {0};

	(void)state;
	file->bytes.ptr[file->bytes.len - 20] ^= 1;
	assert_true(extract(memory, false, &got, &err) < 0);
	assert_non_null(strstr(err.message, "_1"));
	memory_directory_free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(live_documents_are_those_that_lucene_reads),
		cmocka_unit_test(deleted_documents_and_tombstones_come_when_asked_for),
		cmocka_unit_test(a_uid_tells_the_type),
		cmocka_unit_test(segments_are_summarised_as_lucene_counts_them),
		cmocka_unit_test(a_flipped_bit_is_an_error_or_changes_no_document),
		cmocka_unit_test(a_segment_without_stored_ids_is_refused_not_skipped),
		cmocka_unit_test(a_live_document_without_source_comes_without_one),
		cmocka_unit_test(a_damaged_document_is_an_error_that_names_its_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
