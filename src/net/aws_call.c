#include "net/aws_call.h"

#include "base/clock.h"
#include "base/small_file.h"
#include "net/aws_credentials_internal.h"
#include "net/http_client.h"

#include <time.h>

/* Nobody answers at the addresses of metadata services outside of AWS. */
#define CONNECT_MS 1000
#define ANSWER_MS 10000
#define STS_MS 30000
#define TRIES 3

static void freep(struct http_client **client)
{
	http_client_free(*client);
}

int aws_split_url(const char *url, struct arena *mem, const char **host, const char **path,
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

int aws_call_once(const struct aws_call *call, struct arena *mem, struct str *out, struct err *err)
{
	const struct http_options options = {
		.host = call->host,
		.flag_prefix = "--s3-",
		.connect_timeout_ms = CONNECT_MS * (call->body.len ? 10 : 1),
		.request_timeout_ms = call->body.len ? STS_MS : ANSWER_MS};
	const struct http_request request = {
		.method = call->method,
		.path = call->path,
		.headers = call->headers,
		.header_count = call->header_count,
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

int aws_call_endpoint(const struct aws_call *call, struct arena *mem, struct str *out,
		      struct err *err)
{
	struct err last = {0};
	int rc = 0;

	for (int i = 0; i < TRIES; i++) {
		rc = aws_call_once(call, mem, out, &last);
		if (rc == 0 || !last.retry)
			break;
	}
	if (rc < 0 && err)
		*err = last;
	return rc;
}

int64_t aws_date(struct str text)
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

int aws_read_token(const char *path, struct arena *mem, const char **out, struct err *err)
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
