#include "workflow/schema_shapes.h"

#define NAME_PATTERN "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"

const struct schema schema_text = {SCHEMA_STRING};
const struct schema schema_boolean = {SCHEMA_BOOLEAN};
const struct schema schema_number = {SCHEMA_NUMBER, .bounded = true};
const struct schema schema_count = {SCHEMA_INTEGER, .bounded = true};
const struct schema schema_port = {SCHEMA_NUMBER, .min = 1, .max = 65535, .bounded = true};
const struct schema schema_text_list = {SCHEMA_LIST, .items = &schema_text};
const struct schema schema_free = {SCHEMA_FREE};
const struct schema schema_name = {SCHEMA_STRING, NAME_PATTERN,
				   "lower-case letters, digits, '-' and '.'"};
const struct schema schema_duration = {
	SCHEMA_STRING, "^[-+]?P(?:(\\d+)D)?(?:T(?:(\\d+)H)?(?:(\\d+)M)?(?:(\\d+(?:\\.\\d+)?)S)?)?$",
	"an ISO 8601 duration such as PT30S or PT1H"};
const struct schema schema_otel = {SCHEMA_STRING, .nullable = true};
const struct schema schema_store_url = {SCHEMA_STRING, "^(?:(?:https?|localstacks?)://[^/]+/?)?$",
					"http(s)://HOST[:PORT]"};
const struct schema schema_percent = {SCHEMA_STRING, "^[0-9]+(\\.[0-9]+)?%$",
				      "a percentage such as 1%"};

static const struct schema cpu = {SCHEMA_STRING, "^[0-9]+m$", "thousandths of a core: 3500m"};
static const struct schema memory = {SCHEMA_STRING, "^[0-9]+(([EPTGM])i?|Ki|k)$",
				     "bytes with a unit: 3500Mi"};

static const struct schema resource_amounts = {
	SCHEMA_OBJECT,
	.fields = (const struct schema_field[]){
		{"cpu", &cpu, .required = true, .scope = SCHEMA_KUBERNETES, .help = "Processor"},
		{"memory", &memory, .required = true, .scope = SCHEMA_KUBERNETES, .help = "Memory"},
		{"ephemeral-storage", &memory, .scope = SCHEMA_KUBERNETES,
		 .help = "Disk; this program needs none"},
		{0}}};

const struct schema schema_resources = {
	SCHEMA_OBJECT, .fields = (const struct schema_field[]){
			       {"limits", &resource_amounts, .required = true,
				.scope = SCHEMA_KUBERNETES, .help = "What a pod gets at most"},
			       {"requests", &resource_amounts, .required = true,
				.scope = SCHEMA_KUBERNETES, .help = "What a pod is promised"},
			       {0}}};

static const struct schema image_path = {SCHEMA_STRING, "^(?!/)(?!.*(?:^|/)\\.\\.(?:/|$)).+$",
					 "a relative path without '..'"};
static const struct schema map_path = {SCHEMA_STRING, "^(?!\\.{1,2}$)(?!\\.\\.)[A-Za-z0-9._-]+$",
				       "a file name"};
static const struct schema pull_policy = {SCHEMA_STRING, .choices = "Always|Never|IfNotPresent"};

static const struct schema file_in_image = {
	SCHEMA_OBJECT, .name = "image",
	.fields = (const struct schema_field[]){
		{"image", &schema_text, .required = true, .scope = SCHEMA_KUBERNETES,
		 .help = "Image that holds the file"},
		{"pullPolicy", &pull_policy, "\"IfNotPresent\"", .scope = SCHEMA_KUBERNETES,
		 .help = "When the image is pulled"},
		{"path", &image_path, .required = true, .scope = SCHEMA_KUBERNETES,
		 .help = "Where in the image it is"},
		{0}}};

static const struct schema file_in_config_map = {
	SCHEMA_OBJECT, .name = "configMap",
	.fields = (const struct schema_field[]){
		{"configMap", &schema_text, .required = true, .scope = SCHEMA_KUBERNETES,
		 .help = "ConfigMap that holds the file"},
		{"path", &map_path, .required = true, .scope = SCHEMA_KUBERNETES,
		 .help = "Key in the ConfigMap"},
		{0}}};

static const struct schema file_on_disk = {
	SCHEMA_OBJECT, .name = "path",
	.fields = (const struct schema_field[]){{"path", &schema_text, .required = true,
						 .scope = SCHEMA_ONE_MACHINE,
						 .help = "A file of this machine"},
						{0}}};

static const struct schema file_reference = {
	SCHEMA_ONE_OF, .variants = (const struct schema *const[]){
			       &file_in_image, &file_in_config_map, &file_on_disk, NULL}};

static const struct schema entry_point = {
	SCHEMA_OBJECT,
	.fields = (const struct schema_field[]){
		{"javascript", &schema_text, .help = "The script itself"},
		{"javascriptFile", &file_reference, .help = "Where the script is"},
		{"python", &schema_text, .help = "Refused: write it in JavaScript"},
		{"pythonFile", &file_reference, .help = "Refused: write it in JavaScript"},
		{0}}};

static const struct schema context_given = {
	SCHEMA_OBJECT, .name = "value",
	.fields = (const struct schema_field[]){
		{"value", &schema_free, .required = true, .help = "The value"}, {0}}};
static const struct schema context_from_file = {
	SCHEMA_OBJECT, .name = "fromFile",
	.fields = (const struct schema_field[]){
		{"fromFile", &file_reference, .required = true, .help = "File that holds it"},
		{0}}};
static const struct schema context_value = {
	SCHEMA_ONE_OF, .name = "name",
	.variants = (const struct schema *const[]){&context_given, &context_from_file, NULL}};
static const struct schema context_values = {SCHEMA_MAP, .items = &context_value};
static const struct schema context_folders = {SCHEMA_LIST, .items = &file_reference};
static const struct schema context_object = {
	SCHEMA_OBJECT, .name = "values",
	.fields = (const struct schema_field[]){
		{"valueDirectories", &context_folders, .help = "Folders with a file a value"},
		{"values", &context_values, .help = "Values by name"},
		{0}}};
static const struct schema context_text = {SCHEMA_STRING, .name = "text"};
static const struct schema context = {SCHEMA_ONE_OF, .variants = (const struct schema *const[]){
							     &context_text, &context_object, NULL}};

static const struct schema transform_script = {
	SCHEMA_OBJECT, .name = "entryPoint",
	.fields = (const struct schema_field[]){
		{"entryPoint", &entry_point, .required = true, .help = "A script"},
		{"context", &context, .help = "What the script is given besides the message"},
		{0}}};
static const struct schema transform_named = {
	SCHEMA_OBJECT, .name = "transformName",
	.fields = (const struct schema_field[]){
		{"transformName", &schema_text, .required = true, .help = "A built-in transform"},
		{"context", &context, .help = "Its configuration"},
		{0}}};
static const struct schema transform = {
	SCHEMA_ONE_OF,
	.variants = (const struct schema *const[]){&transform_script, &transform_named, NULL}};
const struct schema schema_transforms = {SCHEMA_LIST, .items = &transform, .or_single = true};

static const struct schema basic = {
	SCHEMA_OBJECT,
	.fields = (const struct schema_field[]){{"secretName", &schema_name, .required = true,
						 .help = "Secret with user and password; 'workflow "
							 "configure credentials' makes it"},
						{0}}};
static const struct schema sigv4 = {
	SCHEMA_OBJECT,
	.fields = (const struct schema_field[]){
		{"region", &schema_text, .required = true, .help = "AWS region of the domain"},
		{"service", &schema_text, "\"es\"",
		 .help = "es, or aoss for a serverless collection"},
		{0}}};
static const struct schema mtls = {
	SCHEMA_OBJECT,
	.fields = (const struct schema_field[]){
		{"caCert", &schema_text, .required = true, .help = "Authority of the server"},
		{"clientSecretName", &schema_text, .required = true,
		 .help = "Secret with the client's certificate and key"},
		{0}}};
static const struct schema api_key = {
	SCHEMA_OBJECT,
	.fields = (const struct schema_field[]){
		{"secretName", &schema_name, .required = true, .scope = SCHEMA_ONE_MACHINE,
		 .help = "Secret with the key, as the cluster gave it (base64)"},
		{0}}};

static const struct schema auth_basic = {
	SCHEMA_OBJECT, .name = "basic",
	.fields = (const struct schema_field[]){
		{"basic", &basic, .required = true, .help = "User and password"}, {0}}};
static const struct schema auth_sigv4 = {
	SCHEMA_OBJECT, .name = "sigv4",
	.fields = (const struct schema_field[]){
		{"sigv4", &sigv4, .required = true, .help = "AWS signatures"}, {0}}};
static const struct schema auth_mtls = {
	SCHEMA_OBJECT, .name = "mtls",
	.fields = (const struct schema_field[]){
		{"mtls", &mtls, .required = true, .help = "A certificate of the client"}, {0}}};
static const struct schema auth_api_key = {
	SCHEMA_OBJECT, .name = "apiKey",
	.fields = (const struct schema_field[]){{"apiKey", &api_key, .required = true,
						 .scope = SCHEMA_ONE_MACHINE, .help = "An API key"},
						{0}}};
const struct schema schema_auth = {
	SCHEMA_ONE_OF, .variants = (const struct schema *const[]){&auth_basic, &auth_sigv4,
								  &auth_mtls, &auth_api_key, NULL}};

const struct schema schema_client_auth = {
	SCHEMA_OBJECT,
	.fields = (const struct schema_field[]){
		{"trustedClientCaFile", &file_reference, .help = "Authority of the clients"},
		{"trustedClientCaPem", &schema_text, .help = "The same, as PEM text"},
		{"required", &schema_boolean, "true",
		 .help = "Whether clients without a certificate are refused"},
		{0}}};
