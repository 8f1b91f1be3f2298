#include "net/aws_credentials_internal.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/small_file.h"
#include "net/http_client.h"
#include "net/xml_element.h"

#include <time.h>

#define CONTAINER_HOST "http://169.254.170.2:80"
#define INSTANCE_HOST "http://169.254.169.254:80"
#define INSTANCE_PATH "/latest/meta-data/iam/security-credentials/"
/* Nobody answers at these addresses outside of AWS. */
#define CONNECT_MS 1000
#define ANSWER_MS 10000
#define STS_MS 30000
#define TRIES 3

static void freep(struct http_client **client)
{
	http_client_free(*client);
}

/* Splits "http://host/path" into an address with a port, as the client wants it, and its path. */
static int split_url(const char *url, struct arena *mem, const char **host, const char **path,
		     struct err *err)
{
	const char *at = strstr(url, "://"), *slash;
	struct str authority;

	if (!at)
		return err_set(err, ERR_AUTH,
			       "'%s', where AWS credentials should be, is no http:// or https:// "
			       "URL; check the AWS_ variables",
			       url);
	slash = strchr(at + 3, '/');
	authority = slash ? str_of(url, (size_t)(slash - url)) : str_from(url);
	*path = slash ? slash : "/";
	if (strrchr(at + 1, ':') && strrchr(at + 1, ':') < (slash ? slash : at + strlen(at)))
		*host = arena_str(mem, authority).ptr;
	else
		*host = arena_printf(mem, STR_FMT ":%d", STR_ARG(authority),
				     url[4] == 's' ? 443 : 80)
				.ptr;
	return *host ? 0 : arena_fail(mem, "a URL", err);
}

struct call {
	const char *host, *method, *path, *header; /* header: NULL: none */
	struct str body;
	const char *what; /* for messages */
};

/* The answer's text in the arena. ERR_AUTH for a status that is no 200; http_status says it. */
static int call_once(const struct call *call, struct arena *mem, struct str *out, struct err *err)
{
	const struct http_options options = {
		.host = call->host,
		.flag_prefix = "--s3-",
		.connect_timeout_ms = CONNECT_MS * (call->body.len ? 10 : 1),
		.request_timeout_ms = call->body.len ? STS_MS : ANSWER_MS};
	const struct http_request request = {
		.method = call->method,
		.path = call->path,
		.headers = &call->header,
		.header_count = call->header ? 1 : 0,
		.content_type = "application/x-www-form-urlencoded",
		.body = call->body,
		.as_it_is = true,
	};
	cleanup(http_response_release) struct http_response response = {
		.body = {.limit = AWS_DOCUMENT_MAX}};
	cleanup(freep) struct http_client *client = NULL;
	int rc = http_client_new(&options, &client, err);

	if (rc == 0)
		rc = http_client_send(client, &request, &response, err);
	if (rc < 0)
		return rc;
	*out = arena_str(mem, buf_str(&response.body));
	if (!out->ptr)
		return arena_fail(mem, call->what, err);
	if (response.status == 200)
		return 0;
	err_set(err, ERR_AUTH, "%s at %s answers %d instead of AWS credentials", call->what,
		call->host, response.status);
	if (err) {
		err->http_status = response.status;
		err->retry = response.status >= 500 || response.status == 429;
	}
	return -ERR_AUTH;
}

static int call_endpoint(const struct call *call, struct arena *mem, struct str *out,
			 struct err *err)
{
	struct err last = {0};
	int rc = 0;

	for (int i = 0; i < TRIES; i++) {
		rc = call_once(call, mem, out, &last);
		if (rc == 0 || !last.retry)
			break;
	}
	if (rc < 0 && err)
		*err = last;
	return rc;
}

/* "2026-11-22T07:19:00Z"; 0: no such text. */
static int64_t parse_date(struct str text)
{
	struct arena mem = ARENA_INIT(KIB(1));
	const char *copy = arena_str(&mem, text).ptr;
	struct tm parts = {0};
	int64_t ms = 0;

	if (copy && strptime(copy, "%Y-%m-%dT%H:%M:%S", &parts))
		ms = (int64_t)timegm(&parts) * 1000;
	arena_release(&mem);
	return ms;
}

static const char *copy_member(const struct json *answer, const char *name, struct arena *mem)
{
	struct str text = json_string(json_get(answer, name));

	return text.len > 0 ? arena_str(mem, text).ptr : NULL;
}

/* What the container's endpoint and the instance's metadata answer. */
static int read_json(struct str text, const char *what, struct arena *mem,
		     struct aws_key_found *out, struct err *err)
{
	struct json *answer;

	if (json_parse(text, mem, &answer, err) < 0)
		return err_wrap(err, "%s", what);
	out->key = (struct sigv4_key){copy_member(answer, "AccessKeyId", mem),
				      copy_member(answer, "SecretAccessKey", mem),
				      copy_member(answer, "Token", mem)};
	out->expires_ms = parse_date(json_string(json_get(answer, "Expiration")));
	out->origin = what;
	if (!out->key.access_key_id || !out->key.secret_access_key)
		return err_set(err, ERR_AUTH,
			       "%s answers without AccessKeyId and SecretAccessKey; check the role "
			       "that this machine has",
			       what);
	return 1;
}

/* A token in a file, without the line break at its end. */
static int read_token(const char *path, struct arena *mem, const char **out, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_SECRET);
	int rc = small_file_read(path, &text, err);

	if (rc == 0)
		return err_set(err, ERR_AUTH, "the file '%s' of an AWS token is not there", path);
	if (rc < 0)
		return rc;
	while (text.len > 0 && (unsigned char)text.ptr[text.len - 1] <= ' ')
		text.len--;
	*out = arena_str(mem, buf_str(&text)).ptr;
	return *out ? 0 : arena_fail(mem, "a token", err);
}

int aws_credentials_of_container(const struct aws_credentials_options *options, struct arena *mem,
				 struct aws_key_found *out, struct err *err)
{
	const char *relative = aws_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = aws_variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	const char *file = aws_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *token = aws_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	struct call call = {.host = CONTAINER_HOST,
			    .method = "GET",
			    .path = relative,
			    .what = "the container's credentials endpoint"};
	struct str text;

	(void)options;
	if (!relative && !full)
		return 0;
	if (!relative && split_url(full, mem, &call.host, &call.path, err) < 0)
		return -(int)ERR_AUTH;
	if (file && read_token(file, mem, &token, err) < 0)
		return -(int)ERR_AUTH;
	if (token)
		call.header = arena_printf(mem, "Authorization: %s", token).ptr;
	if (call_endpoint(&call, mem, &text, err) < 0)
		return err_wrap(err, "AWS credentials of the container");
	return read_json(text, call.what, mem, out, err);
}

/* The session token of IMDSv2. 0: nobody answers, this is no such machine. */
static int instance_session(const char *host, struct arena *mem, const char **header,
			    struct err *err)
{
	const struct call call = {.host = host,
				  .method = "PUT",
				  .path = "/latest/api/token",
				  .header = "X-aws-ec2-metadata-token-ttl-seconds: 21600",
				  .what = "the instance's metadata service"};
	struct err why = {0};
	struct str token;
	int rc = call_once(&call, mem, &token, &why);

	if (rc < 0 && why.http_status == 0)
		return 0;
	if (rc < 0 && err)
		*err = why;
	if (rc < 0)
		return rc;
	*header = arena_printf(mem, "X-aws-ec2-metadata-token: " STR_FMT, STR_ARG(token)).ptr;
	return *header ? 1 : arena_fail(mem, "a token", err);
}

int aws_credentials_of_instance(const struct aws_credentials_options *options, struct arena *mem,
				struct aws_key_found *out, struct err *err)
{
	const char *disabled = aws_variable("AWS_EC2_METADATA_DISABLED");
	const char *given = aws_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT"), *path;
	struct call call = {.host = INSTANCE_HOST,
			    .method = "GET",
			    .path = INSTANCE_PATH,
			    .what = "the instance's metadata service"};
	struct str role, text;
	int rc;

	(void)options;
	if (disabled && strcmp(disabled, "true") == 0)
		return 0;
	if (given && split_url(given, mem, &call.host, &path, err) < 0)
		return -(int)ERR_AUTH;
	rc = instance_session(call.host, mem, &call.header, err);
	if (rc <= 0)
		return rc;
	if (call_endpoint(&call, mem, &role, err) < 0)
		return err && err->http_status == 404 ? 0 : err_wrap(err, "the instance's role");
	if (!str_split(role, '\n', &role, &text))
		text = STR_NONE;
	call.path = arena_printf(mem, INSTANCE_PATH STR_FMT, STR_ARG(role)).ptr;
	if (!call.path || call_endpoint(&call, mem, &text, err) < 0)
		return err_wrap(err, "AWS credentials of the instance");
	return read_json(text, call.what, mem, out, err);
}

static const char *element(struct str xml, const char *name, struct arena *mem)
{
	struct str text = xml_element(xml, name, NULL);

	return text.len > 0 ? xml_text(text, mem).ptr : NULL;
}

static int sts_host(const struct aws_credentials_options *options, struct arena *mem,
		    const char **host, const char **path, struct err *err)
{
	const char *given = aws_variable("AWS_ENDPOINT_URL_STS");
	const char *region = aws_region(options->region, options->profile, mem);

	*path = "/";
	if (given)
		return split_url(given, mem, host, path, err);
	if (!region)
		*host = "https://sts.amazonaws.com";
	else
		*host = arena_printf(mem, "https://sts.%s.amazonaws.com%s", region,
				     strncmp(region, "cn-", 3) == 0 ? ".cn" : "")
				.ptr;
	return *host ? 0 : arena_fail(mem, "a URL", err);
}

int aws_credentials_of_web_identity(const struct aws_credentials_options *options,
				    struct arena *mem, struct aws_key_found *out, struct err *err)
{
	cleanup(buf_release) struct buf body = BUF_INIT(4 * LIMIT_SECRET);
	const char *file = aws_variable("AWS_WEB_IDENTITY_TOKEN_FILE"), *token;
	const char *role = aws_variable("AWS_ROLE_ARN");
	const char *session = aws_variable("AWS_ROLE_SESSION_NAME");
	struct call call = {.method = "POST", .what = "STS"};
	struct str xml = STR_NONE;

	if (!file || !role || options->profile)
		return 0;
	if (read_token(file, mem, &token, err) < 0 ||
	    sts_host(options, mem, &call.host, &call.path, err) < 0)
		return err_wrap(err, "AWS web identity");
	buf_append_str(&body, STR("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn="));
	http_append_encoded(&body, str_from(role));
	buf_append_str(&body, STR("&RoleSessionName="));
	http_append_encoded(&body, str_from(session ? session : "shardlift"));
	buf_append_str(&body, STR("&WebIdentityToken="));
	http_append_encoded(&body, str_from(token));
	call.body = buf_str(&body);
	if (call_endpoint(&call, mem, &xml, err) < 0) {
		const char *reason = element(xml, "Message", mem);

		return err_wrap(err, "AWS web identity (role %s%s%s)", role, reason ? ": " : "",
				reason ? reason : "");
	}
	out->key = (struct sigv4_key){element(xml, "AccessKeyId", mem),
				      element(xml, "SecretAccessKey", mem),
				      element(xml, "SessionToken", mem)};
	out->expires_ms = parse_date(xml_element(xml, "Expiration", NULL));
	out->origin = "web identity";
	if (!out->key.access_key_id || !out->key.secret_access_key)
		return err_set(err, ERR_AUTH, "STS at %s answers without credentials", call.host);
	return 1;
}
