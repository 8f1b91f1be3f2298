#include "base/crc32.h"
#include "base/limits.h"
#include "memory_directory.h"
#include "lucene/segment_reader.h"
#include "range_walk.h"
#include "stored_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define ROUNDS 60

static const char *const fixtures[] = {"4.0.0",       "4.1.0", "4.3.1", "4.6.1", "4.8.1",
				       "4.10.4",      "5.0.0", "5.2.1", "6.6.6", "7.7.3",
				       "8.11.3-high", "9.3.0", "10.5.0"};
/* Those whose files end in a checksum. */
#define WITHOUT_FOOTER 4

static void ranges_of_workers_that_stop_give_what_one_pass_gives(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(fixtures); i++) {
		struct memory_directory *memory = memory_directory_new(fixtures[i]);
		int stops, all_stops = 0;
		struct err err = {0};

		for (int deleted = 0; deleted < 2; deleted++) {
			if (range_walk_all(&memory->directory, deleted, ROUNDS, &stops, &err) < 0)
				fail_msg("%s: %s", fixtures[i], err.message);
			all_stops += stops;
		}
		assert_true(all_stops > 0);
		memory_directory_free(memory);
	}
}

/* A shard whose second segment has many chunks, in any format: the plain one of Lucene 6.6.6, which
 * has no deletes, with other stored fields. */
#define MAX_DOC_IN_SI 57
#define DOCUMENTS 700
#define DOCUMENTS_BEFORE 9

static void append_field(struct buf *out, int32_t number, enum stored_type type, struct str bytes)
{
	stored_file_vint(out, (uint64_t)number << 3 | type);
	stored_file_vint(out, bytes.len);
	buf_append_str(out, bytes);
}

static void append_document(struct buf *out, const struct field_infos *infos, int i)
{
	char text[32 + 300];
	int noise = rand() % 300;
	int n = snprintf(text, sizeof(text), "type#%d", i);

	append_field(out, field_infos_find(infos, STR("_uid"))->number, STORED_STRING,
		     str_of(text, (size_t)n));
	n = snprintf(text, sizeof(text), "{\"n\":%d,\"text\":\"", i);
	for (int k = 0; k < noise; k++)
		text[n++] = "abcdefghijklmnop"[rand() % 16];
	text[n++] = '"';
	text[n++] = '}';
	append_field(out, field_infos_find(infos, STR("_source"))->number, STORED_BYTES,
		     str_of(text, (size_t)n));
}

static void set_max_doc(struct memory_directory *memory, int32_t max_doc)
{
	struct memory_file *file = memory_directory_find(memory, "_1.si");
	uint32_t big = __builtin_bswap32((uint32_t)max_doc);

	memcpy(file->bytes.ptr + MAX_DOC_IN_SI, &big, sizeof(big));
	memory_file_reseal(file);
}

static struct memory_directory *large_shard(const struct stored_file_format *format)
{
	struct memory_directory *memory = memory_directory_new("6.6.6");
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));
	struct stored_file_document documents[DOCUMENTS];
	size_t ends[DOCUMENTS + 1] = {0};
	struct segment_infos infos;
	struct field_infos fields;
	struct err err = {0};

	if (segment_infos_read(&memory->directory, &mem, &infos, &err) < 0 ||
	    field_infos_read(&memory->directory, STR("_1"), -1, infos.segments[1].id, &mem, &fields,
			     &err) < 0)
		fail_msg("%s", err.message);
	for (int i = 0; i < DOCUMENTS; i++) {
		append_document(&text, &fields, i);
		ends[i + 1] = text.len;
	}
	for (int i = 0; i < DOCUMENTS; i++)
		documents[i] = (struct stored_file_document){
			str_of(text.ptr + ends[i], ends[i + 1] - ends[i]), 2};
	stored_file_write(memory, &(struct stored_file){.format = format,
							.documents = documents,
							.count = DOCUMENTS,
							.per_chunk = 1 + rand() % 20,
							.chunk_size = 1024,
							.segment = "_1",
							.id = (const char *)infos.segments[1].id});
	set_max_doc(memory, DOCUMENTS);
	return memory;
}

static void ranges_of_many_chunks_of_every_format_give_what_one_pass_gives(void **state)
{
	(void)state;
	for (size_t i = 0; i < stored_file_format_count; i++) {
		struct memory_directory *memory = large_shard(&stored_file_formats[i]);
		struct err err = {0};
		int stops;

		if (range_walk_all(&memory->directory, false, 10, &stops, &err) < 0)
			fail_msg("%s: %s", stored_file_formats[i].codec, err.message);
		assert_true(stops > 0);
		memory_directory_free(memory);
	}
}

/* In two pieces, and joined. */
static int read_in_pieces(struct memory_directory *memory, int64_t boundary, int64_t total_docs,
			  struct err *err)
{
	cleanup(range_walk_release) struct range_walk walk;

	range_walk_init(&walk, &memory->directory, true);
	if (range_walk_piece(&walk, 0, boundary, 0, err) < 0 ||
	    range_walk_piece(&walk, boundary, total_docs, 0, err) < 0)
		return -(int)err->kind;
	return range_walk_prove(&walk, err);
}

static void a_flipped_bit_is_found_when_the_parts_are_joined(void **state)
{
	size_t joined = 0;

	(void)state;
	for (size_t i = 0; i < stored_file_format_count; i++) {
		struct memory_directory *memory = large_shard(&stored_file_formats[i]);
		struct memory_file *file = memory_directory_find(memory, "_1.fdt");

		for (int round = 0; round < 40; round++) {
			size_t at = (size_t)rand() % file->bytes.len;
			char bit = (char)(1 << rand() % 8);
			struct err err = {0};

			file->bytes.ptr[at] ^= bit;
			if (read_in_pieces(memory, DOCUMENTS_BEFORE + 1 + rand() % (DOCUMENTS - 1),
					   DOCUMENTS_BEFORE + DOCUMENTS, &err) == 0)
				fail_msg("%s: byte %zu flipped, and two pieces agreed",
					 stored_file_formats[i].codec, at);
			joined += strstr(err.message, "are damaged before") != NULL;
			file->bytes.ptr[at] ^= bit;
		}
		memory_directory_free(memory);
	}
	assert_true(joined > 20);
}

/* A chunk in whose midst one range ends and the next begins is read twice; what only one of the two
 * readings shows is damage, too. */
static void a_chunk_that_two_ranges_share_is_the_same_to_both(void **state)
{
	(void)state;
	for (int round = 0; round < 60; round++) {
		const struct stored_file_format *format =
			&stored_file_formats[(size_t)rand() % stored_file_format_count];
		struct memory_directory *memory = large_shard(format);
		struct memory_file *file = memory_directory_find(memory, "_1.fdt");
		cleanup(stored_index_release) struct stored_index index = {0};
		cleanup(range_walk_release) struct range_walk walk;
		size_t chunk = 0;
		int32_t boundary = 1 + rand() % (DOCUMENTS - 30);
		struct err err = {0};
		bool second = rand() % 2;
		char *byte;

		assert_int_equal(stored_index_read(&memory->directory, STR("_1"), NULL, DOCUMENTS,
						   &index, &err),
				 0);
		while (index.starts[chunk + 1].doc <= boundary)
			chunk++;
		range_walk_init(&walk, &memory->directory, false);
		if (index.starts[chunk].doc < boundary) {
			byte = file->bytes.ptr + index.starts[chunk].position +
			       (size_t)rand() % (index.starts[chunk + 1].position -
						 index.starts[chunk].position);
			*byte ^= (char)(second ? 0 : 4);
			if (range_walk_piece(&walk, 0, DOCUMENTS_BEFORE + boundary, 0, &err) == 0) {
				*byte ^= 4;
				if (range_walk_piece(&walk, DOCUMENTS_BEFORE + boundary,
						     DOCUMENTS_BEFORE + DOCUMENTS, 0, &err) == 0)
					assert_int_equal(range_walk_prove(&walk, &err),
							 -ERR_FORMAT);
			}
		}
		memory_directory_free(memory);
	}
}

/* The same for all bytes of small files that the real Lucene wrote. */
static void a_flipped_bit_in_files_of_lucene_is_found_by_two_pieces(void **state)
{
	(void)state;
	for (size_t i = WITHOUT_FOOTER; i < COUNT_OF(fixtures); i++) {
		struct memory_directory *memory = memory_directory_new(fixtures[i]);
		struct memory_file *file = memory_directory_find(memory, "_1.fdt");

		for (size_t at = 0; at < file->bytes.len; at++) {
			char bit = (char)(1 << rand() % 8);
			struct err err = {0};

			file->bytes.ptr[at] ^= bit;
			if (read_in_pieces(memory, rand() % 17, 17, &err) == 0)
				fail_msg("%s: byte %zu flipped, and two pieces agreed", fixtures[i],
					 at);
			file->bytes.ptr[at] ^= bit;
		}
		memory_directory_free(memory);
	}
}

/* Whatever the index says: an error, or the documents as they are. */
static void a_damaged_index_gives_no_other_documents(void **state)
{
	static const char *const names[] = {"_1.fdx", "_1.fdm"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(fixtures) * 2; i++) {
		struct memory_directory *memory = memory_directory_new(fixtures[i / 2]);
		struct memory_file *file = memory_directory_find(memory, names[i % 2]);

		for (size_t at = 0; file && at < file->bytes.len; at++) {
			cleanup(buf_release) struct buf intact = BUF_INIT(MIB(1));
			struct err err = {0};
			int stops;

			buf_append_str(&intact, buf_str(&file->bytes));
			file->bytes.ptr[at] ^= (char)(1 << rand() % 8);
			if (i / 2 >= WITHOUT_FOOTER)
				memory_file_reseal(file);
			if (range_walk_all(&memory->directory, true, 2, &stops, &err) < 0 &&
			    err.kind == ERR_UNREADABLE)
				fail_msg("%s: byte %zu of %s flipped: %s", fixtures[i / 2], at,
					 names[i % 2], err.message);
			memcpy(file->bytes.ptr, intact.ptr, intact.len);
		}
		memory_directory_free(memory);
	}
}

static void without_an_index_a_range_is_read_from_the_start(void **state)
{
	(void)state;
	/* Lucene 4.0 cannot be read at all without one. */
	for (size_t i = 1; i < COUNT_OF(fixtures); i++) {
		struct memory_directory *memory = memory_directory_new(fixtures[i]);
		struct err err = {0};
		int stops;

		memory_directory_remove(memory, "_1.fdx");
		if (range_walk_all(&memory->directory, false, ROUNDS, &stops, &err) < 0)
			fail_msg("%s: %s", fixtures[i], err.message);
		memory_directory_free(memory);
	}
}

/* Counts what is opened. */
struct watched {
	struct lucene_directory directory;
	struct lucene_directory *inner;
	const char *name; /* of this file */
	int opened;
};

static int watched_list(struct lucene_directory *dir, struct arena *mem, struct str **names,
			size_t *count, struct err *err)
{
	return lucene_directory_list(((struct watched *)dir)->inner, mem, names, count, err);
}

static int watched_open(struct lucene_directory *dir, struct str name, struct bytes_source **out,
			struct err *err)
{
	struct watched *watched = (struct watched *)dir;

	watched->opened += str_is(name, watched->name);
	return lucene_directory_open(watched->inner, name, out, err);
}

static void a_segment_outside_of_the_range_is_not_opened(void **state)
{
	static const struct lucene_directory_ops ops = {watched_list, watched_open, NULL};
	struct memory_directory *memory = memory_directory_new("10.5.0");
	struct watched watched = {{&ops, memory->directory.name}, &memory->directory, "_1.fdt", 0};
	cleanup(range_walk_release) struct range_walk walk;
	struct err err = {0};

	(void)state;
	range_walk_init(&walk, &watched.directory, false);
	assert_int_equal(range_walk_piece(&walk, 0, 9, 0, &err), 0);
	assert_int_equal(watched.opened, 0);
	watched.name = "_0.cfs";
	assert_int_equal(walk.count, 5);
	walk.count = 0;
	assert_int_equal(range_walk_piece(&walk, 9, INT64_MAX, 0, &err), 0);
	assert_int_equal(watched.opened, 0);
	assert_int_equal(walk.count, 3);
	/* The segment that a range begins with, whole. */
	assert_int_equal(walk.part_count, 2);
	memory_directory_free(memory);
}

static void a_range_of_nothing_has_no_documents(void **state)
{
	struct memory_directory *memory = memory_directory_new("10.5.0");
	const struct lucene_documents_options options = {.first_doc = 1000};
	struct document_source *source;
	struct document document;
	struct err err = {0};

	(void)state;
	assert_int_equal(lucene_documents_open(&memory->directory, &options, &source, &err), 0);
	assert_int_equal(source->total_bytes, 0);
	assert_int_equal(document_source_next(source, &document, &err), 0);
	document_source_close(source);
	memory_directory_free(memory);
}

static struct checksum_part part_of(const char *bytes, size_t offset, size_t length, size_t total)
{
	bool at_end = offset + length == total;

	return (struct checksum_part){.segment = STR("_7"),
				      .offset = offset,
				      .length = length,
				      .crc = crc32_update(0, bytes + offset, length),
				      .file_length = total,
				      .expected = at_end ? crc32_update(0, bytes, total) : 0,
				      .at_end = at_end};
}

static void parts_join_in_any_order_and_gaps_are_not_complete(void **state)
{
	static const char bytes[] = "what lies in a file of stored fields";
	struct checksum_part parts[4];
	bool complete;
	struct err err;

	(void)state;
	parts[0] = part_of(bytes, 20, 16, 36);
	parts[1] = part_of(bytes, 0, 7, 36);
	parts[2] = part_of(bytes, 7, 13, 36);
	parts[3] = part_of(bytes, 7, 2, 36); /* leads nowhere */
	assert_int_equal(checksum_parts_join(parts, 4, &complete, &err), 0);
	assert_true(complete);
	parts[0] = parts[3]; /* they are sorted now */
	assert_int_equal(checksum_parts_join(parts, 4, &complete, &err), 0);
	assert_false(complete);
	assert_int_equal(checksum_parts_join(parts, 0, &complete, &err), 0);
	assert_false(complete);
}

static void readings_that_differ_are_damage(void **state)
{
	static const char bytes[] = "what lies in a file of stored fields";
	struct checksum_part parts[3];
	bool complete;
	struct err err;

	(void)state;
	parts[0] = part_of(bytes, 0, 7, 36);
	parts[1] = part_of(bytes, 0, 7, 36);
	parts[1].crc ^= 1;
	parts[2] = part_of(bytes, 7, 29, 36);
	assert_int_equal(checksum_parts_join(parts, 3, &complete, &err), -ERR_FORMAT);
	assert_non_null(strstr(err.message, "segment '_7'"));
	parts[0] = parts[1] = part_of(bytes, 0, 7, 36);
	parts[2].length++;
	assert_int_equal(checksum_parts_join(parts, 3, &complete, &err), -ERR_FORMAT);
}

static void pieces_are_about_as_large_as_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < stored_file_format_count; i++) {
		struct memory_directory *memory = large_shard(&stored_file_formats[i]);
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
		int64_t *starts, total_docs;
		uint64_t *sizes, whole, sum = 0;
		struct err err = {0};
		size_t count;

		assert_int_equal(lucene_documents_divide(&memory->directory, UINT64_MAX, &mem,
							 &starts, &sizes, &count, &total_docs,
							 &err),
				 0);
		assert_int_equal(count, 1);
		assert_int_equal(starts[0], 0);
		assert_int_equal(total_docs, DOCUMENTS_BEFORE + DOCUMENTS);
		whole = sizes[0];
		assert_int_equal(lucene_documents_divide(&memory->directory, whole / 4, &mem,
							 &starts, &sizes, &count, &total_docs,
							 &err),
				 0);
		assert_int_equal(count, 4);
		for (size_t k = 0; k < count; k++) {
			assert_true(k == 0 || starts[k] > starts[k - 1]);
			/* A chunk has 20 documents of 350 bytes at most. */
			assert_in_range(sizes[k], whole / 4 - 7500, whole / 4 + 7500);
			sum += sizes[k];
		}
		assert_int_equal(sum, whole);
		memory_directory_free(memory);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_of_workers_that_stop_give_what_one_pass_gives),
		cmocka_unit_test(ranges_of_many_chunks_of_every_format_give_what_one_pass_gives),
		cmocka_unit_test(a_flipped_bit_is_found_when_the_parts_are_joined),
		cmocka_unit_test(a_chunk_that_two_ranges_share_is_the_same_to_both),
		cmocka_unit_test(a_flipped_bit_in_files_of_lucene_is_found_by_two_pieces),
		cmocka_unit_test(a_damaged_index_gives_no_other_documents),
		cmocka_unit_test(without_an_index_a_range_is_read_from_the_start),
		cmocka_unit_test(a_segment_outside_of_the_range_is_not_opened),
		cmocka_unit_test(a_range_of_nothing_has_no_documents),
		cmocka_unit_test(parts_join_in_any_order_and_gaps_are_not_complete),
		cmocka_unit_test(readings_that_differ_are_damage),
		cmocka_unit_test(pieces_are_about_as_large_as_asked_for),
	};
	const char *given = getenv("SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : 1;

	printf("seed %u\n", seed);
	srand(seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
