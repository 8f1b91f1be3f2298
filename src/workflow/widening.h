/* Edits that only add indices to allowlists: what was done stays done, the rest is new work. */
#ifndef WORKFLOW_WIDENING_H
#define WORKFLOW_WIDENING_H

#include "base/json.h"

/* Whether a migration's spec differs in nothing but longer allowlists, and in the snapshot that
 * they needed. */
bool widening_of_migration(const struct json *before, const struct json *after, struct arena *mem);
/* Whether a snapshot's spec differs in nothing but a longer allowlist. */
bool widening_of_snapshot(const struct json *before, const struct json *after, struct arena *mem);

/* `covered` of a migration's status: which entries each session of documents has come to the end
 * with. NULL: none was. */
void widening_cover(struct json *status, struct str session, const struct json *allowlist,
		    struct arena *mem);
/* The entries that no other session came to the end with; all of them where the list is empty,
 * which stands for all indices. */
struct json *widening_rest(const struct json *status, struct str session,
			   const struct json *allowlist, struct arena *mem);

#endif
