/* The Security Token Service: its answers are XML, its requests forms, signed where there is a key.
 *
 * Source: AWS Security Token Service API reference, version 2011-06-15. */
#include "base/clock.h"
#include "net/aws_call.h"
#include "net/aws_credentials_internal.h"
#include "net/http_client.h"
#include "net/xml_element.h"

#define FORM_MAX (4 * LIMIT_SECRET)

static const char *element(struct str xml, const char *name, struct arena *mem)
{
	struct str text = xml_element(xml, name, NULL);

	return text.len > 0 ? xml_text(text, mem).ptr : NULL;
}

static int sts_host(const struct aws_credentials_options *options, const char *region,
		    struct arena *mem, struct aws_call *call, struct err *err)
{
	const char *given = options->sts_endpoint;
	struct str url;

	if (!given || !*given)
		given = aws_variable("AWS_ENDPOINT_URL_STS");
	if (given)
		return aws_split_url(given, mem, &call->host, &call->path, err);
	url = arena_printf(mem, "https://sts.%s.amazonaws.com%s", region,
			   strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
	return url.ptr ? aws_split_url(url.ptr, mem, &call->host, &call->path, err)
		       : arena_fail(mem, "a URL", err);
}

/* The Host header: the address without its scheme, and without a port that is the scheme's. */
static const char *host_header(const char *address, struct arena *mem)
{
	struct str host = str_from(strstr(address, "://") + 3);
	struct str port = address[4] == 's' ? STR(":443") : STR(":80");

	if (str_ends(host, port))
		host.len -= port.len;
	return arena_str(mem, host).ptr;
}

static int sign(struct aws_call *call, const struct sigv4_key *key, const char *region,
		struct arena *mem, struct sigv4_lines *lines, struct err *err)
{
	struct sigv4_request request = {
		.method = call->method,
		.host = host_header(call->host, mem),
		.target = str_from(call->path),
		.body = call->body,
		.region = region,
		.service = "sts",
		.wall_ms = clock_wall_ms(),
	};
	int rc = request.host ? sigv4_sign(&request, key, mem, lines, err)
			      : arena_fail(mem, "a request to STS", err);

	call->headers = lines->line;
	call->header_count = lines->count;
	return rc;
}

/* What STS says against it, with the next step. */
static int refused(struct str xml, const char *what, struct arena *mem, struct err *err)
{
	const char *code = element(xml, "Code", mem), *message = element(xml, "Message", mem);
	const char *advice = "";

	if (!code)
		return err_wrap(err, "%s%s%s", what, message ? ": " : "", message ? message : "");
	if (strcmp(code, "AccessDenied") == 0)
		advice = "; allow it in the role's trust policy and in the caller's permissions";
	else if (strncmp(code, "ExpiredToken", 12) == 0)
		advice = "; fetch new credentials";
	else if (strcmp(code, "SignatureDoesNotMatch") == 0)
		advice = "; check the secret access key, and this machine's clock";
	else if (strcmp(code, "InvalidClientTokenId") == 0)
		advice = "; check the access key and --sts-endpoint";
	err_set(err, ERR_AUTH, "%s: STS answers %s%s%s%s", what, code, message ? ", " : "",
		message ? message : "", advice);
	return -ERR_AUTH;
}

/* Sends `form`, signed with `key` unless that is NULL; the answer's text. */
static int ask(const struct aws_credentials_options *options, struct buf *form,
	       const struct sigv4_key *key, const char *what, struct arena *mem, struct str *xml,
	       struct err *err)
{
	const char *region = aws_region(options->region, options->profile, mem);
	struct aws_call call = {.method = "POST", .what = "STS"};
	struct sigv4_lines lines = {0};

	if (!region)
		region = "us-east-1";
	*xml = STR_NONE;
	call.body = buf_str(form);
	if (buf_check(form, what, err) < 0 || sts_host(options, region, mem, &call, err) < 0 ||
	    (key && sign(&call, key, region, mem, &lines, err) < 0))
		return err_wrap(err, "%s", what);
	return aws_call_endpoint(&call, mem, xml, err) < 0 ? refused(*xml, what, mem, err) : 0;
}

static void append_field(struct buf *form, const char *name, const char *value)
{
	buf_printf(form, "&%s=", name);
	http_append_encoded(form, str_from(value));
}

static struct buf role_form(const char *action, const char *role)
{
	const char *session = aws_variable("AWS_ROLE_SESSION_NAME");
	struct buf form = BUF_INIT(FORM_MAX);

	buf_printf(&form, "Action=%s&Version=2011-06-15", action);
	append_field(&form, "RoleArn", role);
	append_field(&form, "RoleSessionName", session ? session : "shardlift");
	return form;
}

static int read_credentials(struct str xml, const char *what, struct arena *mem,
			    struct aws_key_found *out, struct err *err)
{
	out->key = (struct sigv4_key){element(xml, "AccessKeyId", mem),
				      element(xml, "SecretAccessKey", mem),
				      element(xml, "SessionToken", mem)};
	out->expires_ms = aws_date(xml_element(xml, "Expiration", NULL));
	if (!out->key.access_key_id || !out->key.secret_access_key)
		return err_set(err, ERR_AUTH,
			       "%s: STS answers without credentials; check --sts-endpoint", what);
	return 1;
}

int aws_credentials_of_web_identity(const struct aws_credentials_options *options,
				    struct arena *mem, struct aws_key_found *out, struct err *err)
{
	cleanup(buf_release) struct buf form = BUF_INIT(FORM_MAX);
	const char *file = aws_variable("AWS_WEB_IDENTITY_TOKEN_FILE"), *token, *what;
	const char *role = aws_variable("AWS_ROLE_ARN");
	struct str xml;

	if (!file || !role)
		return aws_none_here(
			err, "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN are not both set");
	if (options->profile)
		return aws_none_here(err, "a profile is asked for");
	what = arena_printf(mem, "AWS web identity (role %s)", role).ptr;
	if (!what)
		return arena_fail(mem, "AWS web identity", err);
	if (aws_read_token(file, mem, &token, err) < 0)
		return err_wrap(err, "%s", what);
	form = role_form("AssumeRoleWithWebIdentity", role);
	append_field(&form, "WebIdentityToken", token);
	if (ask(options, &form, NULL, what, mem, &xml, err) < 0)
		return -(int)err->kind;
	out->origin = "web identity";
	return read_credentials(xml, what, mem, out, err);
}

int aws_credentials_assume_role(const struct aws_credentials_options *options,
				const struct aws_key_found *with, struct arena *mem,
				struct aws_key_found *out, struct err *err)
{
	cleanup(buf_release) struct buf form = role_form("AssumeRole", options->role_arn);
	const char *what = arena_printf(mem, "role %s, with credentials from %s", options->role_arn,
					with->origin)
				   .ptr;
	struct str xml;

	if (options->external_id && *options->external_id)
		append_field(&form, "ExternalId", options->external_id);
	if (!what)
		return arena_fail(mem, "a role", err);
	if (ask(options, &form, &with->key, what, mem, &xml, err) < 0)
		return -(int)err->kind;
	out->origin = what;
	return read_credentials(xml, what, mem, out, err);
}

int aws_caller_identity(const struct aws_credentials_options *options,
			const struct aws_key_found *found, struct arena *mem, const char **account,
			const char **arn, struct err *err)
{
	cleanup(buf_release) struct buf form = BUF_INIT(FORM_MAX);
	struct str xml;

	buf_append_str(&form, STR("Action=GetCallerIdentity&Version=2011-06-15"));
	if (ask(options, &form, &found->key, "AWS identity", mem, &xml, err) < 0)
		return -(int)err->kind;
	*account = element(xml, "Account", mem);
	*arn = element(xml, "Arn", mem);
	if (!*account || !*arn)
		return err_set(err, ERR_AUTH,
			       "AWS identity: STS answers without account and ARN; check "
			       "--sts-endpoint");
	return 0;
}
