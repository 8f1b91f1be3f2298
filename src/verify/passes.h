/* One pass over both sides of an index: all parts, by several threads. */
#ifndef VERIFY_PASSES_H
#define VERIFY_PASSES_H

#include "verify/verify.h"

/* What a pass does with documents. One a thread and side; made and ended by the pass. */
struct pass_visitor {
	/* Each document, with its hash. */
	void (*document)(void *user, int side, const struct document *document,
			 const struct document_hash *hash);
	/* A thread's own user data, merged when it ends; NULL: `shared` is used by all. */
	void *(*start)(void *shared);
	void (*end)(void *user, void *shared); /* one at a time */
	/* Whether a part need not be read; and what follows one that was read to its end, one at a
	 * time. Either may be NULL. */
	bool (*skip)(void *shared, int side, size_t part);
	void (*part_done)(void *user, void *shared, int side, size_t part);
	void *shared;
};

struct pass {
	struct verify_side *sides[2];
	struct verify_index indices[2];
	const struct verify_options *options;
	struct verify_progress *progress;
	const atomic_bool *cancel;
};

/* 0 when both sides were read to their ends. The first failure stops all and is the one told. */
int pass_run(const struct pass *pass, const struct pass_visitor *visitor, struct err *err);

#endif
