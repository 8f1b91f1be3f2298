/* Settings of indices and templates. */
#include "metadata/rules_internal.h"
#include "metadata/time_value.h"

#include <inttypes.h>
#include <stdio.h>

/* Names of settings; "a.*": all below a, and a itself. */
typedef const char *const setting_names[];

static bool remove_one(struct json *settings, const char *pattern)
{
	size_t length = strlen(pattern);
	char prefix[128];
	bool removed = false;

	if (length < 2 || strcmp(pattern + length - 2, ".*") != 0)
		return settings_remove(settings, pattern) != NULL;
	snprintf(prefix, sizeof(prefix), "%.*s", (int)(length - 2), pattern);
	removed = settings_remove(settings, prefix) != NULL;
	/* Names that stayed flat beside a value of their prefix. */
	for (struct json *member = settings->first, *next; member; member = next) {
		next = member->next;
		if (!str_starts(member->key, str_of(pattern, length - 1)))
			continue;
		json_remove(settings, member->key);
		removed = true;
	}
	return removed;
}

/* why NULL: not worth a word. */
static bool remove_all(struct rule_scope *scope, const char *rule, struct json *settings,
		       const char *const *names, size_t count, enum note_level level,
		       const char *why)
{
	bool removed = false;

	for (size_t i = 0; i < count; i++) {
		if (!remove_one(settings, names[i]))
			continue;
		removed = true;
		if (why)
			rule_note(scope, rule, level, "removed %s: %s", names[i], why);
	}
	return removed;
}

#define REMOVE(rule, names, level, why) \
	remove_all(scope, rule, node, names, COUNT_OF(names), level, why)

static bool remove_private(struct rule_scope *scope, struct str name, struct json *node)
{
	static setting_names names = {
		"creation_date",
		"creation_date_string",
		"uuid",
		"provided_name",
		"version.*",
		"history.uuid",
		"history_uuid",
		"verified_before_close",
		"resize.*",
		"shrink.*",
		"search.throttled",
		"frozen",
		"source_only",
		"remote_store.*",
		"store.type",
		"store.snapshot.*",
		"searchable_snapshot.*",
		"data_path",
		"rollup.*",
		"downsample.*",
		"replication.type",
	};

	(void)name;
	return REMOVE("settings-private", names, NOTE_INFO, NULL);
}

static bool remove_allocation(struct rule_scope *scope, struct str name, struct json *node)
{
	static setting_names tiers = {"routing.allocation.include._tier_preference",
				      "routing.allocation.initial_recovery.*"};
	static setting_names names = {"routing.allocation.*", "routing.rebalance.*"};
	bool removed = REMOVE("settings-allocation", tiers, NOTE_INFO, NULL);

	(void)name;
	if (scope->options->keep_allocation)
		return removed;
	return REMOVE("settings-allocation", names, NOTE_CHANGE,
		      "it is about the source's nodes; --keep-allocation keeps it") ||
	       removed;
}

static bool remove_blocks(struct rule_scope *scope, struct str name, struct json *node)
{
	static setting_names names = {"blocks.*"};

	(void)name;
	return REMOVE("settings-blocks", names, NOTE_CHANGE, "the documents could not be written");
}

static bool remove_pipelines(struct rule_scope *scope, struct str name, struct json *node)
{
	static setting_names names = {"default_pipeline", "final_pipeline"};

	(void)name;
	return REMOVE("settings-pipelines", names, NOTE_WARN,
		      "it would run again over documents it has seen; set it after the backfill");
}

static bool remove_obsolete(struct rule_scope *scope, struct str name, struct json *node)
{
	static setting_names names = {
		"soft_deletes.enabled",
		"soft_deletes.retention.*",
		"translog.retention.*",
		"mapping.single_type",
		"force_memory_term_dictionary",
		"max_adjacency_matrix_filters",
		"archived.*",
		"merge.scheduler.auto_throttle",
	};

	(void)name;
	return REMOVE("settings-obsolete", names, NOTE_INFO, NULL);
}

static bool remove_of_early_versions(struct rule_scope *scope, struct str name, struct json *node)
{
	static setting_names names = {
		"translog.flush_threshold_ops",
		"translog.flush_threshold_period",
		"translog.fs.*",
		"translog.interval",
		"shadow_replicas",
		"shared_filesystem.*",
		"shared_filesystem",
		"store.throttle.*",
		"query.bool.max_clause_count",
		"bloom_filter_for_id_field.*",
		"codec.bloom.*",
		"warmer.*",
		"gateway.*",
		"recovery.initial_shards",
		"compound_format",
		"compound_on_flush",
		"merge.async",
		"merge.policy.type",
		"term_index_interval",
		"term_index_divisor",
		"fielddata.*",
		"cache.*",
		"ttl.*",
		"indexing.slowlog.threshold",
	};

	(void)name;
	return REMOVE("settings-early", names, NOTE_CHANGE, "the target does not know it");
}

static bool rename_request_cache(struct rule_scope *scope, struct str name, struct json *node)
{
	struct json *value = settings_remove(node, "cache.query.enable");

	(void)name;
	if (!value)
		return false;
	settings_set(node, "requests.cache.enable", value, &scope->set->mem);
	rule_note(scope, "settings-request-cache", NOTE_CHANGE,
		  "cache.query.enable is requests.cache.enable now");
	return true;
}

static bool spell_times(struct rule_scope *scope, struct str name, struct json *node)
{
	bool changed = false;

	json_each (setting, node) {
		struct str text = json_string(setting);
		int64_t ms;

		if (setting->type == JSON_OBJECT && !str_is(setting->key, "analysis"))
			changed |= spell_times(scope, name, setting);
		if (settings_is_size(setting->key) || !time_value_parse_early(text, &ms))
			continue;
		setting->text = time_value_text(ms, &scope->set->mem);
		rule_note(scope, "settings-times", NOTE_CHANGE, STR_FMT " " STR_FMT " is " STR_FMT,
			  STR_ARG(setting->key), STR_ARG(text), STR_ARG(setting->text));
		changed = true;
	}
	return changed;
}

/* index.mapper.dynamic: false meant that no type was made by itself. */
static bool move_mapper_dynamic(struct rule_scope *scope, struct str name, struct json *node)
{
	struct json *value = settings_remove(node, "mapper.dynamic");
	struct json *body = scope->item->result, *content, *mappings;

	(void)name;
	if (!value)
		return false;
	content = json_get(body, "template");
	mappings = json_get(content ? content : body, "mappings");
	if (!json_bool_or(value, true) && mappings && !json_get(mappings, "dynamic"))
		json_set(mappings, STR("dynamic"), json_new_bool(&scope->set->mem, false));
	rule_note(scope, "settings-mapper-dynamic",
		  json_bool_or(value, true) ? NOTE_CHANGE : NOTE_WARN,
		  "removed mapper.dynamic: \"dynamic\" of the mapping takes its place");
	return true;
}

static bool remove_elasticsearch_only(struct rule_scope *scope, struct str name, struct json *node)
{
	static setting_names silent = {
		"routing_path",
		"time_series.*",
		"logsdb.*",
		"look_ahead_time",
		"look_back_time",
		"mapping.synthetic_source_keep",
		"recovery.use_synthetic_source",
		"recovery.use_source",
		"bloom_filter_for_id_field.*",
		"fast_refresh",
		"xpack.*",
		"mapping.ignore_above",
		"mapping.semantic_text.*",
		"dimensions",
	};
	static setting_names mode = {"mode"};
	static setting_names source = {"mapping.source.mode"};
	bool removed = REMOVE("settings-elasticsearch-only", silent, NOTE_INFO, NULL);

	(void)name;
	removed |= REMOVE("settings-elasticsearch-only", mode, NOTE_WARN,
			  "OpenSearch has no index modes: the documents are stored as plain ones");
	removed |= REMOVE("settings-elasticsearch-only", source, NOTE_WARN,
			  "OpenSearch stores sources whole");
	return removed;
}

/* Templates give it to indices to come, and indices have it: rollovers go on under ISM. */
static void keep_rollover(struct rule_scope *scope, struct json *node)
{
	struct arena *mem = &scope->set->mem;
	const struct json *alias = settings_get(node, "lifecycle.rollover_alias");

	if (json_string(alias).len > 0)
		settings_set(node, "plugins.index_state_management.rollover_alias",
			     json_copy(mem, alias), mem);
	if (json_bool_or(settings_get(node, "lifecycle.indexing_complete"), false))
		settings_set(node, "plugins.index_state_management.rollover_skip",
			     json_new_bool(mem, true), mem);
}

static void note_origination(struct rule_scope *scope, const struct json *node)
{
	struct str date = json_text_or(settings_get(node, "lifecycle.origination_date"), STR_NONE);

	if (date.len > 0)
		rule_note(scope, "settings-lifecycle", NOTE_INFO,
			  "its age counted from lifecycle.origination_date " STR_FMT,
			  STR_ARG(date));
}

static bool remove_lifecycle(struct rule_scope *scope, struct str name, struct json *node)
{
	static setting_names names = {"lifecycle.*"};

	(void)name;
	keep_rollover(scope, node);
	note_origination(scope, node);
	return REMOVE("settings-lifecycle", names, NOTE_WARN,
		      "OpenSearch has ISM policies instead; `shardlift lifecycle attach` attaches "
		      "them after the backfill");
}

static bool remove_plugin_settings(struct rule_scope *scope, struct str name, struct json *node)
{
	static setting_names names = {"opendistro.*", "plugins.*", "knn.*"};

	(void)name;
	return REMOVE("settings-opensearch-only", names, NOTE_WARN,
		      "Elasticsearch does not know it");
}

static bool remove_mmap_extensions(struct rule_scope *scope, struct str name, struct json *node)
{
	static setting_names names = {"store.hybrid.mmap.extensions"};

	(void)name;
	return REMOVE("settings-mmap-extensions", names, NOTE_CHANGE,
		      "OpenSearch 3 does not know it");
}

static bool is_codec_of_opensearch(struct str codec)
{
	return str_starts(codec, STR("zstd")) || str_starts(codec, STR("qat_"));
}

static bool use_best_compression(struct rule_scope *scope, const char *rule, struct json *node)
{
	struct str codec = json_string(settings_get(node, "codec"));

	if (!is_codec_of_opensearch(codec))
		return false;
	settings_set(node, "codec", json_new_string(&scope->set->mem, STR("best_compression")),
		     &scope->set->mem);
	rule_note(scope, rule, NOTE_CHANGE, "codec is best_compression: the target has no " STR_FMT,
		  STR_ARG(codec));
	return true;
}

static bool replace_codec(struct rule_scope *scope, struct str name, struct json *node)
{
	(void)name;
	return use_best_compression(scope, "settings-codec", node);
}

static bool replace_codec_early(struct rule_scope *scope, struct str name, struct json *node)
{
	(void)name;
	return use_best_compression(scope, "settings-codec-old-target", node);
}

static bool remove_legacy_codec(struct rule_scope *scope, struct str name, struct json *node)
{
	struct str codec = json_string(settings_get(node, "codec"));

	(void)name;
	if (!str_is(codec, "legacy_best_compression") && !str_is(codec, "legacy_default"))
		return false;
	settings_set(node, "codec", json_new_string(&scope->set->mem, STR("best_compression")),
		     &scope->set->mem);
	rule_note(scope, "settings-legacy-codec", NOTE_CHANGE, "codec is best_compression");
	return true;
}

static int64_t rounded_up(int64_t replicas, int64_t zones)
{
	int64_t copies = replicas + 1;

	return zones > 1 ? (copies + zones - 1) / zones * zones - 1 : replicas;
}

static bool set_replicas(struct rule_scope *scope, struct str name, struct json *node)
{
	const struct rule_options *options = scope->options;
	const struct json *there = settings_get(node, "number_of_replicas");
	int64_t was = json_i64_or(there, -1), wanted = was;

	(void)name;
	/* Templates that say nothing of replicas go on to say nothing. */
	if (options->replicas >= 0 && (there || scope->item->kind == METADATA_INDEX))
		wanted = options->replicas;
	if (wanted >= 0)
		wanted = rounded_up(wanted, options->awareness_attributes);
	/* It would win over the number asked for. */
	if (options->replicas >= 0)
		settings_remove(node, "auto_expand_replicas");
	if (wanted == was)
		return false;
	settings_set(node, "number_of_replicas", json_new_i64(&scope->set->mem, wanted),
		     &scope->set->mem);
	rule_note(scope, "settings-replicas", NOTE_CHANGE,
		  "number_of_replicas is %" PRId64 " (was %" PRId64 ")", wanted, was);
	return true;
}

/* How many shards a number_of_shards may grow to, as Elasticsearch 7 and later count by default. */
static int64_t default_routing_shards(int64_t shards)
{
	int64_t routing = shards * 2;

	while (routing * 2 <= 1024)
		routing *= 2;
	return routing;
}

static bool set_routing_shards(struct rule_scope *scope, struct str name, struct json *node)
{
	const struct metadata_item *item = scope->item;
	int64_t shards = json_i64_or(settings_get(node, "number_of_shards"), 0);
	int64_t routing = item->routing_shards;

	(void)name;
	if (item->kind != METADATA_INDEX || shards <= 0)
		return false;
	if (routing == 0 && scope->options->preserve_routing && scope->set->live) {
		const struct json *said = settings_get(node, "number_of_routing_shards");
		bool grows = scope->set->version.flavour == CLUSTER_OPENSEARCH ||
			     scope->set->version.major >= 7;

		routing = said    ? json_i64_or(said, 0)
			  : grows ? default_routing_shards(shards)
				  : shards;
	}
	settings_remove(node, "number_of_routing_shards");
	if (routing < shards || routing % shards != 0 || routing == 0)
		return false;
	settings_set(node, "number_of_routing_shards", json_new_i64(&scope->set->mem, routing),
		     &scope->set->mem);
	return true;
}

static bool remove_knn_parameters(struct rule_scope *scope, struct str name, struct json *node)
{
	static setting_names names = {"knn.algo_param.m", "knn.algo_param.ef_construction",
				      "knn.space_type"};

	(void)name;
	return REMOVE("settings-knn-parameters", names, NOTE_CHANGE,
		      "OpenSearch 3 has them in the fields' methods alone");
}

const struct rule rules_of_settings[] = {
	{"settings-knn-parameters", "BO31", RULE_SETTINGS, ANY_OPENSEARCH, OS_FROM(3000),
	 "k-NN parameters of the index are gone with OpenSearch 3", remove_knn_parameters},
	{"settings-request-cache", "B204", RULE_SETTINGS, ES_BELOW(3000), ANY_VERSION,
	 "The query cache of early versions is the request cache", rename_request_cache},
	{"settings-private", NULL, RULE_SETTINGS, ANY_VERSION, ANY_VERSION,
	 "Settings that a cluster writes itself are left out", remove_private},
	{"settings-allocation", NULL, RULE_SETTINGS, ANY_VERSION, ANY_VERSION,
	 "Where the source keeps shards says nothing on the target", remove_allocation},
	{"settings-blocks", NULL, RULE_SETTINGS, ANY_VERSION, ANY_VERSION,
	 "Blocks would stop the documents", remove_blocks},
	{"settings-pipelines", NULL, RULE_SETTINGS, ANY_VERSION, ANY_VERSION,
	 "Pipelines have run over these documents already", remove_pipelines},
	{"settings-early", "B503,B504,B604", RULE_SETTINGS, ES_BELOW(6000), ANY_VERSION,
	 "Settings of Elasticsearch 1 to 5 that no later version takes", remove_of_early_versions},
	{"settings-times", "B503", RULE_SETTINGS, ES_BELOW(5000), ANY_VERSION,
	 "Weeks and fractions of time units, in whole smaller units", spell_times},
	{"settings-mapper-dynamic", "B710", RULE_SETTINGS, OS_OR_ES_BELOW(8000), ANY_VERSION,
	 "index.mapper.dynamic is not taken on new indices", move_mapper_dynamic},
	{"settings-obsolete", "B713,B804", RULE_SETTINGS, ANY_VERSION, ANY_VERSION,
	 "Settings of earlier versions, refused or without effect since", remove_obsolete},
	{"settings-elasticsearch-only", NULL, RULE_SETTINGS, ANY_ELASTICSEARCH, ANY_OPENSEARCH,
	 "Index modes and synthetic sources are Elasticsearch's alone", remove_elasticsearch_only},
	{"settings-lifecycle", NULL, RULE_SETTINGS, ANY_ELASTICSEARCH, ANY_OPENSEARCH,
	 "ILM policies become ISM policies, attached after the documents are there",
	 remove_lifecycle},
	{"settings-opensearch-only", NULL, RULE_SETTINGS, ANY_OPENSEARCH, ANY_ELASTICSEARCH,
	 "Settings of OpenSearch's plugins", remove_plugin_settings},
	{"settings-codec", NULL, RULE_SETTINGS, ANY_OPENSEARCH, ANY_ELASTICSEARCH,
	 "Codecs that only OpenSearch has", replace_codec},
	{"settings-codec-old-target", NULL, RULE_SETTINGS, ANY_OPENSEARCH, OS_BELOW(2009),
	 "zstd came with OpenSearch 2.9", replace_codec_early},
	{"settings-legacy-codec", NULL, RULE_SETTINGS, ANY_ELASTICSEARCH, ANY_OPENSEARCH,
	 "Elasticsearch's names of its older codecs", remove_legacy_codec},
	{"settings-mmap-extensions", NULL, RULE_SETTINGS, ANY_VERSION, OS_FROM(3000),
	 "store.hybrid.mmap.extensions is gone with OpenSearch 3", remove_mmap_extensions},
	{"settings-routing-shards", "B709", RULE_SETTINGS, ANY_VERSION, ANY_VERSION,
	 "Documents with a routing of their own stay together as they were", set_routing_shards},
	{"settings-replicas", NULL, RULE_SETTINGS, ANY_VERSION, ANY_VERSION,
	 "Replicas as asked for, copies a multiple of the zones", set_replicas},
	{0},
};
