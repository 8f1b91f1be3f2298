#include "net/http_client.h"

#include "net/http_proxy.h"
#include "net/http_range.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_CONNECT_TIMEOUT_MS (10 * 1000)
#define DEFAULT_REQUEST_TIMEOUT_MS (120 * 1000)
#define KEEPALIVE_SECONDS 30L
#define UPLOAD_BUFFER (256L << 10)
#define DOWNLOAD_BUFFER (256L << 10)
#define GZIP_LEVEL 1

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void initialise_curl(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		BUG("libcurl does not start");
}

static void must(CURLcode code)
{
	if (code != CURLE_OK)
		BUG("libcurl refuses an option");
}

bool http_client_is_stopped(const struct http_client *client)
{
	return atomic_load(&client->cancelled) || (client->stop && atomic_load(client->stop));
}

static int on_progress(void *user, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
		       curl_off_t up)
{
	struct http_client *client = user;

	(void)down_total, (void)down, (void)up_total, (void)up;
	return http_client_is_stopped(client) ? 1 : 0;
}

/* Of a send: what curl gives to on_body. */
struct transfer {
	CURL *curl;
	const struct http_request *request;
	struct http_response *response;
};

static size_t put_into(struct transfer *t, const char *bytes, size_t len)
{
	size_t n = MIN(len, t->request->into_size - t->response->into_len);
	long status = 0;

	if (n == 0 || curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK ||
	    status != 206)
		return 0;
	memcpy((char *)t->request->into + t->response->into_len, bytes, n);
	t->response->into_len += n;
	return n;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *user)
{
	struct transfer *t = user;
	struct buf *body = &t->response->body;
	size_t len = size * count, n = t->request->into ? put_into(t, bytes, len) : 0;

	if (n < len)
		buf_append(body, bytes + n, len - n);
	return body->failed ? 0 : len;
}

static const char *keep(struct http_client *client, const char *text)
{
	return text ? arena_str(&client->mem, str_from(text)).ptr : NULL;
}

static void set_tls(struct http_client *client, const struct http_options *options)
{
	CURL *curl = client->curl;

	must(curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, options->insecure ? 0L : 1L));
	must(curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, options->insecure ? 0L : 2L));
	if (options->ca_file)
		must(curl_easy_setopt(curl, CURLOPT_CAINFO, options->ca_file));
	if (options->client_cert)
		must(curl_easy_setopt(curl, CURLOPT_SSLCERT, options->client_cert));
	if (options->client_key)
		must(curl_easy_setopt(curl, CURLOPT_SSLKEY, options->client_key));
}

static bool has_control_character(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

static int set_agent(struct http_client *client, const char *extra, struct err *err)
{
	const char *agent = "shardlift/" SHARDLIFT_VERSION;

	if (extra && has_control_character(extra))
		return err_set(err, ERR_USAGE,
			       "what is to be added to User-Agent holds a line break or control "
			       "character");
	if (extra)
		agent = arena_printf(&client->mem, "%s %s", agent, extra).ptr;
	if (!agent)
		return arena_fail(&client->mem, "User-Agent", err);
	client->agent = agent;
	must(curl_easy_setopt(client->curl, CURLOPT_USERAGENT, agent));
	return 0;
}

static void set_transport(struct http_client *client)
{
	CURL *curl = client->curl;

	must(curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L));
	must(curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https"));
	must(curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1));
	must(curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L));
	must(curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L));
	must(curl_easy_setopt(curl, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_SECONDS));
	must(curl_easy_setopt(curl, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_SECONDS));
	must(curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER));
	must(curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, DOWNLOAD_BUFFER));
	must(curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)client->connect_timeout_ms));
	must(curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->reason));
	must(curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L));
	must(curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress));
	must(curl_easy_setopt(curl, CURLOPT_XFERINFODATA, client));
	must(curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body));
}

/* Of the ways to sign in, one at most. */
static int check_credentials(const struct http_client *client, const struct http_options *options,
			     struct err *err)
{
	const char *flag = client->flag_prefix;

	if (options->api_key && client->user)
		return err_set(err, ERR_USAGE,
			       "both a user and an API key are given for %s; leave out %susername "
			       "or %sapi-key",
			       client->base, flag, flag);
	if (options->aws_region && (options->api_key || client->user))
		return err_set(err, ERR_USAGE,
			       "requests to %s cannot be signed and carry a user or API key too; "
			       "leave out %saws-region, or %susername and %sapi-key",
			       client->base, flag, flag, flag);
	if (options->api_key && has_control_character(options->api_key))
		return err_set(err, ERR_USAGE,
			       "the API key for %s holds a line break or control character; "
			       "check %sapi-key",
			       client->base, flag);
	return 0;
}

static int set_credentials(struct http_client *client, const struct http_options *options,
			   struct err *err)
{
	const char *password = options->password ? options->password : client->url.password.ptr;
	int rc;

	client->user = options->username ? keep(client, options->username) : client->url.user.ptr;
	rc = check_credentials(client, options, err);
	if (rc < 0)
		return rc;
	if (options->api_key)
		client->authorization =
			arena_printf(&client->mem, "Authorization: ApiKey %s", options->api_key)
				.ptr;
	if ((options->api_key && !client->authorization) || (options->username && !client->user))
		return arena_fail(&client->mem, "user or API key", err);
	if (!client->user)
		return 0;
	must(curl_easy_setopt(client->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC));
	must(curl_easy_setopt(client->curl, CURLOPT_USERNAME, client->user));
	must(curl_easy_setopt(client->curl, CURLOPT_PASSWORD, password ? password : ""));
	return 0;
}

/* As curl sends it: without a port that is the scheme's. */
static const char *host_header_of(const struct url *url, struct arena *mem)
{
	bool bare = url->port == (url->tls ? 443 : 80);
	bool address = url->host.len && memchr(url->host.ptr, ':', url->host.len);

	return arena_printf(mem, bare ? "%s" STR_FMT "%s" : "%s" STR_FMT "%s:%d",
			    address ? "[" : "", STR_ARG(url->host), address ? "]" : "", url->port)
		.ptr;
}

static int set_signing(struct http_client *client, const struct http_options *options,
		       struct err *err)
{
	struct url signed_as = client->url;

	client->signature = ARENA_INIT(MIB(1));
	if (!options->aws_region)
		return 0;
	if (options->aws_signed_as &&
	    url_parse(options->aws_signed_as, &client->mem, &signed_as, err) < 0)
		return -(int)err->kind;
	client->aws_region = keep(client, options->aws_region);
	client->aws_service = keep(client, options->aws_service ? options->aws_service : "es");
	client->aws_host = host_header_of(&signed_as, &client->mem);
	if (options->aws_signed_as)
		client->host_header = arena_printf(&client->mem, "Host: %s", client->aws_host).ptr;
	return client->mem.failed ? arena_fail(&client->mem, "AWS region and service", err) : 0;
}

static long timeout_or(int64_t wanted_ms, int64_t fallback_ms)
{
	return (long)MIN(wanted_ms > 0 ? wanted_ms : fallback_ms, (int64_t)INT_MAX);
}

static void freep(struct http_client **client)
{
	http_client_free(*client);
}

int http_client_new(const struct http_options *options, struct http_client **out, struct err *err)
{
	cleanup(freep) struct http_client *client = mem_zalloc(sizeof(*client));
	int failed;

	pthread_once(&curl_once, initialise_curl);
	client->mem = ARENA_INIT(KIB(256));
	client->compressed = BUF_INIT(SIZE_MAX / 2);
	client->range = http_range_new();
	client->request_url = BUF_INIT(4 * LIMIT_PATH);
	client->flag_prefix =
		keep(client, options->flag_prefix ? options->flag_prefix : "--target-");
	client->host_flag = keep(client, options->host_flag);
	client->connect_timeout_ms =
		timeout_or(options->connect_timeout_ms, DEFAULT_CONNECT_TIMEOUT_MS);
	client->request_timeout_ms =
		timeout_or(options->request_timeout_ms, DEFAULT_REQUEST_TIMEOUT_MS);
	client->gzip_answers = options->gzip_answers;
	client->curl = curl_easy_init();
	if (!client->curl)
		BUG("out of memory");
	if ((failed = url_parse(options->host, &client->mem, &client->url, err)) < 0)
		return failed;
	client->base = url_without_secrets(&client->url, &client->mem).ptr;
	client->host = host_header_of(&client->url, &client->mem);
	client->proxy = http_proxy_of(&client->url, &client->mem);
	if ((failed = set_credentials(client, options, err)) < 0)
		return failed;
	if ((failed = set_signing(client, options, err)) < 0 ||
	    (failed = set_agent(client, options->agent_extra, err)) < 0)
		return failed;
	set_tls(client, options);
	set_transport(client);
	*out = take(client);
	return 0;
}

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	curl_easy_cleanup(client->curl);
	http_range_free(client->range);
	libdeflate_free_compressor(client->compressor);
	buf_release(&client->compressed);
	buf_release(&client->request_url);
	arena_release(&client->signature);
	arena_release(&client->mem);
	free(client);
}

static int compress_body(struct http_client *client, struct str *body, struct err *err)
{
	size_t bound;
	char *room;

	if (!client->compressor)
		client->compressor = libdeflate_alloc_compressor(GZIP_LEVEL);
	if (!client->compressor)
		BUG("out of memory");
	bound = libdeflate_gzip_compress_bound(client->compressor, body->len);
	buf_reset(&client->compressed);
	room = buf_reserve(&client->compressed, bound);
	if (!room)
		return buf_check(&client->compressed, "compressed request", err);
	*body = str_of(room, libdeflate_gzip_compress(client->compressor, body->ptr, body->len,
						      room, bound));
	return 0;
}

/* Method and body; curl borrows the body until the transfer ends. */
static int set_message(struct http_client *client, const struct http_request *request,
		       struct err *err)
{
	struct str body = request->body;
	bool with_body = body.len > 0 || strcmp(request->method, "POST") == 0 ||
			 strcmp(request->method, "PUT") == 0;
	int failed;

	must(curl_easy_setopt(client->curl, CURLOPT_NOBODY, 0L));
	if (with_body) {
		if (request->compress && body.len > 0 &&
		    (failed = compress_body(client, &body, err)) < 0)
			return failed;
		must(curl_easy_setopt(client->curl, CURLOPT_POST, 1L));
		must(curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, body.len ? body.ptr : ""));
		must(curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE,
				      (curl_off_t)body.len));
	} else {
		must(curl_easy_setopt(client->curl, CURLOPT_HTTPGET, 1L));
		must(curl_easy_setopt(client->curl, CURLOPT_NOBODY,
				      strcmp(request->method, "HEAD") == 0 ? 1L : 0L));
	}
	client->body = body;
	must(curl_easy_setopt(client->curl, CURLOPT_CUSTOMREQUEST, request->method));
	return 0;
}

static void add_header(struct curl_slist **headers, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*headers, line);

	if (!longer)
		BUG("out of memory");
	*headers = longer;
}

static void free_headers(struct curl_slist **headers)
{
	curl_slist_free_all(*headers);
}

static struct curl_slist *headers_of(const struct http_client *client,
				     const struct http_request *request,
				     const struct sigv4_lines *signature)
{
	const char *type = request->content_type ? request->content_type : "application/json";
	struct curl_slist *headers = NULL;
	char line[256];

	snprintf(line, sizeof(line),
		 request->body.len ? "Content-Type: %s" : "Content-Type:", type);
	add_header(&headers, line);
	add_header(&headers,
		   request->ask_first && request->body.len ? "Expect: 100-continue" : "Expect:");
	if (request->compress && request->body.len)
		add_header(&headers, "Content-Encoding: gzip");
	/* What comes packed all the same is unpacked. */
	if (!client->gzip_answers && !request->as_it_is)
		add_header(&headers, "Accept-Encoding: identity");
	if (client->authorization)
		add_header(&headers, client->authorization);
	if (client->host_header)
		add_header(&headers, client->host_header);
	for (size_t i = 0; i < signature->count; i++)
		add_header(&headers, signature->line[i]);
	for (size_t i = 0; i < request->header_count; i++)
		add_header(&headers, request->headers[i]);
	return headers;
}

static void read_outcome(struct http_client *client, struct http_response *response)
{
	curl_off_t microseconds = 0, retry_after = 0;
	long status = 0;

	curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(client->curl, CURLINFO_TOTAL_TIME_T, &microseconds);
	curl_easy_getinfo(client->curl, CURLINFO_RETRY_AFTER, &retry_after);
	response->status = (int)status;
	response->elapsed_ms = microseconds / 1000;
	response->retry_after_ms = retry_after > 0 ? MIN(retry_after, INT_MAX) * 1000 : -1;
}

/* What is wrong with a transfer that has ended; 0 if nothing. */
static int judge(struct http_client *client, const struct http_request *request,
		 const struct http_response *response, CURLcode code, struct err *err)
{
	const char *location = NULL;

	if (code == CURLE_WRITE_ERROR && response->body.failed)
		return err_set(err, ERR_LIMIT,
			       "%s %s" STR_FMT ": the answer is larger than the limit of %zu bytes",
			       request->method, client->base, HTTP_PATH_ARG(request),
			       response->body.limit);
	/* An end within the head is none to libcurl, and there is no range without a byte. */
	if (code == CURLE_OK && request->into && response->status == 206 &&
	    response->into_len + response->body.len == 0)
		code = CURLE_PARTIAL_FILE;
	if (code != CURLE_OK)
		return http_failure(client, request, code, err);
	client->answered = true;
	curl_easy_getinfo(client->curl, CURLINFO_REDIRECT_URL, &location);
	if (location && !request->as_it_is && response->status >= 300 && response->status < 400)
		return http_redirect_failure(client, request, response->status, location, err);
	return 0;
}

static int set_url(struct http_client *client, const struct http_request *request, struct err *err)
{
	int failed;

	buf_reset(&client->request_url);
	buf_printf(&client->request_url, "%s%s", client->base, request->path);
	if ((failed = buf_check(&client->request_url, "request path", err)) == 0)
		must(curl_easy_setopt(client->curl, CURLOPT_URL, buf_cstr(&client->request_url)));
	return failed;
}

static int send_once(struct http_client *client, const struct http_request *request,
		     struct http_response *response, struct err *err)
{
	cleanup(free_headers) struct curl_slist *headers = NULL;
	struct sigv4_lines signature = {0};
	struct transfer transfer = {client->curl, request, response};
	CURLcode code = CURLE_ABORTED_BY_CALLBACK;
	int failed;

	if ((failed = set_url(client, request, err)) < 0 ||
	    (failed = set_message(client, request, err)) < 0 ||
	    (client->aws_region && (failed = http_sign(client, request, &signature, err)) < 0))
		return failed;
	headers = headers_of(client, request, &signature);
	client->reason[0] = '\0';
	must(curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers));
	must(curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, &transfer));
	must(curl_easy_setopt(client->curl, CURLOPT_ACCEPT_ENCODING,
			      request->as_it_is ? NULL : "gzip"));
	must(curl_easy_setopt(client->curl, CURLOPT_FRESH_CONNECT, request->once ? 1L : 0L));
	must(curl_easy_setopt(client->curl, CURLOPT_TIMEOUT_MS,
			      timeout_or(request->timeout_ms, client->request_timeout_ms)));
	if (!http_client_is_stopped(client))
		code = curl_easy_perform(client->curl);
	read_outcome(client, response);
	must(curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, NULL));
	return judge(client, request, response, code, err);
}

static void empty(struct http_response *response)
{
	buf_reset(&response->body);
	response->into_len = 0;
	if (!response->body.limit || response->body.limit > LIMIT_HTTP_RESPONSE)
		response->body.limit = LIMIT_HTTP_RESPONSE;
}

static int send_by_either(struct http_client *client, const struct http_request *request,
			  struct http_response *response, struct err *err)
{
	int rc;

	empty(response);
	client->stop = request->stop;
	rc = http_range_send(client, request, response, err);
	if (rc == 0) {
		empty(response);
		rc = send_once(client, request, response, err);
	}
	client->stop = NULL;
	return MIN(rc, 0);
}

int http_client_send(struct http_client *client, const struct http_request *request,
		     struct http_response *response, struct err *err)
{
	int failed = send_by_either(client, request, response, err);

	/* What was refused did nothing, so once more by another key is safe for any request. */
	if (failed == 0 && http_signature_expired(client, response))
		failed = send_by_either(client, request, response, err);
	return failed;
}

void http_response_release(struct http_response *response)
{
	buf_release(&response->body);
}

const char *http_client_answer_header(const struct http_client *client, const char *name)
{
	struct curl_header *header;

	if (client->range->answered)
		return http_range_answer_header(client->range, name);
	return curl_easy_header(client->curl, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK
		       ? header->value
		       : NULL;
}

void http_client_cancel(struct http_client *client)
{
	atomic_store(&client->cancelled, true);
}

const char *http_client_url(const struct http_client *client)
{
	return client->base;
}

const char *http_client_proxy(const struct http_client *client)
{
	return client->proxy;
}

const char *http_client_flag_prefix(const struct http_client *client)
{
	return client->flag_prefix;
}

const char *http_client_user(const struct http_client *client)
{
	return client->user;
}

bool http_client_has_api_key(const struct http_client *client)
{
	return client->authorization != NULL;
}

void http_append_encoded(struct buf *out, struct str text)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if ((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
		    memchr("-._~", c, 4)) {
			buf_append_byte(out, (char)c);
		} else {
			char escape[3] = {'%', hex[c >> 4], hex[c & 15]};

			buf_append(out, escape, sizeof(escape));
		}
	}
}
