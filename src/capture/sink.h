/* Where the records of a proxy go: a segment log, a Kafka topic, a folder of files, or nowhere.
 * Thread-safe. */
#ifndef CAPTURE_SINK_H
#define CAPTURE_SINK_H

#include "traffic/kafka_log.h"
#include "traffic/segment_log.h"

struct sink;

int sink_open_log(const char *folder, const struct segment_log_options *options, struct sink **out,
		  struct err *err);
int sink_open_kafka(const struct kafka_log_options *options, struct sink **out, struct err *err);
/* A file <connection>_<number>.protocap for each record. The folder is made. */
int sink_open_trace_folder(const char *folder, struct sink **out, struct err *err);
/* Writes what was appended. Accepts NULL. */
void sink_close(struct sink *sink);

/* 1: stored, `done` is not used; 0: `done` comes back in its queue. As segment_log_append
 * otherwise: on failure the record is still the caller's. */
int sink_append(struct sink *sink, struct record *record, struct completion *done, struct err *err);
/* How many orders of records it has: 1, the partitions of the topic, or 0 while nobody told. */
uint32_t sink_partitions(const struct sink *sink);
uint32_t sink_partition_of(const struct sink *sink, struct str connection_id);
/* False: it is no log; *out is zeroed. */
bool sink_log_state(struct sink *sink, struct segment_log_state *out);
/* The same of Kafka. */
bool sink_kafka_state(struct sink *sink, struct kafka_log_state *out);

#endif
