/* Input: u8 (1 = little-endian), i8 rank power, u32 number of documents (up to 2^20; big-endian),
 * then the blocks. */
#include "fuzz.h"
#include "fuzz_lucene.h"
#include "lucene/indexed_disi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct rd rd = rd_over(str_of(data, size));
	struct indexed_disi set = {.little = rd_u8(&rd) == 1,
				   .dense_rank_power = (int8_t)rd_u8(&rd)};
	struct live_docs live = {.max_doc = (int32_t)(rd_be32(&rd) & 0xfffff)};
	struct err err = {0};
	int32_t count = 0;

	set.blocks = str_from_offset(str_of(data, size), rd.pos);
	live.words = live_docs_all_set(&mem, live.max_doc);
	live.live_count = live.max_doc;
	if (indexed_disi_clear(&set, &live, &err) < 0)
		return 0;
	for (int32_t doc = 0; doc < live.max_doc; doc++)
		count += live_docs_is_live(&live, doc);
	if (count != live.live_count)
		BUG("live documents are miscounted");
	return 0;
}
