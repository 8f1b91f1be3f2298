#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <zlib.h>

#include "log_folder.h"
#include "traffic/record_source.h"

static struct record_source *source_of(const char *path, const struct log_source_options *options)
{
	struct record_source *source = NULL;
	struct err err = {0};

	if (record_source_open(path, options, &source, &err) < 0)
		fail_msg("%s", err.message);
	return source;
}

static void assert_item(struct record_source *source, uint64_t offset, struct str key,
			struct str bytes)
{
	struct record_item item;
	struct err err = {0};

	if (record_source_next(source, 0, &item, &err) != RECORD_SOURCE_ITEM)
		fail_msg("%s", err.message);
	assert_int_equal(item.position.offset, offset);
	assert_true(str_eq(item.key, key));
	assert_true(str_eq(item.bytes, bytes));
}

static void assert_state(struct record_source *source, int state)
{
	struct record_item item;
	struct err err = {0};

	assert_int_equal(record_source_next(source, 0, &item, &err), state);
}

static void a_group_goes_on_where_all_before_was_finished(void **state)
{
	const struct log_source_options group = {.group = "replay"};
	struct record_source *source;
	struct log_folder folder;
	struct segment_log *log;
	struct err err = {0};
	uint64_t offset;

	(void)state;
	log_folder_make(&folder);
	log = log_folder_open(&folder, NULL);
	for (int i = 0; i < 5; i++)
		assert_int_equal(append_and_wait(&folder, log, STR("k"), i, STR("bytes"), &offset),
				 0);
	source = source_of(folder.path, &group);
	for (uint64_t i = 0; i < 5; i++)
		assert_item(source, i, STR("k"), STR("bytes"));
	assert_state(source, RECORD_SOURCE_END);
	/* 2 is never finished. */
	for (uint64_t i = 5; i-- > 0;)
		if (i != 2)
			record_source_finish(source, (struct record_position){.offset = i});
	assert_int_equal(record_source_commit(source, &err), 0);
	record_source_close(source);

	source = source_of(folder.path, &group);
	assert_item(source, 2, STR("k"), STR("bytes"));
	record_source_close(source);
	segment_log_close(log);
	log_folder_remove(&folder);
}

static void following_has_nothing_yet_where_the_log_ends(void **state)
{
	struct record_source *source;
	struct log_folder folder;
	struct segment_log *log;
	uint64_t offset;

	(void)state;
	log_folder_make(&folder);
	log = log_folder_open(&folder, NULL);
	source = source_of(folder.path, &(struct log_source_options){.follow = true});
	assert_state(source, RECORD_SOURCE_NOTHING_YET);
	assert_int_equal(append_and_wait(&folder, log, STR("k"), 7, STR("b"), &offset), 0);
	assert_item(source, 0, STR("k"), STR("b"));
	record_source_close(source);
	segment_log_close(log);
	log_folder_remove(&folder);
}

static void damage_byte(const char *path, long at)
{
	FILE *file = fopen(path, "r+b");
	int was;

	assert_non_null(file);
	assert_int_equal(fseek(file, at, SEEK_SET), 0);
	was = fgetc(file);
	assert_int_equal(fseek(file, at, SEEK_SET), 0);
	assert_int_equal(fputc(was ^ 1, file), was ^ 1);
	assert_int_equal(fclose(file), 0);
}

static void a_damaged_segment_is_no_fault_of_a_record(void **state)
{
	struct record_source *source;
	struct record_item item;
	struct log_folder folder;
	struct segment_log *log;
	struct err err = {0};
	uint64_t offset;
	char path[256];

	(void)state;
	log_folder_make(&folder);
	log = log_folder_open(&folder, NULL);
	for (int i = 0; i < 2; i++)
		assert_int_equal(append_and_wait(&folder, log, STR("k"), i, STR("bytes"), &offset),
				 0);
	segment_log_close(log);
	/* Header of 64, an entry of 28 + 1 + 5, within the next one. */
	damage_byte(log_folder_file(&folder, "00000000000000000000.segment", path), 64 + 34 + 30);
	source = source_of(folder.path, NULL);
	assert_item(source, 0, STR("k"), STR("bytes"));
	assert_int_equal(record_source_next(source, 0, &item, &err), -ERR_FORMAT);
	assert_true(item.position.offset == RECORD_NOWHERE);
	record_source_close(source);
	log_folder_remove(&folder);
}

static void write_file(const char *path, const char *mode, struct str bytes)
{
	gzFile file = gzopen(path, mode);

	assert_non_null(file);
	assert_int_equal(gzwrite(file, bytes.ptr, (unsigned)bytes.len), bytes.len);
	assert_int_equal(gzclose_w(file), Z_OK);
}

static void lines_are_read_with_and_without_keys_and_compression(void **state)
{
	struct str lines = STR("YQ==\r\n\n  \nkey|Yg==\n|Yw==");
	struct log_folder folder;
	char path[256];

	(void)state;
	log_folder_make(&folder);
	log_folder_file(&folder, "lines", path);
	for (int compressed = 0; compressed < 2; compressed++) {
		struct record_source *source;

		write_file(path, compressed ? "wb" : "wbT", lines);
		source = source_of(path, NULL);
		assert_item(source, 0, STR(""), STR("a"));
		assert_item(source, 1, STR("key"), STR("b"));
		assert_item(source, 2, STR(""), STR("c"));
		assert_state(source, RECORD_SOURCE_END);
		record_source_close(source);
	}
	log_folder_remove(&folder);
}

static void a_line_that_is_no_record_is_told_and_passed_over(void **state)
{
	struct record_source *source;
	struct record_item item;
	struct log_folder folder;
	struct err err = {0};
	char path[256];

	(void)state;
	log_folder_make(&folder);
	write_file(log_folder_file(&folder, "lines", path), "wbT", STR("YQ==\n?!\nYg==\n"));
	source = source_of(path, NULL);
	assert_item(source, 0, STR(""), STR("a"));
	assert_int_equal(record_source_next(source, 0, &item, &err), -ERR_FORMAT);
	assert_int_equal(item.position.offset, 1);
	assert_non_null(strstr(err.message, "record 1"));
	assert_item(source, 2, STR(""), STR("b"));
	assert_state(source, RECORD_SOURCE_END);
	record_source_close(source);
	log_folder_remove(&folder);
}

static void a_compressed_file_that_is_cut_is_an_error_once(void **state)
{
	char path[256], bytes[512], *text = mem_alloc(400001);
	struct record_source *source = NULL;
	struct log_folder folder;
	struct record_item item;
	struct err err = {0};
	unsigned random = 1;
	size_t len;
	FILE *file;
	int got;

	(void)state;
	log_folder_make(&folder);
	log_folder_file(&folder, "lines.gz", path);
	for (size_t i = 0; i < 400000; i++) {
		random = random * 1103515245 + 12345;
		text[i] = i % 101 == 100 ? '\n' : (char)('A' + random / 65536 % 26);
	}
	write_file(path, "wb", str_of(text, 400000));
	file = fopen(path, "rb");
	len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	file = fopen(path, "wb");
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	fclose(file);
	got = record_source_open(path, NULL, &source, &err);
	if (got == 0) {
		while ((got = record_source_next(source, 0, &item, &err)) > 0)
			;
		assert_state(source, RECORD_SOURCE_END);
	}
	assert_int_equal(got, -ERR_FORMAT);
	record_source_close(source);
	log_folder_remove(&folder);
	free(text);
}

static void a_trace_that_grew_since_it_was_listed_is_read_whole(void **state)
{
	struct record_source *source;
	struct log_folder folder;
	char path[300];
	FILE *file;

	(void)state;
	log_folder_make(&folder);
	snprintf(path, sizeof(path), "%s/a_1.protocap", folder.path);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("\x01 half", file);
	fflush(file);
	source = source_of(folder.path, NULL);
	fputs(" and half", file);
	fclose(file);
	assert_item(source, 0, STR(""), STR("\x01 half and half"));
	assert_state(source, RECORD_SOURCE_END);
	record_source_close(source);
	log_folder_remove(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_trace_that_grew_since_it_was_listed_is_read_whole),
		cmocka_unit_test(a_group_goes_on_where_all_before_was_finished),
		cmocka_unit_test(a_damaged_segment_is_no_fault_of_a_record),
		cmocka_unit_test(following_has_nothing_yet_where_the_log_ends),
		cmocka_unit_test(lines_are_read_with_and_without_keys_and_compression),
		cmocka_unit_test(a_line_that_is_no_record_is_told_and_passed_over),
		cmocka_unit_test(a_compressed_file_that_is_cut_is_an_error_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
