#include "base/clock.h"
#include "net/aws_credentials.h"
#include "net/http_client_internal.h"

#include <pthread.h>

static pthread_once_t credentials_once = PTHREAD_ONCE_INIT;
/* Of the process: every connection signs by the same key, fetched once. */
static struct aws_credentials *credentials;

static void make_credentials(void)
{
	static const struct aws_credentials_options none;

	credentials = aws_credentials_new(&none);
}

int http_sign(struct http_client *client, const struct http_request *request,
	      struct sigv4_lines *out, struct err *err)
{
	struct arena *mem = &client->signature;
	struct sigv4_request signing = {.method = request->method,
					.host = client->aws_host,
					.body = client->body,
					.region = client->aws_region,
					.service = client->aws_service,
					.wall_ms = clock_wall_ms()};
	struct sigv4_key key;
	int failed;

	pthread_once(&credentials_once, make_credentials);
	arena_reset(mem);
	signing.target = arena_printf(mem, STR_FMT "%s", STR_ARG(client->url.path), request->path);
	if (!signing.target.ptr)
		return arena_fail(mem, "a request to be signed", err);
	failed = aws_credentials_get(credentials, mem, &key, err);
	client->aws_origin = failed < 0 ? NULL : aws_credentials_origin(credentials, mem);
	if (failed < 0)
		return err_wrap(err, "%s %s" STR_FMT, request->method, client->base,
				HTTP_PATH_ARG(request));
	return sigv4_sign(&signing, &key, mem, out, err);
}

bool http_signature_expired(struct http_client *client, const struct http_response *response)
{
	static const struct str said = STR("expired");
	struct str body = buf_str(&response->body);
	struct sigv4_key key;

	if (!client->aws_region || (response->status != 403 && response->status != 401) ||
	    !body.len || !memmem(body.ptr, body.len, said.ptr, said.len))
		return false;
	arena_reset(&client->signature);
	client->aws_origin = NULL;
	if (aws_credentials_get(credentials, &client->signature, &key, NULL) < 0)
		return false;
	aws_credentials_expire(credentials, &key);
	return true;
}

const char *http_client_aws_origin(const struct http_client *client)
{
	return client->aws_origin;
}
