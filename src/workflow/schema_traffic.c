#include "workflow/schema_shapes.h"

static const struct schema service_type = {SCHEMA_STRING, .choices = "LoadBalancer|ClusterIP"};
static const struct schema issuer_kind = {SCHEMA_STRING, .choices = "Issuer|ClusterIssuer"};
static const struct schema mode_manager = {SCHEMA_STRING, .choices = "certManager"};
static const struct schema mode_secret = {SCHEMA_STRING, .choices = "existingSecret"};
static const struct schema mode_plain = {SCHEMA_STRING, .choices = "plaintext"};
static const struct schema dns_names = {SCHEMA_LIST, .items = &schema_text, .min_count = 1};
static const struct schema buffer_size = {SCHEMA_NUMBER, .min = 1, .max = 1048576, .bounded = true};
static const struct schema total_size = {SCHEMA_INTEGER, .max = INT32_MAX, .bounded = true};
static const struct schema header_line = {SCHEMA_STRING, "^[^:\\s]+:.*$", "NAME: VALUE"};
static const struct schema header_lines = {SCHEMA_LIST, .items = &header_line};
static const struct schema on_capture_failure = {SCHEMA_STRING, .choices = "block|forward|spool"};
static const struct schema sync = {SCHEMA_STRING, .choices = "always|interval|none"};
static const struct schema wait_time = {SCHEMA_STRING, "^[0-9]+(ms|s|m|h|d)$",
					"a time such as 10s or 7d"};

static const struct schema issuer = {SCHEMA_OBJECT,
				     .fields = (const struct schema_field[]){
					     {"name", &schema_text, .required = true,
					      .scope = SCHEMA_KUBERNETES, .help = "The issuer"},
					     {"kind", &issuer_kind, "\"ClusterIssuer\"",
					      .scope = SCHEMA_KUBERNETES, .help = "Its kind"},
					     {"group", &schema_text, "\"cert-manager.io\"",
					      .scope = SCHEMA_KUBERNETES, .help = "Its API group"},
					     {0}}};
static const struct schema tls_manager = {
	SCHEMA_OBJECT, .name = "certManager",
	.fields = (const struct schema_field[]){
		{"mode", &mode_manager, .required = true, .scope = SCHEMA_KUBERNETES,
		 .help = "A certificate of cert-manager"},
		{"issuerRef", &issuer, .required = true, .scope = SCHEMA_KUBERNETES,
		 .help = "Who issues it"},
		{"commonName", &schema_text, .scope = SCHEMA_KUBERNETES, .help = "Its name"},
		{"dnsNames", &dns_names, .required = true, .scope = SCHEMA_KUBERNETES,
		 .help = "Names that clients use"},
		{"duration", &schema_text, "\"2160h\"", .scope = SCHEMA_KUBERNETES,
		 .help = "How long it is valid"},
		{"renewBefore", &schema_text, "\"360h\"", .scope = SCHEMA_KUBERNETES,
		 .help = "How long before its end it is renewed"},
		{"clientAuth", &schema_client_auth, .help = "Who may connect"},
		{0}}};
static const struct schema tls_secret = {
	SCHEMA_OBJECT, .name = "existingSecret",
	.fields = (const struct schema_field[]){
		{"mode", &mode_secret, .required = true, .help = "A certificate that is there"},
		{"secretName", &schema_text, .required = true, .help = "Secret: tls.crt, tls.key"},
		{"clientAuth", &schema_client_auth, .help = "Who may connect"},
		{0}}};
static const struct schema tls_plain = {
	SCHEMA_OBJECT, .name = "plaintext",
	.fields = (const struct schema_field[]){
		{"mode", &mode_plain, .required = true, .help = "No TLS"}, {0}}};
static const struct schema tls = {
	SCHEMA_ONE_OF,
	.variants = (const struct schema *const[]){&tls_manager, &tls_secret, &tls_plain, NULL}};

static const struct schema proxy_config = {
	SCHEMA_OBJECT,
	.fields = (const struct schema_field[]){
		SCHEMA_REPLICA_ROWS,
		{"loggingConfigurationOverrideConfigMap", &schema_text, "\"\"",
		 .scope = SCHEMA_KUBERNETES, .help = "Without effect: see --log-level"},
		{"serviceType", &service_type, "\"LoadBalancer\"", .policy = CHANGE_IMPOSSIBLE,
		 .scope = SCHEMA_KUBERNETES, .help = "Of the Service in front of it"},
		{"internetFacing", &schema_boolean, "false", .policy = CHANGE_IMPOSSIBLE,
		 .scope = SCHEMA_KUBERNETES, .help = "Whether the load balancer is public"},
		{"resources", &schema_resources,
		 "{\"limits\": {\"cpu\": \"3500m\", \"memory\": \"3500Mi\"}, "
		 "\"requests\": {\"cpu\": \"3500m\", \"memory\": \"3500Mi\"}}",
		 .scope = SCHEMA_KUBERNETES, .help = "Of a pod"},
		SCHEMA_OTEL_ROWS,
		{"setHeader", &header_lines, .policy = CHANGE_GATED,
		 .help = "Headers that each request gets on its way to the source"},
		{"destinationConnectionPoolSize", &schema_number, "0",
		 .help = "Connections to the source kept open ahead of need"},
		{"destinationConnectionPoolTimeout", &schema_duration, "\"PT30S\"",
		 .help = "When unused ones are replaced"},
		{"kafkaClientId", &schema_text, "\"HttpCaptureProxyProducer\"",
		 .help = "What Kafka calls it"},
		{"listenPort", &schema_port, .required = true, .policy = CHANGE_IMPOSSIBLE,
		 .help = "Where clients connect"},
		{"listenHost", &schema_text, "\"0.0.0.0\"", .policy = CHANGE_IMPOSSIBLE,
		 .scope = SCHEMA_ONE_MACHINE, .help = "The address to listen on"},
		{"maxTrafficBufferSize", &buffer_size, "1048576", .policy = CHANGE_GATED,
		 .help = "Bytes of a record, at most"},
		{"noCapture", &schema_boolean, "false", .policy = CHANGE_GATED,
		 .help = "Forward and record nothing"},
		{"numThreads", &schema_number, "1", .help = "Event loops; 0: one a processor"},
		{"tls", &tls, .policy = CHANGE_GATED,
		 .help = "What clients meet; without: a certificate of our own"},
		{"enableMSKAuth", &schema_boolean, "false", .policy = CHANGE_GATED,
		 .help = "Sign in to Kafka by AWS IAM"},
		{"suppressCaptureForHeaderMatch", &schema_text_list, "[]", .policy = CHANGE_GATED,
		 .help = "NAME, PATTERN: requests with such a header are not recorded"},
		{"suppressCaptureForMethod", &schema_text, "\"\"", .policy = CHANGE_GATED,
		 .help = "Pattern of methods that are not recorded"},
		{"suppressCaptureForUriPath", &schema_text, "\"\"", .policy = CHANGE_GATED,
		 .help = "Pattern of request targets that are not recorded"},
		{"suppressMethodAndPath", &schema_text, "\"\"", .policy = CHANGE_GATED,
		 .help = "Pattern of 'METHOD target' that is not recorded"},
		{"onCaptureFailure", &on_capture_failure, .policy = CHANGE_GATED,
		 .scope = SCHEMA_ONE_MACHINE,
		 .help = "What happens to writes that cannot be recorded; by default block for the "
			 "log, spool for Kafka"},
		{"captureTimeout", &wait_time, "\"10s\"", .policy = CHANGE_GATED,
		 .scope = SCHEMA_ONE_MACHINE, .help = "How long a write waits for its record"},
		{"sync", &sync, "\"always\"", .policy = CHANGE_GATED, .scope = SCHEMA_ONE_MACHINE,
		 .help = "When records are durable on the disk"},
		{"retention", &wait_time, .scope = SCHEMA_ONE_MACHINE,
		 .help = "How long records are kept that every replayer has read"},
		{"redactAuth", &schema_boolean, "false", .policy = CHANGE_GATED,
		 .scope = SCHEMA_ONE_MACHINE, .help = "Record no Authorization headers"},
		{0}}};

static const struct schema proxy = {
	SCHEMA_OBJECT, .name = "proxy",
	.fields = (const struct schema_field[]){
		{"kafka", &schema_name, "\"default\"", .help = "One of kafkaClusterConfiguration"},
		{"kafkaTopic", &schema_name, "\"\"", .help = "\"\": named after the proxy"},
		{"source", &schema_text, .required = true, .help = "One of sourceClusters"},
		{"skipApproval", &schema_boolean, .help = "Do not wait once it is up"},
		{"proxyConfig", &proxy_config, .required = true, .help = "The proxy itself"},
		{0}}};
static const struct schema proxies = {SCHEMA_MAP, .items = &proxy};

static const struct schema export_uri = {
	SCHEMA_STRING, "^(?:s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/|file:///).+\\.proto\\.gz$",
	"s3://BUCKET/….proto.gz"};
static const struct schema recorded = {
	SCHEMA_OBJECT, .name = "export",
	.fields = (const struct schema_field[]){
		{"s3Uri", &export_uri, .required = true, .help = "An export of captured traffic"},
		{"awsRegion", &schema_text, .required = true, .help = "Region of the bucket"},
		{"endpoint", &schema_store_url, "\"\"",
		 .help = "Of a store that is compatible with S3"},
		{"kafka", &schema_name, "\"default\"", .help = "One of kafkaClusterConfiguration"},
		{"kafkaTopic", &schema_name, "\"\"", .help = "\"\": named after this entry"},
		{"sourceLabel", &schema_text, .required = true,
		 .help = "What the source of the traffic is called"},
		{0}}};
static const struct schema exports = {SCHEMA_MAP, .items = &recorded};

static const struct schema dependency = {
	SCHEMA_OBJECT,
	.fields = (const struct schema_field[]){
		{"source", &schema_text, .required = true, .help = "One of sourceClusters"},
		{"snapshot", &schema_text, .required = true, .help = "One of its snapshots"},
		{0}}};
static const struct schema dependencies = {SCHEMA_LIST, .items = &dependency};

static const struct schema replayer_config = {
	SCHEMA_OBJECT,
	.fields = (const struct schema_field[]){
		SCHEMA_REPLICA_ROWS,
		SCHEMA_JVM_ROWS,
		{"useLocalStack", &schema_boolean, "false", .scope = SCHEMA_KUBERNETES,
		 .help = "Without effect: give the endpoint"},
		{"resources", &schema_resources, .scope = SCHEMA_KUBERNETES, .help = "Of a pod"},
		{"kafkaTrafficEnableMSKAuth", &schema_boolean, "false", .policy = CHANGE_IMPOSSIBLE,
		 .help = "Sign in to Kafka by AWS IAM"},
		{"kafkaTrafficPropertyFile", &schema_text, .policy = CHANGE_IMPOSSIBLE,
		 .help = "File with settings of the Kafka client"},
		{"lookaheadTimeSeconds", &schema_number, "400",
		 .help = "How far ahead of its time traffic is read"},
		{"maxConcurrentRequests", &schema_number, "10000",
		 .help = "Requests to the target at a time"},
		{"numClientThreads", &schema_number, "0", .help = "0: one a processor"},
		{"nonRetryableDocExceptionTypes", &schema_text_list,
		 .help = "Failures of bulk items that are not sent again"},
		{"observedPacketConnectionTimeout", &schema_number, "360",
		 .help = "Seconds without traffic after which a connection counts as ended"},
		SCHEMA_OTEL_ROWS,
		{"quiescentPeriodMs", &schema_number, "5000",
		 .help = "Wait after partitions were assigned anew"},
		{"removeAuthHeader", &schema_boolean, "false", .policy = CHANGE_GATED,
		 .help = "Send no Authorization"},
		{"speedupFactor", &schema_number, "1.1", .help = "How much faster than it was"},
		{"targetServerResponseTimeoutSeconds", &schema_number, "150",
		 .help = "How long an answer is waited for"},
		{"transformerConfig", &schema_text, .policy = CHANGE_GATED,
		 .help = "Transforms of requests, as JSON text"},
		{"transformerConfigEncoded", &schema_text, .policy = CHANGE_GATED,
		 .help = "The same in base64"},
		{"transformerConfigFile", &schema_text, .policy = CHANGE_GATED,
		 .help = "The same in a file"},
		{"requestTransforms", &schema_transforms, .policy = CHANGE_GATED,
		 .help = "Transforms of requests, one after the other"},
		{"tupleTransformerConfig", &schema_text, .policy = CHANGE_GATED,
		 .help = "Transforms of tuples, as JSON text"},
		{"tupleTransformerConfigBase64", &schema_text, .policy = CHANGE_GATED,
		 .help = "The same in base64"},
		{"tupleTransformerConfigFile", &schema_text, .policy = CHANGE_GATED,
		 .help = "The same in a file"},
		{"tupleTransforms", &schema_transforms, .policy = CHANGE_GATED,
		 .help = "Transforms of tuples, one after the other"},
		{"tupleS3Bucket", &schema_text, .policy = CHANGE_GATED,
		 .help = "Bucket of tuples; without: the state directory"},
		{"tupleS3Region", &schema_text, .policy = CHANGE_GATED, .help = "Its region"},
		{"tupleS3Prefix", &schema_text, "\"tuples/\"", .policy = CHANGE_GATED,
		 .help = "Where in the bucket"},
		{"tupleS3Endpoint", &schema_store_url, "\"\"", .policy = CHANGE_GATED,
		 .help = "Of a store that is compatible with S3"},
		{"tupleMaxBufferSeconds", &schema_number, "60", .policy = CHANGE_GATED,
		 .help = "Seconds after which a file of tuples is ended"},
		{"tupleMaxFileSizeMb", &schema_number, "256", .policy = CHANGE_GATED,
		 .help = "Megabytes of such a file, at most"},
		{"tupleMaxPerFile", &schema_number, "0", .policy = CHANGE_GATED,
		 .help = "Tuples of such a file; 0: any number"},
		{"tupleMaxTotalSizeMb", &total_size, .scope = SCHEMA_ONE_MACHINE,
		 .policy = CHANGE_GATED,
		 .help = "Megabytes of all of them without a bucket, beyond which nothing more is "
			 "committed. 0: any; without: 1024 in each pod, any on one machine"},
		{"userAgent", &schema_text, .help = "Added to the User-Agent of requests"},
		{0}}};

static const struct schema replayer = {
	SCHEMA_OBJECT, .name = "replayer",
	.fields = (const struct schema_field[]){
		{"fromCapturedTraffic", &schema_text, .required = true,
		 .help = "One of proxies or s3Sources"},
		{"toTarget", &schema_text, .required = true, .help = "One of targetClusters"},
		{"dependsOnSnapshotMigrations", &dependencies, "[]",
		 .help = "Migrations that must be done before it starts"},
		{"replayerConfig", &replayer_config, .help = "The replayer itself"},
		{"cutOver", &schema_boolean, "false", .scope = SCHEMA_ONE_MACHINE,
		 .help = "Once approved, the proxy sends its clients to the target"},
		{"cutOverThrough", &schema_text, .scope = SCHEMA_ONE_MACHINE,
		 .help = "A proxy in front of the target that they pass, so that what they write "
			 "can be replayed back"},
		{0}}};
static const struct schema replayers = {SCHEMA_MAP, .items = &replayer};

const struct schema schema_traffic = {
	SCHEMA_OBJECT,
	.fields = (const struct schema_field[]){
		{"proxies", &proxies, "{}", .help = "Capture proxies by name"},
		{"s3Sources", &exports, "{}", .help = "Traffic that was captured before, by name"},
		{"replayers", &replayers, .required = true, .help = "Replayers by name"},
		{0}}};
