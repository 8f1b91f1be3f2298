/* A block k-d tree, read from its first leaf to the last: its inner nodes are not needed. */
#ifndef LUCENE_BKD_H
#define LUCENE_BKD_H

#include "base/rd.h"
#include "lucene/inversion.h"
#include "lucene/range_window.h"

struct bkd {
	int32_t version;
	uint32_t dims, index_dims; /* of a value; of those the tree is built of */
	uint32_t leaf_most;        /* points in a leaf */
	uint32_t bytes;            /* of one dimension */
	uint32_t leaves;
	uint64_t points;
	uint64_t first_leaf; /* where it is in the data */
	bool little;
};

/* Up to and with the number of bytes of the inner nodes (before version 4: up to those). */
int bkd_meta_read(struct rd *rd, struct bkd *out, struct err *err);
/* All points, leaf by leaf, out of `data`; checks that there are as many as the meta says. */
int bkd_read(const struct bkd *bkd, struct range_window *data, struct inversion *inversion,
	     struct err *err);
/* `count` documents of a leaf; BKD_LEAF_MOST at most. */
#define BKD_LEAF_MOST 8192
int bkd_docs_read(struct rd *rd, int32_t version, uint32_t count, int32_t *docs, struct err *err);

#endif
