#include "lucene/field_infos.h"

#include "base/limits.h"
#include "lucene/lucene_internal.h"
#include "memory_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct field_infos read_fields(struct memory_directory *memory, const char *segment,
				      int64_t generation, struct arena *mem)
{
	struct field_infos infos;
	struct err err = {0};

	if (field_infos_read(&memory->directory, str_from(segment), generation, NULL, mem, &infos,
			     &err) < 0)
		fail_msg("%s", err.message);
	return infos;
}

static void fields_of_lucene_4_and_5_are_read(void **state)
{
	static const struct {
		const char *fixture, *format;
		int32_t version;
		bool updates;
	} cases[] = {
		{"4.0.0", "Lucene40FieldInfos", 0, false},
		{"4.1.0", "Lucene40FieldInfos", 0, false},
		{"4.3.1", "Lucene42FieldInfos", 0, false},
		{"4.6.1", "Lucene46FieldInfos", 0, true},
		{"4.8.1", "Lucene46FieldInfos", 1, true},
		{"4.10.4", "Lucene46FieldInfos", 2, true},
		{"5.0.0", "Lucene50FieldInfos", 0, true},
		{"5.2.1", "Lucene50FieldInfos", 1, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct memory_directory *memory = memory_directory_new(cases[i].fixture);
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
		struct field_infos infos = read_fields(memory, "_1", -1, &mem);
		const struct field_info *rank;

		assert_true(str_is(infos.format, cases[i].format));
		assert_int_equal(infos.version, cases[i].version);
		assert_non_null(field_infos_find(&infos, STR("_uid")));
		assert_non_null(field_infos_find(&infos, STR("_source")));
		assert_int_equal(field_infos_find(&infos, STR("_uid"))->doc_values,
				 DOC_VALUES_NONE);
		rank = field_infos_find(&infos, STR("rank"));
		assert_int_equal(rank != NULL, cases[i].updates);
		if (rank) {
			assert_int_equal(rank->doc_values, DOC_VALUES_NUMERIC);
			assert_int_equal(rank->doc_values_gen, -1);
			assert_non_null(
				field_info_attribute(rank, "PerFieldDocValuesFormat.format").ptr);
			infos = read_fields(memory, "_0", 1, &mem);
			rank = field_infos_find(&infos, STR("rank"));
			assert_int_equal(rank->doc_values_gen, 1);
		}
		memory_directory_free(memory);
	}
}

static int decode(struct str body, struct arena *mem, struct field_infos *out, struct err *err)
{
	return field_infos_decode(body, NULL, STR(""), mem, out, err);
}

#define HEADER_40              \
	"\x3f\xd7\x6c\x17\x12" \
	"Lucene40FieldInfos\0\0\0\0"
#define HEADER_46              \
	"\x3f\xd7\x6c\x17\x12" \
	"Lucene46FieldInfos\0\0\0\2"

/* Doc values types of Lucene 4.0 in the low half of the byte, those of norms in the high one. */
static void the_fourteen_types_of_lucene_4_0_become_three(void **state)
{
	static const enum doc_values_type expected[] = {
		DOC_VALUES_NONE,    DOC_VALUES_NUMERIC, DOC_VALUES_NUMERIC, DOC_VALUES_NUMERIC,
		DOC_VALUES_BINARY,  DOC_VALUES_BINARY,  DOC_VALUES_BINARY,  DOC_VALUES_BINARY,
		DOC_VALUES_NUMERIC, DOC_VALUES_NUMERIC, DOC_VALUES_NUMERIC, DOC_VALUES_NUMERIC,
		DOC_VALUES_SORTED,  DOC_VALUES_SORTED,
	};
	char body[] = HEADER_40 "\1"
				"\1a"
				"\0"
				"\1"
				"\xb0"
				"\0\0\0\0";
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	char *types = body + sizeof(body) - 6;
	struct field_infos infos;
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(expected); i++) {
		*types = (char)(0xb0 | i);
		assert_int_equal(decode(str_of(body, sizeof(body) - 1), &mem, &infos, &err), 0);
		assert_int_equal(infos.fields[0].doc_values, expected[i]);
		assert_int_equal(infos.fields[0].doc_values_gen, -1);
	}
	*types = (char)0xbe;
	assert_int_equal(decode(str_of(body, sizeof(body) - 1), &mem, &infos, &err), -ERR_FORMAT);
	assert_non_null(strstr(err.message, "'a' impossibly"));
}

static void impossible_fields_are_refused(void **state)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct field_infos infos;
	struct err err = {0};

	(void)state;
	assert_int_equal(decode(STR(HEADER_46 "\x7f"), &mem, &infos, &err), -ERR_FORMAT);
	assert_non_null(strstr(err.message, "127 fields"));
	/* A generation below -1; attributes beyond the end; one number twice. */
	assert_int_equal(decode(STR(HEADER_46 "\1"
					      "\1a"
					      "\0\1\1"
					      "\xff\xff\xff\xff\xff\xff\xff\xfe"
					      "\0\0\0\0"),
				&mem, &infos, &err),
			 -ERR_FORMAT);
	assert_int_equal(decode(STR(HEADER_46 "\1"
					      "\1a"
					      "\0\1\1"
					      "\xff\xff\xff\xff\xff\xff\xff\xff"
					      "\xff\xff\xff\xff"),
				&mem, &infos, &err),
			 -ERR_FORMAT);
	assert_int_equal(decode(STR(HEADER_40 "\2"
					      "\1a"
					      "\3\1\0"
					      "\0\0\0\0"
					      "\1b"
					      "\3\1\0"
					      "\0\0\0\0"),
				&mem, &infos, &err),
			 -ERR_FORMAT);
	assert_non_null(strstr(err.message, "two fields of number 3"));
	assert_int_equal(decode(STR(HEADER_40 "\0"
					      "x"),
				&mem, &infos, &err),
			 -ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_of_lucene_4_and_5_are_read),
		cmocka_unit_test(the_fourteen_types_of_lucene_4_0_become_three),
		cmocka_unit_test(impossible_fields_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
