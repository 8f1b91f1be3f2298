/* The parts of the command index move. */
#ifndef CLI_INDEX_MOVE_INTERNAL_H
#define CLI_INDEX_MOVE_INTERNAL_H

#include "cli/command.h"
#include "cli/transfer.h"
#include "workflow/routes/index_move.h"

struct move_fields {
	struct general_fields general;
	struct repository_fields repository; /* takes --from on its way to the source */
	struct source_fields source;
	struct target_fields target;
	struct move_wishes {
		const char *from;
		struct opt_list include_system, verify;
		const char *mode, *alias, *on_cutover;
		bool block_writes, delete_source, plan, back_out;
	} move;
	struct remote_fields remote; /* its `parallel` is that of the groups too */
	struct transfer_fields transfer;
	struct allowed_fields allowed;
	struct metrics_fields metrics;
	struct document_transform_fields transform; /* none: documents move as they are */
	struct care_fields care;
	struct work_fields work;
	struct create_fields create;
};

struct moving_index {
	struct str name, target;
	int64_t group;     /* 0: not begun */
	int64_t documents; /* -1: not known to this run */
	struct str note;   /* why it did not come further; ptr NULL: nothing is wrong */
};

/* All that is open. */
struct moving {
	struct move_fields *fields;
	struct cli *cli;
	struct arena *mem;
	const char *from, *to;           /* without secrets */
	const char *state_dir, *session; /* beginning of the names of the groups' sessions */
	struct cluster *source, *target;
	struct move_record record;
	struct index_move move;
	struct moving_index *indices;
	size_t count;
	bool counts, hashes; /* how it is verified */
};

/* What the copy of indices is asked of, for a plan or for the indices of a group. */
int moving_copy(struct moving *m, const struct moving_index *const *indices, size_t count,
		int64_t group, bool plan, struct err *err);
/* All steps of all indices, as far as they come. */
int moving_run(struct moving *m, struct err *err);
/* Takes them back. */
int moving_back_out(struct moving *m, struct err *err);

#endif
