#include "cli/source_options.h"

#include "net/url.h"

#define SOURCE(member) OPT_FIELD(struct source_fields, member), .category = "Source cluster"

const struct opt source_options[] = {
	{.name = "source-host",
	 .env = "SOURCE_HOST",
	 .type = OPT_STRING,
	 SOURCE(host),
	 .metavar = "URL",
	 .help = "The URL of the cluster to read from, instead of a snapshot; --from URL is short "
		 "for it."},
	{.name = "source-username",
	 .env = "SOURCE_USERNAME",
	 .type = OPT_STRING,
	 SOURCE(username),
	 .metavar = "USER",
	 .help = "User for basic authentication."},
	{.name = "source-password",
	 .env = "SOURCE_PASSWORD",
	 .type = OPT_SECRET,
	 SOURCE(password),
	 .help = "Its password. Better in a file or in the variable: arguments are seen by every "
		 "user of the machine."},
	{.name = "source-api-key",
	 .type = OPT_SECRET,
	 SOURCE(api_key),
	 .help = "API key, base64 of id:key, instead of user and password."},
	{.name = "source-cacert",
	 .type = OPT_STRING,
	 SOURCE(cacert),
	 .metavar = "FILE",
	 .help = "PEM file of the authority that signed the source's certificate."},
	{.name = "source-client-cert",
	 .type = OPT_STRING,
	 SOURCE(client_cert),
	 .metavar = "FILE",
	 .help = "PEM file of our own certificate, for sources that ask for one."},
	{.name = "source-client-cert-key",
	 .type = OPT_STRING,
	 SOURCE(client_cert_key),
	 .metavar = "FILE",
	 .help = "PEM file of its key."},
	{.name = "source-aws-region",
	 .env = "SOURCE_AWS_REGION",
	 .type = OPT_STRING,
	 SOURCE(aws_region),
	 .metavar = "REGION",
	 .help = "Sign requests to the source for this region of AWS (SigV4), by the credentials "
		 "of "
		 "AWS's usual places, instead of a user."},
	{.name = "source-aws-service-signing-name",
	 .env = "SOURCE_AWS_SERVICE_SIGNING_NAME",
	 .type = OPT_STRING,
	 SOURCE(aws_service),
	 .metavar = "es|aoss",
	 .help = "The service that is signed for: es for a domain (the default), aoss for a "
		 "serverless collection."},
	{.name = "source-insecure",
	 .type = OPT_BOOL,
	 SOURCE(insecure),
	 .help = "Do not check the source's certificate and name. For tests."},
	{.name = "source-gzip-answers",
	 .type = OPT_BOOL,
	 SOURCE(gzip_answers),
	 .help = "Have the source pack its answers: for a slow network. Its processors pay for "
		 "it."},
	{.name = "source-connect-timeout",
	 .type = OPT_DURATION,
	 SOURCE(connect_timeout_ms),
	 .fallback = "10s",
	 .min = 1,
	 .max = INT32_MAX,
	 .help = "How long to wait for a connection."},
	{.name = "source-request-timeout",
	 .type = OPT_DURATION,
	 SOURCE(request_timeout_ms),
	 .fallback = "2m",
	 .min = 1,
	 .max = INT32_MAX,
	 .help = "How long to wait for the answer to one request."},
	{.name = "source-retry-time",
	 .type = OPT_DURATION,
	 SOURCE(retry_ms),
	 .fallback = "10m",
	 .help = "How long a source that is away or busy is asked again before the run ends."},
	{0},
};

static bool is_url(const char *text)
{
	return text && (str_starts(str_from(text), STR("http://")) ||
			str_starts(str_from(text), STR("https://")));
}

static int check_credentials(const struct source_fields *fields, struct err *err)
{
	if (!fields->username != !fields->password)
		return err_set(err, ERR_USAGE, "--source-%s needs --source-%s too",
			       fields->username ? "username" : "password",
			       fields->username ? "password (or --source-password-file)"
						: "username");
	if (fields->username && fields->api_key)
		return err_set(err, ERR_USAGE,
			       "--source-username and --source-api-key do not go together");
	if (fields->aws_service && !fields->aws_region)
		return err_set(err, ERR_USAGE,
			       "--source-aws-service-signing-name needs --source-aws-region too");
	if (!fields->client_cert != !fields->client_cert_key)
		return err_set(err, ERR_USAGE,
			       "--source-client-cert and --source-client-cert-key need each other");
	return 0;
}

int source_fields_resolve(struct source_fields *source, struct repository_fields *repository,
			  enum source_origin *origin, struct arena *mem, struct err *err)
{
	if (is_url(repository->from)) {
		if (source->host)
			return err_set(err, ERR_USAGE,
				       "--from is short for --source-host; give either");
		source->host = repository->from;
		repository->from = NULL;
	}
	if (!source->host || !*source->host) {
		*origin = SOURCE_SNAPSHOT;
		if (!repository->from && !repository->repo_uri)
			return err_set(err, ERR_USAGE,
				       "from where? Give --from REPO-URI#SNAPSHOT or --from URL");
		return repository_fields_resolve(repository, true, mem, err);
	}
	if (repository->from || repository->repo_uri)
		return err_set(
			err, ERR_USAGE,
			"both a cluster and a snapshot are given as the source; give either");
	*origin = SOURCE_CLUSTER;
	return check_credentials(source, err);
}

struct http_options source_http_options(const struct source_fields *fields)
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
		.flag_prefix = "--source-",
	};
}

const char *public_url(const char *text, struct arena *mem)
{
	struct url url;
	struct str shown = STR_NONE;

	if (url_parse(text, mem, &url, NULL) == 0)
		shown = url_without_secrets(&url, mem);
	return shown.ptr ? shown.ptr : "(no URL)";
}

static int connect_within(const struct http_options *options, int64_t retry_ms,
			  struct cluster **out, struct err *err)
{
	const struct cluster_retry retry = {
		.initial_delay_ms = 1000,
		.max_delay_ms = 60000,
		.max_total_ms = retry_ms,
	};

	return cluster_connect(options, &retry, out, err);
}

int source_connect(const struct source_fields *fields, struct cluster **out, struct err *err)
{
	struct http_options options = source_http_options(fields);

	return connect_within(&options, fields->retry_ms, out, err);
}

int target_connect(const struct target_fields *fields, struct cluster **out, struct err *err)
{
	struct http_options options = target_http_options(fields);

	return connect_within(&options, fields->retry_ms, out, err);
}
