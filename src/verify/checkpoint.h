/* What a comparison has come to, kept in files so that a killed one goes on: a file an index, with
 * the digests of the parts that were read to their ends, or with the verdict.
 *
 * Used by one thread at a time. */
#ifndef VERIFY_CHECKPOINT_H
#define VERIFY_CHECKPOINT_H

#include "verify/verify.h"

struct verify_checkpoint {
	struct digest digests[2];
	size_t parts[2];
	uint8_t *done[2]; /* a byte a part: it is in its digest */
	uint64_t sourceless;
};

void verify_checkpoint_release(struct verify_checkpoint *checkpoint);
/* 1: *out was taken up; 2: the whole verdict, in *result (its memory in `mem`); 0: there is none
 * for this, or it is of another comparison, of another number of parts, of another state of a side
 * (of writes only where no live traffic is waited for), or damaged. Negative: the file cannot be
 * read. `indices`: both sides, looked at in this run. */
int verify_checkpoint_load(const struct verify_options *options,
			   const struct verify_index indices[2], struct verify_checkpoint *out,
			   struct index_comparison *result, struct arena *mem, struct err *err);
int verify_checkpoint_save(const struct verify_options *options,
			   const struct verify_index indices[2],
			   const struct verify_checkpoint *checkpoint, struct err *err);
int verify_checkpoint_save_result(const struct verify_options *options,
				  const struct verify_index indices[2],
				  const struct index_comparison *result, struct err *err);
int verify_checkpoint_remove(const struct verify_options *options, const struct verify_pair *pair,
			     struct err *err);

#endif
