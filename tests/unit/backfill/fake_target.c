#include "fake_backfill.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct fake_target target;

struct fake_sink {
	struct bulk_sink base;
	size_t worker;
};

static void see_bulk(const struct bulk *bulk)
{
	size_t i = 0;

	target.largest_body = MAX(target.largest_body, bulk->body.len);
	target.most_documents = MAX(target.most_documents, bulk->count);
	target.bulks_beyond += bulk->count > 1 && bulk->body.len > target.body_limit;
	while (i < target.bulk_count && target.bulks[i].bulk != bulk)
		i++;
	if (i == COUNT_OF(target.bulks))
		return;
	target.bulks[i].bulk = bulk;
	target.bulks[i].capacity = MAX(target.bulks[i].capacity, bulk->body.capacity);
	target.bulk_count = MAX(target.bulk_count, i + 1);
}

/* The id in the action line: "shard/document". */
static void see_item(const struct bulk *bulk, size_t item, const struct bulk_origin *origin)
{
	const struct bulk_item *at = &bulk->items[item];
	char action[200], operation[10];
	bool is_delete = at->operation == BULK_DELETE;
	size_t length = MIN(at->source_start - at->action_start, sizeof(action) - 1);
	size_t document;
	int32_t shard;

	memcpy(action, bulk->body.ptr + at->action_start, length);
	action[length] = '\0';
	if (sscanf(action, "{\"%9[a-z]\":{\"_index\":\"out\",\"_id\":\"%d/%zu\"", operation, &shard,
		   &document) != 3 ||
	    shard != origin->shard || document >= DOCUMENTS_MAX) {
		target.wrong++;
		return;
	}
	target.wrong += (document % 3 == 0) != (strstr(action, ",\"routing\":\"r\\\"\"") != NULL);
	target.wrong += is_delete != (at->end == at->source_start);
	if (!is_delete)
		target.wrong += memchr(bulk->body.ptr + at->source_start, '\n',
				       at->end - 1 - at->source_start) != NULL;
	target.deletes += strcmp(operation, "delete") == 0;
	target.creates += strcmp(operation, "create") == 0;
	target.books += strstr(action, ",\"_type\":\"book\"") != NULL;
	target.docs += strstr(action, ",\"_type\":\"_doc\"") != NULL;
	target.arrived[shard][document]++;
}

static int wait_for_cancel(struct err *err)
{
	while (target.cancels == 0)
		pthread_cond_wait(&target.changed, &target.lock);
	return err_set(err, ERR_CANCELLED, "cut off");
}

/* False when it was cut off. */
static bool take_half_a_second(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 500000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (target.cancels == 0)
		if (pthread_cond_timedwait(&target.changed, &target.lock, &until) != 0)
			return true;
	return false;
}

static void refuse_thirds(const struct bulk *bulk, struct bulk_result *result)
{
	result->failures = arena_zalloc(&result->mem, bulk->count, sizeof(*result->failures));
	for (size_t i = 2; i < bulk->count; i += 3)
		result->failures[result->failure_count++] =
			(struct bulk_failure){.item = i,
					      .status = 400,
					      .type = STR("mapper_parsing_exception"),
					      .reason = STR("no")};
}

static void meet(size_t worker)
{
	target.came[worker] = true;
	pthread_cond_broadcast(&target.changed);
	while (target.meet && !(target.came[0] && target.came[1]))
		pthread_cond_wait(&target.changed, &target.lock);
}

static int send_locked(const struct bulk *bulk, const struct bulk_origin *origin,
		       struct bulk_result *result, struct err *err)
{
	size_t send = ++target.sends;

	if (atomic_load(&target.dead))
		return err_set(err, ERR_IO, "killed");
	target.wrong += !str_is(origin->index, "out");
	/* Others come to wait before it, and see the flag in the second half. */
	if (send == target.cancel_at_send && target.slow_at_cancel)
		take_half_a_second();
	if (send == target.cancel_at_send)
		atomic_store(target.cancel, true);
	if (send == target.cancel_at_send && target.slow_at_cancel && !take_half_a_second())
		return err_set(err, ERR_CANCELLED, "cut off");
	if (send == target.fail_at_send)
		return err_set(err, ERR_UNREACHABLE, "the target is gone");
	if (target.block_others)
		return wait_for_cancel(err);
	see_bulk(bulk);
	target.sequences[origin->shard][origin->sequence]++;
	for (size_t i = 0; i < bulk->count; i++)
		see_item(bulk, i, origin);
	if (origin->shard == target.refuse_shard)
		refuse_thirds(bulk, result);
	result->succeeded = bulk->count - result->failure_count;
	result->retries = 1;
	return 0;
}

static int fake_send(struct bulk_sink *sink, const struct bulk *bulk,
		     const struct bulk_origin *origin, struct bulk_result *result, struct err *err)
{
	int rc;

	pthread_mutex_lock(&target.lock);
	meet(((const struct fake_sink *)sink)->worker);
	rc = send_locked(bulk, origin, result, err);
	pthread_mutex_unlock(&target.lock);
	return rc;
}

static int fake_finish(struct bulk_sink *sink, struct err *err)
{
	(void)sink;
	pthread_mutex_lock(&target.lock);
	target.finishes++;
	pthread_mutex_unlock(&target.lock);
	return target.fail_finish ? err_set(err, ERR_IO, "cannot be made durable") : 0;
}

static void fake_cancel(struct bulk_sink *sink)
{
	(void)sink;
	pthread_mutex_lock(&target.lock);
	target.cancels++;
	pthread_cond_broadcast(&target.changed);
	pthread_mutex_unlock(&target.lock);
}

static void fake_close_sink(struct bulk_sink *sink)
{
	target.closes++;
	free(sink);
}

int open_fake_sink(void *user, size_t sender, struct bulk_sink **out, struct err *err)
{
	static const struct bulk_sink_ops ops = {fake_send, fake_finish, fake_cancel,
						 fake_close_sink};
	const struct fake_way *way = user;
	struct fake_sink *sink;

	if (way && sender == way->fails_at)
		return err_set(err, ERR_AUTH, "not let in");
	sink = mem_zalloc(sizeof(*sink));
	sink->base.ops = &ops;
	sink->worker = way ? way->worker : 0;
	*out = &sink->base;
	return 0;
}

struct run *prepare(int32_t shard_count)
{
	static struct run run;

	memset(&run, 0, sizeof(run));
	memset(&target, 0, sizeof(target));
	memset(shards, 0, sizeof(shards));
	atomic_store(&opened, 0);
	atomic_store(&checked, 0);
	pthread_mutex_init(&target.lock, NULL);
	pthread_cond_init(&target.changed, NULL);
	target.refuse_shard = -1;
	target.cancel = &run.cancel;
	target.body_limit = KIB(64);
	fake_seed = (unsigned)time(NULL);
	run.source = (struct snapshot_index){.name = STR("in")};
	run.index = (struct backfill_index){
		.source = &run.source, .target_name = STR("out"), .shard_count = shard_count};
	run.options = (struct backfill_options){.documents_per_bulk = INT32_MAX,
						.bytes_per_bulk = KIB(64),
						.max_memory = KIB(512),
						.readers = 3,
						.senders = 4,
						.grace_ms = 600000,
						.fingerprint = STR("in to out"),
						.coordinator = coordinator_memory_new(3),
						.open_sink = open_fake_sink};
	for (int32_t i = 0; i < shard_count; i++)
		shards[i] = (struct fake_shard){.documents = 400 + 100 * (size_t)i,
						.source_bytes = 1000};
	return &run;
}

void go(struct run *run)
{
	run->report = (struct backfill_report){.indices = &run->result};
	run->rc = backfill_run(&run->snapshot, &run->index, 1, &run->options, run->failed,
			       &run->progress, &run->cancel, &run->report, &run->err);
	assert_int_equal(target.wrong, 0);
}

void finish(struct run *run)
{
	run->options.coordinator->ops->close(run->options.coordinator);
	pthread_cond_destroy(&target.changed);
	pthread_mutex_destroy(&target.lock);
}

void prepare_again(struct run *run)
{
	memset(&run->progress, 0, sizeof(run->progress));
	atomic_store(&run->cancel, false);
	atomic_store(&target.dead, false);
	target.sends = target.cancels = target.closes = target.finishes = 0;
	target.fail_at_send = target.cancel_at_send = 0;
	target.block_others = false;
}

void assert_succeeds(struct run *run)
{
	go(run);
	if (run->rc < 0)
		print_message("%s\n", run->err.message);
	assert_int_equal(run->rc, 0);
}

size_t all_documents(int32_t shard_count)
{
	size_t total = 0;

	for (int32_t i = 0; i < shard_count; i++)
		total += shards[i].documents;
	return total;
}

void assert_arrived_once(int32_t shard)
{
	for (size_t i = 0; i < DOCUMENTS_MAX; i++)
		assert_int_equal(target.arrived[shard][i], i < shards[shard].documents);
}
