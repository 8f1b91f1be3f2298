/* Reads what a cluster knows, live or from a snapshot: the same items in the same form. */
#ifndef METADATA_METADATA_READ_H
#define METADATA_METADATA_READ_H

#include "metadata/index_filter.h"
#include "metadata/metadata_item.h"
#include "snapshot/repository.h"

struct metadata_read_options {
	bool kinds[METADATA_KINDS]; /* which; all false: all */
	bool open_only;             /* closed indices are left out */
	/* Of a snapshot: the others are not even read. NULL: all are. */
	const struct index_filter *indices;
};

/* Endpoints that this version lacks (400, 404, 405) are no items; those that refuse (401, 403) are
 * noted in set->unreadable. Negative only when nothing can be read at all. */
int metadata_read_cluster(struct cluster *source, const struct metadata_read_options *options,
			  struct metadata_set *out, struct err *err);
/* A damaged index becomes an item that is OUTCOME_BLOCKED; damaged global metadata is noted in
 * set->unreadable. */
int metadata_read_snapshot(const struct snapshot *snapshot,
			   const struct metadata_read_options *options, struct metadata_set *out,
			   struct err *err);

/* Which names a user means, kind by kind; without lists, all but what products bring themselves
 * (docs/metadata.md lists them). Marks the others OUTCOME_EXCLUDED. */
struct metadata_selection {
	const struct opt_list *indices, *index_templates, *component_templates, *others;
};
int metadata_select(struct metadata_set *set, const struct metadata_selection *selection,
		    struct err *err);

#endif
