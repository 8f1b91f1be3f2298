/* The indices that a session created on its target, so that the next run of it takes them for its
 * own and no others: names in a file <state>/work/<session>.indices, one JSON string a line. */
#ifndef WORKFLOW_ROUTES_CREATED_INDICES_H
#define WORKFLOW_ROUTES_CREATED_INDICES_H

#include "cluster/cluster.h"

struct created_indices;

/* Reads `path`, which need not be there. */
int created_indices_open(const char *path, struct created_indices **out, struct err *err);
/* Accepts NULL. */
void created_indices_close(struct created_indices *indices);
/* For cleanup(). */
static inline void created_indices_closep(struct created_indices **indices)
{
	created_indices_close(*indices);
}
/* Before an index is created. *ours: it is there, or may be, because the session created it. Else,
 * when the target has none of that name, it is durable on return that the session will. */
int created_indices_begin(struct created_indices *indices, struct cluster *target, struct str name,
			  bool *ours, struct err *err);

/* Whether the session created it, or was about to. */
bool created_indices_has(const struct created_indices *indices, struct str name);

#endif
