#include "transform/jmespath.h"

#include <glob.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* The cases are in the shape of JMESPath's compliance tests: a list of {"given", "cases":
 * [{"expression", "result" or "error"}]}. */

static struct str read_file(struct arena *mem, const char *path)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(16));
	FILE *file = fopen(path, "rb");
	char piece[4096];
	size_t length;

	if (!file)
		fail_msg("cannot read %s", path);
	while ((length = fread(piece, 1, sizeof(piece), file)) > 0)
		buf_append(&text, piece, length);
	fclose(file);
	return arena_str(mem, buf_str(&text));
}

static int search(struct str expression, struct json *given, struct arena *mem, struct json **out,
		  struct err *err)
{
	struct jmespath *parsed;
	int status = jmespath_new(expression, &parsed, err);

	if (status < 0)
		return status;
	status = jmespath_search(parsed, given, mem, out, err);
	jmespath_free(parsed);
	return status;
}

static const char *written(const struct json *v, struct buf *out)
{
	buf_reset(out);
	json_write(out, v);
	return buf_cstr(out);
}

static double number_of(const struct json *v)
{
	char text[64] = "";

	memcpy(text, v->text.ptr, MIN(v->text.len, sizeof(text) - 1));
	return strtod(text, NULL);
}

/* As JSON, with numbers by their value. */
static bool same(const struct json *a, const struct json *b)
{
	if (a->type != b->type || a->count != b->count)
		return false;
	if (a->type == JSON_NUMBER)
		return number_of(a) == number_of(b);
	if (a->type == JSON_OBJECT) {
		json_each (member, a) {
			const struct json *other = json_get_str(b, member->key);

			if (!other || !same(member, other))
				return false;
		}
		return true;
	}
	if (a->type == JSON_ARRAY) {
		const struct json *other = b->first;

		for (const struct json *one = a->first; one; one = one->next, other = other->next)
			if (!same(one, other))
				return false;
		return true;
	}
	return str_eq(a->text, b->text);
}

/* 1 if the case does not hold. */
static int run_case(struct json *given, const struct json *one, const char *path)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	cleanup(buf_release) struct buf is = BUF_INIT(MIB(1)), wanted = BUF_INIT(MIB(1));
	struct str expression = json_string(json_get(one, "expression"));
	const struct json *result = json_get(one, "result");
	bool refused = json_get(one, "error") != NULL;
	struct json *out = NULL;
	struct err err = {0};
	int status = search(expression, given, &mem, &out, &err);

	if (refused && status < 0 && err.message[0])
		return 0;
	if (!refused && status == 0 && result && same(out, result))
		return 0;
	print_error("%s: " STR_FMT ": %s instead of %s\n", path, STR_ARG(expression),
		    status < 0 ? err.message : written(out, &is),
		    refused ? "an error" : written(result, &wanted));
	return 1;
}

static void run_file(const char *path)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	cleanup(buf_release) struct buf before = BUF_INIT(MIB(1)), after = BUF_INIT(MIB(1));
	struct json *suites;
	struct err err = {0};
	int failures = 0, cases = 0;

	if (json_parse(read_file(&mem, path), &mem, &suites, &err) < 0)
		fail_msg("%s: %s", path, err.message);
	json_each (suite, suites) {
		struct json *given = json_get(suite, "given");

		written(given, &before);
		json_each (one, json_get(suite, "cases")) {
			if (json_get(one, "bench"))
				continue;
			failures += run_case(given, one, path);
			cases++;
		}
		/* No search changes what it looks at. */
		assert_string_equal(written(given, &after), buf_cstr(&before));
	}
	assert_int_equal(failures, 0);
	assert_true(cases > 0);
}

static void paths_reach_fields_elements_and_slices(void **state)
{
	(void)state;
	run_file(JMESPATH_CASES "/paths.json");
}

static void projections_go_over_lists_and_objects(void **state)
{
	(void)state;
	run_file(JMESPATH_CASES "/projections.json");
}

static void conditions_compare_and_combine(void **state)
{
	(void)state;
	run_file(JMESPATH_CASES "/conditions.json");
}

static void functions_calculate_and_refuse_wrong_arguments(void **state)
{
	(void)state;
	run_file(JMESPATH_CASES "/functions.json");
}

static void literals_and_texts_are_read(void **state)
{
	(void)state;
	run_file(JMESPATH_CASES "/literals.json");
}

static void broken_expressions_are_refused(void **state)
{
	(void)state;
	run_file(JMESPATH_CASES "/syntax.json");
}

/* github.com/jmespath/jmespath.test says nothing of a licence, so no copy of it is here:
 * JMESPATH_SUITE names the folder of its JSON files. */
static void the_official_cases_hold_where_they_are(void **state)
{
	const char *folder = getenv("JMESPATH_SUITE");
	char pattern[PATH_MAX];
	glob_t found;

	(void)state;
	if (!folder)
		skip();
	snprintf(pattern, sizeof(pattern), "%s/*.json", folder);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (!strstr(found.gl_pathv[i], "benchmarks.json"))
			run_file(found.gl_pathv[i]);
	globfree(&found);
}

static void numbers_keep_their_digits(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	cleanup(buf_release) struct buf out = BUF_INIT(KIB(1));
	struct json *given, *found;
	struct err err = {0};

	(void)state;
	assert_int_equal(
		json_parse(STR("{\"a\":[12345678901234567890,1.10,1e3,-0.0]}"), &mem, &given, &err),
		0);
	assert_int_equal(search(STR("{b: a, least: min(a), big: a[?@ > `12345678901234567889`]}"),
				given, &mem, &found, &err),
			 0);
	assert_string_equal(written(found, &out),
			    "{\"b\":[12345678901234567890,1.10,1e3,-0.0],\"least\":-0.0,"
			    "\"big\":[12345678901234567890]}");
}

static void an_error_names_the_place(void **state)
{
	static const struct {
		const char *expression, *message;
	} cases[] = {
		{"a..b",
		 "JMESPath expression: byte 2: expected a name, '*', '[' or '{' behind '.'"},
		{"nothere(@)", "JMESPath expression: byte 0: there is no function 'nothere'"},
		{"a || abs()", "JMESPath expression: byte 5: wrong number of arguments for 'abs'"},
		{"a = b", "JMESPath expression: byte 2: '=' compares nothing; write '=='"},
		{"a[?b", "JMESPath expression: byte 4: expected ']' behind a filter"},
		{"", "JMESPath expression: byte 0: the expression ends here"},
		{"'a", "JMESPath expression: byte 0: a quote is not closed"},
		{"a == '\xff'", "JMESPath expression: byte 6: this is no UTF-8"},
		{"a[::0]", "JMESPath expression: byte 6: the step of a slice cannot be 0"},
		{"abs(a)", "JMESPath function abs: argument 1 must be a number"},
		{"join(',', `[1]`)",
		 "JMESPath function join: argument 2 must be an array of texts"},
	};
	struct json null_value = {.type = JSON_NULL};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
		struct json *out;
		struct err err = {0};

		assert_true(search(str_from(cases[i].expression), &null_value, &mem, &out, &err) <
			    0);
		assert_string_equal(err.message, cases[i].message);
	}
}

static void nesting_and_work_have_limits(void **state)
{
	cleanup(buf_release) struct buf deep = BUF_INIT(MIB(1)), wide = BUF_INIT(MIB(1));
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	struct json null_value = {.type = JSON_NULL}, *out;
	struct err err = {0};

	(void)state;
	for (int i = 0; i < 300; i++)
		buf_append_str(&deep, STR("["));
	assert_int_equal(search(buf_str(&deep), &null_value, &mem, &out, &err), -ERR_USAGE);
	buf_reset(&deep);
	for (int i = 0; i < 300; i++)
		buf_append_str(&deep, STR("a."));
	buf_append_str(&deep, STR("a"));
	assert_int_equal(search(buf_str(&deep), &null_value, &mem, &out, &err), -ERR_USAGE);
	/* Each part doubles what the one before it made. */
	buf_append_str(&wide, STR("`1`"));
	for (int i = 0; i < 60; i++)
		buf_append_str(&wide, STR(" | [@, @]"));
	assert_int_equal(search(buf_str(&wide), &null_value, &mem, &out, &err), -ERR_LIMIT);
	arena_reset(&mem);
	buf_append_str(&wide, STR(" | @ == @"));
	assert_int_equal(search(buf_str(&wide), &null_value, &mem, &out, &err), -ERR_LIMIT);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_reach_fields_elements_and_slices),
		cmocka_unit_test(projections_go_over_lists_and_objects),
		cmocka_unit_test(conditions_compare_and_combine),
		cmocka_unit_test(functions_calculate_and_refuse_wrong_arguments),
		cmocka_unit_test(literals_and_texts_are_read),
		cmocka_unit_test(broken_expressions_are_refused),
		cmocka_unit_test(the_official_cases_hold_where_they_are),
		cmocka_unit_test(numbers_keep_their_digits),
		cmocka_unit_test(an_error_names_the_place),
		cmocka_unit_test(nesting_and_work_have_limits),
	};

	/* By hand: the program with files of such cases. */
	for (int i = 1; i < argc; i++)
		run_file(argv[i]);
	return argc > 1 ? 0 : cmocka_run_group_tests(tests, NULL, NULL);
}
