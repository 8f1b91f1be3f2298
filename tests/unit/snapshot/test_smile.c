#include "snapshot/smile.h"

#include "base/bytes_source.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
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

/* Decodes what Jackson wrote (smile/WriteGoldens.java). */
static struct json *golden(struct fixture *f, const char *name)
{
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	struct str path = arena_printf(&f->mem, "%s/%s.smile", GOLDENS, name);
	struct str bytes;

	assert_int_equal(file_source_open(path.ptr, &source, &f->err), 0);
	assert_int_equal(bytes_source_read_all(source, &f->mem, MIB(1), &bytes, &f->err), 0);
	if (smile_parse(bytes, &f->mem, &f->root, &f->err) < 0)
		fail_msg("%s", f->err.message);
	return f->root;
}

static void assert_json(const struct json *v, const char *expected)
{
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(1));

	json_write(&out, v);
	assert_string_equal(buf_cstr(&out), expected);
}

static void assert_smile(struct fixture *f, struct str bytes, const char *expected)
{
	if (smile_parse(bytes, &f->mem, &f->root, &f->err) < 0)
		fail_msg("%s", f->err.message);
	assert_json(f->root, expected);
}

static void assert_refused(struct fixture *f, struct str bytes, int kind, const char *why)
{
	assert_int_equal(smile_parse(bytes, &f->mem, &f->root, &f->err), -kind);
	if (!strstr(f->err.message, why))
		fail_msg("'%s' does not say '%s'", f->err.message, why);
}

static void names_of_every_length_can_be_referred_to(void **state)
{
	struct fixture *f = *state;
	struct json *root = golden(f, "long_names"), *first = root->first;

	assert_int_equal(root->count, 2);
	assert_int_equal(first->count, 18);
	assert_true(json_equal(first, first->next));
	for (struct json *v = first->next->first; v; v = v->next)
		assert_int_equal(json_i64_or(v, 0) * (v->key.ptr[0] == 'n' ? 1 : 2), v->key.len);
}

static void the_table_of_names_starts_anew_when_it_is_full(void **state)
{
	struct fixture *f = *state;
	struct json *root = golden(f, "many_names");
	char name[16];

	assert_int_equal(root->count, 202);
	json_each (object, root)
		json_each (v, object) {
			snprintf(name, sizeof(name), "name%d", (int)json_i64_or(v, -1));
			assert_true(str_is(v->key, name));
		}
}

static void strings_that_were_there_before_are_referred_to(void **state)
{
	struct fixture *f = *state;
	struct json *v = golden(f, "shared_strings")->first;
	char text[16];

	for (int i = 0; i < 200; i++, v = v->next) {
		snprintf(text, sizeof(text), "value%d", i % 100);
		assert_true(str_is(v->text, text));
	}
	for (int i = 0; i < 16; i++, v = v->next)
		assert_int_equal(v->text.len, i % 2 ? (63 + i / 2 % 4) / 2 * 2 : 63 + i / 2 % 4);
	for (int i = 0; i < 2000; i++, v = v->next) {
		snprintf(text, sizeof(text), "many%d", i % 1500);
		assert_true(str_is(v->text, text));
	}
	assert_null(v);
}

static void numbers_keep_their_value_and_big_ones_their_digits(void **state)
{
	struct fixture *f = *state;

	assert_json(golden(f, "numbers"),
		    "[0,-1,1,-16,15,-17,16,63,64,2147483647,-2147483648,2147483648,"
		    "9223372036854775807,-9223372036854775808,"
		    "0.0,-0.0,1.0,0.1,-2.5,1.0E300,4.9E-324,1.23456789125E8,"
		    "0.1,3.0E10,-1.5,1.6777216E7,"
		    "0,-1,255,256,-256,18446744073709551615,"
		    "-170141183460469231731687303715884105728,"
		    "99999999999999999999999999999999999999999999999999999999999999999999,"
		    "0,1.10,-12345678901234567890.5,7E+100,\"NaN\",\"-Infinity\"]");
}

static void check_binary(struct fixture *f, const char *name)
{
	size_t length = 0;

	for (struct json *v = golden(f, name)->first; v; v = v->next, length++) {
		assert_int_equal(v->type, JSON_BINARY);
		assert_int_equal(v->text.len, length);
		for (size_t i = 0; i < length; i++)
			assert_int_equal((uint8_t)v->text.ptr[i], (uint8_t)(255 - 37 * i));
	}
	assert_int_equal(length, 31);
}

static void binary_is_read_raw_and_in_seven_bits(void **state)
{
	check_binary(*state, "binary_raw");
	check_binary(*state, "binary_7bit");
}

static void texts_of_every_length_and_empty_values_are_read(void **state)
{
	static const int lengths[] = {1, 31, 32, 33, 34, 63, 64, 65, 66, 1000};
	struct fixture *f = *state;
	struct json *root = golden(f, "texts");
	char name[16];

	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		snprintf(name, sizeof(name), "ascii%d", lengths[i]);
		assert_int_equal(json_string(json_get(root, name)).len, lengths[i]);
		snprintf(name, sizeof(name), "other%d", lengths[i]);
		assert_int_equal(json_string(json_get(root, name)).len, 2 * lengths[i]);
	}
	assert_int_equal(json_get(root, "")->type, JSON_STRING);
	assert_int_equal(json_get(root, "null")->type, JSON_NULL);
	assert_int_equal(json_get(root, "true")->type, JSON_TRUE);
	assert_int_equal(json_get(root, "false")->type, JSON_FALSE);
	assert_true(str_is(json_string(json_get(root, "pair")), "\xf0\x9f\x98\x80"));
	assert_json(json_get(root, "empty"), "{}");
	assert_json(json_get(root, "none"), "[]");
}

static void an_end_mark_may_follow(void **state)
{
	assert_smile(*state,
		     STR(":)\n\x05\xfa\x80"
			 "a\xc2\xfb\xff"),
		     "{\"a\":1}");
	assert_smile(*state, STR(":)\n\x05\xf8\xc1\xf9"), "[-1]");
}

static void what_is_no_smile_is_refused(void **state)
{
	assert_refused(*state, STR(""), ERR_FORMAT, "is not SMILE");
	assert_refused(*state, STR("{\"a\":1}"), ERR_FORMAT, "is not SMILE");
	assert_refused(*state, STR(":)\n\x15\xfa\xfb"), ERR_UNSUPPORTED, "version 1");
	assert_refused(*state, STR(":)\n\x05"), ERR_FORMAT, "the end is missing");
	assert_refused(*state, STR(":)\n\x05\xfa"), ERR_FORMAT,
		       "the end is missing at byte 5 of 5");
	assert_refused(*state, STR(":)\n\x05\xfa\xfb\xc0"), ERR_FORMAT, "more than one value");
	assert_refused(*state, STR(":)\n\x05\x2b"), ERR_FORMAT, "unknown value at byte 4");
	assert_refused(*state, STR(":)\n\x05\xfa\x21"), ERR_FORMAT, "no name");
	assert_refused(*state, STR(":)\n\x05\xf8\xfb"), ERR_FORMAT, "unknown value");
}

static void damaged_texts_and_references_are_refused(void **state)
{
	assert_refused(*state, STR(":)\n\x05\xfa\x40"), ERR_FORMAT, "not there before");
	assert_refused(*state, STR(":)\n\x05\xfa\x33\xff"), ERR_FORMAT, "not there before");
	assert_refused(*state, STR(":)\n\x07\x01"), ERR_FORMAT, "not there before");
	assert_refused(*state,
		       STR(":)\n\x05\x44"
			   "abc"),
		       ERR_FORMAT, "goes on behind the end");
	assert_refused(*state,
		       STR(":)\n\x05\xe0"
			   "abc"),
		       ERR_FORMAT, "without its end");
	assert_refused(*state, STR(":)\n\x05\x80\xff\xfe"), ERR_FORMAT, "not UTF-8");
	assert_refused(*state, STR(":)\n\x05\xfd\x7f\x7f\x7f\x7f\xbf"), ERR_FORMAT, "cannot be");
	assert_refused(*state, STR(":)\n\x05\x26\x7f\x7f\x7f\xbf"), ERR_FORMAT, "cannot be");
	assert_refused(*state, STR(":)\n\x05\x25\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\xbf"),
		       ERR_FORMAT, "cannot be");
}

static void nesting_has_a_limit(void **state)
{
	struct fixture *f = *state;
	size_t depth = LIMIT_JSON_DEPTH + 1;
	char *bytes = arena_alloc(&f->mem, 4 + depth);

	memcpy(bytes, ":)\n\x05", 4);
	memset(bytes + 4, 0xf8, depth);
	assert_refused(f, str_of(bytes, 4 + depth), ERR_LIMIT, "nests deeper");
	assert_refused(f, str_of(bytes, 4 + depth - 1), ERR_FORMAT, "the end is missing");
}

static void a_full_arena_is_an_error(void **state)
{
	struct fixture *f = *state;
	cleanup(arena_release) struct arena small = ARENA_INIT(200);

	assert_int_equal(
		smile_parse(STR(":)\n\x05\xf8\xc0\xc0\xc0\xc0\xf9"), &small, &f->root, &f->err),
		-ERR_LIMIT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_of_every_length_can_be_referred_to),
		TEST(the_table_of_names_starts_anew_when_it_is_full),
		TEST(strings_that_were_there_before_are_referred_to),
		TEST(numbers_keep_their_value_and_big_ones_their_digits),
		TEST(binary_is_read_raw_and_in_seven_bits),
		TEST(texts_of_every_length_and_empty_values_are_read),
		TEST(an_end_mark_may_follow),
		TEST(what_is_no_smile_is_refused),
		TEST(damaged_texts_and_references_are_refused),
		TEST(nesting_has_a_limit),
		TEST(a_full_arena_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
