/* The metadata of a migrate: out of the snapshot, through the rules, onto the target. */
#ifndef WORKFLOW_ROUTES_MIGRATE_METADATA_H
#define WORKFLOW_ROUTES_MIGRATE_METADATA_H

#include "metadata/index_filter.h"
#include "metadata/index_renames.h"
#include "metadata/rules.h"
#include "snapshot/repository.h"
#include "workflow/routes/created_indices.h"

#include <stdatomic.h>

struct migrate_metadata_plan {
	const struct opt_list *allowlist;    /* of indices; NULL: all but system indices */
	const struct index_renames *renames; /* NULL: none */
	bool indices_only;                   /* no templates, pipelines, scripts … */
	bool plan;                           /* evaluated, and not written */
	bool allow_existing;                 /* an index that is there is no failure */
	struct rule_options rules;
	struct transform *transform; /* of the user's; NULL: none */
};

struct migrate_metadata {
	const struct snapshot *snapshot;
	struct cluster *source;            /* read from there instead; NULL: from the snapshot */
	const struct index_filter *filter; /* made of the allowlist */
	const struct migrate_metadata_plan *plan;
	struct cluster *target;
	struct created_indices *ours; /* NULL: none, and they are not remembered */
	const struct str *refused;    /* indices that are not created */
	size_t refused_count;
	const atomic_bool *cancel;
	/* Asked before an index is created, or remembered as one that is; NULL: nobody. */
	int (*begin_index)(void *user, struct str name, struct err *err);
	void *user;
};

/* Reads, changes, checks and writes. The outcomes stand in the items of `set`, which is to be
 * released whatever is returned. Negative only when the run cannot go on. */
int migrate_metadata_run(const struct migrate_metadata *migrating, struct metadata_set *set,
			 struct err *err);
/* What an index's item has to say for a line of a table: its reason, or the first of its notes and
 * how many more there are. Empty if nothing. */
struct str migrate_metadata_words(const struct metadata_item *item, struct arena *mem);
/* Whether the item did not come to the target, and no line of an index tells it. */
bool migrate_metadata_is_other_problem(const struct metadata_set *set,
				       const struct metadata_item *item);
/* How many there are, with what could not be read at all. */
size_t migrate_metadata_other_problems(const struct metadata_set *set);

#endif
