#include "documents/rebuild.h"
#include "documents/rebuild_date.h"
#include "documents/rebuild_old.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define OF_1_3 STR("1030499")
#define OF_1_7 STR("1070699")
#define OF_2_1 STR("2010199")
#define OF_2_2 STR("2020199")
#define OF_2_4 STR("2040699")

static void make_plan(const char *mappings, struct str created, struct arena *mem,
		      struct rebuild_plan *plan)
{
	struct json *root;
	struct err err;

	assert_int_equal(json_parse(str_from(mappings), mem, &root, &err), 0);
	assert_int_equal(rebuild_plan_make(root, created, false, mem, plan, &err), 0);
}

static void assert_writes(const struct json *value, const char *text)
{
	cleanup(buf_release) struct buf out = BUF_INIT(KIB(64));

	if (!text) {
		assert_null(value);
		return;
	}
	assert_non_null(value);
	json_write(&out, value);
	assert_string_equal(buf_cstr(&out), text);
}

/* Terms as Lucene's NumericUtils makes them. */
static void terms_of_numbers_are_the_numbers(void **state)
{
	static const struct {
		const char *type;
		struct str created, term;
		const char *text; /* NULL: none of that type */
	} cases[] = {
		{"long", OF_1_7, STR(" \x01\0\0\0\0\0\0\0\0\0"), "0"},
		{"long", OF_1_7, STR(" \0\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f"), "-1"},
		{"long", OF_1_7, STR(" \0\0\0\0\0\0\0\0\0\0"), "-9223372036854775808"},
		{"long", OF_1_7, STR("`\x08\0\0\0\x05"), NULL},
		{"long", OF_1_7, STR(" \x01\0\0\0\0\0\0\0\0\x80"), NULL},
		{"integer", OF_1_7, STR("`\x08\0\0\0\x05"), "5"},
		{"short", OF_2_4, STR("`\x07\x7f\x7f\x7f\x7e"), "-2"},
		{"byte", OF_2_4, STR("`\x08\0\0\x07\x7f"), NULL}, /* 1023 */
		{"float", OF_1_7, STR("`\x0b\x7c\0\0\0"), "1.0"},
		{"ip", OF_2_4, STR(" \x01\0\0\0\0\x0c\x05\x20\x02\x05"), "\"192.168.1.5\""},
		{"ip", OF_2_4, STR(" \0\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f"), NULL},
		{"date", OF_2_4, STR(" \x01\0\0\0\0\0\0\0\0\x01"), "\"1970-01-01T00:00:00.001Z\""},
		{"geo_point", OF_1_7, STR("1.5,-2.0E-5"), "{\"lat\":1.5,\"lon\":-2e-05}"},
		{"geo_point", OF_2_1, STR("1.5,2.0x"), NULL},
		{"geo_point", OF_2_1, STR("1.5"), NULL},
	};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct rebuild_field field = {.type = str_from(cases[i].type)};
		struct rebuild_plan plan;

		make_plan("{}", cases[i].created, &mem, &plan);
		assert_writes(rebuild_old_term(&plan, &field, cases[i].term, &mem), cases[i].text);
	}
}

static void several_numbers_of_one_doc_value_come_apart(void **state)
{
	static const struct {
		const char *type;
		struct str bytes;
		const char *text; /* NULL: damaged */
	} cases[] = {
		{"long", STR("\x09\x05\x80\x01"), "[-5,0,128]"},
		{"long", STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		 "[-9223372036854775808,-9223372036854775807]"},
		{"long", STR("\x09\x85"), NULL},
		{"long", STR(""), NULL},
		{"double", STR("\0\0\0\0\0\0\xf8\x3f\0\0\0\0\0\0\x04\xc0"), "[1.5,-2.5]"},
		{"double", STR("\0\0\0\0\0\0\xf8"), NULL},
		{"float", STR("\0\0\x80\x3f"), "[1.0]"},
		{"geo_point", STR("\0\0\0\0\0\0\xf8\x3f\0\0\0\0\0\0\x04\xc0"),
		 "[{\"lat\":1.5,\"lon\":-2.5}]"},
		{"geo_point", STR("\0\0\0\0\0\0\xf8\x3f\0\0\0\0\0\0\x04"), NULL},
	};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct rebuild_plan plan;

	(void)state;
	make_plan("{}", OF_1_3, &mem, &plan);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct rebuild_field field = {.type = str_from(cases[i].type)};
		struct json *array = json_new(&mem, JSON_ARRAY);
		bool read = rebuild_old_packed(&plan, &field, cases[i].bytes, array, &mem);

		assert_int_equal(read, cases[i].text != NULL);
		if (read)
			assert_writes(array, cases[i].text);
	}
}

static void spots_of_numbers_are_latitude_and_longitude(void **state)
{
	const struct rebuild_field field = {.type = STR("geo_point")};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));

	(void)state;
	/* The highest bit of both: the middle of the world. */
	assert_writes(rebuild_old_number(&field, 3LL << 60, &mem), "{\"lat\":0.0,\"lon\":0.0}");
	assert_writes(rebuild_old_number(&field, 1LL << 60, &mem), "{\"lat\":-9e+01,\"lon\":0.0}");
}

static const struct rebuild_field *find(const struct rebuild_plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->count; i++)
		if (str_is(plan->fields[i].path, path))
			return &plan->fields[i];
	fail_msg("no field %s", path);
	return NULL;
}

static void what_is_read_is_told_by_the_mapping_and_the_version(void **state)
{
	static const char mapping[] =
		"{\"doc\":{\"properties\":{"
		"\"k\":{\"type\":\"string\",\"index\":\"not_analyzed\"},"
		"\"t\":{\"type\":\"string\"},"
		"\"r\":{\"type\":\"string\",\"fields\":{\"raw\":{\"type\":\"string\",\"index\":"
		"\"not_analyzed\"}}},"
		"\"n\":{\"type\":\"long\"},"
		"\"c\":{\"type\":\"long\",\"doc_values\":true},"
		"\"f\":{\"type\":\"long\",\"fielddata\":{\"format\":\"doc_values\"}},"
		"\"g\":{\"type\":\"geo_point\"},"
		"\"d\":{\"type\":\"geo_point\",\"doc_values\":false},"
		"\"z\":{\"type\":\"long\",\"index\":\"no\"}}}}";
	static const struct {
		struct str created;
		enum rebuild_index indexed[9]; /* of k to z */
	} cases[] = {
		{OF_1_7,
		 {REBUILD_TERMS, REBUILD_TEXT, REBUILD_TERMS, REBUILD_TERMS, REBUILD_NO_INDEX,
		  REBUILD_NO_INDEX, REBUILD_TERMS, REBUILD_TERMS, REBUILD_NO_INDEX}},
		{OF_2_1,
		 {REBUILD_NO_INDEX, REBUILD_TEXT, REBUILD_NO_INDEX, REBUILD_NO_INDEX,
		  REBUILD_NO_INDEX, REBUILD_NO_INDEX, REBUILD_NO_INDEX, REBUILD_TERMS,
		  REBUILD_NO_INDEX}},
		{OF_2_4,
		 {REBUILD_NO_INDEX, REBUILD_TEXT, REBUILD_NO_INDEX, REBUILD_NO_INDEX,
		  REBUILD_NO_INDEX, REBUILD_NO_INDEX, REBUILD_NO_INDEX, REBUILD_NO_INDEX,
		  REBUILD_NO_INDEX}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
		struct rebuild_plan plan;

		make_plan(mapping, cases[i].created, &mem, &plan);
		assert_int_equal(plan.count, COUNT_OF(cases[i].indexed));
		for (size_t j = 0; j < plan.count; j++)
			assert_int_equal(plan.fields[j].indexed, cases[i].indexed[j]);
		assert_true(str_is(find(&plan, "r")->column, "r.raw"));
		assert_int_equal(find(&plan, "z")->quality, REBUILD_NOT_AT_ALL);
		assert_int_equal(find(&plan, "d")->quality,
				 i < 2 ? REBUILD_APPROXIMATE : REBUILD_NOT_AT_ALL);
		assert_int_equal(find(&plan, "t")->position_gap, i == 0 ? INT32_MAX : 0);
	}
}

static void names_in_the_index_may_be_others(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct rebuild_plan plan;

	(void)state;
	make_plan("{\"doc\":{\"properties\":{\"o\":{\"path\":\"just_name\",\"properties\":{"
		  "\"a\":{\"type\":\"long\"}}},\"p\":{\"properties\":{"
		  "\"b\":{\"type\":\"long\",\"index_name\":\"c\"},\"d\":{\"type\":\"long\"}}}}}}",
		  OF_1_7, &mem, &plan);
	assert_true(str_is(find(&plan, "o.a")->name, "a"));
	assert_true(str_is(find(&plan, "p.b")->name, "p.c"));
	assert_null(find(&plan, "p.d")->name.ptr);
}

static void fields_of_one_name_in_the_index_are_left_out(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct rebuild_plan plan;

	(void)state;
	make_plan("{\"doc\":{\"_source\":{\"enabled\":false},\"properties\":{\"home\":{\"path\":"
		  "\"just_name\",\"properties\":{"
		  "\"city\":{\"type\":\"long\",\"store\":true},\"zip\":{\"type\":\"long\"}}},"
		  "\"work\":{\"path\":\"just_name\",\"properties\":{"
		  "\"city\":{\"type\":\"long\"}}},\"street\":{\"type\":\"long\"}}},"
		  "\"other\":{\"_source\":{\"enabled\":false},\"properties\":{\"street\":{\"type\":"
		  "\"string\"}}}}",
		  OF_1_7, &mem, &plan);
	assert_int_equal(plan.count, 5);
	for (size_t i = 0; i < plan.count; i++) {
		bool shared = str_ends(plan.fields[i].path, STR("city"));

		assert_int_equal(plan.fields[i].quality,
				 shared ? REBUILD_NOT_AT_ALL : REBUILD_APPROXIMATE);
	}
	assert_true(find(&plan, "home.city")->name.len == 0 && find(&plan, "home.city")->name.ptr);
}

static void what_types_have_alike_is_one_field(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct rebuild_plan plan;

	(void)state;
	make_plan("{\"a\":{\"_source\":{\"enabled\":false},\"properties\":{"
		  "\"x\":{\"type\":\"long\"},\"y\":{\"type\":\"long\"},"
		  "\"n\":{\"type\":\"nested\",\"properties\":{\"i\":{\"type\":\"long\"}}}}},"
		  "\"_default_\":{\"properties\":{\"v\":{\"type\":\"long\"}}},"
		  "\"b\":{\"_source\":{\"includes\":[\"q\"]},\"properties\":{"
		  "\"x\":{\"type\":\"long\"},\"y\":{\"type\":\"string\"},"
		  "\"n\":{\"type\":\"nested\",\"properties\":{\"i\":{\"type\":\"double\"}}}}},"
		  "\"c\":{\"properties\":{\"w\":{\"type\":\"long\"}}}}",
		  OF_1_7, &mem, &plan);
	assert_int_equal(plan.count, 5);
	assert_null(find(&plan, "x")->of_type.ptr);
	assert_true(str_is(plan.fields[1].path, "y") && str_is(plan.fields[1].of_type, "a"));
	assert_true(str_is(plan.fields[3].path, "y") && str_is(plan.fields[3].of_type, "b"));
	assert_int_equal(plan.nested_count, 1);
	assert_int_equal(find(&plan, "n.i")->quality, REBUILD_NOT_AT_ALL);
	assert_true(rebuild_keeps_source(&plan, STR("c")));
	assert_false(rebuild_keeps_source(&plan, STR("a")));
}

static void instants_are_written_by_patterns(void **state)
{
	static const struct {
		const char *format, *text; /* NULL: not written */
	} cases[] = {
		{"yyyy/MM/dd HH:mm:ss||yyyy/MM/dd", "\"2024/02/29 12:34:56\""},
		{"8yyyy-MM-dd HH:mm", "\"2024-02-29 12:34\""},
		{"yyyy-MM-dd'T'HH:mm:ssZZ", "\"2024-02-29T12:34:56+0000\""},
		{"dd.MM.yy", "\"29.02.24\""},
		{"d/M/yyyy H:m:s", "\"29/2/2024 12:34:56\""},
		{"yyyy-MM-dd'T'HH:mm:ss.SSSZ", "\"2024-02-29T12:34:56.789+0000\""},
		{"yyyy-MM-dd'T'HH:mm:ss.SXXX", "\"2024-02-29T12:34:56.7Z\""},
		{"HH 'o''clock' ''", "\"12 o'clock '\""},
		{"strict_basic_date", "\"20240229\""},
		{"basic_date_time", "\"20240229T123456.789Z\""},
		{"EEE, dd MMM yyyy||epoch_second", "1709210096"},
		{"MMM", NULL},
		{"yyyy[-MM]", NULL},
		{"yyyy 'open", NULL},
		{"week_date", NULL},
	};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str format;
		bool picked = rebuild_date_pick(str_from(cases[i].format), &mem, &format);

		assert_int_equal(picked, cases[i].text != NULL);
		if (picked)
			assert_writes(rebuild_instant(1709210096789, 0, format, &mem),
				      cases[i].text);
	}
}

/* As they were written before patterns were, and never with a part of the instant left out. */
static void instants_keep_all_that_one_of_their_formats_tells(void **state)
{
	static const struct {
		int64_t ms, nanos;
		const char *format, *text; /* format NULL: the default; text NULL: not written */
	} cases[] = {
		{1709210096789, 0, NULL, "\"2024-02-29T12:34:56.789Z\""},
		{1709210096000, 120000, NULL, "\"2024-02-29T12:34:56.00012Z\""},
		{1709210096789, 0, "strict_date_optional_time||epoch_millis",
		 "\"2024-02-29T12:34:56.789Z\""},
		{1709210096789, 1, "strict_date_optional_time_nanos",
		 "\"2024-02-29T12:34:56.789000001Z\""},
		{1709210096789, 0, "epoch_millis||strict_date_optional_time", "1709210096789"},
		{-1, 0, "date_time", "\"1969-12-31T23:59:59.999Z\""},
		{-1, 0, "epoch_second", "-1"},
		{1709210096789, 0, "yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis",
		 "1709210096789"},
		{1709210096000, 0, "yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis",
		 "\"2024/02/29 12:34:56\""},
		{1709210096000, 0, "yyyy-MM-dd||yyyy-MM-dd HH:mm:ss", "\"2024-02-29 12:34:56\""},
		{1709164800000, 0, "yyyy-MM-dd||yyyy-MM-dd HH:mm:ss", "\"2024-02-29\""},
		{1709210096789, 0, "yyyy-MM-dd||yyyy-MM-dd HH:mm:ss", "\"2024-02-29\""},
		{1709210096789, 1, "epoch_millis||strict_date_time",
		 "\"2024-02-29T12:34:56.789000001Z\""},
		{1709210096789, 0, "YYYY-'W'ww||uuuu-MM-dd", "\"2024-02-29\""},
		{1709210096789, 0, "basic_week_date||xxxx-'W'ww-e||epoch_millis", "1709210096789"},
		{481161600000, 0, "yy-MM-dd||yyyy-MM-dd", "\"1985-04-01\""},
		{481161600000, 0, "yy-MM-dd", "\"85-04-01\""},
		{3661000, 0, "HH:mm||'s' HH:mm:ss", "\"s 01:01:01\""},
		{INT64_MAX, 0, "yyyy-MM-dd||strict_date_time||epoch_millis", "9223372036854775807"},
		{INT64_MIN, 0, "date_time||epoch_second", NULL},
		{253402300800000, 0, "date", NULL},
	};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str format = STR_NONE;

		if (cases[i].format)
			assert_true(rebuild_date_pick(str_from(cases[i].format), &mem, &format));
		assert_writes(rebuild_instant(cases[i].ms, cases[i].nanos, format, &mem),
			      cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terms_of_numbers_are_the_numbers),
		cmocka_unit_test(several_numbers_of_one_doc_value_come_apart),
		cmocka_unit_test(spots_of_numbers_are_latitude_and_longitude),
		cmocka_unit_test(what_is_read_is_told_by_the_mapping_and_the_version),
		cmocka_unit_test(names_in_the_index_may_be_others),
		cmocka_unit_test(fields_of_one_name_in_the_index_are_left_out),
		cmocka_unit_test(what_types_have_alike_is_one_field),
		cmocka_unit_test(instants_are_written_by_patterns),
		cmocka_unit_test(instants_keep_all_that_one_of_their_formats_tells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
