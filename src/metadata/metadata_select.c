/* Which items a user means. */
#include "metadata/index_filter.h"
#include "metadata/metadata_read.h"

/* What products bring themselves, beside what index_is_excluded_by_default tells of every class. */
static const char *const template_prefixes[] = {
	"@abc_template@", "apm@", "data-streams-", "data-streams@", "ecs@",
};
static const char *const template_suffixes[] = {
	"@ilm", "@lifecycle", "@mappings", "@package", "@settings", "@template", "@tsdb-settings",
};
static const char *const template_names[] = {
	"agentless",
	"elastic-connectors",
	"ilm-history",
	"logs",
	"metrics",
	"traces",
	"profiling",
	"synthetics",
	"search-acl-filter",
	"tenant_template",
	"logs-mappings",
	"logs-settings",
	"logs-tsdb-settings",
	"metrics-mappings",
	"metrics-settings",
	"metrics-tsdb-settings",
	"traces-mappings",
	"traces-settings",
	"traces-tsdb-settings",
};
static const char *const policy_names[] = {
	"watch-history-ilm-policy",
	"slm-history-ilm-policy",
	"ml-size-based-ilm-policy",
	"7-days-default",
	"30-days-default",
	"90-days-default",
	"180-days-default",
	"365-days-default",
	"logs",
	"metrics",
	"synthetics",
	"traces",
	"ilm-history-ilm-policy",
	"kibana-event-log-policy",
};
static const char *const pipeline_prefixes[] = {"xpack_monitoring_"};

static bool is_any_of(struct str name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_is(name, names[i]))
			return true;
	return false;
}

static bool starts_with_any(struct str name, const char *const *prefixes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_starts(name, str_from(prefixes[i])))
			return true;
	return false;
}

static bool ends_with_any(struct str name, const char *const *suffixes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_ends(name, str_from(suffixes[i])))
			return true;
	return false;
}

static bool is_managed(const struct json *body)
{
	return json_bool_or(json_path(body, "_meta", "managed", NULL), false) ||
	       json_bool_or(json_path(body, "policy", "_meta", "managed", NULL), false);
}

static bool is_builtin_template(struct str name)
{
	return starts_with_any(name, template_prefixes, COUNT_OF(template_prefixes)) ||
	       ends_with_any(name, template_suffixes, COUNT_OF(template_suffixes)) ||
	       is_any_of(name, template_names, COUNT_OF(template_names));
}

static bool is_builtin(const struct metadata_item *item)
{
	switch (item->kind) {
	case METADATA_INDEX:
	case METADATA_ALIAS:
	case METADATA_DATA_STREAM:
		return index_is_excluded_by_default(item->name);
	case METADATA_LEGACY_TEMPLATE:
	case METADATA_INDEX_TEMPLATE:
	case METADATA_COMPONENT_TEMPLATE:
		return index_is_excluded_by_default(item->name) ||
		       is_builtin_template(item->name) || is_managed(item->source);
	case METADATA_LIFECYCLE_POLICY:
		return is_any_of(item->name, policy_names, COUNT_OF(policy_names)) ||
		       index_is_excluded_by_default(item->name) || is_managed(item->source);
	case METADATA_PIPELINE:
		return starts_with_any(item->name, pipeline_prefixes,
				       COUNT_OF(pipeline_prefixes)) ||
		       index_is_excluded_by_default(item->name) || is_managed(item->source) ||
		       ends_with_any(item->name, template_suffixes, COUNT_OF(template_suffixes));
	case METADATA_SECURITY:
		return json_bool_or(json_path(item->source, "metadata", "_reserved", NULL),
				    false) ||
		       json_bool_or(json_get(item->source, "reserved"), false) ||
		       json_bool_or(json_get(item->source, "static"), false);
	case METADATA_CLUSTER_SETTINGS:
	case METADATA_SNAPSHOT_POLICY:
	case METADATA_SCRIPT:
	case METADATA_KINDS:
		return false;
	}
	BUG("unknown kind of metadata");
}

static const struct opt_list *list_of(const struct metadata_selection *selection,
				      enum metadata_kind kind)
{
	if (kind == METADATA_INDEX || kind == METADATA_ALIAS || kind == METADATA_DATA_STREAM)
		return selection->indices;
	if (kind == METADATA_LEGACY_TEMPLATE || kind == METADATA_INDEX_TEMPLATE)
		return selection->index_templates;
	if (kind == METADATA_COMPONENT_TEMPLATE)
		return selection->component_templates;
	return selection->others;
}

/* An alias goes where its indices go. */
static bool alias_is_wanted(const struct metadata_set *set, const struct metadata_item *alias)
{
	json_each (member, alias->source) {
		const struct metadata_item *index =
			metadata_set_find(set, METADATA_INDEX, member->key);

		if (index && index->outcome != OUTCOME_EXCLUDED)
			return true;
	}
	return false;
}

static int select_kind(struct metadata_set *set, enum metadata_kind kind,
		       const struct opt_list *list, struct err *err)
{
	struct index_filter *filter = NULL;

	if (list && list->count > 0 && index_filter_new(list, &filter, err) < 0)
		return err_wrap(err, "the names of %s", metadata_kind_heading(kind));
	for (size_t i = 0; i < set->count; i++) {
		struct metadata_item *item = set->items[i];
		bool wanted;

		if (item->kind != kind)
			continue;
		if (kind == METADATA_ALIAS)
			wanted = alias_is_wanted(set, item);
		else
			wanted = filter ? index_filter_accepts(filter, item->name)
					: !is_builtin(item);
		item->system = is_builtin(item);
		if (wanted)
			continue;
		item->outcome = OUTCOME_EXCLUDED;
		item->reason = filter ? STR("not selected") : STR("brought by a product itself");
	}
	index_filter_free(filter);
	return 0;
}

int metadata_select(struct metadata_set *set, const struct metadata_selection *selection,
		    struct err *err)
{
	/* Indices come before their aliases in the order of kinds. */
	for (int kind = 0; kind < METADATA_KINDS; kind++) {
		int rc = select_kind(set, (enum metadata_kind)kind,
				     list_of(selection, (enum metadata_kind)kind), err);

		if (rc < 0)
			return rc;
	}
	return 0;
}
