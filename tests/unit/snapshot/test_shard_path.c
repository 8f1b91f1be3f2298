#include "snapshot/shard_path.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

struct fixture {
	struct arena mem;
	struct snapshot_index index;
	struct shard_path path;
	struct err err;
};

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	f->mem = ARENA_INIT(MIB(8));
	f->index = (struct snapshot_index){.name = STR("logs.2020.01"),
					   .id = STR("XygYVwqZQmmRBYlH78v-rQ"),
					   .shard_path_type = SHARD_PATH_HASHED_INFIX};
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	arena_release(&f->mem);
	mem_freep(&f);
	return 0;
}

static int parse(struct fixture *f, const char *paths, int algorithm, int32_t shard)
{
	struct str list = arena_printf(&f->mem,
				       "{\"indexId\":\"x\",\"shard_path_hash_algorithm\":%d,"
				       "\"paths\":[%s]}",
				       algorithm, paths);

	return shard_path_parse(list, &f->index, shard, &f->mem, &f->path, &f->err);
}

static void assert_path(struct fixture *f, const char *paths, const char *folder, const char *base)
{
	if (parse(f, paths, SHARD_PATH_FNV_1A_COMPOSITE_1, 0) < 0)
		fail_msg("%s", f->err.message);
	assert_true(str_is(f->path.folder, folder));
	assert_true(str_is(f->path.base, base));
	assert_true(f->path.listed);
}

static void assert_refused(struct fixture *f, const char *paths)
{
	assert_int_equal(parse(f, paths, SHARD_PATH_FNV_1A_COMPOSITE_1, 0), -ERR_FORMAT);
	assert_non_null(f->err.message[0] ? f->err.message : NULL);
}

/* The hashes are those of a repository of OpenSearch 2.19.6; the base64 has the same first digit.
 */
static void hashes_are_those_of_opensearch(void **state)
{
	struct fixture *f = *state;
	char text[SHARD_PATH_HASH_MAX];
	enum shard_path_hash composite = SHARD_PATH_FNV_1A_COMPOSITE_1;

	assert_true(str_is(shard_path_hash(f->index.id, 0, composite, text), "110001100001011"));
	assert_true(str_is(shard_path_hash(f->index.id, 1, composite, text), "q01111001100110"));
	assert_true(str_is(shard_path_hash(STR("eGRAmdJJRy25f8tCW0Tbww"), 1, composite, text),
			   "v10011000101101"));
	/* FNV-1a of "0" is af63ad4c86019caf; in base64: */
	assert_true(
		str_is(shard_path_hash(STR(""), 0, SHARD_PATH_FNV_1A_BASE64, text), "r2OtTIYBnK8"));
}

#define TAIL "indices/XygYVwqZQmmRBYlH78v-rQ/0"
#define HASH "110001100001011"

static void paths_of_the_list_are_taken_apart(void **state)
{
	struct fixture *f = *state;

	assert_path(f, "\"" HASH "/" TAIL "/\"", HASH "/" TAIL, "");
	assert_path(f, "\"team/backups/" HASH "/" TAIL "/\"", HASH "/" TAIL, "");
	assert_path(f, "\"team/fix-" HASH "/" TAIL "\"", "fix-" HASH "/" TAIL, "");
	f->index.shard_path_type = SHARD_PATH_HASHED_PREFIX;
	assert_path(f, "\"" HASH "/" TAIL "/\"", HASH "/" TAIL, "");
	assert_path(f, "\"" HASH "/team/backups/" TAIL "/\"", HASH "/team/backups/" TAIL,
		    "team/backups");
	assert_path(f, "\"a/fix-" HASH "/team/" TAIL "/\"", "a/fix-" HASH "/team/" TAIL, "team");
}

static void a_path_that_is_of_another_shard_or_index_is_refused(void **state)
{
	static const char *const wrong[] = {
		"\"" HASH "/indices/XygYVwqZQmmRBYlH78v-rQ/1/\"",
		"\"" HASH "/indices/XygYVwqZQmmRBYlH78v-rR/0/\"",
		"\"" HASH "/index/XygYVwqZQmmRBYlH78v-rQ/0/\"",
		"\"110001100001010/" TAIL "/\"",
		"\"" HASH "x/" TAIL "/\"",
		"\"" TAIL "/\"",
		"\"/" TAIL "/\"",
		"\"\"",
		"7",
		"",
	};
	struct fixture *f = *state;

	for (int type = SHARD_PATH_HASHED_PREFIX; type <= SHARD_PATH_HASHED_INFIX; type++) {
		f->index.shard_path_type = type;
		for (size_t i = 0; i < COUNT_OF(wrong); i++)
			assert_refused(f, wrong[i]);
	}
}

static void a_list_without_the_shard_or_with_an_unknown_hash_says_so(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "\"a\",\"b\"", SHARD_PATH_FNV_1A_COMPOSITE_1, 2), -ERR_FORMAT);
	assert_non_null(strstr(f->err.message, "the paths of 2 shards, and none of shard 2"));
	assert_int_equal(parse(f, "\"" HASH "/" TAIL "\"", 2, 0), -ERR_UNSUPPORTED);
	assert_non_null(strstr(f->err.message, "shard_path_hash_algorithm"));
	assert_int_equal(shard_path_parse(STR("["), &f->index, 0, &f->mem, &f->path, &f->err),
			 -ERR_FORMAT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hashes_are_those_of_opensearch),
		TEST(paths_of_the_list_are_taken_apart),
		TEST(a_path_that_is_of_another_shard_or_index_is_refused),
		TEST(a_list_without_the_shard_or_with_an_unknown_hash_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
