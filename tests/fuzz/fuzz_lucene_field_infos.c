#include "fuzz.h"
#include "fuzz_lucene.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(256));
	struct str body = str_of(data, size);
	struct field_infos infos;
	struct err err = {0};

	if (field_infos_decode(body, NULL, claimed_suffix(body), &mem, &infos, &err) < 0)
		return 0;
	for (size_t i = 0; i < infos.count; i++) {
		const struct field_info *field = &infos.fields[i];

		touch(field->name);
		for (size_t k = 0; k < field->attribute_count; k++) {
			touch(field->attributes[k].key);
			touch(field->attributes[k].value);
		}
		if (field_infos_by_number(&infos, field->number) != field)
			BUG("a field is not found by its number");
	}
	return 0;
}
