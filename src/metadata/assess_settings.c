/* Detectors: settings and analysis. */
#include "metadata/assess_internal.h"
#include "metadata/time_value.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void has_setting(struct assess_scan *scan, struct str name, const struct json *settings,
			const char *const *words)
{
	(void)name;
	for (; *words; words++)
		if (settings_get(settings, *words))
			assess_hit(scan, *words, "it is set");
}

static void has_refused_time(struct assess_scan *scan, struct str name, const struct json *settings,
			     const char *const *words)
{
	json_each (setting, settings) {
		struct str text = json_string(setting);
		int64_t ms;

		if (setting->type == JSON_OBJECT && !str_is(setting->key, "analysis"))
			has_refused_time(scan, name, setting, words);
		else if (!settings_is_size(setting->key) && time_value_parse_early(text, &ms))
			assess_hit(scan, NULL, STR_FMT " is " STR_FMT, STR_ARG(setting->key),
				   STR_ARG(text));
	}
}

static void has_similarity_type(struct assess_scan *scan, struct str name,
				const struct json *settings, const char *const *words)
{
	(void)name;
	json_each (similarity, json_get(settings, "similarity")) {
		struct str type = json_string(json_get(similarity, "type"));

		if (type.ptr && str_is(type, words[0]))
			assess_hit(scan, NULL, "similarity '" STR_FMT "' is of type %s",
				   STR_ARG(similarity->key), words[0]);
	}
}

/* Indices of Elasticsearch 6, by what created them. */
static void is_created_early(struct assess_scan *scan, struct str name, const struct json *settings,
			     const char *const *words)
{
	int64_t created = json_i64_or(settings_get(settings, "version.created"), 0);

	(void)name;
	(void)words;
	if (scan->item->kind == METADATA_INDEX && created > 0 && created < 7000000)
		assess_hit(scan, NULL, "created by Elasticsearch %d", (int)(created / 1000000));
}

static void lacks_shards(struct assess_scan *scan, struct str name, const struct json *node,
			 const char *const *words)
{
	const struct json *settings = json_get(node, "settings");

	(void)name;
	(void)words;
	if (scan->item->kind == METADATA_LEGACY_TEMPLATE &&
	    !settings_get(settings, "number_of_shards"))
		assess_hit(scan, NULL, "it says no number_of_shards");
}

static void lacks_soft_deletes(struct assess_scan *scan, struct str name, const struct json *node,
			       const char *const *words)
{
	(void)name;
	(void)words;
	if (scan->item->kind == METADATA_INDEX &&
	    !settings_get(json_get(node, "settings"), "soft_deletes.enabled"))
		assess_hit(scan, NULL, "it says nothing of soft deletes");
}

static bool is_word(struct str text, const char *const *words)
{
	for (; text.ptr && *words; words++)
		if (str_is(text, *words))
			return true;
	return false;
}

/* A name, or names, in "filter", "tokenizer" … of an analyzer. A component of the index's own with
 * that name is meant before the built-in one. */
static void check_uses(struct assess_scan *scan, const struct json *user, const char *member,
		       const struct json *own, const char *const *words)
{
	const struct json *uses = json_get(user, member);

	if (uses && uses->type != JSON_ARRAY && is_word(json_string(uses), words) &&
	    !json_get_str(own, json_string(uses)))
		assess_hit(scan, NULL, STR_FMT " uses " STR_FMT, STR_ARG(user->key),
			   STR_ARG(json_string(uses)));
	if (uses && uses->type == JSON_ARRAY)
		json_each (use, uses)
			if (is_word(json_string(use), words) &&
			    !json_get_str(own, json_string(use)))
				assess_hit(scan, NULL, STR_FMT " uses " STR_FMT, STR_ARG(user->key),
					   STR_ARG(json_string(use)));
}

static void uses_name(struct assess_scan *scan, struct str name, const struct json *analysis,
		      const char *const *words)
{
	static const char *const components[] = {"filter", "tokenizer", "char_filter"};
	static const char *const users[] = {"analyzer", "normalizer"};

	(void)name;
	for (size_t i = 0; i < COUNT_OF(components); i++) {
		const struct json *own = json_get(analysis, components[i]);

		json_each (component, own)
			if (is_word(json_string(json_get(component, "type")), words))
				assess_hit(scan, NULL, STR_FMT " is of a type that changed",
					   STR_ARG(component->key));
		for (size_t j = 0; j < COUNT_OF(users); j++)
			json_each (user, json_get(analysis, users[j]))
				check_uses(scan, user, components[i], own, words);
	}
	json_each (analyzer, json_get(analysis, "analyzer"))
		if (is_word(json_string(json_get(analyzer, "type")), words))
			assess_hit(scan, NULL, STR_FMT " is of a type that changed",
				   STR_ARG(analyzer->key));
}

/* Members that say a language: stemmers. */
static void uses_language(struct assess_scan *scan, struct str name, const struct json *analysis,
			  const char *const *words)
{
	static const char *const members[] = {"language", "name"};

	(void)name;
	json_each (filter, json_get(analysis, "filter"))
		for (size_t i = 0; i < COUNT_OF(members); i++)
			if (is_word(json_string(json_get(filter, members[i])), words))
				assess_hit(scan, NULL, STR_FMT " stems by a changed stemmer",
					   STR_ARG(filter->key));
}

/* In filters only: there is an analyzer, and a tokenizer, of the same name. */
static void uses_filter(struct assess_scan *scan, struct str name, const struct json *analysis,
			const char *const *words)
{
	const struct json *own = json_get(analysis, "filter");

	(void)name;
	json_each (filter, own)
		if (is_word(json_string(json_get(filter, "type")), words))
			assess_hit(scan, NULL, STR_FMT " is of a type that is gone",
				   STR_ARG(filter->key));
	json_each (analyzer, json_get(analysis, "analyzer"))
		check_uses(scan, analyzer, "filter", own, words);
}

static void has_default_index(struct assess_scan *scan, struct str name,
			      const struct json *analysis, const char *const *words)
{
	(void)name;
	(void)words;
	if (json_path(analysis, "analyzer", "default_index", NULL))
		assess_hit(scan, "analyzer.default_index", "it is the default analyzer");
}

const struct assess_detector assess_of_settings[] = {
	{"B503", AT_SETTINGS, has_refused_time, NULL},
	{"B503", AT_SETTINGS, has_setting,
	 WORDS("translog.flush_threshold_ops", "translog.flush_threshold_period", "translog.fs",
	       "bloom_filter_for_id_field", "codec.bloom", "query.bool.max_clause_count",
	       "refresh.interval", "gateway", "recovery.initial_shards", "merge.async",
	       "merge.policy.type", "compound_format", "compound_on_flush", "fielddata", "cache",
	       "ttl")},
	{"B504", AT_SETTINGS, has_setting, WORDS("warmer")},
	{"B504", AT_ANALYSIS, has_default_index, NULL},
	{"B505", AT_SETTINGS, has_similarity_type, WORDS("default")},
	{"B604", AT_SETTINGS, has_setting,
	 WORDS("shadow_replicas", "shared_filesystem", "shared_filesystem.recover_on_any_node",
	       "store.throttle")},
	{"B703", AT_ANALYSIS, uses_filter, WORDS("standard")},
	{"B703", AT_ANALYSIS, uses_name,
	 WORDS("delimited_payload_filter", "analysis_delimited_payload_filter",
	       "standard_html_strip", "htmlStrip")},
	{"B704", AT_SETTINGS, has_similarity_type, WORDS("classic")},
	{"B710", AT_SETTINGS, has_setting, WORDS("mapper.dynamic")},
	{"B712", AT_ITEM, lacks_shards, NULL},
	{"B713", AT_ITEM, lacks_soft_deletes, NULL},
	{"B802", AT_ANALYSIS, uses_name, WORDS("nGram", "edgeNGram")},
	{"B804", AT_SETTINGS, has_setting,
	 WORDS("soft_deletes.enabled", "translog.retention", "force_memory_term_dictionary",
	       "max_adjacency_matrix_filters")},
	{"B806", AT_SETTINGS, is_created_early, NULL},
	{"B901", AT_ANALYSIS, uses_name, WORDS("snowball", "persian", "nori", "nori_tokenizer")},
	{"B901", AT_ANALYSIS, uses_language, WORDS("german2", "German2", "persian")},
	{"BO31", AT_SETTINGS, has_setting, WORDS("knn.algo_param", "knn.space_type")},
	{"BO32", AT_SETTINGS, has_setting, WORDS("store.hybrid.mmap.extensions")},
	{"BO32", AT_ANALYSIS, uses_name, WORDS("PathHierarchy")},
	{0},
};
