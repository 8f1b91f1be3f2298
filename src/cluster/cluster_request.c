#include "base/clock.h"
#include "cluster/cluster_error.h"
#include "cluster/cluster_internal.h"

#include <stdio.h>

/* From this body size on, a request whose connection was lost is announced before it is sent again,
 * so that a server which refuses its size can say so. */
#define ASK_FIRST_SIZE KIB(512)

bool cluster_status_is_passing(int status)
{
	return status == 429 || status == 502 || status == 503 || status == 504;
}

void cluster_tell_refused(const struct cluster *cluster)
{
	if (cluster->watch.refused)
		cluster->watch.refused(cluster->watch.user,
				       clock_monotonic_ms() - cluster->try_began_ms);
}

/* The error after the last try: that of the transfer, or, if there was an answer, of its status. */
static int give_up(const struct cluster *cluster, const struct http_request *request,
		   unsigned tries, const struct err *lost, struct err *err)
{
	char what[64];

	snprintf(what, sizeof(what), "gave up after %u %s", tries, tries == 1 ? "try" : "tries");
	if (lost->kind == ERR_NONE)
		return cluster_bad_status(cluster, request, what, err);
	if (err)
		*err = *lost;
	if (tries > 1)
		err_wrap(err, "%s", what);
	return -(int)lost->kind;
}

/* What must not be done twice is sent again only where the cluster says that it did not do it. */
static bool may_try_again(bool repeatable, bool answered, int status, const struct err *lost)
{
	return repeatable ? answered || lost->retry : answered && status == 429;
}

int cluster_send(struct cluster *cluster, const struct http_request *request, bool repeatable,
		 struct backoff *backoff, struct err *err)
{
	struct http_request next = *request;

	for (;;) {
		struct err lost = {0};
		int status, waited = 0;
		bool answered;

		cluster->try_began_ms = clock_monotonic_ms();
		answered = http_client_send(cluster->client, &next, &cluster->response, &lost) == 0;
		status = cluster->response.status;
		backoff->tries++;
		if (answered && cluster_response_is_refusal(cluster))
			return cluster_refusal(cluster, request, err);
		if (answered &&
		    (!cluster_status_is_passing(status) || cluster_response_is_full_disk(cluster)))
			return 0;
		if (answered) {
			backoff->refusals++;
			cluster_tell_refused(cluster);
		}
		if (may_try_again(repeatable, answered, status, &lost))
			waited =
				backoff_wait(backoff, &cluster->alarm,
					     answered ? cluster->response.retry_after_ms : -1, err);
		if (waited < 0)
			return waited;
		if (waited == 0)
			return give_up(cluster, request, backoff->tries, &lost, err);
		next.ask_first = !answered && request->body.len >= ASK_FIRST_SIZE;
	}
}

int cluster_request_text(struct cluster *cluster, const char *method, const char *path,
			 struct str body, bool repeatable, int *status, struct str *answer,
			 struct err *err)
{
	struct http_request request = {
		.method = method, .path = path, .body = body, .once = !repeatable};
	struct backoff backoff;
	int rc;

	*status = 0;
	*answer = STR_NONE;
	backoff_start(&backoff, &cluster->retry);
	rc = cluster_send(cluster, &request, repeatable, &backoff, err);
	if (rc < 0)
		return rc;
	*status = cluster->response.status;
	*answer = buf_str(&cluster->response.body);
	return 0;
}

int cluster_request(struct cluster *cluster, const char *method, const char *path, struct str body,
		    bool repeatable, struct arena *mem, int *status, struct json **answer,
		    struct err *err)
{
	struct err unreadable = {0};
	struct str text;
	int rc = cluster_request_text(cluster, method, path, body, repeatable, status, &text, err);

	*answer = NULL;
	if (rc < 0)
		return rc;
	text = arena_str(mem, text);
	if (!text.ptr)
		return arena_fail(mem, "answer of the cluster", err);
	if (json_parse(text, mem, answer, &unreadable) == 0)
		return 0;
	*answer = NULL;
	if (unreadable.kind == ERR_FORMAT)
		return 0;
	if (err)
		*err = unreadable;
	err_wrap(err, "%s %s%.*s", method, http_client_url(cluster->client),
		 (int)strcspn(path, "?"), path);
	return -(int)unreadable.kind;
}
