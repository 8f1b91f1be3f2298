/* Policies of lifecycles and of snapshots: which a target takes as they are, and which change. */
#include "metadata/ilm_to_ism.h"
#include "metadata/ism_policy.h"
#include "metadata/snapshot_policy.h"

#define FIRST_WITH_SM 2001

static void remove_keys(struct json *object, const char *const *keys, size_t count)
{
	for (size_t i = 0; object && i < count; i++)
		json_remove(object, str_from(keys[i]));
}

static bool convert_ilm(struct rule_scope *scope, struct str name, struct json *node)
{
	struct json *converted = ilm_to_ism(scope, node);

	(void)name;
	if (!converted)
		return true;
	scope->item->result = converted;
	scope->path = STR_NONE;
	rule_note(scope, "ilm-to-ism", NOTE_CHANGE,
		  "it is an ISM policy; `shardlift lifecycle attach` attaches it after the "
		  "backfill");
	return true;
}

static bool strip_ilm(struct rule_scope *scope, struct str name, struct json *node)
{
	static const char *const keys[] = {"version", "modified_date", "modified_date_string",
					   "headers", "in_use_by"};
	struct json *policy = json_get(node, "policy"), *body;

	(void)name;
	if (!policy)
		return false;
	remove_keys(policy, keys, COUNT_OF(keys));
	body = json_new(&scope->set->mem, JSON_OBJECT);
	json_set(body, STR("policy"), json_copy(&scope->set->mem, policy));
	scope->item->result = body;
	return true;
}

static bool strip_ism(struct rule_scope *scope, struct str name, struct json *node)
{
	static const char *const outer[] = {"_id", "_version", "_seq_no", "_primary_term"};
	struct json *policy = json_get(node, "policy");
	const struct json *template = json_get(policy, "ism_template");
	bool held_back = template && template->first;

	(void)name;
	remove_keys(node, outer, COUNT_OF(outer));
	ism_policy_strip(policy);
	/* Held back, as for policies that were ILM's. */
	if (held_back)
		rule_note(
			scope, "ism-read-only", NOTE_CHANGE,
			"its ism_template is added by `shardlift lifecycle attach`: indices would "
			"age while their documents are on their way");
	return true;
}

static bool block_ism(struct rule_scope *scope, struct str name, struct json *node)
{
	(void)name;
	(void)node;
	rule_block(scope, "ism-to-ilm",
		   "an ISM policy cannot be an ILM policy, for its states are free; write an ILM "
		   "policy by hand");
	return true;
}

static bool block_serverless(struct rule_scope *scope, struct str name, struct json *node)
{
	bool lifecycle = scope->item->kind == METADATA_LIFECYCLE_POLICY;

	(void)name;
	(void)node;
	if (!scope->options->target.serverless)
		return false;
	rule_block(scope, lifecycle ? "lifecycle-serverless" : "snapshot-policy-serverless",
		   "OpenSearch Serverless has no such policies; its own are made in the console");
	return true;
}

static bool convert_slm(struct rule_scope *scope, struct str name, struct json *node)
{
	const struct rule_range with_sm = {ONLY_OS, FIRST_WITH_SM, 0};
	struct json *converted;

	(void)name;
	if (!rule_range_holds(&with_sm, &scope->options->target)) {
		rule_block(
			scope, "slm-to-sm",
			"OpenSearch has snapshot policies from 2.1 on; take snapshots by another "
			"way");
		return true;
	}
	converted = slm_to_sm(scope, node);
	if (converted)
		scope->item->result = converted;
	return true;
}

static bool strip_slm(struct rule_scope *scope, struct str name, struct json *node)
{
	struct json *policy = json_get(node, "policy");

	(void)name;
	if (!policy)
		return false;
	scope->item->result = json_copy(&scope->set->mem, policy);
	return true;
}

static bool strip_sm(struct rule_scope *scope, struct str name, struct json *node)
{
	static const char *const keys[] = {
		"name", "schema_version", "schedule", "last_updated_time", "enabled_time", "user"};
	struct json *policy = json_get(node, "sm_policy");

	(void)name;
	if (!policy)
		return false;
	remove_keys(policy, keys, COUNT_OF(keys));
	scope->item->result = json_copy(&scope->set->mem, policy);
	return true;
}

static bool block_sm(struct rule_scope *scope, struct str name, struct json *node)
{
	(void)name;
	(void)node;
	rule_block(scope, "sm-to-slm",
		   "a snapshot policy of OpenSearch is not converted to one of Elasticsearch; "
		   "write it by hand");
	return true;
}

const struct rule rules_of_policies[] = {
	{"ilm-to-ism", NULL, RULE_LIFECYCLE_POLICY, ANY_ELASTICSEARCH, ANY_OPENSEARCH,
	 "ILM policies become ISM policies", convert_ilm},
	{"ilm-read-only", NULL, RULE_LIFECYCLE_POLICY, ANY_ELASTICSEARCH, ANY_ELASTICSEARCH,
	 "Keys of ILM policies that a cluster writes itself are left out", strip_ilm},
	{"ism-read-only", NULL, RULE_LIFECYCLE_POLICY, ANY_OPENSEARCH, ANY_OPENSEARCH,
	 "Keys of ISM policies that a cluster writes itself are left out", strip_ism},
	{"ism-to-ilm", NULL, RULE_LIFECYCLE_POLICY, ANY_OPENSEARCH, ANY_ELASTICSEARCH,
	 "ISM policies have no counterpart in Elasticsearch", block_ism},
	{"slm-to-sm", NULL, RULE_SNAPSHOT_POLICY, ANY_ELASTICSEARCH, ANY_OPENSEARCH,
	 "SLM policies become SM policies", convert_slm},
	{"slm-read-only", NULL, RULE_SNAPSHOT_POLICY, ANY_ELASTICSEARCH, ANY_ELASTICSEARCH,
	 "SLM policies travel without what a cluster writes around them", strip_slm},
	{"sm-read-only", NULL, RULE_SNAPSHOT_POLICY, ANY_OPENSEARCH, ANY_OPENSEARCH,
	 "Keys of SM policies that a cluster writes itself are left out", strip_sm},
	{"sm-to-slm", NULL, RULE_SNAPSHOT_POLICY, ANY_OPENSEARCH, ANY_ELASTICSEARCH,
	 "SM policies are not converted to SLM", block_sm},
	{"lifecycle-serverless", NULL, RULE_LIFECYCLE_POLICY, ANY_VERSION, ANY_OPENSEARCH,
	 "Serverless has no lifecycle policies of indices", block_serverless},
	{"snapshot-policy-serverless", NULL, RULE_SNAPSHOT_POLICY, ANY_VERSION, ANY_OPENSEARCH,
	 "Serverless has no snapshot policies", block_serverless},
	{0},
};
