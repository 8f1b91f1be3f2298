#include "traffic/kafka_source_internal.h"

#include "base/clock.h"

#include <stdlib.h>

#define NO_GROUP "shardlift-reader" /* librdkafka wants one; nothing is committed in it */

enum { CHECK_MS = 30000, QUERY_MS = 10000, PARTITIONS_MOST = 100000 };

struct partition *kafka_source_partition(struct kafka_source *k, int32_t number)
{
	size_t needed = (size_t)number + 1;

	if (number < 0 || number >= PARTITIONS_MOST)
		BUG("a partition of no number");
	if (needed > k->partition_count) {
		k->partitions = mem_realloc(k->partitions, needed * sizeof(*k->partitions));
		memset(k->partitions + k->partition_count, 0,
		       (needed - k->partition_count) * sizeof(*k->partitions));
		k->partition_count = needed;
	}
	return &k->partitions[number];
}

static void kafka_finish(struct record_source *source, struct record_position position)
{
	struct kafka_source *k = kafka_source_of(source);

	if (position.partition < k->partition_count)
		commit_tracker_finish(&k->partitions[position.partition].tracker, position.offset);
}

/* Closing waits for as long as the group's members change, and before 2.3.0 librdkafka aborts when
 * it frees a member that has had no assignment yet (its issue 4312). It has nothing to give away or
 * to commit; the rest is the process's to free. */
static bool is_joining(const struct kafka_source *k)
{
	return k->subscribed && !k->joined;
}

static void kafka_close(struct record_source *source)
{
	struct kafka_source *k = kafka_source_of(source);

	k->closing = true;
	kafka_questions_stop(take(k->questions));
	kafka_source_forget(&k->message);
	kafka_source_forget(&k->kept);
	kafka_source_finish_leaving(k, true);
	if (k->client.rk && !is_joining(k)) {
		kafka_source_commit_and_wait(k);
		rd_kafka_consumer_close(k->client.rk);
	}
	if (is_joining(k))
		return;
	kafka_client_release(&k->client);
	for (size_t i = 0; i < k->partition_count; i++)
		commit_tracker_release(&k->partitions[i].tracker);
	free(k->partitions);
	free(k->source.name);
	free(k);
}

static const struct record_source_ops kafka_ops = {.next = kafka_source_next,
						   .finish = kafka_finish,
						   .commit = kafka_source_commit,
						   .close = kafka_close,
						   .progress = kafka_source_progress,
						   .has_passed = kafka_source_has_passed,
						   .leave = kafka_source_leave};

/* --- Opening --- */

static void configure(rd_kafka_conf_t *conf, struct kafka_client *client)
{
	(void)client;
	rd_kafka_conf_set_rebalance_cb(conf, kafka_source_on_rebalance);
	rd_kafka_conf_set_offset_commit_cb(conf, kafka_source_on_committed);
}

static int subscribe(struct kafka_source *k, struct err *err)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_resp_err_t failed;

	rd_kafka_topic_partition_list_add(list, k->options.kafka.topic, RD_KAFKA_PARTITION_UA);
	failed = rd_kafka_subscribe(k->client.rk, list);
	k->subscribed = !failed;
	rd_kafka_topic_partition_list_destroy(list);
	return failed ? err_set(err, ERR_UNREACHABLE, "reading '%s': %s", k->options.kafka.topic,
				rd_kafka_err2str(failed))
		      : 0;
}

static int find_partitions(struct kafka_source *k, rd_kafka_topic_partition_list_t *list,
			   struct err *err)
{
	const struct rd_kafka_metadata *found;
	rd_kafka_topic_t *topic = rd_kafka_topic_new(k->client.rk, k->options.kafka.topic, NULL);
	rd_kafka_resp_err_t failed = rd_kafka_metadata(k->client.rk, 0, topic, &found, QUERY_MS);

	rd_kafka_topic_destroy(topic);
	if (failed)
		return err_set(err, ERR_UNREACHABLE, "asking for '%s': %s", k->options.kafka.topic,
			       rd_kafka_err2str(failed));
	for (int i = 0; found->topic_cnt == 1 && i < found->topics[0].partition_cnt; i++)
		rd_kafka_topic_partition_list_add(list, k->options.kafka.topic,
						  found->topics[0].partitions[i].id);
	rd_kafka_metadata_destroy(found);
	return 0;
}

/* Where a partition begins and ends for a reader without a group. */
static int find_range(struct kafka_source *k, rd_kafka_topic_partition_t *one, struct err *err)
{
	const struct kafka_source_options *o = &k->options;
	struct partition *p = kafka_source_partition(k, one->partition);
	int64_t low, high;
	rd_kafka_resp_err_t failed = rd_kafka_query_watermark_offsets(
		k->client.rk, one->topic, one->partition, &low, &high, QUERY_MS);

	if (failed)
		return err_set(err, ERR_UNREACHABLE, "asking for the offsets of '%s': %s",
			       one->topic, rd_kafka_err2str(failed));
	*p = (struct partition){.assigned = true, .end = (uint64_t)high, .ended = low >= high};
	if (o->has_from_time)
		one->offset = one->offset < 0 ? high : MAX(one->offset, low);
	else
		one->offset =
			o->has_from_offset ? MIN(MAX((int64_t)o->from_offset, low), high) : low;
	p->ended |= one->offset >= high;
	return 0;
}

static int assign_all(struct kafka_source *k, struct err *err)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_resp_err_t failed = RD_KAFKA_RESP_ERR_NO_ERROR;
	int got = find_partitions(k, list, err);

	for (int i = 0; i < list->cnt; i++)
		list->elems[i].offset = k->options.from_time_ms;
	if (got == 0 && k->options.has_from_time && list->cnt > 0)
		failed = rd_kafka_offsets_for_times(k->client.rk, list, QUERY_MS);
	for (int i = 0; got == 0 && !failed && i < list->cnt; i++)
		got = find_range(k, &list->elems[i], err);
	if (got == 0 && !failed)
		failed = rd_kafka_assign(k->client.rk, list);
	rd_kafka_topic_partition_list_destroy(list);
	if (got == 0 && failed)
		got = err_set(err, ERR_UNREACHABLE, "reading '%s': %s", k->options.kafka.topic,
			      rd_kafka_err2str(failed));
	return got;
}

int kafka_source_open(const struct kafka_source_options *options, struct record_source **out,
		      struct err *err)
{
	const char *const defaults[] = {"enable.auto.commit",
					"false",
					"auto.offset.reset",
					"earliest",
					"partition.assignment.strategy",
					"cooperative-sticky",
					"enable.partition.eof",
					"true",
					"group.id",
					NO_GROUP,
					"reconnect.backoff.max.ms",
					"1000",
					"allow.auto.create.topics",
					"false",
					NULL};
	struct kafka_source *k = mem_zalloc(sizeof(*k));
	int got;

	k->source.ops = &kafka_ops;
	k->source.name = mem_strdup(options->kafka.topic);
	k->options = *options;
	k->read_ms = clock_monotonic_ms();
	kafka_client_init(&k->client, &options->kafka);
	got = kafka_client_open(&k->client, RD_KAFKA_CONSUMER, defaults, configure, err);
	if (got == 0) {
		rd_kafka_poll_set_consumer(k->client.rk);
		got = kafka_client_check(&k->client, CHECK_MS, err);
	}
	if (got == 0)
		got = kafka_questions_start(k->client.rk, options->kafka.topic, &k->questions, err);
	if (got == 0)
		got = options->kafka.group ? subscribe(k, err) : assign_all(k, err);
	if (got < 0) {
		kafka_close(&k->source);
		return got;
	}
	*out = &k->source;
	return 0;
}
