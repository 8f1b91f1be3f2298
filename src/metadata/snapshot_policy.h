/* A snapshot policy of Elasticsearch (SLM) as one of OpenSearch (SM). */
#ifndef METADATA_SNAPSHOT_POLICY_H
#define METADATA_SNAPSHOT_POLICY_H

#include "metadata/rules_internal.h"

/* {"policy": {schedule, name, repository, config, retention}} (or what is inside) to the body of
 * POST _plugins/_sm/policies; notes go to the scope's item, which is blocked for schedules that a
 * five-field cron cannot say. NULL then, and at the arena's ceiling. */
struct json *slm_to_sm(struct rule_scope *scope, const struct json *slm);
/* "0 30 1 ? * MON-FRI" to "30 1 * * MON-FRI": without seconds and year, '?' is '*', days of the
 * week count from 0. ptr NULL: it has what Unix's cron has not (L, W, #, a year). */
struct str cron_without_seconds(struct str expression, struct arena *mem);

#endif
