#include "replay/job.h"

#include "replay/bulk.h"
#include "replay/by_query.h"
#include "replay/cursors.h"
#include "replay/updates.h"
#include "replay/versions.h"

int job_open(struct job *job, const struct job_rules *rules, struct job_counts *counts,
	     struct str bytes, struct str identity, struct arena *mem, struct err *err)
{
	struct err failed = {0};

	*job = (struct job){.rules = rules, .counts = counts, .mem = mem, .identity = identity};
	if (outgoing_open(bytes, mem, &job->out, err) < 0)
		return -(int)err->kind;
	job->head_only = str_is(job->out.method, "HEAD");
	if (rules->transform) {
		int got = outgoing_transform(&job->out, rules->transform, mem, &counts->transform,
					     &failed);

		job->dropped = got == 0;
		counts->transform_failed += got < 0;
	}
	operation_read(job->out.method, job->out.target, mem, &job->operation);
	return 0;
}

/* A write that carries versions, so that it may be sent as often as it takes. */
static bool is_versioned_write(const struct job *job)
{
	enum operation_kind kind = job->operation.kind;

	return job->rules->source_versions &&
	       (kind == OPERATION_INDEX || kind == OPERATION_DELETE || kind == OPERATION_UPDATE ||
		kind == OPERATION_BULK || kind == OPERATION_BY_QUERY);
}

bool job_needs_source(const struct job *job)
{
	return is_versioned_write(job) && !job->has_source && !job->dropped;
}

static bool is_unexplained(int status)
{
	return status == 0 || status == 500;
}

/* The target is busy or away, and says nothing of the request. One that only ever ends the
 * connection, or is an error of the target's own, is given up at last: it may be the request's
 * doing. A node that is stopped answers 500 to what it has begun. */
static bool is_refusal(const struct job *job, int status)
{
	if (!is_versioned_write(job) || job->operation.kind == OPERATION_BY_QUERY)
		return false;
	if (status == 401)
		return job->rules->waits_for_credentials && job->has_source;
	return is_unexplained(status) ? job->unanswered < JOB_ATTEMPTS_MOST
				      : status == 429 || (status >= 502 && status <= 504);
}

/* The source got the request, and how it answered nobody knows. */
static bool is_answer_of_proxy(const struct job *job)
{
	const struct json *error;
	struct json *tree;
	struct err err;

	if (job->source.status < 500 || json_parse(job->source.body, job->mem, &tree, &err) < 0)
		return false;
	error = json_get(tree, "error");
	return str_eq(json_text_or(json_get(error, "type"), STR("")), STR("shardlift_capture"));
}

void job_source(struct job *job, struct str bytes)
{
	struct err err;

	if (job->has_source || bytes.len == 0)
		return;
	if (http_response_parse(bytes, job->head_only, job->mem, &job->source, &err) < 0)
		return;
	http_message_decode(&job->source, OUTGOING_BODY_MAX, job->mem, &err);
	job->has_source = !is_answer_of_proxy(job);
}

int job_plan(struct job *job, const char **why, struct err *err)
{
	int got = 1;

	job->planned = true;
	if (job->dropped) {
		*why = "a transformer dropped it";
		return 0;
	}
	job->names_cursor = cursors_are_named(job);
	if (job->names_cursor && !(job->rules->cursors && cursors_put(job->rules->cursors, job))) {
		job->counts->skipped_cursor++;
		*why = "it names a scroll or a point in time that the target has none for";
		return 0;
	}
	if (job->operation.kind == OPERATION_BULK && bulk_open(job, err) < 0)
		return -(int)err->kind;
	if (job->rules->source_versions && job->operation.kind == OPERATION_BY_QUERY &&
	    by_query_plan(job, err) < 0)
		return -(int)err->kind;
	if (job->rules->source_versions)
		got = versions_plan(job, why, err);
	return got;
}

int job_write(struct job *job, struct buf *out, struct err *err)
{
	if (job->refresh.ptr)
		return by_query_write_refresh(job, out, err);
	if (updates_want_probe(job))
		return updates_write_probe(job, out, err);
	job->probed = false;
	if (job->bulk && bulk_prepare(job, err) < 0)
		return -(int)err->kind;
	return outgoing_write(&job->out, &job->rules->outgoing, job->mem, out, err);
}

static bool is_final_status(int status)
{
	return status == 200 || status == 201 || (status >= 300 && status < 400) || status == 401 ||
	       status == 403;
}

static enum job_verdict again(struct job *job)
{
	unsigned most = job->rules->attempts ? job->rules->attempts : JOB_ATTEMPTS;

	if (job->sent >= most && !job->refused)
		return JOB_FINAL;
	job->counts->retried++;
	return JOB_AGAIN;
}

static enum job_verdict decide_by_source(struct job *job, int status, bool source_is_known)
{
	if (status < 300)
		return JOB_FINAL;
	if (!job->has_source && !source_is_known)
		return JOB_ASK_SOURCE;
	if (!job->has_source || job->source.status < 300)
		return again(job);
	return JOB_FINAL;
}

static enum job_verdict decide_bulk(struct job *job, struct str answer)
{
	if (!bulk_take_answer(job, answer))
		return JOB_FINAL;
	if (job->bulk->failing > 0) {
		if (again(job) == JOB_AGAIN) {
			updates_ask_again(job);
			return JOB_AGAIN;
		}
		if (job->rules->source_versions && bulk_keep_refused(job->bulk)) {
			job->refused = true;
			updates_ask_again(job);
			return again(job);
		}
		return bulk_give_up(job->bulk) ? JOB_NEXT : JOB_FINAL;
	}
	/* What is left waits for its place, which is no failure. */
	job->sent--;
	return JOB_NEXT;
}

/* Who may not refresh, or need not, goes on all the same; to a busy target it is sent again, since
 * without it documents are missed. */
static enum job_verdict decide_refresh(struct job *job, int status)
{
	bool busy = is_unexplained(status) || status == 429 || (status >= 502 && status <= 504);
	unsigned most = job->rules->attempts ? job->rules->attempts : JOB_ATTEMPTS;

	job->probing = false;
	if (busy && ++job->refreshes < most) {
		job->counts->retried++;
		return JOB_AGAIN;
	}
	job->refresh = STR_NONE;
	return JOB_NEXT;
}

static enum job_verdict decide_probe(struct job *job, int status, struct str answer)
{
	if (job->refresh.ptr)
		return decide_refresh(job, status);
	if (!job->refused)
		return updates_take_probe(job, status, answer);
	job_not_sent(job);
	return JOB_AGAIN;
}

enum job_verdict job_decide(struct job *job, int status, struct str answer, bool source_is_known)
{
	enum job_verdict verdict;

	job->unanswered = is_unexplained(status) ? job->unanswered + 1 : 0;
	job->refused = is_refusal(job, status);
	if (job->probing)
		return decide_probe(job, status, answer);
	if (job->last_status != -1)
		job->sent++;
	job->last_status = status;
	if (status == 0 || job->refused) {
		updates_ask_again(job);
		return again(job);
	}
	if (job->bulk && status == 200)
		return decide_bulk(job, answer);
	if (versions_take_answer(job, status, &verdict))
		return verdict;
	if (is_final_status(status))
		return JOB_FINAL;
	if (job->operation.kind == OPERATION_BULK && (status == 429 || status >= 500))
		return again(job);
	verdict = decide_by_source(job, status, source_is_known);
	if (verdict == JOB_ASK_SOURCE) {
		/* The same answer comes here again. */
		job->last_status = -1;
		job->deciding_status = status;
	}
	return verdict;
}

void job_not_sent(struct job *job)
{
	if (job->probing && !job->asks_deleted && !job->refresh.ptr)
		job->probes--;
	/* A connection that was used before may have ended behind it. */
	if (!job->probing)
		updates_ask_again(job);
	job->probing = false;
}

struct str job_stitched(struct job *job, struct str last)
{
	return job->bulk ? bulk_stitched(job, last) : STR_NONE;
}
