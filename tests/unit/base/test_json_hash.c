#include "base/json_hash.h"
#include "base/json_number_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static struct hash128 hash_of(const char *text)
{
	struct json_hasher hasher;
	struct hash128 hash = {0};
	struct err err = {0};

	json_hasher_init(&hasher);
	if (json_hash(&hasher, str_from(text), &hash, &err) < 0)
		fail_msg("%s: %s", text, err.message);
	json_hasher_release(&hasher);
	return hash;
}

static bool same(const char *a, const char *b)
{
	return hash128_equal(hash_of(a), hash_of(b));
}

static void what_only_looks_different_is_equal(void **state)
{
	static const char *const pairs[][2] = {
		{"{\"a\":1,\"b\":[1,2]}", " { \"b\" : [ 1 , 2 ] , \"a\" : 1 } "},
		{"[1]", "[1.0]"},
		{"[100]", "[1e2]"},
		{"[0.001]", "[1E-3]"},
		{"[-0]", "[0.000e7]"},
		{"[12.50]", "[1250e-2]"},
		{"[12345678901234567890123]", "[12345678901234567890123.0]"},
		{"[1e400]", "[10e399]"},
		{"\"\\u00e9\\n\"", "\"\xc3\xa9\\u000a\""},
		{"{\"\\u0061\":{}}", "{\"a\":{ }}"},
		{"\"\\u0041\\/\\u0022\\u005c\\u0009\"", "\"A/\\\"\\\\\\t\""},
		{"[\"\\u001F\"]", "[\"\\u001f\"]"},
		{"[100000000000000000000000000000000000000000000]", "[1e44]"},
		{"[0.0000000000000000000000000000000000000000005]", "[5E-43]"},
		{"[-0.0]", "[0]"},
		{"[1,[2,{}],{\"a\":1}]", "[ 1 , [ 2,{ } ],{\"a\" : 1.0} ]"},
		{"{\"a\":1,\"a\":2}", "{\"a\":2,\"a\":1}"},
		{"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
		{"{\"a\":{\"x\":1,\"y\":{\"z\":[]}}}", "{\"a\":{\"y\":{\"z\":[]},\"x\":1}}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (!same(pairs[i][0], pairs[i][1]))
			fail_msg("%s and %s differ", pairs[i][0], pairs[i][1]);
}

static void what_says_something_else_differs(void **state)
{
	static const char *const pairs[][2] = {
		{"[1,2]", "[2,1]"},
		{"[1]", "[\"1\"]"},
		{"[]", "{}"},
		{"[[]]", "[]"},
		{"[[1],2]", "[[1,2]]"},
		{"[null]", "[]"},
		{"{\"a\":null}", "{}"},
		{"[true]", "[false]"},
		{"[\"true\"]", "[true]"},
		{"{\"a\":\"b\"}", "{\"b\":\"a\"}"},
		{"{\"a\":1}", "{\"a\":1,\"a\":1}"},
		{"{\"a\":{\"b\":1},\"c\":{\"d\":2}}", "{\"a\":{\"d\":2},\"c\":{\"b\":1}}"},
		{"[1]", "[-1]"},
		{"[{\"a\":1},{\"b\":2}]", "[{\"b\":2},{\"a\":1}]"},
		{"{\"a\":[{\"b\":1}]}", "{\"a\":{\"b\":1}}"},
		{"{\"a\\\":\\\"b\":\"c\"}", "{\"a\":\"b\\\":\\\"c\"}"},
		{"[\"a,b\"]", "[\"a\",\"b\"]"},
		{"[\"\\ud800\"]", "[\"\\ud801\"]"},
		{"[1e100000000000000000000]", "[1e100000000000000000001]"},
		{"[1e44]", "[1e45]"},
		{"[10]", "[1]"},
		{"[0.1]", "[0.01]"},
		{"[9007199254740993]", "[9007199254740992]"},
		{"[0.30000000000000004]", "[0.3]"},
		{"\"a\"", "\"a \""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (same(pairs[i][0], pairs[i][1]))
			fail_msg("%s and %s are taken for equal", pairs[i][0], pairs[i][1]);
}

static void what_is_no_json_is_refused_with_the_byte(void **state)
{
	struct json_hasher hasher;
	struct hash128 hash;
	struct err err = {0};

	(void)state;
	json_hasher_init(&hasher);
	assert_int_equal(json_hash(&hasher, STR("{\"a\":1"), &hash, &err), -ERR_FORMAT);
	assert_non_null(strstr(err.message, "byte 6 of 6"));
	assert_int_equal(json_hash(&hasher, STR("[1]x"), &hash, &err), -ERR_FORMAT);
	json_hasher_release(&hasher);
}

/* A random value, spelled as it comes, and as nobody would. */
struct spelling {
	struct buf plain, odd;
};

static void both(struct spelling *s, const char *text)
{
	buf_append_str(&s->plain, str_from(text));
	buf_append_str(&s->odd, str_from(text));
}

static void odd_space(struct spelling *s)
{
	static const char *const spaces[] = {"", "", " ", "\n\t", "  "};

	buf_append_str(&s->odd, str_from(spaces[rand() % 5]));
}

static void spell_string(struct spelling *s, unsigned number)
{
	static const char *const pieces[][2] = {
		{"a", "\\u0061"},
		{"\\n", "\\u000A"},
		{"\\\"", "\\u0022"},
		{"/", "\\/"},
		{"\xc3\xa9", "\\u00e9"},
		{"long enough for a whole run ", "long enough for a whole run "},
	};

	both(s, "\"");
	buf_printf(&s->plain, "%u", number);
	buf_printf(&s->odd, "%u", number);
	for (int i = rand() % 5; i > 0; i--) {
		const char *const *piece = pieces[rand() % 6];

		buf_append_str(&s->plain, str_from(piece[0]));
		buf_append_str(&s->odd, str_from(piece[rand() % 2]));
	}
	both(s, "\"");
}

static void spell_value(struct spelling *s, int depth, unsigned change);

/* The members of the odd one the other way round. */
static void spell_object(struct spelling *s, int depth, unsigned change)
{
	struct spelling members[4] = {0};
	int count = rand() % 4;

	for (int i = 0; i < count; i++) {
		members[i] = (struct spelling){BUF_INIT(MIB(1)), BUF_INIT(MIB(1))};
		spell_string(&members[i], (unsigned)i);
		odd_space(&members[i]);
		both(&members[i], ":");
		spell_value(&members[i], depth + 1, i == 0 ? change : 0);
	}
	both(s, "{");
	odd_space(s);
	for (int i = 0; i < count; i++) {
		if (i > 0)
			both(s, ",");
		odd_space(s);
		buf_append_str(&s->plain, buf_str(&members[i].plain));
		buf_append_str(&s->odd, buf_str(&members[count - 1 - i].odd));
		odd_space(s);
	}
	for (int i = 0; i < count; i++) {
		buf_release(&members[i].plain);
		buf_release(&members[i].odd);
	}
	if (change && count == 0)
		buf_append_str(&s->odd, STR("\"more\":1"));
	both(s, "}");
}

static void spell_array(struct spelling *s, int depth, unsigned change)
{
	int count = rand() % 4;

	both(s, "[");
	for (int i = 0; i < count; i++) {
		odd_space(s);
		spell_value(s, depth + 1, i == 0 ? change : 0);
		odd_space(s);
		both(s, i + 1 < count ? "," : "");
	}
	if (change && count == 0)
		buf_append_str(&s->odd, STR("0"));
	both(s, "]");
}

/* With `change`, one thing is another one in the odd spelling. */
static void spell_value(struct spelling *s, int depth, unsigned change)
{
	unsigned number = (unsigned)rand() % 100000;

	odd_space(s);
	switch (rand() % (depth > 4 ? 2 : 5)) {
	case 0:
		buf_printf(&s->plain, "%u", number);
		buf_printf(&s->odd, rand() % 2 ? "%u.000" : "%ue0", number + change);
		break;
	case 1:
		if (change) {
			buf_append_str(&s->plain, STR("true"));
			buf_append_str(&s->odd, STR("\"true\""));
		} else {
			spell_string(s, number);
		}
		break;
	case 2:
		spell_array(s, depth, change);
		break;
	default:
		spell_object(s, depth, change);
	}
	odd_space(s);
}

static void a_value_is_itself_in_any_spelling_and_not_when_it_changed(void **state)
{
	unsigned seed = (unsigned)time(NULL);

	(void)state;
	print_message("seed %u\n", seed);
	srand(seed);
	for (int i = 0; i < 5000; i++) {
		struct spelling s = {BUF_INIT(MIB(64)), BUF_INIT(MIB(64))};
		unsigned change = (unsigned)i % 2;

		spell_value(&s, 0, change);
		if (same(buf_cstr(&s.plain), buf_cstr(&s.odd)) == change)
			fail_msg("%s\nand\n%s are wrongly taken for %s", buf_cstr(&s.plain),
				 buf_cstr(&s.odd), change ? "equal" : "different");
		buf_release(&s.plain);
		buf_release(&s.odd);
	}
}

/* digits[.digits][e] of one random value, spelled at random. */
static void spell(char *out, uint64_t digits, int exponent)
{
	int shift = rand() % 5;

	if (rand() % 2)
		sprintf(out, "%llu%.*se%d", (unsigned long long)digits, shift, "00000",
			exponent - shift);
	else
		sprintf(out, "%llu.%.*sE%+d", (unsigned long long)digits, shift + 1, "000000",
			exponent);
}

static void numbers_are_equal_however_they_are_spelled(void **state)
{
	unsigned seed = (unsigned)time(NULL);

	(void)state;
	print_message("seed %u\n", seed);
	srand(seed);
	for (int i = 0; i < 20000; i++) {
		uint64_t digits = 1 + (uint64_t)rand() * (uint64_t)(rand() % 1000);
		int exponent = rand() % 40 - 20;
		char a[100], b[100];

		spell(a, digits, exponent);
		spell(b, digits, exponent);
		if (!json_numbers_equal(str_from(a), str_from(b)) || !same(a, b))
			fail_msg("%s and %s differ", a, b);
		spell(b, digits + 1, exponent);
		if (json_numbers_equal(str_from(a), str_from(b)) || same(a, b))
			fail_msg("%s and %s are taken for equal", a, b);
	}
}

static void sums_know_no_order(void **state)
{
	struct hash128 a = {UINT64_MAX - 1, 7}, b = {5, UINT64_MAX};

	(void)state;
	assert_true(hash128_equal(hash128_add(a, b), hash128_add(b, a)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_only_looks_different_is_equal),
		cmocka_unit_test(what_says_something_else_differs),
		cmocka_unit_test(what_is_no_json_is_refused_with_the_byte),
		cmocka_unit_test(numbers_are_equal_however_they_are_spelled),
		cmocka_unit_test(a_value_is_itself_in_any_spelling_and_not_when_it_changed),
		cmocka_unit_test(sums_know_no_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
