/* Writes a set to a target in the order of its dependencies, each item once; the same again after a
 * stop ends the same. */
#ifndef METADATA_METADATA_WRITE_H
#define METADATA_METADATA_WRITE_H

#include "metadata/metadata_item.h"

#include <stdatomic.h>

struct metadata_write_options {
	bool allow_existing; /* an index that is there is no failure */
	bool roles; /* those of METADATA_SECURITY are written; else they are only told of */
	bool plan;  /* evaluate: only GETs; outcomes become READY, EXISTED, BLOCKED … */
	/* Before an index is looked for and created, by its name on the target. *ours: one that is
	 * there is no failure. NULL: none is. */
	int (*begin_index)(void *user, struct str name, bool *ours, struct err *err);
	void *user;
};

/* Checks what can be told before anything is created: clashes of aliases and indices, two write
 * indices, missing components, pipelines and analyzers, plugins, replicas against awareness. What
 * cannot be becomes OUTCOME_BLOCKED with its reason. */
int metadata_check(struct metadata_set *set, struct cluster *target,
		   const struct metadata_write_options *options, struct err *err);
/* Creates; repairs what the target's 400 names as long as each repair changes the body, at most
 * METADATA_REPAIRS times. Negative only when the target cannot be used at all. */
#define METADATA_REPAIRS 50
int metadata_write(struct metadata_set *set, struct cluster *target,
		   const struct metadata_write_options *options, const atomic_bool *cancel,
		   struct err *err);

#endif
