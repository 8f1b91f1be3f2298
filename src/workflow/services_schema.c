/* Sections and fields are those of Migration Assistant 3.3.6's services.yaml. `local`, `mtls` and
 * `api_key` are this program's own. */
#include "workflow/services_schema.h"

#include "workflow/schema_shapes.h"

#define FIELDS (const struct schema_field[])

static const struct schema nothing = {SCHEMA_FREE, .nullable = true};
static const struct schema text_or_null = {SCHEMA_STRING, .nullable = true};
static const struct schema positive = {SCHEMA_INTEGER, .min = 1, .bounded = true};
static const struct schema url = {SCHEMA_STRING, "^https?://[^/ ]+.*$", "http(s)://HOST[:PORT]"};
static const struct schema coordinator = {SCHEMA_STRING, .choices = "local|target"};
static const struct schema snapshot_mode = {SCHEMA_STRING, .choices = "create|import"};

/* --- Clusters --- */

static const struct schema basic = {
	SCHEMA_OBJECT, .fields = FIELDS{{"username", &schema_text, .help = "User"},
					{"password", &schema_text, .help = "Its password"},
					{"user_secret_arn", &schema_text,
					 .help = "Secret of AWS Secrets Manager with both"},
					{"k8s_secret_name", &schema_text,
					 .help = "Secret of `workflow configure credentials`"},
					{0}}};
static const struct schema sigv4 = {
	SCHEMA_OBJECT, .nullable = true,
	.fields = FIELDS{{"region", &schema_text, .help = "AWS region of the domain"},
			 {"service", &schema_text, "\"es\"", .help = "es, or aoss"},
			 {0}}};
static const struct schema mtls = {
	SCHEMA_OBJECT,
	.fields = FIELDS{{"ca_cert", &schema_text, .help = "PEM of the server's authority"},
			 {"client_cert", &schema_text, .required = true, .help = "PEM of ours"},
			 {"client_key", &schema_text, .required = true, .help = "PEM of its key"},
			 {0}}};
static const struct schema api_key = {
	SCHEMA_OBJECT, .fields = FIELDS{{"key", &schema_text, .help = "base64 of id:key"},
					{"k8s_secret_name", &schema_text,
					 .help = "Secret of `workflow configure credentials`"},
					{0}}};
static const struct schema proxy = {
	SCHEMA_OBJECT,
	.fields = FIELDS{{"name", &schema_text, .help = "Of the capture proxy"},
			 {"endpoint", &url, .required = true, .help = "Its URL"},
			 {"allow_insecure", &schema_boolean, "false", .help = "Any certificate"},
			 {0}}};

#define CLUSTER_ROWS                                                                         \
	{"endpoint", &url, .required = true, .help = "URL"},                                 \
		{"allow_insecure", &schema_boolean, "false", .help = "Any certificate"},     \
		{"version", &schema_text,                                                    \
		 .help = "Such as \"ES 7.10.2\"; it is asked for anyway"},                   \
		{"sigv4_signing_endpoint", &url,                                             \
		 .help = "URL whose host requests are signed for, where that is another"},   \
		{"no_auth", &nothing, .help = "Nothing: null"},                              \
		{"basic_auth", &basic, .help = "User and password"},                         \
		{"sigv4", &sigv4, .help = "AWS signatures"},                                 \
		{"mtls", &mtls, .scope = SCHEMA_ONE_MACHINE, .help = "Certificate of ours"}, \
		{"api_key", &api_key, .scope = SCHEMA_ONE_MACHINE, .help = "API key"}

static const struct schema source = {
	SCHEMA_OBJECT,
	.fields = FIELDS{CLUSTER_ROWS, {"proxy", &proxy, .help = "Capture proxy before it"}, {0}}};
static const struct schema target = {SCHEMA_OBJECT, .fields = FIELDS{CLUSTER_ROWS, {0}}};

/* --- Snapshots and metadata --- */

static const struct schema s3 = {
	SCHEMA_OBJECT,
	.fields = FIELDS{{"repo_uri", &schema_text, .required = true, .help = "s3://BUCKET/PREFIX"},
			 {"aws_region", &schema_text, .help = "Region of the bucket"},
			 {"role", &text_or_null, .help = "Role that the cluster takes on"},
			 {"endpoint", &text_or_null, .help = "S3 server that is not AWS"},
			 {0}}};
static const struct schema fs = {
	SCHEMA_OBJECT,
	.fields = FIELDS{{"repo_path", &schema_text, .required = true, .help = "Folder"}, {0}}};
static const struct schema gcs = {
	SCHEMA_OBJECT,
	.fields = FIELDS{{"repo_uri", &schema_text, .required = true, .help = "gs://BUCKET/PREFIX"},
			 {"endpoint", &text_or_null, .help = "Server that is not Google's"},
			 {0}}};

#define PLACE_ROWS                                                               \
	{"s3", &s3, .help = "In S3"}, {"fs", &fs, .help = "In a shared folder"}, \
		{"gcs", &gcs, .help = "In Google Cloud Storage"}
#define OTEL_ROWS                                                                             \
	{"otel_endpoint", &schema_otel, .scope = SCHEMA_KUBERNETES,                           \
	 .help = "Collector; see metrics_source"},                                            \
		{"otel_trace_collector_endpoint", &schema_otel, .scope = SCHEMA_KUBERNETES,   \
		 .help = "Collector of spans"},                                               \
		{"otel_metrics_collector_endpoint", &schema_otel, .scope = SCHEMA_KUBERNETES, \
		 .help = "Collector of metrics"}

static const struct schema snapshot = {
	SCHEMA_OBJECT,
	.fields = FIELDS{{"snapshot_name", &schema_text, .required = true, .help = "Snapshot"},
			 {"snapshot_repo_name", &schema_text, "\"migration_assistant_repo\"",
			  .help = "Name that the repository is registered by"},
			 {"mode", &snapshot_mode, "\"create\"", .help = "create, or import"},
			 {"solr_collections", &schema_text_list, .help = "Refused: no Solr"},
			 OTEL_ROWS,
			 PLACE_ROWS,
			 {0}}};
static const struct schema from_snapshot = {
	SCHEMA_OBJECT, .nullable = true,
	.fields = FIELDS{{"snapshot_name", &schema_text, .required = true, .help = "Snapshot"},
			 {"local_dir", &schema_text, .help = "Without effect: nothing is copied"},
			 PLACE_ROWS,
			 {0}}};
static const struct schema metadata = {
	SCHEMA_OBJECT, .nullable = true,
	.fields = FIELDS{
		{"from_snapshot", &from_snapshot, .required = true,
		 .help = "Where from; null: the section snapshot"},
		{"cluster_awareness_attributes", &schema_count, "1", .help = "Zones"},
		{"index_allowlist", &schema_text_list, .help = "Indices"},
		{"index_template_allowlist", &schema_text_list, .help = "Index templates"},
		{"component_template_allowlist", &schema_text_list, .help = "Component templates"},
		{"source_cluster_version", &schema_text, .help = "Without effect: it is read"},
		{"transformer_config_base64", &schema_text, .help = "Transforms"},
		OTEL_ROWS,
		{0}}};

/* --- Workers --- */

static const struct schema local = {
	SCHEMA_OBJECT, .nullable = true,
	.fields = FIELDS{{"arguments", &schema_text_list, .scope = SCHEMA_ONE_MACHINE,
			  .help = "Further flags of each worker"},
			 {0}}};
static const struct schema docker = {
	SCHEMA_OBJECT, .nullable = true,
	.fields = FIELDS{{"socket", &schema_text, .help = "Of Docker"}, {0}}};
static const struct schema ecs = {
	SCHEMA_OBJECT,
	.fields = FIELDS{{"cluster_name", &schema_text, .required = true, .help = "Cluster"},
			 {"service_name", &schema_text, .required = true, .help = "Service"},
			 {"aws_region", &schema_text, .help = "Region"},
			 {0}}};
static const struct schema k8s = {
	SCHEMA_OBJECT,
	.fields = FIELDS{{"namespace", &schema_text, .required = true, .help = "Namespace"},
			 {"deployment_name", &schema_text, .required = true, .help = "Deployment"},
			 {0}}};

#define PLATFORM_ROWS                                                                        \
	{"local", &local, .scope = SCHEMA_ONE_MACHINE, .help = "Processes of this machine"}, \
		{"docker", &docker, .help = "Containers"}, {"ecs", &ecs, .help = "AWS ECS"}, \
		{"k8s", &k8s, .help = "A deployment of Kubernetes"},                         \
		{"scale", &positive, .help = "Workers"}

static const struct schema reindex = {
	SCHEMA_OBJECT, .nullable = true,
	.fields =
		FIELDS{PLATFORM_ROWS,
		       {"snapshot_name", &schema_text, .help = "Else that of the section snapshot"},
		       {"snapshot_repo", &schema_text, .help = "Else that of the section snapshot"},
		       {"session_name", &schema_text, .help = "Under which work is kept"},
		       {"backfill_session_name", &schema_text, .help = "As session_name"},
		       {"coordinator", &coordinator, "\"local\"", .scope = SCHEMA_ONE_MACHINE,
			.help = "Where work items are kept: this machine, or an index of the "
				"target"},
		       {0}}};
static const struct schema backfill = {
	SCHEMA_OBJECT,
	.fields = FIELDS{{"reindex_from_snapshot", &reindex, .required = true, .help = "How"},
			 /* Beside it in older files. */
			 {"scale", &positive, .help = "Workers"},
			 {0}}};
static const struct schema replay = {
	SCHEMA_OBJECT, .nullable = true,
	.fields = FIELDS{
		PLATFORM_ROWS,
		{"log", &schema_text, .scope = SCHEMA_ONE_MACHINE,
		 .help = "Folder of the segment log; else capture/default"},
		{"group", &schema_text, .scope = SCHEMA_ONE_MACHINE, .help = "Group of readers"},
		{0}}};

/* --- Kafka, metrics, client --- */

static const struct schema scram = {
	SCHEMA_OBJECT,
	.fields = FIELDS{{"username", &schema_text, .required = true, .help = "User"},
			 {"password", &schema_text, .help = "Its password"},
			 {"password_env", &schema_text, "\"KAFKA_SCRAM_PASSWORD\"",
			  .help = "Variable that holds it"},
			 {"k8s_secret_name", &schema_text, .scope = SCHEMA_ONE_MACHINE,
			  .help = "Secret of `workflow configure credentials`"},
			 {"ca_cert_path", &schema_text, .help = "PEM of the brokers' authority"},
			 {0}}};
static const struct schema kafka = {
	SCHEMA_OBJECT,
	.fields = FIELDS{{"broker_endpoints", &schema_text, .help = "HOST:PORT[,HOST:PORT]"},
			 {"msk", &nothing, .help = "Amazon MSK by IAM"},
			 {"standard", &nothing, .help = "No authentication"},
			 {"scram", &scram, .help = "SCRAM-SHA-512"},
			 {"config_file", &schema_text, .scope = SCHEMA_ONE_MACHINE,
			  .help = "Properties of the Java client or of librdkafka"},
			 {"local", &nothing, .scope = SCHEMA_ONE_MACHINE,
			  .help = "The segment logs of this machine"},
			 {0}}};
static const struct schema prometheus = {
	SCHEMA_OBJECT,
	.fields = FIELDS{{"endpoint", &url, .required = true, .help = "URL of Prometheus"}, {0}}};
static const struct schema cloudwatch = {
	SCHEMA_OBJECT,
	.fields = FIELDS{{"aws_region", &schema_text, .help = "Region"},
			 {"qualifier", &schema_text, .required = true, .help = "Stage"},
			 {0}}};
static const struct schema own_metrics = {
	SCHEMA_OBJECT, .fields = FIELDS{{"captureProxy", &url, .help = "URL of its /metrics"},
					{"replayer", &url, .help = "URL of its /metrics"},
					{"backfill", &url, .help = "URL of its /metrics"},
					{0}}};
static const struct schema metrics = {
	SCHEMA_OBJECT, .fields = FIELDS{{"prometheus", &prometheus, .help = "Prometheus' API"},
					{"cloudwatch", &cloudwatch, .help = "Amazon CloudWatch"},
					{"local", &own_metrics, .scope = SCHEMA_ONE_MACHINE,
					 .help = "The processes themselves"},
					{0}}};
static const struct schema client = {
	SCHEMA_OBJECT,
	.fields = FIELDS{{"user_agent_extra", &schema_text, .help = "Added to User-Agent"}, {0}}};

const struct schema services_schema = {
	SCHEMA_OBJECT,
	.fields = FIELDS{{"source_cluster", &source, .help = "What is migrated"},
			 {"source", &source, .help = "As source_cluster"},
			 {"target_cluster", &target, .help = "Where it goes"},
			 {"target", &target, .help = "As target_cluster"},
			 {"snapshot", &snapshot, .help = "The snapshot that is read"},
			 {"metadata_migration", &metadata, .help = "Templates, indices"},
			 {"backfill", &backfill, .help = "Documents"},
			 {"replay", &replay, .help = "Captured traffic"},
			 {"kafka", &kafka, .help = "Where captured traffic lies"},
			 {"metrics_source", &metrics, .help = "Where metrics are"},
			 {"client_options", &client, .help = "Of our requests"},
			 {0}}};
