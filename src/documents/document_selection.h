/* Which documents of a commit a reader gives: a part of those that are live, or ones that a newer
 * commit has deleted. */
#ifndef DOCUMENTS_DOCUMENT_SELECTION_H
#define DOCUMENTS_DOCUMENT_SELECTION_H

#include "lucene/segment_reader.h"

enum segment_choice {
	CHOICE_NOTHING, /* the segment's stored fields are not read */
	CHOICE_LIVE,    /* all that are live */
	CHOICE_BITS,    /* those whose bit is set */
};

struct segment_selection {
	enum segment_choice choice;
	int32_t max_doc;
	int32_t count;   /* bits set */
	uint64_t *words; /* bit d & 63 of word d >> 6 */
};

struct document_selection {
	struct segment_selection *segments; /* one for each of the commit, in its order */
	size_t count;
};

static inline bool segment_selection_has(const struct segment_selection *segment, int32_t doc)
{
	return segment->words[doc >> 6] >> (doc & 63) & 1;
}

static inline void segment_selection_drop(struct segment_selection *segment, int32_t doc)
{
	if (!segment_selection_has(segment, doc))
		return;
	segment->words[doc >> 6] &= ~((uint64_t)1 << (doc & 63));
	segment->count--;
}

/* Nothing of it, so that it need not be opened. */
static inline bool segment_selection_is_empty(const struct segment_selection *segment)
{
	return segment->choice == CHOICE_NOTHING ||
	       (segment->choice == CHOICE_BITS && segment->count == 0);
}

/* Makes the selected documents those that count as live in the reader. */
static inline void segment_selection_apply(const struct segment_selection *segment,
					   struct segment_reader *reader)
{
	if (segment->choice != CHOICE_BITS)
		return;
	reader->live.words = segment->words;
	reader->live.live_count = segment->count;
}

#endif
