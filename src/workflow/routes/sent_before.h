/* What earlier runs of a session have sent: an index that the target has no more, though documents
 * of it were sent, is not made anew and filled with the rest. */
#ifndef WORKFLOW_ROUTES_SENT_BEFORE_H
#define WORKFLOW_ROUTES_SENT_BEFORE_H

#include "backfill/coordinator.h"
#include "cluster/cluster.h"

struct sent_before {
	struct coordinator *coordinator; /* borrowed; NULL: nobody knows of earlier runs */
	struct cluster *target;          /* borrowed */
	/* Its own: the items, once they were asked for. */
	struct arena mem;
	struct work_status *items;
	size_t count;
	bool known;
};

/* Before the index may be created. ERR_USAGE: documents of it were sent, and the target does not
 * have it; so again by every run that does not begin anew. */
int sent_before_check(struct sent_before *sent, struct str index, struct err *err);
void sent_before_release(struct sent_before *sent);

#endif
