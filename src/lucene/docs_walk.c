#include "lucene/docs_walk.h"

bool docs_walk_needs_data(const struct doc_values_meta *meta)
{
	return meta->docs.offset != DOCS_ALL && meta->docs.offset != DOCS_NONE;
}

int docs_walk_init(struct docs_walk *walk, const struct doc_values_meta *meta,
		   struct bytes_source *source, uint64_t end, struct err *err)
{
	const struct docs_with_field *docs = &meta->docs;
	uint64_t offset = (uint64_t)docs->offset, length = (uint64_t)docs->length;
	uint64_t jumps = (uint64_t)MAX(docs->jump_table_entries, 0) * 8;

	*walk = (struct docs_walk){.meta = meta};
	if (!docs_walk_needs_data(meta))
		return 0;
	if (docs->list)
		return monotonic_values_init(&walk->list, &meta->list, meta->format->little, source,
					     end, err);
	/* Negative numbers are too large here. */
	if (offset > end || length > end - offset || jumps > length)
		return err_set(err, ERR_FORMAT,
			       "has %llu bytes of content, and the documents with a value are said "
			       "to be at %lld with %lld bytes",
			       (unsigned long long)end, (long long)docs->offset,
			       (long long)docs->length);
	if (docs->bitset) {
		range_window_init(&walk->bits, source, offset + length);
		return 0;
	}
	return indexed_disi_walk_init(&walk->disi, source, offset, offset + length - jumps,
				      meta->format->little, docs->dense_rank_power, err);
}

void docs_walk_release(struct docs_walk *walk)
{
	range_window_release(&walk->bits);
	indexed_disi_walk_release(&walk->disi);
	monotonic_values_release(&walk->list);
}

static int find_in_list(struct docs_walk *walk, int32_t doc, int64_t *index, struct err *err)
{
	for (; walk->passed < walk->meta->list.count; walk->passed++) {
		int64_t listed;

		if (monotonic_values_get(&walk->list, walk->passed, &listed, err) < 0)
			return -(int)err->kind;
		if (listed >= doc) {
			*index = (int64_t)walk->passed;
			return listed == doc;
		}
	}
	return 0;
}

int docs_walk_find(struct docs_walk *walk, int32_t doc, int64_t *index, struct err *err)
{
	const struct docs_with_field *docs = &walk->meta->docs;
	const uint8_t *byte;

	*index = doc;
	if (!walk->meta->found || docs->offset == DOCS_NONE)
		return 0;
	if (docs->offset == DOCS_ALL)
		return 1;
	if (docs->list)
		return find_in_list(walk, doc, index, err);
	if (!docs->bitset)
		return indexed_disi_walk_find(&walk->disi, doc, index, err);
	if (range_window_need(&walk->bits, (uint64_t)docs->offset + (uint64_t)doc / 8, 1, &byte,
			      err) < 0)
		return -(int)err->kind;
	return *byte >> (doc & 7) & 1;
}

size_t docs_walk_memory(const struct docs_walk *walk)
{
	return (walk->bits.bytes ? RANGE_WINDOW_SIZE : 0) +
	       (walk->disi.window.bytes ? RANGE_WINDOW_SIZE : 0) +
	       monotonic_values_memory(&walk->list);
}
