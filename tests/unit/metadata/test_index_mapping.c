#include "metadata/index_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct json *parse(const char *text, struct arena *mem)
{
	struct json *v = NULL;
	struct err err = {0};

	if (json_parse(str_from(text), mem, &v, &err) < 0)
		fail_msg("%s in %s", err.message, text);
	return v;
}

static void expect(const char *types, const char *mapping, const char *told)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	cleanup(buf_release) struct buf changes = BUF_INIT(CHANGES_MAX);
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));
	struct json *made = NULL;
	struct err err = {0};

	if (index_mapping_unwrap(parse(types, &mem), &mem, &made, &changes, &err) < 0)
		fail_msg("%s", err.message);
	json_write(&text, made);
	if (!json_equal(made, parse(mapping, &mem)))
		fail_msg("made %s\ninstead of %s", buf_cstr(&text), mapping);
	assert_string_equal(buf_cstr(&changes), told);
}

static void a_type_is_unwrapped(void **state)
{
	(void)state;
	expect("{\"_default_\":{\"dynamic\":false},\"book\":{\"dynamic\":\"strict\","
	       "\"properties\":{\"title\":{\"type\":\"text\"}}}}",
	       "{\"dynamic\":\"strict\",\"properties\":{\"title\":{\"type\":\"text\"}}}", "");
	expect("{}", "{}", "");
}

static void types_whose_fields_agree_become_one_mapping(void **state)
{
	(void)state;
	expect("{\"author\":{\"dynamic\":\"strict\",\"properties\":{\"name\":{\"type\":\"text\","
	       "\"store\":true},\"home\":{\"properties\":{\"city\":{\"type\":\"keyword\"}}}}},"
	       "\"book\":{\"_routing\":{\"required\":true},\"properties\":{"
	       "\"name\":{\"store\":true,\"type\":\"text\"},"
	       "\"home\":{\"properties\":{\"zip\":{\"type\":\"keyword\"}}}}}}",
	       "{\"properties\":{\"name\":{\"type\":\"text\",\"store\":true},"
	       "\"home\":{\"properties\":{\"city\":{\"type\":\"keyword\"},"
	       "\"zip\":{\"type\":\"keyword\"}}}}}",
	       "left out dynamic: not all types have it");
}

static void types_that_define_a_field_differently_are_refused_by_name(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	cleanup(buf_release) struct buf changes = BUF_INIT(CHANGES_MAX);
	struct json *made = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(
		index_mapping_unwrap(
			parse("{\"author\":{\"properties\":{\"home\":{\"properties\":{\"zip\":{"
			      "\"type\":\"long\"}}}}},"
			      "\"book\":{\"properties\":{\"home\":{\"properties\":{\"zip\":{"
			      "\"type\":\"keyword\"}}}}}}",
			      &mem),
			&mem, &made, &changes, &err),
		-ERR_UNSUPPORTED);
	assert_string_equal(err.message,
			    "types 'author' and 'book' define 'home.zip' differently, so they make "
			    "no one mapping; create the index on the target by hand and use "
			    "backfill");
}

static void types_may_differ_in_their_parents(void **state)
{
	(void)state;
	expect("{\"parent\":{\"properties\":{}},"
	       "\"child\":{\"_parent\":{\"type\":\"parent\"},\"properties\":{}}}",
	       "{\"_parent\":{\"type\":\"parent\"},\"properties\":{}}", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_type_is_unwrapped),
		cmocka_unit_test(types_whose_fields_agree_become_one_mapping),
		cmocka_unit_test(types_that_define_a_field_differently_are_refused_by_name),
		cmocka_unit_test(types_may_differ_in_their_parents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
