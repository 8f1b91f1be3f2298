/* What a cluster answers to a bulk, item by item. */
#ifndef CLUSTER_BULK_ANSWER_H
#define CLUSTER_BULK_ANSWER_H

#include "base/json.h"

/* Asks for no more than what is read here: some 30 bytes for a document that was taken. The status
 * of every item stays, so that items keep their positions. */
#define BULK_PATH "/_bulk?filter_path=errors,items.*.status,items.*.error"

struct bulk_item_answer {
	int status;
	const struct json *error; /* NULL where the document was taken */
	bool wordless;            /* a refusal that says no more than its status */
};

struct bulk_answer {
	bool all_taken;                 /* the usual case; items is NULL then */
	struct bulk_item_answer *items; /* one for each that was sent, in their order */
};

/* Reads the answer to `count` items. Everything in *out is in `mem` or in `body`. ERR_HTTP when it
 * is no answer to exactly that many items: nothing is known of any of them then. */
int bulk_answer_read(struct str body, size_t count, struct arena *mem, struct bulk_answer *out,
		     struct err *err);

#endif
