/* Questions to the brokers about a topic, asked by a thread of their own: an answer waits behind a
 * fetch, half a second or more, and who replays must not. Within src/traffic. Answers are of the
 * last time it was asked, once a second at most. */
#ifndef TRAFFIC_KAFKA_QUESTIONS_H
#define TRAFFIC_KAFKA_QUESTIONS_H

#include "traffic/kafka_internal.h"

/* One who commits nothing for so long is taken to wait for us. */
#define KAFKA_OTHERS_STUCK_MS 180000

struct kafka_questions;

/* Both borrowed. ERR_IO: no thread. */
int kafka_questions_start(rd_kafka_t *rk, const char *topic, struct kafka_questions **out,
			  struct err *err);
/* Waits for the question under way, some seconds at most. Accepts NULL. */
void kafka_questions_stop(struct kafka_questions *q);
/* Who has which partition changed: no answer counts any more. */
void kafka_questions_forget(struct kafka_questions *q);

/* Where the partitions `ours` end. The offsets of *ours are set; returns the monotonic time that
 * they were asked after, and asks again. 0: not known yet. */
int64_t kafka_questions_ends(struct kafka_questions *q, rd_kafka_topic_partition_list_t *ours);
/* Whether the records stored before time_ms (wall clock) of all partitions but `ours` are done, by
 * what the members that have them committed, or nobody gets on with them; false while that is not
 * known. */
bool kafka_questions_others_have_passed(struct kafka_questions *q,
					const rd_kafka_topic_partition_list_t *ours,
					int64_t time_ms);

#endif
