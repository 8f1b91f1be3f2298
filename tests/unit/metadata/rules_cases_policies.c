#include "rules_case.h"

#define ILM "{\"policy\":{\"phases\":{\"hot\":{\"actions\":{}}}}}"
#define ISM_POLICY "\"description\":\"d\",\"default_state\":\"s\",\"states\":[{\"name\":\"s\"}]"
#define SLM "\"schedule\":\"0 30 1 * * ?\",\"name\":\"n\",\"repository\":\"r\""

const struct rules_case cases_of_policies[] = {
	{
		.rule = "ilm-to-ism",
		.source = "es7.10",
		.target = "os2.19",
		.before = ILM,
		.after = "{\"policy\":{\"description\":\"Converted from the ILM policy books\","
			 "\"default_state\":\"hot\",\"states\":[{\"name\":\"hot\",\"actions\":[],"
			 "\"transitions\":[]}]}}",
		.idle_target = "es8.19",
		.kind = METADATA_LIFECYCLE_POLICY,
	},
	{
		.rule = "ilm-read-only",
		.source = "es7.10",
		.target = "es8.19",
		.before = "{\"version\":1,\"policy\":{\"phases\":{}}}",
		.after = "{\"policy\":{\"phases\":{}}}",
		.idle_target = "os2.19",
		.kind = METADATA_LIFECYCLE_POLICY,
		.silent = true,
	},
	{
		.rule = "ism-read-only",
		.source = "os1.3",
		.target = "os2.19",
		.before = "{\"policy\":{\"policy_id\":\"p\",\"schema_version\":1," ISM_POLICY "}}",
		.after = "{\"policy\":{" ISM_POLICY "}}",
		.idle_target = "es8.19",
		.kind = METADATA_LIFECYCLE_POLICY,
		.silent = true,
	},
	{
		.rule = "ism-to-ilm",
		.source = "os2.19",
		.target = "es8.19",
		.before = "{\"policy\":{" ISM_POLICY "}}",
		.idle_target = "os3.1",
		.kind = METADATA_LIFECYCLE_POLICY,
	},
	{
		.rule = "slm-to-sm",
		.source = "es7.10",
		.target = "os2.19",
		.before = "{\"policy\":{" SLM "}}",
		.after = "{\"description\":\"Converted from the SLM policy books\",\"creation\":"
			 "{\"schedule\":{\"cron\":{\"expression\":\"30 1 * * *\",\"timezone\":"
			 "\"UTC\"}}},\"snapshot_config\":{\"indices\":\"*\",\"repository\":\"r\"}}",
		.idle_target = "es8.19",
		.kind = METADATA_SNAPSHOT_POLICY,
	},
	{
		.rule = "slm-read-only",
		.source = "es7.10",
		.target = "es8.19",
		.before = "{\"policy\":{" SLM "}}",
		.after = "{" SLM "}",
		.idle_target = "os2.19",
		.kind = METADATA_SNAPSHOT_POLICY,
		.silent = true,
	},
	{
		.rule = "sm-read-only",
		.source = "os2.11",
		.target = "os2.19",
		.before = "{\"sm_policy\":{\"name\":\"p\",\"schema_version\":1,\"enabled\":true}}",
		.after = "{\"enabled\":true}",
		.idle_target = "es8.19",
		.kind = METADATA_SNAPSHOT_POLICY,
		.silent = true,
	},
	{
		.rule = "sm-to-slm",
		.source = "os2.19",
		.target = "es8.19",
		.before = "{\"sm_policy\":{\"enabled\":true}}",
		.idle_target = "os3.1",
		.kind = METADATA_SNAPSHOT_POLICY,
	},
	{
		.rule = "lifecycle-serverless",
		.source = "es7.10",
		.target = "aoss",
		.before = ILM,
		.idle_target = "es8.19",
		.kind = METADATA_LIFECYCLE_POLICY,
	},
	{
		.rule = "snapshot-policy-serverless",
		.source = "es7.10",
		.target = "aoss",
		.before = "{\"policy\":{" SLM "}}",
		.idle_target = "es8.19",
		.kind = METADATA_SNAPSHOT_POLICY,
	},
	{0},
};
