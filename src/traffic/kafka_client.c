#include "traffic/kafka_internal.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SCRAM_WORKS_FROM 0x02060100 /* rd_kafka_version */
#define TOPIC_MADE_MS 5000
#define QUESTION_MS 1000
/* From the end of a connection to the first failure of another one: a host that says nothing takes
 * librdkafka 30 s. */
#define CONNECT_MS 40000

void kafka_client_warn(const struct kafka_client *client, const char *fmt, ...)
{
	char message[700];
	va_list args;

	if (!client->options.warn)
		return;
	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	client->options.warn(client->options.user, message);
}

/* --- What librdkafka tells --- */

static bool is_scram(const struct kafka_client *client)
{
	return client->options.mechanism &&
	       str_starts(str_from(client->options.mechanism), STR("SCRAM"));
}

static void set_refused(struct kafka_client *client, const struct err *told)
{
	bool first;

	pthread_mutex_lock(&client->lock);
	first = client->refused.kind == ERR_NONE;
	client->refused = *told;
	pthread_mutex_unlock(&client->lock);
	if (first)
		kafka_client_warn(client, "%s", told->message);
}

static void refuse(struct kafka_client *client, rd_kafka_t *rk, const char *reason)
{
	struct err told = {0};

	if (client->options.msk_iam) {
		if (!kafka_client_msk_refused(client, rk, reason, &told))
			return;
	} else if (is_scram(client) && rd_kafka_version() < SCRAM_WORKS_FROM) {
		err_set(&told, ERR_AUTH,
			"the brokers at %s refuse the password; with librdkafka %s SCRAM never "
			"works with Kafka 4 (it does from 2.6.1 on): if that is Kafka 4, use "
			"--kafka-sasl-mechanism PLAIN, client certificates or MSK IAM",
			client->options.brokers, rd_kafka_version_str());
	} else {
		err_set(&told, ERR_AUTH, "the brokers at %s refuse these credentials: %s",
			client->options.brokers, reason);
	}
	set_refused(client, &told);
}

static void refuse_tls(struct kafka_client *client, const char *reason)
{
	struct err told = {0};

	err_set(&told, ERR_UNREACHABLE, "TLS with the brokers at %s failed: %s",
		client->options.brokers, reason);
	set_refused(client, &told);
}

void kafka_outage_begin(struct kafka_outage *outage, int64_t now_ms)
{
	*outage = (struct kafka_outage){.down_ms = now_ms};
}

bool kafka_outage_lasts(struct kafka_outage *outage, int64_t now_ms)
{
	if (outage->told || outage->down_ms == 0 || now_ms - outage->down_ms > CONNECT_MS)
		return false;
	return outage->told = true;
}

static void cannot_connect(struct kafka_client *client)
{
	if (atomic_load(&client->away) && kafka_outage_lasts(&client->outage, clock_monotonic_ms()))
		kafka_client_warn(client, "no Kafka broker of %s answers", client->options.brokers);
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
	struct kafka_client *client = opaque;

	if (code == RD_KAFKA_RESP_ERR__FATAL) {
		atomic_store(&client->fatal, true);
	} else if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION) {
		refuse(client, rk, reason);
	} else if (code == RD_KAFKA_RESP_ERR__SSL) {
		refuse_tls(client, reason);
	} else if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
		atomic_store(&client->away, true);
		kafka_outage_begin(&client->outage, clock_monotonic_ms());
	} else if (code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__RESOLVE) {
		cannot_connect(client);
	}
}

/* Errors come by on_error. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	(void)rk;
	(void)level;
	(void)facility;
	(void)text;
}

/* --- Configuration --- */

/* One setting that a flag asks for; `value` NULL: not asked for. */
static int set(rd_kafka_conf_t *conf, const char *name, const char *value, struct err *err)
{
	char why[512];

	if (!value || rd_kafka_conf_set(conf, name, value, why, sizeof(why)) == RD_KAFKA_CONF_OK)
		return 0;
	return err_set(err, ERR_USAGE, "librdkafka does not take what the flags give for '%s'%s%s",
		       name, strcmp(name, "sasl.password") == 0 ? "" : ": ",
		       strcmp(name, "sasl.password") == 0 ? "" : why);
}

static const char *protocol_of(const struct kafka_options *o)
{
	bool tls = o->tls || o->ca || o->cert || o->key || o->msk_iam;
	bool sasl = o->mechanism || o->msk_iam;

	if (!tls && !sasl)
		return NULL;
	if (!sasl)
		return "ssl";
	return tls ? "sasl_ssl" : "sasl_plaintext";
}

static int set_options(rd_kafka_conf_t *conf, const struct kafka_options *o, struct err *err)
{
	const struct {
		const char *name, *value;
	} rows[] = {
		{"bootstrap.servers", o->brokers},
		{"client.id", o->client_id},
		{"group.id", o->group},
		{"security.protocol", protocol_of(o)},
		{"ssl.ca.location", o->ca},
		{"ssl.certificate.location", o->cert},
		{"ssl.key.location", o->key},
		{"sasl.mechanism", o->msk_iam ? "OAUTHBEARER" : o->mechanism},
		{"sasl.username", o->username},
		{"sasl.password", o->password},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (set(conf, rows[i].name, rows[i].value, err) < 0)
			return -ERR_USAGE;
	return 0;
}

static int configure_all(rd_kafka_conf_t *conf, struct kafka_client *client,
			 const char *const *defaults, struct err *err)
{
	const struct kafka_options *o = &client->options;
	int got = 0;

	for (; *defaults && got == 0; defaults += 2)
		got = set(conf, defaults[0], defaults[1], err);
	if (got == 0 && o->property_file)
		got = kafka_properties_read(conf, o->property_file, err);
	if (got == 0)
		got = set_options(conf, o, err);
	rd_kafka_conf_set_opaque(conf, client);
	rd_kafka_conf_set_error_cb(conf, on_error);
	rd_kafka_conf_set_log_cb(conf, on_log);
	if (o->msk_iam)
		kafka_client_msk_configure(conf);
	return got;
}

void kafka_client_init(struct kafka_client *client, const struct kafka_options *options)
{
	*client = (struct kafka_client){.options = *options};
	pthread_mutex_init(&client->lock, NULL);
}

int kafka_client_open(struct kafka_client *client, rd_kafka_type_t type,
		      const char *const *defaults, kafka_configure *configure, struct err *err)
{
	rd_kafka_conf_t *conf;
	rd_kafka_error_t *failed;
	char why[512];
	int got = kafka_client_msk_prepare(client, err);

	if (got < 0)
		return got;
	conf = rd_kafka_conf_new();
	got = configure_all(conf, client, defaults, err);
	if (got < 0) {
		rd_kafka_conf_destroy(conf);
		return got;
	}
	configure(conf, client);
	atomic_store(&client->fatal, false);
	client->rk = rd_kafka_new(type, conf, why, sizeof(why));
	if (!client->rk) {
		rd_kafka_conf_destroy(conf);
		return err_set(err, ERR_USAGE, "librdkafka cannot work with these settings: %s",
			       why);
	}
	failed = client->options.msk_iam ? rd_kafka_sasl_background_callbacks_enable(client->rk)
					 : NULL;
	if (!failed)
		return 0;
	err_set(err, ERR_USAGE, "librdkafka: %s", rd_kafka_error_string(failed));
	rd_kafka_error_destroy(failed);
	return -ERR_USAGE;
}

int kafka_client_not_heard(struct kafka_client *client, const char *why, struct err *err)
{
	struct err refused;

	pthread_mutex_lock(&client->lock);
	refused = client->refused;
	pthread_mutex_unlock(&client->lock);
	if (refused.kind != ERR_NONE) {
		if (err)
			*err = refused;
		return -(int)refused.kind;
	}
	err_set(err, ERR_UNREACHABLE, "no Kafka broker of %s answers: %s", client->options.brokers,
		why);
	if (err)
		err->retry = true;
	return -ERR_UNREACHABLE;
}

/* What the brokers say about the topic. */
static int judge_topic(const struct kafka_client *client, const struct rd_kafka_metadata *found,
		       struct err *err)
{
	rd_kafka_resp_err_t said =
		found->topic_cnt == 1 ? found->topics[0].err : RD_KAFKA_RESP_ERR_NO_ERROR;

	if (said == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
		return err_set(err, ERR_NOT_FOUND,
			       "there is no topic '%s' at %s, and the brokers make none by "
			       "themselves: make it, with all partitions it is to have",
			       client->options.topic, client->options.brokers);
	if (said == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
		return err_set(err, ERR_AUTH, "the brokers at %s do not allow the topic '%s'",
			       client->options.brokers, client->options.topic);
	return 0;
}

/* What brokers said before they let us in is no reason for what fails later. */
static void forget_refusal(struct kafka_client *client)
{
	pthread_mutex_lock(&client->lock);
	client->refused = (struct err){0};
	pthread_mutex_unlock(&client->lock);
}

static int ask_for_topic(struct kafka_client *client, rd_kafka_topic_t *topic, int timeout_ms,
			 struct err *err)
{
	const struct rd_kafka_metadata *found;
	rd_kafka_resp_err_t failed =
		rd_kafka_metadata(client->rk, 0, topic, &found, MAX(timeout_ms, 1));
	int got;

	if (failed) {
		rd_kafka_poll(client->rk, 0); /* for on_error */
		return kafka_client_not_heard(client, rd_kafka_err2str(failed), err);
	}
	atomic_store(&client->away, false);
	forget_refusal(client);
	got = judge_topic(client, found, err);
	if (got == 0)
		atomic_store(&client->partitions, found->topics[0].partition_cnt);
	rd_kafka_metadata_destroy(found);
	return got;
}

/* Whether asking again may bring another answer. */
static bool may_ask_again(int got, const struct err *why, int64_t made_until, int64_t until)
{
	int64_t now = clock_monotonic_ms();

	/* Asking makes a topic where the brokers do that; it is there a moment later. */
	if (got == -ERR_NOT_FOUND)
		return now < made_until;
	return got == -ERR_UNREACHABLE && why->retry && now < until;
}

/* In short questions: what refuses us is told by a callback, not by the answer. */
int kafka_client_check(struct kafka_client *client, int timeout_ms, struct err *err)
{
	rd_kafka_topic_t *topic = rd_kafka_topic_new(client->rk, client->options.topic, NULL);
	int64_t now = clock_monotonic_ms(), until = now + timeout_ms;
	int64_t made_until = now + MIN(timeout_ms, TOPIC_MADE_MS);
	const struct timespec wait = {.tv_nsec = 100000000};
	struct err why = {0};
	int got;

	if (!topic)
		return err_set(err, ERR_USAGE, "'%s' is no name of a topic", client->options.topic);
	while ((got = ask_for_topic(client, topic, MIN(timeout_ms, QUESTION_MS), &why)) < 0 &&
	       may_ask_again(got, &why, made_until, until))
		nanosleep(&wait, NULL);
	rd_kafka_topic_destroy(topic);
	if (got < 0 && err)
		*err = why;
	return got;
}

void kafka_client_release(struct kafka_client *client)
{
	if (client->rk)
		rd_kafka_destroy(client->rk);
	client->rk = NULL;
	kafka_client_msk_release(client);
	pthread_mutex_destroy(&client->lock);
}
