#include "backfill/bulk_sink.h"
#include "temporary_folder.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <zstd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static int send_text(struct bulk_sink *sink, struct str index, uint64_t sequence, size_t documents,
		     struct err *err)
{
	cleanup(bulk_release) struct bulk bulk;
	cleanup(bulk_result_release) struct bulk_result result;
	struct bulk_document document = {.index = index, .id = STR("1"), .source = STR("{}")};
	struct bulk_origin origin = {.index = index, .shard = 3, .sequence = sequence};
	int rc;

	bulk_init(&bulk, MIB(4));
	for (size_t i = 0; i < documents; i++)
		assert_int_equal(bulk_add(&bulk, &document, err), 0);
	bulk_result_init(&result);
	rc = sink->ops->send(sink, &bulk, &origin, &result, err);
	if (rc == 0)
		assert_int_equal(result.succeeded, documents);
	return rc;
}

static const char *in(const char *folder, const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

#define LINES "{\"index\":{\"_index\":\"books\",\"_id\":\"1\"}}\n{}\n"

static void assert_lines(struct str text)
{
	assert_int_equal(text.len, strlen(LINES));
	assert_memory_equal(text.ptr, LINES, text.len);
}

static void a_bulk_is_a_file_named_by_index_shard_and_number(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(8));
	struct bulk_sink *sink = file_sink_new(folder, FILE_PLAIN, FILE_LINES_BULK);
	struct err err = {0};

	(void)state;
	assert_int_equal(file_sink_prepare(folder, &err), 0);
	assert_int_equal(send_text(sink, STR("books"), 0, 1, &err), 0);
	assert_int_equal(send_text(sink, STR("books"), 17, 1, &err), 0);
	assert_int_equal(sink->ops->finish(sink, &err), 0);
	sink->ops->close(sink);
	assert_lines(read_text(in(folder, "books/3-0.ndjson"), &mem));
	assert_lines(read_text(in(folder, "books/3-17.ndjson"), &mem));
	assert_int_not_equal(access(in(folder, "books/3-0.ndjson.tmp"), F_OK), 0);
}

static void gzip_and_zstd_read_back(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(8));
	struct bulk_sink *gzip = file_sink_new(folder, FILE_GZIP, FILE_LINES_BULK);
	struct bulk_sink *zstd = file_sink_new(folder, FILE_ZSTD, FILE_LINES_BULK);
	struct err err = {0};
	struct str frame;
	char text[1000];
	size_t length;

	(void)state;
	assert_int_equal(send_text(gzip, STR("books"), 0, 1, &err), 0);
	assert_int_equal(send_text(zstd, STR("books"), 1, 1, &err), 0);
	assert_int_equal(send_text(zstd, STR("books"), 2, 1, &err), 0);
	gzip->ops->close(gzip);
	zstd->ops->close(zstd);
	assert_lines(read_text(in(folder, "books/3-0.ndjson.gz"), &mem));
	frame = read_text(in(folder, "books/3-2.ndjson.zst"), &mem);
	length = ZSTD_decompress(text, sizeof(text), frame.ptr, frame.len);
	assert_false(ZSTD_isError(length));
	assert_lines(str_of(text, length));
}

static void an_index_name_cannot_leave_the_folder(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(mem_freep) char *inside = mem_strdup(in(folder, "out"));
	struct bulk_sink *sink = file_sink_new(inside, FILE_PLAIN, FILE_LINES_BULK);
	struct err err = {0};

	(void)state;
	assert_int_equal(file_sink_prepare(inside, &err), 0);
	assert_int_equal(send_text(sink, STR("../escaped"), 0, 1, &err), 0);
	assert_int_equal(send_text(sink, STR(".."), 0, 1, &err), 0);
	assert_int_equal(send_text(sink, STR("/tmp"), 0, 1, &err), 0);
	sink->ops->close(sink);
	assert_int_not_equal(access(in(folder, "escaped"), F_OK), 0);
	assert_int_equal(access(in(inside, "%2E.%2Fescaped/3-0.ndjson"), F_OK), 0);
	assert_int_equal(access(in(inside, "%2E./3-0.ndjson"), F_OK), 0);
	assert_int_equal(access(in(inside, "%2Ftmp/3-0.ndjson"), F_OK), 0);
}

static void a_folder_with_anything_in_it_is_refused(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	struct err err = {0};

	(void)state;
	assert_int_equal(mkdir(in(folder, ".hidden"), 0700), 0);
	assert_int_equal(file_sink_prepare(folder, &err), -ERR_USAGE);
	assert_non_null(strstr(err.message, folder));
	assert_non_null(strstr(err.message, "'.hidden'"));
}

static void assert_nothing_half_written(const char *folder)
{
	assert_int_not_equal(access(in(folder, "books/3-1.ndjson"), F_OK), 0);
	assert_int_not_equal(access(in(folder, "books/3-1.ndjson.tmp"), F_OK), 0);
}

/* Any write error will do: a limit on file sizes needs no rights. */
static void a_file_that_cannot_be_written_leaves_nothing_behind(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	struct bulk_sink *sink = file_sink_new(folder, FILE_PLAIN, FILE_LINES_BULK);
	struct rlimit before, small;
	struct err err = {0};
	int rc;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	small = (struct rlimit){.rlim_cur = KIB(8), .rlim_max = before.rlim_max};
	assert_int_equal(send_text(sink, STR("books"), 0, 1, &err), 0);
	setrlimit(RLIMIT_FSIZE, &small);
	rc = send_text(sink, STR("books"), 1, 10000, &err);
	setrlimit(RLIMIT_FSIZE, &before);
	sink->ops->close(sink);
	assert_int_equal(rc, -ERR_IO);
	assert_non_null(strstr(err.message, "books/3-1.ndjson': File too large"));
	assert_nothing_half_written(folder);
}

static void a_full_disk_is_named_with_the_next_step(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	struct bulk_sink *sink;
	struct err err = {0};

	(void)state;
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", folder, "tmpfs", 0, "size=64k") < 0) {
		print_message("skipped: no right to mount a small file system\n");
		skip();
	}
	sink = file_sink_new(folder, FILE_PLAIN, FILE_LINES_BULK);
	assert_int_equal(send_text(sink, STR("books"), 0, 1, &err), 0);
	assert_int_equal(send_text(sink, STR("books"), 1, 10000, &err), -ERR_IO);
	assert_non_null(strstr(err.message, "books/3-1.ndjson'; make space there"));
	assert_non_null(strstr(err.message, "No space left on device"));
	assert_nothing_half_written(folder);
	sink->ops->close(sink);
	umount(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bulk_is_a_file_named_by_index_shard_and_number),
		cmocka_unit_test(gzip_and_zstd_read_back),
		cmocka_unit_test(an_index_name_cannot_leave_the_folder),
		cmocka_unit_test(a_folder_with_anything_in_it_is_refused),
		cmocka_unit_test(a_file_that_cannot_be_written_leaves_nothing_behind),
		cmocka_unit_test(a_full_disk_is_named_with_the_next_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
