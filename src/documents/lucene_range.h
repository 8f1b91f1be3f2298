/* What a range of a shard takes of each of its segments. Private to the Lucene documents. */
#ifndef DOCUMENTS_LUCENE_RANGE_H
#define DOCUMENTS_LUCENE_RANGE_H

#include "documents/lucene_documents.h"
#include "lucene/segment_infos.h"
#include "lucene/segment_info.h"
#include "lucene/stored_index.h"

struct segment_range {
	int64_t doc_base; /* documents in the segments before */
	int32_t max_doc;
	int32_t first, end;              /* [first, end) of the segment; equal: none of it */
	struct stored_chunk_start start; /* where reading begins; doc 0: with the file */
	uint64_t bytes;                  /* of the .fdt, about as many as are read */
};

/* Length of the .fdt of a segment whose .si says `info`; nothing else of it is read. */
int segment_measure(struct lucene_directory *dir, const struct segment_commit *commit,
		    const struct segment_info *info, uint64_t *size, struct err *err);
/* Its index; one of no chunks, with only the length of the file, when it has none. */
int segment_index(struct lucene_directory *dir, const struct segment_commit *commit,
		  const struct segment_info *info, struct stored_index *out, struct err *err);

/* One segment_range for each segment of the commit, in `mem`; *total: the sum of their bytes. */
int lucene_range_plan(struct lucene_directory *dir, const struct segment_infos *infos,
		      int64_t first_doc, int64_t end_doc, struct arena *mem,
		      struct segment_range **out, uint64_t *total, struct err *err);

static inline bool segment_range_is_whole(const struct segment_range *range)
{
	return range->first == 0 && range->end == range->max_doc;
}

static inline bool segment_range_is_outside(const struct segment_range *range)
{
	return range->first == range->end && !segment_range_is_whole(range);
}

#endif
