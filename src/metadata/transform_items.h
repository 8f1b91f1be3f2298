/* Metadata items through the user's transformers (docs/transform-messages.md): indices and
 * templates, in two parts. Steps that want mapping types come before the rules, which unite them;
 * all others come after the rules, and before what is to be written is checked.
 *
 * What a step cannot do blocks the item, with its reason; what it drops is excluded. */
#ifndef METADATA_TRANSFORM_ITEMS_H
#define METADATA_TRANSFORM_ITEMS_H

#include "metadata/metadata_item.h"
#include "transform/transform.h"

enum transform_items_part {
	TRANSFORM_ITEMS_BEFORE_RULES, /* items have no result yet; those that change get one */
	TRANSFORM_ITEMS_AFTER_RULES,
};

/* `transform` NULL: nothing happens. An item that becomes several is followed by the others, at the
 * end of the set. Negative only when a step is of no use any more. */
int transform_items(struct metadata_set *set, struct transform *transform,
		    enum transform_items_part part, struct err *err);

#endif
