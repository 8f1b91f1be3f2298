/* Detectors: items as a whole, aliases, the cluster. */
#include "metadata/assess_internal.h"

#include <inttypes.h>

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define TOTAL_FIELDS_USUAL 1000

static bool is_template(const struct metadata_item *item)
{
	return item->kind == METADATA_LEGACY_TEMPLATE || item->kind == METADATA_INDEX_TEMPLATE;
}

static bool is_composable(const struct metadata_item *item)
{
	return item->kind == METADATA_COMPONENT_TEMPLATE || item->kind == METADATA_INDEX_TEMPLATE;
}

static void has_template_key(struct assess_scan *scan, struct str name, const struct json *node,
			     const char *const *words)
{
	(void)name;
	(void)words;
	if (scan->item->kind == METADATA_LEGACY_TEMPLATE && json_get(node, "template"))
		assess_hit(scan, "template", "its pattern is a text");
}

static void has_warmers(struct assess_scan *scan, struct str name, const struct json *node,
			const char *const *words)
{
	const struct json *warmers = json_get(node, "warmers");

	(void)name;
	(void)words;
	if (warmers && warmers->first)
		assess_hit(scan, "warmers", "it has %zu warmers", warmers->count);
}

static void name_begins(struct assess_scan *scan, struct str name, const struct json *node,
			const char *const *words)
{
	(void)node;
	for (; scan->item->kind == METADATA_INDEX && *words; words++)
		if (str_starts(name, str_from(*words)))
			assess_hit_as(scan, ASSESS_BLOCK, NULL, "its name begins with %s", *words);
}

static void name_has_colon(struct assess_scan *scan, struct str name, const struct json *node,
			   const char *const *words)
{
	(void)node;
	(void)words;
	if (scan->item->kind == METADATA_INDEX && memchr(name.ptr, ':', name.len))
		assess_hit(scan, NULL, "its name has a colon");
}

/* A backing index of a data stream has a dot, too, and is the user's. */
static void is_system_index(struct assess_scan *scan, struct str name, const struct json *node,
			    const char *const *words)
{
	(void)node;
	(void)words;
	if (scan->item->kind == METADATA_INDEX && str_starts(name, STR(".")) &&
	    !str_starts(name, STR(".ds-")))
		assess_hit(scan, NULL, "its name begins with a dot");
}

/* The indices that plugins keep their things in are left out; that they are there says enough. */
static void is_plugin_index(struct assess_scan *scan, struct str name, const struct json *node,
			    const char *const *words)
{
	(void)name;
	(void)node;
	for (size_t i = 0; i < scan->a->set->count; i++)
		for (size_t j = 0; words[j]; j++) {
			const struct metadata_item *item = scan->a->set->items[i];

			if (item->kind != METADATA_INDEX ||
			    !str_starts(item->name, str_from(words[j])))
				continue;
			scan->item = item;
			assess_hit(scan, NULL, "the source uses the plugin");
			scan->item = NULL;
		}
}

/* Whether names that `pattern` means may begin as `prefix` does. */
static bool may_begin(struct str pattern, struct str prefix)
{
	for (size_t i = 0; i < prefix.len; i++) {
		if (i == pattern.len)
			return false;
		if (pattern.ptr[i] == '*')
			return true;
		if (pattern.ptr[i] != prefix.ptr[i])
			return false;
	}
	return true;
}

static void overlap(struct assess_scan *scan, struct str pattern, const char *const *words)
{
	for (; pattern.ptr && *words; words++)
		if (may_begin(pattern, str_from(*words)))
			assess_hit(scan, NULL, "its pattern " STR_FMT " meets %s*",
				   STR_ARG(pattern), *words);
}

static void overlaps_built_in(struct assess_scan *scan, struct str name, const struct json *node,
			      const char *const *words)
{
	(void)name;
	if (!is_template(scan->item))
		return;
	json_each (pattern, json_get(node, "index_patterns"))
		overlap(scan, json_string(pattern), words);
	overlap(scan, json_string(json_get(node, "template")), words);
}

static void freezes(struct assess_scan *scan, struct str name, const struct json *node,
		    const char *const *words)
{
	const struct json *policy = json_get(node, "policy");

	(void)name;
	(void)words;
	if (scan->item->kind != METADATA_LIFECYCLE_POLICY)
		return;
	json_each (phase, json_get(policy ? policy : node, "phases"))
		if (json_path(phase, "actions", "freeze", NULL))
			assess_hit(scan, NULL, "phase " STR_FMT " freezes", STR_ARG(phase->key));
}

static void is_of_xpack(struct assess_scan *scan, struct str name, const struct json *node,
			const char *const *words)
{
	(void)name;
	if (scan->item->kind == METADATA_LIFECYCLE_POLICY)
		assess_hit(scan, NULL, "an ILM policy");
	if (scan->item->kind == METADATA_SNAPSHOT_POLICY)
		assess_hit(scan, NULL, "an SLM policy");
	if (scan->item->kind != METADATA_PIPELINE)
		return;
	for (; *words; words++)
		json_each (processor, json_get(node, "processors"))
			if (json_get(processor, *words))
				assess_hit_as(scan, ASSESS_BLOCK, NULL, "it has the processor %s",
					      *words);
}

static void is_not_restorable(struct assess_scan *scan, struct str name, const struct json *node,
			      const char *const *words)
{
	const struct cluster_version *version = &scan->a->set->version;

	(void)name;
	(void)node;
	(void)words;
	if (version->major * 1000 + version->minor >= 7011)
		assess_hit(scan, NULL, "the source is Elasticsearch %d.%d", version->major,
			   version->minor);
}

static void has_unknown_keys(struct assess_scan *scan, struct str name, const struct json *node,
			     const char *const *words)
{
	static const char *const inner[] = {"lifecycle", "data_stream_options"};

	(void)name;
	if (!is_composable(scan->item))
		return;
	for (; *words; words++)
		if (json_get(node, *words))
			assess_hit(scan, *words, "OpenSearch does not know it");
	for (size_t i = 0; i < COUNT_OF(inner); i++)
		if (json_path(node, "template", inner[i], NULL))
			assess_hit(scan, inner[i], "OpenSearch does not know template.%s",
				   inner[i]);
}

static bool has_cluster_setting(const struct json *settings, struct str word)
{
	json_each (setting, settings) {
		if (memmem(setting->key.ptr, setting->key.len, word.ptr, word.len))
			return true;
		if (setting->type == JSON_OBJECT && has_cluster_setting(setting, word))
			return true;
	}
	return false;
}

static void is_cluster_setting(struct assess_scan *scan, struct str name, const struct json *node,
			       const char *const *words)
{
	(void)name;
	if (scan->item->kind != METADATA_CLUSTER_SETTINGS)
		return;
	for (; *words; words++)
		if (has_cluster_setting(node, str_from(*words)))
			assess_hit(scan, NULL, "a setting is called %s", *words);
}

/* knn.plugin.enabled, flat or a tree. */
static void switches_knn(struct assess_scan *scan, struct str name, const struct json *node,
			 const char *const *words)
{
	(void)name;
	(void)words;
	if (scan->item->kind == METADATA_CLUSTER_SETTINGS &&
	    settings_get(node, "knn.plugin.enabled"))
		assess_hit(scan, "knn.plugin.enabled", "it is set");
}

static void respells_routing(struct assess_scan *scan, struct str name, const struct json *aliases,
			     const char *const *words)
{
	(void)name;
	json_each (alias, aliases)
		for (size_t i = 0; words[i]; i++)
			if (json_get(alias, words[i]))
				assess_hit(scan, NULL, "alias '" STR_FMT "' has %s",
					   STR_ARG(alias->key), words[i]);
}

static void routes(struct assess_scan *scan, struct str name, const struct json *aliases,
		   const char *const *words)
{
	(void)name;
	json_each (alias, aliases)
		for (size_t i = 0; words[i]; i++)
			if (json_get(alias, words[i])) {
				assess_hit(scan, NULL, "alias '" STR_FMT "' has a routing",
					   STR_ARG(alias->key));
				break;
			}
}

static void is_downgrade(struct assess_scan *scan, struct str name, const struct json *node,
			 const char *const *words)
{
	const struct cluster_version *from = &scan->a->set->version;
	const struct cluster_version *to = &scan->a->options.target;
	int forked = 7010, a = from->major * 1000 + from->minor, b = to->major * 1000 + to->minor;

	(void)name;
	(void)node;
	(void)words;
	if (to->serverless)
		return;
	if (from->flavour != to->flavour) {
		a = from->flavour == CLUSTER_OPENSEARCH ? forked : a;
		b = to->flavour == CLUSTER_OPENSEARCH ? forked : b;
		/* 7.17 to OpenSearch is a fork's usual way. */
		if (from->flavour == CLUSTER_ELASTICSEARCH && from->major < 8)
			return;
	}
	if (a > b)
		assess_hit(scan, NULL, "from %d.%d to %d.%d", from->major, from->minor, to->major,
			   to->minor);
}

static size_t count_fields(const struct json *mapping, int depth)
{
	static const char *const members[] = {"properties", "fields"};
	size_t count = 0;

	for (size_t i = 0; depth < 100 && i < COUNT_OF(members); i++)
		json_each (field, json_get(mapping, members[i]))
			count += 1 + count_fields(field, depth + 1);
	return count;
}

static void has_too_many_fields(struct assess_scan *scan, struct str name, const struct json *node,
				const char *const *words)
{
	const struct json *result = scan->item->result;
	int64_t limit = json_i64_or(
		settings_get(json_get(result, "settings"), "mapping.total_fields.limit"),
		TOTAL_FIELDS_USUAL);
	size_t count;

	(void)name;
	(void)node;
	(void)words;
	if (scan->item->kind != METADATA_INDEX)
		return;
	count = count_fields(json_get(result, "mappings"), 0);
	if ((int64_t)count > limit)
		assess_hit(scan, NULL, "%zu fields, and the limit is %" PRId64, count, limit);
}

static void is_unreadable(struct assess_scan *scan, struct str name, const struct json *node,
			  const char *const *words)
{
	(void)name;
	(void)node;
	(void)words;
	for (size_t i = 0; i < scan->a->set->unreadable_count; i++) {
		const struct metadata_unreadable *one = &scan->a->set->unreadable[i];

		assess_hit(scan, metadata_kind_name(one->kind), STR_FMT, STR_ARG(one->reason));
	}
}

static void is_partial(struct assess_scan *scan, struct str name, const struct json *node,
		       const char *const *words)
{
	(void)name;
	(void)node;
	(void)words;
	if (scan->item->kind == METADATA_INDEX && scan->item->partial_source)
		assess_hit(scan, NULL, "its _source is switched off, filtered or synthetic");
}

/* The queries that metadata holds; what they break is looked for by other rows' ids. */
static void has_queries(struct assess_scan *scan, const struct json *aliases)
{
	struct str path = scan->path;

	json_each (alias, aliases) {
		const struct json *filter = json_get(alias, "filter");

		scan->path = arena_printf(&scan->a->scratch, STR_FMT "." STR_FMT ".filter",
					  STR_ARG(path), STR_ARG(alias->key));
		if (filter && filter->type == JSON_STRING)
			assess_query_text(scan, filter->text);
		else if (filter)
			assess_query(scan, filter);
	}
	scan->path = path;
}

static void scan_alias_filters(struct assess_scan *scan, struct str name,
			       const struct json *aliases, const char *const *words)
{
	struct assess_scan inner = *scan;

	(void)name;
	(void)words;
	has_queries(&inner, aliases);
}

static void scan_warmers(struct assess_scan *scan, struct str name, const struct json *node,
			 const char *const *words)
{
	struct assess_scan inner = *scan;

	(void)name;
	(void)words;
	json_each (warmer, json_get(node, "warmers"))
		assess_search_body(&inner, json_get(warmer, "source"));
}

/* Search templates: stored scripts in mustache. */
static void scan_search_template(struct assess_scan *scan, struct str name, const struct json *node,
				 const char *const *words)
{
	const struct json *script = json_get(node, "script"), *source;
	struct str lang = json_string(json_get(script, "lang"));
	struct assess_scan inner = *scan;

	(void)name;
	(void)words;
	if (scan->item->kind != METADATA_SCRIPT || !str_is(lang, "mustache"))
		return;
	source = json_get(script, "source");
	if (!source)
		source = json_get(script, "code");
	if (!source)
		source = json_get(script, "template");
	if (source && source->type == JSON_OBJECT)
		assess_search_body(&inner, source);
	else if (source && source->type == JSON_STRING)
		assess_query_text(&inner, source->text);
}

const struct assess_detector assess_of_items[] = {
	{"B504", AT_ITEM, has_warmers, NULL},
	{"B506", AT_ITEM, name_begins, WORDS("-", "+")},
	{"B506", AT_ALIASES, respells_routing,
	 WORDS("index-routing", "indexRouting", "search-routing", "searchRouting")},
	{"B603", AT_ITEM, has_template_key, NULL},
	{"B708", AT_ITEM, name_has_colon, NULL},
	{"B709", AT_ALIASES, routes, WORDS("routing", "index_routing", "search_routing")},
	{"B714", AT_ITEM, overlaps_built_in, WORDS("logs-", "metrics-")},
	{"B805", AT_ITEM, has_template_key, NULL},
	{"B807", AT_ITEM, freezes, NULL},
	{"BF01", AT_ITEM, is_of_xpack, WORDS("enrich", "inference", "set_security_user")},
	{"BF02", AT_SET, is_not_restorable, NULL},
	{"BF03", AT_ITEM, has_unknown_keys,
	 WORDS("allow_auto_create", "ignore_missing_component_templates", "deprecated")},
	{"BO22", AT_ITEM, is_cluster_setting, WORDS("whitelist", "blacklist", "master")},
	{"BO23", AT_SET, is_plugin_index,
	 WORDS(".opendistro-alerting", ".opensearch-alerting", ".plugins-alerting")},
	{"BO31", AT_ITEM, switches_knn, NULL},
	{"BO33", AT_ITEM, is_system_index, NULL},
	{"BO35", AT_SET, is_plugin_index,
	 WORDS(".opendistro-notebooks", ".opensearch-notebooks", ".opensearch-observability")},
	{"BX01", AT_SET, is_downgrade, NULL},
	{"BX03", AT_ITEM, has_too_many_fields, NULL},
	/* These look for several ids; the row's own holds between any two versions. */
	{"BX04", AT_ALIASES, scan_alias_filters, NULL},
	{"BX04", AT_ITEM, scan_search_template, NULL},
	{"BX04", AT_ITEM, scan_warmers, NULL},
	{"BX07", AT_SET, is_unreadable, NULL},
	{"BX08", AT_ITEM, is_partial, NULL},
	{0},
};
