/* Input: u16 length of the .dvm, u16 documents (big-endian), the .dvm, then the .dvd; no footers.
 * Each of the first fields is read as if it were numeric. */
#include "fuzz.h"
#include "fuzz_lucene.h"
#include "lucene/numeric_doc_values.h"

#define FIELDS 16

static void read_all(const struct doc_values_meta *meta, struct str data, int32_t max_doc)
{
	struct lucene_directory dir = {.name = (char[]){"memory"}};
	const struct doc_values_files files = {.dir = &dir, .data = STR("dvd"), .max_doc = max_doc};
	struct numeric_doc_values *values;
	struct err err = {0};
	int64_t value;
	bool has;

	if (numeric_doc_values_over(&files, meta, memory_source_new(data, STR("dvd")), &values,
				    &err) < 0)
		return;
	for (int32_t doc = 0; doc < max_doc; doc += 1 + (doc > 3000) * 97)
		if (numeric_doc_values_get(values, doc, &value, &has, &err) < 0)
			break;
	numeric_doc_values_close(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd rd = rd_over(str_of(data, size));
	size_t meta_length = rd_be16(&rd);
	int32_t max_doc = rd_be16(&rd) * 4;
	struct str body = str_of(rd_bytes(&rd, meta_length), meta_length);
	struct field_info fields[FIELDS] = {0};
	const struct field_infos infos = {.fields = fields, .count = FIELDS};
	struct doc_values_meta meta;
	struct err err = {0};

	if (rd.failed)
		return 0;
	for (int32_t i = 0; i < FIELDS; i++)
		fields[i].number = i;
	for (int32_t i = 0; i < FIELDS; i++) {
		if (doc_values_meta_decode(body, NULL, claimed_suffix(body), &infos, i, max_doc,
					   &meta, &err) < 0)
			break;
		if (meta.found && !meta.docs.list)
			read_all(&meta, str_from_offset(str_of(data, size), rd.pos), max_doc);
	}
	return 0;
}
