/* Inside kafka_source: kafka_source.c opens and closes, kafka_source_group.c has partitions come
 * and go and commits, kafka_source_read.c reads, kafka_source_progress.c tells how far it is. */
#ifndef TRAFFIC_KAFKA_SOURCE_INTERNAL_H
#define TRAFFIC_KAFKA_SOURCE_INTERNAL_H

#include "traffic/commit_tracker.h"
#include "traffic/kafka_internal.h"
#include "traffic/kafka_questions.h"
#include "traffic/kafka_source.h"

#include <stddef.h>

struct partition {
	bool assigned; /* ours to read */
	bool revoked;  /* to be told */
	bool leaving;  /* told, and not left yet */
	bool known;    /* `next` is */
	bool ended;    /* without a group: nothing more */
	uint64_t next, end, committed;
	int64_t stored_ms; /* when the last record that was read was */
	struct commit_tracker tracker;
};

struct kafka_source {
	struct kafka_client client; /* first: the opaque of callbacks */
	struct record_source source;
	struct kafka_source_options options;
	struct partition *partitions; /* by number */
	size_t partition_count;
	rd_kafka_message_t *message; /* of the last item */
	rd_kafka_message_t *kept;    /* read while nobody asked */
	rd_kafka_topic_partition_list_t *revoking;
	struct kafka_questions *questions;
	int64_t leave_until_ms, read_ms;
	uint64_t assigned_so_far, revoked_so_far; /* partitions */
	bool subscribed, joined, paused, closing, committing;
	struct err failed;
};

static inline struct kafka_source *kafka_source_of(struct record_source *source)
{
	return (struct kafka_source *)((char *)source - offsetof(struct kafka_source, source));
}

struct partition *kafka_source_partition(struct kafka_source *k, int32_t number);

/* kafka_source_group.c */

void kafka_source_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t what,
			       rd_kafka_topic_partition_list_t *list, void *opaque);
void kafka_source_on_committed(rd_kafka_t *rk, rd_kafka_resp_err_t failed,
			       rd_kafka_topic_partition_list_t *offsets, void *opaque);
void kafka_source_commit_and_wait(struct kafka_source *k);
/* Gives away what is to be revoked, when all of it was left or it is late; `now`: whatever is. */
void kafka_source_finish_leaving(struct kafka_source *k, bool now);
int kafka_source_commit(struct record_source *source, struct err *err);
void kafka_source_leave(struct record_source *source, uint32_t partition);

/* kafka_source_read.c */

int kafka_source_next(struct record_source *source, int timeout_ms, struct record_item *out,
		      struct err *err);
/* Nobody asks for records: the group must hear of us all the same. */
void kafka_source_stay_member(struct kafka_source *k);
void kafka_source_forget(rd_kafka_message_t **message);

/* kafka_source_progress.c */

bool kafka_source_progress(struct record_source *source, struct record_progress *out);
bool kafka_source_has_passed(struct record_source *source, int64_t time_ms);

#endif
