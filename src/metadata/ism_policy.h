/* ISM policies of OpenSearch, as texts to be changed: for indices that have rolled over already,
 * and the patterns of indices to come. */
#ifndef METADATA_ISM_POLICY_H
#define METADATA_ISM_POLICY_H

#include "metadata/metadata_item.h"

/* Takes out what a cluster writes itself; ism_template too. `policy` is what stands in "policy". */
void ism_policy_strip(struct json *policy);
bool ism_policy_rolls_over(const struct json *policy);
/* Whether an index goes from the first state to its deletion without waiting for anything. */
bool ism_policy_deletes_at_once(const struct json *policy);
/* The policy of indices that are written to no more, and had reached an age of so many milliseconds
 * when they were created on the target: no rollover, ages count from the creation and are that much
 * shorter. {"policy": …}; NULL at the ceiling. */
struct json *ism_policy_for_rolled(const struct json *policy, int64_t reached_ms,
				   struct arena *mem);

/* {"policy name": [{"index_patterns": […], "priority": n}]} of all templates of the set that name a
 * policy. Priorities are unique: legacy templates by their order, then composable ones, which win
 * on the source as well. For sources that are OpenSearch, what their policies say. NULL at the
 * ceiling. */
struct json *ism_templates(struct metadata_set *set);

#endif
