#include "lucene/stored_index_internal.h"
#include "stored_file.h"

#include "lucene/stored_fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#define DOCUMENTS 3000

static int read_index(struct memory_directory *dir, struct stored_index *out, struct err *err)
{
	return stored_index_read(&dir->directory, STR("_0"), (const uint8_t *)STORED_FILE_ID,
				 DOCUMENTS, out, err);
}

static struct memory_directory *make(const struct stored_file_format *format, int32_t per_chunk)
{
	struct memory_directory *dir = memory_directory_new(NULL);
	struct stored_file_document *documents = mem_zalloc(DOCUMENTS * sizeof(*documents));
	static char text[500];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)rand();
	for (int i = 0; i < DOCUMENTS; i++)
		documents[i].bytes = str_of(text, (size_t)rand() % (i % 300 ? 20 : sizeof(text)));
	stored_file_write(dir, &(struct stored_file){format, documents, DOCUMENTS, per_chunk, 4096,
						     NULL, NULL});
	free(documents);
	return dir;
}

static void chunks_start_where_a_pass_finds_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < stored_file_format_count; i++) {
		struct memory_directory *dir = make(&stored_file_formats[i], 1 + rand() % 9);
		cleanup(stored_index_release) struct stored_index index = {0};
		struct stored_fields *fields;
		struct stored_chunk chunk;
		struct err err = {0};
		uint64_t position;
		size_t count = 0;

		if (read_index(dir, &index, &err) < 0 ||
		    stored_fields_open(&dir->directory, STR("_0"), NULL, DOCUMENTS, &fields, &err) <
			    0)
			fail_msg("%s: %s", stored_file_formats[i].codec, err.message);
		for (position = stored_fields_position(fields);
		     stored_fields_next_chunk(fields, NULL, &chunk, &err) > 0; count++) {
			assert_true(count < index.count);
			assert_int_equal(index.starts[count].doc, chunk.first_doc);
			assert_int_equal(index.starts[count].position, position);
			position = stored_fields_position(fields);
			assert_int_equal(
				stored_index_find(&index, chunk.first_doc + chunk.doc_count - 1)
					.doc,
				chunk.first_doc);
		}
		assert_int_equal(count, index.count);
		assert_true(index.end >= index.starts[count - 1].position);
		assert_int_equal(index.file_length, stored_fields_size(fields));
		stored_fields_close(fields);
		memory_directory_free(dir);
	}
}

static void a_pass_can_begin_with_any_chunk(void **state)
{
	(void)state;
	for (size_t i = 0; i < stored_file_format_count; i++) {
		struct memory_directory *dir = make(&stored_file_formats[i], 1 + rand() % 9);
		cleanup(stored_index_release) struct stored_index index = {0};
		struct stored_fields *fields;
		struct stored_chunk chunk;
		struct err err = {0};
		int got;

		assert_int_equal(read_index(dir, &index, &err), 0);
		for (int round = 0; round < 20; round++) {
			const struct stored_chunk_start *start =
				&index.starts[(size_t)rand() % index.count];

			assert_int_equal(stored_fields_open(&dir->directory, STR("_0"), NULL,
							    DOCUMENTS, &fields, &err),
					 0);
			assert_int_equal(stored_fields_seek(fields, start, &err), 0);
			assert_int_equal(stored_fields_next_chunk(fields, NULL, &chunk, &err), 1);
			assert_int_equal(chunk.first_doc, start->doc);
			assert_non_null(chunk.bytes);
			while ((got = stored_fields_next_chunk(fields, NULL, &chunk, &err)) > 0)
				;
			assert_int_equal(got, 0);
			stored_fields_close(fields);
		}
		memory_directory_free(dir);
	}
}

static void a_start_that_is_none_is_an_error(void **state)
{
	struct memory_directory *dir = make(&stored_file_formats[0], 5);
	struct stored_chunk_start wrong[] = {{5, 1}, {5, UINT64_MAX}, {DOCUMENTS, 100}, {-1, 100}};
	struct stored_fields *fields;
	struct stored_chunk chunk;
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		assert_int_equal(stored_fields_open(&dir->directory, STR("_0"), NULL, DOCUMENTS,
						    &fields, &err),
				 0);
		assert_true(stored_fields_seek(fields, &wrong[i], &err) < 0 ||
			    stored_fields_next_chunk(fields, NULL, &chunk, &err) < 0);
		stored_fields_close(fields);
	}
	memory_directory_free(dir);
}

static void a_flipped_bit_is_an_error(void **state)
{
	static const char *const names[] = {"_0.fdx", "_0.fdm"};

	(void)state;
	for (size_t i = 0; i < stored_file_format_count * 2; i++) {
		struct memory_directory *dir = make(&stored_file_formats[i / 2], 10);
		struct memory_file *file = memory_directory_find(dir, names[i % 2]);

		for (size_t at = i % 3; file && at < file->bytes.len; at += 3) {
			cleanup(stored_index_release) struct stored_index index = {0};
			char bit = (char)(1 << rand() % 8);
			struct err err = {0};

			file->bytes.ptr[at] ^= bit;
			if (read_index(dir, &index, &err) == 0)
				fail_msg("%s: byte %zu of %s flipped, and nothing was noticed",
					 stored_file_formats[i / 2].codec, at, names[i % 2]);
			assert_true(err.kind == ERR_FORMAT || err.kind == ERR_UNSUPPORTED);
			file->bytes.ptr[at] ^= bit;
		}
		memory_directory_free(dir);
	}
}

static void an_index_of_very_many_chunks_is_thinned_out(void **state)
{
	int32_t chunks = 2 * (int32_t)STORED_INDEX_MAX + 7;
	struct stored_index_builder builder = {.every = 1, .max_doc = chunks * 3};
	struct err err = {0};

	(void)state;
	builder.index.file_length = (uint64_t)chunks * 10;
	for (int32_t i = 0; i < chunks; i++)
		if (stored_index_add(&builder, i * 3, (uint64_t)i * 10, &err) < 0)
			fail_msg("%s", err.message);
	assert_int_equal(stored_index_finish(&builder, (uint64_t)chunks * 10, &err), 0);
	assert_in_range(builder.index.count, STORED_INDEX_MAX / 2, STORED_INDEX_MAX);
	for (int round = 0; round < 1000; round++) {
		int32_t doc = (int32_t)(((unsigned)rand() << 8 | (unsigned)rand()) %
					(unsigned)(chunks * 3));
		struct stored_chunk_start start = stored_index_find(&builder.index, doc);

		assert_int_equal(start.position, (uint64_t)start.doc / 3 * 10);
		assert_true(start.doc <= doc && start.doc > doc - 4 * 3);
	}
	stored_index_release(&builder.index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_start_where_a_pass_finds_them),
		cmocka_unit_test(a_pass_can_begin_with_any_chunk),
		cmocka_unit_test(a_start_that_is_none_is_an_error),
		cmocka_unit_test(a_flipped_bit_is_an_error),
		cmocka_unit_test(an_index_of_very_many_chunks_is_thinned_out),
	};
	unsigned seed = (unsigned)time(NULL);

	printf("seed %u\n", seed);
	srand(seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
