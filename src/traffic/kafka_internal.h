/* A client of Kafka. Within src/traffic. */
#ifndef TRAFFIC_KAFKA_INTERNAL_H
#define TRAFFIC_KAFKA_INTERNAL_H

#include "traffic/kafka.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>

/* Brokers that end a connection, as they do when a login has lasted long enough, are away for the
 * moment that another takes; nobody has to know. */
struct kafka_outage {
	int64_t down_ms; /* when the last connection went, monotonic; 0: never */
	bool told;
};

/* The last connection went. */
void kafka_outage_begin(struct kafka_outage *outage, int64_t now_ms);
/* While brokers are away an attempt to connect failed. True: the operator is to be told. */
bool kafka_outage_lasts(struct kafka_outage *outage, int64_t now_ms);

/* What callbacks get as their opaque; first member of who uses it. */
struct kafka_client {
	struct kafka_options options;
	char *region; /* owned */
	struct aws_credentials *credentials;
	atomic_bool token_refused; /* another is due, with credentials that are looked for anew */
	rd_kafka_t *rk;
	atomic_bool away;           /* no broker answers */
	struct kafka_outage outage; /* of the thread that polls */
	atomic_int partitions;      /* of the topic, at the last look; 0: nobody told yet */
	atomic_bool fatal;          /* librdkafka gave up on this handle */
	pthread_mutex_t lock;
	struct err refused; /* under the lock; kind set: authentication failed, or TLS */
};

typedef void kafka_configure(rd_kafka_conf_t *conf, struct kafka_client *client);

/* Reads options into *client. */
void kafka_client_init(struct kafka_client *client, const struct kafka_options *options);
/* Makes client->rk. `defaults` are what property files may change, pairs of name and value, NULL at
 * the end; `configure` sets callbacks. ERR_USAGE names the option or the line of the file. */
int kafka_client_open(struct kafka_client *client, rd_kafka_type_t type,
		      const char *const *defaults, kafka_configure *configure, struct err *err);
/* Waits until a broker tells about the topic. ERR_AUTH, ERR_UNREACHABLE (retry), ERR_NOT_FOUND. */
int kafka_client_check(struct kafka_client *client, int timeout_ms, struct err *err);
/* Why nothing was heard, after a question that failed for `why`: ERR_AUTH, ERR_UNREACHABLE (retry,
 * unless TLS failed). */
int kafka_client_not_heard(struct kafka_client *client, const char *why, struct err *err);
void kafka_client_release(struct kafka_client *client);
void kafka_client_warn(const struct kafka_client *client, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* MSK's IAM: whose credentials and region; no more when there is none of it. */
int kafka_client_msk_prepare(struct kafka_client *client, struct err *err);
void kafka_client_msk_configure(rd_kafka_conf_t *conf);
/* librdkafka has no token, or the brokers refuse it: then another follows soon. False: *told is
 * empty, there is nothing to tell. */
bool kafka_client_msk_refused(struct kafka_client *client, rd_kafka_t *rk, const char *reason,
			      struct err *told);
void kafka_client_msk_release(struct kafka_client *client);

/* Lines key=value, '#' and '!' begin comments. Fills conf. */
int kafka_properties_read(rd_kafka_conf_t *conf, const char *path, struct err *err);

#endif
