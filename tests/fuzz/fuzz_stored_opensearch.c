/* Chunks of OpenSearch's stored fields, past the checksum that would stop a fuzzer: the first byte
 * chooses the codec, the next the number of documents, the rest is what lies between the header and
 * the footer of the .fdt. */
#include "lucene/stored_fields.h"
#include "stored_file.h"
#include "fuzz.h"

static void append_be(struct buf *out, uint64_t value, int bytes)
{
	while (bytes-- > 0)
		buf_append_byte(out, (char)(value >> 8 * bytes));
}

static void append_le(struct buf *out, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		buf_append_byte(out, (char)(value >> 8 * i));
}

/* Says nothing of the number of chunks that could be wrong: entries as many as fit. */
static void add_meta(struct memory_directory *dir, uint8_t documents, uint64_t end)
{
	cleanup(buf_release) struct buf out = BUF_INIT(KIB(4));

	stored_file_header(&out, "Lucene90FieldsIndexMeta", 1);
	stored_file_vint(&out, 256);
	append_le(&out, documents, 4);
	append_le(&out, 10, 4);
	append_le(&out, 2, 4);
	for (int section = 0; section < 2; section++) {
		append_be(&out, 0, 8);
		append_be(&out, 0, 8);
		append_be(&out, 0, 8);
		append_be(&out, 0, 5);
	}
	append_le(&out, 0, 8);
	append_le(&out, end, 8);
	append_be(&out, 0, 3);
	stored_file_footer(&out);
	memory_directory_add(dir, "_0.fdm", buf_str(&out));
}

static void read_all(struct stored_fields *fields)
{
	struct stored_chunk chunk;
	struct stored_field field;
	struct err err = {0};
	volatile uint8_t sum = 0;
	int rc;

	while ((rc = stored_fields_next_chunk(fields, NULL, &chunk, &err)) > 0) {
		for (int32_t i = 0; i < chunk.doc_count; i++) {
			struct stored_field_cursor cursor =
				stored_field_cursor_at(fields, &chunk, i);

			while (stored_field_next(&cursor, &field, &err) > 0)
				if (field.bytes.len > 0)
					sum = (uint8_t)(sum + (uint8_t)field.bytes
								      .ptr[field.bytes.len - 1]);
		}
	}
	if (rc < 0 && !err.message[0])
		BUG("an error that says nothing");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const codecs[] = {
		"CustomStoredFieldsZstd", "CustomStoredFieldsZstdNoDict", "CustomStoredFieldsLz4"};
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(64));
	struct memory_directory *dir;
	struct stored_fields *fields;
	struct err err = {0};

	if (size < 2)
		return 0;
	dir = memory_directory_new(NULL);
	stored_file_header(&out, codecs[data[0] % COUNT_OF(codecs)], 1);
	buf_append(&out, data + 2, size - 2);
	add_meta(dir, data[1], out.len);
	stored_file_footer(&out);
	memory_directory_add(dir, "_0.fdt", buf_str(&out));
	if (stored_fields_open(&dir->directory, STR("_0"), NULL, data[1], &fields, &err) < 0)
		BUG(err.message);
	read_all(fields);
	stored_fields_close(fields);
	memory_directory_free(dir);
	return 0;
}
