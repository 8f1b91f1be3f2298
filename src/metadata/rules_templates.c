/* Templates around their content. */
#include "metadata/rules_internal.h"

static bool is_composable(const struct rule_scope *scope)
{
	return scope->item->kind == METADATA_INDEX_TEMPLATE ||
	       scope->item->kind == METADATA_COMPONENT_TEMPLATE;
}

static bool name_patterns(struct rule_scope *scope, struct str name, struct json *node)
{
	struct arena *mem = &scope->set->mem;
	struct json *pattern, *patterns;

	(void)name;
	if (scope->item->kind != METADATA_LEGACY_TEMPLATE)
		return false;
	pattern = json_remove(node, STR("template"));
	if (!pattern || json_get(node, "index_patterns"))
		return pattern != NULL;
	patterns = json_new(mem, JSON_ARRAY);
	json_append(patterns, json_copy(mem, pattern));
	json_set(node, STR("index_patterns"), patterns);
	rule_note(scope, "template-index-patterns", NOTE_CHANGE,
		  "template is index_patterns, a list");
	return true;
}

static bool remove_elasticsearch_keys(struct rule_scope *scope, struct str name, struct json *node)
{
	static const char *const keys[] = {
		"allow_auto_create",   "ignore_missing_component_templates",
		"deprecated",          "created_date",
		"modified_date",       "created_date_millis",
		"modified_date_millis"};
	static const char *const inner[] = {"lifecycle", "data_stream_options"};
	struct json *template = json_get(node, "template");
	bool changed = false;

	(void)name;
	if (!is_composable(scope))
		return false;
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (json_remove(node, str_from(keys[i]))) {
			rule_note(scope, "template-elasticsearch-keys", NOTE_CHANGE,
				  "removed %s: OpenSearch does not know it", keys[i]);
			changed = true;
		}
	for (size_t i = 0; template && i < COUNT_OF(inner); i++)
		if (json_remove(template, str_from(inner[i]))) {
			rule_note(scope, "template-elasticsearch-keys", NOTE_WARN,
				  "removed template.%s: OpenSearch does not know it; an ISM policy "
				  "can take its place",
				  inner[i]);
			changed = true;
		}
	return changed;
}

static bool remove_dates(struct rule_scope *scope, struct str name, struct json *node)
{
	static const char *const keys[] = {"created_date", "modified_date", "created_date_millis",
					   "modified_date_millis"};
	bool changed = false;

	(void)name;
	for (size_t i = 0; is_composable(scope) && i < COUNT_OF(keys); i++)
		changed |= json_remove(node, str_from(keys[i])) != NULL;
	return changed;
}

/* Elasticsearch 1 and 2 allowed what no later version does. */
static bool block_name(struct rule_scope *scope, struct str name, struct json *node)
{
	struct str target = scope->item->target_name;

	(void)name;
	(void)node;
	if (scope->item->kind != METADATA_INDEX || target.len == 0 ||
	    (target.ptr[0] != '-' && target.ptr[0] != '+' && !memchr(target.ptr, ':', target.len)))
		return false;
	rule_block(scope, "index-name",
		   "the name '" STR_FMT "' is not allowed on the target: names do not start with - "
		   "or + and have no colon; pass --rename",
		   STR_ARG(target));
	return true;
}

static bool tell_closed(struct rule_scope *scope, struct str name, struct json *node)
{
	(void)name;
	(void)node;
	if (scope->item->kind != METADATA_INDEX || !scope->item->closed)
		return false;
	rule_note(scope, "index-closed", NOTE_WARN,
		  "closed on the source, created open so that documents can come: close it after "
		  "the backfill");
	return true;
}

static bool tell_partial_source(struct rule_scope *scope, struct str name, struct json *node)
{
	(void)name;
	(void)node;
	if (scope->item->kind != METADATA_INDEX || !scope->item->partial_source)
		return false;
	rule_note(scope, "index-partial-source", NOTE_WARN,
		  "stores its documents' sources in part or not at all: the backfill cannot bring "
		  "them whole");
	return true;
}

const struct rule rules_of_templates[] = {
	{"index-partial-source", NULL, RULE_BODY, ANY_VERSION, ANY_VERSION,
	 "Indices whose documents cannot be read whole", tell_partial_source},
	{"index-name", "B506,B708", RULE_BODY, ES_BELOW(7000), ANY_VERSION,
	 "Names of indices that are not allowed any more", block_name},
	{"index-closed", NULL, RULE_BODY, ANY_VERSION, ANY_VERSION,
	 "Closed indices are created open", tell_closed},
	{"template-index-patterns", "B603", RULE_BODY, ES_BELOW(6000), ANY_VERSION,
	 "Templates name their patterns as a list", name_patterns},
	{"template-elasticsearch-keys", NULL, RULE_BODY, ANY_ELASTICSEARCH, ANY_OPENSEARCH,
	 "Keys of templates that OpenSearch's strict parser refuses", remove_elasticsearch_keys},
	{"template-dates", NULL, RULE_BODY, ANY_VERSION, ANY_VERSION,
	 "Dates that the cluster writes itself", remove_dates},
	{0},
};
