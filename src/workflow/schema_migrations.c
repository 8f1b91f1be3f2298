#include "workflow/schema_shapes.h"

static const struct schema label = {SCHEMA_STRING, "^([a-zA-Z][a-zA-Z0-9]*.*)?$",
				    "letters and digits, a letter first"};
static const struct schema report_output = {SCHEMA_STRING, .choices = "HUMAN_READABLE|JSON"};
static const struct schema generated_ids = {SCHEMA_STRING, .choices = "AUTO|ALWAYS|NEVER"};
static const struct schema emit_type = {SCHEMA_STRING, .choices = "AUTO|ON|OFF"};

static const struct schema metadata = {
	SCHEMA_OBJECT,
	.fields = (const struct schema_field[]){
		SCHEMA_JVM_ROWS,
		{"skipEvaluateApproval", &schema_boolean,
		 .help = "Do not wait after the evaluation"},
		{"skipMigrateApproval", &schema_boolean, .help = "Do not wait after the migration"},
		{"componentTemplateAllowlist", &schema_text_list, "[]",
		 .help = "Names or regex:PATTERN; []: all but the system's"},
		{"indexAllowlist", &schema_text_list, "[]",
		 .help = "Names or regex:PATTERN; []: all but the system's"},
		{"indexTemplateAllowlist", &schema_text_list, "[]",
		 .help = "Names or regex:PATTERN; []: all but the system's"},
		{"allowLooseVersionMatching", &schema_boolean, "true",
		 .help = "Take the nearest known version for an unknown one"},
		{"clusterAwarenessAttributes", &schema_number, "1",
		 .help = "Zones of the target, for the number of replicas"},
		SCHEMA_OTEL_ROWS,
		{"output", &report_output, "\"HUMAN_READABLE\"", .help = "Form of the report"},
		{"transformerConfigBase64", &schema_text, "\"\"", .help = "Transforms, in base64"},
		{"transformerConfig", &schema_text, .help = "Transforms, as JSON text"},
		{"transformerConfigFile", &schema_text, .help = "File with transforms"},
		{"metadataTransforms", &schema_transforms, .policy = CHANGE_IMPOSSIBLE,
		 .help = "Transforms of items, one after the other"},
		{"enableSourcelessMigrations", &schema_boolean, "false",
		 .policy = CHANGE_IMPOSSIBLE, .help = "Take indices without _source, too"},
		{"useRecoverySource", &schema_boolean, "false", .policy = CHANGE_IMPOSSIBLE,
		 .help = "Read _recovery_source where there is one"},
		{0}}};

static const struct schema backfill = {
	SCHEMA_OBJECT,
	.fields = (const struct schema_field[]){
		SCHEMA_REPLICA_ROWS,
		SCHEMA_JVM_ROWS,
		{"skipApproval", &schema_boolean, .help = "Do not wait after the documents"},
		{"useTargetClusterForWorkCoordination", &schema_boolean, "false",
		 .help = "Work items in an index of the target instead of the state directory"},
		{"resources", &schema_resources, .scope = SCHEMA_KUBERNETES, .help = "Of a pod"},
		{"sourceVersions", &schema_boolean, .policy = CHANGE_IMPOSSIBLE,
		 .scope = SCHEMA_ONE_MACHINE,
		 .help = "Send the source's versions, so that the newer one stays; true where "
			 "live traffic is replayed"},
		{"indexAllowlist", &schema_text_list, "[]", .policy = CHANGE_IMPOSSIBLE,
		 .help = "Names or regex:PATTERN; []: all but the system's"},
		{"allowLooseVersionMatching", &schema_boolean, "true", .policy = CHANGE_IMPOSSIBLE,
		 .help = "Take the nearest known version for an unknown one"},
		{"docTransformerConfigBase64", &schema_text, "\"\"", .policy = CHANGE_IMPOSSIBLE,
		 .help = "Transforms, in base64"},
		{"docTransformerConfig", &schema_text, .policy = CHANGE_IMPOSSIBLE,
		 .help = "Transforms, as JSON text"},
		{"docTransformerConfigFile", &schema_text, .policy = CHANGE_IMPOSSIBLE,
		 .help = "File with transforms"},
		{"documentTransforms", &schema_transforms, .policy = CHANGE_IMPOSSIBLE,
		 .help = "Transforms of documents, one after the other"},
		{"documentsPerBulkRequest", &schema_number, "2147483647",
		 .help = "Documents in a bulk, at most"},
		{"documentsSizePerBulkRequest", &schema_number, "10485760",
		 .help = "Bytes of a bulk, at most"},
		{"initialLeaseDuration", &schema_duration, "\"PT1H\"", .policy = CHANGE_GATED,
		 .help = "How long a work item is leased at first"},
		{"maxConnections", &schema_number, "10", .policy = CHANGE_GATED,
		 .help = "Connections of a worker to the target"},
		{"maxShardSizeBytes", &schema_number, "85899345920", .policy = CHANGE_GATED,
		 .help = "Accepted; shards of any size are read without a copy"},
		SCHEMA_OTEL_ROWS,
		{"serverGeneratedIds", &generated_ids, "\"AUTO\"",
		 .help = "Whether the target makes the ids; AUTO: where it must"},
		{"emitDocType", &emit_type, "\"AUTO\"", .policy = CHANGE_IMPOSSIBLE,
		 .help = "_type in bulks; AUTO: for targets that need it"},
		{"allowedDocExceptionTypes", &schema_text_list, "[]",
		 .help = "Failures that count as success"},
		{"coordinatorRetryMaxRetries", &schema_number, "7",
		 .help = "Tries of a request to the coordinator"},
		{"coordinatorRetryInitialDelayMs", &schema_number, "1000",
		 .help = "Wait before the second one"},
		{"coordinatorRetryMaxDelayMs", &schema_number, "64000", .help = "Longest wait"},
		{"enableSourcelessMigrations", &schema_boolean, "false",
		 .policy = CHANGE_IMPOSSIBLE, .help = "Rebuild documents without _source"},
		{"useRecoverySource", &schema_boolean, "false", .policy = CHANGE_IMPOSSIBLE,
		 .help = "Read _recovery_source where there is one"},
		{"failedDocumentStreamS3Prefix", &schema_text, "\"rfs-failed-document-stream/\"",
		 .help = "Where in the bucket failed documents go"},
		{"failedDocumentStreamS3Bucket", &schema_text,
		 .help = "Bucket of failed documents; without: the state directory"},
		{"failedDocumentStreamS3Region", &schema_text, .help = "Region of that bucket"},
		{"failedDocumentStreamS3Endpoint", &schema_text,
		 .help = "Endpoint of a store that is compatible with S3"},
		{"failedDocumentStreamMaxBufferBytes", &schema_number, "67108864",
		 .help = "Bytes of failed documents kept before they are written"},
		{"positionGapStopword", &schema_text, "\"a\"", .policy = CHANGE_IMPOSSIBLE,
		 .help = "Word for gaps of positions where text is rebuilt"},
		{0}}};

static const struct schema verification = {
	SCHEMA_OBJECT, .fields = (const struct schema_field[]){
			       {"content", &schema_boolean, "true", .scope = SCHEMA_ONE_MACHINE,
				.help = "Compare documents, not only their number"},
			       {"sample", &schema_percent, .scope = SCHEMA_ONE_MACHINE,
				.help = "Compare only these, chosen by id"},
			       {"skipApproval", &schema_boolean, .scope = SCHEMA_ONE_MACHINE,
				.help = "Do not wait after it"},
			       {0}}};

static const struct schema migration = {
	SCHEMA_OBJECT, .name = "migration",
	.fields = (const struct schema_field[]){
		{"label", &label, "\"\"", .help = "Name of this part; \"\": migration-N"},
		{"metadataMigrationConfig", &metadata, .help = "Templates, mappings, settings, …"},
		{"documentBackfillConfig", &backfill, .help = "Documents"},
		{"verifyConfig", &verification, .scope = SCHEMA_ONE_MACHINE,
		 .help = "Compare source and target after the documents"},
		{0}}};
static const struct schema migrations = {SCHEMA_LIST, .items = &migration, .min_count = 1,
					 .name = "snapshot"};
static const struct schema per_snapshot = {SCHEMA_MAP, .items = &migrations};

static const struct schema snapshot_migration = {
	SCHEMA_OBJECT,
	.fields = (const struct schema_field[]){
		{"skipApprovals", &schema_boolean, .help = "Wait nowhere in this one"},
		{"fromSource", &schema_text, .required = true, .help = "One of sourceClusters"},
		{"toTarget", &schema_text, .required = true, .help = "One of targetClusters"},
		{"perSnapshotConfig", &per_snapshot, .required = true,
		 .help = "What to do with each snapshot of the source"},
		{0}}};
const struct schema schema_snapshot_migrations = {SCHEMA_LIST, .items = &snapshot_migration};
