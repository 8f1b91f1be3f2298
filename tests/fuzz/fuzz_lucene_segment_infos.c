#include "fuzz.h"
#include "fuzz_lucene.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(256));
	struct str body = str_of(data, size);
	struct segment_infos infos = {0};
	struct err err = {0};

	if (segment_infos_decode(body, claimed_suffix(body), &mem, &infos, &err) < 0)
		return 0;
	for (size_t i = 0; i < infos.count; i++) {
		const struct segment_commit *segment = &infos.segments[i];

		touch(segment->name);
		touch(segment->codec);
		if (segment->id)
			touch(str_of(segment->id, CODEC_ID_LENGTH));
		if (segment->del_count < 0 || segment->soft_del_count < 0)
			BUG("a count below zero was let through");
	}
	return 0;
}
