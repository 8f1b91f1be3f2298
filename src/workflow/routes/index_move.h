/* What moving an index changes on the two clusters beside its copy: the write block of the source,
 * the alias of the target, and at the end the source's index. Each is recorded before it is done,
 * may be done twice, and all but the deletion can be taken back. */
#ifndef WORKFLOW_ROUTES_INDEX_MOVE_H
#define WORKFLOW_ROUTES_INDEX_MOVE_H

#include "cluster/cluster.h"
#include "workflow/routes/created_indices.h"
#include "workflow/routes/move_record.h"

struct index_move {
	struct cluster *source, *target; /* borrowed */
	struct move_record *record;      /* borrowed */
};

/* Before a move begins: ERR_BLOCKED when the target has an index or alias of that name. */
int index_move_check_free(struct cluster *target, struct str name, struct err *err);
/* index.blocks.write of the source's index. One that was there before is not lifted again. */
int index_move_block(const struct index_move *move, struct str index, struct err *err);
/* The alias goes from whatever has it on the target to the moved index, in one request. Indices
 * that are moved behind the same alias keep it. */
int index_move_swap(const struct index_move *move, struct str index, struct str alias,
		    struct err *err);
/* Deletes the source's index. ERR_BLOCKED: it is not blocked any more, or the target has none. */
int index_move_delete_source(const struct index_move *move, struct str index, struct err *err);
/* Takes back what was done, and forgets the index: the alias, the target's index where `ours` says
 * that the move made it and no client was told of it, the block. *kept: the target's index stays.
 * ERR_BLOCKED: the source is deleted, by the move or by somebody else. */
int index_move_back_out(const struct index_move *move, struct str index,
			struct created_indices *ours, bool *kept, struct err *err);

#endif
