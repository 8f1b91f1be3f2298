/* Rows of mappings: roots, strings, parameters of fields, dates. */
#include "rules_case.h"

static const struct rule_options keyword_subfields = {.replicas = -1, .keyword_subfields = true};

const struct rules_case cases_of_mappings[] = {
	{
		.rule = "root-source-options",
		.source = "es1.7",
		.target = "os2.19",
		.before = MAPPING("\"_source\":{\"compress\":true,\"excludes\":[\"a\"]}"),
		.after = MAPPING("\"_source\":{\"excludes\":[\"a\"]}"),
		.idle_source = "es5.6",
	},
	{
		.rule = "dynamic-match-type",
		.source = "es5.6",
		.target = "os2.19",
		.before =
			MAPPING("\"dynamic_templates\":[{\"a\":{\"match_mapping_type\":\"integer\","
				"\"mapping\":{\"type\":\"long\"}}},{\"b\":{\"match\":\"x_*\","
				"\"mapping\":{\"type\":\"long\"}}}]"),
		.after = MAPPING("\"dynamic_templates\":[{\"b\":{\"match\":\"x_*\",\"mapping\":"
				 "{\"type\":\"long\"}}}]"),
		.idle_source = "es6.8",
	},
	{
		.rule = "dynamic-string",
		.source = "es2.4",
		.target = "os2.19",
		.before = MAPPING(
			"\"dynamic_templates\":[{\"a\":{\"match_mapping_type\":\"string\","
			"\"mapping\":{\"type\":\"{dynamic_type}\",\"index\":\"not_analyzed\"}}}]"),
		.after = MAPPING("\"dynamic_templates\":[{\"a\":{\"match_mapping_type\":\"string\","
				 "\"mapping\":{\"type\":\"keyword\"}}}]"),
		.idle_source = "es5.6",
	},
	{
		.rule = "root-early",
		.source = "es2.4",
		.target = "os2.19",
		.before = MAPPING("\"_timestamp\":{\"enabled\":true},\"_ttl\":{\"enabled\":true},"
				  "\"_routing\":{\"required\":true,\"path\":\"a\"}"),
		.after = MAPPING("\"_routing\":{\"required\":true}"),
		.idle_source = "es6.8",
	},
	{
		.rule = "root-all",
		.source = "es6.8",
		.target = "os1.3",
		.before = MAPPING("\"_all\":{\"enabled\":false},\"dynamic\":\"strict\""),
		.after = MAPPING("\"dynamic\":\"strict\""),
		.idle_source = "es8.19",
	},
	{
		.rule = "root-parent",
		.source = "es5.6",
		.target = "es7.17",
		.before =
			MAPPING("\"_parent\":{\"type\":\"book\"},\"_routing\":{\"required\":true}"),
		.after = MAPPING("\"_routing\":{\"required\":true}"),
		.idle_source = "es7.10",
	},
	{
		.rule = "root-field-names",
		.source = "es7.10",
		.target = "os2.19",
		.before = MAPPING("\"_field_names\":{\"enabled\":false}"),
		.after = "{}",
		.idle_target = "es7.17",
	},
	{
		.rule = "root-runtime",
		.source = "es7.17",
		.target = "os2.19",
		.before = MAPPING(
			"\"dynamic\":\"runtime\",\"runtime\":{\"day\":{\"type\":\"keyword\"}}"),
		.after = MAPPING("\"dynamic\":\"true\""),
		.idle_target = "es8.19",
	},
	{
		.rule = "root-elasticsearch-only",
		.source = "es8.19",
		.target = "os2.19",
		.before = MAPPING("\"_source\":{\"mode\":\"stored\"},\"_data_stream_timestamp\":"
				  "{\"enabled\":true},\"subobjects\":false"),
		.after = "{}",
		.idle_target = "es9.1",
	},
	{
		.rule = "multi-field",
		.source = "es1.7",
		.target = "os2.19",
		.before =
			FIELD("{\"type\":\"multi_field\",\"path\":\"just_name\",\"fields\":"
			      "{\"f\":{\"type\":\"string\"},\"raw\":{\"type\":\"string\",\"index\":"
			      "\"not_analyzed\"}}}"),
		.after = FIELD("{\"type\":\"text\",\"fields\":{\"raw\":{\"type\":\"keyword\"}}}"),
		.idle_source = "es5.6",
	},
	{
		.rule = "multi-field",
		.source = "es1.7",
		.target = "os2.19",
		.before = MAPPING(
			"\"dynamic_templates\":[{\"a\":{\"match\":\"*\",\"mapping\":{"
			"\"type\":\"multi_field\",\"fields\":{\"{name}\":{\"type\":\"string\"},"
			"\"raw\":{\"type\":\"string\",\"index\":\"not_analyzed\"}}}}}]"),
		.after = MAPPING(
			"\"dynamic_templates\":[{\"a\":{\"match\":\"*\",\"mapping\":{"
			"\"type\":\"text\",\"fields\":{\"raw\":{\"type\":\"keyword\"}}}}}]"),
		.idle_source = "es5.6",
	},
	{
		.rule = "dynamic-type",
		.source = "es2.4",
		.target = "os2.19",
		.before = MAPPING("\"dynamic_templates\":[{\"a\":{\"match\":\"*\",\"mapping\":{"
				  "\"type\":\"{dynamic_type}\",\"index\":\"not_analyzed\"}}}]"),
		.after = MAPPING("\"dynamic_templates\":[{\"a\":{\"match\":\"*\",\"mapping\":{"
				 "\"type\":\"{dynamic_type}\"}}}]"),
		.idle_source = "es5.6",
	},
	{
		.rule = "string-to-text",
		.source = "es2.4",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"string\",\"norms\":{\"enabled\":false},\"fielddata\":"
				"{\"format\":\"disabled\"},\"doc_values\":false}"),
		.after = FIELD("{\"type\":\"text\",\"norms\":false}"),
		.idle_source = "es6.8",
	},
	{
		.rule = "string-to-text",
		.source = "es2.4",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"string\",\"index\":\"not_analyzed\",\"analyzer\":"
				"\"x\",\"null_value\":\"-\",\"ignore_above\":9}"),
		.after = FIELD("{\"type\":\"keyword\",\"null_value\":\"-\",\"ignore_above\":9}"),
		.idle_source = "es6.8",
	},
	{
		.rule = "string-to-text",
		.source = "es2.4",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"string\",\"index\":\"no\"}"),
		.after = FIELD("{\"type\":\"keyword\",\"index\":false}"),
		.idle_source = "es6.8",
	},
	{
		.rule = "string-to-text",
		.source = "es2.4",
		.target = "es5.6",
		.before = FIELD("{\"type\":\"string\"}"),
		.after = FIELD("{\"type\":\"text\",\"fields\":{\"keyword\":{\"type\":\"keyword\","
			       "\"ignore_above\":256}}}"),
		.idle_source = "es6.8",
		.idle_target = "os2.19",
		.options = &keyword_subfields,
	},
	{
		.rule = "string-to-text",
		.source = "es5.6",
		.target = "os2.19",
		.before = "{\"index_patterns\":[\"a*\"],\"mappings\":{\"_doc\":{\"properties\":"
			  "{\"o\":{\"properties\":{\"f\":{\"type\":\"string\"}}}}}}}",
		.after = "{\"index_patterns\":[\"a*\"],\"mappings\":{\"properties\":{\"o\":"
			 "{\"properties\":{\"f\":{\"type\":\"text\"}}}}}}",
		.idle_source = "es6.8",
		.kind = METADATA_LEGACY_TEMPLATE,
	},
	{
		.rule = "index-boolean",
		.source = "es2.4",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"long\",\"index\":\"not_analyzed\"}"),
		.after = FIELD("{\"type\":\"long\"}"),
		.idle_source = "es6.8",
	},
	{
		.rule = "index-boolean",
		.source = "es2.4",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"date\",\"format\":\"epoch_millis\",\"index\":\"no\"}"),
		.after = FIELD("{\"type\":\"date\",\"format\":\"epoch_millis\",\"index\":false}"),
		.idle_source = "es6.8",
	},
	{
		.rule = "field-early-names",
		.source = "es1.7",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"string\",\"index_analyzer\":\"english\",\"position_"
				"offset_gap\":"
				"5}"),
		.after = FIELD(
			"{\"type\":\"text\",\"analyzer\":\"english\",\"position_increment_gap\":"
			"5}"),
		.idle_source = "es5.6",
	},
	{
		.rule = "field-search-analyzer",
		.source = "es1.7",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"string\",\"search_analyzer\":\"english\"}"),
		.after = FIELD("{\"type\":\"text\",\"search_analyzer\":\"english\",\"analyzer\":"
			       "\"default\"}"),
		.idle_source = "es2.4",
	},
	{
		.rule = "field-early",
		.source = "es2.4",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"geo_point\",\"lat_lon\":true,\"geohash\":true}"),
		.after = FIELD("{\"type\":\"geo_point\"}"),
		.idle_source = "es6.8",
	},
	{
		.rule = "field-early",
		.source = "es1.7",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"object\",\"path\":\"full\",\"properties\":{\"n\":"
				"{\"type\":\"long\",\"precision_step\":4}}}"),
		.after = FIELD("{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"long\"}}}"),
		.idle_source = "es6.8",
	},
	{
		.rule = "field-include-in-all",
		.source = "es5.6",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"text\",\"include_in_all\":false}"),
		.after = FIELD("{\"type\":\"text\"}"),
		.idle_source = "es7.10",
	},
	{
		.rule = "field-number-options",
		.source = "es6.8",
		.target = "es7.17",
		.before = FIELD("{\"type\":\"long\",\"index_options\":\"docs\"}"),
		.after = FIELD("{\"type\":\"long\"}"),
		.idle_source = "es7.10",
	},
	{
		.rule = "field-similarity",
		.source = "es6.8",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"text\",\"similarity\":\"classic\"}"),
		.after = FIELD("{\"type\":\"text\",\"similarity\":\"BM25\"}"),
		.idle_target = "es6.8",
	},
	{
		.rule = "field-boost",
		.source = "es7.10",
		.target = "es8.19",
		.before = FIELD("{\"type\":\"text\",\"boost\":2}"),
		.after = FIELD("{\"type\":\"text\"}"),
		.idle_target = "os2.19",
	},
	{
		.rule = "field-shape-tree",
		.source = "es6.8",
		.target = "os2.19",
		.before = FIELD(
			"{\"type\":\"geo_shape\",\"tree\":\"quadtree\",\"precision\":\"1m\"}"),
		.after = FIELD("{\"type\":\"geo_shape\"}"),
		.idle_target = "es7.17",
	},
	{
		.rule = "field-chained",
		.source = "es7.10",
		.target = "es8.19",
		.before =
			FIELD("{\"type\":\"text\",\"fields\":{\"a\":{\"type\":\"text\",\"fields\":"
			      "{\"b\":{\"type\":\"keyword\"}}},\"b\":{\"type\":\"text\"}}}"),
		.after = FIELD("{\"type\":\"text\",\"fields\":{\"a\":{\"type\":\"text\"},\"b\":"
			       "{\"type\":\"text\"},\"a_b\":{\"type\":\"keyword\"}}}"),
		.idle_target = "os2.19",
	},
	{
		.rule = "field-copy-to",
		.source = "es7.10",
		.target = "os2.19",
		.before =
			FIELD("{\"type\":\"text\",\"copy_to\":\"all\",\"fields\":{\"a\":{\"type\":"
			      "\"keyword\",\"copy_to\":\"all\"}}}"),
		.after = FIELD("{\"type\":\"text\",\"copy_to\":\"all\",\"fields\":{\"a\":{\"type\":"
			       "\"keyword\"}}}"),
		.untouched = FIELD("{\"type\":\"text\",\"copy_to\":\"all\"}"),
	},
	{
		.rule = "field-elasticsearch-only",
		.source = "es8.19",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"long\",\"time_series_metric\":\"gauge\",\"script\":"
				"\"emit(1)\"}"),
		.after = FIELD("{\"type\":\"long\"}"),
		.idle_target = "es9.1",
	},
	{
		.rule = "date-default",
		.source = "es1.7",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"date\"}"),
		.after = FIELD(
			"{\"type\":\"date\",\"format\":\"date_optional_time||epoch_millis\"}"),
		.idle_source = "es2.4",
	},
	{
		.rule = "date-default",
		.source = "es1.7",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"date\",\"format\":\"YYYY/MM/dd\"}"),
		.after = FIELD("{\"type\":\"date\",\"format\":\"yyyy/MM/dd||epoch_millis\"}"),
		.idle_source = "es2.4",
	},
	{
		.rule = "date-format",
		.source = "es6.8",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"date\",\"format\":\"YYYY-MM-dd'T'HH:mm:ssZ||"
				"dateOptionalTime||xxxx ZZ ZZZ\"}"),
		.after = FIELD("{\"type\":\"date\",\"format\":\"yyyy-MM-dd'T'HH:mm:ssXX||date_"
			       "optional_time||YYYY XXX VV\"}"),
		.idle_target = "es6.8",
	},
	{
		.rule = "date-format",
		.source = "es6.8",
		.target = "es7.17",
		.before = FIELD("{\"type\":\"date\",\"format\":\"8yyyy'YYYY'\"}"),
		.after = FIELD("{\"type\":\"date\",\"format\":\"yyyy'YYYY'\"}"),
		.idle_source = "es7.10",
	},
	{
		.rule = "date-format-letters",
		.source = "es6.8",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"date\",\"format\":\"EEE MMM dd HH:mm:ss yyyy\"}"),
		.after = FIELD("{\"type\":\"date\",\"format\":\"EEE MMM dd HH:mm:ss yyyy\"}"),
		.idle_target = "es6.8",
	},
	{
		.rule = "date-format-dynamic",
		.source = "es6.8",
		.target = "os2.19",
		.before = MAPPING("\"dynamic_date_formats\":[\"YYYY-MM-dd\",\"dateOptionalTime\"]"),
		.after =
			MAPPING("\"dynamic_date_formats\":[\"yyyy-MM-dd\",\"date_optional_time\"]"),
		.idle_target = "es6.8",
	},
	{
		.rule = "date-format-names",
		.source = "es7.10",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"date\",\"format\":\"strictDateOptionalTime||YYYY\"}"),
		.after =
			FIELD("{\"type\":\"date\",\"format\":\"strict_date_optional_time||YYYY\"}"),
		.idle_source = "es8.19",
	},
	{0},
};
