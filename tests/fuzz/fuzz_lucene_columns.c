/* Input: u16 length of the .dvm, u16 documents, u32 fields that have a skip index (a bit each), u8:
 * 1 where binary fields are compressed (all big-endian), the .dvm, then the .dvd; no footers. Each
 * of the first fields is read as if it were of each type. */
#include "fuzz.h"
#include "fuzz_lucene.h"
#include "lucene/column.h"

#define FIELDS 32

static const enum doc_values_type types[] = {
	[ENTRY_NUMERIC] = DOC_VALUES_NUMERIC,
	[ENTRY_BINARY] = DOC_VALUES_BINARY,
	[ENTRY_SORTED] = DOC_VALUES_SORTED,
	[ENTRY_SORTED_SET] = DOC_VALUES_SORTED_SET,
	[ENTRY_SORTED_NUMERIC] = DOC_VALUES_SORTED_NUMERIC,
};

static void read_all(const struct doc_values_meta *meta, enum doc_values_type type, struct str data,
		     int32_t max_doc)
{
	struct lucene_directory dir = {.name = (char[]){"memory"}};
	const struct doc_values_files files = {.dir = &dir, .data = STR("dvd"), .max_doc = max_doc};
	struct column_values values;
	struct column *column;
	struct err err = {0};

	if (column_over(&files, meta, type, memory_source_new(data, STR("dvd")), &column, &err) < 0)
		return;
	for (int32_t doc = 0; doc < max_doc; doc += 1 + (doc > 500) * 97) {
		if (column_get(column, doc, &values, &err) < 0)
			break;
		for (size_t i = 0; values.bytes && i < values.count; i++)
			touch(values.bytes[i]);
		if (values.numbers)
			touch(str_of(values.numbers, values.count * sizeof(int64_t)));
	}
	(void)column_memory(column);
	column_close(column);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd rd = rd_over(str_of(data, size));
	size_t meta_length = rd_be16(&rd);
	int32_t max_doc = rd_be16(&rd);
	uint32_t skippers = rd_be32(&rd);
	bool best = rd_u8(&rd) == 1;
	struct str body = str_of(rd_bytes(&rd, meta_length), meta_length);
	struct field_attribute mode = {STR("Lucene80DocValuesFormat.mode"),
				       STR("BEST_COMPRESSION")};
	struct field_info fields[FIELDS] = {0};
	const struct field_infos infos = {.fields = fields, .count = FIELDS};

	if (rd.failed)
		return 0;
	for (int32_t i = 0; i < FIELDS; i++)
		fields[i] = (struct field_info){.number = i,
						.doc_values_skip = skippers >> i & 1,
						.attributes = &mode,
						.attribute_count = best};
	for (int32_t i = 0; i < FIELDS * (int32_t)COUNT_OF(types); i++) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
		const struct doc_values_wanted wanted = {i % FIELDS,
							 (enum doc_values_entry)(i / FIELDS), &mem};
		struct doc_values_meta meta;
		struct err err = {0};

		if (doc_values_meta_decode_entry(body, NULL, claimed_suffix(body), &infos, &wanted,
						 max_doc, &meta, &err) < 0)
			break;
		if (meta.found)
			read_all(&meta, types[i / FIELDS],
				 str_from_offset(str_of(data, size), rd.pos), max_doc);
	}
	return 0;
}
