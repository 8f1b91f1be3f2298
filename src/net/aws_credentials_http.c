#include "net/aws_credentials_internal.h"

#include "base/json.h"
#include "net/aws_call.h"

#define CONTAINER_HOST "http://169.254.170.2:80"
#define INSTANCE_HOST "http://169.254.169.254:80"
#define INSTANCE_PATH "/latest/meta-data/iam/security-credentials/"

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
	out->expires_ms = aws_date(json_string(json_get(answer, "Expiration")));
	out->origin = what;
	if (!out->key.access_key_id || !out->key.secret_access_key)
		return err_set(err, ERR_AUTH,
			       "%s answers without AccessKeyId and SecretAccessKey; check the role "
			       "that this machine has",
			       what);
	return 1;
}

int aws_credentials_of_container(const struct aws_credentials_options *options, struct arena *mem,
				 struct aws_key_found *out, struct err *err)
{
	const char *relative = aws_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = aws_variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	const char *file = aws_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *token = aws_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	struct aws_call call = {.host = CONTAINER_HOST,
				.method = "GET",
				.path = relative,
				.what = "the container's credentials endpoint"};
	const char *header = NULL;
	struct str text;

	(void)options;
	if (!relative && !full)
		return aws_none_here(err,
				     "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are "
				     "not set");
	if (!relative && aws_split_url(full, mem, &call.host, &call.path, err) < 0)
		return -(int)ERR_AUTH;
	if (file && aws_read_token(file, mem, &token, err) < 0)
		return -(int)ERR_AUTH;
	if (token)
		header = arena_printf(mem, "Authorization: %s", token).ptr;
	if (header) {
		call.headers = &header;
		call.header_count = 1;
	}
	if (aws_call_endpoint(&call, mem, &text, err) < 0)
		return err_wrap(err, "AWS credentials of the container");
	return read_json(text, call.what, mem, out, err);
}

/* The session token of IMDSv2. 0: nobody answers, this is no such machine. */
static int instance_session(const char *host, struct arena *mem, const char **header,
			    struct err *err)
{
	static const char *const lifetime = "X-aws-ec2-metadata-token-ttl-seconds: 21600";
	const struct aws_call call = {.host = host,
				      .method = "PUT",
				      .path = "/latest/api/token",
				      .headers = &lifetime,
				      .header_count = 1,
				      .what = "the instance's metadata service"};
	struct err why = {0};
	struct str token;
	int rc = aws_call_once(&call, mem, &token, &why);

	if (rc < 0 && why.http_status == 0)
		return aws_none_here(err, "nobody answers at the instance's metadata service");
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
	struct aws_call call = {.host = INSTANCE_HOST,
				.method = "GET",
				.path = INSTANCE_PATH,
				.what = "the instance's metadata service"};
	const char *header;
	struct str role, text;
	int rc;

	(void)options;
	if (disabled && strcmp(disabled, "true") == 0)
		return aws_none_here(err, "AWS_EC2_METADATA_DISABLED is true");
	if (given && aws_split_url(given, mem, &call.host, &path, err) < 0)
		return -(int)ERR_AUTH;
	rc = instance_session(call.host, mem, &header, err);
	if (rc <= 0)
		return rc;
	call.headers = &header;
	call.header_count = 1;
	if (aws_call_endpoint(&call, mem, &role, err) < 0)
		return err->http_status == 404 ? aws_none_here(err, "the instance has no role")
					       : err_wrap(err, "the instance's role");
	if (!str_split(role, '\n', &role, &text))
		text = STR_NONE;
	call.path = arena_printf(mem, INSTANCE_PATH STR_FMT, STR_ARG(role)).ptr;
	if (!call.path || aws_call_endpoint(&call, mem, &text, err) < 0)
		return err_wrap(err, "AWS credentials of the instance");
	return read_json(text, call.what, mem, out, err);
}
