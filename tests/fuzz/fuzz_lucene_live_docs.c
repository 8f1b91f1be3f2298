/* Input: i32 number of documents, i32 number of deleted ones, then the file; big-endian. */
#include "fuzz.h"
#include "fuzz_lucene.h"

static void check_count(const struct live_docs *live)
{
	int32_t count = 0;

	for (int32_t doc = 0; doc < live->max_doc; doc++)
		count += live_docs_is_live(live, doc);
	if (count != live->live_count)
		BUG("live documents are miscounted");
	if (live_docs_any(live, 0, live->max_doc) != (count > 0))
		BUG("live_docs_any is wrong");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(256));
	struct rd rd = rd_over(str_of(data, size));
	int32_t max_doc = rd_i32(&rd) & INT32_MAX, del_count = rd_i32(&rd);
	struct str body = str_from_offset(str_of(data, size), rd.pos);
	struct segment_commit commit = {.del_count = del_count};
	struct live_docs live;
	struct err err = {0};
	uint64_t generation;

	if (!str_to_u64_base36(claimed_suffix(body), &generation))
		return 0;
	commit.del_gen = (int64_t)generation;
	if (live_docs_decode(body, &commit, max_doc, &mem, &live, &err) == 0)
		check_count(&live);
	return 0;
}
