#include "documents/rebuild.h"

#include "base/limits.h"
#include "documents/lucene_documents.h"
#include "documents/rebuild_packed.h"
#include "documents/rebuild_tally.h"
#include "documents/rebuild_value.h"
#include "documents/rebuild_xcontent.h"
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
	rc = rebuilder_open(&plan, segment, 0, &rebuilder, err);
	rebuilder_close(rebuilder);
	segment_reader_close(segment);
	memory_directory_free(memory);
	return rc;
}

static void nested_objects_that_are_left_out_are_known(void **state)
{
	static const char mapping[] =
		"{\"_doc\":{\"properties\":{\"a\":{\"type\":\"nested\",\"properties\":{\"b\":{"
		"\"type\":\"nested\",\"include_in_parent\":%s,\"properties\":{\"c\":{\"type\":"
		"\"long\"}}}}}}}}";

	(void)state;
	for (int included = 0; included < 2; included++) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
		struct str text = arena_printf(&mem, mapping, included ? "true" : "false");
		struct rebuild_plan plan;
		struct json *root;
		struct err err;

		assert_int_equal(json_parse(text, &mem, &root, &err), 0);
		assert_int_equal(rebuild_plan_make(root, STR("7100299"), false, &mem, &plan, &err),
				 0);
		assert_int_equal(plan.nested_count, included ? 1 : 2);
		assert_int_equal(plan.nested_left_out, included);
	}
}

static void what_has_no_columns_is_rebuilt_out_of_the_index(void **state)
{
	static const char mapping[] =
		"{\"_doc\":{\"properties\":{"
		"\"a\":{\"type\":\"long\",\"doc_values\":false},"
		"\"b\":{\"type\":\"keyword\",\"doc_values\":false},"
		"\"c\":{\"type\":\"text\",\"position_increment_gap\":7},"
		"\"d\":{\"type\":\"text\",\"index_options\":\"freqs\"},"
		"\"e\":{\"type\":\"ip\",\"doc_values\":false,\"index\":false},"
		"\"f\":{\"type\":\"date\",\"doc_values\":false,\"store\":true}}}}";
	static const enum rebuild_index indexed[] = {REBUILD_POINTS,   REBUILD_TERMS,
						     REBUILD_TEXT,     REBUILD_NO_INDEX,
						     REBUILD_NO_INDEX, REBUILD_NO_INDEX};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct rebuild_plan plan;
	struct json *root;
	struct err err;

	(void)state;
	assert_int_equal(json_parse(str_from(mapping), &mem, &root, &err), 0);
	assert_int_equal(rebuild_plan_make(root, STR("7100299"), false, &mem, &plan, &err), 0);
	assert_int_equal(plan.count, COUNT_OF(indexed));
	assert_true(plan.inverts);
	for (size_t i = 0; i < plan.count; i++)
		assert_int_equal(plan.fields[i].indexed, indexed[i]);
	assert_int_equal(plan.fields[2].position_gap, 7);
	assert_int_equal(plan.fields[3].quality, REBUILD_NOT_AT_ALL);
	assert_int_equal(plan.fields[4].quality, REBUILD_NOT_AT_ALL);
	assert_int_equal(plan.fields[5].quality, REBUILD_EXACT);
}

static void what_is_stored_of_a_source_is_not_read_out_of_the_index(void **state)
{
	static const struct {
		const char *source;
		bool inverted[3]; /* a, o.b, ob */
	} cases[] = {
		{"{}", {true, true, true}},
		{"{\"enabled\":false,\"excludes\":[\"z\"]}", {true, true, true}},
		{"{\"excludes\":[\"z\"]}", {false, false, false}},
		{"{\"excludes\":\"o\"}", {false, true, false}},
		{"{\"excludes\":[\"z\",\"o.*\"]}", {false, true, false}},
		{"{\"excludes\":[\"*b\"]}", {false, true, true}},
		{"{\"includes\":[\"o*\"],\"excludes\":[\"ob\"]}", {true, false, true}},
		{"{\"includes\":[\"o\"]}", {true, false, true}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
		struct str mapping = arena_printf(
			&mem,
			"{\"_doc\":{\"_source\":%s,\"properties\":{\"a\":{\"type\":\"text\"},"
			"\"o\":{\"properties\":{\"b\":{\"type\":\"text\"}}},"
			"\"ob\":{\"type\":\"text\"}}}}",
			cases[i].source);
		struct rebuild_plan plan;
		struct json *root;
		struct err err;

		assert_int_equal(json_parse(mapping, &mem, &root, &err), 0);
		assert_int_equal(rebuild_plan_make(root, STR("7100299"), false, &mem, &plan, &err),
				 0);
		assert_int_equal(plan.count, 3);
		for (size_t j = 0; j < plan.count; j++)
			assert_int_equal(plan.fields[j].indexed,
					 cases[i].inverted[j] ? REBUILD_TEXT : REBUILD_NO_INDEX);
	}
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
		{"date_nanos", 1200, "1970-01-01T00:00:00.0000012Z"},
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

static void assert_writes(const struct json *value, const char *text)
{
	cleanup(buf_release) struct buf out = BUF_INIT(KIB(64));

	assert_non_null(value);
	json_write(&out, value);
	assert_string_equal(buf_cstr(&out), text);
}

/* Bytes as Elasticsearch 8.19 wrote them. */
static void ranges_have_both_ends_and_open_ones_none(void **state)
{
	static const struct {
		const char *type;
		struct str bytes;
		const char *text;
	} cases[] = {
		{"integer_range", STR("\x01\x7b\x86"), "[{\"gte\":-5,\"lte\":6}]"},
		{"long_range", STR("\x02\x3f\x80\0\0\0\0\0\0\0\x85\x76\xd4\x98\x0a\xae\x60"),
		 "[{\"gte\":null,\"lte\":5},{\"gte\":-300,\"lte\":700000}]"},
		{"float_range", STR("\x01\xbf\xc0\0\x01\xff\x80\0\0"),
		 "[{\"gte\":1.5000001,\"lte\":null}]"},
		{"long_range", STR("\x02\x7b\x86"), NULL},
		{"long_range", STR("\x01\x7b\x86\x86"), NULL},
		{"long_range", STR("\x01\xff\x86"), NULL},
		{"ip_range", STR("\x01\x7b\x86"), NULL},
	};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	const struct rebuild_plan plan = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct rebuild_field field = {.type = str_from(cases[i].type)};
		struct json *array = json_new(&mem, JSON_ARRAY);
		bool read = rebuild_packed(&plan, &field, cases[i].bytes, array, &mem);

		assert_int_equal(read, cases[i].text != NULL);
		if (read)
			assert_writes(array, cases[i].text);
	}
}

static void flattened_values_become_one_object(void **state)
{
	const struct rebuild_field field = {.path = STR("f"), .type = STR("flattened")};
	const struct rebuild_plan plan = {0};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct json *array = json_new(&mem, JSON_ARRAY);

	(void)state;
	assert_true(rebuild_packed(&plan, &field, STR("a\0x"), array, &mem));
	assert_true(rebuild_packed(&plan, &field, STR("a.b\0y"), array, &mem));
	assert_true(rebuild_packed(&plan, &field, STR("c.d\0001"), array, &mem));
	assert_true(rebuild_packed(&plan, &field, STR("c.d\0002"), array, &mem));
	assert_writes(array->first, "{\"a\":\"x\",\"a.b\":\"y\",\"c\":{\"d\":[\"1\",\"2\"]}}");
	assert_false(rebuild_packed(&plan, &field, STR("a"), array, &mem));
}

static void order_and_nulls_of_an_array_come_back(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct json *values = json_new(&mem, JSON_ARRAY);

	(void)state;
	json_append(values, json_new_string(&mem, STR("a")));
	json_append(values, json_new_string(&mem, STR("z")));
	assert_writes(rebuild_in_order(values, STR("\x08\x02\0\x01\x02"), &mem),
		      "[\"z\",\"a\",null,\"z\"]");
	assert_null(rebuild_in_order(values, STR("\x02\x04"), &mem));
	assert_null(rebuild_in_order(values, STR("\x04\x02"), &mem));
}

static void ignored_entries_say_where_and_what(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct ignored_entry entry;
	struct json *value;
	struct err err = {0};

	(void)state;
	/* Two units of UTF-16, four bytes of UTF-8. */
	assert_int_equal(
		ignored_entry_read(STR("\x05\0\x02\0o.\xf0\x9f\x98\x80xj[1]"), &entry, &err), 0);
	assert_true(str_is(entry.parent, "o"));
	assert_true(str_is(entry.name, "\xf0\x9f\x98\x80x"));
	assert_int_equal(rebuild_xcontent(entry.value, &mem, &value, &err), 1);
	assert_writes(value, "[1]");
	assert_int_equal(rebuild_xcontent(STR("d\x02\0\0\0\xff"), &mem, &value, &err), 1);
	assert_writes(value, "-0.01");
	assert_int_equal(rebuild_xcontent(STR("v"), &mem, &value, &err), 0);
	assert_int_equal(rebuild_xcontent(STR("I\x02"), &mem, &value, &err), -(int)ERR_UNSUPPORTED);
	assert_int_equal(ignored_entry_read(STR("\x05\0\0\0o"), &entry, &err),
			 -(int)ERR_UNSUPPORTED);
}

static size_t documents_with_problems(const struct rebuild_plan *plan,
				      struct memory_directory *memory, int64_t first_doc)
{
	const struct lucene_documents_options options = {.rebuild = plan, .first_doc = first_doc};
	struct document_source *source;
	struct document document;
	struct err err = {0};
	size_t problems = 0;

	assert_int_equal(lucene_documents_open(&memory->directory, &options, &source, &err), 0);
	while (document_source_next(source, &document, &err) > 0) {
		problems += document.problem != NULL;
		if (document.problem)
			assert_non_null(strstr(document.problem, "none of its type"));
	}
	assert_int_equal(err.kind, ERR_NONE);
	document_source_close(source);
	return problems;
}

static void assert_tally(struct rebuild_tally *tally, const struct rebuild_field *field,
			 size_t documents)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(64)), expected = BUF_INIT(KIB(64));

	rebuild_tally_write(tally, &text);
	buf_printf(&expected,
		   "not rebuilt, since values do not fit the mapping: '" STR_FMT "' (" STR_FMT
		   ") in %zu documents",
		   STR_ARG(field->path), STR_ARG(field->type), documents);
	assert_string_equal(buf_cstr(&text), buf_cstr(&expected));
}

/* Each column under a mapping of another type. */
static void columns_of_another_type_are_counted_and_never_left_out(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct memory_directory *memory = memory_directory_new("10.5.0");
	struct rebuild_tally *tally = rebuild_tally_new();
	struct rebuild_field field = {0};
	struct rebuild_plan plan = {
		.fields = &field, .count = 1, .columns_most = LIMIT_COLUMNS, .tally = tally};
	struct segment_reader *segment;
	struct segment_infos infos;
	struct err err = {0};
	size_t problems = 0;

	(void)state;
	assert_int_equal(segment_infos_read(&memory->directory, &mem, &infos, &err), 0);
	assert_int_equal(
		segment_reader_open(&memory->directory, &infos.segments[1], &segment, &err), 0);
	for (size_t i = 0; i < segment->field_infos.count && problems == 0; i++) {
		const struct field_info *info = &segment->field_infos.fields[i];
		bool number = info->doc_values == DOC_VALUES_NUMERIC ||
			      info->doc_values == DOC_VALUES_SORTED_NUMERIC;

		if (info->doc_values == DOC_VALUES_NONE)
			continue;
		field = (struct rebuild_field){
			.path = info->name, .column = info->name, .type = STR("keyword")};
		if (!number)
			field.type = STR("long");
		problems = documents_with_problems(&plan, memory, 0);
	}
	assert_true(problems > 1);
	/* What is read again, from the beginning or from a checkpoint, is no other document. */
	assert_int_equal(documents_with_problems(&plan, memory, 0), problems);
	for (int64_t first = 1; first < 16; first += 3)
		documents_with_problems(&plan, memory, first);
	assert_tally(tally, &field, problems);
	/* Those of another shard are others. */
	plan.shard = 3;
	assert_int_equal(documents_with_problems(&plan, memory, 0), problems);
	assert_tally(tally, &field, 2 * problems);
	/* Ranges of one shard are read in any order. */
	plan.shard = 4;
	for (int64_t first = 16; first >= 0; first -= 4) {
		plan.first_doc = first;
		documents_with_problems(&plan, memory, first);
	}
	assert_tally(tally, &field, 3 * problems);
	segment_reader_close(segment);
	rebuild_tally_free(tally);
	memory_directory_free(memory);
}

/* The same file, as of a Lucene that is not known. */
static void columns_of_an_unknown_format_are_refused_by_name(void **state)
{
	static const char known[] = "Lucene90DocValuesMetadata";
	struct memory_directory *memory = memory_directory_new("10.5.0");
	struct memory_file *file = memory_directory_find(memory, "_1_Lucene90_0.dvm");
	struct rebuild_field field = {.path = STR("__soft_deletes"),
				      .column = STR("__soft_deletes"),
				      .type = STR("long")};
	const struct rebuild_plan plan = {
		.fields = &field, .count = 1, .columns_most = LIMIT_COLUMNS};
	const struct lucene_documents_options options = {.rebuild = &plan};
	struct document_source *source;
	struct document document;
	struct err err = {0};
	char *name;
	int rc;

	(void)state;
	assert_non_null(file);
	name = memmem(file->bytes.ptr, file->bytes.len, known, strlen(known));
	assert_non_null(name);
	name[strlen("Lucene9")] = '7';
	memory_file_reseal(file);
	assert_int_equal(lucene_documents_open(&memory->directory, &options, &source, &err), 0);
	while ((rc = document_source_next(source, &document, &err)) > 0)
		;
	assert_int_equal(rc, -ERR_UNSUPPORTED);
	assert_non_null(strstr(err.message, "Lucene97DocValuesMetadata"));
	assert_non_null(strstr(err.message, "_1_Lucene90_0.dvm"));
	document_source_close(source);
	memory_directory_free(memory);
}

static void numbers_beyond_their_type_are_refused(void **state)
{
	static const struct {
		const char *type;
		int64_t value;
	} cases[] = {{"byte", 128},        {"short", -32769},     {"integer", 1LL << 31},
		     {"float", 1LL << 40}, {"half_float", 40000}, {"boolean", 2}};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	const struct rebuild_plan plan = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct rebuild_field field = {.type = str_from(cases[i].type)};

		assert_null(rebuild_number(&plan, &field, cases[i].value, &mem));
		assert_non_null(rebuild_number(&plan, &field, 1, &mem));
	}
}

static void versions_and_histograms_come_back(void **state)
{
	const struct rebuild_field version = {.type = STR("version")};
	const struct rebuild_field histogram = {.type = STR("histogram")};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	const struct rebuild_plan plan = {0};
	struct json *array = json_new(&mem, JSON_ARRAY);

	(void)state;
	assert_writes(rebuild_bytes(&version,
				    STR("\x01\x81"
					"1.\x01\x82"
					"10\x02-a.\x01\x81"
					"2+b"),
				    &mem),
		      "\"1.10-a.2+b\"");
	assert_writes(rebuild_bytes(&version,
				    STR("\x01\x81"
					"1\x03"),
				    &mem),
		      "\"1\"");
	assert_true(rebuild_packed(&plan, &histogram,
				   STR("\x03\x3f\xf8\0\0\0\0\0\0\x81\x01\x40\0\0\0\0\0\0\0"), array,
				   &mem));
	assert_writes(array, "[{\"values\":[1.5,2.0],\"counts\":[3,129]}]");
	assert_false(rebuild_packed(&plan, &histogram, STR("\x03\x3f"), array, &mem));
}

static void counted_values_are_there_as_often_as_they_were(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct json *values = json_new(&mem, JSON_ARRAY);

	(void)state;
	json_append(values, json_new_string(&mem, STR("a")));
	json_append(values, json_new_string(&mem, STR("b")));
	assert_writes(rebuild_repeated(values, STR("\x02\x01\x03"), &mem),
		      "[\"a\",\"b\",\"b\",\"b\"]");
	assert_null(rebuild_repeated(values, STR("\x01\x01"), &mem));
	assert_null(rebuild_repeated(values, STR("\x02\x01"), &mem));
	assert_null(rebuild_repeated(values, STR("\x02\x01\xff\xff\xff\xff\x0f"), &mem));
}

static void vectors_and_wildcards_come_back(void **state)
{
	const struct {
		const char *type, *format;
		int64_t created;
		struct str bytes;
		const char *expected;
	} cases[] = {
		{"dense_vector", "float", 8190000, STR("\0\0\xc0\x3f\0\0\0\xc0\1\2\3\4"),
		 "[[1.5,-2.0]]"},
		{"dense_vector", NULL, 7170000, STR("\x3f\xc0\0\0\xc0\0\0\0\1\2\3\4"),
		 "[[1.5,-2.0]]"},
		{"dense_vector", "byte", 8190000, STR("\x7f\xff\1\2\3\4"), "[[127,-1]]"},
		{"wildcard", NULL, 7170000, STR("\x02\x01z\x02\xc3\xa4"), "[\"z\",\"\xc3\xa4\"]"},
	};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct rebuild_plan plan = {.created = cases[i].created};
		struct rebuild_field field = {.type = str_from(cases[i].type)};
		struct json *array = json_new(&mem, JSON_ARRAY);

		if (cases[i].format)
			field.format = str_from(cases[i].format);
		assert_true(rebuild_packed(&plan, &field, cases[i].bytes, array, &mem));
		assert_writes(array, cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_no_columns_is_rebuilt_out_of_the_index),
		cmocka_unit_test(what_is_stored_of_a_source_is_not_read_out_of_the_index),
		cmocka_unit_test(nested_objects_that_are_left_out_are_known),
		cmocka_unit_test(columns_that_need_too_much_memory_are_refused),
		cmocka_unit_test(instants_of_any_number_are_written_or_refused),
		cmocka_unit_test(ranges_have_both_ends_and_open_ones_none),
		cmocka_unit_test(flattened_values_become_one_object),
		cmocka_unit_test(order_and_nulls_of_an_array_come_back),
		cmocka_unit_test(columns_of_another_type_are_counted_and_never_left_out),
		cmocka_unit_test(columns_of_an_unknown_format_are_refused_by_name),
		cmocka_unit_test(numbers_beyond_their_type_are_refused),
		cmocka_unit_test(versions_and_histograms_come_back),
		cmocka_unit_test(counted_values_are_there_as_often_as_they_were),
		cmocka_unit_test(vectors_and_wildcards_come_back),
		cmocka_unit_test(ignored_entries_say_where_and_what),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
