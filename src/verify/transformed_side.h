/* A source as transformers make it: its indices are those of the target.
 *
 * Which target indices there are, and of which source indices each is made, only the documents
 * tell: verify_transformed_plan reads all once. Each target index is then a side's index whose
 * parts are those of the source indices that lead to it. Batches of documents, bounded in bytes,
 * pass through a pipeline a part. */
#ifndef VERIFY_TRANSFORMED_SIDE_H
#define VERIFY_TRANSFORMED_SIDE_H

#include "transform/document_batch.h"
#include "verify/verify.h"

struct verify_transform_options {
	/* A pipeline for one part; any thread. */
	int (*open)(void *user, struct transform **out, struct err *err);
	void *user;
	/* TRANSFORM_ERROR_FAIL: a document that cannot be transformed ends the reading; else it is
	 * counted and left out, as the migration left it out. */
	enum transform_error_policy on_error;
	bool without_ids; /* documents may come out without one */
};

/* A target index and what it is made of. */
struct verify_made_index {
	struct str name;    /* on the target */
	struct str sources; /* "a, b": for people */
	uint64_t documents;
};

struct verify_transformed_counts {
	uint64_t failed;  /* documents that no transform could do */
	uint64_t dropped; /* those that became nothing */
	uint64_t deletes; /* those that became the deletion of a document */
};

/* The side is borrowed, and so are the options' user. */
struct verify_side *verify_side_transformed(struct verify_side *inner,
					    const struct verify_transform_options *options);
/* Reads the indices `pairs` of the inner side through the pipeline; once, before all else.
 * pairs[i].target_index is the name that documents of the index come in with. `made`, sorted by
 * name, lives as long as the side. */
int verify_transformed_plan(struct verify_side *base, const struct verify_pair *pairs, size_t count,
			    const struct verify_options *options, struct verify_progress *progress,
			    const atomic_bool *cancel, const struct verify_made_index **made,
			    size_t *made_count, struct verify_transformed_counts *counts,
			    struct err *err);

#endif
