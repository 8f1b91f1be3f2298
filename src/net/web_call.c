#include "net/web_call.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/small_file.h"
#include "net/http_client.h"
#include "net/http_date.h"

#include <stdlib.h>

#define ANSWER_MAX KIB(256)
#define ANSWER_MS 30000
#define TRIES 3

const char *web_variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

void web_form_add(struct buf *form, const char *name, struct str value)
{
	buf_printf(form, "%s%s=", form->len > 0 ? "&" : "", name);
	http_append_encoded(form, value);
}

int web_url_split(const char *url, struct arena *mem, const char **server, const char **path,
		  struct err *err)
{
	bool tls = strncmp(url, "https://", 8) == 0;
	const char *authority = tls ? url + 8 : url + 7, *port;
	size_t len;

	if (!tls && strncmp(url, "http://", 7) != 0)
		return err_set(err, ERR_USAGE, "'" STR_FMT "' is no http:// or https:// URL",
			       (int)strcspn(url, "?"), url);
	len = strcspn(authority, "/?");
	if (memchr(authority, '@', len))
		return err_set(err, ERR_USAGE, "the URL of '%s' has a user in it; leave it out",
			       (const char *)memchr(authority, '@', len) + 1);
	port = memrchr(authority, ':', len);
	if (port && memchr(port, ']', len - (size_t)(port - authority)))
		port = NULL;
	*path = authority + len;
	*server = arena_printf(mem, STR_FMT "%s", (int)(authority + len - url), url,
			       port  ? ""
			       : tls ? ":443"
				     : ":80")
			  .ptr;
	return *server ? 0 : arena_fail(mem, "a URL", err);
}

int web_token_file(const char *path, struct arena *mem, struct str *out, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(ANSWER_MAX);
	int rc = small_file_read(path, &text, err);

	if (rc == 0)
		return err_set(err, ERR_AUTH, "the file '%s' of a token is not there", path);
	if (rc < 0)
		return rc;
	while (text.len > 0 && (unsigned char)text.ptr[text.len - 1] <= ' ')
		text.len--;
	*out = arena_str(mem, buf_str(&text));
	return out->ptr ? 0 : arena_fail(mem, "a token", err);
}

static void freep(struct http_client **client)
{
	http_client_free(*client);
}

/* What an answer says of its reason, in the words of OAuth, of Google or of Azure. */
static struct str reason_of(struct str answer, struct arena *mem)
{
	struct json *v;
	struct str text;

	if (json_parse(answer, mem, &v, NULL) < 0)
		return STR_NONE;
	text = json_string(json_get(v, "error_description"));
	if (text.len == 0)
		text = json_string(json_path(v, "error", "message", NULL));
	if (text.len == 0)
		text = json_string(json_get(v, "message"));
	if (text.len == 0)
		text = json_string(json_get(v, "error"));
	return str_of(text.ptr, MIN(text.len, (size_t)300));
}

static int refused(const struct web_call *call, const struct http_client *client, int status,
		   struct str answer, struct arena *mem, struct err *err)
{
	const char *date = http_client_answer_header(client, "Date");
	struct str reason = reason_of(answer, mem);
	char ours[25];

	clock_format_utc(clock_wall_ms(), ours);
	err_set(err, ERR_AUTH, "%s at %s answers %d%s" STR_FMT, call->what, http_client_url(client),
		status, reason.len > 0 ? ", " : "", STR_ARG(reason));
	if (err && status < 500 && http_date_is_skewed(date))
		err_set(err, ERR_AUTH,
			"%s at %s answers %d: it is %s here and %s there; set the clock",
			call->what, http_client_url(client), status, ours, date);
	if (err) {
		err->http_status = status;
		err->retry = status >= 500 || status == 429 || status == 408;
	}
	return -(int)ERR_AUTH;
}

static int call_once(const struct web_call *call, const char *server, const char *path,
		     struct arena *mem, struct str *out, struct err *err)
{
	const struct http_options options = {.host = server,
					     .connect_timeout_ms = call->connect_timeout_ms,
					     .request_timeout_ms = ANSWER_MS,
					     .flag_prefix = "--s3-",
					     .host_flag = "the URL"};
	const struct http_request request = {
		.method = call->method,
		.path = *path == '/' ? path : "/",
		.headers = call->headers,
		.header_count = call->header_count,
		.content_type = call->content_type ? call->content_type
						   : "application/x-www-form-urlencoded",
		.body = call->body,
		.as_it_is = true,
	};
	cleanup(http_response_release) struct http_response response = {
		.body = {.limit = ANSWER_MAX}};
	cleanup(freep) struct http_client *client = NULL;
	int rc = http_client_new(&options, &client, err);

	if (rc == 0)
		rc = http_client_send(client, &request, &response, err);
	if (rc < 0)
		return err_wrap(err, "%s", call->what);
	if (response.status != 200)
		return refused(call, client, response.status, buf_str(&response.body), mem, err);
	*out = arena_str(mem, buf_str(&response.body));
	return out->ptr ? 0 : arena_fail(mem, call->what, err);
}

int web_call(const struct web_call *call, struct arena *mem, struct str *out, struct err *err)
{
	const char *server, *path;
	struct err last = {0};
	int rc = web_url_split(call->url, mem, &server, &path, err);

	if (rc < 0)
		return err_wrap(err, "%s", call->what);
	for (int i = 0; i < TRIES; i++) {
		last = (struct err){0};
		rc = call_once(call, server, path, mem, out, &last);
		if (rc == 0 || !last.retry)
			break;
	}
	if (rc < 0 && err)
		*err = last;
	return rc;
}
