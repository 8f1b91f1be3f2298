#include "store/s3_service.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "net/sigv4.h"
#include "net/xml_element.h"
#include "store/s3_error.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define RETRY_MS (60 * 1000)
#define FIRST_DELAY_MS 100
#define MOST_DELAY_MS 10000
#define MOST_LINES (SIGV4_LINES + 2)

struct s3_service {
	struct http_options http;
	struct aws_credentials *credentials;
	struct backoff_policy retry;
	struct arena mem; /* of the strings below, and of http */
	const char *bucket, *region, *endpoint, *host;
	const char *path;     /* before the key: the endpoint's own, and the bucket in path style */
	pthread_mutex_t lock; /* of what follows */
	unsigned references;
	struct http_client *idle[S3_CONNECTIONS_KEPT];
	size_t idle_count;
};

static bool is_name(struct str host)
{
	for (size_t i = 0; i < host.len; i++)
		if ((host.ptr[i] | 32) >= 'a' && (host.ptr[i] | 32) <= 'z')
			return !str_is(host, "localhost") && host.ptr[0] != '[';
	return false;
}

/* What an endpoint is made of. */
struct endpoint {
	const char *scheme; /* "https" */
	struct str host, port, path;
};

static int parse_endpoint(const char *text, struct endpoint *out, struct err *err)
{
	struct str whole = str_from(text), rest = whole;
	const char *colon;
	size_t slash;

	out->scheme = str_starts(whole, STR("http://")) ? "http" : "https";
	if (strstr(text, "://"))
		rest = str_from_offset(whole, (size_t)(strstr(text, "://") - text) + 3);
	if (memchr(rest.ptr, '@', rest.len) || memchr(rest.ptr, '?', rest.len))
		return err_set(err, ERR_USAGE,
			       "--s3-endpoint takes an address alone, such as "
			       "https://host:9000; give credentials by the environment");
	slash = strcspn(rest.ptr, "/");
	out->path = str_from_offset(rest, slash);
	while (str_ends(out->path, STR("/")))
		out->path.len--;
	out->host = str_of(rest.ptr, slash);
	out->port = STR_NONE;
	colon = slash > 0 ? memrchr(rest.ptr, ':', slash) : NULL;
	if (colon && !memchr(colon, ']', slash - (size_t)(colon - rest.ptr))) {
		out->host.len = (size_t)(colon - rest.ptr);
		out->port = str_of(colon + 1, slash - out->host.len - 1);
	}
	if (out->host.len == 0)
		return err_set(err, ERR_USAGE, "--s3-endpoint '%s' names no host", text);
	return 0;
}

/* The endpoint as given, else AWS's own of the region. */
static const char *endpoint_of(struct s3_service *s, const struct blob_store_options *options)
{
	const char *china = strncmp(s->region, "cn-", 3) == 0 ? ".cn" : "";

	if (options->s3_endpoint && *options->s3_endpoint)
		return options->s3_endpoint;
	return arena_printf(&s->mem, "https://s3.%s.amazonaws.com%s", s->region, china).ptr;
}

/* Address, Host header and path of requests: the bucket is in the name or in the path. */
static int address(struct s3_service *s, const struct endpoint *e, bool path_style, struct err *err)
{
	struct str standard = e->scheme[4] ? STR("443") : STR("80");
	struct str port = e->port.len > 0 ? e->port : standard;
	const char *host;

	host = path_style ? arena_str(&s->mem, e->host).ptr
			  : arena_printf(&s->mem, "%s." STR_FMT, s->bucket, STR_ARG(e->host)).ptr;
	s->endpoint = arena_printf(&s->mem, "%s://%s:" STR_FMT, e->scheme, host, STR_ARG(port)).ptr;
	/* As every client sends it, and so what is signed: with no port that is the scheme's. */
	s->host = str_eq(port, standard)
			  ? host
			  : arena_printf(&s->mem, "%s:" STR_FMT, host, STR_ARG(port)).ptr;
	s->path = arena_printf(&s->mem, STR_FMT "%s%s", STR_ARG(e->path), path_style ? "/" : "",
			       path_style ? s->bucket : "")
			  .ptr;
	return s->mem.failed ? arena_fail(&s->mem, "--s3-endpoint", err) : 0;
}

static int find_address(struct s3_service *s, const struct blob_store_options *options,
			struct err *err)
{
	const char *endpoint = endpoint_of(s, options);
	struct endpoint e = {0};
	int rc;

	if (!endpoint)
		return arena_fail(&s->mem, "--s3-endpoint", err);
	rc = parse_endpoint(endpoint, &e, err);
	if (rc < 0)
		return rc;
	return address(s, &e, options->s3_path_style || strchr(s->bucket, '.') || !is_name(e.host),
		       err);
}

static int give_client(struct s3_service *s, struct http_client **out, struct err *err)
{
	*out = NULL;
	pthread_mutex_lock(&s->lock);
	if (s->idle_count > 0)
		*out = s->idle[--s->idle_count];
	pthread_mutex_unlock(&s->lock);
	return *out ? 0 : http_client_new(&s->http, out, err);
}

static void take_back(struct s3_service *s, struct http_client *client)
{
	struct http_client *surplus = NULL;

	pthread_mutex_lock(&s->lock);
	if (s->idle_count < S3_CONNECTIONS_KEPT)
		s->idle[s->idle_count++] = client;
	else
		surplus = client;
	pthread_mutex_unlock(&s->lock);
	http_client_free(surplus);
}

static void freep(struct s3_service **service)
{
	s3_service_release(*service);
}

int s3_service_open(struct str bucket, const struct blob_store_options *options,
		    struct s3_service **out, struct err *err)
{
	cleanup(freep) struct s3_service *s = mem_zalloc(sizeof(*s));
	struct aws_credentials_options credentials = {
		.access_key_id = options->s3_access_key_id,
		.secret_access_key = options->s3_secret_access_key,
		.session_token = options->s3_session_token,
		.profile = options->s3_profile,
		.role_arn = options->s3_role_arn,
		.external_id = options->s3_external_id,
		.sts_endpoint = options->sts_endpoint,
	};
	struct http_client *client;
	int rc;

	pthread_mutex_init(&s->lock, NULL);
	s->references = 1;
	s->mem = ARENA_INIT(MIB(1));
	s->bucket = arena_str(&s->mem, bucket).ptr;
	s->region = aws_region(options->s3_region, options->s3_profile, &s->mem);
	if (!s->region)
		s->region = "us-east-1";
	credentials.region = s->region;
	s->credentials = aws_credentials_new(&credentials);
	s->retry =
		(struct backoff_policy){FIRST_DELAY_MS, MOST_DELAY_MS,
					options->s3_retry_ms > 0 ? options->s3_retry_ms : RETRY_MS};
	if ((rc = find_address(s, options, err)) < 0)
		return rc;
	s->http = (struct http_options){
		.host = s->endpoint,
		.ca_file = options->s3_ca_file,
		.insecure = options->s3_insecure,
		.request_timeout_ms = options->s3_request_timeout_ms,
		.flag_prefix = "--s3-",
		.host_flag = "--s3-endpoint",
	};
	if ((rc = give_client(s, &client, err)) < 0)
		return rc;
	take_back(s, client);
	*out = take(s);
	return 0;
}

struct s3_service *s3_service_hold(struct s3_service *service)
{
	pthread_mutex_lock(&service->lock);
	service->references++;
	pthread_mutex_unlock(&service->lock);
	return service;
}

void s3_service_release(struct s3_service *s)
{
	bool last;

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	last = --s->references == 0;
	pthread_mutex_unlock(&s->lock);
	if (!last)
		return;
	for (size_t i = 0; i < s->idle_count; i++)
		http_client_free(s->idle[i]);
	aws_credentials_free(s->credentials);
	pthread_mutex_destroy(&s->lock);
	arena_release(&s->mem);
	free(s);
}

/* The path and query as they are sent and signed. */
static int write_target(const struct s3_service *s, const struct s3_request *request,
			struct buf *out, struct err *err)
{
	struct str rest = request->key, segment;

	buf_printf(out, "%s", s->path);
	for (bool more = true; more;) {
		more = str_split(rest, '/', &segment, &rest);
		buf_append_byte(out, '/');
		http_append_encoded(out, segment);
	}
	if (request->query)
		buf_printf(out, "?%s", request->query);
	return buf_check(out, "the path of a request to S3", err);
}

/* One try at a request. */
struct attempt {
	struct s3_service *service;
	const char *uri;
	const struct s3_request *request;
	const char *target;
	struct s3_answer *answer;
	struct arena mem; /* of the key and the signed lines */
	struct sigv4_key key;
	struct http_client *client;
};

static int sign_and_send(struct attempt *a, struct err *err)
{
	const struct s3_request *request = a->request;
	struct sigv4_header headers[2];
	const char *lines[MOST_LINES];
	struct sigv4_lines signed_lines;
	struct sigv4_request to_sign = {
		.method = request->method,
		.host = a->service->host,
		.target = str_from(a->target),
		.body = request->body,
		.headers = headers,
		.region = a->service->region,
		.service = "s3",
		.wall_ms = clock_wall_ms(),
	};
	struct http_request http = {.method = request->method,
				    .into = request->into,
				    .into_size = request->into_size,
				    .path = a->target,
				    .body = request->body,
				    .content_type = "application/octet-stream",
				    .headers = lines,
				    .as_it_is = true,
				    .stop = request->stop};
	int rc = aws_credentials_get(a->service->credentials, &a->mem, &a->key, err);

	if (rc < 0)
		return rc;
	if (request->range) {
		headers[to_sign.header_count++] =
			(struct sigv4_header){STR("Range"), str_from(request->range)};
		lines[http.header_count++] = arena_printf(&a->mem, "Range: %s", request->range).ptr;
	}
	if (request->if_match) {
		headers[to_sign.header_count++] =
			(struct sigv4_header){STR("If-Match"), str_from(request->if_match)};
		lines[http.header_count++] =
			arena_printf(&a->mem, "If-Match: %s", request->if_match).ptr;
	}
	if (a->mem.failed)
		return arena_fail(&a->mem, "a request to S3", err);
	rc = sigv4_sign(&to_sign, &a->key, &a->mem, &signed_lines, err);
	for (size_t i = 0; rc == 0 && i < signed_lines.count; i++)
		lines[http.header_count++] = signed_lines.line[i];
	return rc < 0 ? rc : http_client_send(a->client, &http, &a->answer->response, err);
}

static void read_headers(struct attempt *a)
{
	const char *etag = http_client_answer_header(a->client, "ETag");
	const char *length = http_client_answer_header(a->client, "Content-Length");
	const char *range = http_client_answer_header(a->client, "Content-Range");
	struct s3_answer *answer = a->answer;

	answer->etag[0] = '\0';
	if (etag && strlen(etag) < sizeof(answer->etag))
		memcpy(answer->etag, etag, strlen(etag) + 1);
	answer->has_total = range && strrchr(range, '/') &&
			    str_to_u64(str_from(strrchr(range, '/') + 1), &answer->total);
	answer->has_length = length && str_to_u64(str_from(length), &answer->length);
}

static struct s3_refusal refusal_of(struct attempt *a)
{
	const struct s3_service *s = a->service;

	return (struct s3_refusal){
		.status = a->answer->response.status,
		.method = a->request->method,
		.uri = a->uri,
		.endpoint = http_client_url(a->client),
		.proxy = http_client_proxy(a->client),
		.bucket = s->bucket,
		.region = s->region,
		.credentials = aws_credentials_origin(s->credentials, &a->mem),
		.key = a->request->key,
		.body = buf_str(&a->answer->response.body),
		.bucket_region = http_client_answer_header(a->client, "x-amz-bucket-region"),
		.date = http_client_answer_header(a->client, "Date"),
	};
}

/* Whether the caller is to see the answer: it has what it asked for, or the object has not. */
static bool is_answer(const struct s3_refusal *refusal)
{
	bool object = refusal->key.len > 0;
	int status = refusal->status;

	/* Completing an upload begins to answer before it is done. */
	if (status == 200 && strcmp(refusal->method, "POST") == 0 &&
	    xml_element(refusal->body, "Error", NULL).ptr)
		return false;
	return (status >= 200 && status < 300) || (object && (status == 412 || status == 416)) ||
	       (object && status == 404 && !str_is(s3_refusal_code(refusal), "NoSuchBucket"));
}

/* One try. 1: there is an answer; 0: it is worth another try, with *err set; else negative. */
static int attempt(struct attempt *a, bool *renewed, struct err *err)
{
	struct s3_refusal refusal;
	struct err why = {0};
	int rc = sign_and_send(a, &why);

	if (rc < 0) {
		if (err)
			*err = why;
		return why.retry ? 0 : rc;
	}
	read_headers(a);
	refusal = refusal_of(a);
	if (is_answer(&refusal))
		return 1;
	rc = s3_refusal_explain(&refusal, err);
	if (s3_refusal_is_expired(&refusal) && !*renewed) {
		*renewed = true;
		aws_credentials_expire(a->service->credentials, &a->key);
		return 0;
	}
	return s3_refusal_is_passing(&refusal) ? 0 : rc;
}

static int send_with_retries(struct attempt *a, struct err *err)
{
	struct alarm_clock alarm;
	struct backoff backoff;
	struct err last = {0};
	bool renewed = false;
	int rc, again = 1;

	alarm_clock_init(&alarm);
	backoff_start(&backoff, &a->service->retry);
	while ((rc = attempt(a, &renewed, &last)) == 0 && again > 0 && !a->request->stop) {
		arena_reset(&a->mem);
		backoff.tries++;
		again = backoff_wait(&backoff, &alarm, a->answer->response.retry_after_ms, NULL);
	}
	alarm_clock_release(&alarm);
	if (rc > 0)
		return 0;
	if (err)
		*err = last;
	if (a->request->stop)
		return -(int)last.kind;
	return rc < 0 ? rc : err_wrap(err, "gave up after %u tries", backoff.tries);
}

int s3_service_send(struct s3_service *service, const char *uri, const struct s3_request *request,
		    struct s3_answer *answer, struct err *err)
{
	cleanup(buf_release) struct buf target = BUF_INIT(4 * LIMIT_PATH);
	struct attempt a = {.service = service,
			    .uri = uri,
			    .request = request,
			    .answer = answer,
			    .mem = ARENA_INIT(MIB(1))};
	int rc = write_target(service, request, &target, err);

	answer->response.body.limit = MAX(request->answer_max, KIB(64));
	if (rc == 0)
		rc = give_client(service, &a.client, err);
	if (rc == 0) {
		a.target = buf_cstr(&target);
		rc = send_with_retries(&a, err);
		take_back(service, a.client);
	}
	arena_release(&a.mem);
	return rc;
}
