#include "store/object_service.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "net/http_date.h"
#include "net/web_call.h"

#include <pthread.h>
#include <stdlib.h>

#define RETRY_MS (60 * 1000)
#define FIRST_DELAY_MS 100
#define MOST_DELAY_MS 10000

struct object_service {
	const struct object_dialect *dialect;
	void *account;
	struct http_options http;
	struct backoff_policy retry;
	struct arena mem;     /* of http's strings */
	pthread_mutex_t lock; /* of what follows */
	unsigned references;
	struct http_client *idle[OBJECT_CONNECTIONS_KEPT];
	size_t idle_count;
};

static int give_client(struct object_service *s, struct http_client **out, struct err *err)
{
	*out = NULL;
	pthread_mutex_lock(&s->lock);
	if (s->idle_count > 0)
		*out = s->idle[--s->idle_count];
	pthread_mutex_unlock(&s->lock);
	return *out ? 0 : http_client_new(&s->http, out, err);
}

static void take_back(struct object_service *s, struct http_client *client)
{
	struct http_client *surplus = NULL;

	pthread_mutex_lock(&s->lock);
	if (s->idle_count < OBJECT_CONNECTIONS_KEPT)
		s->idle[s->idle_count++] = client;
	else
		surplus = client;
	pthread_mutex_unlock(&s->lock);
	http_client_free(surplus);
}

static void freep(struct object_service **service)
{
	object_service_release(*service);
}

int object_service_open(const struct object_dialect *dialect, void *account, const char *endpoint,
			const struct blob_store_options *options, struct object_service **out,
			struct err *err)
{
	cleanup(freep) struct object_service *s = mem_zalloc(sizeof(*s));
	const char *server, *path;
	struct http_client *client;
	int rc;

	pthread_mutex_init(&s->lock, NULL);
	s->references = 1;
	s->dialect = dialect;
	s->account = account;
	s->mem = ARENA_INIT(MIB(1));
	s->retry =
		(struct backoff_policy){FIRST_DELAY_MS, MOST_DELAY_MS,
					options->s3_retry_ms > 0 ? options->s3_retry_ms : RETRY_MS};
	rc = web_url_split(endpoint, &s->mem, &server, &path, err);
	if (rc < 0)
		return err_wrap(err, "%s", dialect->endpoint_flag);
	s->http = (struct http_options){
		.host = server,
		.ca_file = options->s3_ca_file,
		.insecure = options->s3_insecure,
		.request_timeout_ms = options->s3_request_timeout_ms,
		.flag_prefix = "--s3-",
		.host_flag = dialect->endpoint_flag,
	};
	if ((rc = give_client(s, &client, err)) < 0)
		return rc;
	take_back(s, client);
	*out = take(s);
	return 0;
}

struct object_service *object_service_hold(struct object_service *service)
{
	pthread_mutex_lock(&service->lock);
	service->references++;
	pthread_mutex_unlock(&service->lock);
	return service;
}

void object_service_release(struct object_service *s)
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
	s->dialect->free_account(s->account);
	pthread_mutex_destroy(&s->lock);
	arena_release(&s->mem);
	free(s);
}

void *object_service_account(const struct object_service *service)
{
	return service->account;
}

void object_answer_release(struct object_answer *answer)
{
	http_response_release(&answer->response);
}

bool object_status_is_passing(int status)
{
	return status >= 500 || status == 429 || status == 408;
}

int object_skew_error(const struct object_refusal *refusal, struct err *err)
{
	char ours[30];

	if (!http_date_is_skewed(refusal->date))
		return 0;
	http_date_format(clock_wall_ms(), ours);
	return err_set(err, ERR_AUTH,
		       "%s refuses the time of this machine: it is %s here and %s there; set the "
		       "clock",
		       refusal->endpoint, ours, refusal->date);
}

/* One try at a request. */
struct attempt {
	struct object_service *service;
	const char *uri;
	const struct object_request *request;
	struct object_answer *answer;
	struct arena mem; /* of what lets it in */
	struct object_pass pass;
	struct http_client *client;
};

static void add_line(struct attempt *a, const char *line)
{
	if (a->pass.count == OBJECT_HEADERS_MAX)
		BUG("too many header lines");
	a->pass.line[a->pass.count++] = line;
}

static int let_in_and_send(struct attempt *a, struct err *err)
{
	const struct object_dialect *dialect = a->service->dialect;
	const struct object_request *request = a->request;
	struct http_request http = {.method = request->method,
				    .into = request->into,
				    .into_size = request->into_size,
				    .headers = a->pass.line,
				    .content_type = request->content_type,
				    .body = request->body,
				    .as_it_is = true,
				    .stop = request->stop};
	int rc;

	a->pass = (struct object_pass){.target = request->target};
	rc = dialect->let_in(a->service->account, request, &a->mem, &a->pass, err);
	if (rc < 0)
		return rc;
	if (request->range)
		add_line(a, arena_printf(&a->mem, "Range: %s", request->range).ptr);
	if (request->if_match)
		add_line(a, arena_printf(&a->mem, "If-Match: %s", request->if_match).ptr);
	for (size_t i = 0; i < COUNT_OF(request->headers) && request->headers[i]; i++)
		add_line(a, request->headers[i]);
	if (a->mem.failed)
		return arena_fail(&a->mem, "a request", err);
	http.path = a->pass.target;
	http.header_count = a->pass.count;
	return http_client_send(a->client, &http, &a->answer->response, err);
}

/* Copies a header of the answer; one that is absent or too long is empty. */
static void copy_header(const struct attempt *a, const char *name, char *to, size_t room)
{
	const char *value = http_client_answer_header(a->client, name);
	size_t len = value ? strlen(value) : 0;

	to[0] = '\0';
	if (len > 0 && len < room)
		memcpy(to, value, len + 1);
}

static void read_headers(struct attempt *a)
{
	const char *range = http_client_answer_header(a->client, "Content-Range");
	struct object_answer *answer = a->answer;

	copy_header(a, a->service->dialect->tag_header, answer->tag, sizeof(answer->tag));
	copy_header(a, "Range", answer->range, sizeof(answer->range));
	copy_header(a, "Location", answer->location, sizeof(answer->location));
	answer->has_total = range && strrchr(range, '/') &&
			    str_to_u64(str_from(strrchr(range, '/') + 1), &answer->total);
}

static struct object_refusal refusal_of(struct attempt *a)
{
	const struct object_dialect *dialect = a->service->dialect;

	return (struct object_refusal){
		.status = a->answer->response.status,
		.method = a->request->method,
		.uri = a->uri,
		.endpoint = http_client_url(a->client),
		.origin = dialect->origin(a->service->account),
		.object = a->request->object,
		.body = buf_str(&a->answer->response.body),
		.code = dialect->code_header
				? http_client_answer_header(a->client, dialect->code_header)
				: NULL,
		.date = http_client_answer_header(a->client, "Date"),
	};
}

/* Whether the caller is to see the answer: it has what it asked for, or the object has not. */
static bool is_answer(const struct attempt *a, const struct object_refusal *refusal)
{
	bool read = refusal->object.len > 0 && strcmp(refusal->method, "GET") == 0;
	int status = refusal->status;

	return (status >= 200 && status < 300) || status == 308 ||
	       (read && (status == 412 || status == 416)) ||
	       (read && status == 404 && a->service->dialect->is_object_missing(refusal));
}

/* One try. 1: there is an answer; 0: it is worth another try, with *err set; else negative. */
static int attempt(struct attempt *a, bool *renewed, struct err *err)
{
	const struct object_dialect *dialect = a->service->dialect;
	struct object_refusal refusal;
	struct err why = {0};
	int rc = let_in_and_send(a, &why);

	if (rc < 0) {
		*err = why;
		return why.retry ? 0 : rc;
	}
	read_headers(a);
	refusal = refusal_of(a);
	if (is_answer(a, &refusal))
		return 1;
	rc = dialect->explain(a->service->account, &refusal, err);
	err->http_status = refusal.status;
	if (a->pass.credential.len > 0 && !*renewed && dialect->is_expired(&refusal)) {
		*renewed = true;
		dialect->expire(a->service->account, a->pass.credential);
		return 0;
	}
	return dialect->is_passing(&refusal) ? 0 : rc;
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

int object_service_send(struct object_service *service, const char *uri,
			const struct object_request *request, struct object_answer *answer,
			struct err *err)
{
	struct attempt a = {.service = service,
			    .uri = uri,
			    .request = request,
			    .answer = answer,
			    .mem = ARENA_INIT(MIB(1))};
	int rc = give_client(service, &a.client, err);

	answer->response.body.limit = MAX(request->answer_max, KIB(64));
	if (rc == 0) {
		rc = send_with_retries(&a, err);
		take_back(service, a.client);
	}
	arena_release(&a.mem);
	return rc;
}
