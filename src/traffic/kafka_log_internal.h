/* Inside kafka_log: flows (connections) with their items (records). For kafka_log*.c. */
#ifndef TRAFFIC_KAFKA_LOG_INTERNAL_H
#define TRAFFIC_KAFKA_LOG_INTERNAL_H

#include "base/siphash.h"
#include "traffic/commit_tracker.h"
#include "traffic/kafka_internal.h"
#include "traffic/kafka_log.h"

struct flow;

/* A record on its way. */
struct item {
	struct item *next; /* of its flow */
	struct flow *flow;
	struct completion *done; /* NULL: nobody asks */
	int64_t time_ms;
	size_t len;
	char bytes[];
};

/* Records of one partition on their way. While LANE_WIDTH of them are, librdkafka sends none of the
 * others (idempotence), but looks without end whether it may, where it does not linger: so those
 * wait here. */
struct lane {
	struct flow *waiting, **last; /* their first item is not with librdkafka */
	unsigned handed;              /* items that are */
};

enum { LANES = 1024, LANE_WIDTH = 5 };

/* Of one connection; there while it has items, of which the first is with librdkafka, or waits in
 * its lane, or is stuck. */
struct flow {
	struct flow *next_in_bucket;
	struct flow *next_stuck;
	struct flow *next_waiting;
	struct lane *lane;
	struct item *first, **last;
	bool is_stuck;
	size_t key_len;
	char key[];
};

/* A record of the spool on its way. */
struct spooled {
	uint64_t offset;
	size_t key_len, len;
	char bytes[]; /* key, record */
};

/* What brings the spool to Kafka: a producer of its own whose records never time out, so that many
 * of a connection may be on their way and stay in order. */
struct drain {
	struct kafka_client client; /* first: the opaque of callbacks */
	struct kafka_log *log;
	struct segment_log_reader *reader;
	struct commit_tracker tracker; /* what of the spool Kafka took */
	uint64_t committed;
	uint64_t items; /* on their way */
	size_t bytes;   /* of these */
	bool failed;    /* some were given back: from the first of these on again */
	bool reader_broken;
	int64_t committed_ms;
};

enum { FLOW_BUCKETS = 4096 };

struct producer_settings {
	const char *timeout; /* milliseconds for a record to be taken, "0": no end */
	const char *linger;  /* milliseconds */
	kafka_configure *configure;
};

struct kafka_log {
	struct kafka_client client; /* first: the opaque of callbacks */
	struct kafka_log_options options;
	struct producer_settings settings;
	char timeout[24]; /* of the settings */
	pthread_t thread;
	bool has_thread;

	pthread_mutex_t lock; /* of all below */
	struct siphash_key hash_key;
	struct flow *buckets[FLOW_BUCKETS];
	struct lane lanes[LANES];
	struct flow *stuck; /* their first item is to be tried again */
	size_t buffered;
	uint64_t items;
	uint64_t sent, failed;
	bool closing, abandon; /* abandon: nothing is sent any more */
	int64_t looked_ms;     /* the thread's */

	struct segment_log *spool; /* NULL: none */
	bool spooling;
	bool joining; /* spooling ends: new records wait until the last of the spool is taken */
	int64_t joining_until_ms;
	struct drain drain;
};

enum { KAFKA_LOG_POLL_MS = 50 };

/* kafka_log_send.c. The lock is held. */
void kafka_log_push(struct kafka_log *log, struct item *item, struct str key);
struct flow *kafka_log_flow(struct kafka_log *log, struct str key, bool make);
/* The item is not with librdkafka any more: `failed` says how it went. */
void kafka_log_delivered(struct kafka_log *log, struct item *item, rd_kafka_resp_err_t failed);
void kafka_log_try_stuck(struct kafka_log *log);
void kafka_log_lanes_init(struct kafka_log *log);

/* kafka_log.c: makes a producer. */
int kafka_log_producer(struct kafka_client *client, const struct producer_settings *settings,
		       struct err *err);
/* When librdkafka gave the handle up, and told of all that it had: another one. */
void kafka_log_renew(struct kafka_log *log, struct kafka_client *client,
		     const struct producer_settings *settings);
/* Waits for what is with librdkafka, unless brokers are away, then takes it back. */
void kafka_log_end_sending(rd_kafka_t *rk, bool away);

/* kafka_log_spool.c. */
int kafka_log_spool_open(struct kafka_log *log, struct err *err);
void kafka_log_spool_close(struct kafka_log *log);
/* The thread's, without the lock: serves the drain's producer. */
void kafka_log_spool_poll(struct kafka_log *log);
/* With the lock: reads on and sends; changes between spooling and sending at once. */
void kafka_log_spool_step(struct kafka_log *log);

#endif
