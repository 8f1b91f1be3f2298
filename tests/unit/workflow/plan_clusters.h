/* What the plans of tests begin with. */
#ifndef TESTS_UNIT_WORKFLOW_PLAN_CLUSTERS_H
#define TESTS_UNIT_WORKFLOW_PLAN_CLUSTERS_H

#define CLUSTERS                                                                 \
	"sourceClusters: {old: {endpoint: \"http://es\", version: ES 7.10.2}}\n" \
	"targetClusters: {new: {endpoint: \"http://os:9201/\"}}\n"               \
	"snapshotMigrationConfigs: []\n"

#endif
