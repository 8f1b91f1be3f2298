#include "cli/common_options.h"

#define GENERAL(member) OPT_FIELD(struct general_fields, member), .category = "General"
#define SOURCE(member) OPT_FIELD(struct repository_fields, member), .category = "Source"
#define TARGET(member) OPT_FIELD(struct target_fields, member), .category = "Target"

/* --json is first: see GENERAL_OPTIONS_WITHOUT_JSON. */
const struct opt general_options[] = {
	{.name = "json",
	 .type = OPT_BOOL,
	 GENERAL(json),
	 .help = "Print one JSON object (for documents: lines) on standard output instead of "
		 "tables."},
	{.name = "verbose",
	 .aliases = "v",
	 .type = OPT_BOOL,
	 GENERAL(verbose),
	 .help = "Log every step on standard error."},
	{.name = "log-format",
	 .type = OPT_CHOICE,
	 GENERAL(log_format),
	 .choices = "text|json",
	 .fallback = "text",
	 .help = "How log lines and errors on standard error look."},
	{.name = "state-dir",
	 .type = OPT_STRING,
	 GENERAL(state_dir),
	 .metavar = "DIR",
	 .help = "Where runs keep what must survive them, failed documents first. Else "
		 "$SHARDLIFT_HOME, /var/lib/shardlift for root, $XDG_STATE_HOME/shardlift."},
	{0},
};

const struct opt repository_options[] = {
	{.name = "from",
	 .type = OPT_STRING,
	 SOURCE(from),
	 .metavar = "REPO-URI#SNAPSHOT",
	 .help = "Short for --repo-uri and --snapshot-name."},
	{.name = "repo-uri",
	 .aliases = "snapshot-local-dir file-system-repo-path s3-repo-uri",
	 .env = "RFS_REPO_URI",
	 .type = OPT_STRING,
	 SOURCE(repo_uri),
	 .metavar = "URI",
	 .help = "The snapshot repository: /path or file:///path of the folder that holds "
		 "index-N, or s3://bucket/prefix, gs://bucket/prefix or "
		 "azure://account/container/prefix."},
	{.name = "snapshot-name",
	 .env = "RFS_SNAPSHOT_NAME",
	 .type = OPT_STRING,
	 SOURCE(snapshot_name),
	 .metavar = "NAME",
	 .help = "The snapshot in the repository; `shardlift snapshot list` tells the names."},
	{0},
};

#define STORE(member) OPT_FIELD(struct blob_store_options, member), .category = "Source"

const struct opt store_options[] = {
	{.name = "s3-endpoint",
	 .aliases = "endpoint",
	 .env = "RFS_S3_ENDPOINT",
	 .type = OPT_STRING,
	 STORE(s3_endpoint),
	 .metavar = "URL",
	 .help = "The S3 server of s3://, such as https://minio:9000; AWS without it."},
	{.name = "s3-region",
	 .env = "RFS_S3_REGION",
	 .type = OPT_STRING,
	 STORE(s3_region),
	 .metavar = "REGION",
	 .help = "The bucket's region. Else AWS_REGION, the profile's, us-east-1."},
	{.name = "s3-path-style",
	 .type = OPT_BOOL,
	 STORE(s3_path_style),
	 .help = "Put the bucket into the path of requests, not into the host's name. So it is "
		 "anyway "
		 "for endpoints that are addresses, and for buckets with a dot."},
	{.name = "s3-profile",
	 .type = OPT_STRING,
	 STORE(s3_profile),
	 .metavar = "NAME",
	 .help = "The profile of ~/.aws that has the credentials. Without it AWS's usual places, "
		 "the "
		 "environment first (docs/stores.md)."},
	{.name = "s3-access-key-id",
	 .type = OPT_STRING,
	 STORE(s3_access_key_id),
	 .metavar = "KEY",
	 .help = "The access key, before all other places."},
	{.name = "s3-secret-access-key",
	 .type = OPT_SECRET,
	 STORE(s3_secret_access_key),
	 .help = "Its secret."},
	{.name = "s3-session-token",
	 .type = OPT_SECRET,
	 STORE(s3_session_token),
	 .help = "Its session token, if it is a temporary one."},
	{.name = "s3-role-arn",
	 .type = OPT_STRING,
	 STORE(s3_role_arn),
	 .metavar = "ARN",
	 .help = "A role to take on with these credentials (STS AssumeRole), renewed ahead of its "
		 "end."},
	{.name = "s3-external-id",
	 .type = OPT_STRING,
	 STORE(s3_external_id),
	 .metavar = "ID",
	 .help = "The external id that the role's trust policy asks for."},
	{.name = "sts-endpoint",
	 .type = OPT_STRING,
	 STORE(sts_endpoint),
	 .metavar = "URL",
	 .help = "The STS server of roles and web identities. Else AWS_ENDPOINT_URL_STS, AWS's own "
		 "of the region."},
	{.name = "s3-cacert",
	 .type = OPT_STRING,
	 STORE(s3_ca_file),
	 .metavar = "FILE",
	 .help = "PEM file of the authority that signed the endpoint's certificate."},
	{.name = "s3-insecure",
	 .type = OPT_BOOL,
	 STORE(s3_insecure),
	 .help = "Do not check the endpoint's certificate and name. For tests."},
	{.name = "s3-request-timeout",
	 .type = OPT_DURATION,
	 STORE(s3_request_timeout_ms),
	 .fallback = "2m",
	 .min = 1,
	 .max = INT32_MAX,
	 .help = "How long to wait for the answer to one request."},
	{.name = "s3-retry-time",
	 .type = OPT_DURATION,
	 STORE(s3_retry_ms),
	 .fallback = "1m",
	 .min = 1,
	 .max = INT32_MAX,
	 .help = "How long a request is tried again when the store is busy or away."},
	{.name = "gcs-endpoint",
	 .type = OPT_STRING,
	 STORE(gcs_endpoint),
	 .metavar = "URL",
	 .help = "The server of gs://; else STORAGE_EMULATOR_HOST, else Google. "
		 "--s3-cacert, "
		 "--s3-insecure, --s3-request-timeout and --s3-retry-time count for it as well."},
	{.name = "gcs-credentials",
	 .type = OPT_STRING,
	 STORE(gcs_credentials),
	 .metavar = "FILE",
	 .help = "JSON file of a service account or of workload identity federation; else "
		 "GOOGLE_APPLICATION_CREDENTIALS, else the metadata server."},
	{.name = "azure-endpoint",
	 .type = OPT_STRING,
	 STORE(azure_endpoint),
	 .metavar = "URL",
	 .help = "The server of azure://, with the account in its path where it is "
		 "an emulator; Azure's own of the account without it. The flags --s3-cacert, "
		 "--s3-insecure, --s3-request-timeout and --s3-retry-time count for it as well."},
	{.name = "azure-account-key",
	 .type = OPT_SECRET,
	 STORE(azure_account_key),
	 .help = "The storage account's key; else AZURE_STORAGE_KEY. Without key, SAS and "
		 "AZURE_STORAGE_CONNECTION_STRING a managed identity is used."},
	{.name = "azure-sas",
	 .type = OPT_SECRET,
	 STORE(azure_sas),
	 .help = "A shared access signature instead of the key; else AZURE_STORAGE_SAS_TOKEN."},
	{0},
};

const struct opt target_options[] = {
	{.name = "to",
	 .type = OPT_STRING,
	 TARGET(to),
	 .metavar = "TARGET",
	 .help = "Short for --target-host."},
	{.name = "target-host",
	 .env = "RFS_TARGET_HOST",
	 .type = OPT_STRING,
	 TARGET(host),
	 .metavar = "TARGET",
	 .help = "Where the documents go: the URL of a cluster, dir:PATH (or file:PATH) for files "
		 "of bulk lines PATH/<index>/<shard>-<n>.ndjson, or null: to measure reading "
		 "alone."},
	{.name = "target-username",
	 .env = "TARGET_USERNAME",
	 .type = OPT_STRING,
	 TARGET(username),
	 .metavar = "USER",
	 .help = "User for basic authentication."},
	{.name = "target-password",
	 .env = "TARGET_PASSWORD",
	 .type = OPT_SECRET,
	 TARGET(password),
	 .help = "Its password. Better in a file or in the variable: arguments are seen by every "
		 "user of the machine."},
	{.name = "target-api-key",
	 .type = OPT_SECRET,
	 TARGET(api_key),
	 .help = "API key, base64 of id:key, instead of user and password."},
	{.name = "target-cacert",
	 .env = "RFS_TARGET_CACERT",
	 .type = OPT_STRING,
	 TARGET(cacert),
	 .metavar = "FILE",
	 .help = "PEM file of the authority that signed the target's certificate; without it the "
		 "system's authorities."},
	{.name = "target-client-cert",
	 .env = "RFS_TARGET_CLIENT_CERT",
	 .type = OPT_STRING,
	 TARGET(client_cert),
	 .metavar = "FILE",
	 .help = "PEM file of our own certificate, for targets that ask for one."},
	{.name = "target-client-cert-key",
	 .env = "RFS_TARGET_CLIENT_CERT_KEY",
	 .type = OPT_STRING,
	 TARGET(client_cert_key),
	 .metavar = "FILE",
	 .help = "PEM file of its key."},
	{.name = "target-aws-region",
	 .env = "TARGET_AWS_REGION",
	 .type = OPT_STRING,
	 TARGET(aws_region),
	 .metavar = "REGION",
	 .help = "Sign requests to the target for this region of AWS (SigV4), by the credentials "
		 "of "
		 "AWS's usual places, instead of a user."},
	{.name = "target-aws-service-signing-name",
	 .env = "TARGET_AWS_SERVICE_SIGNING_NAME",
	 .type = OPT_STRING,
	 TARGET(aws_service),
	 .metavar = "es|aoss",
	 .help = "The service that is signed for: es for a domain (the default), aoss for a "
		 "serverless collection."},
	{.name = "target-insecure",
	 .env = "RFS_TARGET_INSECURE",
	 .type = OPT_BOOL,
	 TARGET(insecure),
	 .help = "Do not check the target's certificate and name. For tests."},
	{.name = "disable-compression",
	 .env = "RFS_DISABLE_COMPRESSION",
	 .type = OPT_BOOL,
	 TARGET(disable_compression),
	 .help = "Send bulks as they are. They are sent gzip otherwise, except to this machine."},
	{.name = "target-gzip-answers",
	 .type = OPT_BOOL,
	 TARGET(gzip_answers),
	 .help = "Have the target pack its answers: for a slow network. Its processors pay for "
		 "it."},
	{.name = "target-connect-timeout",
	 .type = OPT_DURATION,
	 TARGET(connect_timeout_ms),
	 .fallback = "10s",
	 .min = 1,
	 .max = INT32_MAX,
	 .help = "How long to wait for a connection."},
	{.name = "target-request-timeout",
	 .type = OPT_DURATION,
	 TARGET(request_timeout_ms),
	 .fallback = "2m",
	 .min = 1,
	 .max = INT32_MAX,
	 .help = "How long to wait for the answer to one request."},
	{.name = "target-retry-time",
	 .type = OPT_DURATION,
	 TARGET(retry_ms),
	 .fallback = "10m",
	 .help = "How long a target that is away or busy (429, 503) is asked again before the run "
		 "ends."},
	{0},
};

static int resolve_from(struct repository_fields *fields, struct arena *mem, struct err *err)
{
	struct str uri, snapshot;

	if (fields->repo_uri || fields->snapshot_name)
		return err_set(err, ERR_USAGE,
			       "--from is short for --repo-uri and --snapshot-name; give either");
	if (str_split(str_from(fields->from), '#', &uri, &snapshot)) {
		if (snapshot.len == 0)
			return err_set(err, ERR_USAGE, "--from '%s' names no snapshot after '#'",
				       fields->from);
		fields->snapshot_name = snapshot.ptr; /* runs to the end of the argument */
	}
	fields->repo_uri = arena_str(mem, uri).ptr;
	return fields->repo_uri ? 0 : arena_fail(mem, "--from", err);
}

int repository_fields_resolve(struct repository_fields *fields, bool needs_snapshot,
			      struct arena *mem, struct err *err)
{
	if (fields->from && resolve_from(fields, mem, err) < 0)
		return -(int)err->kind;
	if (!fields->repo_uri || !*fields->repo_uri)
		return err_set(err, ERR_USAGE,
			       "which repository? Give --repo-uri, such as --repo-uri /backups");
	if (needs_snapshot && (!fields->snapshot_name || !*fields->snapshot_name))
		return err_set(err, ERR_USAGE,
			       "which snapshot? Give --snapshot-name; `shardlift snapshot list "
			       "--repo-uri %s` tells the names",
			       fields->repo_uri);
	return 0;
}

static int check_credentials(const struct target_fields *fields, struct err *err)
{
	if (!fields->username != !fields->password)
		return err_set(err, ERR_USAGE, "--target-%s needs --target-%s too",
			       fields->username ? "username" : "password",
			       fields->username ? "password (or --target-password-file)"
						: "username");
	if (fields->username && fields->api_key)
		return err_set(err, ERR_USAGE,
			       "--target-username and --target-api-key do not go together");
	if (fields->aws_service && !fields->aws_region)
		return err_set(err, ERR_USAGE,
			       "--target-aws-service-signing-name needs --target-aws-region too");
	if (!fields->client_cert != !fields->client_cert_key)
		return err_set(err, ERR_USAGE,
			       "--target-client-cert and --target-client-cert-key need each other");
	return 0;
}

/* The path behind "dir:" or "file:" (also "file:///path"); NULL for other targets. */
static const char *files_path(const char *host)
{
	struct str target = str_from(host);

	if (str_starts(target, STR("dir:")))
		return host + 4;
	if (!str_starts(target, STR("file:")))
		return NULL;
	return str_starts(target, STR("file:///")) ? host + 7 : host + 5;
}

int target_fields_resolve(struct target_fields *fields, enum target_kind *kind, const char **path,
			  struct err *err)
{
	*path = NULL;
	if (fields->to && fields->host)
		return err_set(err, ERR_USAGE, "--to is short for --target-host; give either");
	if (fields->to)
		fields->host = fields->to;
	if (!fields->host || !*fields->host)
		return err_set(err, ERR_USAGE,
			       "where to? Give --target-host, such as https://host:9200, dir:PATH "
			       "or null:");
	if (str_is(str_from(fields->host), "null:")) {
		*kind = TARGET_NULL;
		return 0;
	}
	*path = files_path(fields->host);
	if (*path && !**path)
		return err_set(err, ERR_USAGE, "--target-host '%s' names no folder", fields->host);
	if (str_starts(str_from(fields->host), STR("profile:")))
		return err_set(err, ERR_USAGE, "--target-host '%s': there are no profiles yet",
			       fields->host);
	*kind = *path ? TARGET_FILES : TARGET_CLUSTER;
	return *kind == TARGET_CLUSTER ? check_credentials(fields, err) : 0;
}

struct http_options target_http_options(const struct target_fields *fields)
{
	return (struct http_options){
		.host = fields->host,
		.username = fields->username,
		.password = fields->password,
		.api_key = fields->api_key,
		.ca_file = fields->cacert,
		.client_cert = fields->client_cert,
		.client_key = fields->client_cert_key,
		.aws_region = fields->aws_region,
		.aws_service = fields->aws_service,
		.insecure = fields->insecure,
		.gzip_answers = fields->gzip_answers,
		.connect_timeout_ms = fields->connect_timeout_ms,
		.request_timeout_ms = fields->request_timeout_ms,
	};
}
