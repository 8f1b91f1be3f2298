#include "store/blob_store.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

struct fixture {
	char path[64]; /* a directory with blobs b (3 bytes), a (empty), sub/c (1 byte) */
	struct arena mem;
	struct blob_store *store;
	struct err err;
};

static void write_file(const char *directory, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));
	char sub[128];

	strcpy(f->path, "/tmp/shardlift-test-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	snprintf(sub, sizeof(sub), "%s/sub", f->path);
	assert_int_equal(mkdir(sub, 0700), 0);
	write_file(f->path, "b", "bbb");
	write_file(f->path, "a", "");
	write_file(sub, "c", "c");
	f->mem = ARENA_INIT(MIB(1));
	if (blob_store_open(f->path, &f->store, &f->err) < 0)
		fail_msg("%s", f->err.message);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"sub/c", "sub", "a", "b", ""};
	struct fixture *f = *state;
	char path[128];

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->path, names[i]);
		remove(path);
	}
	blob_store_close(f->store);
	arena_release(&f->mem);
	mem_freep(&f);
	return 0;
}

static void assert_opens(const char *uri, int kind, const char *why)
{
	cleanup(blob_store_closep) struct blob_store *store = NULL;
	struct err err = {0};

	assert_int_equal(blob_store_open(uri, &store, &err), -kind);
	if (kind && !strstr(err.message, why))
		fail_msg("'%s' does not say '%s'", err.message, why);
}

static void a_path_opens_however_it_is_written(void **state)
{
	struct fixture *f = *state;
	static const char *const forms[] = {"%s", "file:%s", "file://%s", "file://localhost%s",
					    "%s/"};
	char uri[128];

	for (size_t i = 0; i < COUNT_OF(forms); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(uri, sizeof(uri), forms[i], f->path);
#pragma GCC diagnostic pop
		assert_opens(uri, 0, "");
	}
}

static void the_folder_above_a_store_is_opened_by_the_path_between_them(void **state)
{
	static const char *const forms[][2] = {
		{"", "/sub"}, {"", "/sub/"}, {"file:", "/sub"}, {"file://", "/sub//"}};
	struct fixture *f = *state;
	char uri[128];

	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		cleanup(blob_store_closep) struct blob_store *below = NULL, *above = NULL;
		struct str bytes;

		snprintf(uri, sizeof(uri), "%s%s%s", forms[i][0], f->path, forms[i][1]);
		assert_int_equal(blob_store_open(uri, &below, &f->err), 0);
		if (blob_store_open_above(below, STR("sub"), &above, &f->err) < 0)
			fail_msg("%s", f->err.message);
		assert_int_equal(blob_store_read(above, STR("sub/c"), &f->mem, 8, &bytes, &f->err),
				 0);
		assert_true(str_is(bytes, "c"));
		assert_int_equal(blob_store_open_above(below, STR("ub"), &above, &f->err),
				 -ERR_NOT_FOUND);
		assert_int_equal(blob_store_open_above(below, STR("x/sub"), &above, &f->err),
				 -ERR_NOT_FOUND);
	}
}

static void a_uri_that_cannot_be_opened_says_why(void **state)
{
	struct fixture *f = *state;
	char file[128];

	snprintf(file, sizeof(file), "%s/b", f->path);
	assert_opens("/nowhere/at/all", ERR_NOT_FOUND, "cannot open repository '/nowhere/at/all'");
	assert_opens(file, ERR_NOT_FOUND, "is no directory");
	assert_opens("azure://account", ERR_USAGE, "names no account and container");
	assert_opens("az://Account/path", ERR_USAGE, "names no account and container");
	assert_opens("https://account.blob.core.windows.net/c", ERR_UNSUPPORTED,
		     "azure://account/container/prefix");
	assert_opens("s3:///path", ERR_USAGE, "names no bucket");
	assert_opens("s3://user@bucket/path", ERR_USAGE, "'@' is in no name of one");
	assert_opens("gs:///path", ERR_USAGE, "names no bucket");
	assert_opens("gs://bucket?x/path", ERR_USAGE, "'?' is in no name of one");
	assert_opens("ftp://host/path", ERR_USAGE, "unknown scheme 'ftp'");
	assert_opens("file://host/path", ERR_USAGE, "file:///host/path");
	assert_opens("file:", ERR_USAGE, "names no path");
	assert_opens("", ERR_USAGE, "names no path");
}

static void a_listing_is_sorted_and_has_no_folders(void **state)
{
	struct fixture *f = *state;
	struct blob_listing listing;

	assert_int_equal(blob_store_list(f->store, STR(""), &f->mem, &listing, &f->err), 0);
	assert_int_equal(listing.count, 2);
	assert_true(str_is(listing.blobs[0].name, "a"));
	assert_true(str_is(listing.blobs[1].name, "b"));
	assert_int_equal(listing.blobs[1].size, 3);
}

static void names_in_a_folder_start_at_the_root(void **state)
{
	struct fixture *f = *state;
	struct blob_listing listing;

	assert_int_equal(blob_store_list(f->store, STR("sub"), &f->mem, &listing, &f->err), 0);
	assert_int_equal(listing.count, 1);
	assert_true(str_is(listing.blobs[0].name, "sub/c"));
}

static void a_folder_that_is_not_there_is_empty(void **state)
{
	struct fixture *f = *state;
	struct blob_listing listing;

	assert_int_equal(blob_store_list(f->store, STR("x/y"), &f->mem, &listing, &f->err), 0);
	assert_int_equal(listing.count, 0);
}

static void a_blob_is_read_whole_and_in_ranges(void **state)
{
	struct fixture *f = *state;
	struct bytes_source *source;
	struct str bytes;
	char one;

	assert_int_equal(blob_store_read(f->store, STR("b"), &f->mem, 10, &bytes, &f->err), 0);
	assert_true(str_is(bytes, "bbb"));
	assert_int_equal(blob_store_read(f->store, STR("b"), &f->mem, 2, &bytes, &f->err),
			 -ERR_LIMIT);
	assert_int_equal(blob_store_source(f->store, STR("sub/c"), &source, &f->err), 0);
	assert_int_equal(source->size, 1);
	assert_int_equal(bytes_source_read(source, 0, &one, 1, &f->err), 0);
	assert_int_equal(one, 'c');
	assert_int_equal(bytes_source_read(source, 1, &one, 1, &f->err), -ERR_FORMAT);
	bytes_source_close(source);
}

static void a_missing_blob_is_named(void **state)
{
	struct fixture *f = *state;
	struct bytes_source *source;

	assert_int_equal(blob_store_source(f->store, STR("indices/x"), &source, &f->err),
			 -ERR_NOT_FOUND);
	assert_non_null(strstr(f->err.message, "indices/x"));
	assert_int_equal(blob_store_source(f->store, STR("sub"), &source, &f->err),
			 -ERR_UNREADABLE);
}

static void a_name_never_leaves_the_root(void **state)
{
	static const char *const names[] = {"..",  "../x", "a/../b", "/etc/passwd", "a//b",
					    "a/.", ".",    "a/..",   "a/",          ""};
	struct fixture *f = *state;
	struct bytes_source *source;
	struct blob_listing listing;

	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_int_equal(blob_store_source(f->store, str_from(names[i]), &source, &f->err),
				 -ERR_FORMAT);
	assert_int_equal(blob_store_source(f->store, STR("a\0b"), &source, &f->err), -ERR_FORMAT);
	assert_int_equal(blob_store_list(f->store, STR(".."), &f->mem, &listing, &f->err),
			 -ERR_FORMAT);
}

static void a_blob_that_is_put_replaces_the_one_before(void **state)
{
	struct fixture *f = *state;
	struct str text;

	assert_int_equal(blob_store_put(f->store, STR("sub/c"), STR("first"), &f->err), 0);
	assert_int_equal(blob_store_put(f->store, STR("sub/c"), STR("new"), &f->err), 0);
	assert_int_equal(blob_store_read(f->store, STR("sub/c"), &f->mem, 10, &text, &f->err), 0);
	assert_true(str_is(text, "new"));
	assert_int_equal(blob_store_put(f->store, STR("../c"), STR("x"), &f->err), -ERR_FORMAT);
}

static void a_listing_below_names_what_is_in_all_folders(void **state)
{
	struct fixture *f = *state;
	struct blob_listing all, sub, none;

	assert_int_equal(blob_store_list_below(f->store, STR_NONE, &f->mem, &all, &f->err), 0);
	assert_int_equal(all.count, 3);
	assert_true(str_is(all.blobs[0].name, "a"));
	assert_true(str_is(all.blobs[2].name, "sub/c"));
	assert_int_equal(all.blobs[2].size, 1);
	assert_int_equal(blob_store_list_below(f->store, STR("sub"), &f->mem, &sub, &f->err), 0);
	assert_int_equal(sub.count, 1);
	assert_true(str_is(sub.blobs[0].name, "sub/c"));
	assert_int_equal(blob_store_list_below(f->store, STR("no"), &f->mem, &none, &f->err), 0);
	assert_int_equal(none.count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_path_opens_however_it_is_written),
		TEST(the_folder_above_a_store_is_opened_by_the_path_between_them),
		TEST(a_uri_that_cannot_be_opened_says_why),
		TEST(a_listing_is_sorted_and_has_no_folders),
		TEST(names_in_a_folder_start_at_the_root),
		TEST(a_folder_that_is_not_there_is_empty),
		TEST(a_listing_below_names_what_is_in_all_folders),
		TEST(a_blob_is_read_whole_and_in_ranges),
		TEST(a_missing_blob_is_named),
		TEST(a_name_never_leaves_the_root),
		TEST(a_blob_that_is_put_replaces_the_one_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
