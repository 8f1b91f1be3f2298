#include "workflow/schema_shapes.h"

static const struct schema brokers = {SCHEMA_STRING,
				      "^(?:[a-z0-9][-a-z0-9.]*:(?:[1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]"
				      "\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|"
				      "6553[0-5])(?:,(?!$)|$))*$",
				      "HOST:PORT[,HOST:PORT]"};
static const struct schema type_none = {SCHEMA_STRING, .choices = "none"};
static const struct schema type_scram = {SCHEMA_STRING, .choices = "scram-sha-512"};

static const struct schema auth_none = {
	SCHEMA_OBJECT, .name = "none",
	.fields = (const struct schema_field[]){
		{"type", &type_none, .required = true, .help = "No signing in"}, {0}}};
static const struct schema auth_scram = {
	SCHEMA_OBJECT, .name = "scram-sha-512",
	.fields = (const struct schema_field[]){
		{"type", &type_scram, .required = true, .help = "SCRAM over TLS"},
		{"secretName", &schema_name, .required = true, .help = "Secret with the password"},
		{"caSecretName", &schema_name, .required = true,
		 .help = "Secret with the brokers' authority"},
		{"kafkaUserName", &schema_name, .help = "The user; by default that of the secret"},
		{0}}};
static const struct schema existing_auth = {
	SCHEMA_ONE_OF, .variants = (const struct schema *const[]){&auth_none, &auth_scram, NULL}};

static const struct schema existing = {
	SCHEMA_OBJECT,
	.fields = (const struct schema_field[]){
		{"enableMSKAuth", &schema_boolean, "false", .help = "Sign in by AWS IAM"},
		{"kafkaConnection", &brokers, .required = true, .help = "The brokers"},
		{"kafkaTopic", &schema_text, "\"\"", .help = "\"\": named after the proxy"},
		{"auth", &existing_auth, "{\"type\": \"none\"}", .help = "How to sign in"},
		{0}}};
static const struct schema created_scram = {
	SCHEMA_OBJECT, .name = "scram-sha-512",
	.fields = (const struct schema_field[]){{"type", &type_scram, .required = true,
						 .scope = SCHEMA_KUBERNETES,
						 .help = "SCRAM over TLS"},
						{0}}};
static const struct schema created_auth = {
	SCHEMA_ONE_OF,
	.variants = (const struct schema *const[]){&auth_none, &created_scram, NULL}};
static const struct schema auto_create = {
	SCHEMA_OBJECT,
	.fields = (const struct schema_field[]){
		{"auth", &created_auth, .scope = SCHEMA_KUBERNETES, .help = "How clients sign in"},
		{"clusterSpecOverrides", &schema_free, .scope = SCHEMA_KUBERNETES,
		 .help = "Of a Strimzi Kafka"},
		{"nodePoolSpecOverrides", &schema_free, .scope = SCHEMA_KUBERNETES,
		 .help = "Of a Strimzi KafkaNodePool"},
		{"topicSpecOverrides", &schema_free, .scope = SCHEMA_KUBERNETES,
		 .help = "Of a Strimzi KafkaTopic"},
		{0}}};
static const struct schema segment_log = {
	SCHEMA_OBJECT, .fields = (const struct schema_field[]){
			       {"directory", &schema_text, "\"\"", .scope = SCHEMA_ONE_MACHINE,
				.help = "Where its segments are; \"\": in the state directory"},
			       {0}}};

static const struct schema buffer_existing = {
	SCHEMA_OBJECT, .name = "existing",
	.fields = (const struct schema_field[]){
		{"existing", &existing, .required = true, .help = "A Kafka that is there"}, {0}}};
static const struct schema buffer_created = {
	SCHEMA_OBJECT, .name = "autoCreate",
	.fields = (const struct schema_field[]){
		{"autoCreate", &auto_create,
		 .help = "One of our own: on one machine the segment log"},
		{0}}};
static const struct schema buffer_log = {
	SCHEMA_OBJECT, .name = "log",
	.fields = (const struct schema_field[]){{"log", &segment_log, .required = true,
						 .scope = SCHEMA_ONE_MACHINE,
						 .help = "The segment log of this machine"},
						{0}}};
static const struct schema buffer = {SCHEMA_ONE_OF, .name = "buffer",
				     .variants = (const struct schema *const[]){
					     &buffer_existing, &buffer_created, &buffer_log, NULL}};
const struct schema schema_kafka_clusters = {SCHEMA_MAP, .items = &buffer};
