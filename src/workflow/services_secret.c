/* Users and passwords that services.yaml only names. */
#include "base/json.h"
#include "base/limits.h"
#include "workflow/secrets.h"
#include "workflow/services.h"

#include <stdlib.h>

/* The fourth part of "arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME"; empty: no ARN. */
static struct str region_of(struct str arn)
{
	struct str part = STR_NONE, rest = arn;

	for (size_t i = 0; i < 4; i++)
		if (!str_split(rest, ':', &part, &rest))
			return STR_NONE;
	return part;
}

static int ask(const struct http_options *options, struct str arn, struct http_response *response,
	       struct err *err)
{
	static const char *const headers[] = {"X-Amz-Target: secretsmanager.GetSecretValue"};
	cleanup(buf_release) struct buf body = BUF_INIT(KIB(8));
	struct http_client *client;
	struct http_request request = {.method = "POST",
				       .path = "/",
				       .content_type = "application/x-amz-json-1.1",
				       .headers = headers,
				       .header_count = COUNT_OF(headers)};
	int rc;

	buf_append_str(&body, STR("{\"SecretId\":"));
	json_write_string(&body, arn);
	buf_append_byte(&body, '}');
	request.body = buf_str(&body);
	if (http_client_new(options, &client, err) < 0)
		return -(int)err->kind;
	rc = http_client_send(client, &request, response, err);
	http_client_free(client);
	return rc;
}

/* {"SecretString": "{\"username\":…,\"password\":…}"} */
static int keep_user(struct services_cluster *cluster, struct str answer, struct str arn,
		     struct arena *mem, struct err *err)
{
	struct json *root, *secret;
	struct str user, password;

	if (json_parse(answer, mem, &root, err) < 0 ||
	    json_parse(json_string(json_get(root, "SecretString")), mem, &secret, err) < 0)
		return err_wrap(err, "the secret '" STR_FMT "'", STR_ARG(arn));
	user = json_string(json_get(secret, "username"));
	password = json_string(json_get(secret, "password"));
	if (user.len == 0 || !password.ptr)
		return err_set(err, ERR_USAGE,
			       "the secret '" STR_FMT "' has no 'username' and 'password'",
			       STR_ARG(arn));
	cluster->http.username = arena_str(mem, user).ptr;
	cluster->http.password = arena_str(mem, password).ptr;
	return 0;
}

static int read_manager(struct services_cluster *cluster, struct str arn, struct arena *mem,
			struct err *err)
{
	cleanup(http_response_release) struct http_response response = {0};
	const char *endpoint = getenv("AWS_ENDPOINT_URL_SECRETS_MANAGER");
	struct str region = arena_str(mem, region_of(arn));
	struct http_options options = {.aws_region = region.ptr, .aws_service = "secretsmanager"};

	if (region.len == 0)
		return err_set(err, ERR_USAGE,
			       "'" STR_FMT "' is no ARN of a secret "
			       "(arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME)",
			       STR_ARG(arn));
	options.host =
		endpoint && *endpoint
			? endpoint
			: arena_printf(mem, "https://secretsmanager." STR_FMT ".amazonaws.com:443",
				       STR_ARG(region))
				  .ptr;
	if (ask(&options, arn, &response, err) < 0)
		return err_wrap(err, "the secret '" STR_FMT "'", STR_ARG(arn));
	if (response.status != 200)
		return err_set(err, ERR_AUTH,
			       "AWS Secrets Manager does not give '" STR_FMT
			       "' (status %d); it needs secretsmanager:GetSecretValue",
			       STR_ARG(arn), response.status);
	return keep_user(cluster, arena_str(mem, buf_str(&response.body)), arn, mem, err);
}

static int read_named(const struct services *services, const struct services_cluster *cluster,
		      struct str name, struct arena *mem, struct str *out, struct err *err)
{
	int rc = workflow_secret_read(services->state_dir, name, mem, out, err);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	return err_set(err, ERR_USAGE,
		       "the secret '" STR_FMT "' of %s is not there; `workflow configure "
		       "credentials create " STR_FMT "` makes it",
		       STR_ARG(name), services_role_name(cluster->role), STR_ARG(name));
}

static int read_user(const struct services *services, struct services_cluster *cluster,
		     struct str name, struct arena *mem, struct err *err)
{
	struct str secret, user, password;

	if (read_named(services, cluster, name, mem, &secret, err) < 0)
		return -(int)err->kind;
	if (!str_split(secret, ':', &user, &password))
		return err_set(err, ERR_USAGE, "the secret '" STR_FMT "' is not USERNAME:PASSWORD",
			       STR_ARG(name));
	cluster->http.username = arena_str(mem, user).ptr;
	cluster->http.password = arena_str(mem, password).ptr;
	return 0;
}

static int read_basic(const struct services *services, struct services_cluster *cluster,
		      const struct config_value *basic, struct arena *mem, struct err *err)
{
	struct str name = config_text_or(config_get(basic, "k8s_secret_name"), STR_NONE);
	struct str arn = config_text_or(config_get(basic, "user_secret_arn"), STR_NONE);

	if (name.len > 0)
		return read_user(services, cluster, name, mem, err);
	if (arn.len > 0)
		return read_manager(cluster, arn, mem, err);
	cluster->http.username =
		arena_str(mem, config_text_or(config_get(basic, "username"), STR(""))).ptr;
	cluster->http.password =
		arena_str(mem, config_text_or(config_get(basic, "password"), STR(""))).ptr;
	return 0;
}

int services_read_secrets(const struct services *services, struct services_cluster *cluster,
			  struct arena *mem, struct err *err)
{
	const struct config_value *sources = services->clusters[SERVICES_SOURCE];
	bool as_source = cluster->role == SERVICES_PROXY && !services->derived && sources;
	const struct config_value *who = as_source ? sources->first : cluster->value;
	const struct config_value *basic = config_get(who, "basic_auth");
	const struct config_value *key = config_get(who, "api_key");
	struct str name = config_text_or(config_get(key, "k8s_secret_name"), STR_NONE);
	struct str value = config_text_or(config_get(key, "key"), STR_NONE);

	if (basic)
		return read_basic(services, cluster, basic, mem, err);
	if (!key)
		return 0;
	if (name.len > 0 && read_named(services, cluster, name, mem, &value, err) < 0)
		return -(int)err->kind;
	cluster->http.api_key = arena_str(mem, value).ptr;
	return 0;
}
