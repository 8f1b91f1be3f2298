#include "lucene/terms_internal.h"

#include "base/buf.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define LEVELS 60
#define LEVEL_BYTES 8

/* Blocks each of which leads twice to the one before: 2^60 ways from the last to the first. */
static void blocks_are_met_once(void **state)
{
	static const char leaf[] = {1, 1, 0, 0};
	cleanup(buf_release) struct buf tim = BUF_INIT(KIB(4));
	const struct terms_format format = {.bounds = true};
	struct terms_field field = {.terms = 1ULL << 62, .found = true};
	struct postings postings = {.format = postings_format_find(STR("Lucene50")),
				    .options = INDEX_DOCS};
	struct inversion *inversion;
	struct byte_stream stream;
	struct bytes_source *source;
	struct err err = {0};

	(void)state;
	buf_append(&tim, leaf, sizeof(leaf));
	for (int i = 0; i < LEVELS; i++) {
		char back = i == 0 ? sizeof(leaf) : LEVEL_BYTES;
		const char block[LEVEL_BYTES] = {5, 8, 1, back, 1, back, 0, 0};

		field.root = tim.len;
		buf_append(&tim, block, sizeof(block));
	}
	assert_int_equal(inversion_new(1, 1, MIB(1), &inversion, &err), 0);
	source = memory_source_new(buf_str(&tim), STR("tim"));
	byte_stream_init(&stream, source, tim.len, false);
	assert_int_equal(terms_walk(&stream, &format, &field, &postings, inversion, &err),
			 -ERR_FORMAT);
	assert_non_null(strstr(err.message, "lead to one another"));
	byte_stream_release(&stream);
	bytes_source_close(source);
	inversion_free(inversion);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(blocks_are_met_once)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
