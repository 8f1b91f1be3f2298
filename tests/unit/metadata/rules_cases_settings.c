/* Rows of settings, analysis, templates and aliases. */
#include "rules_case.h"

static const struct rule_options two_zones = {.replicas = -1, .awareness_attributes = 2};
static const struct rule_options two_replicas = {.replicas = 2};

const struct rules_case cases_of_settings[] = {
	{
		.rule = "settings-knn-parameters",
		.source = "os2.19",
		.target = "os3.8",
		.before = "{\"settings\":{\"index.knn\":true,\"index.knn.space_type\":\"l2\","
			  "\"index.knn.algo_param.m\":\"8\"},\"mappings\":{\"properties\":"
			  "{\"f\":{\"type\":\"knn_vector\",\"dimension\":3}}}}",
		.after = "{\"settings\":{\"knn\":true},\"mappings\":{\"properties\":{\"f\":"
			 "{\"type\":\"knn_vector\",\"dimension\":3,\"method\":{\"name\":"
			 "\"hnsw\",\"engine\":\"faiss\",\"space_type\":\"l2\",\"parameters\":"
			 "{\"m\":8}}}}}}",
		.idle_target = "os2.19",
	},
	{
		.rule = "settings-request-cache",
		.source = "es2.4",
		.target = "os2.19",
		.before = SETTINGS("\"cache.query.enable\":\"true\""),
		.after = SETTINGS("\"requests\":{\"cache\":{\"enable\":\"true\"}}"),
		.idle_source = "es5.6",
	},
	{
		.rule = "settings-private",
		.source = "es7.10",
		.target = "os2.19",
		.before = SETTINGS(
			"\"uuid\":\"u\",\"creation_date\":\"1\",\"version.created\":\"7\","
			"\"provided_name\":\"b\",\"number_of_shards\":\"2\",\"history_uuid\":"
			"\"h\""),
		.after = SETTINGS("\"number_of_shards\":\"2\""),
		.untouched = SETTINGS("\"number_of_shards\":\"2\""),
		.silent = true,
	},
	{
		.rule = "settings-allocation",
		.source = "es7.10",
		.target = "os2.19",
		.before = SETTINGS("\"routing.allocation.include._tier_preference\":\"data_hot\","
				   "\"routing.allocation.require.box\":\"hot\""),
		.after = "{}",
		.untouched = SETTINGS("\"number_of_shards\":\"2\""),
	},
	{
		.rule = "settings-blocks",
		.source = "es7.10",
		.target = "os2.19",
		.before = SETTINGS("\"blocks.write\":\"true\""),
		.after = "{}",
		.untouched = SETTINGS("\"number_of_shards\":\"2\""),
	},
	{
		.rule = "settings-pipelines",
		.source = "es7.10",
		.target = "os2.19",
		.before = SETTINGS("\"default_pipeline\":\"p\""),
		.after = "{}",
		.untouched = SETTINGS("\"number_of_shards\":\"2\""),
	},
	{
		.rule = "settings-early",
		.source = "es5.6",
		.target = "os2.19",
		.before = SETTINGS("\"translog.fs.type\":\"buffered\",\"warmer.enabled\":\"true\","
				   "\"shadow_replicas\":\"true\""),
		.after = "{}",
		.idle_source = "es6.8",
	},
	{
		.rule = "settings-mapper-dynamic",
		.source = "es6.8",
		.target = "os2.19",
		.before = SETTINGS("\"mapper.dynamic\":\"false\""),
		.after = MAPPING("\"dynamic\":false"),
		.idle_source = "es8.19",
	},
	{
		.rule = "settings-mapper-dynamic",
		.source = "es6.8",
		.target = "os2.19",
		.before = SETTINGS("\"mapper.dynamic\":\"true\""),
		.after = "{}",
		.idle_source = "es8.19",
	},
	{
		.rule = "settings-obsolete",
		.source = "es7.10",
		.target = "os2.19",
		.before = SETTINGS(
			"\"soft_deletes.enabled\":\"false\",\"translog.retention.age\":"
			"\"1h\",\"mapping.single_type\":\"true\",\"max_ngram_diff\":\"3\""),
		.after = SETTINGS("\"max_ngram_diff\":\"3\""),
		.untouched = SETTINGS("\"max_ngram_diff\":\"3\""),
		.silent = true,
	},
	{
		.rule = "settings-elasticsearch-only",
		.source = "es8.19",
		.target = "os2.19",
		.before = SETTINGS("\"mode\":\"logsdb\",\"mapping.source.mode\":\"synthetic\","
				   "\"routing_path\":"
				   "[\"a\"]"),
		.after = "{}",
		.idle_target = "es9.1",
	},
	{
		.rule = "settings-lifecycle",
		.source = "es7.10",
		.target = "os2.19",
		.before = "{\"index_patterns\":[\"a\"],\"settings\":{\"index.lifecycle.name\":"
			  "\"p\",\"index.lifecycle.rollover_alias\":\"a\"}}",
		.after = "{\"index_patterns\":[\"a\"],\"settings\":{\"plugins\":{\"index_state_"
			 "management\":{\"rollover_alias\":\"a\"}}}}",
		.idle_target = "es8.19",
		.kind = METADATA_LEGACY_TEMPLATE,
	},
	{
		.rule = "settings-opensearch-only",
		.source = "os2.19",
		.target = "es8.19",
		.before = SETTINGS(
			"\"plugins.index_state_management.policy_id\":\"p\",\"knn\":\"true\""),
		.after = "{}",
		.idle_target = "os3.8",
	},
	{
		.rule = "settings-codec",
		.source = "os2.19",
		.target = "es8.19",
		.before = SETTINGS("\"codec\":\"zstd_no_dict\""),
		.after = SETTINGS("\"codec\":\"best_compression\""),
		.idle_target = "os3.8",
	},
	{
		.rule = "settings-codec-old-target",
		.source = "os2.19",
		.target = "os2.8",
		.before = SETTINGS("\"codec\":\"zstd\""),
		.after = SETTINGS("\"codec\":\"best_compression\""),
		.idle_target = "os2.9",
	},
	{
		.rule = "settings-legacy-codec",
		.source = "es8.19",
		.target = "os2.19",
		.before = SETTINGS("\"codec\":\"legacy_best_compression\""),
		.after = SETTINGS("\"codec\":\"best_compression\""),
		.idle_target = "es9.1",
	},
	{
		.rule = "settings-mmap-extensions",
		.source = "os2.19",
		.target = "os3.8",
		.before = SETTINGS("\"store.hybrid.mmap.extensions\":[\"dvd\"]"),
		.after = "{}",
		.idle_target = "os2.19",
	},
	{
		.rule = "settings-routing-shards",
		.source = "es7.10",
		.target = "os2.19",
		.before = SETTINGS("\"number_of_shards\":\"2\""),
		.after = SETTINGS("\"number_of_shards\":\"2\",\"number_of_routing_shards\":64"),
		.untouched = SETTINGS("\"number_of_replicas\":\"1\""),
		.routing_shards = 64,
		.silent = true,
	},
	{
		.rule = "settings-replicas",
		.source = "es7.10",
		.target = "os2.19",
		.before = SETTINGS("\"number_of_replicas\":\"0\""),
		.after = SETTINGS("\"number_of_replicas\":1"),
		.untouched = SETTINGS("\"number_of_replicas\":\"1\""),
		.options = &two_zones,
	},
	{
		.rule = "settings-replicas",
		.source = "es7.10",
		.target = "os2.19",
		.before = SETTINGS("\"number_of_replicas\":\"0\",\"auto_expand_replicas\":\"0-1\""),
		.after = SETTINGS("\"number_of_replicas\":2"),
		.untouched = SETTINGS("\"number_of_replicas\":\"2\""),
		.options = &two_replicas,
	},
	{
		.rule = "settings-similarity",
		.source = "es6.8",
		.target = "os2.19",
		.before = SETTINGS("\"similarity.s.type\":\"classic\""),
		.after = SETTINGS("\"similarity\":{\"s\":{\"type\":\"BM25\"}}"),
		.idle_target = "es6.8",
	},
	{
		.rule = "settings-times",
		.source = "es2.4",
		.target = "os2.19",
		.before = SETTINGS("\"refresh_interval\":\"1.5s\",\"x\":{\"y\":\"2w\",\"max_size\":"
				   "\"1.5m\",\"z\":\"1.5gb\",\"v\":\"30d\"}"),
		.after = SETTINGS("\"refresh_interval\":\"1500ms\",\"x\":{\"y\":\"14d\","
				  "\"max_size\":\"1.5m\",\"z\":\"1.5gb\",\"v\":\"30d\"}"),
		.idle_source = "es5.6",
	},
	{
		.rule = "analysis-gaps",
		.source = "es6.8",
		.target = "os2.19",
		.before = SETTINGS(
			"\"analysis\":{\"tokenizer\":{\"t\":{\"type\":\"ngram\",\"min_gram\":"
			"2,\"max_gram\":\"9\"}},\"filter\":{\"g\":{\"type\":\"shingle\","
			"\"max_shingle_size\":7}}}"),
		.after = SETTINGS(
			"\"analysis\":{\"tokenizer\":{\"t\":{\"type\":\"ngram\",\"min_gram\":"
			"2,\"max_gram\":\"9\"}},\"filter\":{\"g\":{\"type\":\"shingle\","
			"\"max_shingle_size\":7}}},\"max_ngram_diff\":7,\"max_shingle_diff\":"
			"6"),
		.idle_source = "es7.10",
	},
	{
		.rule = "analysis-gaps",
		.source = "es6.8",
		.target = "os2.19",
		.before = SETTINGS("\"analysis\":{\"filter\":{\"g\":{\"type\":\"shingle\","
				   "\"output_unigrams\":\"false\",\"max_shingle_size\":7}}}"),
		.after = SETTINGS("\"analysis\":{\"filter\":{\"g\":{\"type\":\"shingle\","
				  "\"output_unigrams\":\"false\",\"max_shingle_size\":7}}},"
				  "\"max_shingle_diff\":5"),
		.idle_source = "es7.10",
	},
	{
		.rule = "analysis-default-index",
		.source = "es2.4",
		.target = "os2.19",
		.before = SETTINGS(
			"\"analysis\":{\"analyzer\":{\"default_index\":{\"type\":\"simple\"}}}"),
		.after =
			SETTINGS("\"analysis\":{\"analyzer\":{\"default\":{\"type\":\"simple\"}}}"),
		.idle_source = "es5.6",
	},
	{
		.rule = "analysis-standard-filter",
		.source = "es6.8",
		.target = "os2.19",
		.before = SETTINGS(
			"\"analysis\":{\"analyzer\":{\"a\":{\"type\":\"custom\",\"tokenizer\":"
			"\"standard\",\"filter\":[\"standard\",\"mine\",\"lowercase\"]},"
			"\"b\":{\"tokenizer\":\"standard\",\"filter\":\"standard\"}},"
			"\"filter\":{\"mine\":{\"type\":\"standard\"},\"e\":{\"type\":"
			"\"lowercase\"}}}"),
		.after = SETTINGS(
			"\"analysis\":{\"analyzer\":{\"a\":{\"type\":\"custom\",\"tokenizer\":"
			"\"standard\",\"filter\":[\"lowercase\"]},\"b\":{\"tokenizer\":"
			"\"standard\"}},\"filter\":{\"e\":{\"type\":\"lowercase\"}}}"),
		.idle_source = "es8.19",
	},
	{
		.rule = "analysis-names",
		.source = "es5.6",
		.target = "os2.19",
		.before = SETTINGS(
			"\"analysis\":{\"filter\":{\"n\":{\"type\":\"nGram\"}},\"tokenizer\":"
			"{\"t\":{\"type\":\"edgeNGram\"}},\"char_filter\":{\"h\":{\"type\":"
			"\"htmlStrip\"}},\"analyzer\":{\"a\":{\"tokenizer\":\"PathHierarchy\","
			"\"filter\":[\"n\",\"delimited_payload_filter\"],\"char_filter\":"
			"\"htmlStrip\"}},\"normalizer\":{\"z\":{\"filter\":[\"lowercase\"]}}}"),
		.after = SETTINGS(
			"\"analysis\":{\"filter\":{\"n\":{\"type\":\"ngram\"}},\"tokenizer\":"
			"{\"t\":{\"type\":\"edge_ngram\"}},\"char_filter\":{\"h\":{\"type\":"
			"\"html_strip\"}},\"analyzer\":{\"a\":{\"tokenizer\":\"path_hierarchy\","
			"\"filter\":[\"n\",\"delimited_payload\"],\"char_filter\":\"html_strip\"}},"
			"\"normalizer\":{\"z\":{\"filter\":[\"lowercase\"]}}}"),
		.idle_source = "es8.19",
	},
	{
		.rule = "analysis-names",
		.source = "es5.6",
		.target = "os2.19",
		.before = SETTINGS(
			"\"index.analysis.analyzer.a.filter.0\":\"nGram\",\"index.analysis."
			"analyzer.a.filter.1\":"
			"\"lowercase\",\"index.analysis.analyzer.a.tokenizer\":\"standard\""),
		.after = SETTINGS("\"analysis\":{\"analyzer\":{\"a\":{\"tokenizer\":\"standard\","
				  "\"filter\":[\"ngram\",\"lowercase\"]}}}"),
		.idle_source = "es8.19",
	},
	{
		.rule = "analysis-html-strip",
		.source = "es6.8",
		.target = "os2.19",
		.before = SETTINGS(
			"\"analysis\":{\"analyzer\":{\"a\":{\"type\":\"standard_html_strip\"}}}"),
		.after = SETTINGS(
			"\"analysis\":{\"analyzer\":{\"a\":{\"type\":\"custom\",\"tokenizer\":"
			"\"standard\",\"char_filter\":[\"html_strip\"],\"filter\":[\"lowercase\"]}}"
			"}"),
		.idle_source = "es8.19",
	},
	{
		.rule = "analysis-html-strip",
		.source = "es6.8",
		.target = "os2.19",
		.before =
			"{\"mappings\":{\"t\":{\"properties\":{\"a\":{\"type\":\"text\",\"fields\":"
			"{\"b\":{\"type\":\"text\",\"search_analyzer\":\"standard_html_strip\"}}}}}"
			"}}",
		.after = "{\"settings\":{\"analysis\":{\"analyzer\":{\"standard_html_strip\":{"
			 "\"type\":"
			 "\"custom\",\"tokenizer\":\"standard\",\"char_filter\":[\"html_strip\"],"
			 "\"filter\":[\"lowercase\"]}}}},\"mappings\":{\"properties\":{\"a\":{"
			 "\"type\":"
			 "\"text\",\"fields\":{\"b\":{\"type\":\"text\",\"search_analyzer\":"
			 "\"standard_html_strip\"}}}}}}",
		.idle_source = "es8.19",
	},
	{
		.rule = "index-name",
		.source = "es6.8",
		.target = "os2.19",
		.before = "{}",
		.idle_source = "es7.10",
		.name = "a:b",
	},
	{
		.rule = "index-partial-source",
		.source = "es7.10",
		.target = "os2.19",
		.before = "{}",
		.after = "{}",
		.untouched = "{}",
		.partial_source = true,
	},
	{
		.rule = "index-closed",
		.source = "es7.10",
		.target = "os2.19",
		.before = "{}",
		.after = "{}",
		.untouched = "{}",
		.closed = true,
	},
	{
		.rule = "template-index-patterns",
		.source = "es5.6",
		.target = "os2.19",
		.before = "{\"template\":\"logs-*\",\"order\":1}",
		.after = "{\"index_patterns\":[\"logs-*\"],\"order\":1}",
		.idle_source = "es6.8",
		.kind = METADATA_LEGACY_TEMPLATE,
	},
	{
		.rule = "template-elasticsearch-keys",
		.source = "es8.19",
		.target = "os2.19",
		.before = "{\"index_patterns\":[\"a\"],\"allow_auto_create\":true,\"ignore_missing_"
			  "component_templates\":"
			  "[\"x\"],\"template\":{\"lifecycle\":{\"enabled\":true},\"settings\":"
			  "{\"number_of_shards\":\"1\"}}}",
		.after = "{\"index_patterns\":[\"a\"],\"template\":{\"settings\":{\"number_of_"
			 "shards\":"
			 "\"1\"}}}",
		.idle_target = "es9.1",
		.kind = METADATA_INDEX_TEMPLATE,
	},
	{
		.rule = "template-dates",
		.source = "es8.19",
		.target = "es9.1",
		.before = "{\"index_patterns\":[\"a\"],\"created_date_millis\":1}",
		.after = "{\"index_patterns\":[\"a\"]}",
		.untouched = "{\"index_patterns\":[\"a\"]}",
		.kind = METADATA_INDEX_TEMPLATE,
		.silent = true,
	},
	{
		.rule = "alias-routing-spelling",
		.source = "es5.6",
		.target = "os2.19",
		.before = "{\"template\":\"x\",\"aliases\":{\"a\":{\"index-routing\":\"1\","
			  "\"searchRouting\":\"2\"}}}",
		.after = "{\"index_patterns\":[\"x\"],\"aliases\":{\"a\":{\"index_routing\":"
			 "\"1\",\"search_routing\":\"2\"}}}",
		.idle_source = "es6.8",
		.kind = METADATA_LEGACY_TEMPLATE,
	},
	{
		.rule = "alias-hidden",
		.source = "es8.19",
		.target = "es7.6",
		.before = "{\"aliases\":{\"a\":{\"is_hidden\":true,\"filter\":{\"term\":"
			  "{\"x\":1}}}}}",
		.after = "{\"aliases\":{\"a\":{\"filter\":{\"term\":{\"x\":1}}}}}",
		.idle_target = "es7.7",
	},
	{
		.rule = "alias-write-index",
		.source = "es7.10",
		.target = "es6.3",
		.before = "{\"aliases\":{\"a\":{\"is_write_index\":true}}}",
		.after = "{\"aliases\":{\"a\":{}}}",
		.idle_target = "es6.4",
	},
	{0},
};
