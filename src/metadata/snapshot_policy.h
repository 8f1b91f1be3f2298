/* A snapshot policy of Elasticsearch (SLM) as one of OpenSearch (SM). */
#ifndef METADATA_SNAPSHOT_POLICY_H
#define METADATA_SNAPSHOT_POLICY_H

#include "metadata/rules_internal.h"

/* {"policy": {schedule, name, repository, config, retention}} (or what is inside) to the body of
 * POST _plugins/_sm/policies; notes go to the scope's item, which is blocked for schedules that a
 * five-field cron cannot say. NULL then, and at the arena's ceiling. */
struct json *slm_to_sm(struct rule_scope *scope, const struct json *slm);

#endif
