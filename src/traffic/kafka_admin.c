#include "traffic/kafka_admin.h"

#include "base/clock.h"
#include "traffic/kafka_internal.h"

#include <stdlib.h>

#define NO_GROUP "shardlift-admin" /* librdkafka wants one; nothing is committed in it */

enum {
	LOOK_MS = 15000,   /* for a broker to answer at all */
	REFUSED_MS = 3000, /* the same where none takes a connection */
	ANSWER_MS = 30000,
	QUESTION_MS = 1000,
	READ_MS = 10000, /* for the first records of partitions */
};

struct kafka_admin {
	struct kafka_client client; /* first: the opaque of callbacks */
};

static void configure_nothing(rd_kafka_conf_t *conf, struct kafka_client *client)
{
	(void)conf;
	(void)client;
}

/* A reader that commits nothing, and fetches no more than it must. */
static int open_client(struct kafka_client *client, const char *group, struct err *err)
{
	static const char *const defaults[] = {"enable.auto.commit",
					       "false",
					       "enable.auto.offset.store",
					       "false",
					       "enable.partition.eof",
					       "true",
					       "auto.offset.reset",
					       "earliest",
					       "queued.min.messages",
					       "1",
					       "allow.auto.create.topics",
					       "false",
					       NULL};

	client->options.group = group;
	return kafka_client_open(client, RD_KAFKA_CONSUMER, defaults, configure_nothing, err);
}

int kafka_admin_open(const struct kafka_options *options, struct kafka_admin **out, struct err *err)
{
	struct kafka_admin *admin = mem_zalloc(sizeof(*admin));

	*out = NULL;
	kafka_client_init(&admin->client, options);
	if (open_client(&admin->client, NO_GROUP, err) < 0) {
		kafka_admin_close(admin);
		return -(int)err->kind;
	}
	*out = admin;
	return 0;
}

void kafka_admin_close(struct kafka_admin *admin)
{
	if (!admin)
		return;
	kafka_client_release(&admin->client);
	free(admin);
}

static int judge(const struct kafka_client *client, rd_kafka_resp_err_t said, const char *what,
		 const char *name, struct err *err)
{
	const char *brokers = client->options.brokers;

	switch ((int)said) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		return 0;
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
		return err_set(err, ERR_NOT_FOUND, "there is no topic '%s' at %s", name, brokers);
	case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
		return err_set(err, ERR_CONFLICT, "there is a topic '%s' at %s already", name,
			       brokers);
	case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
		return err_set(err, ERR_USAGE, "'%s' is no name of a topic", name);
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
		return err_set(err, ERR_AUTH,
			       "the brokers at %s do not allow to %s '%s'; grant it to this user",
			       brokers, what, name);
	default:
		return err_set(err, ERR_UNREACHABLE, "cannot %s '%s' at %s: %s", what, name,
			       brokers, rd_kafka_err2str(said));
	}
}

/* --- Topics --- */

static void metadatap(const struct rd_kafka_metadata **metadata)
{
	if (*metadata)
		rd_kafka_metadata_destroy(*metadata);
}

/* What there is. In short questions: what refuses us is told by a callback, not by the answer. */
static int look(struct kafka_client *client, const struct rd_kafka_metadata **out, struct err *err)
{
	int64_t now = clock_monotonic_ms(), until;
	int64_t look_until = now + LOOK_MS, refused_until = now + REFUSED_MS;
	rd_kafka_resp_err_t failed;
	int got;

	do {
		failed = rd_kafka_metadata(client->rk, 1, NULL, out, QUESTION_MS);
		if (!failed)
			return 0;
		*out = NULL;
		rd_kafka_poll(client->rk, 0);
		got = kafka_client_not_heard(client, rd_kafka_err2str(failed), err);
		until = atomic_load(&client->away) ? refused_until : look_until;
	} while (got == -ERR_UNREACHABLE && err->retry && clock_monotonic_ms() < until);
	return got;
}

static bool is_wanted(const struct rd_kafka_metadata_topic *found, const char *topic)
{
	return topic ? strcmp(found->topic, topic) == 0
		     : !str_starts(str_from(found->topic), STR("__"));
}

static int measure(struct kafka_client *client, const char *topic, int32_t number, uint64_t *first,
		   uint64_t *end, struct err *err)
{
	int64_t low = 0, high = 0;
	int got = judge(
		client,
		rd_kafka_query_watermark_offsets(client->rk, topic, number, &low, &high, ANSWER_MS),
		"read", topic, err);

	*first = (uint64_t)MAX(low, (int64_t)0);
	*end = (uint64_t)MAX(high, low);
	return got;
}

static int compare_partitions(const void *a, const void *b)
{
	const struct kafka_admin_partition *one = a, *other = b;
	int order = str_cmp(one->topic, other->topic);

	return order != 0 ? order : one->number - other->number;
}

static size_t partitions_in(const struct rd_kafka_metadata *found)
{
	size_t sum = 0;

	for (int i = 0; i < found->topic_cnt; i++)
		sum += (size_t)found->topics[i].partition_cnt;
	return sum;
}

static int measure_topic(struct kafka_client *client, const struct rd_kafka_metadata_topic *topic,
			 struct arena *mem, struct kafka_admin_partition *list, size_t *count,
			 struct err *err)
{
	struct str name = arena_str(mem, str_from(topic->topic));

	for (int i = 0; i < topic->partition_cnt; i++) {
		struct kafka_admin_partition *p = &list[(*count)++];

		*p = (struct kafka_admin_partition){.topic = name,
						    .number = topic->partitions[i].id};
		if (measure(client, topic->topic, p->number, &p->first, &p->end, err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

int kafka_admin_partitions(struct kafka_admin *admin, const char *topic, struct arena *mem,
			   struct kafka_admin_partition **out, size_t *count, struct err *err)
{
	cleanup(metadatap) const struct rd_kafka_metadata *found = NULL;
	struct kafka_client *client = &admin->client;

	*count = 0;
	if (look(client, &found, err) < 0)
		return -(int)err->kind;
	*out = arena_zalloc(mem, partitions_in(found) + 1, sizeof(**out));
	if (!*out)
		return arena_fail(mem, "the topics", err);
	for (int i = 0; i < found->topic_cnt; i++)
		if (is_wanted(&found->topics[i], topic) &&
		    measure_topic(client, &found->topics[i], mem, *out, count, err) < 0)
			return -(int)err->kind;
	if (mem->failed)
		return arena_fail(mem, "the topics", err);
	qsort(*out, *count, sizeof(**out), compare_partitions);
	return topic && *count == 0
		       ? judge(client, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "read", topic, err)
		       : 0;
}

/* --- Making and removing them --- */

static void optionsp(rd_kafka_AdminOptions_t **options)
{
	rd_kafka_AdminOptions_destroy(*options);
}

static void queuep(rd_kafka_queue_t **queue)
{
	rd_kafka_queue_destroy(*queue);
}

static rd_kafka_AdminOptions_t *patience(rd_kafka_t *rk, rd_kafka_admin_op_t what)
{
	rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk, what);

	rd_kafka_AdminOptions_set_request_timeout(options, ANSWER_MS, NULL, 0);
	rd_kafka_AdminOptions_set_operation_timeout(options, ANSWER_MS, NULL, 0);
	return options;
}

/* The one answer about the one topic. */
static int take_answer(struct kafka_client *client, rd_kafka_queue_t *queue, const char *what,
		       const char *topic, struct err *err)
{
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 2 * ANSWER_MS);
	rd_kafka_resp_err_t said =
		event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
	const rd_kafka_topic_result_t **results = NULL;
	size_t count = 0;

	if (!said && rd_kafka_event_type(event) == RD_KAFKA_EVENT_CREATETOPICS_RESULT)
		results = rd_kafka_CreateTopics_result_topics(
			rd_kafka_event_CreateTopics_result(event), &count);
	else if (!said)
		results = rd_kafka_DeleteTopics_result_topics(
			rd_kafka_event_DeleteTopics_result(event), &count);
	if (count > 0)
		said = rd_kafka_topic_result_error(results[0]);
	if (event)
		rd_kafka_event_destroy(event);
	return judge(client, said, what, topic, err);
}

int kafka_admin_create(struct kafka_admin *admin, const char *topic, struct err *err)
{
	cleanup(metadatap) const struct rd_kafka_metadata *found = NULL;
	struct kafka_client *client = &admin->client;
	cleanup(queuep) rd_kafka_queue_t *queue = rd_kafka_queue_new(client->rk);
	cleanup(optionsp) rd_kafka_AdminOptions_t *options =
		patience(client->rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
	char why[256];
	rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(topic, -1, -1, why, sizeof(why));
	int got;

	if (!wanted)
		return err_set(err, ERR_USAGE, "'%s' is no name of a topic: %s", topic, why);
	got = look(client, &found, err);
	if (got == 0) {
		rd_kafka_CreateTopics(client->rk, &wanted, 1, options, queue);
		got = take_answer(client, queue, "make", topic, err);
	}
	rd_kafka_NewTopic_destroy(wanted);
	return got;
}

int kafka_admin_remove(struct kafka_admin *admin, const char *topic, struct err *err)
{
	cleanup(metadatap) const struct rd_kafka_metadata *found = NULL;
	struct kafka_client *client = &admin->client;
	cleanup(queuep) rd_kafka_queue_t *queue = rd_kafka_queue_new(client->rk);
	cleanup(optionsp) rd_kafka_AdminOptions_t *options =
		patience(client->rk, RD_KAFKA_ADMIN_OP_DELETETOPICS);
	rd_kafka_DeleteTopic_t *unwanted = rd_kafka_DeleteTopic_new(topic);
	int got;

	if (!unwanted)
		return err_set(err, ERR_USAGE, "'%s' is no name of a topic", topic);
	got = look(client, &found, err);
	if (got == 0) {
		rd_kafka_DeleteTopics(client->rk, &unwanted, 1, options, queue);
		got = take_answer(client, queue, "remove", topic, err);
	}
	rd_kafka_DeleteTopic_destroy(unwanted);
	return got;
}

/* --- Groups --- */

static void group_listp(const struct rd_kafka_group_list **list)
{
	if (*list)
		rd_kafka_group_list_destroy(*list);
}

/* Of consumers; those of Kafka Connect and the like are not ours to tell. */
static bool is_of_consumers(const struct rd_kafka_group_info *group)
{
	return !group->protocol_type || !*group->protocol_type ||
	       strcmp(group->protocol_type, "consumer") == 0;
}

static int list_groups(struct kafka_client *client, const struct rd_kafka_group_list **out,
		       struct err *err)
{
	cleanup(metadatap) const struct rd_kafka_metadata *found = NULL;
	rd_kafka_resp_err_t failed;

	if (look(client, &found, err) < 0)
		return -(int)err->kind;
	failed = rd_kafka_list_groups(client->rk, NULL, out, ANSWER_MS);
	return judge(client, failed, "list the groups of", "all topics", err);
}

int kafka_admin_groups(struct kafka_admin *admin, struct arena *mem, struct str **out,
		       size_t *count, struct err *err)
{
	cleanup(group_listp) const struct rd_kafka_group_list *list = NULL;

	*count = 0;
	if (list_groups(&admin->client, &list, err) < 0)
		return -(int)err->kind;
	*out = arena_zalloc(mem, (size_t)list->group_cnt + 1, sizeof(**out));
	if (!*out)
		return arena_fail(mem, "the groups", err);
	for (int i = 0; i < list->group_cnt; i++)
		if (is_of_consumers(&list->groups[i]))
			(*out)[(*count)++] = arena_str(mem, str_from(list->groups[i].group));
	qsort(*out, *count, sizeof(**out), str_cmp_qsort);
	return mem->failed ? arena_fail(mem, "the groups", err) : 0;
}

static int find_group(struct kafka_admin *admin, const char *group, struct arena *mem,
		      struct err *err)
{
	struct str *names;
	size_t count;

	if (kafka_admin_groups(admin, mem, &names, &count, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < count; i++)
		if (str_is(names[i], group))
			return 0;
	return err_set(err, ERR_NOT_FOUND, "there is no group '%s' at %s", group,
		       admin->client.options.brokers);
}

static void listp(rd_kafka_topic_partition_list_t **list)
{
	if (*list)
		rd_kafka_topic_partition_list_destroy(*list);
}

/* All partitions of all topics, with what the group committed. */
static int committed(struct kafka_client *client, rd_kafka_topic_partition_list_t *list,
		     struct err *err)
{
	cleanup(metadatap) const struct rd_kafka_metadata *found = NULL;

	if (look(client, &found, err) < 0)
		return -(int)err->kind;
	for (int i = 0; i < found->topic_cnt; i++)
		for (int k = 0; k < found->topics[i].partition_cnt; k++)
			rd_kafka_topic_partition_list_add(list, found->topics[i].topic,
							  found->topics[i].partitions[k].id);
	rd_kafka_topic_partition_list_sort(list, NULL, NULL);
	return judge(client, rd_kafka_committed(client->rk, list, ANSWER_MS), "read the offsets of",
		     client->options.group, err);
}

static struct kafka_admin_lag *lag_of(struct kafka_admin_lag *list, size_t count,
				      const rd_kafka_message_t *message)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].partition == message->partition &&
		    str_is(list[i].topic, rd_kafka_topic_name(message->rkt)))
			return &list[i];
	return NULL;
}

static void stop_reading(rd_kafka_t *rk, const rd_kafka_message_t *message)
{
	cleanup(listp) rd_kafka_topic_partition_list_t *one = rd_kafka_topic_partition_list_new(1);

	rd_kafka_topic_partition_list_add(one, rd_kafka_topic_name(message->rkt),
					  message->partition);
	rd_kafka_pause_partitions(rk, one);
}

/* The times of the records that the group stands at; those not had in time stay unknown. */
static void read_times(struct kafka_client *client, const rd_kafka_topic_partition_list_t *behind,
		       struct kafka_admin_lag *list, size_t count)
{
	int64_t until = clock_monotonic_ms() + READ_MS;
	int waiting = behind->cnt;

	if (waiting == 0 || rd_kafka_assign(client->rk, behind) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	while (waiting > 0 && clock_monotonic_ms() < until) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(client->rk, 100);
		struct kafka_admin_lag *lag = NULL;

		if (message && message->rkt && !message->err)
			lag = lag_of(list, count, message);
		if (lag && lag->time_ms < 0) {
			rd_kafka_timestamp_type_t kind;

			lag->time_ms = MAX(rd_kafka_message_timestamp(message, &kind), (int64_t)0);
			stop_reading(client->rk, message);
			waiting--;
		}
		if (message)
			rd_kafka_message_destroy(message);
	}
	rd_kafka_assign(client->rk, NULL);
}

static int measure_lags(struct kafka_client *client, const rd_kafka_topic_partition_list_t *offsets,
			struct arena *mem, struct kafka_admin_lag *list, size_t *count,
			struct err *err)
{
	cleanup(listp) rd_kafka_topic_partition_list_t *behind =
		rd_kafka_topic_partition_list_new(offsets->cnt);

	for (int i = 0; i < offsets->cnt; i++) {
		const rd_kafka_topic_partition_t *at = &offsets->elems[i];
		struct kafka_admin_lag lag = {.topic = arena_str(mem, str_from(at->topic)),
					      .partition = at->partition,
					      .time_ms = -1};
		uint64_t first;

		if (at->offset < 0)
			continue;
		if (measure(client, at->topic, at->partition, &first, &lag.end, err) < 0)
			return -(int)err->kind;
		/* A topic that was made again may end below. */
		lag.committed = MIN((uint64_t)at->offset, lag.end);
		if (MAX(lag.committed, first) < lag.end)
			rd_kafka_topic_partition_list_add(behind, at->topic, at->partition)
				->offset = (int64_t)MAX(lag.committed, first);
		list[(*count)++] = lag;
	}
	if (mem->failed)
		return arena_fail(mem, "the offsets", err);
	read_times(client, behind, list, *count);
	return 0;
}

int kafka_admin_lags(struct kafka_admin *admin, const char *group, struct arena *mem,
		     struct kafka_admin_lag **out, size_t *count, struct err *err)
{
	cleanup(listp) rd_kafka_topic_partition_list_t *offsets =
		rd_kafka_topic_partition_list_new(16);
	cleanup(kafka_client_release) struct kafka_client client;
	int got;

	*count = 0;
	kafka_client_init(&client, &admin->client.options);
	if (find_group(admin, group, mem, err) < 0)
		return -(int)err->kind;
	got = open_client(&client, group, err);
	if (got == 0)
		got = committed(&client, offsets, err);
	*out = arena_zalloc(mem, (size_t)offsets->cnt + 1, sizeof(**out));
	if (got == 0 && !*out)
		got = arena_fail(mem, "the offsets", err);
	return got < 0 ? got : measure_lags(&client, offsets, mem, *out, count, err);
}
