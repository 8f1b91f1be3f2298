#include "cluster/bulk.h"

#include "cluster/bulk_answer.h"
#include "cluster/cluster_error.h"
#include "cluster/cluster_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* How often a bulk is sent again whole after status 500 before a single document is suspected. */
#define PATIENCE 2
/* Single documents in a row that bring status 500: then it is not the documents. */
#define HOPELESS 16

/* Longest wait between tries while a disk is full: somebody may be waiting beside it. */
#define FULL_DISK_DELAY_MS 5000

/* One call of bulk_send. */
struct sending {
	struct cluster *cluster;
	const struct bulk *bulk;
	bool compress;
	struct bulk_result *result;
	struct backoff backoff;
	size_t *items;    /* indices of all items; each step works on a part of it */
	struct buf body;  /* of a part with gaps */
	struct arena mem; /* of the last answer */
	unsigned patience, server_errors;
	bool blocked; /* by a full disk, as of the last answer */
};

static void sending_release(struct sending *s)
{
	free(s->items);
	buf_release(&s->body);
	arena_release(&s->mem);
}

void bulk_result_init(struct bulk_result *result)
{
	*result = (struct bulk_result){.mem = ARENA_INIT(LIMIT_BULK_RESULT)};
}

void bulk_result_release(struct bulk_result *result)
{
	arena_release(&result->mem);
	bulk_result_init(result);
}

/* `before` and the reason, in the result's arena. */
static struct str keep_reason(struct bulk_result *result, const char *before, struct str reason)
{
	struct str kept = arena_printf(&result->mem, "%s" STR_FMT, before, STR_ARG(reason));

	return kept.ptr ? kept : STR("no memory for the reason");
}

static int add_failure(struct sending *s, size_t item, int status, struct str type,
		       const char *before, struct str reason, struct err *err)
{
	struct bulk_result *result = s->result;

	if (!result->failures)
		result->failures =
			arena_zalloc(&result->mem, s->bulk->count, sizeof(*result->failures));
	if (!result->failures)
		return arena_fail(&result->mem, "failures of a bulk", err);
	result->failures[result->failure_count++] = (struct bulk_failure){
		.item = item,
		.status = status,
		.type = arena_str(&result->mem, type),
		.reason = keep_reason(result, before, reason),
	};
	return 0;
}

static int add_item_failure(struct sending *s, size_t item, const struct bulk_item_answer *answer,
			    const char *before, struct err *err)
{
	struct str type, reason;

	cluster_error_parts(answer->error, answer->status, &s->mem, &type, &reason);
	return add_failure(s, item, answer->status, type, before, reason, err);
}

/* The body of these items, which are in ascending order: a slice of the bulk's where there are no
 * gaps between them. */
static struct str body_of(struct sending *s, const size_t *items, size_t count)
{
	const struct bulk *bulk = s->bulk;
	size_t first = items[0], last = items[count - 1];

	if (last - first + 1 == count)
		return str_of(bulk->body.ptr + bulk->items[first].action_start,
			      bulk->items[last].end - bulk->items[first].action_start);
	buf_reset(&s->body);
	for (size_t i = 0; i < count; i++) {
		const struct bulk_item *item = &bulk->items[items[i]];

		buf_append(&s->body, bulk->body.ptr + item->action_start,
			   item->end - item->action_start);
	}
	return buf_str(&s->body);
}

static int send_items(struct sending *s, size_t *items, size_t count, struct err *err);

/* Both halves, until the one document that cannot pass stands alone. */
static int split(struct sending *s, size_t *items, size_t count, struct err *err)
{
	int failed;

	backoff_prolong(&s->backoff);
	failed = send_items(s, items, count / 2, err);
	return failed < 0 ? failed : send_items(s, items + count / 2, count - count / 2, err);
}

static int fail_alone(struct sending *s, size_t item, struct err *err)
{
	const struct cluster *cluster = s->cluster;
	struct str body = buf_str(&cluster->response.body), type = STR_NONE, reason;
	struct json *answer = NULL;

	arena_reset(&s->mem);
	if (json_parse(body, &s->mem, &answer, NULL) == 0 && json_get(answer, "error"))
		cluster_error_parts(json_get(answer, "error"), cluster->response.status, &s->mem,
				    &type, &reason);
	else if (cluster->response.status == 413 && !body.len)
		reason = STR("larger than the target takes in one request "
			     "(see its http.max_content_length)");
	else
		reason = cluster_response_reason(cluster, &s->mem);
	return add_failure(s, item, cluster->response.status, type, "", reason, err);
}

/* The words of a block, without the ';' that ends them. */
static struct str block_reason(struct sending *s, const struct json *error)
{
	struct str type, reason;

	cluster_error_parts(error, 0, &s->mem, &type, &reason);
	while (reason.len && reason.ptr[reason.len - 1] == ';')
		reason.len--;
	return reason;
}

/* A full disk is no fault of the documents: they wait longer, and never fail for it. */
static void note_block(struct sending *s, const struct json *error)
{
	const struct cluster_watch *watch = &s->cluster->watch;

	if (!s->blocked) {
		s->backoff.policy.max_total_ms =
			MAX(watch->block_wait_ms, s->backoff.policy.max_total_ms);
		s->backoff.policy.max_delay_ms =
			MIN(FULL_DISK_DELAY_MS, s->backoff.policy.max_delay_ms);
		s->backoff.delay_ms = MIN(s->backoff.delay_ms, FULL_DISK_DELAY_MS);
		backoff_prolong(&s->backoff);
	}
	s->blocked = true;
	if (watch->blocked)
		watch->blocked(watch->user, block_reason(s, error));
}

static void note_unblock(struct sending *s)
{
	const struct cluster_watch *watch = &s->cluster->watch;

	if (!s->blocked)
		return;
	s->blocked = false;
	s->backoff.policy = s->cluster->retry;
	backoff_prolong(&s->backoff);
	if (watch->unblocked)
		watch->unblocked(watch->user);
}

static int still_blocked(struct sending *s, const struct json *error, struct err *err)
{
	struct str reason = block_reason(s, error);

	return err_set(err, ERR_HTTP,
		       "POST %s/_bulk: the target takes no writes for %lld s now, its disk is "
		       "full: %.*s; free space there and run the same command again",
		       http_client_url(s->cluster->client),
		       (long long)s->backoff.policy.max_total_ms / 1000,
		       (int)MIN(reason.len, (size_t)400), reason.ptr);
}

/* No disk of the target has room, for the whole request. 1: send it again. */
static int wait_for_disk(struct sending *s, struct err *err)
{
	struct json *answer = NULL;
	const struct json *error;
	int waited;

	arena_reset(&s->mem);
	if (json_parse(buf_str(&s->cluster->response.body), &s->mem, &answer, err) < 0)
		return -(int)err->kind;
	error = json_get(answer, "error");
	s->backoff.refusals++;
	cluster_tell_refused(s->cluster);
	note_block(s, error);
	waited = backoff_wait(&s->backoff, &s->cluster->alarm, -1, err);
	return waited == 0 ? still_blocked(s, error, err) : waited;
}

/* A status other than 2xx for a whole request. 1: send it again. */
static int refused(struct sending *s, const struct http_request *request, size_t *items,
		   size_t count, struct err *err)
{
	int status = s->cluster->response.status, waited;
	bool server_error = status >= 500 || status == 408;

	if (cluster_response_is_full_disk(s->cluster))
		return wait_for_disk(s, err);
	if (!server_error && status != 400 && status != 413)
		return cluster_bad_status(s->cluster, request, "the bulk is refused", err);
	if (server_error && s->patience > 0) {
		s->patience--;
		waited = backoff_wait(&s->backoff, &s->cluster->alarm,
				      s->cluster->response.retry_after_ms, err);
		if (waited != 0)
			return waited;
	}
	if (count > 1)
		return split(s, items, count, err);
	if (server_error && ++s->server_errors >= HOPELESS)
		return cluster_bad_status(s->cluster, request,
					  "every document is refused, even alone", err);
	return fail_alone(s, items[0], err);
}

/* The target is as the item would have it, or further, and says so by refusing it. */
static bool is_superseded(const struct bulk_item *item, const struct bulk_item_answer *answer)
{
	if (answer->status == 409)
		return item->external || item->operation == BULK_CREATE;
	return answer->status == 404 && item->operation == BULK_DELETE && answer->wordless;
}

/* Counts what was taken and records what failed for good. Moves those to be sent again to the front
 * of `items` and `answers`; *left is their number. */
static int account(struct sending *s, size_t *items, struct bulk_item_answer *answers, size_t count,
		   size_t *left, struct err *err)
{
	size_t kept = 0;
	int failed;

	for (size_t i = 0; i < count; i++) {
		if (!answers[i].error) {
			s->result->succeeded++;
		} else if (is_superseded(&s->bulk->items[items[i]], &answers[i])) {
			s->result->succeeded++;
			s->result->superseded++;
		} else if (cluster_status_is_passing(answers[i].status) ||
			   cluster_error_is_full_disk(answers[i].error)) {
			s->result->refusals++;
			items[kept] = items[i];
			answers[kept++] = answers[i];
		} else if ((failed = add_item_failure(s, items[i], &answers[i], "", err)) < 0) {
			return failed;
		}
	}
	*left = kept;
	return 0;
}

/* The time is up: what still was not taken has failed. */
static int give_up(struct sending *s, const size_t *items, const struct bulk_item_answer *answers,
		   size_t count, struct err *err)
{
	char before[64];
	int failed = 0;

	snprintf(before, sizeof(before), "gave up after %u %s: ", s->backoff.tries,
		 s->backoff.tries == 1 ? "try" : "tries");
	for (size_t i = 0; i < count && failed == 0; i++)
		failed = add_item_failure(s, items[i], &answers[i], before, err);
	return failed;
}

/* The first of these that is blocked by a full disk; NULL: none. */
static const struct json *find_block(const struct bulk_item_answer *answers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (cluster_error_is_full_disk(answers[i].error))
			return answers[i].error;
	return NULL;
}

/* Waits before the `left` items that were not taken are sent again: 1. When the time is up they
 * have failed; but what a full disk kept out ends the run. */
static int wait_for_items(struct sending *s, const size_t *items,
			  const struct bulk_item_answer *answers, size_t left, struct err *err)
{
	const struct json *block = find_block(answers, left);
	int waited;

	cluster_tell_refused(s->cluster);
	if (block)
		note_block(s, block);
	else
		note_unblock(s);
	waited = backoff_wait(&s->backoff, &s->cluster->alarm, s->cluster->response.retry_after_ms,
			      err);
	if (waited != 0)
		return waited;
	return block ? still_blocked(s, block, err) : give_up(s, items, answers, left, err);
}

/* Reads an answer with status 2xx. 1: *count items, now at the front, are to be sent again. */
static int answered(struct sending *s, size_t *items, size_t *count, struct err *err)
{
	struct bulk_answer answer;
	size_t left;
	int failed;

	s->server_errors = 0;
	arena_reset(&s->mem);
	failed = bulk_answer_read(buf_str(&s->cluster->response.body), *count, &s->mem, &answer,
				  err);
	if (failed < 0)
		return err_wrap(err, "POST %s/_bulk", http_client_url(s->cluster->client));
	if (answer.all_taken) {
		s->result->succeeded += *count;
		note_unblock(s);
		return 0;
	}
	if ((failed = account(s, items, answer.items, *count, &left, err)) < 0)
		return failed;
	if (left == 0) {
		note_unblock(s);
		return 0;
	}
	if (left < *count)
		backoff_prolong(&s->backoff);
	*count = left;
	return wait_for_items(s, items, answer.items, left, err);
}

static int send_items(struct sending *s, size_t *items, size_t count, struct err *err)
{
	struct http_request request = {
		.method = "POST",
		.path = BULK_PATH,
		.content_type = "application/x-ndjson",
		.compress = s->compress,
	};
	int again;

	do {
		request.body = body_of(s, items, count);
		again = cluster_send(s->cluster, &request, true, &s->backoff, err);
		if (again < 0)
			return again;
		if (s->cluster->response.status >= 200 && s->cluster->response.status < 300)
			again = answered(s, items, &count, err);
		else
			again = refused(s, &request, items, count, err);
	} while (again > 0);
	return again;
}

int bulk_send(struct cluster *cluster, const struct bulk *bulk, bool compress,
	      struct bulk_result *result, struct err *err)
{
	cleanup(sending_release) struct sending s = {
		.cluster = cluster,
		.bulk = bulk,
		.compress = compress,
		.result = result,
		.body = BUF_INIT(bulk->body.len),
		.mem = ARENA_INIT(LIMIT_METADATA_ARENA),
		.patience = PATIENCE,
	};
	int failed;

	arena_reset(&result->mem);
	result->failures = NULL;
	result->succeeded = result->failure_count = result->retries = 0;
	result->superseded = result->refusals = 0;
	if (bulk->count == 0)
		return 0;
	s.items = mem_alloc(bulk->count * sizeof(*s.items));
	for (size_t i = 0; i < bulk->count; i++)
		s.items[i] = i;
	backoff_start(&s.backoff, &cluster->retry);
	failed = send_items(&s, s.items, bulk->count, err);
	result->retries = s.backoff.tries > 0 ? s.backoff.tries - 1 : 0;
	result->refusals += s.backoff.refusals;
	return failed;
}
