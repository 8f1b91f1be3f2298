#include "workflow/config_check.h"
#include "workflow/schema.h"

#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* A line of configuration-fields.tsv: path, type, constraint, default, required, change policy. */
#define COLUMNS 6

struct expected {
	struct str columns[COLUMNS];
	const struct schema_row *found;
	struct schema_row row;
	size_t rows;
};

static void split_line(struct str line, struct str *columns)
{
	for (size_t i = 0; i < COLUMNS; i++)
		str_split(line, '\t', &columns[i], &line);
}

static int compare_row(void *user, const struct schema_row *row)
{
	struct expected *expected = user;

	expected->rows++;
	if (!str_eq(row->path, expected->columns[0]))
		return 0;
	expected->row = *row;
	expected->found = &expected->row;
	return 1;
}

static bool same_type(struct str type, const struct schema *schema)
{
	if (str_is(type, "anyOf") || str_is(type, "oneOf"))
		return schema->kind == SCHEMA_ONE_OF || schema->nullable;
	if (str_is(type, "object"))
		return str_is(str_from(schema_kind_name(schema)), "map");
	if (str_is(type, "array"))
		return schema->kind == SCHEMA_LIST;
	return str_is(type, schema_kind_name(schema));
}

static struct str policy_name(enum change_policy policy)
{
	static const char *const names[] = {"safe", "gated", "impossible"};

	return str_from(names[policy]);
}

static void compare(const struct expected *expected)
{
	const struct str *want = expected->columns;
	const struct schema_field *field;

	if (!expected->found)
		fail_msg("the schema has no " STR_FMT, STR_ARG(want[0]));
	field = expected->row.field;
	if (!same_type(want[1], expected->row.schema))
		fail_msg(STR_FMT ": %s where " STR_FMT " is wanted", STR_ARG(want[0]),
			 schema_kind_name(expected->row.schema), STR_ARG(want[1]));
	if (!field)
		return;
	if (!str_eq(want[3], str_from(field->fallback)))
		fail_msg(STR_FMT ": default %s where " STR_FMT " is wanted", STR_ARG(want[0]),
			 field->fallback ? field->fallback : "none", STR_ARG(want[3]));
	if (field->required != (want[4].len > 0))
		fail_msg(STR_FMT ": required differs", STR_ARG(want[0]));
	if (want[5].len > 0 && !str_eq(want[5], policy_name(field->policy)))
		fail_msg(STR_FMT ": its policy should be " STR_FMT, STR_ARG(want[0]),
			 STR_ARG(want[5]));
}

static void each_field_of_migration_assistant_is_in_the_table(void **state)
{
	FILE *file = fopen(FIELDS, "r");
	char line[4096];
	size_t lines = 0;

	(void)state;
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	while (fgets(line, sizeof(line), file)) {
		struct expected expected = {0};

		line[strcspn(line, "\n")] = '\0';
		split_line(str_from(line), expected.columns);
		schema_walk(&schema_root, compare_row, &expected);
		compare(&expected);
		lines++;
	}
	fclose(file);
	assert_int_equal(lines, 319);
}

static int check_help(void *user, const struct schema_row *row)
{
	(void)user;
	if (row->field && (!row->field->help || strlen(row->field->help) < 6))
		fail_msg(STR_FMT " has no help", STR_ARG(row->path));
	if (row->schema->pattern && !row->schema->shape)
		fail_msg(STR_FMT " does not say its pattern in words", STR_ARG(row->path));
	return 0;
}

static void each_field_says_what_it_is_for(void **state)
{
	(void)state;
	schema_walk(&schema_root, check_help, NULL);
}

static void the_schema_for_editors_is_json(void **state)
{
	struct buf out = BUF_INIT(MIB(4));
	struct err err;

	(void)state;
	schema_write_json_schema(&out);
	assert_int_equal(buf_check(&out, "schema", &err), 0);
	if (json_validate(buf_str(&out), &err) < 0)
		fail_msg("%s", err.message);
	buf_release(&out);
}

static void the_sample_is_yaml_that_must_be_filled_in(void **state)
{
	struct arena mem = ARENA_INIT(MIB(16));
	struct buf out = BUF_INIT(MIB(4));
	struct config_value *root;
	struct config_problems problems;
	struct err err;

	(void)state;
	schema_write_sample(&out);
	if (config_parse(buf_str(&out), &mem, &root, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(config_check(root, &mem, &problems, &err), 0);
	assert_true(problems.errors > 0);
	for (size_t i = 0; i < problems.count; i++)
		assert_null(strstr(problems.list[i].message.ptr, "unknown key"));
	arena_release(&mem);
	buf_release(&out);
}

static int count_field(void *user, const struct schema_row *row)
{
	struct str *document = user;
	char cell[600];

	snprintf(cell, sizeof(cell), "| `" STR_FMT "` |", STR_ARG(row->path));
	if (row->field && !strstr(document->ptr, cell))
		fail_msg("the reference has no " STR_FMT, STR_ARG(row->path));
	return 0;
}

static void the_reference_has_each_field(void **state)
{
	struct buf out = BUF_INIT(MIB(4));
	struct str document;

	(void)state;
	schema_write_reference(&out);
	document = (struct str){buf_cstr(&out), out.len};
	schema_walk(&schema_root, count_field, &document);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_field_of_migration_assistant_is_in_the_table),
		cmocka_unit_test(each_field_says_what_it_is_for),
		cmocka_unit_test(the_schema_for_editors_is_json),
		cmocka_unit_test(the_sample_is_yaml_that_must_be_filled_in),
		cmocka_unit_test(the_reference_has_each_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
