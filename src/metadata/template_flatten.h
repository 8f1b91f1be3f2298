/* Composable templates for targets that have none (Elasticsearch before 7.8): legacy templates that
 * say the same. */
#ifndef METADATA_TEMPLATE_FLATTEN_H
#define METADATA_TEMPLATE_FLATTEN_H

#include "metadata/rules.h"

/* Before the rules: makes legacy templates of composable ones, with their components' content (of
 * those that are not selected, too), and says so. Components are reported only. A template whose
 * component is missing, one of a data stream, and one whose name a legacy template has are blocked,
 * as data streams are before 7.9. Does nothing for other targets. */
int templates_flatten(struct metadata_set *set, const struct cluster_version *target,
		      struct err *err);

#endif
