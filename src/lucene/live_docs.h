/* Which documents of a segment are live: hard deletes (.liv, .del) and soft deletes joined. */
#ifndef LUCENE_LIVE_DOCS_H
#define LUCENE_LIVE_DOCS_H

#include "lucene/segment_infos.h"

struct live_docs {
	uint64_t *words; /* bit d & 63 of word d >> 6; set = live. NULL: all are live */
	int32_t max_doc;
	int32_t live_count;
};

static inline bool live_docs_is_live(const struct live_docs *live, int32_t doc)
{
	return !live->words || (live->words[doc >> 6] >> (doc & 63) & 1);
}

/* Is any document of [first, first + count) live? */
bool live_docs_any(const struct live_docs *live, int32_t first, int32_t count);

/* Reads <segment>_<del_gen>.liv of the commit into the arena, or .del in a segment without an id
 * (Lucene 4); del_gen -1: all live. Formats 40, 50 and 90. ERR_FORMAT when the count of dead
 * documents is not the commit's. */
int live_docs_read(struct lucene_directory *dir, const struct segment_commit *commit,
		   int32_t max_doc, struct arena *mem, struct live_docs *out, struct err *err);

#endif
