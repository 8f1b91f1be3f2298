/* How far the other members of a group are with their partitions, by what they have committed.
 * Within src/traffic. */
#ifndef TRAFFIC_KAFKA_OTHERS_H
#define TRAFFIC_KAFKA_OTHERS_H

#include "traffic/kafka_internal.h"

/* One who commits nothing for so long is taken to wait for us. */
#define KAFKA_OTHERS_STUCK_MS 180000

struct kafka_other {
	bool ours;
	int64_t committed; /* RD_KAFKA_OFFSET_INVALID: nothing */
	int64_t moved_ms;  /* monotonic: when it was seen to be another */
};

struct kafka_others {
	struct kafka_other *partitions; /* by number; owned */
	size_t count;
	int64_t passed_ms; /* wall clock: all of before is done */
	int64_t asked_ms;  /* monotonic */
};

/* Whether the records stored before time_ms (wall clock) of all partitions that are not in `ours`
 * are done, or nobody gets on with them. Asks the brokers once a second at most, and waits for them
 * a second at most; false while nothing is known. */
bool kafka_others_have_passed(struct kafka_others *others, rd_kafka_t *rk, const char *topic,
			      const rd_kafka_topic_partition_list_t *ours, int64_t time_ms);
/* Who has which partition changed. */
void kafka_others_forget(struct kafka_others *others);

#endif
