#include "documents/cbor.h"

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

static void assert_cbor(struct fixture *f, struct str bytes, const char *expected)
{
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(1));

	if (cbor_parse(bytes, &f->mem, &f->root, &f->err) < 0)
		fail_msg("%s, where '%s' should be", f->err.message, expected);
	json_write(&out, f->root);
	assert_string_equal(buf_cstr(&out), expected);
}

static void assert_refused(struct fixture *f, struct str bytes, int kind, const char *why)
{
	assert_int_equal(cbor_parse(bytes, &f->mem, &f->root, &f->err), -kind);
	if (!strstr(f->err.message, why))
		fail_msg("'%s' does not say '%s'", f->err.message, why);
}

/* RFC 8949, appendix A. */
static void the_examples_of_the_standard_are_read(void **state)
{
	struct fixture *f = *state;

	assert_cbor(f, STR("\x00"), "0");
	assert_cbor(f, STR("\x18\x64"), "100");
	assert_cbor(f, STR("\x1b\x00\x00\x00\xe8\xd4\xa5\x10\x00"), "1000000000000");
	assert_cbor(f, STR("\x1b\xff\xff\xff\xff\xff\xff\xff\xff"), "18446744073709551615");
	assert_cbor(f, STR("\x3b\xff\xff\xff\xff\xff\xff\xff\xff"), "-18446744073709551616");
	assert_cbor(f, STR("\x39\x03\xe7"), "-1000");
	assert_cbor(f, STR("\xf9\x80\x00"), "-0.0");
	assert_cbor(f, STR("\xf9\x3e\x00"), "1.5");
	assert_cbor(f, STR("\xf9\x7b\xff"), "65504.0");
	assert_cbor(f, STR("\xf9\x00\x01"), "5.9604645E-8");
	assert_cbor(f, STR("\xf9\x04\x00"), "6.1035156E-5");
	assert_cbor(f, STR("\xf9\x7c\x00"), "\"Infinity\"");
	assert_cbor(f, STR("\xf9\x7e\x00"), "\"NaN\"");
	assert_cbor(f, STR("\xfa\x47\xc3\x50\x00"), "100000.0");
	assert_cbor(f, STR("\xfa\xff\x80\x00\x00"), "\"-Infinity\"");
	assert_cbor(f, STR("\xfb\x7e\x37\xe4\x3c\x88\x00\x75\x9c"), "1.0E300");
	assert_cbor(f, STR("\xfb\xc0\x10\x66\x66\x66\x66\x66\x66"), "-4.1");
	assert_cbor(f, STR("\xf4"), "false");
	assert_cbor(f, STR("\xf6"), "null");
	assert_cbor(f, STR("\xf7"), "null");
	assert_cbor(f, STR("\xc1\x1a\x51\x4b\x67\xb0"), "1363896240");
	assert_cbor(f, STR("\xd7\x44\x01\x02\x03\x04"), "\"AQIDBA==\"");
	assert_cbor(f, STR("\xd8\x18\x45\x64IETF"), "\"ZElFVEY=\"");
	assert_cbor(f, STR("\x64\xf0\x90\x85\x91"), "\"\xf0\x90\x85\x91\"");
	assert_cbor(f, STR("\x83\x01\x82\x02\x03\x82\x04\x05"), "[1,[2,3],[4,5]]");
	assert_cbor(f, STR("\xa2\x61\x61\x01\x61\x62\x82\x02\x03"), "{\"a\":1,\"b\":[2,3]}");
	assert_cbor(f, STR("\x5f\x42\x01\x02\x43\x03\x04\x05\xff"), "\"AQIDBAU=\"");
	assert_cbor(f, STR("\x7f\x65strea\x64ming\xff"), "\"streaming\"");
	assert_cbor(f, STR("\x9f\x01\x82\x02\x03\x9f\x04\x05\xff\xff"), "[1,[2,3],[4,5]]");
	assert_cbor(f,
		    STR("\xbf\x63"
			"Fun\xf5\x63"
			"Amt\x21\xff"),
		    "{\"Fun\":true,\"Amt\":-2}");
	assert_cbor(f, STR("\x9f\xff"), "[]");
	assert_cbor(f, STR("\xa0"), "{}");
}

static void big_integers_and_decimal_fractions_keep_their_digits(void **state)
{
	struct fixture *f = *state;

	assert_cbor(f, STR("\xc2\x49\x01\x00\x00\x00\x00\x00\x00\x00\x00"), "18446744073709551616");
	/* As Jackson writes and reads it; the standard means -18446744073709551617. */
	assert_cbor(f, STR("\xc3\x49\x01\x00\x00\x00\x00\x00\x00\x00\x00"),
		    "-18446744073709551616");
	assert_cbor(f, STR("\xc2\x40"), "0");
	assert_cbor(f, STR("\xc3\x41\x00"), "0");
	assert_cbor(f, STR("\xc2\x41\xff"), "255");
	assert_cbor(f, STR("\xc2\x5f\x41\x01\x41\x00\xff"), "256");
	assert_cbor(f, STR("\xc4\x82\x21\x19\x6a\xb3"), "273.15");
	assert_cbor(f, STR("\xc4\x82\x00\x19\x6a\xb3"), "27315");
	assert_cbor(f, STR("\xc4\x82\x28\x38\x63"), "-1.00E-7");
	assert_cbor(f, STR("\x82\xc4\x82\x20\xc3\x41\x0b\x01"), "[-1.1,1]");
	assert_cbor(f, STR("\xc4\x9f\x21\x03\xff"), "0.03");
	assert_refused(f, STR("\xc4\x82\x02\x19\x6a\xb3"), ERR_UNSUPPORTED,
		       "the exponent 2 before byte 6");
	assert_refused(f, STR("\xc4\x81\x20"), ERR_FORMAT, "other than two integers");
	assert_refused(f, STR("\xc4\x82\x20\xf9\x3e\x00"), ERR_FORMAT, "other than two integers");
	assert_refused(f, STR("\xc4\x82\x1b\xff\xff\xff\xff\xff\xff\xff\xff\x01"), ERR_UNSUPPORTED,
		       "exponent");
	assert_refused(f, STR("\xc4\x82\x3b\xff\xff\xff\xff\xff\xff\xff\xff\x01"), ERR_UNSUPPORTED,
		       "exponent");
	assert_refused(f, STR("\xc4\x82\x3a\xff\xff\xff\xff\x01"), ERR_FORMAT, "exponent");
}

static void names_may_be_integers_and_bytes(void **state)
{
	struct fixture *f = *state;

	assert_cbor(f, STR("\xa3\x01\x02\x20\x03\x41\x61\x04"), "{\"1\":2,\"-1\":3,\"a\":4}");
	assert_cbor(f, STR("\xa1\x7f\x61\x61\x61\x62\xff\x01"), "{\"ab\":1}");
	assert_refused(f, STR("\xa1\xf5\x01"), ERR_FORMAT, "neither text nor integer at byte 1");
	assert_refused(f, STR("\xa1\x80\x01"), ERR_FORMAT, "neither text nor integer at byte 1");
	assert_refused(f, STR("\xa1\x41\xff\x01"), ERR_FORMAT, "not UTF-8 at byte 1");
}

static void what_is_cut_or_cannot_be_is_refused_with_its_byte(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, STR(""), ERR_FORMAT, "the end is missing at byte 0 of 0");
	assert_refused(f, STR("\x19\x01"), ERR_FORMAT, "the end is missing");
	assert_refused(f, STR("\xd9\xd9\xf7"), ERR_FORMAT, "the end is missing at byte 3");
	assert_refused(f, STR("\x64iet"), ERR_FORMAT, "the end is missing");
	assert_refused(f, STR("\x9f\x01"), ERR_FORMAT, "the end is missing");
	assert_refused(f, STR("\x5f\x41\x01"), ERR_FORMAT, "the end is missing");
	assert_refused(f, STR("\x7b\xff\xff\xff\xff\xff\xff\xff\xff"), ERR_FORMAT,
		       "the end is missing");
	assert_refused(f, STR("\x9b\xff\xff\xff\xff\xff\xff\xff\xff\x01\xff"), ERR_FORMAT,
		       "more children than bytes at byte 0");
	assert_refused(f, STR("\xa2\x61\x61\x01"), ERR_FORMAT, "more children than bytes");
	assert_refused(f, STR("\x1c"), ERR_FORMAT, "starts no item at byte 0");
	assert_refused(f, STR("\x1f"), ERR_FORMAT, "starts no item");
	assert_refused(f, STR("\x9f\xc1\xff"), ERR_FORMAT, "starts no item at byte 2");
	assert_refused(f, STR("\xff"), ERR_FORMAT, "an end that ends nothing");
	assert_refused(f, STR("\x82\x01\xff"), ERR_FORMAT, "an end that ends nothing at byte 2");
	assert_refused(f, STR("\xbf\x61\x61\xff"), ERR_FORMAT, "an end that ends nothing");
	assert_refused(f, STR("\x5f\x61\x61\xff"), ERR_FORMAT, "a piece that does not belong");
	assert_refused(f, STR("\x7f\x7f\x61\x61\xff\xff"), ERR_FORMAT,
		       "a piece that does not belong");
	assert_refused(f, STR("\x62\xc3\x28"), ERR_FORMAT, "not UTF-8 at byte 0");
	assert_refused(f, STR("\xf8\x20"), ERR_FORMAT, "a simple value");
	assert_refused(f, STR("\xe0"), ERR_FORMAT, "a simple value");
	assert_refused(f, STR("\x01\x02"), ERR_FORMAT, "more than one item at byte 1");
}

static void nesting_size_and_memory_have_limits(void **state)
{
	struct fixture *f = *state;
	cleanup(arena_release) struct arena small = ARENA_INIT(200);
	char *deep = arena_alloc(&f->mem, LIMIT_JSON_DEPTH + 1), wide[3 + 1024];

	memset(deep, '\x9f', LIMIT_JSON_DEPTH + 1);
	assert_refused(f, str_of(deep, LIMIT_JSON_DEPTH + 1), ERR_LIMIT, "nests deeper");
	assert_refused(f, str_of(deep, LIMIT_JSON_DEPTH), ERR_FORMAT, "the end is missing");
	memset(wide, 1, sizeof(wide));
	memcpy(wide, "\xc2\x59\x04\x00", 4);
	assert_refused(f, str_of(wide, 4 + 1024 - 1), ERR_FORMAT, "the end is missing");
	assert_refused(f, STR("\xc2\x59\x04\x00"), ERR_FORMAT, "the end is missing");
	assert_int_equal(cbor_parse(STR("\x84\1\1\1\1"), &small, &f->root, &f->err), -ERR_LIMIT);
}

static void put_head(struct buf *out, unsigned major, uint64_t argument)
{
	int smallest = argument < 24            ? 0
		       : argument <= UINT8_MAX  ? 1
		       : argument <= UINT16_MAX ? 2
		       : argument <= UINT32_MAX ? 3
						: 4;
	/* Longer than needed is allowed. */
	int size = smallest + rand() % (5 - smallest);
	static const uint8_t infos[] = {0, 24, 25, 26, 27};

	buf_append_byte(out, (char)(major << 5 | (size ? infos[size] : argument)));
	for (int left = size ? 1 << (size - 1) : 0; left-- > 0;)
		buf_append_byte(out, (char)(argument >> (8 * left)));
}

static void put_text(struct buf *out, struct buf *expected)
{
	size_t len = (size_t)(rand() % (rand() % 5 ? 30 : 400)), at = 0;
	char text[400];

	for (size_t i = 0; i < len; i++)
		text[i] = (char)('a' + rand() % 26);
	json_write_string(expected, str_of(text, len));
	if (rand() % 3) {
		put_head(out, 3, len);
		buf_append(out, text, len);
		return;
	}
	buf_append_byte(out, '\x7f');
	while (at < len) {
		size_t piece = (size_t)rand() % (len - at + 1);

		put_head(out, 3, piece);
		buf_append(out, text + at, piece);
		at += piece;
	}
	buf_append_byte(out, '\xff');
}

static void put_value(struct buf *out, struct buf *expected, int depth);

static void put_container(struct buf *out, struct buf *expected, int depth)
{
	bool map = rand() % 2, counted = rand() % 2;
	size_t children = (size_t)rand() % 6;

	if (counted)
		put_head(out, map ? 5 : 4, children);
	else
		buf_append_byte(out, map ? '\xbf' : '\x9f');
	buf_append_byte(expected, map ? '{' : '[');
	for (size_t i = 0; i < children; i++) {
		if (i > 0)
			buf_append_byte(expected, ',');
		if (map) {
			put_text(out, expected);
			buf_append_byte(expected, ':');
		}
		put_value(out, expected, depth + 1);
	}
	buf_append_byte(expected, map ? '}' : ']');
	if (!counted)
		buf_append_byte(out, '\xff');
}

static void put_number(struct buf *out, struct buf *expected)
{
	uint64_t n = ((uint64_t)rand() << 33 ^ (uint64_t)rand()) >> rand() % 64;
	bool negative = rand() % 2;

	put_head(out, negative, n);
	if (negative)
		buf_printf(expected, "-%llu", (unsigned long long)n + 1);
	else
		buf_printf(expected, "%llu", (unsigned long long)n);
}

static void put_value(struct buf *out, struct buf *expected, int depth)
{
	if (rand() % 8 == 0)
		put_head(out, 6, 100 + (uint64_t)rand());
	switch (rand() % (depth < 8 ? 5 : 3)) {
	case 0:
		put_text(out, expected);
		break;
	case 1:
		put_number(out, expected);
		break;
	case 2:
		buf_append_byte(out, '\xf5');
		buf_append_str(expected, STR("true"));
		break;
	default:
		put_container(out, expected, depth);
	}
}

static char *exact(struct str bytes)
{
	char *copy = mem_alloc(bytes.len);

	memcpy(copy, bytes.ptr, bytes.len);
	return copy;
}

static void random_items_become_the_json_they_stand_for(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 1000; i++) {
		cleanup(buf_release) struct buf out = BUF_INIT(MIB(4)), expected = BUF_INIT(MIB(4));
		cleanup(mem_freep) char *bytes = NULL;

		put_container(&out, &expected, 0);
		bytes = exact(buf_str(&out));
		assert_cbor(f, str_of(bytes, out.len), buf_cstr(&expected));
		arena_reset(&f->mem);
	}
}

/* The sanitizer is the judge; what still decodes can be written. */
static void damage_never_leads_out_of_bounds(void **state)
{
	struct fixture *f = *state;
	int refused = 0;

	for (int i = 0; i < 5000; i++) {
		cleanup(buf_release) struct buf out = BUF_INIT(MIB(4)), expected = BUF_INIT(MIB(4));
		cleanup(mem_freep) char *bytes = NULL;

		put_container(&out, &expected, 0);
		bytes = exact(buf_str(&out));
		for (int flips = 1 + rand() % 3; flips > 0; flips--)
			bytes[(size_t)rand() % out.len] ^= (char)(1 << rand() % 8);
		if (cbor_parse(str_of(bytes, out.len), &f->mem, &f->root, &f->err) < 0)
			refused++;
		else
			json_write(&expected, f->root);
		arena_reset(&f->mem);
	}
	assert_in_range(refused, 1, 4999);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	unsigned seed =
		getenv("SEED") ? (unsigned)strtoul(getenv("SEED"), NULL, 10) : (unsigned)time(NULL);
	const struct CMUnitTest tests[] = {
		TEST(the_examples_of_the_standard_are_read),
		TEST(big_integers_and_decimal_fractions_keep_their_digits),
		TEST(names_may_be_integers_and_bytes),
		TEST(what_is_cut_or_cannot_be_is_refused_with_its_byte),
		TEST(nesting_size_and_memory_have_limits),
		TEST(random_items_become_the_json_they_stand_for),
		TEST(damage_never_leads_out_of_bounds),
	};

	printf("SEED=%u\n", seed);
	srand(seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
