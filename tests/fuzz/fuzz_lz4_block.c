/* LE16 length of the output, then a block. */
#include "base/lz4_block.h"
#include "fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t length, consumed = 0, skipped = 0;
	struct err err;
	uint8_t *room;
	int decoded, walked;

	if (size < 2)
		return 0;
	length = (size_t)data[0] | (size_t)data[1] << 8;
	room = mem_alloc(length + LZ4_BLOCK_SLACK);
	decoded = lz4_block_decode(data + 2, size - 2, room, 0, length, &consumed, &err);
	walked = lz4_block_skip(data + 2, size - 2, length, &skipped, &err);
	if (decoded == 0 && (walked != 0 || consumed != skipped))
		BUG("decoding and walking differ");
	if (consumed > size - 2)
		BUG("more was used than there is");
	free(room);
	return 0;
}
