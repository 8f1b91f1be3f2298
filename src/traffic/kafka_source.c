#include "traffic/kafka_source.h"

#include "base/clock.h"
#include "traffic/commit_tracker.h"
#include "traffic/kafka_internal.h"
#include "traffic/kafka_questions.h"

#include <stdlib.h>

#define NO_GROUP "shardlift-reader" /* librdkafka wants one; nothing is committed in it */

enum {
	CHECK_MS = 30000,
	QUERY_MS = 10000,
	COMMIT_WAIT_MS = 5000,
	UNREAD_MS = 5000, /* not asked for records for so long: fetching is paused */
	PARTITIONS_MOST = 100000,
};

struct partition {
	bool assigned; /* ours to read */
	bool revoked;  /* to be told */
	bool leaving;  /* told, and not left yet */
	bool known;    /* `next` is */
	bool ended;    /* without a group: nothing more */
	uint64_t next, end, committed;
	int64_t stored_ms; /* when the last record that was read was */
	struct commit_tracker tracker;
};

struct kafka_source {
	struct kafka_client client; /* first: the opaque of callbacks */
	struct record_source source;
	struct kafka_source_options options;
	struct partition *partitions; /* by number */
	size_t partition_count;
	rd_kafka_message_t *message; /* of the last item */
	rd_kafka_message_t *kept;    /* read while nobody asked */
	rd_kafka_topic_partition_list_t *revoking;
	struct kafka_questions *questions;
	int64_t leave_until_ms, read_ms;
	bool subscribed, joined, paused, closing, committing;
	struct err failed;
};

static struct kafka_source *of(struct record_source *source)
{
	return (struct kafka_source *)((char *)source - offsetof(struct kafka_source, source));
}

static struct partition *partition_at(struct kafka_source *k, int32_t number)
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

static void forget(rd_kafka_message_t **message)
{
	if (*message)
		rd_kafka_message_destroy(take(*message));
}

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

static void on_committed(rd_kafka_t *rk, rd_kafka_resp_err_t failed,
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

static void commit_and_wait(struct kafka_source *k)
{
	rd_kafka_topic_partition_list_t *list;
	rd_kafka_queue_t *queue;
	int64_t until = clock_monotonic_ms() + COMMIT_WAIT_MS;

	if (!k->options.kafka.group || !(list = committable(k)))
		return;
	queue = rd_kafka_queue_new(k->client.rk);
	k->committing = true;
	if (rd_kafka_commit_queue(k->client.rk, list, queue, on_committed, k))
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
	kafka_questions_forget(k->questions);
	for (int i = 0; i < list->cnt; i++) {
		struct partition *p = partition_at(k, list->elems[i].partition);

		commit_tracker_release(&p->tracker);
		*p = (struct partition){.assigned = true, .revoked = p->revoked};
		/* Reading begins at what is committed, which may be before it. */
		if (k->kept && !k->kept->err && k->kept->partition == list->elems[i].partition)
			forget(&k->kept);
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
		commit_and_wait(k);
	kafka_questions_forget(k->questions);
	for (int i = 0; i < list->cnt; i++) {
		struct partition *p = partition_at(k, list->elems[i].partition);

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
		partition_at(k, list->elems[i].partition)->revoked = true;
	if (k->closing || rd_kafka_assignment_lost(k->client.rk) || !is_cooperative(k)) {
		give_away(k, list);
		return;
	}
	for (int i = 0; i < list->cnt; i++)
		partition_at(k, list->elems[i].partition)->leaving = true;
	k->revoking = rd_kafka_topic_partition_list_copy(list);
	k->leave_until_ms = clock_monotonic_ms() + KAFKA_SOURCE_LEAVE_MS;
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t what,
			 rd_kafka_topic_partition_list_t *list, void *opaque)
{
	struct kafka_source *k = opaque;

	(void)rk;
	if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
		assigned(k, list);
	else
		revoked(k, list);
}

static void finish_leaving(struct kafka_source *k)
{
	rd_kafka_topic_partition_list_t *list = k->revoking;
	bool late;

	if (!list)
		return;
	late = clock_monotonic_ms() >= k->leave_until_ms;
	for (int i = 0; i < list->cnt && !late; i++)
		if (partition_at(k, list->elems[i].partition)->leaving)
			return;
	k->revoking = NULL;
	give_away(k, list);
	rd_kafka_topic_partition_list_destroy(list);
}

static void kafka_leave(struct record_source *source, uint32_t partition)
{
	struct kafka_source *k = of(source);

	if (partition < k->partition_count)
		k->partitions[partition].leaving = false;
	finish_leaving(k);
}

/* --- Reading --- */

static int take_error(struct kafka_source *k, const rd_kafka_message_t *message, struct err *err)
{
	struct partition *p;

	switch ((int)message->err) {
	case RD_KAFKA_RESP_ERR__PARTITION_EOF:
		p = partition_at(k, message->partition);
		if (!p->known) {
			p->known = true;
			p->next = p->committed = (uint64_t)message->offset;
			p->tracker = COMMIT_TRACKER_INIT(p->next);
		}
		p->ended = !k->options.kafka.group;
		return 0;
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
		return err_set(err, ERR_NOT_FOUND, "there is no topic '%s' at %s",
			       k->options.kafka.topic, k->options.kafka.brokers);
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
		return err_set(err, ERR_AUTH, "the brokers at %s do not allow to read '%s': %s",
			       k->options.kafka.brokers, k->options.kafka.topic,
			       rd_kafka_message_errstr(message));
	case RD_KAFKA_RESP_ERR__FATAL:
		return err_set(err, ERR_UNREACHABLE, "reading '%s': %s", k->options.kafka.topic,
			       rd_kafka_message_errstr(message));
	default:
		kafka_client_warn(&k->client, "reading '%s': %s", k->options.kafka.topic,
				  rd_kafka_message_errstr(message));
		return 0;
	}
}

/* False: it is none of ours (any more). */
static bool take_message(struct kafka_source *k, const rd_kafka_message_t *m,
			 struct record_item *out)
{
	struct partition *p = partition_at(k, m->partition);
	uint64_t offset = (uint64_t)m->offset;

	if (!p->assigned || p->revoked || p->leaving || (p->known && offset < p->next))
		return false;
	if (!k->options.kafka.group && offset >= p->end) {
		p->ended = true;
		return false;
	}
	if (!p->known) {
		p->tracker = COMMIT_TRACKER_INIT(offset);
		p->committed = offset;
		p->known = true;
	}
	commit_tracker_begin(&p->tracker, offset);
	p->next = offset + 1;
	p->stored_ms = MAX(p->stored_ms, rd_kafka_message_timestamp(m, NULL));
	*out = (struct record_item){.position = {(uint32_t)m->partition, offset},
				    .time_ms = rd_kafka_message_timestamp(m, NULL),
				    .key = str_of(m->key, m->key_len),
				    .bytes = str_of(m->payload, m->len)};
	return true;
}

/* It was assigned anew before it was told that it had gone. */
static bool comes_too_early(struct kafka_source *k, const rd_kafka_message_t *m)
{
	const struct partition *p = m->err ? NULL : partition_at(k, m->partition);

	return p && p->assigned && p->revoked && !p->leaving;
}

/* What flows is taken off the wire again. */
static void set_paused(struct kafka_source *k, bool paused)
{
	rd_kafka_topic_partition_list_t *list;

	if (k->paused == paused)
		return;
	k->paused = paused;
	if (rd_kafka_assignment(k->client.rk, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	if (paused)
		rd_kafka_pause_partitions(k->client.rk, list);
	else
		rd_kafka_resume_partitions(k->client.rk, list);
	rd_kafka_topic_partition_list_destroy(list);
}

static bool tell_revoked(struct kafka_source *k, struct record_item *out)
{
	for (size_t i = 0; i < k->partition_count; i++)
		if (k->partitions[i].revoked) {
			k->partitions[i].revoked = false;
			out->position = (struct record_position){.partition = (uint32_t)i};
			return true;
		}
	return false;
}

static bool is_at_end(const struct kafka_source *k)
{
	if (k->options.kafka.group)
		return false;
	for (size_t i = 0; i < k->partition_count; i++) {
		const struct partition *p = &k->partitions[i];

		if (!p->ended && !(p->known && p->next >= p->end))
			return false;
	}
	return true;
}

/* At the beginning; later a broker that restarts may refuse for a moment, which is a warning. */
static int refusal(struct kafka_source *k, struct err *err)
{
	int got;

	if (k->joined)
		return 0;
	pthread_mutex_lock(&k->client.lock);
	got = -(int)k->client.refused.kind;
	if (got < 0)
		*err = k->client.refused;
	pthread_mutex_unlock(&k->client.lock);
	return got;
}

static int kafka_next(struct record_source *source, int timeout_ms, struct record_item *out,
		      struct err *err)
{
	struct kafka_source *k = of(source);
	int64_t until = clock_monotonic_ms() + timeout_ms;
	int got;

	k->read_ms = clock_monotonic_ms();
	set_paused(k, false);
	forget(&k->message);
	do {
		int64_t left = MAX(until - clock_monotonic_ms(), (int64_t)0);

		if ((got = refusal(k, err)) < 0)
			return got;
		finish_leaving(k);
		if (tell_revoked(k, out))
			return RECORD_SOURCE_REVOKED;
		if (is_at_end(k))
			return RECORD_SOURCE_END;
		k->message = k->kept ? take(k->kept)
				     : rd_kafka_consumer_poll(k->client.rk, (int)MIN(left, 100));
		if (!k->message)
			continue;
		if (comes_too_early(k, k->message)) {
			k->kept = take(k->message);
			continue;
		}
		if (k->message->err)
			got = take_error(k, k->message, err);
		else if (take_message(k, k->message, out))
			return RECORD_SOURCE_ITEM;
		forget(&k->message);
		if (got < 0)
			return got;
	} while (clock_monotonic_ms() < until);
	return tell_revoked(k, out) ? RECORD_SOURCE_REVOKED
	       : is_at_end(k)       ? RECORD_SOURCE_END
				    : RECORD_SOURCE_NOTHING_YET;
}

static void kafka_finish(struct record_source *source, struct record_position position)
{
	struct kafka_source *k = of(source);

	if (position.partition < k->partition_count)
		commit_tracker_finish(&k->partitions[position.partition].tracker, position.offset);
}

/* Nobody asks for records: the group must hear of us all the same. */
static void stay_member(struct kafka_source *k)
{
	if (clock_monotonic_ms() - k->read_ms < UNREAD_MS || k->kept)
		return;
	set_paused(k, true);
	k->kept = rd_kafka_consumer_poll(k->client.rk, 0);
	/* An error that waited for a reader would end the polling. */
	if (k->kept && k->kept->err && take_error(k, k->kept, NULL) == 0)
		forget(&k->kept);
}

static int kafka_commit(struct record_source *source, struct err *err)
{
	struct kafka_source *k = of(source);
	rd_kafka_topic_partition_list_t *list;

	(void)err;
	if (!k->options.kafka.group)
		return 0;
	if (!k->committing && (list = committable(k))) {
		k->committing = rd_kafka_commit(k->client.rk, list, 1) == 0;
		rd_kafka_topic_partition_list_destroy(list);
	}
	finish_leaving(k);
	stay_member(k);
	return 0;
}

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

static bool kafka_progress(struct record_source *source, struct record_progress *out)
{
	struct kafka_source *k = of(source);
	bool sure = k->joined || !k->options.kafka.group;

	*out = (struct record_progress){0};
	for (size_t i = 0; i < k->partition_count; i++) {
		const struct partition *p = &k->partitions[i];
		int64_t low, high;

		if (!p->assigned)
			continue;
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

static bool kafka_has_passed(struct record_source *source, int64_t time_ms)
{
	struct kafka_source *k = of(source);
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

/* Closing waits for as long as the group's members change, and before 2.3.0 librdkafka aborts when
 * it frees a member that has had no assignment yet (its issue 4312). It has nothing to give away or
 * to commit; the rest is the process's to free. */
static bool is_joining(const struct kafka_source *k)
{
	return k->subscribed && !k->joined;
}

static void kafka_close(struct record_source *source)
{
	struct kafka_source *k = of(source);

	k->closing = true;
	kafka_questions_stop(take(k->questions));
	forget(&k->message);
	forget(&k->kept);
	if (k->revoking) {
		rd_kafka_topic_partition_list_t *list = take(k->revoking);

		give_away(k, list);
		rd_kafka_topic_partition_list_destroy(list);
	}
	if (k->client.rk && !is_joining(k)) {
		commit_and_wait(k);
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

static const struct record_source_ops kafka_ops = {.next = kafka_next,
						   .finish = kafka_finish,
						   .commit = kafka_commit,
						   .close = kafka_close,
						   .progress = kafka_progress,
						   .has_passed = kafka_has_passed,
						   .leave = kafka_leave};

/* --- Opening --- */

static void configure(rd_kafka_conf_t *conf, struct kafka_client *client)
{
	(void)client;
	rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
	rd_kafka_conf_set_offset_commit_cb(conf, on_committed);
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
	struct partition *p = partition_at(k, one->partition);
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
		k->questions = kafka_questions_start(k->client.rk, options->kafka.topic);
	if (got == 0)
		got = options->kafka.group ? subscribe(k, err) : assign_all(k, err);
	if (got < 0) {
		kafka_close(&k->source);
		return got;
	}
	*out = &k->source;
	return 0;
}
