/* Rows of types of fields. */
#include "rules_case.h"

static const struct rule_options disabling = {.replicas = -1,
					      .on_unsupported = UNSUPPORTED_DISABLE};

const struct rules_case cases_of_types[] = {
	{
		.rule = "flattened",
		.source = "es7.10",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"flattened\",\"depth_limit\":5}"),
		.after = FIELD("{\"type\":\"flat_object\"}"),
		.idle_target = "os2.6",
	},
	{
		.rule = "flattened",
		.source = "es7.10",
		.target = "os2.19",
		.before = "{\"template\":{\"mappings\":{\"properties\":{\"f\":{\"type\":"
			  "\"flattened\"}}}}}",
		.after = "{\"template\":{\"mappings\":{\"properties\":{\"f\":{\"type\":"
			 "\"flat_object\"}}}}}",
		.idle_target = "es8.19",
		.kind = METADATA_COMPONENT_TEMPLATE,
	},
	{
		.rule = "flattened-old-target",
		.source = "es7.10",
		.target = "os1.3",
		.before = FIELD("{\"type\":\"flattened\"}"),
		.after = FIELD("{\"type\":\"object\",\"enabled\":false}"),
		.idle_target = "os2.7",
	},
	{
		.rule = "flat-object",
		.source = "os2.19",
		.target = "es8.19",
		.before = FIELD("{\"type\":\"flat_object\"}"),
		.after = FIELD("{\"type\":\"flattened\"}"),
		.idle_target = "os3.8",
	},
	{
		.rule = "constant-keyword",
		.source = "es8.19",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"constant_keyword\"}"),
		.after = FIELD("{\"type\":\"keyword\"}"),
		.idle_target = "os2.13",
	},
	{
		.rule = "constant-keyword-old-target",
		.source = "es8.19",
		.target = "os2.13",
		.before = FIELD("{\"type\":\"constant_keyword\",\"value\":\"x\"}"),
		.after = FIELD("{\"type\":\"keyword\"}"),
		.idle_target = "os2.14",
	},
	{
		.rule = "wildcard",
		.source = "es8.19",
		.target = "os2.14",
		.before = FIELD("{\"type\":\"wildcard\",\"ignore_above\":9}"),
		.after = FIELD("{\"type\":\"keyword\",\"ignore_above\":9}"),
		.idle_target = "os2.15",
	},
	{
		.rule = "match-only-text",
		.source = "es8.19",
		.target = "os2.11",
		.before = FIELD("{\"type\":\"match_only_text\"}"),
		.after = FIELD("{\"type\":\"text\",\"norms\":false,\"index_options\":\"docs\"}"),
		.idle_target = "os2.12",
	},
	{
		.rule = "version",
		.source = "es8.19",
		.target = "os3.8",
		.before = FIELD("{\"type\":\"version\"}"),
		.after = FIELD("{\"type\":\"keyword\"}"),
		.idle_target = "es9.1",
	},
	{
		.rule = "unsigned-long",
		.source = "es8.19",
		.target = "os2.7",
		.before = FIELD("{\"type\":\"unsigned_long\"}"),
		.after = FIELD("{\"type\":\"long\"}"),
		.idle_target = "os2.8",
	},
	{
		.rule = "xy",
		.source = "es8.19",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"point\"}"),
		.after = FIELD("{\"type\":\"xy_point\"}"),
		.idle_target = "os2.3",
	},
	{
		.rule = "xy-old-target",
		.source = "es8.19",
		.target = "os1.3",
		.before = FIELD("{\"type\":\"shape\"}"),
		.idle_target = "os2.4",
	},
	{
		.rule = "sparse-vector",
		.source = "es8.19",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"sparse_vector\"}"),
		.after = FIELD("{\"type\":\"rank_features\"}"),
		.idle_target = "es9.1",
	},
	{
		.rule = "unsupported-type",
		.source = "es8.19",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"histogram\"}"),
		.idle_target = "es9.1",
	},
	{
		.rule = "unsupported-type",
		.source = "es8.19",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"semantic_text\",\"inference_id\":\"x\"}"),
		.after = FIELD("{\"type\":\"object\",\"enabled\":false}"),
		.idle_target = "es9.1",
		.options = &disabling,
	},
	{
		.rule = "opensearch-type",
		.source = "os2.19",
		.target = "es8.19",
		.before = FIELD("{\"type\":\"knn_vector\",\"dimension\":3}"),
		.idle_target = "os3.8",
	},
	{
		.rule = "attachment",
		.source = "es2.4",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"attachment\"}"),
		.idle_source = "es6.8",
	},
	{
		.rule = "dense-vector",
		.source = "es8.19",
		.target = "os2.19",
		.before =
			FIELD("{\"type\":\"dense_vector\",\"dims\":3,\"index\":true,\"similarity\":"
			      "\"dot_product\",\"index_options\":{\"type\":\"hnsw\",\"m\":8,"
			      "\"ef_construction\":50}}"),
		.after = "{\"settings\":{\"knn\":true},\"mappings\":{\"properties\":{\"f\":"
			 "{\"type\":\"knn_vector\",\"dimension\":3,\"method\":{\"name\":"
			 "\"hnsw\",\"engine\":\"lucene\",\"space_type\":\"innerproduct\","
			 "\"parameters\":{\"m\":8,\"ef_construction\":50}}}}}}",
		.idle_target = "es9.1",
	},
	{
		.rule = "dense-vector",
		.source = "es8.19",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"dense_vector\",\"dims\":3}"),
		.after = "{\"settings\":{\"knn\":true},\"mappings\":{\"properties\":{\"f\":"
			 "{\"type\":\"knn_vector\",\"dimension\":3,\"method\":{\"name\":"
			 "\"hnsw\",\"engine\":\"lucene\",\"space_type\":\"cosinesimil\"}}}}}",
		.idle_target = "es9.1",
	},
	{
		.rule = "dense-vector",
		.source = "es7.10",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"dense_vector\",\"dims\":3}"),
		.after = FIELD("{\"type\":\"knn_vector\",\"dimension\":3}"),
		.idle_target = "es8.19",
	},
	{
		.rule = "dense-vector",
		.source = "es8.19",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"dense_vector\",\"dims\":8,\"element_type\":\"bit\"}"),
		.after = "{\"settings\":{\"knn\":true},\"mappings\":{\"properties\":{\"f\":"
			 "{\"type\":\"knn_vector\",\"dimension\":8,\"data_type\":\"binary\","
			 "\"method\":{\"name\":\"hnsw\",\"engine\":\"faiss\",\"space_type\":"
			 "\"hamming\"}}}}}",
		.idle_target = "es9.1",
	},
	{
		.rule = "dense-vector",
		.source = "es8.19",
		.target = "os2.19",
		.before = FIELD("{\"type\":\"dense_vector\"}"),
		.idle_target = "es9.1",
	},
	{
		.rule = "match-only-text-elasticsearch",
		.source = "os2.19",
		.target = "es7.10",
		.before = FIELD("{\"type\":\"match_only_text\"}"),
		.after = FIELD("{\"type\":\"text\",\"norms\":false,\"index_options\":\"docs\"}"),
		.idle_target = "es7.17",
	},
	{
		.rule = "wildcard-elasticsearch",
		.source = "os2.19",
		.target = "es7.8",
		.before = FIELD("{\"type\":\"wildcard\",\"ignore_above\":9}"),
		.after = FIELD("{\"type\":\"keyword\",\"ignore_above\":9}"),
		.idle_target = "es7.10",
	},
	{
		.rule = "unsigned-long-elasticsearch",
		.source = "os2.19",
		.target = "es7.8",
		.before = FIELD("{\"type\":\"unsigned_long\"}"),
		.after = FIELD("{\"type\":\"long\"}"),
		.idle_target = "es7.10",
	},
	{
		.rule = "constant-keyword-elasticsearch",
		.source = "os2.19",
		.target = "es6.8",
		.before = FIELD("{\"type\":\"constant_keyword\",\"value\":\"x\"}"),
		.after = FIELD("{\"type\":\"keyword\"}"),
		.idle_target = "es7.10",
	},
	{
		.rule = "serverless-vector",
		.source = "os2.19",
		.target = "aoss",
		.before = FIELD("{\"type\":\"knn_vector\",\"dimension\":3,\"method\":{\"name\":"
				"\"ivf\",\"engine\":\"lucene\",\"space_type\":\"linf\","
				"\"parameters\":{\"m\":4,\"encoder\":{\"name\":\"sq\","
				"\"parameters\":{\"bits\":7}}}}}"),
		.after = FIELD("{\"type\":\"knn_vector\",\"dimension\":3,\"method\":{\"name\":"
			       "\"hnsw\",\"engine\":\"faiss\",\"space_type\":\"l2\","
			       "\"parameters\":{\"m\":4,\"encoder\":{\"name\":\"sq\","
			       "\"parameters\":{\"type\":\"fp16\"}},\"ef_construction\":100}}}"),
		.untouched = FIELD("{\"type\":\"knn_vector\",\"dimension\":3}"),
	},
	{
		.rule = "serverless-vector",
		.source = "os2.19",
		.target = "aoss",
		.before = FIELD("{\"type\":\"knn_vector\",\"model_id\":\"m\"}"),
		.untouched = FIELD("{\"type\":\"knn_vector\",\"dimension\":3}"),
	},
	{
		.rule = "nmslib",
		.source = "os2.19",
		.target = "os3.8",
		.before = FIELD("{\"type\":\"knn_vector\",\"dimension\":3,\"method\":{\"name\":"
				"\"hnsw\",\"engine\":\"nmslib\"}}"),
		.after = FIELD("{\"type\":\"knn_vector\",\"dimension\":3,\"method\":{\"name\":"
			       "\"hnsw\",\"engine\":\"faiss\"}}"),
		.idle_target = "os2.19",
	},
	{
		.rule = "knn-index-parameters",
		.source = "os1.3",
		.target = "os2.19",
		.before = "{\"settings\":{\"index.knn\":true,\"index.knn.space_type\":\"l2\","
			  "\"index.knn.algo_param.m\":\"8\"},\"mappings\":{\"properties\":"
			  "{\"f\":{\"type\":\"knn_vector\",\"dimension\":3}}}}",
		.after = "{\"settings\":{\"knn\":true,\"knn.space_type\":\"l2\",\"knn.algo_param."
			 "m\":"
			 "\"8\"},\"mappings\":{\"properties\":{\"f\":{\"type\":\"knn_vector\","
			 "\"dimension\":3,\"method\":{\"name\":\"hnsw\",\"engine\":\"faiss\","
			 "\"space_type\":\"l2\",\"parameters\":{\"m\":8}}}}}}",
		.idle_target = "es8.19",
	},
	{0},
};
