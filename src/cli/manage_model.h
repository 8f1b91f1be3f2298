/* What `workflow manage` shows: a tree of resources, steps and gates as rows, of which some are
 * folded and one is selected. No terminal, no files. Used by one thread. */
#ifndef CLI_MANAGE_MODEL_H
#define CLI_MANAGE_MODEL_H

#include "cli/workflow_progress.h"

/* One look at the state. All of it lives in an arena that outlives the rows made of it. */
struct manage_look {
	bool configured;                /* there is a configuration */
	const struct workflow_run *run; /* NULL: nothing was submitted yet */
	const struct workflow_step *steps;
	const struct workflow_progress *progress; /* of each step; text.ptr NULL: none */
	size_t step_count;
	const struct workflow_gate *gates; /* of this run */
	size_t gate_count;
	const struct workflow_resource *resources;
	size_t resource_count;
};

struct manage_row {
	struct str key; /* stays the same from look to look */
	int depth;
	bool foldable, folded;
	const char *mark;                         /* as `workflow status` has them */
	struct str title;                         /* "Document Backfill" */
	struct str state;                         /* "Running", "3/6 steps", "waits for you" */
	const struct workflow_progress *progress; /* NULL: none */
	/* What it stands for; NULL where it is none. */
	const struct workflow_resource *resource;
	const struct workflow_step *step;
	const struct workflow_gate *gate;
};

struct manage_model {
	struct arena keys; /* of what is folded and selected */
	struct str *folded;
	size_t folded_count, folded_capacity;
	struct str selected_key;
	const struct manage_row *rows;
	size_t count, selected;
	size_t top; /* first row on the screen */
};

void manage_model_init(struct manage_model *model);
void manage_model_release(struct manage_model *model);
/* Makes the rows of a look, in `mem`; what was selected stays so while it is there. */
int manage_model_take(struct manage_model *model, const struct manage_look *look, struct arena *mem,
		      struct err *err);
/* Moves the selection, and what is seen of `height` rows with it. */
void manage_model_move(struct manage_model *model, int64_t by, size_t height);
/* Folds what is selected, or what it belongs to; unfolds what is selected. The rows are of the next
 * manage_model_take. */
void manage_model_fold(struct manage_model *model);
void manage_model_unfold(struct manage_model *model);
/* NULL: there are no rows. */
const struct manage_row *manage_model_selected(const struct manage_model *model);

/* What approving a gate means, and what must be done before; in `mem`. */
struct str manage_gate_text(const struct workflow_gate *gate, struct arena *mem);

#endif
