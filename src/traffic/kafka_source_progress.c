#include "traffic/kafka_source_internal.h"

static rd_kafka_topic_partition_list_t *list_ours(const struct kafka_source *k)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

	for (size_t i = 0; i < k->partition_count; i++)
		if (k->partitions[i].assigned)
			rd_kafka_topic_partition_list_add(list, k->options.kafka.topic, (int32_t)i)
				->offset = (int64_t)k->partitions[i].next;
	return list;
}

/* What fetches told of the ends may be old. Who has read all of that wants to be certain. */
static void ask_ends(struct kafka_source *k, struct record_progress *out)
{
	rd_kafka_topic_partition_list_t *ours = list_ours(k);

	out->asked_ms = kafka_questions_ends(k->questions, ours);
	for (int i = 0; i < ours->cnt; i++) {
		uint64_t next = k->partitions[ours->elems[i].partition].next;

		out->end += MAX(next, (uint64_t)MAX(ours->elems[i].offset, (int64_t)0)) - next;
	}
	rd_kafka_topic_partition_list_destroy(ours);
}

bool kafka_source_progress(struct record_source *source, struct record_progress *out)
{
	struct kafka_source *k = kafka_source_of(source);
	bool sure = k->joined || !k->options.kafka.group;

	*out = (struct record_progress){.assigned = k->assigned_so_far,
					.revoked = k->revoked_so_far};
	for (size_t i = 0; i < k->partition_count; i++) {
		const struct partition *p = &k->partitions[i];
		int64_t low, high;

		if (!p->assigned)
			continue;
		out->partitions++;
		out->next += p->next;
		if (!p->known ||
		    rd_kafka_get_watermark_offsets(k->client.rk, k->options.kafka.topic, (int32_t)i,
						   &low, &high) ||
		    high < 0) {
			sure = false;
			out->end += p->next;
		} else {
			out->end += MAX(p->next, (uint64_t)high);
		}
	}
	if (!sure && out->end == out->next)
		out->end++;
	if (sure && out->end == out->next)
		ask_ends(k, out);
	return true;
}

/* Of a partition that is read here. What fetches told of its end is new while it is fetched. */
static bool is_read_until(const struct kafka_source *k, size_t number, int64_t time_ms)
{
	const struct partition *p = &k->partitions[number];
	int64_t low, high;

	if (p->revoked || p->leaving || !p->known)
		return false;
	return p->stored_ms >= time_ms ||
	       (!k->paused &&
		!rd_kafka_get_watermark_offsets(k->client.rk, k->options.kafka.topic,
						(int32_t)number, &low, &high) &&
		high >= 0 && p->next >= (uint64_t)high);
}

bool kafka_source_has_passed(struct record_source *source, int64_t time_ms)
{
	struct kafka_source *k = kafka_source_of(source);
	rd_kafka_topic_partition_list_t *ours;
	bool passed;

	for (size_t i = 0; i < k->partition_count; i++)
		if (k->partitions[i].assigned && !is_read_until(k, i, time_ms))
			return false;
	if (!k->options.kafka.group)
		return true;
	if (!k->joined)
		return false;
	ours = list_ours(k);
	passed = kafka_questions_others_have_passed(k->questions, ours, time_ms);
	rd_kafka_topic_partition_list_destroy(ours);
	return passed;
}
