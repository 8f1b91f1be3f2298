#include "snapshot/snapshot_blob.h"
#include "memory_store.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define TEXT "{\"a\":[1,2,{\"b\":\"some text, some text, some text\"}]}"

struct fixture {
	struct arena mem;
	struct memory_store *memory;
	struct json *root;
	struct err err;
};

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	f->mem = ARENA_INIT(MIB(64));
	f->memory = memory_store_new();
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	memory_store_free(f->memory);
	arena_release(&f->mem);
	mem_freep(&f);
	return 0;
}

static void assert_read(struct fixture *f, struct str blob)
{
	cleanup(buf_release) struct buf out = BUF_INIT(KIB(64));

	memory_store_put(f->memory, "meta-x.dat", blob);
	if (snapshot_blob_read(memory_store_blobs(f->memory), STR("meta-x.dat"), "metadata",
			       &f->mem, &f->root, &f->err) < 0)
		fail_msg("%s", f->err.message);
	json_write(&out, f->root);
	assert_string_equal(buf_cstr(&out), TEXT);
}

static void assert_refused(struct fixture *f, struct str blob, int kind, const char *why)
{
	memory_store_put(f->memory, "meta-x.dat", blob);
	assert_int_equal(snapshot_blob_read(memory_store_blobs(f->memory), STR("meta-x.dat"),
					    "metadata", &f->mem, &f->root, &f->err),
			 -kind);
	if (!strstr(f->err.message, why) || !strstr(f->err.message, "meta-x.dat"))
		fail_msg("'%s' does not say '%s' and the blob's name", f->err.message, why);
}

static void metadata_is_read_plain_and_compressed(void **state)
{
	struct fixture *f = *state;
	struct str smile = smile_of(TEXT, &f->mem);

	assert_read(f, enveloped("metadata", smile, &f->mem));
	assert_read(f, enveloped("metadata", deflated(smile, &f->mem), &f->mem));
	assert_read(f, enveloped("metadata", zstd_streamed(smile, &f->mem), &f->mem));
}

static void large_metadata_comes_whole_out_of_zstd(void **state)
{
	struct fixture *f = *state;
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(8));
	struct str blob;

	buf_printf(&text, "{\"a\":[0");
	for (int i = 1; i < 100000; i++)
		buf_printf(&text, ",%d", i);
	buf_printf(&text, "]}");
	blob = enveloped("metadata", zstd_streamed(smile_of(buf_cstr(&text), &f->mem), &f->mem),
			 &f->mem);
	assert_int_equal(snapshot_blob_decode(blob, "metadata", &f->mem, &f->root, &f->err), 0);
	assert_int_equal(f->root->first->count, 100000);
}

static void the_mark_of_compression_counts_at_the_start_only(void **state)
{
	struct fixture *f = *state;
	struct str smile = smile_of("{\"name\":\"binary:DFL\\u0000 is not compressed\"}", &f->mem);

	assert_int_equal(snapshot_blob_decode(enveloped("metadata", smile, &f->mem), "metadata",
					      &f->mem, &f->root, &f->err),
			 0);
	assert_int_equal(f->root->first->text.len, 22);
}

static void every_flipped_bit_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct str good = enveloped("metadata", smile_of(TEXT, &f->mem), &f->mem);

	for (size_t bit = 0; bit < 8 * good.len; bit++) {
		cleanup(mem_freep) char *bad = str_dup(good);

		bad[bit / 8] = (char)(bad[bit / 8] ^ (1 << bit % 8));
		assert_refused(f, str_of(bad, good.len), ERR_FORMAT, "");
	}
}

static void every_truncation_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct str good = enveloped("metadata", smile_of(TEXT, &f->mem), &f->mem);

	for (size_t len = 0; len < good.len; len++)
		assert_refused(f, str_of(good.ptr, len), ERR_FORMAT, "");
}

static void damage_inside_a_right_checksum_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct str dfl = deflated(smile_of(TEXT, &f->mem), &f->mem);
	struct str cut = str_of(dfl.ptr, dfl.len - 3);
	struct str longer = arena_str(&f->mem, dfl);

	longer.len++; /* arena_str ends in a NUL */
	assert_refused(f, enveloped("metadata", cut, &f->mem), ERR_FORMAT, "compressed metadata");
	assert_refused(f, enveloped("metadata", longer, &f->mem), ERR_FORMAT,
		       "compressed metadata");
	assert_refused(f, enveloped("metadata", STR("DFL\0"), &f->mem), ERR_FORMAT,
		       "compressed metadata");
	assert_refused(f, enveloped("metadata", STR("{\"a\":1}"), &f->mem), ERR_FORMAT,
		       "is not SMILE");
	assert_refused(f, enveloped("metadata", STR(""), &f->mem), ERR_FORMAT, "is not SMILE");
}

static void damaged_zstd_inside_a_right_checksum_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct str good = zstd_streamed(smile_of(TEXT, &f->mem), &f->mem);
	struct str longer = arena_str(&f->mem, good);

	longer.len++; /* arena_str ends in a NUL */
	assert_refused(f, enveloped("metadata", longer, &f->mem), ERR_FORMAT,
		       "compressed metadata has 1 bytes too many");
	for (size_t len = strlen("ZSTD") + 1; len < good.len; len++)
		assert_refused(f, enveloped("metadata", str_of(good.ptr, len), &f->mem), ERR_FORMAT,
			       "compressed metadata is cut off");
	assert_refused(f, enveloped("metadata", STR("ZSTD\0xyzabc"), &f->mem), ERR_FORMAT,
		       "compressed metadata is damaged");
}

static void metadata_that_grows_beyond_all_bounds_is_refused(void **state)
{
	struct fixture *f = *state;
	struct str zeros = str_of(mem_zalloc(LIMIT_SNAPSHOT_BLOB + 1), LIMIT_SNAPSHOT_BLOB + 1);
	struct str packed = zstd_streamed(zeros, &f->mem);

	free((void *)(uintptr_t)zeros.ptr);
	assert_refused(f, enveloped("metadata", packed, &f->mem), ERR_LIMIT,
		       "decompressed metadata");
}

static void what_is_not_read_is_refused_by_name(void **state)
{
	struct fixture *f = *state;
	struct str smile = smile_of(TEXT, &f->mem);

	assert_refused(f, enveloped("snapshot", smile, &f->mem), ERR_FORMAT,
		       "holds 'snapshot' where 'metadata' should be");
}

static void a_missing_blob_is_named(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(snapshot_blob_read(memory_store_blobs(f->memory), STR("gone.dat"), "x",
					    &f->mem, &f->root, &f->err),
			 -ERR_NOT_FOUND);
	assert_non_null(strstr(f->err.message, "gone.dat"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(metadata_is_read_plain_and_compressed),
		TEST(large_metadata_comes_whole_out_of_zstd),
		TEST(the_mark_of_compression_counts_at_the_start_only),
		TEST(every_flipped_bit_is_noticed),
		TEST(every_truncation_is_noticed),
		TEST(damage_inside_a_right_checksum_is_noticed),
		TEST(damaged_zstd_inside_a_right_checksum_is_noticed),
		TEST(metadata_that_grows_beyond_all_bounds_is_refused),
		TEST(what_is_not_read_is_refused_by_name),
		TEST(a_missing_blob_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
