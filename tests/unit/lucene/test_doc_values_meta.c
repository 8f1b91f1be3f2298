#include "lucene/doc_values_meta.h"

#include "base/limits.h"
#include "lucene/codec_file.h"
#include "memory_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct fixture {
	const char *name, *suffix;
};

static const struct fixture fixtures[] = {
	{"7.7.3", "Lucene70_0"},
	{"8.11.3-high", "Lucene80_0"},
	{"9.3.0", "Lucene90_0"},
	{"10.5.0", "Lucene90_0"},
};

/* The base values of segment _1, where one tombstone of 4 or 7 documents is soft-deleted. */
static struct doc_values_meta walk(struct memory_directory *memory, const char *suffix,
				   const char *field)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct str name = arena_printf(&mem, "_1_%s.dvm", suffix), body;
	struct doc_values_meta meta;
	struct field_infos infos;
	struct err err = {0};

	if (field_infos_read(&memory->directory, STR("_1"), -1, NULL, &mem, &infos, &err) < 0 ||
	    lucene_file_read(&memory->directory, name, &mem, &body, &err) < 0 ||
	    doc_values_meta_decode(body, NULL, str_from(suffix), &infos,
				   field_infos_find(&infos, str_from(field))->number, 1000, &meta,
				   &err) < 0)
		fail_msg("%s", err.message);
	return meta;
}

static void the_set_of_documents_is_found_among_entries_of_all_types(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(fixtures); i++) {
		struct memory_directory *memory = memory_directory_new(fixtures[i].name);
		struct doc_values_meta meta = walk(memory, fixtures[i].suffix, "__soft_deletes");

		assert_true(meta.found);
		assert_true(meta.docs.offset > 0);
		/* One block of one document, and the end. */
		assert_int_equal(meta.docs.length, 12);
		memory_directory_free(memory);
	}
}

static void a_field_that_is_not_numeric_is_not_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(fixtures); i++) {
		struct memory_directory *memory = memory_directory_new(fixtures[i].name);

		assert_false(walk(memory, fixtures[i].suffix, "set").found);
		memory_directory_free(memory);
	}
}

static void every_cut_of_the_metadata_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(fixtures); i++) {
		struct memory_directory *memory = memory_directory_new(fixtures[i].name);
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
		struct str name = arena_printf(&mem, "_1_%s.dvm", fixtures[i].suffix), body, cut;
		struct doc_values_meta meta;
		struct field_infos infos;
		struct err err = {0};

		field_infos_read(&memory->directory, STR("_1"), -1, NULL, &mem, &infos, &err);
		lucene_file_read(&memory->directory, name, &mem, &body, &err);
		for (cut = body; cut.len > 0;) {
			cut.len--;
			assert_true(doc_values_meta_decode(cut, NULL, str_from(fixtures[i].suffix),
							   &infos, 0, 1000, &meta, &err) < 0);
		}
		memory_directory_free(memory);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_set_of_documents_is_found_among_entries_of_all_types),
		cmocka_unit_test(a_field_that_is_not_numeric_is_not_found),
		cmocka_unit_test(every_cut_of_the_metadata_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
