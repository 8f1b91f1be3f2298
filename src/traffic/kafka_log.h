/* A Kafka topic as the place of records: what segment_log.h is for a folder.
 *
 * Of each connection one record is on its way at a time, so that they are in the topic in order,
 * whatever fails. With a spool (a segment log of its own), records that Kafka does not take within
 * the timeout go there, and so do all after them until Kafka has taken all of the spool, in order:
 *
 *     append -> [connection: one on its way] -> Kafka --------------------+-> completed
 *                         | not taken in time, or brokers away            |
 *                         +-> spool (durable) ----------------------------+
 *                               | in order, again and again
 *                               +-> Kafka
 *
 * A spool survives: what a process left in it is sent by the next one. A record may be in the topic
 * twice after a failure; readers see by its number that it is the same. Thread-safe. */
#ifndef TRAFFIC_KAFKA_LOG_H
#define TRAFFIC_KAFKA_LOG_H

#include "traffic/kafka.h"
#include "traffic/segment_log.h"

struct kafka_log;

struct kafka_log_options {
	struct kafka_options kafka;
	int64_t timeout_ms;  /* for Kafka to take a record; 10000 */
	size_t buffer_bytes; /* of records on their way; 64 MiB */
	const char *spool;   /* folder; NULL: none, a record that is not taken fails */
	bool must_be_there;  /* opening fails when no broker answers */
};

/* Strings are borrowed until it is closed. Brokers that refuse us, or have no such topic, are an
 * error; those that do not answer one only with must_be_there. ERR_CONFLICT: another process has
 * the spool. */
int kafka_log_open(const struct kafka_log_options *options, struct kafka_log **out,
		   struct err *err);
/* What was appended is in Kafka, in the spool, or failed, then. Accepts NULL. */
void kafka_log_close(struct kafka_log *log);
/* As segment_log_append; the offset of the completion is not that of the topic. */
int kafka_log_append(struct kafka_log *log, struct record *record, struct completion *done,
		     struct err *err);
/* As segment_log_append_bytes. */
int kafka_log_append_bytes(struct kafka_log *log, struct str key, int64_t time_ms, struct str bytes,
			   struct completion *done, struct err *err);

/* How many partitions the topic has; 0: no broker told yet. */
uint32_t kafka_log_partitions(struct kafka_log *log);
/* Which of `partitions` the records of a key go to. */
uint32_t kafka_log_partition_of(struct str key, uint32_t partitions);

struct kafka_log_state {
	bool away;     /* no broker answers, or does not take records in time */
	bool spooling; /* new records go to the spool */
	bool has_spool;
	uint64_t sent;          /* records that Kafka took */
	uint64_t failed;        /* records that are nowhere */
	uint64_t in_flight;     /* records on their way, of all kinds */
	size_t buffered_bytes;  /* of these */
	uint64_t spool_records; /* in the spool, and not in Kafka yet */
	uint64_t spool_bytes;   /* of the spool's files */
	uint64_t spool_free_bytes;
};
void kafka_log_state(struct kafka_log *log, struct kafka_log_state *out);

#endif
