/* A Kafka topic as a source of records.
 *
 * With a group: partitions come and go as the group's members do (cooperative-sticky); what is
 * committed is, for each partition, below the first unfinished record; it never ends. A partition
 * that goes to another member is told as RECORD_SOURCE_REVOKED, and given away when
 * record_source_leave was called for it, or after KAFKA_SOURCE_LEAVE_MS. Commits are sent and not
 * waited for, but on leaving and closing; one that failed is sent again with the next. Without a
 * group: all partitions, up to where they ended on opening; nothing is committed.
 *
 * As long as record_source_commit is called each second or so, the membership is kept, whether
 * records are taken or not. */
#ifndef TRAFFIC_KAFKA_SOURCE_H
#define TRAFFIC_KAFKA_SOURCE_H

#include "traffic/kafka.h"
#include "traffic/record_source.h"

#define KAFKA_SOURCE_LEAVE_MS 30000

struct kafka_source_options {
	struct kafka_options kafka; /* group NULL: none */
	/* Without a group, as in log_source_options; offsets count in each partition. */
	int64_t from_time_ms;
	uint64_t from_offset;
	bool has_from_time, has_from_offset;
};

/* Strings are borrowed until it is closed. ERR_UNREACHABLE, ERR_AUTH, ERR_NOT_FOUND (no topic),
 * ERR_USAGE. */
int kafka_source_open(const struct kafka_source_options *options, struct record_source **out,
		      struct err *err);

#endif
