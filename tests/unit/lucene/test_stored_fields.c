#include "stored_file.h"

#include "lucene/stored_fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

/* Random documents of one bytes field each, some with none, and a file of them. */
struct corpus {
	struct buf text;
	struct stored_file_document *documents;
	struct memory_directory *dir;
	struct stored_file file;
	struct memory_file *fdt;
};

static void corpus_release(struct corpus *corpus)
{
	if (corpus->dir)
		memory_directory_free(corpus->dir);
	buf_release(&corpus->text);
	free(corpus->documents);
}

static void append_document(struct buf *out, size_t len, bool noise)
{
	stored_file_vint(out, 3 << 3 | STORED_BYTES);
	stored_file_vint(out, len);
	for (size_t i = 0; i < len; i++)
		buf_append_byte(out, noise ? (char)rand() : "{\"name\":\"value\"}"[i % 16]);
}

static struct corpus make_corpus(const struct stored_file_format *format, int32_t count,
				 int32_t per_chunk, size_t longest)
{
	struct corpus corpus = {.text = BUF_INIT(MIB(64))};
	size_t *starts = mem_alloc(((size_t)count + 1) * sizeof(*starts));

	corpus.documents = mem_zalloc((size_t)count * sizeof(*corpus.documents));
	for (int32_t i = 0; i < count; i++) {
		starts[i] = corpus.text.len;
		if (longest && rand() % 8)
			append_document(&corpus.text, (size_t)rand() % longest, rand() % 3 == 0);
	}
	starts[count] = corpus.text.len;
	for (int32_t i = 0; i < count; i++) {
		size_t len = starts[i + 1] - starts[i];

		corpus.documents[i].bytes = str_of(corpus.text.ptr + starts[i], len);
		corpus.documents[i].fields = len > 0;
	}
	free(starts);
	corpus.file = (struct stored_file){format, corpus.documents, count, per_chunk, 4096};
	corpus.dir = memory_directory_new(NULL);
	corpus.fdt = stored_file_write(corpus.dir, &corpus.file);
	return corpus;
}

static int open_corpus(const struct corpus *corpus, struct stored_fields **out, struct err *err)
{
	return stored_fields_open(&corpus->dir->directory, STR("_0"),
				  (const uint8_t *)STORED_FILE_ID, corpus->file.count, out, err);
}

/* Whether the chunk's documents are those of the corpus, bytes and fields. */
static bool chunk_matches(const struct corpus *corpus, const struct stored_chunk *chunk)
{
	for (int32_t i = 0; i < chunk->doc_count; i++) {
		const struct stored_file_document *want = &corpus->documents[chunk->first_doc + i];
		struct str got = str_of(chunk->bytes + chunk->starts[i],
					chunk->starts[i + 1] - chunk->starts[i]);

		if (!str_eq(got, want->bytes) || chunk->field_counts[i] != want->fields)
			return false;
	}
	return true;
}

/* Reads all: 0 when it ended well. *same: what came was that of the corpus. */
static int read_all(const struct corpus *corpus, const struct live_docs *live, bool *same,
		    int *skipped, struct err *err)
{
	struct stored_fields *fields = NULL;
	struct stored_chunk chunk;
	int32_t next = 0;
	int rc = open_corpus(corpus, &fields, err);

	*same = true;
	*skipped = 0;
	if (rc < 0)
		return rc;
	while ((rc = stored_fields_next_chunk(fields, live, &chunk, err)) > 0) {
		*same &= chunk.first_doc == next;
		next += chunk.doc_count;
		if (!chunk.bytes)
			++*skipped;
		else
			*same &= chunk_matches(corpus, &chunk);
	}
	*same &= next == corpus->file.count;
	stored_fields_close(fields);
	return rc;
}

static void expect_all(const struct corpus *corpus, const struct live_docs *live, int skipped)
{
	struct err err = {0};
	int skips, rc;
	bool same;

	rc = read_all(corpus, live, &same, &skips, &err);
	if (rc < 0)
		print_message("%s %d: %s\n", corpus->file.format->codec,
			      corpus->file.format->version, err.message);
	assert_int_equal(rc, 0);
	assert_true(same);
	assert_int_equal(skips, skipped);
}

static void every_generation_gives_back_what_was_written(void **state)
{
	(void)state;
	for (size_t f = 0; f < stored_file_format_count; f++) {
		for (int round = 0; round < 8; round++) {
			int32_t count = 1 + rand() % 700, per_chunk = 1 + rand() % 300;
			size_t longest = (size_t[]){0, 5, 60, 1000}[rand() % 4];
			cleanup(corpus_release) struct corpus corpus =
				make_corpus(&stored_file_formats[f], count, per_chunk, longest);

			expect_all(&corpus, NULL, 0);
		}
	}
}

static void documents_of_many_slices_come_whole(void **state)
{
	(void)state;
	for (size_t f = 0; f < stored_file_format_count; f++) {
		cleanup(corpus_release) struct corpus corpus =
			make_corpus(&stored_file_formats[f], 20, 2, 200000);

		expect_all(&corpus, NULL, 0);
	}
}

static void chunks_without_a_live_document_are_passed_over(void **state)
{
	uint64_t words[2] = {0};
	struct live_docs live = {words, 100, 2};

	(void)state;
	words[0] = UINT64_C(1) << 10; /* chunk 1 of 10 documents each */
	words[1] = UINT64_C(1) << 35; /* document 99, chunk 9 */
	for (size_t f = 0; f < stored_file_format_count; f++) {
		cleanup(corpus_release) struct corpus small =
			make_corpus(&stored_file_formats[f], 100, 10, 300);
		cleanup(corpus_release) struct corpus sliced =
			make_corpus(&stored_file_formats[f], 100, 10, 90000);

		expect_all(&small, &live, 8);
		expect_all(&sliced, &live, 8);
	}
}

static void a_segment_of_no_documents_is_an_end_at_once(void **state)
{
	(void)state;
	for (size_t f = 0; f < stored_file_format_count; f++) {
		cleanup(corpus_release) struct corpus corpus =
			make_corpus(&stored_file_formats[f], 0, 1, 1);

		expect_all(&corpus, NULL, 0);
	}
}

/* No flipped byte may end in other documents and a success, and none in a crash: once with the
 * checksum in the way, once past it. */
static void no_damage_goes_unnoticed(void **state)
{
	(void)state;
	for (size_t f = 0; f < stored_file_format_count; f++) {
		cleanup(corpus_release) struct corpus corpus =
			make_corpus(&stored_file_formats[f], 60, 13, 500);
		struct buf *bytes = &corpus.fdt->bytes;

		for (int round = 0; round < 250; round++) {
			cleanup(buf_release) struct buf copy = BUF_INIT(MIB(16));
			size_t at = (size_t)rand() % (round % 4 ? 200 : bytes->len);
			struct err err = {0};
			int skipped;
			bool same;

			buf_append_str(&copy, buf_str(bytes));
			bytes->ptr[at] = (char)(bytes->ptr[at] ^ (1 + rand() % 255));
			assert_true(read_all(&corpus, NULL, &same, &skipped, &err) < 0);
			memory_file_reseal(corpus.fdt);
			read_all(&corpus, NULL, &same, &skipped, &err);
			memcpy(bytes->ptr, copy.ptr, copy.len);
		}
	}
}

static void a_cut_file_is_refused(void **state)
{
	(void)state;
	for (size_t f = 0; f < stored_file_format_count; f++) {
		cleanup(corpus_release) struct corpus corpus =
			make_corpus(&stored_file_formats[f], 60, 13, 100);
		struct err err = {0};
		int skipped;
		bool same;

		while (corpus.fdt->bytes.len > 0) {
			size_t less = 1 + (size_t)rand() % 30;

			corpus.fdt->bytes.len -= MIN(less, corpus.fdt->bytes.len);
			assert_int_equal(read_all(&corpus, NULL, &same, &skipped, &err),
					 -ERR_FORMAT);
			memory_file_reseal(corpus.fdt);
			assert_int_equal(read_all(&corpus, NULL, &same, &skipped, &err),
					 -ERR_FORMAT);
		}
	}
}

/* A file with these bytes where the chunks should be, and all checksums right. */
static int read_body(const char *codec, int32_t version, struct str body, int32_t max_doc,
		     struct err *err)
{
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(1));
	struct memory_directory *dir = memory_directory_new(NULL);
	struct stored_fields *fields = NULL;
	struct stored_chunk chunk;
	int rc;

	stored_file_header(&out, codec, version);
	buf_append_str(&out, body);
	stored_file_footer(&out);
	memory_directory_add(dir, "_0.fdt", buf_str(&out));
	rc = stored_fields_open(&dir->directory, STR("_0"), NULL, max_doc, &fields, err);
	while (rc >= 0 && (rc = stored_fields_next_chunk(fields, NULL, &chunk, err)) > 0)
		;
	stored_fields_close(fields);
	memory_directory_free(dir);
	return rc;
}

static int read_50(struct str body, int32_t max_doc, struct err *err)
{
	return read_body("Lucene50StoredFieldsFastData", 0, body, max_doc, err);
}

/* Chunk size 0x40, packed ints 2; a chunk of 1 document, 1 field, 3 bytes. */
#define CHUNK_OF_3         \
	"\x02\x01\x03\x30" \
	"abc"

static void chunks_follow_one_another_to_the_last_document(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(read_50(STR("\x40\x02\x00" CHUNK_OF_3 "\x01" CHUNK_OF_3), 2, &err), 0);
	assert_int_equal(read_50(STR("\x40\x02\x00" CHUNK_OF_3 "\x02" CHUNK_OF_3), 2, &err),
			 -ERR_FORMAT);
	assert_non_null(strstr(err.message, "starts with document 2 instead of 1"));
	assert_int_equal(read_50(STR("\x40\x02\x00" CHUNK_OF_3), 2, &err), -ERR_FORMAT);
	assert_int_equal(read_50(STR("\x40\x02\x00" CHUNK_OF_3 "\x01" CHUNK_OF_3), 1, &err),
			 -ERR_FORMAT);
	assert_non_null(strstr(err.message, "between the last document and the footer"));
}

static void what_cannot_be_in_the_bytes_left_is_refused_before_memory_is_reserved(void **state)
{
	struct err err = {0};

	(void)state;
	/* One document of 1,000,000,000 bytes; then one above the limit. */
	assert_int_equal(read_50(STR("\x40\x02\x00\x02\x01\x80\x94\xeb\xdc\x03\x30"), 1, &err),
			 -ERR_FORMAT);
	assert_non_null(strstr(err.message, "cannot come of"));
	assert_int_equal(read_50(STR("\x40\x02\x00\x02\x01\xff\xff\xff\xff\x07\x30"), 1, &err),
			 -ERR_LIMIT);
	/* 2^20 documents in a chunk; no chunk of Lucene has more than 4096. */
	assert_int_equal(
		read_50(STR("\x40\x02\x00\x80\x80\x80\x01\x00\x00\x00\x00"), 1 << 21, &err),
		-ERR_FORMAT);
}

static void what_is_not_readable_is_named(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(read_body("StoredFieldsOfTomorrow", 1, STR_NONE, 1, &err),
			 -ERR_UNSUPPORTED);
	assert_non_null(strstr(err.message, "'StoredFieldsOfTomorrow'"));
	assert_non_null(strstr(err.message, "with shardlift copy"));
	assert_int_equal(read_body("Lucene41StoredFieldsData", 3, STR_NONE, 1, &err),
			 -ERR_UNSUPPORTED);
	assert_non_null(strstr(err.message, "Lucene41StoredFieldsData of version 3"));
	assert_int_equal(read_body("Lucene90StoredFieldsFastData", 2, STR_NONE, 1, &err),
			 -ERR_UNSUPPORTED);
	assert_non_null(strstr(err.message, "version 2"));
	assert_non_null(strstr(err.message, "with shardlift copy"));
}

static void hardware_codecs_are_refused_with_what_to_do(void **state)
{
	static const char *const codecs[] = {"QatStoredFieldsLz4", "QatStoredFieldsDeflate",
					     "QatStoredFieldsZstd", "CustomStoredFieldsQatDeflate",
					     "CustomStoredFieldsQatLz4"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(codecs); i++) {
		struct err err = {0};

		assert_int_equal(read_body(codecs[i], 1, STR_NONE, 1, &err), -ERR_UNSUPPORTED);
		assert_non_null(strstr(err.message, codecs[i]));
		assert_non_null(strstr(err.message, "reindex into an index with index.codec"));
	}
}

static void a_file_of_another_segment_is_refused(void **state)
{
	cleanup(corpus_release) struct corpus corpus =
		make_corpus(&stored_file_formats[0], 3, 2, 9);
	struct stored_fields *fields;
	struct err err = {0};

	(void)state;
	assert_int_equal(stored_fields_open(&corpus.dir->directory, STR("_0"),
					    (const uint8_t *)"another segment!", 3, &fields, &err),
			 -ERR_FORMAT);
	assert_non_null(strstr(err.message, "'_0.fdt': it belongs to another segment"));
}

int main(void)
{
	unsigned seed =
		getenv("SEED") ? (unsigned)strtoul(getenv("SEED"), NULL, 10) : (unsigned)time(NULL);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_generation_gives_back_what_was_written),
		cmocka_unit_test(documents_of_many_slices_come_whole),
		cmocka_unit_test(chunks_without_a_live_document_are_passed_over),
		cmocka_unit_test(a_segment_of_no_documents_is_an_end_at_once),
		cmocka_unit_test(no_damage_goes_unnoticed),
		cmocka_unit_test(a_cut_file_is_refused),
		cmocka_unit_test(chunks_follow_one_another_to_the_last_document),
		cmocka_unit_test(
			what_cannot_be_in_the_bytes_left_is_refused_before_memory_is_reserved),
		cmocka_unit_test(what_is_not_readable_is_named),
		cmocka_unit_test(hardware_codecs_are_refused_with_what_to_do),
		cmocka_unit_test(a_file_of_another_segment_is_refused),
	};

	printf("SEED=%u\n", seed);
	srand(seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
