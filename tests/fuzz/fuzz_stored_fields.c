/* u8 generation, LE16 documents, u8 chunks, then the bytes of the chunks: all around them is put
 * right, the checksums too. All documents come, or an error. */
#include "fuzz.h"
#include "lucene/stored_fields.h"
#include "stored_file.h"

static int read_fields(const struct stored_fields *fields, const struct stored_chunk *chunk,
		       struct err *err)
{
	struct stored_field field;
	int got = 0;

	for (int32_t i = 0; i < chunk->doc_count; i++) {
		struct stored_field_cursor cursor = stored_field_cursor_at(fields, chunk, i);
		volatile char last;

		while ((got = stored_field_next(&cursor, &field, err)) > 0)
			if (field.bytes.len)
				last = field.bytes.ptr[field.bytes.len - 1];
		(void)last;
	}
	return got;
}

static void pass(struct memory_directory *dir, int32_t max_doc, const struct live_docs *live)
{
	struct stored_fields *fields;
	struct stored_chunk chunk;
	struct err err = {0};
	int32_t next = 0;
	int got;

	if (stored_fields_open(&dir->directory, STR("_0"), NULL, max_doc, &fields, &err) < 0)
		return;
	while ((got = stored_fields_next_chunk(fields, live, &chunk, &err)) > 0) {
		if (chunk.first_doc != next)
			BUG("a chunk is missing");
		next += chunk.doc_count;
		if (chunk.bytes)
			read_fields(fields, &chunk, &err);
	}
	if (got == 0 && next != max_doc)
		BUG("documents are missing at a good end");
	stored_fields_close(fields);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t none[65536 / 64];
	struct stored_file file = {.chunk_size = 256};
	struct memory_directory *dir;
	struct live_docs dead = {.words = none};

	if (size < 4 || size > KIB(256))
		return 0;
	file.format = &stored_file_formats[data[0] % stored_file_format_count];
	file.count = data[1] | data[2] << 8;
	dead.max_doc = file.count;
	dir = memory_directory_new(NULL);
	stored_file_wrap(dir, &file, str_of(data + 4, size - 4), data[3]);
	pass(dir, file.count, NULL);
	pass(dir, file.count, &dead);
	memory_directory_free(dir);
	return 0;
}
