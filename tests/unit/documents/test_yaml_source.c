#include "documents/yaml_source.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

struct fixture {
	struct arena mem;
	struct json *root;
	struct err err;
};

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	f->mem = ARENA_INIT(MIB(64));
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

static void assert_yaml(struct fixture *f, const char *yaml, const char *expected)
{
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(1));
	struct str text = arena_printf(&f->mem, "---\n%s\n", yaml);

	if (yaml_source_parse(text, &f->mem, &f->root, &f->err) < 0)
		fail_msg("'%s': %s", yaml, f->err.message);
	json_write(&out, f->root);
	assert_string_equal(buf_cstr(&out), expected);
}

static void assert_refused(struct fixture *f, const char *yaml, int kind, const char *why)
{
	struct str text = arena_printf(&f->mem, "---\n%s\n", yaml);

	assert_int_equal(yaml_source_parse(text, &f->mem, &f->root, &f->err), -kind);
	if (!strstr(f->err.message, why))
		fail_msg("'%s': '%s' does not say '%s'", yaml, f->err.message, why);
}

/* Checks that each scalar, as the only member of a mapping, becomes the JSON behind it. */
static void assert_scalars(struct fixture *f, const char *const (*pairs)[2], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct str yaml = arena_printf(&f->mem, "a: %s", pairs[i][0]);
		struct str json = arena_printf(&f->mem, "{\"a\":%s}", pairs[i][1]);

		assert_yaml(f, yaml.ptr, json.ptr);
	}
}

static void words_without_quotes_are_null_booleans_or_strings(void **state)
{
	static const char *const pairs[][2] = {
		{"", "null"},           {"~", "null"},        {"null", "null"},
		{"Null", "null"},       {"NULL", "null"},     {"nULL", "\"nULL\""},
		{"true", "true"},       {"True", "true"},     {"TRUE", "true"},
		{"yes", "true"},        {"On", "true"},       {"false", "false"},
		{"no", "false"},        {"OFF", "false"},     {"tRue", "\"tRue\""},
		{"y", "\"y\""},         {"N", "\"N\""},       {"b #c", "\"b\""},
		{"b#c", "\"b#c\""},     {"it's", "\"it's\""}, {"=", "\"=\""},
		{"''", "\"\""},         {"\"\"", "\"\""},     {"'true'", "\"true\""},
		{"\"1\"", "\"1\""},     {"'1.5'", "\"1.5\""}, {"\"~\"", "\"~\""},
		{"'0x1F'", "\"0x1F\""},
	};

	assert_scalars(*state, pairs, COUNT_OF(pairs));
}

/* What Jackson of all versions reads alike. */
static void numbers_keep_their_digits_as_far_as_json_allows(void **state)
{
	static const char *const pairs[][2] = {
		{"1", "1"},
		{"-1", "-1"},
		{"0", "0"},
		{"-0", "0"},
		{"00", "0"},
		{"12345678901234567890", "12345678901234567890"},
		{"-123456789012345678901234567890", "-123456789012345678901234567890"},
		{"1.5", "1.5"},
		{"1.10", "1.10"},
		{"-1.5", "-1.5"},
		{"+1.5", "1.5"},
		{"1.", "1.0"},
		{".5", "0.5"},
		{"-.5", "-0.5"},
		{"+.50", "0.50"},
		{"01.5", "1.5"},
		{"00.5", "0.5"},
		{"1e3", "1e3"},
		{"1E+3", "1E+3"},
		{"1.0E-3", "1.0E-3"},
		{"1_0.5_0", "10.50"},
		{"1._", "1.0"},
		{"1_0e1", "10e1"},
		{"0.1234567890123456789012345", "0.1234567890123456789012345"},
		{"1.5e", "\"1.5e\""},
		{"1e", "\"1e\""},
		{"1.5e+", "\"1.5e+\""},
		{"_1", "\"_1\""},
		{"_1.5", "\"_1.5\""},
		{".", "\".\""},
		{"._", "\"._\""},
		{".e1", "\".e1\""},
		{"+", "\"+\""},
		{"-a", "\"-a\""},
		{"0o17", "\"0o17\""},
		{"0x", "\"0x\""},
		{"1:30", "\"1:30\""},
		{"1:30:45", "\"1:30:45\""},
		{"1.2.3", "\"1.2.3\""},
		{".inf", "\".inf\""},
		{".NaN", "\".NaN\""},
		{"2001-01-01", "\"2001-01-01\""},
	};

	assert_scalars(*state, pairs, COUNT_OF(pairs));
}

static void numbers_that_versions_read_differently_are_refused(void **state)
{
	static const char *const numbers[] = {"+1",    "010",   "08",    "-010", "0x1F",
					      "-0x1f", "0b101", "1_000", "0_1",  "1__0_"};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		struct str yaml = arena_printf(&f->mem, "x: 1\na: %s", numbers[i]);
		struct str why = arena_printf(&f->mem, "line 3, column 4: '%s' is", numbers[i]);

		assert_refused(f, yaml.ptr, ERR_UNSUPPORTED, why.ptr);
	}
	assert_refused(f, "a: !!int '0x1F'", ERR_UNSUPPORTED, "'0x1F'");
	assert_yaml(f, "010: 1\n0x1F: 2", "{\"010\":1,\"0x1F\":2}");
}

static void tags_of_scalars_are_heeded(void **state)
{
	static const char *const pairs[][2] = {
		{"!!str 1", "\"1\""},
		{"!!str true", "\"true\""},
		{"!!int \"1\"", "1"},
		{"!!int x", "\"x\""},
		{"!!float \"1\"", "1.0"},
		{"!!float 0", "0.0"},
		{"!!float -12", "-12.0"},
		{"!!float 1.50", "1.50"},
		{"!!float x", "\"x\""},
		{"!!bool \"true\"", "true"},
		{"!!bool no", "false"},
		{"!!bool x", "\"x\""},
		{"!!null 'x'", "null"},
		{"!!binary aGVsbG8=", "\"aGVsbG8=\""},
		{"!!binary \"aGVs bG8=\"", "\"aGVsbG8=\""},
		{"!!timestamp 2001-01-01", "\"2001-01-01\""},
		{"!foo 1", "\"1\""},
		{"! 1", "1"},
		{"! \"1\"", "1"},
		{"!!map {b: 1}", "{\"b\":1}"},
		{"!!set {b, c}", "{\"b\":null,\"c\":null}"},
	};

	assert_scalars(*state, pairs, COUNT_OF(pairs));
}

/* So a text of a few lines cannot become one of gigabytes. */
static void an_alias_is_the_name_of_its_anchor(void **state)
{
	assert_yaml(*state, "a: &x {c: 1}\nb: *x\nd: [*x, *x]",
		    "{\"a\":{\"c\":1},\"b\":\"x\",\"d\":[\"x\",\"x\"]}");
	assert_yaml(*state, "<<: *nowhere", "{\"<<\":\"nowhere\"}");
}

static void structures_of_every_style_are_read(void **state)
{
	struct fixture *f = *state;

	assert_yaml(f, "a: [1, 2, {b: c}]\nd:\n- 1\n- e: 2\n  f: [ ]\n",
		    "{\"a\":[1,2,{\"b\":\"c\"}],\"d\":[1,{\"e\":2,\"f\":[]}]}");
	assert_yaml(f, "a: |\n  text\n  more\n", "{\"a\":\"text\\nmore\\n\"}");
	assert_yaml(f, "a: >-\n  text\n  more\n", "{\"a\":\"text more\"}");
	assert_yaml(f, "a: \"\\x41\\u00e9\\U0001F600\\n\"",
		    "{\"a\":\"A\xc3\xa9\xf0\x9f\x98\x80\\n\"}");
	assert_yaml(f, "1: a\n1.0: b\ntrue: c\n~: d\n? e\n",
		    "{\"1\":\"a\",\"1.0\":\"b\",\"true\":\"c\",\"~\":\"d\",\"e\":null}");
	assert_yaml(f, "a: 1\na: 2", "{\"a\":1,\"a\":2}");
	assert_yaml(f, "a: 1\n---\nb: [", "{\"a\":1}");
	assert_yaml(f, "a: 1\n...\n", "{\"a\":1}");
	assert_yaml(f, "{\"a\": \"b\", \"c\": [1.50, null]}", "{\"a\":\"b\",\"c\":[1.50,null]}");
}

static void what_is_no_yaml_is_refused_with_its_line(void **state)
{
	struct fixture *f = *state;
	const char *not_utf8 = "a: \xff";

	assert_refused(f, "x: 1\na: [", ERR_FORMAT, "YAML is damaged: did not find expected");
	assert_refused(f, "a: b: c", ERR_FORMAT, "in line 2, column 5");
	assert_refused(f, "a: @b", ERR_FORMAT, "cannot start any token");
	assert_refused(f, "a: \"b", ERR_FORMAT, "in line");
	assert_refused(f, "? [a]\n: 2", ERR_FORMAT, "a name that is no scalar in line 2");
	assert_refused(f, "*x : 2", ERR_FORMAT, "a name that is no scalar");
	assert_refused(f, not_utf8, ERR_FORMAT, "at byte 7");
	assert_int_equal(yaml_source_parse(STR(""), &f->mem, &f->root, &f->err), -ERR_FORMAT);
	assert_string_equal(f->err.message, "YAML has no document");
}

static void nesting_and_memory_have_limits(void **state)
{
	struct fixture *f = *state;
	cleanup(arena_release) struct arena small = ARENA_INIT(200);
	char deep[LIMIT_JSON_DEPTH + 2] = {0};

	memset(deep, '[', LIMIT_JSON_DEPTH + 1);
	assert_refused(f, deep, ERR_LIMIT, "nests deeper");
	deep[LIMIT_JSON_DEPTH] = '\0';
	assert_refused(f, deep, ERR_FORMAT, "damaged");
	assert_int_equal(yaml_source_parse(STR("--- [1, 2, 3]"), &small, &f->root, &f->err),
			 -ERR_LIMIT);
}

/* The sanitizer is the judge; what still decodes can be written. */
static void damage_never_leads_out_of_bounds(void **state)
{
	static const char text[] = "---\na: [1, -2.50, {b: \"c\\n\"}]\nd: &x !!str 1\n"
				   "e: |\n  text\n  more\nf: *x\n'g': 0x10\n? h\n: ~\n";
	struct fixture *f = *state;
	int refused = 0;

	for (int i = 0; i < 5000; i++) {
		cleanup(buf_release) struct buf out = BUF_INIT(MIB(1));
		cleanup(mem_freep) char *bytes = mem_alloc(sizeof(text) - 1);

		memcpy(bytes, text, sizeof(text) - 1);
		for (int flips = 1 + rand() % 4; flips > 0; flips--)
			bytes[(size_t)rand() % (sizeof(text) - 1)] =
				"\n :-[]{}'\"&*!|>?#~\\x0\xc3\xff"[rand() % 24];
		if (yaml_source_parse(str_of(bytes, sizeof(text) - 1), &f->mem, &f->root, &f->err) <
		    0)
			refused++;
		else
			json_write(&out, f->root);
		arena_reset(&f->mem);
	}
	assert_in_range(refused, 1, 5000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	unsigned seed =
		getenv("SEED") ? (unsigned)strtoul(getenv("SEED"), NULL, 10) : (unsigned)time(NULL);
	const struct CMUnitTest tests[] = {
		TEST(words_without_quotes_are_null_booleans_or_strings),
		TEST(numbers_keep_their_digits_as_far_as_json_allows),
		TEST(numbers_that_versions_read_differently_are_refused),
		TEST(tags_of_scalars_are_heeded),
		TEST(an_alias_is_the_name_of_its_anchor),
		TEST(structures_of_every_style_are_read),
		TEST(what_is_no_yaml_is_refused_with_its_line),
		TEST(nesting_and_memory_have_limits),
		TEST(damage_never_leads_out_of_bounds),
	};

	printf("SEED=%u\n", seed);
	srand(seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
