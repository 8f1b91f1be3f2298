#include "backfill/failed_documents.h"
#include "backfill/failed_documents_read.h"
#include "temporary_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct failed_document refused = {
	.work_item = STR("books[2]"),
	.target_index = STR("books"),
	.id = STR("1"),
	.failure_type = STR("mapper_parsing_exception"),
	.reason = STR("no number"),
	.status = 400,
	.action = STR("{\"index\":{\"_index\":\"books\",\"_id\":\"1\"}}"),
	.source = STR("{\"n\":1}"),
};

/* Records for `sessions` sessions of two indices each; the second is added after a flush. */
static void write_streams(const char *folder, const char *session)
{
	struct failed_document document = refused;
	struct failed_documents *stream = NULL;
	struct err err = {0};

	assert_int_equal(failed_documents_open(folder, session, &stream, &err), 0);
	assert_int_equal(failed_documents_add(stream, &document, &err), 0);
	assert_int_equal(failed_documents_flush(stream, &err), 0);
	assert_int_equal(failed_documents_add(stream, &document, &err), 0);
	document.target_index = STR("a/b");
	assert_int_equal(failed_documents_add(stream, &document, &err), 0);
	assert_int_equal(failed_documents_close(stream, &err), 0);
}

static size_t count_lines(const char *path, bool *cut, int *rc)
{
	struct failed_documents_reader *reader = NULL;
	struct err err = {0};
	struct str line;
	size_t count = 0;

	assert_int_equal(failed_documents_reader_open(path, &reader, &err), 0);
	while ((*rc = failed_documents_reader_next(reader, &line, &err)) > 0) {
		assert_true(str_starts(line, STR("{\"sessionId\":")));
		assert_true(str_ends(line, STR("}}}}")));
		count++;
	}
	*cut = failed_documents_reader_is_cut(reader);
	failed_documents_reader_close(reader);
	return count;
}

static void all_sessions_and_indices_are_found(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(failed_documents_files_release) struct failed_documents_files files = {0};
	struct err err = {0};
	bool cut;
	int rc;

	(void)state;
	write_streams(folder, "one");
	write_streams(folder, "two");
	assert_int_equal(failed_documents_find(folder, NULL, &files, &err), 0);
	assert_int_equal(files.count, 4);
	assert_true(str_ends(files.files[0].home, STR("/session=one")));
	assert_int_equal(count_lines(files.files[0].path.ptr, &cut, &rc), 1);
	assert_int_equal(count_lines(files.files[1].path.ptr, &cut, &rc), 2);
	assert_false(cut);
	failed_documents_files_release(&files);
	assert_int_equal(failed_documents_find(folder, "two", &files, &err), 0);
	assert_int_equal(files.count, 2);
	assert_true(str_ends(files.files[1].home, STR("/session=two")));
	failed_documents_files_release(&files);
	assert_int_equal(failed_documents_find("/nowhere/at/all", NULL, &files, &err), 0);
	assert_int_equal(files.count, 0);
}

static void a_folder_within_a_session_has_the_same_home(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(failed_documents_files_release) struct failed_documents_files files = {0};
	char inner[200];
	struct err err = {0};

	(void)state;
	write_streams(folder, "one");
	snprintf(inner, sizeof(inner), "%s/session=one/index=books/", folder);
	assert_int_equal(failed_documents_find(inner, NULL, &files, &err), 0);
	assert_int_equal(files.count, 1);
	assert_true(str_ends(files.files[0].home, STR("/session=one")));
}

/* The one file of `books`, copied to `copy` and cut to `size` bytes (negative: from its end). */
static void copy_cut(const char *folder, const char *copy, long size)
{
	cleanup(failed_documents_files_release) struct failed_documents_files files = {0};
	unsigned char bytes[4096];
	struct err err = {0};
	FILE *from, *to;
	size_t length;

	assert_int_equal(failed_documents_find(folder, NULL, &files, &err), 0);
	from = fopen(files.files[1].path.ptr, "rb");
	to = fopen(copy, "wb");
	assert_non_null(from);
	assert_non_null(to);
	length = fread(bytes, 1, sizeof(bytes), from);
	assert_int_equal(fwrite(bytes, 1, size < 0 ? length - (size_t)-size : (size_t)size, to),
			 size < 0 ? length - (size_t)-size : (size_t)size);
	fclose(from);
	fclose(to);
}

static void a_tail_that_a_crash_cut_off_ends_the_file_and_is_told(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	char copy[200];
	bool cut;
	int rc;

	(void)state;
	write_streams(folder, "one");
	snprintf(copy, sizeof(copy), "%s/copy", folder);
	for (long size = 1; size < 60; size += 7) {
		copy_cut(folder, copy, -size);
		assert_true(count_lines(copy, &cut, &rc) <= 2);
		assert_int_equal(rc, 0);
		assert_true(cut);
	}
	copy_cut(folder, copy, 0);
	assert_int_equal(count_lines(copy, &cut, &rc), 0);
	assert_false(cut);
}

/* Two members of the same bytes each time, with the byte `at` of the file changed, and zero bytes
 * after it. Returns the length of the first. */
static long write_members(const char *path, long at, size_t zeros)
{
	static const char line[] = "{\"sessionId\":\"s\",\"x\":{\"y\":{\"z\":{\"n\":1}}}}\n";
	long first = 0, length;
	FILE *file;
	gzFile gz;

	unlink(path);
	for (int i = 0; i < 2; i++) {
		gz = gzopen(path, "ab");
		gzwrite(gz, line, sizeof(line) - 1);
		gzclose(gz);
		file = fopen(path, "rb");
		fseek(file, 0, SEEK_END);
		length = ftell(file);
		fclose(file);
		first = first ? first : length;
	}
	file = fopen(path, "r+b");
	if (at >= 0) {
		fseek(file, at, SEEK_SET);
		fputc(0xa5, file);
	}
	fseek(file, 0, SEEK_END);
	while (zeros-- > 0)
		fputc(0, file);
	fclose(file);
	return first;
}

static void zeros_that_a_file_system_left_are_a_cut(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	char copy[200];
	bool cut;
	int rc;

	(void)state;
	snprintf(copy, sizeof(copy), "%s/copy", folder);
	write_members(copy, -1, 1000);
	assert_int_equal(count_lines(copy, &cut, &rc), 2);
	assert_int_equal(rc, 0);
	assert_true(cut);
}

static void damage_is_an_error_that_names_the_file(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	char copy[200];
	bool cut;
	long first;
	int rc;

	(void)state;
	snprintf(copy, sizeof(copy), "%s/copy", folder);
	first = write_members(copy, 0, 0);
	assert_int_equal(count_lines(copy, &cut, &rc), 0);
	assert_int_equal(rc, -ERR_FORMAT);
	/* In the checksum of the first. */
	write_members(copy, first - 8, 0);
	assert_int_equal(count_lines(copy, &cut, &rc), 1);
	assert_int_equal(rc, -ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_sessions_and_indices_are_found),
		cmocka_unit_test(a_folder_within_a_session_has_the_same_home),
		cmocka_unit_test(a_tail_that_a_crash_cut_off_ends_the_file_and_is_told),
		cmocka_unit_test(zeros_that_a_file_system_left_are_a_cut),
		cmocka_unit_test(damage_is_an_error_that_names_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
