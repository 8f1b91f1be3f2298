#include "lucene/codec_file.h"

#include "base/crc32.h"
#include "base/limits.h"
#include "memory_directory.h"
#include "stored_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void put_be(struct buf *out, uint64_t value, int bytes)
{
	while (bytes-- > 0)
		buf_append_byte(out, (char)(value >> (8 * bytes)));
}

static void put_header(struct buf *out, const char *codec, int32_t version)
{
	put_be(out, CODEC_MAGIC, 4);
	stored_file_vint(out, strlen(codec));
	buf_append_str(out, str_from(codec));
	put_be(out, (uint32_t)version, 4);
}

static void files_before_4_8_end_in_nothing(void **state)
{
	static const struct {
		const char *codec;
		int32_t version;
		bool footer;
	} cases[] = {
		{"Lucene40SegmentInfo", 0, false},
		{"Lucene46SegmentInfo", 0, false},
		{"Lucene46SegmentInfo", 1, true},
		{"Lucene40FieldInfos", 0, false},
		{"Lucene42FieldInfos", 0, false},
		{"Lucene46FieldInfos", 0, false},
		{"Lucene46FieldInfos", 2, true},
		{"CompoundFileWriterEntries", 0, false},
		{"CompoundFileWriterEntries", 1, true},
		{"BitVector", 1, false},
		{"BitVector", 2, true},
		{"Lucene40StoredFieldsData", 0, false},
		{"Lucene41StoredFieldsData", 1, false},
		{"Lucene41StoredFieldsData", 2, true},
		{"Lucene50SegmentInfo", 0, true},
		{"segments", 1, false},
		{"segments", 2, true},
		{"some other codec", 0, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct codec_header header = {.codec = str_from(cases[i].codec),
					      .version = cases[i].version};

		assert_int_equal(codec_header_has_footer(&header), cases[i].footer);
	}
}

static void a_file_without_a_footer_is_left_whole(void **state)
{
	cleanup(buf_release) struct buf file = BUF_INIT(KIB(1));
	struct err err = {0};
	struct str body;

	(void)state;
	put_header(&file, "Lucene46FieldInfos", 0);
	buf_append_str(&file, STR("content"));
	body = buf_str(&file);
	assert_int_equal(codec_file_check_end(&body, &err), 0);
	assert_int_equal(body.len, file.len);

	/* Behind the mark of a .del the header comes later. */
	buf_reset(&file);
	put_be(&file, 0xfffffffe, 4);
	put_header(&file, "BitVector", 1);
	body = buf_str(&file);
	assert_int_equal(codec_file_check_end(&body, &err), 0);
	assert_int_equal(body.len, file.len);
}

static void an_old_commit_ends_in_its_checksum(void **state)
{
	cleanup(buf_release) struct buf file = BUF_INIT(KIB(1));
	struct err err = {0};
	struct str body;
	size_t length;

	(void)state;
	put_header(&file, "segments", 1);
	buf_append_str(&file, STR("segments"));
	length = file.len;
	put_be(&file, crc32_update(0, file.ptr, file.len), 8);
	body = buf_str(&file);
	assert_int_equal(codec_file_check_end(&body, &err), 0);
	assert_int_equal(body.len, length);

	file.ptr[length - 1] ^= 1;
	body = buf_str(&file);
	assert_int_equal(codec_file_check_end(&body, &err), -ERR_FORMAT);
	assert_non_null(strstr(err.message, "is damaged"));
}

static void a_file_without_a_header_needs_a_footer(void **state)
{
	struct str body = STR("these bytes are no file of Lucene");
	struct err err = {0};

	(void)state;
	assert_int_equal(codec_file_check_end(&body, &err), -ERR_FORMAT);
	body = STR("");
	assert_int_equal(codec_file_check_end(&body, &err), -ERR_FORMAT);
}

static void no_file_of_lucene_4_belongs_to_a_segment_with_an_id(void **state)
{
	static const uint8_t id[CODEC_ID_LENGTH] = "an id";
	cleanup(buf_release) struct buf file = BUF_INIT(KIB(1));
	struct codec_header header;
	struct err err = {0};
	struct rd rd;

	(void)state;
	put_header(&file, "Lucene46SegmentInfo", 1);
	rd = rd_over(buf_str(&file));
	assert_int_equal(codec_plain_header_expect(&rd, NULL, &header, &err), 0);
	rd = rd_over(buf_str(&file));
	assert_int_equal(codec_plain_header_expect(&rd, id, &header, &err), -ERR_FORMAT);
	assert_non_null(strstr(err.message, "Lucene46SegmentInfo"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_before_4_8_end_in_nothing),
		cmocka_unit_test(a_file_without_a_footer_is_left_whole),
		cmocka_unit_test(an_old_commit_ends_in_its_checksum),
		cmocka_unit_test(a_file_without_a_header_needs_a_footer),
		cmocka_unit_test(no_file_of_lucene_4_belongs_to_a_segment_with_an_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
