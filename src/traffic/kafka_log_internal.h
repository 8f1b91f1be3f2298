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
	bool from_spool;
	uint64_t offset; /* there */
	size_t len;
	char bytes[];
};

/* Of one connection; there while it has items. They are all from the spool, or none is. */
struct flow {
	struct flow *next_in_bucket;
	struct flow *next_stuck;
	struct item *first, **last;
	bool is_stuck;
	size_t key_len;
	char key[];
};

enum { FLOW_BUCKETS = 4096 };

struct kafka_log {
	struct kafka_client client; /* first: the opaque of callbacks */
	struct kafka_log_options options;
	char timeout[24]; /* as text, for librdkafka */
	pthread_t thread;
	bool has_thread;

	pthread_mutex_t lock; /* of all below */
	struct siphash_key hash_key;
	struct flow *buckets[FLOW_BUCKETS];
	struct flow *stuck; /* their first item is to be tried again */
	size_t buffered;
	uint64_t items, live; /* all, those not from the spool */
	uint64_t sent, failed;
	bool closing, abandon; /* abandon: nothing is sent any more */

	/* spool */
	struct segment_log *spool;
	struct segment_log_reader *reader;
	struct commit_tracker tracker; /* what of it Kafka took */
	uint64_t committed;
	size_t drain_bytes; /* of items from the spool */
	bool spooling, reader_broken;
	int64_t committed_ms, looked_ms; /* the thread's */
};

/* kafka_log_send.c. The lock is held. */
int kafka_log_push(struct kafka_log *log, struct item *item, struct str key);
struct flow *kafka_log_flow(struct kafka_log *log, struct str key, bool make);
/* The item is not on its way any more: `failed` says how it went. */
void kafka_log_resolve(struct kafka_log *log, struct item *item, rd_kafka_resp_err_t failed);
void kafka_log_try_stuck(struct kafka_log *log);
void kafka_log_complete(struct completion *done, enum err_kind failed, int error);

/* kafka_log_spool.c. The lock is held, but for open and close. */
int kafka_log_spool_open(struct kafka_log *log, struct err *err);
void kafka_log_spool_close(struct kafka_log *log);
/* Reads on and sends. */
void kafka_log_drain(struct kafka_log *log);
/* Nothing is left to be sent: back to sending at once. */
void kafka_log_settle(struct kafka_log *log);
/* Once a second, or `now`: makes durable what of the spool Kafka has. The thread's, without the
 * lock: nobody else moves the tracker. */
void kafka_log_spool_commit(struct kafka_log *log, bool now);

#endif
