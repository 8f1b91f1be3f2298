#include "lucene/stored_fields.h"

#include "base/limits.h"
#include "lucene/codec_file.h"
#include "memory_directory.h"
#include "stored_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <lz4.h>
#include <cmocka.h>

static void put_be32(struct buf *out, uint32_t value)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_append_byte(out, (char)(value >> shift));
}

static void put_block(struct buf *out, const char *bytes, size_t length)
{
	size_t bound = (size_t)LZ4_compressBound((int)length);
	cleanup(mem_freep) char *block = mem_alloc(bound);
	int size = LZ4_compress_default(bytes, block, (int)length, (int)bound);

	buf_append_str(out, str_of(block, (size_t)size));
}

#define LENGTH 700u
#define DOCUMENTS 3u

/* One chunk of three documents of 700 bytes, one field each, as Lucene 4.1 to 4.10 stores them. */
static struct memory_directory *write_chunk(int32_t version, uint32_t chunk_size, bool sliced)
{
	cleanup(buf_release) struct buf fdt = BUF_INIT(KIB(64)), content = BUF_INIT(KIB(64));
	struct memory_directory *memory = memory_directory_new(NULL);

	for (uint32_t d = 0; d < DOCUMENTS; d++) {
		buf_append_byte(&content, 1 << 3 | STORED_BYTES);
		stored_file_vint(&content, LENGTH - 3);
		for (uint32_t i = 0; i < LENGTH - 3; i++)
			buf_append_byte(&content, (char)('a' + d + i % 7));
	}
	put_be32(&fdt, CODEC_MAGIC);
	stored_file_vint(&fdt, strlen("Lucene41StoredFieldsData"));
	buf_append_str(&fdt, STR("Lucene41StoredFieldsData"));
	put_be32(&fdt, (uint32_t)version);
	if (version >= 1)
		stored_file_vint(&fdt, chunk_size);
	buf_append_byte(&fdt, 1); /* version of packed ints */
	buf_append_byte(&fdt, 0); /* first document */
	buf_append_byte(&fdt, DOCUMENTS);
	buf_append_str(&fdt, str_of("\0\1\0", 3)); /* one field in each; lengths are the same */
	stored_file_vint(&fdt, LENGTH);
	for (size_t at = 0; at < content.len;) {
		size_t unit = sliced ? MIN(content.len - at, chunk_size) : content.len;

		put_block(&fdt, content.ptr + at, unit);
		at += unit;
	}
	if (version >= 2)
		stored_file_footer(&fdt);
	memory_directory_add(memory, "_0.fdt", buf_str(&fdt));
	return memory;
}

static int read_chunk(struct memory_directory *memory, int *right, struct err *err)
{
	struct stored_fields *fields;
	struct stored_chunk chunk;
	int got;

	*right = 0;
	if (stored_fields_open(&memory->directory, STR("_0"), NULL, DOCUMENTS, &fields, err) < 0)
		return -(int)err->kind;
	while ((got = stored_fields_next_chunk(fields, NULL, &chunk, err)) > 0) {
		for (int32_t i = 0; i < chunk.doc_count; i++) {
			struct stored_field_cursor cursor =
				stored_field_cursor_at(fields, &chunk, i);
			struct stored_field field = {0};

			if (stored_field_next(&cursor, &field, err) == 1 &&
			    field.type == STORED_BYTES && field.bytes.len == LENGTH - 3 &&
			    field.bytes.ptr[8] == 'b' + chunk.first_doc + i)
				(*right)++;
		}
	}
	stored_fields_close(fields);
	return got;
}

static void expect_chunk(int32_t version, uint32_t chunk_size, bool sliced)
{
	struct memory_directory *memory = write_chunk(version, chunk_size, sliced);
	struct err err = {0};
	int right;

	if (read_chunk(memory, &right, &err) < 0)
		fail_msg("version %d, chunk size %u: %s", version, chunk_size, err.message);
	assert_int_equal(right, DOCUMENTS);
	memory_directory_free(memory);
}

static void a_chunk_of_twice_its_size_is_sliced_and_no_smaller_one(void **state)
{
	(void)state;
	expect_chunk(0, 0, false);
	for (int32_t version = 1; version <= 2; version++) {
		expect_chunk(version, 16384, false);
		expect_chunk(version, DOCUMENTS * LENGTH / 2 + 1, false);
		expect_chunk(version, DOCUMENTS * LENGTH / 2, true);
		expect_chunk(version, 100, true);
	}
}

static void a_cut_or_longer_file_is_refused(void **state)
{
	(void)state;
	for (int32_t version = 0; version <= 2; version++) {
		struct memory_directory *memory = write_chunk(version, 500, version > 0);
		struct buf *bytes = &memory->files[0].bytes;
		size_t length = bytes->len;
		struct err err = {0};
		int right;

		buf_append_byte(bytes, 'x');
		assert_int_equal(read_chunk(memory, &right, &err), -ERR_FORMAT);
		for (bytes->len = length; bytes->len-- > 0;)
			assert_int_equal(read_chunk(memory, &right, &err), -ERR_FORMAT);
		memory_directory_free(memory);
	}
}

static void a_flipped_bit_breaks_nothing_and_a_footer_proves_it(void **state)
{
	(void)state;
	for (int32_t version = 0; version <= 2; version++) {
		struct memory_directory *memory = write_chunk(version, 500, version > 0);
		struct buf *bytes = &memory->files[0].bytes;
		struct err err = {0};
		int right;

		for (size_t i = 0; i < bytes->len * 8; i++) {
			bytes->ptr[i / 8] ^= (char)(1 << i % 8);
			if (read_chunk(memory, &right, &err) == 0 && version == 2)
				fail_msg("bit %zu flipped, and nothing was noticed", i);
			bytes->ptr[i / 8] ^= (char)(1 << i % 8);
		}
		memory_directory_free(memory);
	}
}

static void numbers_are_stored_as_they_are(void **state)
{
	static const char document[] = "\x0a\xff\xff\xff\xfe"
				       "\x14\x80\0\0\0\0\0\0\1"
				       "\x1b\x3f\x80\0\0"
				       "\x25\xc0\0\0\0\0\0\0\0"
				       "\x28\3abc";
	struct memory_directory *memory = write_chunk(2, 16384, false);
	struct stored_chunk chunk = {.doc_count = 1, .bytes = (const uint8_t *)document};
	uint32_t starts[] = {0, sizeof(document) - 1}, counts[] = {6};
	struct stored_field_cursor cursor;
	struct stored_fields *fields;
	struct stored_field field;
	struct err err = {0};

	(void)state;
	assert_int_equal(
		stored_fields_open(&memory->directory, STR("_0"), NULL, DOCUMENTS, &fields, &err),
		0);
	chunk.starts = starts;
	chunk.field_counts = counts;
	cursor = stored_field_cursor_at(fields, &chunk, 0);
	assert_int_equal(stored_field_next(&cursor, &field, &err), 1);
	assert_true(field.number == 1 && field.type == STORED_INT && field.integer == -2);
	assert_int_equal(stored_field_next(&cursor, &field, &err), 1);
	assert_true(field.type == STORED_LONG && field.integer == INT64_MIN + 1);
	assert_int_equal(stored_field_next(&cursor, &field, &err), 1);
	assert_true(field.type == STORED_FLOAT && field.floating == 1.0);
	assert_int_equal(stored_field_next(&cursor, &field, &err), 1);
	assert_true(field.type == STORED_DOUBLE && field.floating == -2.0);
	assert_int_equal(stored_field_next(&cursor, &field, &err), 1);
	assert_true(field.number == 5 && str_is(field.bytes, "abc"));
	assert_int_equal(stored_field_next(&cursor, &field, &err), -ERR_FORMAT);
	stored_fields_close(fields);
	memory_directory_free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chunk_of_twice_its_size_is_sliced_and_no_smaller_one),
		cmocka_unit_test(a_cut_or_longer_file_is_refused),
		cmocka_unit_test(a_flipped_bit_breaks_nothing_and_a_footer_proves_it),
		cmocka_unit_test(numbers_are_stored_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
