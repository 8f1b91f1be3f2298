/* IndexedDISI: a set of document ids in blocks of 65536, as Lucene 7 to 10 write it. */
#ifndef LUCENE_INDEXED_DISI_H
#define LUCENE_INDEXED_DISI_H

#include "base/err.h"
#include "base/str.h"
#include "lucene/live_docs.h"
#include "lucene/range_window.h"

struct indexed_disi {
	struct str blocks; /* the section without its jump table */
	bool little;
	int8_t dense_rank_power; /* -1: dense blocks have no rank table */
};

/* Clears the documents of the set in `live` (words required) and takes them off live_count. */
int indexed_disi_clear(const struct indexed_disi *set, struct live_docs *live, struct err *err);

/* A walk over such a set in a file, forward, a window at a time. */
struct indexed_disi_walk {
	struct range_window window;
	bool little;
	int8_t dense_rank_power;
	int32_t block; /* document id >> 16 of the block at hand; -1: none yet */
	bool ended;
	int32_t count;      /* documents in this block */
	int64_t before;     /* documents in the blocks before it */
	uint64_t at, next;  /* where its entries or words are; where the next block is */
	int32_t seen, skip; /* of it: documents passed; entries (sparse) or words (dense) passed */
};

/* The set's blocks lie in [offset, end) of `source`, which is borrowed. */
int indexed_disi_walk_init(struct indexed_disi_walk *walk, struct bytes_source *source,
			   uint64_t offset, uint64_t end, bool little, int8_t dense_rank_power,
			   struct err *err);
void indexed_disi_walk_release(struct indexed_disi_walk *walk);
/* 1: the set has `doc`, and *index documents before it; 0: it does not; negative: damaged. Each
 * call's document is no smaller than that of the call before. */
int indexed_disi_walk_find(struct indexed_disi_walk *walk, int32_t doc, int64_t *index,
			   struct err *err);

/* More bytes than any set of max_doc documents takes, jump table included. */
uint64_t indexed_disi_max_size(int32_t max_doc);

#endif
