#include "fuzz.h"
#include "fuzz_lucene.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct segment_info info;
	struct err err = {0};

	if (segment_info_decode(str_of(data, size), NULL, &info, &err) < 0)
		return 0;
	touch(info.format);
	if (info.max_doc < 0)
		BUG("a count below zero was let through");
	return 0;
}
