#include "traffic/kafka_source_internal.h"

#include "base/clock.h"

enum { COMMIT_WAIT_MS = 5000 };

static void ignore_error(rd_kafka_error_t *error)
{
	if (error)
		rd_kafka_error_destroy(error);
}

/* --- Commits --- */

/* NULL: nothing new. */
static rd_kafka_topic_partition_list_t *committable(struct kafka_source *k)
{
	rd_kafka_topic_partition_list_t *list = NULL;

	for (size_t i = 0; i < k->partition_count; i++) {
		struct partition *p = &k->partitions[i];
		uint64_t first = commit_tracker_committable(&p->tracker);

		if (!p->assigned || !p->known || first <= p->committed)
			continue;
		if (!list)
			list = rd_kafka_topic_partition_list_new(1);
		rd_kafka_topic_partition_list_add(list, k->options.kafka.topic, (int32_t)i)
			->offset = (int64_t)first;
		p->committed = first;
	}
	return list;
}

void kafka_source_on_committed(rd_kafka_t *rk, rd_kafka_resp_err_t failed,
			       rd_kafka_topic_partition_list_t *offsets, void *opaque)
{
	struct kafka_source *k = opaque;

	(void)rk;
	k->committing = false;
	if (failed == RD_KAFKA_RESP_ERR__NO_OFFSET || !offsets)
		return;
	/* To be tried again with the next. */
	for (int i = 0; i < offsets->cnt; i++)
		if ((failed || offsets->elems[i].err) &&
		    (size_t)offsets->elems[i].partition < k->partition_count)
			k->partitions[offsets->elems[i].partition].committed = 0;
}

void kafka_source_commit_and_wait(struct kafka_source *k)
{
	rd_kafka_topic_partition_list_t *list;
	rd_kafka_queue_t *queue;
	int64_t until = clock_monotonic_ms() + COMMIT_WAIT_MS;

	if (!k->options.kafka.group || !(list = committable(k)))
		return;
	queue = rd_kafka_queue_new(k->client.rk);
	k->committing = true;
	if (rd_kafka_commit_queue(k->client.rk, list, queue, kafka_source_on_committed, k))
		k->committing = false;
	while (k->committing && clock_monotonic_ms() < until)
		rd_kafka_queue_poll_callback(queue, 100);
	if (k->committing)
		kafka_client_warn(&k->client,
				  "Kafka did not take the offsets of '%s': what is done since the "
				  "last ones is done again",
				  k->options.kafka.topic);
	rd_kafka_queue_destroy(queue);
	rd_kafka_topic_partition_list_destroy(list);
}

/* --- Partitions come and go --- */

static bool is_cooperative(const struct kafka_source *k)
{
	const char *protocol = rd_kafka_rebalance_protocol(k->client.rk);

	return protocol && strcmp(protocol, "COOPERATIVE") == 0;
}

static void assigned(struct kafka_source *k, const rd_kafka_topic_partition_list_t *list)
{
	k->joined = true;
	k->assigned_so_far += (uint64_t)list->cnt;
	kafka_questions_forget(k->questions);
	for (int i = 0; i < list->cnt; i++) {
		struct partition *p = kafka_source_partition(k, list->elems[i].partition);

		commit_tracker_release(&p->tracker);
		*p = (struct partition){.assigned = true, .revoked = p->revoked};
		/* Reading begins at what is committed, which may be before it. */
		if (k->kept && !k->kept->err && k->kept->partition == list->elems[i].partition)
			kafka_source_forget(&k->kept);
	}
	if (is_cooperative(k))
		ignore_error(rd_kafka_incremental_assign(k->client.rk, list));
	else
		rd_kafka_assign(k->client.rk, list);
	if (k->paused)
		rd_kafka_pause_partitions(k->client.rk,
					  (rd_kafka_topic_partition_list_t *)(uintptr_t)list);
}

static void give_away(struct kafka_source *k, const rd_kafka_topic_partition_list_t *list)
{
	/* Who lost them by silence may not commit. */
	if (!rd_kafka_assignment_lost(k->client.rk))
		kafka_source_commit_and_wait(k);
	k->revoked_so_far += (uint64_t)list->cnt;
	kafka_questions_forget(k->questions);
	for (int i = 0; i < list->cnt; i++) {
		struct partition *p = kafka_source_partition(k, list->elems[i].partition);

		p->assigned = p->leaving = false;
	}
	if (is_cooperative(k))
		ignore_error(rd_kafka_incremental_unassign(k->client.rk, list));
	else
		rd_kafka_assign(k->client.rk, NULL);
}

static void revoked(struct kafka_source *k, const rd_kafka_topic_partition_list_t *list)
{
	for (int i = 0; i < list->cnt; i++)
		kafka_source_partition(k, list->elems[i].partition)->revoked = true;
	if (k->closing || rd_kafka_assignment_lost(k->client.rk) || !is_cooperative(k)) {
		give_away(k, list);
		return;
	}
	for (int i = 0; i < list->cnt; i++)
		kafka_source_partition(k, list->elems[i].partition)->leaving = true;
	k->revoking = rd_kafka_topic_partition_list_copy(list);
	k->leave_until_ms = clock_monotonic_ms() + KAFKA_SOURCE_LEAVE_MS;
}

void kafka_source_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t what,
			       rd_kafka_topic_partition_list_t *list, void *opaque)
{
	struct kafka_source *k = opaque;

	(void)rk;
	if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
		assigned(k, list);
	else
		revoked(k, list);
}

void kafka_source_finish_leaving(struct kafka_source *k, bool now)
{
	rd_kafka_topic_partition_list_t *list = k->revoking;
	bool late;

	if (!list)
		return;
	late = now || clock_monotonic_ms() >= k->leave_until_ms;
	for (int i = 0; i < list->cnt && !late; i++)
		if (kafka_source_partition(k, list->elems[i].partition)->leaving)
			return;
	k->revoking = NULL;
	give_away(k, list);
	rd_kafka_topic_partition_list_destroy(list);
}

void kafka_source_leave(struct record_source *source, uint32_t partition)
{
	struct kafka_source *k = kafka_source_of(source);

	if (partition < k->partition_count)
		k->partitions[partition].leaving = false;
	kafka_source_finish_leaving(k, false);
}

int kafka_source_commit(struct record_source *source, struct err *err)
{
	struct kafka_source *k = kafka_source_of(source);
	rd_kafka_topic_partition_list_t *list;

	(void)err;
	if (!k->options.kafka.group)
		return 0;
	if (!k->committing && (list = committable(k))) {
		k->committing = rd_kafka_commit(k->client.rk, list, 1) == 0;
		rd_kafka_topic_partition_list_destroy(list);
	}
	kafka_source_finish_leaving(k, false);
	kafka_source_stay_member(k);
	return 0;
}
