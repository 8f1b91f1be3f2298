#include "lucene/points.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char *listed;

static int list(struct lucene_directory *dir, struct arena *mem, struct str **names, size_t *count,
		struct err *err)
{
	(void)dir;
	*names = arena_alloc(mem, sizeof(**names));
	if (!*names)
		return arena_fail(mem, "names", err);
	(*names)[0] = str_from(listed);
	*count = 1;
	return 0;
}

static int open_none(struct lucene_directory *dir, struct str name, struct bytes_source **out,
		     struct err *err)
{
	(void)dir;
	(void)out;
	return err_set(err, ERR_NOT_FOUND, "the blob of '" STR_FMT "' is gone", STR_ARG(name));
}

static int invert(const char *file, struct err *err)
{
	static const struct lucene_directory_ops ops = {.list = list, .open = open_none};
	struct lucene_directory dir = {.ops = &ops, .name = (char[]){"folder"}};
	struct field_info field = {.name = STR("number")};
	const struct segment_reader segment = {
		.commit.name = STR("_0"),
		.field_infos = {.fields = &field, .count = 1},
		.files.inner = &dir,
	};
	struct inversion *inversion;
	int rc;

	listed = file;
	rc = points_invert(&segment, STR("number"), MIB(1), &inversion, err);
	assert_null(inversion);
	return rc;
}

static void points_whose_files_are_lost_are_not_points_that_never_were(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(invert("_0.fdt", &err), 0);
	assert_int_equal(invert("_0.kdm", &err), -ERR_NOT_FOUND);
	assert_non_null(strstr(err.message, "_0.kdm"));
	assert_int_equal(invert("_0.dii", &err), -ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(points_whose_files_are_lost_are_not_points_that_never_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
