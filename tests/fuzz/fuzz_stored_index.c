/* u8 generation, LE32 documents, LE32 length of the .fdt, then what the generation reads: the .fdx
 * behind its header (packed, without and with an end); LE16 length of the .fdm, .fdm, .fdx
 * (monotonic, 85 and 90); the whole .fdx (40). An error, or starts that ascend within segment and
 * file. */
#include "fuzz.h"
#include "lucene/stored_index_internal.h"

#include "base/limits.h"

enum { PACKED, PACKED_WITH_END, MONOTONIC_85, MONOTONIC_90, STARTS_40, GENERATIONS };

static int decode(unsigned generation, struct str rest, struct stored_index_builder *builder,
		  struct err *err)
{
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	struct rd rd = rd_over(rest);
	size_t length;

	switch (generation) {
	case PACKED:
	case PACKED_WITH_END:
		return stored_index_decode_50(&rd, generation == PACKED_WITH_END, builder, err);
	case STARTS_40:
		source = memory_source_new(rest, STR("_0.fdx"));
		return stored_index_read_40(source, builder, err);
	default:
		length = rd_le16(&rd);
		length = MIN(length, rd_left(&rd));
		return stored_index_decode_90(str_of(rest.ptr + rd.pos, length),
					      str_from_offset(rest, rd.pos + length),
					      generation == MONOTONIC_90, builder, err);
	}
}

static void check(const struct stored_index_builder *builder)
{
	const struct stored_index *index = &builder->index;

	for (size_t i = 0; i < index->count; i++) {
		const struct stored_chunk_start *start = &index->starts[i];

		if (start->doc >= builder->max_doc || start->position >= index->end ||
		    (i == 0 ? start->doc != 0 : start->doc <= start[-1].doc))
			BUG("a chunk starts where it cannot");
		if (stored_index_find(index, start->doc).doc != start->doc)
			BUG("a chunk is not found");
	}
	if (index->end > index->file_length)
		BUG("the chunks end behind the file");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stored_index_builder builder = {.every = 1};
	struct rd rd = rd_over(str_of(data, size));
	unsigned generation = rd_u8(&rd) % GENERATIONS;
	struct err err = {0};

	builder.max_doc = (int32_t)(rd_le32(&rd) & INT32_MAX);
	builder.index.file_length = rd_le32(&rd);
	if (!rd.failed && size < MIB(1) &&
	    decode(generation, str_from_offset(str_of(data, size), rd.pos), &builder, &err) == 0)
		check(&builder);
	stored_index_release(&builder.index);
	return 0;
}
