/* Input: u16 length of the .kdm, u16 documents, u8 field (big-endian); the .kdm, then the .kdd; no
 * footers. */
#include "fuzz.h"
#include "fuzz_lucene.h"
#include "lucene/bkd.h"

#define MEMORY MIB(16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd rd = rd_over(str_of(data, size));
	size_t meta_length = rd_be16(&rd);
	int32_t max_doc = rd_be16(&rd), field = rd_u8(&rd);
	struct str meta = str_of(rd_bytes(&rd, meta_length), meta_length);
	struct str leaves = str_from_offset(str_of(data, size), rd.pos);
	struct inversion *inversion;
	struct inverted_values values;
	struct range_window window;
	struct err err = {0};
	struct bytes_source *source;
	struct bkd bkd;
	bool found;

	if (rd.failed || points_meta_find(meta, NULL, field, &bkd, &found, &err) < 0 || !found)
		return 0;
	if (inversion_new(max_doc, (int64_t)MIN(bkd.points, (uint64_t)MEMORY), MEMORY, &inversion,
			  &err) < 0)
		return 0;
	source = memory_source_new(leaves, STR("kdd"));
	range_window_init(&window, source, leaves.len);
	if (bkd_read(&bkd, &window, inversion, &err) == 0) {
		inversion_finish(inversion);
		for (int32_t doc = 0; doc < max_doc; doc++) {
			inversion_get(inversion, doc, &values);
			for (size_t i = 0; i < values.count; i++)
				touch(values.list[i].bytes);
		}
	}
	range_window_release(&window);
	bytes_source_close(source);
	inversion_free(inversion);
	return 0;
}
