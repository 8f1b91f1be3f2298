/* The order of a connection on its way to Kafka. All with the lock held. */
#include "traffic/kafka_log_internal.h"

#include <stdlib.h>

static void kafka_log_complete(struct completion *done, enum err_kind failed, int error)
{
	if (!done)
		return;
	done->next = NULL;
	done->offset = 0;
	done->failed = failed;
	done->failed_errno = error;
	completion_queue_put(done->queue, done);
}

static struct flow **bucket_of(struct kafka_log *log, struct str key)
{
	return &log->buckets[siphash(&log->hash_key, key).words[0] % FLOW_BUCKETS];
}

void kafka_log_lanes_init(struct kafka_log *log)
{
	for (size_t i = 0; i < LANES; i++)
		log->lanes[i].last = &log->lanes[i].waiting;
}

/* That of the partition which librdkafka will choose, or would, but for what a file of settings
 * says: then a lane may be narrower or wider than it has to be. */
static struct lane *lane_of(struct kafka_log *log, struct str key)
{
	uint32_t partitions = kafka_log_partitions(log);

	return &log->lanes[partitions > 1 ? kafka_log_partition_of(key, partitions) % LANES : 0];
}

struct flow *kafka_log_flow(struct kafka_log *log, struct str key, bool make)
{
	struct flow **bucket = bucket_of(log, key), *flow = *bucket;

	while (flow && !str_eq(str_of(flow->key, flow->key_len), key))
		flow = flow->next_in_bucket;
	if (flow || !make)
		return flow;
	flow = mem_zalloc(sizeof(*flow) + key.len);
	flow->lane = lane_of(log, key);
	flow->last = &flow->first;
	flow->key_len = key.len;
	if (key.len > 0)
		memcpy(flow->key, key.ptr, key.len);
	flow->next_in_bucket = *bucket;
	*bucket = flow;
	return flow;
}

static void free_flow(struct kafka_log *log, struct flow *flow)
{
	struct flow **at = bucket_of(log, str_of(flow->key, flow->key_len));

	while (*at != flow)
		at = &(*at)->next_in_bucket;
	*at = flow->next_in_bucket;
	free(flow);
}

static void resolve(struct kafka_log *log, struct item *item, rd_kafka_resp_err_t failed);

static void make_stuck(struct kafka_log *log, struct flow *flow)
{
	if (flow->is_stuck)
		return;
	flow->is_stuck = true;
	flow->next_stuck = log->stuck;
	log->stuck = flow;
}

static void hand_over(struct kafka_log *log, struct flow *flow)
{
	struct item *item = flow->first;
	rd_kafka_resp_err_t failed;

	failed = rd_kafka_producev(log->client.rk, RD_KAFKA_V_TOPIC(log->options.kafka.topic),
				   RD_KAFKA_V_KEY(flow->key, flow->key_len),
				   RD_KAFKA_V_VALUE(item->bytes, item->len), RD_KAFKA_V_MSGFLAGS(0),
				   RD_KAFKA_V_OPAQUE(item), RD_KAFKA_V_END);
	if (!failed)
		flow->lane->handed++;
	else if (failed == RD_KAFKA_RESP_ERR__QUEUE_FULL)
		make_stuck(log, flow);
	else
		resolve(log, item, failed);
}

/* While brokers are away, all is with librdkafka, which gives it back in time. */
static bool is_full(struct kafka_log *log, const struct lane *lane)
{
	return lane->handed >= LANE_WIDTH && !atomic_load(&log->client.away);
}

static void send_first(struct kafka_log *log, struct flow *flow)
{
	struct lane *lane = flow->lane;

	if (log->abandon)
		return;
	if (log->joining) {
		make_stuck(log, flow);
	} else if (is_full(log, lane)) {
		flow->next_waiting = NULL;
		*lane->last = flow;
		lane->last = &flow->next_waiting;
	} else {
		hand_over(log, flow);
	}
}

void kafka_log_push(struct kafka_log *log, struct item *item, struct str key)
{
	struct flow *flow = kafka_log_flow(log, key, true);
	bool first = !flow->first;

	item->flow = flow;
	item->next = NULL;
	*flow->last = item;
	flow->last = &item->next;
	log->buffered += item->len;
	log->items++;
	if (first)
		send_first(log, flow);
}

/* The first of its flow is done with. False: the flow is gone, too. */
static bool pop(struct kafka_log *log, struct flow *flow)
{
	struct item *item = flow->first;

	flow->first = item->next;
	if (!flow->first)
		flow->last = &flow->first;
	log->buffered -= item->len;
	log->items--;
	free(item);
	if (flow->first)
		return true;
	free_flow(log, flow);
	return false;
}

/* False: the spool has no room at the moment. */
static bool move_to_spool(struct kafka_log *log, struct flow *flow)
{
	struct item *item = flow->first;
	struct err err = {0};
	int got = segment_log_append_bytes(log->spool, str_of(flow->key, flow->key_len),
					   item->time_ms, str_of(item->bytes, item->len),
					   item->done, &err);

	if (got < 0 && err.kind == ERR_LIMIT && err.retry)
		return false;
	if (got < 0) {
		log->failed++;
		kafka_log_complete(item->done, err.kind, 0);
	}
	return true;
}

/* All of a flow. */
static void spool_flow(struct kafka_log *log, struct flow *flow)
{
	do {
		if (!move_to_spool(log, flow)) {
			make_stuck(log, flow);
			return;
		}
	} while (pop(log, flow));
}

static void warn_of(struct kafka_log *log, const struct item *item, rd_kafka_resp_err_t failed)
{
	if (failed == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
		kafka_client_warn(&log->client,
				  "Kafka does not take a record of %zu bytes: raise "
				  "max.message.bytes of the topic '%s', or lower "
				  "--max-traffic-buffer-size",
				  item->len, log->options.kafka.topic);
	else if (log->spool && !log->spooling)
		kafka_client_warn(&log->client,
				  "Kafka does not take records (%s): they go to the spool %s",
				  rd_kafka_err2str(failed), log->options.spool);
	else if (!log->spool)
		kafka_client_warn(&log->client, "Kafka does not take a record: %s",
				  rd_kafka_err2str(failed));
}

static void not_taken(struct kafka_log *log, struct item *item, rd_kafka_resp_err_t failed)
{
	struct flow *flow = item->flow;
	bool too_large = failed == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;

	warn_of(log, item, failed);
	if (!too_large)
		atomic_store(&log->client.away, true);
	if (log->spool && !too_large) {
		log->spooling = true;
		log->joining = false;
		spool_flow(log, flow);
	} else {
		log->failed++;
		kafka_log_complete(item->done, too_large ? ERR_LIMIT : ERR_UNREACHABLE, 0);
		if (pop(log, flow))
			make_stuck(log, flow);
	}
}

/* With what is now its first item. */
static void go_on(struct kafka_log *log, struct flow *flow)
{
	if (log->spooling && !log->joining)
		spool_flow(log, flow);
	else
		send_first(log, flow);
}

static void resolve(struct kafka_log *log, struct item *item, rd_kafka_resp_err_t failed)
{
	struct flow *flow = item->flow;

	if (failed) {
		not_taken(log, item, failed);
		return;
	}
	atomic_store(&log->client.away, false);
	log->sent++;
	kafka_log_complete(item->done, ERR_NONE, 0);
	if (pop(log, flow))
		go_on(log, flow);
}

/* All that wait go at once, so that they are one request. */
static void run_lane(struct kafka_log *log, struct lane *lane)
{
	struct flow *flow, *next;

	if (!lane->waiting || is_full(log, lane))
		return;
	flow = take(lane->waiting);
	lane->last = &lane->waiting;
	for (; flow; flow = next) {
		next = flow->next_waiting;
		if (log->abandon || log->joining || log->spooling)
			go_on(log, flow);
		else
			hand_over(log, flow);
	}
}

void kafka_log_delivered(struct kafka_log *log, struct item *item, rd_kafka_resp_err_t failed)
{
	struct lane *lane = item->flow->lane;

	lane->handed--;
	resolve(log, item, failed);
	run_lane(log, lane);
}

/* What waits does so for brokers that are there. */
static void clear_lanes(struct kafka_log *log)
{
	if (atomic_load(&log->client.away))
		for (size_t i = 0; i < LANES; i++)
			run_lane(log, &log->lanes[i]);
}

void kafka_log_try_stuck(struct kafka_log *log)
{
	struct flow *flow, *next;

	clear_lanes(log);
	if (log->joining)
		return;
	flow = take(log->stuck);
	for (; flow; flow = next) {
		next = flow->next_stuck;
		flow->is_stuck = false;
		go_on(log, flow);
	}
}
