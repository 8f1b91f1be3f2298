/* What two commits of a shard do not share. Private to the delta.
 *
 * A segment is in both when its name and its id are the same; of segments without an id (Lucene 4),
 * when their .si and the checksums of their stored fields are. Then only the documents count that
 * are live in one and dead in the other. */
#ifndef DOCUMENTS_DELTA_PLAN_H
#define DOCUMENTS_DELTA_PLAN_H

#include "documents/document_selection.h"

struct delta_plan {
	struct arena mem;
	struct document_selection
		vanished; /* of the previous commit: live there, not in the other */
	struct document_selection changed;   /* of the current one: live there, not in the other */
	int64_t previous_docs, current_docs; /* dead ones included */
};

/* `previous` NULL: there was no such shard. `deletes`: fill `vanished` too; else it is empty. */
int delta_plan_make(struct lucene_directory *previous, struct lucene_directory *current,
		    bool deletes, struct delta_plan *plan, struct err *err);
void delta_plan_release(struct delta_plan *plan);

#endif
