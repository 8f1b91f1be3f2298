#include "lucene/codec_file.h"
#include "memory_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define HEADER                 \
	"\x3f\xd7\x6c\x17\x05" \
	"Codec\0\0\0\x07"
#define ID "0123456789abcdef"
/* "Codec" version 7, the id, the suffix "gen"; checksum made with Python's zlib.crc32. */
#define WHOLE               \
	HEADER ID "\x03gen" \
		  "body\xc0\x28\x93\xe8\0\0\0\0\0\0\0\0"

static void a_file_ends_in_a_footer_whose_checksum_covers_all_before_it(void **state)
{
	struct memory_directory *memory = memory_directory_new(NULL);
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct memory_file *file =
		memory_directory_add(memory, "_0.x", STR(WHOLE "\xad\x64\xff\xde"));
	struct err err = {0};
	struct str body;

	(void)state;
	assert_int_equal(lucene_file_read(&memory->directory, STR("_0.x"), &mem, &body, &err), 0);
	assert_int_equal(body.len, file->bytes.len - CODEC_FOOTER_LENGTH);
	assert_true(str_ends(body, STR("genbody")));
	memory_directory_free(memory);
}

static void a_flipped_bit_anywhere_in_a_file_is_an_error_that_names_it(void **state)
{
	struct memory_directory *memory = memory_directory_new(NULL);
	struct memory_file *file = memory_directory_add(memory, "_0.x", STR(WHOLE "\0\0\0\0"));

	(void)state;
	memory_file_reseal(file);
	for (size_t i = 0; i < file->bytes.len * 8; i++) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
		struct err err = {0};
		struct str body;

		file->bytes.ptr[i / 8] ^= (char)(1 << i % 8);
		assert_int_equal(
			lucene_file_read(&memory->directory, STR("_0.x"), &mem, &body, &err),
			-ERR_FORMAT);
		assert_non_null(strstr(err.message, "'_0.x' in 'memory'"));
		file->bytes.ptr[i / 8] ^= (char)(1 << i % 8);
	}
	memory_directory_free(memory);
}

static void a_truncated_file_is_an_error_at_every_length(void **state)
{
	struct memory_directory *memory = memory_directory_new(NULL);
	struct memory_file *file = memory_directory_add(memory, "_0.x", STR(WHOLE "\0\0\0\0"));

	(void)state;
	memory_file_reseal(file);
	while (file->bytes.len > 0) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
		struct err err = {0};
		struct str body;

		file->bytes.len--;
		assert_int_equal(
			lucene_file_read(&memory->directory, STR("_0.x"), &mem, &body, &err),
			-ERR_FORMAT);
	}
	memory_directory_free(memory);
}

static void a_header_of_another_segment_or_generation_is_refused(void **state)
{
	struct codec_header header;
	struct err err = {0};
	struct rd rd = rd_over(STR(WHOLE));

	(void)state;
	assert_int_equal(
		codec_index_header_expect(&rd, (const uint8_t *)ID, STR("gen"), &header, &err), 0);
	assert_true(str_is(header.codec, "Codec"));
	assert_int_equal(header.version, 7);
	assert_true(rd.pos < rd.len);

	rd = rd_over(STR(WHOLE));
	assert_int_equal(codec_index_header_expect(&rd, (const uint8_t *)"0123456789abcdeX",
						   STR("gen"), &header, &err),
			 -ERR_FORMAT);
	rd = rd_over(STR(WHOLE));
	assert_int_equal(codec_index_header_expect(&rd, NULL, STR("2"), &header, &err),
			 -ERR_FORMAT);
}

static void bytes_without_the_magic_are_no_lucene_file(void **state)
{
	struct codec_header header;
	struct err err = {0};
	struct rd rd = rd_over(STR("{\"not\":\"lucene\"}"));

	(void)state;
	assert_int_equal(codec_header_read(&rd, &header, &err), -ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_ends_in_a_footer_whose_checksum_covers_all_before_it),
		cmocka_unit_test(a_flipped_bit_anywhere_in_a_file_is_an_error_that_names_it),
		cmocka_unit_test(a_truncated_file_is_an_error_at_every_length),
		cmocka_unit_test(a_header_of_another_segment_or_generation_is_refused),
		cmocka_unit_test(bytes_without_the_magic_are_no_lucene_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
