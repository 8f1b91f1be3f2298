#include "lucene/stored_fields.h"

#include "base/limits.h"
#include "lucene/codec_file.h"
#include "memory_directory.h"
#include "stored_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static void put_be(struct buf *out, uint64_t value, int bytes)
{
	while (bytes-- > 0)
		buf_append_byte(out, (char)(value >> (8 * bytes)));
}

static void put_header(struct buf *out, const char *codec)
{
	put_be(out, CODEC_MAGIC, 4);
	stored_file_vint(out, strlen(codec));
	buf_append_str(out, str_from(codec));
	put_be(out, 0, 4);
}

/* Documents of one string field each, "x" repeated lengths[i] times, as Lucene 4.0 stores them. */
static struct memory_directory *write_documents(const size_t *lengths, size_t count)
{
	cleanup(buf_release) struct buf fdt = BUF_INIT(MIB(16)), fdx = BUF_INIT(MIB(16));
	struct memory_directory *memory = memory_directory_new(NULL);

	put_header(&fdt, "Lucene40StoredFieldsData");
	put_header(&fdx, "Lucene40StoredFieldsIndex");
	for (size_t i = 0; i < count; i++) {
		put_be(&fdx, fdt.len, 8);
		stored_file_vint(&fdt, 1);
		stored_file_vint(&fdt, 7);
		buf_append_byte(&fdt, 0);
		stored_file_vint(&fdt, lengths[i]);
		for (size_t j = 0; j < lengths[i]; j++)
			buf_append_byte(&fdt, 'x');
	}
	memory_directory_add(memory, "_0.fdt", buf_str(&fdt));
	memory_directory_add(memory, "_0.fdx", buf_str(&fdx));
	return memory;
}

struct seen {
	size_t documents, skipped, chunks;
};

/* Reads all and holds it against `lengths` (NULL: anything). */
static int read_documents(struct memory_directory *memory, int32_t max_doc,
			  const struct live_docs *live, const size_t *lengths, struct seen *seen,
			  struct err *err)
{
	struct stored_fields *fields;
	struct stored_chunk chunk;
	int got;

	*seen = (struct seen){0};
	if (stored_fields_open(&memory->directory, STR("_0"), NULL, max_doc, &fields, err) < 0)
		return -(int)err->kind;
	while ((got = stored_fields_next_chunk(fields, live, &chunk, err)) > 0) {
		seen->chunks++;
		for (int32_t i = 0; i < chunk.doc_count && chunk.bytes; i++) {
			struct stored_field_cursor cursor =
				stored_field_cursor_at(fields, &chunk, i);
			struct stored_field field = {0};

			if (stored_field_next(&cursor, &field, err) != 1)
				continue;
			if (lengths) {
				assert_int_equal(chunk.first_doc + i,
						 seen->documents + seen->skipped);
				assert_int_equal(field.bytes.len, lengths[chunk.first_doc + i]);
			}
			seen->documents++;
		}
		if (!chunk.bytes)
			seen->skipped += (size_t)chunk.doc_count;
	}
	stored_fields_close(fields);
	return got;
}

static void documents_of_every_length_come_in_order(void **state)
{
	enum { COUNT = 9000 };
	cleanup(mem_freep) size_t *lengths = mem_zalloc(COUNT * sizeof(*lengths));
	struct memory_directory *memory;
	struct err err = {0};
	struct seen seen;

	(void)state;
	for (size_t i = 0; i < COUNT; i++)
		lengths[i] = i % 1000 == 5 ? 300000 : i % 90;
	memory = write_documents(lengths, COUNT);
	assert_int_equal(read_documents(memory, COUNT, NULL, lengths, &seen, &err), 0);
	assert_int_equal(seen.documents, COUNT);
	/* More than the index is read by, and than one chunk holds. */
	assert_true(seen.chunks > 9);
	memory_directory_free(memory);
}

static void chunks_without_live_documents_are_passed_over(void **state)
{
	static const size_t lengths[] = {300000, 300000, 3, 300000};
	uint64_t words[] = {0x4};
	struct live_docs live = {.words = words, .max_doc = 4, .live_count = 1};
	struct memory_directory *memory = write_documents(lengths, COUNT_OF(lengths));
	struct err err = {0};
	struct seen seen;

	(void)state;
	assert_int_equal(read_documents(memory, 4, &live, lengths, &seen, &err), 0);
	assert_int_equal(seen.skipped, 2);
	assert_int_equal(seen.documents, 2);
	memory_directory_free(memory);
}

static void an_index_that_does_not_fit_is_refused(void **state)
{
	static const size_t lengths[] = {5, 6, 7};
	struct memory_directory *memory = write_documents(lengths, COUNT_OF(lengths));
	struct memory_file *fdt = memory_directory_find(memory, "_0.fdt");
	struct memory_file *fdx = memory_directory_find(memory, "_0.fdx");
	struct err err = {0};
	struct seen seen;

	(void)state;
	assert_int_equal(read_documents(memory, 4, NULL, NULL, &seen, &err), -ERR_FORMAT);
	assert_non_null(strstr(err.message, "where 4 documents make"));
	/* Each start in turn, below the one before or above the end. */
	for (size_t i = 1; i <= 3; i++) {
		char *start = fdx->bytes.ptr + fdx->bytes.len - 8 * i;

		start[7] ^= 0x7f;
		assert_int_equal(read_documents(memory, 3, NULL, NULL, &seen, &err), -ERR_FORMAT);
		start[7] ^= 0x7f;
		start[0] ^= 0x40;
		assert_int_equal(read_documents(memory, 3, NULL, NULL, &seen, &err), -ERR_FORMAT);
		start[0] ^= 0x40;
	}
	assert_int_equal(read_documents(memory, 3, NULL, lengths, &seen, &err), 0);
	/* The last document cut short, down to nothing. */
	while (fdt->bytes.len > 0) {
		fdt->bytes.len--;
		read_documents(memory, 3, NULL, NULL, &seen, &err);
		assert_true(seen.documents < 3);
	}
	memory_directory_remove(memory, "_0.fdx");
	assert_int_equal(read_documents(memory, 3, NULL, NULL, &seen, &err), -ERR_FORMAT);
	memory_directory_free(memory);
}

static void fields_of_every_type_are_read(void **state)
{
	static const char document[] = "\6"
				       "\1\0\3abc"
				       "\2\2\2\xff\0"
				       "\3\x08\xff\xff\xff\xfe"
				       "\4\x10\x80\0\0\0\0\0\0\1"
				       "\5\x18\x3f\x80\0\0"
				       "\x81\1\x20\xc0\0\0\0\0\0\0\0";
	cleanup(buf_release) struct buf fdt = BUF_INIT(KIB(1)), fdx = BUF_INIT(KIB(1));
	struct memory_directory *memory = memory_directory_new(NULL);
	struct stored_field_cursor cursor;
	struct stored_fields *fields;
	struct stored_chunk chunk;
	struct stored_field field;
	struct err err = {0};

	(void)state;
	put_header(&fdt, "Lucene40StoredFieldsData");
	put_header(&fdx, "Lucene40StoredFieldsIndex");
	put_be(&fdx, fdt.len, 8);
	buf_append_str(&fdt, str_of(document, sizeof(document) - 1));
	memory_directory_add(memory, "_0.fdt", buf_str(&fdt));
	memory_directory_add(memory, "_0.fdx", buf_str(&fdx));
	assert_int_equal(stored_fields_open(&memory->directory, STR("_0"), NULL, 1, &fields, &err),
			 0);
	assert_int_equal(stored_fields_next_chunk(fields, NULL, &chunk, &err), 1);
	cursor = stored_field_cursor_at(fields, &chunk, 0);
	assert_int_equal(stored_field_next(&cursor, &field, &err), 1);
	assert_true(field.number == 1 && field.type == STORED_STRING);
	assert_true(str_is(field.bytes, "abc"));
	assert_int_equal(stored_field_next(&cursor, &field, &err), 1);
	assert_true(field.number == 2 && field.type == STORED_BYTES && field.bytes.len == 2);
	assert_int_equal(stored_field_next(&cursor, &field, &err), 1);
	assert_true(field.number == 3 && field.type == STORED_INT && field.integer == -2);
	assert_int_equal(stored_field_next(&cursor, &field, &err), 1);
	assert_true(field.type == STORED_LONG && field.integer == INT64_MIN + 1);
	assert_int_equal(stored_field_next(&cursor, &field, &err), 1);
	assert_true(field.type == STORED_FLOAT && field.floating == 1.0);
	assert_int_equal(stored_field_next(&cursor, &field, &err), 1);
	assert_true(field.number == 129 && field.type == STORED_DOUBLE && field.floating == -2.0);
	assert_int_equal(stored_field_next(&cursor, &field, &err), 0);
	assert_int_equal(stored_fields_next_chunk(fields, NULL, &chunk, &err), 0);
	stored_fields_close(fields);
	memory_directory_free(memory);
}

static void damage_in_documents_breaks_nothing(void **state)
{
	static const size_t lengths[] = {3, 200, 0, 17, 60};
	struct memory_directory *memory = write_documents(lengths, COUNT_OF(lengths));
	struct err err = {0};
	struct seen seen;

	(void)state;
	for (size_t f = 0; f < memory->count; f++) {
		struct buf *bytes = &memory->files[f].bytes;

		for (size_t i = 0; i < bytes->len * 8; i++) {
			bytes->ptr[i / 8] ^= (char)(1 << i % 8);
			read_documents(memory, 5, NULL, NULL, &seen, &err);
			bytes->ptr[i / 8] ^= (char)(1 << i % 8);
		}
	}
	assert_int_equal(read_documents(memory, 5, NULL, lengths, &seen, &err), 0);
	memory_directory_free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_of_every_length_come_in_order),
		cmocka_unit_test(chunks_without_live_documents_are_passed_over),
		cmocka_unit_test(an_index_that_does_not_fit_is_refused),
		cmocka_unit_test(fields_of_every_type_are_read),
		cmocka_unit_test(damage_in_documents_breaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
