#include "lucene/terms.h"

#include "lucene/column.h"
#include "lucene/inversion.h"
#include "memory_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define DOCUMENTS 700

/* A segment of documents {"n": i, "t": text, "k": ["b0", "k3"]} that Elasticsearch wrote. */
struct segment {
	struct memory_directory *memory;
	struct arena mem;
	struct segment_reader *reader;
	struct column *numbers;
};

static void open_segment(struct segment *s)
{
	struct segment_infos infos;
	struct err err = {0};

	s->memory = memory_directory_new("es-8.19.21");
	s->mem = ARENA_INIT(MIB(16));
	assert_int_equal(segment_infos_read(&s->memory->directory, &s->mem, &infos, &err), 0);
	assert_int_equal(infos.count, 1);
	assert_int_equal(
		segment_reader_open(&s->memory->directory, &infos.segments[0], &s->reader, &err),
		0);
	assert_int_equal(s->reader->info.max_doc, DOCUMENTS);
	assert_int_equal(column_open(s->reader, STR("n"), &s->numbers, &err), 0);
}

static void close_segment(struct segment *s)
{
	column_close(s->numbers);
	segment_reader_close(s->reader);
	arena_release(&s->mem);
	memory_directory_free(s->memory);
}

static int number_of(struct segment *s, int32_t doc)
{
	struct column_values values;
	struct err err = {0};

	assert_int_equal(column_get(s->numbers, doc, &values, &err), 0);
	assert_int_equal(values.count, 1);
	return (int)values.numbers[0];
}

/* What was sent: more and less than a block, dense and with gaps. */
static void text_of(int i, struct buf *out)
{
	for (int k = 0; k <= i % 3; k++)
		buf_append_str(out, STR("all "));
	if (i % 200 < 140)
		buf_append_str(out, STR("spiky "));
	if (i % 97 == 0)
		buf_append_str(out, STR("rare "));
	buf_printf(out, "w%d ", i % 10);
}

static void keywords_of(int i, struct buf *out)
{
	buf_printf(out, "b%d k%d ", i % 2, i % 7);
}

static void assert_terms(struct str field, bool positions, void (*expect)(int, struct buf *))
{
	cleanup(buf_release) struct buf got = BUF_INIT(KIB(4)), want = BUF_INIT(KIB(4));
	struct segment s;
	struct inversion *inversion;
	struct inverted_values values;
	struct err err = {0};

	open_segment(&s);
	assert_int_equal(
		terms_invert(s.reader, field, positions, STR(""), MIB(16), &inversion, &err), 0);
	for (int32_t doc = 0; doc < DOCUMENTS; doc++) {
		buf_reset(&got);
		buf_reset(&want);
		expect(number_of(&s, doc), &want);
		inversion_get(inversion, doc, &values);
		for (size_t i = 0; i < values.count; i++) {
			assert_int_equal(values.list[i].position, positions ? (int)i : -1);
			buf_append_str(&got, values.list[i].bytes);
			buf_append_byte(&got, ' ');
		}
		assert_string_equal(buf_cstr(&got), buf_cstr(&want));
	}
	inversion_free(inversion);
	close_segment(&s);
}

static void text_of_elasticsearch_8_comes_back_by_its_positions(void **state)
{
	(void)state;
	assert_terms(STR("t"), true, text_of);
}

static void keywords_of_elasticsearch_8_come_back(void **state)
{
	(void)state;
	assert_terms(STR("k"), false, keywords_of);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_of_elasticsearch_8_comes_back_by_its_positions),
		cmocka_unit_test(keywords_of_elasticsearch_8_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
