#include "documents/rebuild.h"

#include "base/limits.h"
#include "documents/rebuild_value.h"
#include "memory_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* Rebuilds nothing yet: opens the first segment with all fields that have doc values. */
static int open_all_columns(size_t columns_most, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct memory_directory *memory = memory_directory_new("10.5.0");
	struct rebuild_plan plan = {.columns_most = columns_most};
	struct segment_reader *segment;
	struct segment_infos infos;
	struct rebuilder *rebuilder = NULL;
	int rc;

	assert_int_equal(segment_infos_read(&memory->directory, &mem, &infos, err), 0);
	assert_int_equal(segment_reader_open(&memory->directory, &infos.segments[0], &segment, err),
			 0);
	plan.fields = arena_zalloc(&mem, segment->field_infos.count, sizeof(*plan.fields));
	for (size_t i = 0; i < segment->field_infos.count; i++) {
		const struct field_info *info = &segment->field_infos.fields[i];

		if (info->doc_values != DOC_VALUES_NONE)
			plan.fields[plan.count++] = (struct rebuild_field){
				.path = info->name, .column = info->name, .type = STR("long")};
	}
	assert_true(plan.count > 0);
	rc = rebuilder_open(&plan, segment, &rebuilder, err);
	rebuilder_close(rebuilder);
	segment_reader_close(segment);
	memory_directory_free(memory);
	return rc;
}

static void columns_that_need_too_much_memory_are_refused(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(open_all_columns(LIMIT_COLUMNS, &err), 0);
	assert_int_equal(open_all_columns(1, &err), -(int)ERR_LIMIT);
	assert_non_null(strstr(err.message, "doc values of"));
}

static void instants_of_any_number_are_written_or_refused(void **state)
{
	static const struct {
		const char *type;
		int64_t value;
		const char *text; /* NULL: none */
	} cases[] = {
		{"date", 0, "1970-01-01T00:00:00.000Z"},
		{"date", -1, "1969-12-31T23:59:59.999Z"},
		{"date", -86400000, "1969-12-31T00:00:00.000Z"},
		{"date", INT64_MIN, NULL},
		{"date", INT64_MAX, NULL},
		{"date_nanos", -1, "1969-12-31T23:59:59.999999999Z"},
		{"date_nanos", INT64_MIN, "1677-09-21T00:12:43.145224192Z"},
	};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	const struct rebuild_plan plan = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct rebuild_field field = {.type = str_from(cases[i].type)};
		const struct json *out = rebuild_number(&plan, &field, cases[i].value, &mem);

		if (cases[i].text)
			assert_true(str_is(json_string(out), cases[i].text));
		else
			assert_null(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_that_need_too_much_memory_are_refused),
		cmocka_unit_test(instants_of_any_number_are_written_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
