/* What the files of the state share. */
#ifndef WORKFLOW_STATE_INTERNAL_H
#define WORKFLOW_STATE_INTERNAL_H

#include "base/buf.h"
#include "workflow/state.h"

struct workflow_state {
	struct database *db;
};

/* Text of a column, copied; "" for NULL. At the arena's ceiling ptr is NULL and mem->failed. */
struct str state_text(const struct database_statement *row, int column, struct arena *mem);
/* Runs a statement whose parameters are bound as a change of its own. Finishes it. */
int state_change(struct workflow_state *state, const char *sql,
		 void (*bind)(struct database_statement *statement, const void *record),
		 const void *record, struct err *err);
/* Reads all rows into an array of `size` bytes each. `bind` may be NULL. */
int state_list(struct workflow_state *state, const char *sql,
	       void (*bind)(struct database_statement *statement, const void *key), const void *key,
	       void (*read)(const struct database_statement *row, struct arena *mem, void *out),
	       size_t size, struct arena *mem, void **out, size_t *count, struct err *err);
/* The first row. 1; 0: none. */
int state_first(struct workflow_state *state, const char *sql,
		void (*bind)(struct database_statement *statement, const void *key),
		const void *key,
		void (*read)(const struct database_statement *row, struct arena *mem, void *out),
		struct arena *mem, void *out, struct err *err);

#endif
