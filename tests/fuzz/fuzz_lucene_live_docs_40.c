/* Input: i32 number of documents, i32 number of deleted ones, then the .del; big-endian. */
#include "fuzz.h"
#include "fuzz_lucene.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(256));
	struct rd rd = rd_over(str_of(data, size));
	int32_t max_doc = rd_i32(&rd) & INT32_MAX, del_count = rd_i32(&rd), count = 0;
	struct str body = str_from_offset(str_of(data, size), rd.pos);
	struct segment_commit commit = {.del_gen = 1, .del_count = del_count};
	struct live_docs live;
	struct err err = {0};

	if (live_docs_decode_40(body, &commit, max_doc, &mem, &live, &err) < 0)
		return 0;
	for (int32_t doc = 0; doc < live.max_doc; doc++)
		count += live_docs_is_live(&live, doc);
	if (count != live.live_count || max_doc - count != del_count)
		BUG("live documents are miscounted");
	return 0;
}
