#include "lucene/field_infos.h"

#include "base/limits.h"
#include "memory_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct field_infos read_fields(struct memory_directory *memory, const char *segment,
				      int64_t generation, struct arena *mem)
{
	struct field_infos infos;
	struct err err = {0};

	if (field_infos_read(&memory->directory, str_from(segment), generation, NULL, mem, &infos,
			     &err) < 0)
		fail_msg("%s", err.message);
	return infos;
}

static void expect_fields(const char *fixture, const char *format, int32_t version)
{
	struct memory_directory *memory = memory_directory_new(fixture);
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct field_infos infos = read_fields(memory, "_1", -1, &mem);
	const struct field_info *id = field_infos_find(&infos, STR("_id"));
	const struct field_info *soft = field_infos_find(&infos, STR("__soft_deletes"));
	const struct field_info *set = field_infos_find(&infos, STR("set"));

	assert_true(str_is(infos.format, format));
	assert_int_equal(infos.version, version);
	assert_non_null(set);
	assert_int_equal(set->doc_values, DOC_VALUES_SORTED_SET);
	assert_int_equal(set->doc_values_gen, -1);
	assert_false(set->soft_deletes);
	assert_ptr_equal(field_infos_by_number(&infos, set->number), set);
	assert_true(str_is(field_info_attribute(set, "PerFieldDocValuesFormat.suffix"), "0"));
	assert_null(field_info_attribute(set, "no such attribute").ptr);
	assert_null(field_infos_find(&infos, STR("no such field")));
	assert_null(field_infos_by_number(&infos, 1000));
	if (version > 0 || !str_is(infos.format, "Lucene60FieldInfos")) {
		assert_non_null(id);
		assert_non_null(soft);
		assert_true(soft->soft_deletes);
	}
	memory_directory_free(memory);
}

static void fields_of_every_generation_are_read(void **state)
{
	(void)state;
	expect_fields("6.6.6", "Lucene60FieldInfos", 0);
	expect_fields("7.7.3", "Lucene60FieldInfos", 2);
	expect_fields("8.11.3-high", "Lucene60FieldInfos", 2);
	expect_fields("9.3.0", "Lucene90FieldInfos", 0);
	expect_fields("10.5.0", "Lucene94FieldInfos", 2);
}

static void fields_with_a_skip_index_are_known_by_it(void **state)
{
	struct memory_directory *memory = memory_directory_new("10.5.0");
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct field_infos infos = read_fields(memory, "_1", -1, &mem);

	(void)state;
	assert_int_equal(field_infos_find(&infos, STR("@timestamp"))->doc_values_skip, 1);
	assert_int_equal(field_infos_find(&infos, STR("n"))->doc_values_skip, 0);
	memory_directory_free(memory);
}

static void a_newer_generation_says_where_the_updated_values_are(void **state)
{
	struct memory_directory *memory = memory_directory_new("7.7.3");
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct field_infos infos = read_fields(memory, "_0", 1, &mem);

	(void)state;
	assert_int_equal(field_infos_find(&infos, STR("__soft_deletes"))->doc_values_gen, 1);
	memory_directory_free(memory);
}

static void the_fields_of_one_generation_are_not_those_of_another(void **state)
{
	struct memory_directory *memory = memory_directory_new("7.7.3");
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct field_infos infos;
	struct err err = {0};

	(void)state;
	memory_directory_find(memory, "_0_1.fnm")->name[3] = '2';
	assert_int_equal(
		field_infos_read(&memory->directory, STR("_0"), 2, NULL, &mem, &infos, &err),
		-ERR_FORMAT);
	memory_directory_free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_of_every_generation_are_read),
		cmocka_unit_test(fields_with_a_skip_index_are_known_by_it),
		cmocka_unit_test(a_newer_generation_says_where_the_updated_values_are),
		cmocka_unit_test(the_fields_of_one_generation_are_not_those_of_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
