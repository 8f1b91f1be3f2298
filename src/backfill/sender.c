/* A sender thread: sends bulks and accounts for each of their items. */
#include "backfill/pipeline_internal.h"
#include "base/clock.h"
#include "base/json.h"

static int record_failure(struct pipeline *p, const struct pooled_bulk *bulk,
			  const struct bulk_failure *failure, struct arena *mem, struct err *err)
{
	struct failed_document record = {.target_index = bulk->origin.index,
					 .failure_type = failure->type,
					 .reason = failure->reason,
					 .status = failure->status,
					 .action = bulk_item_action(&bulk->bulk, failure->item),
					 .source = bulk_item_source(&bulk->bulk, failure->item)};
	struct json *action;
	char work_item[WORK_ITEM_MAX];

	pipeline_work_item(&p->indices[bulk->item->index], bulk->origin.shard, work_item);
	record.work_item = str_from(work_item);
	/* The id is where it was written to; a target that makes ids has none. */
	if (json_parse(record.action, mem, &action, NULL) == 0)
		record.id = json_string(json_get(action->first, "_id"));
	return failed_documents_add(p->failed, &record, err);
}

static int record_failures(struct pipeline *p, const struct pooled_bulk *bulk,
			   const struct bulk_result *result, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));

	for (size_t i = 0; p->failed && i < result->failure_count; i++) {
		int rc = record_failure(p, bulk, &result->failures[i], &mem, err);

		if (rc < 0)
			return rc;
		arena_reset(&mem);
	}
	return 0;
}

static void count(struct pipeline *p, const struct pooled_bulk *bulk,
		  const struct bulk_result *result)
{
	if (result->succeeded + result->failure_count != bulk->bulk.count)
		BUG("a sink does not account for every document");
	atomic_fetch_add(&p->progress->documents_sent, result->succeeded);
	atomic_fetch_add(&p->progress->documents_failed, result->failure_count);
	atomic_fetch_add(&p->progress->bytes_sent, bulk->bulk.body.len);
	atomic_fetch_add(&p->progress->retries, result->retries);
}

/* 1: the run is stopped before its turn came. Those in flight have time to end. */
static int send_pressed(struct pipeline *p, struct bulk_sink *sink, const struct pooled_bulk *bulk,
			struct bulk_result *result, struct err *err)
{
	struct pressure *pressure = p->options->pressure;
	int64_t began;
	int rc;

	if (!pressure)
		return sink->ops->send(sink, &bulk->bulk, &bulk->origin, result, err);
	if (!pressure_enter(pressure, bulk->bulk.count, bulk->bulk.body.len, &p->stopped))
		return 1;
	began = clock_monotonic_ms();
	rc = sink->ops->send(sink, &bulk->bulk, &bulk->origin, result, err);
	pressure_leave(pressure, &(struct pressure_outcome){
					 .elapsed_ms = clock_monotonic_ms() - began,
					 .refusals = result->refusals,
					 .bytes = bulk->bulk.body.len,
				 });
	return rc;
}

static int send_one(struct pipeline *p, struct bulk_sink *sink, const struct pooled_bulk *bulk,
		    struct err *err)
{
	cleanup(bulk_result_release) struct bulk_result result;
	struct item_counts counts = bulk->counts;
	int rc;

	bulk_result_init(&result);
	rc = send_pressed(p, sink, bulk, &result, err);
	if (rc != 0)
		return MIN(rc, 0);
	allowed_failures_apply(&p->options->allowed, &result);
	/* On record before they are counted: a full disk must not hide them. */
	rc = record_failures(p, bulk, &result, err);
	if (rc < 0)
		return rc;
	count(p, bulk, &result);
	counts.sent += result.succeeded;
	counts.failed += result.failure_count;
	counts.superseded += result.superseded;
	return item_acknowledge(bulk->item, bulk->covers, &counts, &bulk->hashes, err);
}

void *sender_main(void *sender_start)
{
	const struct sender_start *start = sender_start;
	struct pipeline *p = start->pipeline;
	struct pooled_bulk *bulk;
	struct err err;

	while ((bulk = bounded_queue_pop(p->queue))) {
		/* Once it is stopped, or its lease lost, what waits is only given back. */
		if (!pipeline_stopping(p) && item_is_open(bulk->item) &&
		    send_one(p, start->sink, bulk, &err) < 0)
			pipeline_stop(p, &err);
		item_drop(bulk->item);
		bulk_pool_give(p->pool, bulk);
	}
	if (!pipeline_stopping(p) && start->sink->ops->finish &&
	    start->sink->ops->finish(start->sink, &err) < 0)
		pipeline_stop(p, &err);
	pthread_mutex_lock(&p->lock);
	p->senders_left--;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}
