#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static int setup(void **state)
{
	struct arena *mem = mem_alloc(sizeof(*mem));

	*mem = ARENA_INIT(MIB(64));
	*state = mem;
	return 0;
}

static int teardown(void **state)
{
	arena_release(*state);
	free(*state);
	return 0;
}

static struct json *parse(struct arena *mem, const char *text)
{
	struct json *v = NULL;
	struct err err = {0};

	if (json_parse(str_from(text), mem, &v, &err) < 0)
		fail_msg("%s: %s", text, err.message);
	assert_int_equal(json_validate(str_from(text), &err), 0);
	return v;
}

static void assert_refused(struct str text, const char *reason)
{
	struct arena mem = ARENA_INIT(MIB(1));
	struct err parsed = {0}, validated = {0};
	struct json *v;

	if (json_parse(text, &mem, &v, &parsed) != -ERR_FORMAT)
		fail_msg("accepted: " STR_FMT, STR_ARG(text));
	assert_int_equal(json_validate(text, &validated), -ERR_FORMAT);
	assert_string_equal(parsed.message, validated.message);
	if (reason)
		assert_string_equal(parsed.message, reason);
	arena_release(&mem);
}

static void assert_written(const struct json *v, const char *expected)
{
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(1));

	json_write(&out, v);
	assert_string_equal(buf_cstr(&out), expected);
}

static void a_compact_text_is_written_back_byte_for_byte(void **state)
{
	static const char *const texts[] = {
		"{\"b\":[1,2.50,-0,1e400],\"a\":{},\"c\":[],\"d\":[[[]]],\"e\":null}",
		"[true,false,null,\"\",\"\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\x7f\"]",
		"\"h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"",
		"{\"a\":1,\"a\":2}",
		"12345678901234567890.000000000000000000010",
		"\"\\ud800x\\udc00\\ud800\\ud800\"",
	};

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		assert_written(parse(*state, texts[i]), texts[i]);
}

static void numbers_keep_their_digits(void **state)
{
	static const char *const texts[] = {"0",      "-0",   "1.10",   "12345678901234567890",
					    "1E+400", "1e-0", "0.0e10", "-0.5"};

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct json *v = parse(*state, texts[i]);

		assert_int_equal(v->type, JSON_NUMBER);
		assert_true(str_is(v->text, texts[i]));
	}
}

static void what_only_looks_like_a_number_is_refused(void **state)
{
	static const char *const texts[] = {"01",  "+1",   ".5",  "1.",  "-",   "1e",      "1e+",
					    "0x1", "1.e1", "NaN", "-01", "1_0", "Infinity"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		assert_refused(str_from(texts[i]), NULL);
}

static void refusals_name_the_byte_and_the_reason(void **state)
{
	static const struct {
		struct str text;
		const char *reason;
	} cases[] = {
		{STR(""), "not JSON at byte 0 of 0: the text ends too early"},
		{STR("  "), "not JSON at byte 2 of 2: the text ends too early"},
		{STR("[1,]"), "not JSON at byte 3 of 4: a value must stand here"},
		{STR("[,]"), "not JSON at byte 1 of 3: a value must stand here"},
		{STR("[1 2]"), "not JSON at byte 3 of 5: ',' or ']' must stand here"},
		{STR("{1:2}"), "not JSON at byte 1 of 5: a name in quotes must stand here"},
		{STR("{\"a\" 2}"), "not JSON at byte 5 of 7: a colon must follow the name"},
		{STR("{\"a\":2,}"), "not JSON at byte 7 of 8: a name in quotes must stand here"},
		{STR("{\"a\":2]"), "not JSON at byte 6 of 7: ',' or '}' must stand here"},
		{STR("[]]"), "not JSON at byte 2 of 3: the value has ended before"},
		{STR("nul"), "not JSON at byte 0 of 3: neither true, false nor null"},
		{STR("\"a\nb\""), "not JSON at byte 2 of 5: a control character must be escaped"},
		{STR("\"\\x\""), "not JSON at byte 1 of 4: no such escape"},
		{STR("\"\\\0\""), "not JSON at byte 1 of 4: no such escape"},
		{STR("\"\\u12g4\""), "not JSON at byte 1 of 8: \\u needs four hexadecimal digits"},
		{STR("[\0]"), "not JSON at byte 1 of 3: a value must stand here"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_refused(cases[i].text, cases[i].reason);
}

static void invalid_utf8_is_refused(void **state)
{
	static const char *const bad[] = {
		"\x80",         "\xc0\x80",         "\xc1\xbf",         "\xc3",
		"\xe0\x9f\xbf", "\xed\xa0\x80",     "\xed\xbf\xbf",     "\xe2\x82",
		"\xff",         "\xf0\x8f\xbf\xbf", "\xf5\x80\x80\x80", "\xf4\x90\x80\x80",
		"\xe2\x28\xa1", "\xf0\x9f\x98"};
	char text[64];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		snprintf(text, sizeof(text), "\"0123456789%s\"", bad[i]);
		assert_refused(str_from(text), NULL);
	}
}

static void escapes_are_decoded(void **state)
{
	struct json *v = parse(*state, "\"a\\/\\u0041\\u00e9\\u20AC\\ud83d\\ude00\\n\\u0000z\"");

	assert_true(str_eq(v->text, STR("a/A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n\0z")));
}

static void a_string_without_escapes_points_into_the_text(void **state)
{
	const char *text = "{\"key\":\"value\"}";
	struct json *v = parse(*state, text);

	assert_ptr_equal(v->first->key.ptr, text + 2);
	assert_ptr_equal(v->first->text.ptr, text + 8);
}

static void a_text_cut_at_any_byte_is_refused(void **state)
{
	const char *text =
		"{\"a\\u00e9\": [1.5e3, \"x\\ud83d\\ude00y\xf0\x9f\x98\x80\", {\"b\": null}], "
		"\"c\": true, \"d\": {}}";

	for (size_t len = 0; len < strlen(text); len++) {
		/* On the heap at its exact size, so that a sanitizer sees a byte read past it. */
		char *cut = mem_alloc(len);

		memcpy(cut, text, len);
		assert_refused(str_of(cut, len), NULL);
		free(cut);
	}
	parse(*state, text);
}

static struct str nested(struct buf *out, size_t levels, const char *open, const char *close)
{
	buf_reset(out);
	for (size_t i = 0; i < levels; i++)
		buf_append_str(out, str_from(open));
	buf_append_byte(out, '0');
	for (size_t i = 0; i < levels; i++)
		buf_append_str(out, str_from(close));
	return buf_str(out);
}

static void nesting_is_bounded_and_said_so(void **state)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(8));
	struct err err = {0};
	struct json *v;

	assert_int_equal(
		json_parse(nested(&text, LIMIT_JSON_DEPTH, "{\"a\":", "}"), *state, &v, &err), 0);
	assert_int_equal(
		json_parse(nested(&text, LIMIT_JSON_DEPTH + 1, "[", "]"), *state, &v, &err),
		-ERR_LIMIT);
	assert_string_equal(err.message, "JSON is nested deeper than 512 levels at byte 512");
	assert_int_equal(json_validate(buf_str(&text), &err), 0);
	assert_int_equal(json_validate(nested(&text, LIMIT_JSON_SCAN_DEPTH, "[", "]"), &err), 0);
	assert_int_equal(json_validate(nested(&text, LIMIT_JSON_SCAN_DEPTH, "{\"\":", "}"), &err),
			 0);
	assert_int_equal(json_validate(nested(&text, LIMIT_JSON_SCAN_DEPTH + 1, "[", "]"), &err),
			 -ERR_FORMAT);
}

static void brackets_must_match_at_every_depth(void **state)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));

	(void)state;
	/* Across the words that the validator keeps its levels in. */
	for (size_t levels = 1; levels < 200; levels++) {
		nested(&text, levels, "[{\"a\":", "}]");
		text.ptr[text.len - 1 - levels] ^= ']' ^ '}';
		assert_refused(buf_str(&text), NULL);
	}
}

static void a_tree_beyond_the_arena_is_refused(void **state)
{
	struct arena mem = ARENA_INIT(1000);
	struct err err = {0};
	struct json *v;

	(void)state;
	assert_int_equal(json_parse(STR("[1,2,3,4,5,6,7,8,9,10,11,12,13]"), &mem, &v, &err),
			 -ERR_LIMIT);
	assert_string_equal(err.message, "JSON needs more than the limit of 1000 bytes");
	assert_true(mem.failed);
	arena_release(&mem);
}

static void of_duplicate_members_the_last_counts_and_all_are_kept(void **state)
{
	struct json *v = parse(*state, "{\"a\":1,\"b\":2,\"a\":3}");

	assert_int_equal(v->count, 3);
	assert_int_equal(json_i64_or(json_get(v, "a"), 0), 3);
	json_set(v, STR("a"), json_new_i64(*state, 4));
	assert_written(v, "{\"a\":4,\"b\":2}");
	json_append(v, parse(*state, "1"));
	v->last->key = STR("b");
	assert_int_equal(json_i64_or(json_remove(v, STR("b")), 0), 1);
	assert_written(v, "{\"a\":4}");
	assert_int_equal(v->count, 1);
}

static void members_are_set_replaced_and_removed_in_place(void **state)
{
	struct json *v = json_new(*state, JSON_OBJECT);

	json_set(v, STR("a"), json_new_i64(*state, INT64_MIN));
	json_set(v, STR("b"), json_new_bool(*state, true));
	json_set(v, STR("c"), json_new_string(*state, STR("x\ty")));
	json_set(v, STR("d"), NULL);
	assert_written(v, "{\"a\":-9223372036854775808,\"b\":true,\"c\":\"x\\ty\"}");
	json_set(v, STR("a"), json_new_number(*state, STR("1.0")));
	json_set(v, STR("c"), json_new(*state, JSON_NULL));
	assert_written(v, "{\"a\":1.0,\"b\":true,\"c\":null}");
	assert_non_null(json_remove(v, STR("c")));
	assert_null(json_remove(v, STR("c")));
	json_set(v, STR("e"), json_new(*state, JSON_ARRAY));
	assert_non_null(json_remove(v, STR("a")));
	assert_written(v, "{\"b\":true,\"e\":[]}");
	assert_int_equal(v->count, 2);
}

static void accessors_fall_back_on_what_is_absent_or_of_another_type(void **state)
{
	struct json *v =
		parse(*state, "{\"a\":{\"b\":{\"c\":\"true\"}},\"n\":7,\"s\":\"-8\",\"f\":1.5,"
			      "\"big\":9223372036854775808,\"min\":-9223372036854775808}");

	assert_true(json_bool_or(json_path(v, "a", "b", "c", NULL), false));
	assert_null(json_path(v, "a", "x", "c", NULL));
	assert_null(json_path(v, "n", "b", NULL));
	assert_null(json_get(NULL, "a"));
	assert_int_equal(json_i64_or(json_get(v, "n"), 0), 7);
	assert_int_equal(json_i64_or(json_get(v, "s"), 0), -8);
	assert_int_equal(json_i64_or(json_get(v, "f"), 99), 99);
	assert_int_equal(json_i64_or(json_get(v, "big"), 99), 99);
	assert_true(json_i64_or(json_get(v, "min"), 0) == INT64_MIN);
	assert_null(json_string(json_get(v, "n")).ptr);
	assert_true(str_is(json_text_or(json_get(v, "n"), STR_NONE), "7"));
	assert_true(json_bool_or(json_get(v, "n"), true));
}

static void an_indented_text_holds_one_value_a_line(void **state)
{
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(1));

	json_write_pretty(&out, parse(*state, "{\"a\":[1,{}],\"b\":[]}"));
	assert_string_equal(buf_cstr(&out), "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}");
}

/* Also where the JSON that they stand in is read by somebody who takes UTF-8 seriously. */
static void bytes_of_no_character_are_written_as_one(void **state)
{
	static const struct {
		struct str bytes;
		const char *text;
	} cases[] = {
		{STR("\xff"), "\"\xef\xbf\xbd\""},
		{STR("a\xc3"), "\"a\xef\xbf\xbd\""},
		{STR("\xb1_\xc3\xa9\n"), "\"\xef\xbf\xbd_\xc3\xa9\\n\""},
		{STR("\xf0\x9f\x98\x80\xf0\x9f"), "\"\xf0\x9f\x98\x80\xef\xbf\xbd\xef\xbf\xbd\""},
		{STR("\xed\xa0\"b"), "\"\xef\xbf\xbd\xef\xbf\xbd\\\"b\""},
		{STR("\xed\xa0\x80"), "\"\\ud800\""},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_written(json_new_string(*state, cases[i].bytes), cases[i].text);
}

static void binary_values_are_written_as_base64(void **state)
{
	static const struct {
		struct str bytes;
		const char *text;
	} cases[] = {{STR(""), "\"\""},
		     {STR("\xff"), "\"/w==\""},
		     {STR("\xff\xee"), "\"/+4=\""},
		     {STR("Man"), "\"TWFu\""},
		     {STR("light w"), "\"bGlnaHQgdw==\""}};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct json *v = json_new(*state, JSON_BINARY);

		v->text = cases[i].bytes;
		assert_written(v, cases[i].text);
	}
}

static void equality_ignores_the_order_of_members_only(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{"{\"a\":1,\"b\":[1,2]}", " { \"b\" : [ 1 , 2 ] , \"a\" : 1 } ", true},
		{"{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", false},
		{"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
		{"[1,2]", "[2,1]", false},
		{"1.0", "1", false},
		{"1", "\"1\"", false},
		{"\"\\u0041\"", "\"A\"", true},
		{"{\"a\":1,\"b\":0,\"a\":2}", "{\"b\":0,\"a\":1,\"a\":2}", true},
		{"{\"a\":1,\"b\":0,\"a\":2}", "{\"b\":0,\"a\":2,\"a\":1}", false},
		{"{\"a\":{}}", "{\"a\":[]}", false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct json *a = parse(*state, cases[i].a), *b = parse(*state, cases[i].b);

		assert_int_equal(json_equal(a, b), cases[i].equal);
		assert_int_equal(json_equal(b, a), cases[i].equal);
	}
}

static void a_copy_shares_nothing_with_its_original(void **state)
{
	struct arena other = ARENA_INIT(MIB(1)), tiny = ARENA_INIT(300);
	char text[] = "{\"a\":[1,\"x\"],\"b\":{\"c\":null}}";
	struct json *v = parse(*state, text), *copy = json_copy(&other, v);

	assert_true(json_equal(v, copy));
	memset(text, '?', sizeof(text) - 1);
	arena_reset(*state);
	assert_written(copy, "{\"a\":[1,\"x\"],\"b\":{\"c\":null}}");
	assert_null(json_copy(&tiny, copy));
	arena_release(&tiny);
	arena_release(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_compact_text_is_written_back_byte_for_byte),
		cmocka_unit_test(numbers_keep_their_digits),
		cmocka_unit_test(what_only_looks_like_a_number_is_refused),
		cmocka_unit_test(refusals_name_the_byte_and_the_reason),
		cmocka_unit_test(invalid_utf8_is_refused),
		cmocka_unit_test(escapes_are_decoded),
		cmocka_unit_test(a_string_without_escapes_points_into_the_text),
		cmocka_unit_test(a_text_cut_at_any_byte_is_refused),
		cmocka_unit_test(nesting_is_bounded_and_said_so),
		cmocka_unit_test(brackets_must_match_at_every_depth),
		cmocka_unit_test(a_tree_beyond_the_arena_is_refused),
		cmocka_unit_test(of_duplicate_members_the_last_counts_and_all_are_kept),
		cmocka_unit_test(members_are_set_replaced_and_removed_in_place),
		cmocka_unit_test(accessors_fall_back_on_what_is_absent_or_of_another_type),
		cmocka_unit_test(an_indented_text_holds_one_value_a_line),
		cmocka_unit_test(bytes_of_no_character_are_written_as_one),
		cmocka_unit_test(binary_values_are_written_as_base64),
		cmocka_unit_test(equality_ignores_the_order_of_members_only),
		cmocka_unit_test(a_copy_shares_nothing_with_its_original),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
