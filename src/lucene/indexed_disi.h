/* IndexedDISI: a set of document ids in blocks of 65536, as Lucene 7 to 10 write it. */
#ifndef LUCENE_INDEXED_DISI_H
#define LUCENE_INDEXED_DISI_H

#include "base/err.h"
#include "base/str.h"
#include "lucene/live_docs.h"

struct indexed_disi {
	struct str blocks; /* the section without its jump table */
	bool little;
	int8_t dense_rank_power; /* -1: dense blocks have no rank table */
};

/* Clears the documents of the set in `live` (words required) and takes them off live_count. */
int indexed_disi_clear(const struct indexed_disi *set, struct live_docs *live, struct err *err);
/* More bytes than any set of max_doc documents takes, jump table included. */
uint64_t indexed_disi_max_size(int32_t max_doc);

#endif
