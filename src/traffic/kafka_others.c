#include "traffic/kafka_others.h"

#include "base/clock.h"

#include <stdlib.h>

enum { ASK_EVERY_MS = 1000, ASK_MS = 1000 };

void kafka_others_forget(struct kafka_others *others)
{
	free(others->partitions);
	*others = (struct kafka_others){0};
}

/* NULL: not known. */
static rd_kafka_topic_partition_list_t *list_others(rd_kafka_t *rk, const char *name,
						    const rd_kafka_topic_partition_list_t *ours)
{
	rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
	rd_kafka_topic_partition_list_t *list = NULL;
	const struct rd_kafka_metadata *found;

	if (rd_kafka_metadata(rk, 0, topic, &found, ASK_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
		if (found->topic_cnt == 1 && found->topics[0].partition_cnt > 0)
			list = rd_kafka_topic_partition_list_new(found->topics[0].partition_cnt);
		for (int i = 0; list && i < found->topics[0].partition_cnt; i++) {
			int32_t id = found->topics[0].partitions[i].id;

			if (!rd_kafka_topic_partition_list_find(
				    (rd_kafka_topic_partition_list_t *)(uintptr_t)ours, name, id))
				rd_kafka_topic_partition_list_add(list, name, id);
		}
		rd_kafka_metadata_destroy(found);
	}
	rd_kafka_topic_destroy(topic);
	return list;
}

static void note_committed(struct kafka_others *others,
			   const rd_kafka_topic_partition_list_t *committed, int64_t now)
{
	for (int i = 0; i < committed->cnt; i++) {
		const rd_kafka_topic_partition_t *one = &committed->elems[i];
		size_t needed = (size_t)one->partition + 1;
		struct kafka_other *other;

		if (needed > others->count) {
			others->partitions = mem_realloc(others->partitions,
							 needed * sizeof(*others->partitions));
			memset(others->partitions + others->count, 0,
			       (needed - others->count) * sizeof(*others->partitions));
			others->count = needed;
		}
		other = &others->partitions[one->partition];
		if (other->moved_ms == 0 || other->committed != one->offset)
			*other = (struct kafka_other){.committed = one->offset, .moved_ms = now};
	}
}

/* Where what was stored since then begins, or the partition's end; -1: not known. */
static int64_t offset_of_time(rd_kafka_t *rk, const rd_kafka_topic_partition_t *at)
{
	int64_t low, high;

	if (at->err)
		return -1;
	if (at->offset >= 0)
		return at->offset;
	if (rd_kafka_query_watermark_offsets(rk, at->topic, at->partition, &low, &high, ASK_MS))
		return -1;
	return low == high ? 0 : high;
}

/* `times`: of each, the offset that the time is at. */
static bool all_are_done(struct kafka_others *others, rd_kafka_t *rk,
			 const rd_kafka_topic_partition_list_t *times, int64_t now)
{
	for (int i = 0; i < times->cnt; i++) {
		const struct kafka_other *other = &others->partitions[times->elems[i].partition];
		int64_t wanted = offset_of_time(rk, &times->elems[i]);

		if (wanted < 0 || (MAX(other->committed, (int64_t)0) < wanted &&
				   now - other->moved_ms < KAFKA_OTHERS_STUCK_MS))
			return false;
	}
	return true;
}

static bool ask(struct kafka_others *others, rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list,
		int64_t time_ms)
{
	int64_t now = clock_monotonic_ms();

	if (list->cnt == 0)
		return true;
	if (rd_kafka_committed(rk, list, ASK_MS))
		return false;
	note_committed(others, list, now);
	for (int i = 0; i < list->cnt; i++)
		list->elems[i].offset = time_ms;
	return !rd_kafka_offsets_for_times(rk, list, ASK_MS) && all_are_done(others, rk, list, now);
}

bool kafka_others_have_passed(struct kafka_others *others, rd_kafka_t *rk, const char *topic,
			      const rd_kafka_topic_partition_list_t *ours, int64_t time_ms)
{
	rd_kafka_topic_partition_list_t *list;

	if (time_ms <= others->passed_ms)
		return true;
	if (others->asked_ms && clock_monotonic_ms() - others->asked_ms < ASK_EVERY_MS)
		return false;
	list = list_others(rk, topic, ours);
	if (list && ask(others, rk, list, time_ms))
		others->passed_ms = time_ms;
	if (list)
		rd_kafka_topic_partition_list_destroy(list);
	others->asked_ms = clock_monotonic_ms();
	return time_ms <= others->passed_ms;
}
