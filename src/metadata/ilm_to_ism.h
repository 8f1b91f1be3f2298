/* An ILM policy of Elasticsearch as an ISM policy of OpenSearch.
 *
 * What each part becomes: docs/lifecycle.md. Sources: x-pack core/ilm (TimeseriesLifecycleType's
 * order of actions) and the OpenSearch plugin index-management (its strict parsers). */
#ifndef METADATA_ILM_TO_ISM_H
#define METADATA_ILM_TO_ISM_H

#include "metadata/rules_internal.h"

/* {"policy": {"phases": …}} to {"policy": {description, default_state, states}}, in the set's
 * memory; notes go to the scope's item, which is blocked where nothing usable would be left. NULL
 * when it is blocked, or at the arena's ceiling. There is no ism_template: an index that it
 * catches would age while its documents are still on their way. lifecycle attach adds it. */
struct json *ilm_to_ism(struct rule_scope *scope, const struct json *ilm);

#endif
