/* What a transformer made of an item, in words. */
#ifndef METADATA_TRANSFORM_CHANGES_H
#define METADATA_TRANSFORM_CHANGES_H

#include "metadata/metadata_item.h"

#define TRANSFORM_RULE "transformer" /* the notes' rule */

/* Notes each member that was added, removed or changed, with its path; past a number of them, how
 * many more there are. */
void transform_changes_note(struct metadata_set *set, struct metadata_item *item,
			    const struct json *before, const struct json *after);

#endif
