#include "traffic/kafka_source_internal.h"

#include "base/clock.h"

enum { UNREAD_MS = 5000 }; /* not asked for records for so long: fetching is paused */

void kafka_source_forget(rd_kafka_message_t **message)
{
	if (*message)
		rd_kafka_message_destroy(take(*message));
}

static int take_error(struct kafka_source *k, const rd_kafka_message_t *message, struct err *err)
{
	struct partition *p;

	switch ((int)message->err) {
	case RD_KAFKA_RESP_ERR__PARTITION_EOF:
		p = kafka_source_partition(k, message->partition);
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
	struct partition *p = kafka_source_partition(k, m->partition);
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
	const struct partition *p = m->err ? NULL : kafka_source_partition(k, m->partition);

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

int kafka_source_next(struct record_source *source, int timeout_ms, struct record_item *out,
		      struct err *err)
{
	struct kafka_source *k = kafka_source_of(source);
	int64_t until = clock_monotonic_ms() + timeout_ms;
	int got;

	k->read_ms = clock_monotonic_ms();
	set_paused(k, false);
	kafka_source_forget(&k->message);
	do {
		int64_t left = MAX(until - clock_monotonic_ms(), (int64_t)0);

		if ((got = refusal(k, err)) < 0)
			return got;
		kafka_source_finish_leaving(k, false);
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
		if (k->message->err) {
			got = take_error(k, k->message, err);
		} else {
			atomic_store(&k->client.away, false);
			if (take_message(k, k->message, out))
				return RECORD_SOURCE_ITEM;
		}
		kafka_source_forget(&k->message);
		if (got < 0)
			return got;
	} while (clock_monotonic_ms() < until);
	return tell_revoked(k, out) ? RECORD_SOURCE_REVOKED
	       : is_at_end(k)       ? RECORD_SOURCE_END
				    : RECORD_SOURCE_NOTHING_YET;
}

void kafka_source_stay_member(struct kafka_source *k)
{
	if (clock_monotonic_ms() - k->read_ms < UNREAD_MS || k->kept)
		return;
	set_paused(k, true);
	k->kept = rd_kafka_consumer_poll(k->client.rk, 0);
	/* An error that waited for a reader would end the polling. */
	if (k->kept && k->kept->err && take_error(k, k->kept, NULL) == 0)
		kafka_source_forget(&k->kept);
}
