#include "snapshot/file_checksum.h"
#include "memory_store.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* Of "abc". */
#define ADLER_32 0x024d0127u

struct fixture {
	struct arena mem;
	struct snapshot_file file;
	struct err err;
};

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	f->mem = ARENA_INIT(MIB(1));
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

static int read_entry(struct fixture *f, const char *text)
{
	struct json *entry;

	f->file = (struct snapshot_file){0};
	if (json_parse(str_from(text), &f->mem, &entry, &f->err) < 0)
		fail_msg("%s", f->err.message);
	return file_checksum_read(entry, &f->file, &f->err);
}

static int check(struct fixture *f, struct str content)
{
	cleanup(bytes_source_closep) struct bytes_source *source =
		memory_source_new(content, STR("_0.x"));

	return file_checksum_check(&f->file, source, &f->err);
}

static void the_writer_tells_footers_from_sums_of_the_whole(void **state)
{
	static const struct {
		const char *written_by;
		enum file_checksum kind;
	} writers[] = {
		{"3.6.2", FILE_CHECKSUM_WHOLE},       {"4.0", FILE_CHECKSUM_WHOLE},
		{"4.6.1", FILE_CHECKSUM_WHOLE},       {"4.7.2", FILE_CHECKSUM_WHOLE},
		{"4.8.0", FILE_CHECKSUM_FOOTER},      {"4.10.4", FILE_CHECKSUM_FOOTER},
		{"5.5.4", FILE_CHECKSUM_FOOTER},      {"8.11.3", FILE_CHECKSUM_FOOTER},
		{"10.0.0", FILE_CHECKSUM_FOOTER},     {"LUCENE_47", FILE_CHECKSUM_WHOLE},
		{"LUCENE_48", FILE_CHECKSUM_FOOTER},  {"LUCENE_4_7", FILE_CHECKSUM_WHOLE},
		{"LUCENE_4_9", FILE_CHECKSUM_FOOTER}, {"", FILE_CHECKSUM_WHOLE},
		{"none", FILE_CHECKSUM_WHOLE},        {".", FILE_CHECKSUM_WHOLE},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(writers); i++) {
		struct str text =
			arena_printf(&f->mem, "{\"checksum\":\"z\",\"written_by\":\"%s\"}",
				     writers[i].written_by);

		assert_int_equal(read_entry(f, text.ptr), 0);
		if (f->file.checksum_kind != writers[i].kind)
			fail_msg("'%s'", writers[i].written_by);
		assert_int_equal(f->file.checksum, 35);
	}
	assert_int_equal(read_entry(f, "{\"checksum\":\"z\"}"), 0);
	assert_int_equal(f->file.checksum_kind, FILE_CHECKSUM_WHOLE);
}

static void a_file_may_have_no_checksum(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_entry(f, "{\"written_by\":\"4.7.2\"}"), 0);
	assert_int_equal(f->file.checksum_kind, FILE_CHECKSUM_NONE);
	assert_int_equal(check(f, STR("anything")), 0);
}

static void what_is_no_checksum_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_entry(f, "{\"checksum\":\"A-\"}"), -ERR_FORMAT);
	assert_int_equal(read_entry(f, "{\"checksum\":\"1z141z4\"}"), -ERR_FORMAT);
}

static void all_bytes_count_where_there_is_no_footer(void **state)
{
	struct fixture *f = *state;

	f->file.checksum_kind = FILE_CHECKSUM_WHOLE;
	f->file.checksum = ADLER_32;
	assert_int_equal(check(f, STR("abc")), 0);
	assert_int_equal(check(f, STR("abd")), -ERR_FORMAT);
	assert_non_null(strstr(f->err.message, "Adler-32 024e0128"));
	assert_int_equal(check(f, STR("abc\0")), -ERR_FORMAT);
	f->file.checksum = 1;
	assert_int_equal(check(f, STR("")), 0);
}

static void bytes_past_the_first_buffer_count_too(void **state)
{
	struct fixture *f = *state;
	size_t len = KIB(200) + 1;
	char *bytes = arena_zalloc(&f->mem, len, 1);

	f->file.checksum_kind = FILE_CHECKSUM_WHOLE;
	/* Of n zeros: n mod 65521, and 1. */
	f->file.checksum = (uint32_t)(len % 65521) << 16 | 1;
	assert_int_equal(check(f, str_of(bytes, len)), 0);
	bytes[len - 1] = 1;
	assert_int_equal(check(f, str_of(bytes, len)), -ERR_FORMAT);
}

static void a_footer_is_held_against_the_list(void **state)
{
	struct fixture *f = *state;
	struct str file = with_footer("text", &f->mem, &f->file.checksum);

	f->file.checksum_kind = FILE_CHECKSUM_FOOTER;
	assert_int_equal(check(f, file), 0);
	assert_int_equal(check(f, STR("too short")), -ERR_FORMAT);
	assert_int_equal(check(f, STR("long enough, and without a footer")), -ERR_FORMAT);
	f->file.checksum++;
	assert_int_equal(check(f, file), -ERR_FORMAT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_writer_tells_footers_from_sums_of_the_whole),
		TEST(a_file_may_have_no_checksum),
		TEST(what_is_no_checksum_is_refused),
		TEST(all_bytes_count_where_there_is_no_footer),
		TEST(bytes_past_the_first_buffer_count_too),
		TEST(a_footer_is_held_against_the_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
