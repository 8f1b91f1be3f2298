/* Input: u16 length of the field infos (big-endian), these, then the .dvm; no footers. */
#include "fuzz.h"
#include "fuzz_lucene.h"
#include "lucene/doc_values_meta.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(256));
	struct rd rd = rd_over(str_of(data, size));
	size_t fields_length = rd_be16(&rd);
	struct str fields = str_of(rd_bytes(&rd, fields_length), fields_length);
	struct str body = str_from_offset(str_of(data, size), rd.pos);
	struct doc_values_meta meta;
	struct field_infos infos;
	struct err err = {0};

	if (rd.failed ||
	    field_infos_decode(fields, NULL, claimed_suffix(fields), &mem, &infos, &err) < 0)
		return 0;
	for (size_t i = 0; i < infos.count && i < 8; i++)
		if (doc_values_meta_decode(body, NULL, claimed_suffix(body), &infos,
					   infos.fields[i].number, 1000, &meta, &err) < 0)
			break;
	return 0;
}
