#include "fuzz.h"
#include "fuzz_lucene.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(256));
	struct compound_entries entries;
	struct err err = {0};

	if (compound_entries_decode(str_of(data, size), NULL, &mem, &entries, &err) < 0)
		return 0;
	for (size_t i = 0; i < entries.count; i++) {
		touch(entries.entries[i].name);
		if (i > 0 && str_cmp(entries.entries[i - 1].name, entries.entries[i].name) >= 0)
			BUG("entries are not in order");
	}
	return 0;
}
