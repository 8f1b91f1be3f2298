#include "lucene/terms.h"

#include "base/small_file.h"
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

static void write_field(struct segment_reader *reader, size_t segment, struct str field,
			struct buf *out)
{
	struct inversion *inversion;
	struct inverted_values values;
	struct err err = {0};

	for (int positions = 0; positions < 2; positions++) {
		if (terms_invert(reader, field, positions, STR(""), MIB(16), &inversion, &err) < 0)
			fail_msg("%s", err.message);
		for (int32_t doc = 0; inversion && doc < reader->info.max_doc; doc++) {
			buf_printf(out, "\n%zu " STR_FMT " %d: ", segment, STR_ARG(field), doc);
			inversion_get(inversion, doc, &values);
			for (size_t i = 0; i < values.count; i++) {
				buf_append_str(out, values.list[i].bytes);
				buf_printf(out, "@%d ", values.list[i].position);
			}
		}
		inversion_free(inversion);
	}
}

/* All that a seed of the fuzz target lucene_segment has in terms, as lines of text. */
static void write_terms(const char *seed, struct buf *out)
{
	cleanup(buf_release) struct buf packed = BUF_INIT(MIB(1)), path = BUF_INIT(LIMIT_PATH);
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct memory_directory *memory = memory_directory_new(NULL);
	struct segment_reader *reader;
	struct segment_infos infos;
	struct err err = {0};

	buf_printf(&path, "%s/../../fuzz/corpus/lucene_segment/%s", LUCENE_FIXTURES, seed);
	assert_int_equal(small_file_read(buf_cstr(&path), &packed, &err), 1);
	memory_directory_unpack(memory, buf_str(&packed));
	assert_int_equal(segment_infos_read(&memory->directory, &mem, &infos, &err), 0);
	for (size_t i = 0; i < infos.count; i++) {
		/* Compound ones are not in the seed. */
		if (segment_reader_open(&memory->directory, &infos.segments[i], &reader, &err) <
		    0) {
			assert_int_equal(err.kind, ERR_NOT_FOUND);
			continue;
		}
		for (size_t f = 0; f < reader->field_infos.count; f++)
			write_field(reader, i, reader->field_infos.fields[f].name, out);
		segment_reader_close(reader);
	}
	memory_directory_free(memory);
}

/* The same documents, written by each: 4.1 has a term's metadata in one part, the others in two. */
static void lucene_4_1_has_the_terms_that_later_ones_have(void **state)
{
	static const char *const later[] = {"4.9.1-terms", "5.5.5-terms"};
	cleanup(buf_release) struct buf first = BUF_INIT(MIB(16)), other = BUF_INIT(MIB(16));

	(void)state;
	write_terms("4.1.0-terms", &first);
	assert_true(first.len > KIB(64));
	for (size_t i = 0; i < COUNT_OF(later); i++) {
		buf_reset(&other);
		write_terms(later[i], &other);
		assert_int_equal(first.len, other.len);
		assert_memory_equal(first.ptr, other.ptr, first.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_of_elasticsearch_8_comes_back_by_its_positions),
		cmocka_unit_test(keywords_of_elasticsearch_8_come_back),
		cmocka_unit_test(lucene_4_1_has_the_terms_that_later_ones_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
