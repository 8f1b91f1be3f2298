#include "documents/lucene_documents.h"

#include "base/json.h"
#include "base/limits.h"
#include "memory_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

/* Indices of Lucene 4.0 to 5.2, each with expected.ndjson: see README.md beside them. */
static const char *const fixtures[] = {"4.0.0", "4.1.0",  "4.3.1", "4.6.1",
				       "4.8.1", "4.10.4", "5.0.0", "5.2.1"};

static void add_member(struct buf *out, const char *name, struct str value)
{
	if (!value.ptr)
		return;
	buf_printf(out, "\"%s\":", name);
	json_write_string(out, value);
	buf_append_byte(out, ',');
}

/* All documents as lines of expected.ndjson. 0, or the error. */
static int extract(struct memory_directory *memory, struct buf *out, struct err *err)
{
	const struct lucene_documents_options options = {.include_deleted = true};
	struct document_source *source;
	struct document document;
	int got;

	if (lucene_documents_open(&memory->directory, &options, &source, err) < 0)
		return -(int)err->kind;
	while ((got = document_source_next(source, &document, err)) > 0) {
		buf_append_byte(out, '{');
		add_member(out, "_id", document.id);
		add_member(out, "_routing", document.routing);
		add_member(out, "_parent", document.parent);
		add_member(out, "_type", document.type);
		buf_printf(out, "\"live\":%s,\"_source\":" STR_FMT "}\n",
			   document.live ? "true" : "false", STR_ARG(document.source));
	}
	document_source_close(source);
	return got;
}

static void documents_are_those_that_lucene_reads(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(fixtures); i++) {
		struct memory_directory *memory = memory_directory_new(fixtures[i]);
		cleanup(buf_release) struct buf got = BUF_INIT(MIB(1));
		struct err err = {0};

		if (extract(memory, &got, &err) < 0)
			fail_msg("%s: %s", fixtures[i], err.message);
		buf_append_byte(&memory_directory_find(memory, "expected.ndjson")->bytes, '\0');
		assert_string_equal(buf_cstr(&got),
				    memory_directory_find(memory, "expected.ndjson")->bytes.ptr);
		memory_directory_free(memory);
	}
}

static bool is_index_file(const struct memory_file *file)
{
	return strcmp(file->name, "expected.ndjson") != 0;
}

/* All but the index of stored fields, which only Lucene 4.0 cannot be read without. */
static void a_cut_file_is_noticed_and_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(fixtures); i++) {
		struct memory_directory *memory = memory_directory_new(fixtures[i]);

		for (size_t f = 0; f < memory->count; f++) {
			struct memory_file *file = &memory->files[f];
			bool index = strcmp(file->name, "_1.fdx") == 0 && i > 0;

			for (size_t less = 1; is_index_file(file) && !index && less < 20; less++) {
				cleanup(buf_release) struct buf got = BUF_INIT(MIB(1));
				struct err err = {0};

				file->bytes.len -= less;
				if (extract(memory, &got, &err) == 0)
					fail_msg("%s: '%s' without its last %zu bytes", fixtures[i],
						 file->name, less);
				if (!strstr(err.message, file->name) &&
				    !strstr(err.message, "segment '_1'"))
					fail_msg("%s: '%s' is not named: %s", fixtures[i],
						 file->name, err.message);
				file->bytes.len += less;
			}
		}
		memory_directory_free(memory);
	}
}

/* From 4.8 on every file has a checksum; what a compound file holds has its own. */
static bool has_checksum(const char *fixture, const char *name)
{
	bool old = str_starts(str_from(fixture), STR("4.")) && strcmp(fixture, "4.8.1") != 0 &&
		   strcmp(fixture, "4.10.4") != 0;

	if (str_starts(str_from(name), STR("segments_")))
		return true;
	return !old && !str_ends(str_from(name), STR(".cfs")) &&
	       !str_ends(str_from(name), STR(".fdx"));
}

static void flip(struct memory_directory *memory, const char *fixture, struct memory_file *file,
		 bool reseal)
{
	cleanup(buf_release) struct buf original = BUF_INIT(MIB(1));

	buf_append_str(&original, buf_str(&file->bytes));
	for (size_t i = 0; i < original.len; i++) {
		cleanup(buf_release) struct buf got = BUF_INIT(MIB(1));
		struct err err = {0};

		file->bytes.ptr[i] ^= (char)(1 << rand() % 8);
		if (reseal)
			memory_file_reseal(file);
		if (extract(memory, &got, &err) == 0 && !reseal &&
		    has_checksum(fixture, file->name))
			fail_msg("%s: byte %zu of '%s' flipped, and nothing was noticed", fixture,
				 i, file->name);
		memcpy(file->bytes.ptr, original.ptr, original.len);
	}
}

static void a_flipped_bit_is_noticed_where_there_is_a_checksum(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(fixtures); i++) {
		struct memory_directory *memory = memory_directory_new(fixtures[i]);

		for (size_t f = 0; f < memory->count; f++)
			if (is_index_file(&memory->files[f]))
				flip(memory, fixtures[i], &memory->files[f], false);
		memory_directory_free(memory);
	}
}

static void a_flipped_bit_under_a_right_checksum_breaks_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(fixtures); i++) {
		struct memory_directory *memory = memory_directory_new(fixtures[i]);

		for (size_t f = 0; f < memory->count; f++)
			if (is_index_file(&memory->files[f]))
				flip(memory, fixtures[i], &memory->files[f], true);
		memory_directory_free(memory);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_are_those_that_lucene_reads),
		cmocka_unit_test(a_cut_file_is_noticed_and_named),
		cmocka_unit_test(a_flipped_bit_is_noticed_where_there_is_a_checksum),
		cmocka_unit_test(a_flipped_bit_under_a_right_checksum_breaks_nothing_else),
	};
	const char *given = getenv("TEST_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);

	printf("TEST_SEED=%u\n", seed);
	srand(seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
