/* --rename FROM=TO: the names of indices on the target. FROM is an exact name, or regex:PATTERN for
 * the whole name (name_pattern.h), whose groups TO takes up as $1 to $9, and the whole name as $0;
 * $$ is a dollar. The first entry that accepts a name renames it. */
#ifndef METADATA_INDEX_RENAMES_H
#define METADATA_INDEX_RENAMES_H

#include "base/arena.h"
#include "base/opt.h"
#include "metadata/metadata_item.h"

struct index_renames;

/* ERR_USAGE for an entry that is not well said. The list is borrowed. */
int index_renames_new(const struct opt_list *list, struct index_renames **out, struct err *err);
/* Accepts NULL. */
void index_renames_free(struct index_renames *renames);
/* What indices of these names are called on the target, in `mem`. ERR_USAGE: an entry accepts none
 * of them, or two would have one name. */
int index_renames_apply(const struct index_renames *renames, const struct str *names, size_t count,
			struct arena *mem, struct str **out, struct err *err);
/* What one name becomes, which need not be an index's; the name itself where no entry accepts it.
 * ptr NULL at the ceiling. */
struct str index_renames_of(const struct index_renames *renames, struct str name,
			    struct arena *mem);
/* The same as index_renames_apply for the selected indices of a set. */
int index_renames_apply_to_set(const struct index_renames *renames, struct metadata_set *set,
			       struct err *err);

#endif
