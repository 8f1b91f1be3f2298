#include "metadata/dashboards_internal.h"

#include <stdio.h>
#include <stdlib.h>

#define SPACE_MAX 512

static bool is_passing(int status)
{
	return status == 429 || status == 502 || status == 503 || status == 504;
}

/* Kibana's space stands in the path, Dashboards' tenant in a header. */
static int address(const struct dashboards *d, const struct dashboards_request *request,
		   struct buf *path, struct buf *tenant, struct err *err)
{
	bool named = request->space.len > 0 && !str_is(request->space, "default");

	for (size_t i = 0; i < request->space.len; i++)
		if ((unsigned char)request->space.ptr[i] < ' ' || request->space.len > SPACE_MAX)
			return err_set(err, ERR_USAGE,
				       "the name of a space or tenant is not well said");
	if (named && d->is_kibana) {
		buf_printf(path, "/s/");
		http_append_encoded(path, request->space);
	}
	buf_printf(path, "%s", request->path);
	if (named && !d->is_kibana)
		buf_printf(tenant, "securitytenant: " STR_FMT, STR_ARG(request->space));
	return buf_check(path, "the path of a request", err);
}

static int refusal(const struct dashboards *d, const char *path, struct err *err)
{
	return err_set(err, ERR_AUTH, "%s%s answers %d; give %susername and %spassword of who may",
		       http_client_url(d->client), path, d->response.status,
		       http_client_flag_prefix(d->client), http_client_flag_prefix(d->client));
}

static int send_until_answered(struct dashboards *d, const struct http_request *request,
			       struct err *err)
{
	struct backoff backoff;

	backoff_start(&backoff, &d->retry);
	for (;;) {
		struct err lost = {0};
		int sent = http_client_send(d->client, request, &d->response, &lost), waited = 0;

		if (sent == 0 && !is_passing(d->response.status))
			return 0;
		if (sent == 0 || lost.retry)
			waited = backoff_wait(&backoff, &d->alarm,
					      sent < 0 ? -1 : d->response.retry_after_ms, err);
		if (waited < 0)
			return waited;
		if (waited > 0)
			continue;
		if (sent < 0) {
			*err = lost;
			return -(int)lost.kind;
		}
		return err_set(err, ERR_HTTP, "%s%s keeps answering %d", http_client_url(d->client),
			       request->path, d->response.status);
	}
}

int dashboards_send(struct dashboards *d, const struct dashboards_request *request, struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH),
					tenant = BUF_INIT(SPACE_MAX + 32);
	/* Each has a header of its own against requests from elsewhere, and ignores the other's. */
	const char *headers[3] = {"osd-xsrf: true", "kbn-xsrf: true"};
	struct http_request sent = {.method = request->method,
				    .content_type = request->content_type,
				    .body = request->body,
				    .headers = headers,
				    .header_count = 2};

	if (address(d, request, &path, &tenant, err) < 0)
		return -(int)err->kind;
	sent.path = buf_cstr(&path);
	if (tenant.len > 0)
		headers[sent.header_count++] = buf_cstr(&tenant);
	if (send_until_answered(d, &sent, err) < 0)
		return -(int)err->kind;
	if (d->response.status == 401 || d->response.status == 403)
		return refusal(d, sent.path, err);
	return 0;
}

struct json *dashboards_answer(struct dashboards *d, struct arena *mem)
{
	struct json *answer = NULL;
	struct err ignored = {0};
	struct str text = arena_str(mem, buf_str(&d->response.body));

	return text.ptr && json_parse(text, mem, &answer, &ignored) == 0 ? answer : NULL;
}

struct str dashboards_reason(const struct dashboards *d, const struct json *answer,
			     struct arena *mem)
{
	struct str message = json_string(json_get(answer, "message"));

	return message.len > 0 ? message : arena_printf(mem, "status %d", d->response.status);
}

/* Kibana's numbers begin at 4, and Dashboards' end before. */
static int read_status(struct dashboards *d, struct arena *mem, struct err *err)
{
	const struct dashboards_request status = {.method = "GET", .path = "/api/status"};
	const struct json *answer;
	struct str number, major, minor;
	uint64_t numbers[2] = {0};

	if (dashboards_send(d, &status, err) < 0)
		return -(int)err->kind;
	answer = dashboards_answer(d, mem);
	number = json_string(json_path(answer, "version", "number", NULL));
	str_split(number, '.', &major, &minor);
	str_split(minor, '.', &minor, &number);
	if (!str_to_u64(major, &numbers[0]) || !str_to_u64(minor, &numbers[1]) ||
	    numbers[0] > 999 || numbers[1] > 999)
		return err_set(err, ERR_UNSUPPORTED,
			       "%s/api/status does not answer as Kibana or OpenSearch Dashboards "
			       "do (status %d); give the URL of a browser, with its port",
			       http_client_url(d->client), d->response.status);
	d->major = (int)numbers[0];
	d->minor = (int)numbers[1];
	d->is_kibana = d->major > 3;
	snprintf(d->version_text, sizeof(d->version_text), "%s " STR_FMT,
		 d->is_kibana ? "Kibana" : "OpenSearch Dashboards",
		 STR_ARG(json_string(json_path(answer, "version", "number", NULL))));
	if (d->is_kibana && d->major < 6)
		return err_set(err, ERR_UNSUPPORTED,
			       "%s is %s, which has no API for saved objects; export them in its "
			       "management page, or upgrade Kibana to 6.8 first",
			       http_client_url(d->client), d->version_text);
	return 0;
}

int dashboards_open(const struct http_options *options, int64_t retry_ms, struct dashboards **out,
		    struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	struct dashboards *d = mem_zalloc(sizeof(*d));

	alarm_clock_init(&d->alarm);
	d->retry = (struct backoff_policy){
		.initial_delay_ms = 1000, .max_delay_ms = 60000, .max_total_ms = retry_ms};
	if (http_client_new(options, &d->client, err) < 0 || read_status(d, &mem, err) < 0) {
		dashboards_close(d);
		return -(int)err->kind;
	}
	*out = d;
	return 0;
}

void dashboards_close(struct dashboards *d)
{
	if (!d)
		return;
	http_response_release(&d->response);
	http_client_free(d->client);
	alarm_clock_release(&d->alarm);
	free(d);
}

bool dashboards_is_kibana(const struct dashboards *d)
{
	return d->is_kibana;
}

const char *dashboards_version_text(const struct dashboards *d)
{
	return d->version_text;
}

int dashboards_spaces(struct dashboards *d, struct arena *mem, struct json **out, struct err *err)
{
	const struct dashboards_request list = {.method = "GET", .path = "/api/spaces/space"};
	struct json *answer;

	if (!d->is_kibana)
		return err_set(err, ERR_UNSUPPORTED,
			       "%s cannot tell its tenants; name each with --space TENANT",
			       d->version_text);
	if (dashboards_send(d, &list, err) < 0)
		return -(int)err->kind;
	answer = dashboards_answer(d, mem);
	if (d->response.status != 200 || !answer || answer->type != JSON_ARRAY)
		return err_set(err, ERR_UNSUPPORTED,
			       "%s does not tell its spaces (status %d); name each with --space",
			       d->version_text, d->response.status);
	*out = json_new(mem, JSON_ARRAY);
	json_each (space, answer)
		json_append(*out, json_new_string(mem, json_string(json_get(space, "id"))));
	return mem->failed ? arena_fail(mem, "the spaces", err) : 0;
}
