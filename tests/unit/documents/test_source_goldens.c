/* Sources that Jackson wrote (sources/WriteGoldens.java), each with the JSON that Jackson makes of
 * it. */
#include "documents/source_format.h"

#include "base/bytes_source.h"
#include "base/json.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

struct fixture {
	struct arena mem;
	struct source_converter converter;
	struct err err;
};

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	f->mem = ARENA_INIT(MIB(64));
	source_converter_init(&f->converter);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	source_converter_release(&f->converter);
	arena_release(&f->mem);
	mem_freep(&f);
	return 0;
}

static struct str read_file(struct fixture *f, const char *name, const char *suffix)
{
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	struct str path = arena_printf(&f->mem, "%s/%s%s", GOLDENS, name, suffix), bytes;

	if (file_source_open(path.ptr, &source, &f->err) < 0 ||
	    bytes_source_read_all(source, &f->mem, MIB(1), &bytes, &f->err) < 0)
		fail_msg("%s", f->err.message);
	return bytes;
}

static void check_file(struct fixture *f, const char *name)
{
	struct str source = read_file(f, name, ""), wanted = read_file(f, name, ".json"), json;
	struct json *a, *b;

	if (source_to_json(&f->converter, source, &json, &f->err) < 0 ||
	    json_parse(json, &f->mem, &a, &f->err) < 0 ||
	    json_parse(wanted, &f->mem, &b, &f->err) < 0)
		fail_msg("%s: %s", name, f->err.message);
	if (!json_equal(a, b))
		fail_msg("%s became " STR_FMT, name, STR_ARG(json));
	arena_reset(&f->mem);
}

/* Checks all files of a format; there are `count`. */
static void check_format(struct fixture *f, const char *suffix, int count)
{
	DIR *folder = opendir(GOLDENS);
	struct dirent *entry;
	int found = 0;

	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		if (!str_ends(str_from(entry->d_name), str_from(suffix)))
			continue;
		check_file(f, entry->d_name);
		found++;
	}
	closedir(folder);
	assert_int_equal(found, count);
}

static void smile_of_jackson_becomes_the_json_that_jackson_makes_of_it(void **state)
{
	check_format(*state, ".smile", 12);
}

static void cbor_of_jackson_becomes_the_json_that_jackson_makes_of_it(void **state)
{
	check_format(*state, ".cbor", 5);
}

static void yaml_of_jackson_becomes_the_json_that_jackson_makes_of_it(void **state)
{
	check_format(*state, ".yaml", 7);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(smile_of_jackson_becomes_the_json_that_jackson_makes_of_it),
		TEST(cbor_of_jackson_becomes_the_json_that_jackson_makes_of_it),
		TEST(yaml_of_jackson_becomes_the_json_that_jackson_makes_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
