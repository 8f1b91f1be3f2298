#include "lucene/soft_deletes.h"

#include "base/limits.h"
#include "memory_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct opened {
	struct memory_directory *memory;
	struct arena mem;
	struct segment_infos commit;
	struct field_infos base, newest;
};

/* Segment `segment` of a fixture, whose files lie outside of compound files. */
static void open_segment(struct opened *opened, const char *fixture, size_t segment)
{
	struct segment_commit *commit;
	struct err err = {0};

	opened->memory = memory_directory_new(fixture);
	opened->mem = ARENA_INIT(MIB(1));
	if (segment_infos_read(&opened->memory->directory, &opened->mem, &opened->commit, &err) < 0)
		fail_msg("%s", err.message);
	commit = &opened->commit.segments[segment];
	if (field_infos_read(&opened->memory->directory, commit->name, commit->field_infos_gen,
			     commit->id, &opened->mem, &opened->newest, &err) < 0)
		fail_msg("%s", err.message);
	opened->base = opened->newest;
}

static void close_segment(struct opened *opened)
{
	arena_release(&opened->mem);
	memory_directory_free(opened->memory);
}

static int apply(struct opened *opened, size_t segment, struct live_docs *live, struct err *err)
{
	struct lucene_directory *dir = &opened->memory->directory;

	const struct segment_files files = {.outer = dir,
					    .inner = dir,
					    .commit = &opened->commit.segments[segment],
					    .base = &opened->base,
					    .newest = &opened->newest,
					    .max_doc = live->max_doc};

	return soft_deletes_apply(&files, &opened->mem, live, err);
}

static void tombstones_in_the_base_files_are_dead(void **state)
{
	static const struct {
		const char *fixture;
		int32_t max_doc;
	} cases[] = {{"7.7.3", 7}, {"8.11.3-high", 4}, {"9.3.0", 7}, {"10.5.0", 7}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct live_docs live = {NULL, cases[i].max_doc, cases[i].max_doc};
		struct opened opened;
		struct err err = {0};

		open_segment(&opened, cases[i].fixture, 1);
		assert_int_equal(apply(&opened, 1, &live, &err), 0);
		assert_int_equal(live.live_count, cases[i].max_doc - 1);
		assert_false(live_docs_is_live(&live, cases[i].max_doc - 1));
		assert_true(live_docs_is_live(&live, 0));
		close_segment(&opened);
	}
}

static void the_newest_generation_replaces_the_base_files(void **state)
{
	struct live_docs live = {NULL, 9, 9};
	struct opened opened;
	struct err err = {0};

	(void)state;
	/* Documents 1 and 7, and 4, which is hard-deleted too and not counted as soft-deleted. */
	open_segment(&opened, "10.5.0", 0);
	opened.commit.segments[0].soft_del_count = 3;
	assert_int_equal(apply(&opened, 0, &live, &err), 0);
	assert_int_equal(live.live_count, 6);
	assert_false(live_docs_is_live(&live, 1));
	assert_false(live_docs_is_live(&live, 4));
	assert_false(live_docs_is_live(&live, 7));
	close_segment(&opened);
}

static void documents_that_are_dead_already_do_not_count_as_soft_deleted(void **state)
{
	uint64_t words[] = {0x1ff & ~(1 << 4)};
	struct live_docs live = {words, 9, 8};
	struct opened opened;
	struct err err = {0};

	(void)state;
	open_segment(&opened, "10.5.0", 0);
	assert_int_equal(apply(&opened, 0, &live, &err), 0);
	assert_int_equal(live.live_count, 6);
	close_segment(&opened);
}

static void nothing_is_read_where_nothing_is_soft_deleted(void **state)
{
	struct live_docs live = {NULL, 7, 7};
	struct opened opened;
	struct err err = {0};

	(void)state;
	open_segment(&opened, "10.5.0", 1);
	opened.commit.segments[1].soft_del_count = 0;
	memory_directory_remove(opened.memory, "_1_Lucene90_0.dvm");
	assert_int_equal(apply(&opened, 1, &live, &err), 0);
	assert_null(live.words);
	close_segment(&opened);
}

/* An update of Lucene 8.8 rewrites this attribute in the newest field infos, though the base files
 * stay as they were. */
static void base_files_are_read_by_the_base_field_infos(void **state)
{
	struct live_docs live = {NULL, 4, 4};
	struct field_info changed[64];
	struct opened opened;
	struct err err = {0};

	(void)state;
	open_segment(&opened, "8.11.3-high", 1);
	assert_true(opened.newest.count <= COUNT_OF(changed));
	memcpy(changed, opened.newest.fields, opened.newest.count * sizeof(*changed));
	opened.newest.fields = changed;
	for (size_t i = 0; i < opened.newest.count; i++)
		if (changed[i].doc_values == DOC_VALUES_BINARY)
			changed[i].attribute_count = 0;
	assert_int_equal(apply(&opened, 1, &live, &err), 0);
	assert_int_equal(live.live_count, 3);
	opened.base = opened.newest;
	assert_int_equal(apply(&opened, 1, &live, &err), -ERR_FORMAT);
	close_segment(&opened);
}

static void values_of_another_format_are_refused_by_name(void **state)
{
	struct live_docs live = {NULL, 7, 7};
	struct opened opened;
	struct memory_file *meta;
	struct err err = {0};

	(void)state;
	open_segment(&opened, "10.5.0", 1);
	meta = memory_directory_find(opened.memory, "_1_Lucene90_0.dvm");
	memcpy(meta->bytes.ptr + 5, "Lucene99", 8);
	memory_file_reseal(meta);
	assert_int_equal(apply(&opened, 1, &live, &err), -ERR_UNSUPPORTED);
	assert_non_null(strstr(err.message, "'Lucene99DocValuesMetadata'"));
	close_segment(&opened);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tombstones_in_the_base_files_are_dead),
		cmocka_unit_test(the_newest_generation_replaces_the_base_files),
		cmocka_unit_test(documents_that_are_dead_already_do_not_count_as_soft_deleted),
		cmocka_unit_test(nothing_is_read_where_nothing_is_soft_deleted),
		cmocka_unit_test(base_files_are_read_by_the_base_field_infos),
		cmocka_unit_test(values_of_another_format_are_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
