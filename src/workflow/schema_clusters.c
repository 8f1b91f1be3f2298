#include "workflow/schema_shapes.h"

#define HOST_AND_PORT                                                                              \
	"[^:/"                                                                                     \
	"\\s]+(?::(?:[1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5]))" \
	"?"

static const struct schema endpoint = {SCHEMA_STRING, "^https?://" HOST_AND_PORT "/?$",
				       "http(s)://HOST[:PORT], without a path"};
static const struct schema endpoint_or_none = {SCHEMA_STRING, "^(?:https?://" HOST_AND_PORT "/?)?$",
					       "http(s)://HOST[:PORT], without a path, or \"\""};
static const struct schema version = {SCHEMA_STRING,
				      "^(?:ES [1256789]|OS [123]|SOLR [6789])(?:\\.[0-9]+)+$",
				      "ES 7.10.2, OS 2.19.1, …"};
static const struct schema repository_uri = {
	SCHEMA_STRING,
	"^(?:(?:s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]|gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]|"
	"azure://[a-z0-9]{3,24}/[a-z0-9-]{3,63})(/[a-zA-Z0-9!\\-_.*'()/]*)?|file:///.+)$",
	"s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, azure://ACCOUNT/CONTAINER/PREFIX or file:///PATH"};
static const struct schema role = {
	SCHEMA_STRING, "^(arn:aws:iam::\\d{12}:(user|role|group|policy)/[a-zA-Z0-9+=,.@_-]+)?$",
	"arn:aws:iam::ACCOUNT:role/NAME"};

static const struct schema repository = {
	SCHEMA_OBJECT, .name = "repository",
	.fields = (const struct schema_field[]){
		{"repoPathUri", &repository_uri, .required = true,
		 .help = "Where the repository's files are"},
		{"awsRegion", &schema_text, "\"\"", .help = "Region of the bucket"},
		{"endpoint", &schema_store_url, "\"\"",
		 .help = "Of a store that is compatible with S3; \"\": AWS's own"},
		{"s3RoleArn", &role, "\"\"", .help = "Role that the cluster reaches the bucket by"},
		{0}}};
static const struct schema repositories = {SCHEMA_MAP, .items = &repository};

static const struct schema create_snapshot = {
	SCHEMA_OBJECT,
	.fields = (const struct schema_field[]){
		{"snapshotPrefix", &schema_text, "\"\"", .policy = CHANGE_IMPOSSIBLE,
		 .help = "Start of its name; \"\": that of the source"},
		SCHEMA_JVM_ROWS,
		SCHEMA_OTEL_ROWS,
		{"indexAllowlist", &schema_text_list, "[]", .policy = CHANGE_IMPOSSIBLE,
		 .help = "Indices to take, names and patterns as the cluster has them; []: all"},
		{"maxSnapshotRateMbPerNode", &schema_number, "0",
		 .help = "Megabytes a second of each node; 0: the cluster's own limit"},
		{"compressionEnabled", &schema_boolean, "false", .policy = CHANGE_IMPOSSIBLE,
		 .help = "Whether metadata is compressed"},
		{"includeGlobalState", &schema_boolean, "true", .policy = CHANGE_IMPOSSIBLE,
		 .help = "Whether templates and settings of the cluster are taken"},
		{0}}};

static const struct schema snapshot_external = {
	SCHEMA_OBJECT, .name = "externallyManagedSnapshotName",
	.fields = (const struct schema_field[]){{"externallyManagedSnapshotName", &schema_text,
						 .required = true,
						 .help = "Name of a snapshot that is there"},
						{0}}};
static const struct schema snapshot_created = {
	SCHEMA_OBJECT, .name = "createSnapshotConfig",
	.fields = (const struct schema_field[]){
		{"createSnapshotConfig", &create_snapshot, .required = true, .help = "Take one"},
		{0}}};
static const struct schema snapshot_config = {
	SCHEMA_ONE_OF,
	.variants = (const struct schema *const[]){&snapshot_external, &snapshot_created, NULL}};
static const struct schema snapshot = {
	SCHEMA_OBJECT, .name = "snapshot",
	.fields = (const struct schema_field[]){
		{"config", &snapshot_config, .required = true, .help = "Which snapshot"},
		{"repoName", &schema_text, .required = true, .help = "One of the repos above"},
		{0}}};
static const struct schema snapshots = {SCHEMA_MAP, .items = &snapshot};

static const struct schema snapshots_of_cluster = {
	SCHEMA_OBJECT, .name = "snapshots",
	.fields = (const struct schema_field[]){
		{"repos", &repositories, .help = "Repositories by name"},
		{"snapshots", &snapshots, .required = true, .help = "Snapshots by name"},
		{"serializeSnapshotCreation", &schema_boolean,
		 .help = "One at a time; by default on for ES 1 to 7 and OS 1"},
		{0}}};

/* Solr validates as in Migration Assistant, and is refused by name when it is submitted. */
static const struct schema create_backup = {
	SCHEMA_OBJECT,
	.fields = (const struct schema_field[]){
		{"snapshotPrefix", &schema_text, "\"\"", .help = "Start of its name"},
		{"collectionAllowlist", &schema_text_list, "[]", .help = "Collections to take"},
		SCHEMA_OTEL_ROWS,
		SCHEMA_JVM_ROWS,
		{0}}};
static const struct schema backup_external = {
	SCHEMA_OBJECT, .name = "externalBackupName",
	.fields = (const struct schema_field[]){
		{"externalBackupName", &schema_text, .required = true, .help = "One that is there"},
		{"repoName", &schema_text, .required = true, .help = "One of the repos"},
		{"collectionAllowlist", &schema_text_list, "[]", .help = "Collections to take"},
		SCHEMA_OTEL_ROWS,
		SCHEMA_JVM_ROWS,
		{0}}};
static const struct schema backup_created = {
	SCHEMA_OBJECT, .name = "createBackupConfig",
	.fields = (const struct schema_field[]){
		{"repoName", &schema_text, .required = true, .help = "One of the repos"},
		{"createBackupConfig", &create_backup, .required = true, .help = "Take one"},
		{0}}};
static const struct schema backup = {
	SCHEMA_ONE_OF, .name = "backup",
	.variants = (const struct schema *const[]){&backup_external, &backup_created, NULL}};
static const struct schema backups = {SCHEMA_MAP, .items = &backup};
static const struct schema backups_of_cluster = {
	SCHEMA_OBJECT, .name = "backups",
	.fields = (const struct schema_field[]){
		{"repos", &repositories, .help = "Repositories by name"},
		{"backups", &backups, .required = true, .help = "Solr's; refused by submit"},
		{"serializeSnapshotCreation", &schema_boolean, .help = "One at a time"},
		{0}}};
static const struct schema snapshot_info = {
	SCHEMA_ONE_OF, .variants = (const struct schema *const[]){&snapshots_of_cluster,
								  &backups_of_cluster, NULL}};

static const struct schema source_cluster = {
	SCHEMA_OBJECT, .name = "source",
	.fields = (const struct schema_field[]){
		{"endpoint", &endpoint_or_none, "\"\"",
		 .help = "Where it is; \"\": only its snapshots are there"},
		{"allowInsecure", &schema_boolean, "false",
		 .help = "Do not check its certificate and name"},
		{"authConfig", &schema_auth, .help = "How to sign in; without: not at all"},
		{"version", &version, .required = true, .help = "Flavour and version"},
		{"snapshotInfo", &snapshot_info, .help = "Its repositories and snapshots"},
		{0}}};
static const struct schema target_cluster = {
	SCHEMA_OBJECT, .name = "target",
	.fields = (const struct schema_field[]){
		{"endpoint", &endpoint, .required = true, .help = "Where it is"},
		{"allowInsecure", &schema_boolean, "false",
		 .help = "Do not check its certificate and name"},
		{"authConfig", &schema_auth, .help = "How to sign in; without: not at all"},
		{0}}};

const struct schema schema_source_clusters = {SCHEMA_MAP, .items = &source_cluster};
const struct schema schema_target_clusters = {SCHEMA_MAP, .items = &target_cluster};
