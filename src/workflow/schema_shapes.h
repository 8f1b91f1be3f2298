/* Shapes that several parts of the schema share. */
#ifndef WORKFLOW_SCHEMA_SHAPES_H
#define WORKFLOW_SCHEMA_SHAPES_H

#include "workflow/schema.h"

extern const struct schema schema_text, schema_boolean, schema_number, schema_count,
	schema_text_list, schema_free;
extern const struct schema schema_name;        /* of a Kubernetes object */
extern const struct schema schema_duration;    /* ISO 8601 */
extern const struct schema schema_otel;        /* URL of a collector, or null */
extern const struct schema schema_store_url;   /* of an object store; may be empty */
extern const struct schema schema_resources;   /* limits and requests of a pod */
extern const struct schema schema_transforms;  /* scripts, one or several */
extern const struct schema schema_auth;        /* basic, sigv4, mtls, apiKey */
extern const struct schema schema_client_auth; /* who may connect to a proxy */
extern const struct schema schema_port, schema_percent;

/* Clusters and what is migrated. */
extern const struct schema schema_kafka_clusters, schema_source_clusters, schema_target_clusters,
	schema_snapshot_migrations, schema_traffic;

/* Rows that each step has. */
#define SCHEMA_OTEL_ROWS                                                                         \
	{"otelTraceCollectorEndpoint", &schema_otel, NULL, .scope = SCHEMA_KUBERNETES,           \
	 .help = "Where spans are sent"},                                                        \
		{"otelMetricsCollectorEndpoint", &schema_otel, "\"http://otel-collector:4317\"", \
		 .scope = SCHEMA_KUBERNETES,                                                     \
		 .help = "Where metrics are sent; \"\" turns that off"}
#define SCHEMA_JVM_ROWS                                                         \
	{"jvmArgs", &schema_text, "\"\"", .scope = SCHEMA_KUBERNETES,           \
	 .help = "Without effect: there is no JVM"},                            \
		{"loggingConfigurationOverrideConfigMap", &schema_text, "\"\"", \
		 .scope = SCHEMA_KUBERNETES, .help = "Without effect: see --log-level"}
#define SCHEMA_REPLICA_ROWS                                                                        \
	{"podReplicas", &schema_count, "1", .help = "Workers: processes on one machine, or pods"}, \
		{"minPodReplicas", &schema_count, "0", .scope = SCHEMA_KUBERNETES,                 \
		 .help = "Workers that a disruption leaves"}

#endif
