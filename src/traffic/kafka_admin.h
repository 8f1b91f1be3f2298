/* Topics and groups of a Kafka, for who looks after it. Not thread-safe.
 *
 * Errors of all calls: ERR_UNREACHABLE (no broker answers; retry where that may pass), ERR_AUTH,
 * ERR_NOT_FOUND, ERR_CONFLICT. Lists are in the arena. */
#ifndef TRAFFIC_KAFKA_ADMIN_H
#define TRAFFIC_KAFKA_ADMIN_H

#include "base/arena.h"
#include "traffic/kafka.h"

struct kafka_admin;

/* Offsets: of the oldest record, and behind the newest. */
struct kafka_admin_partition {
	struct str topic;
	int32_t number;
	uint64_t first, end;
};

/* A group at one partition. */
struct kafka_admin_lag {
	struct str topic;
	int32_t partition;
	uint64_t committed, end;
	int64_t time_ms; /* of the record that is to be read next; -1: there is none, or not known
			  */
};

/* Strings of the options are borrowed until it is closed; topic and group are not used. Asks
 * nothing yet. ERR_USAGE. */
int kafka_admin_open(const struct kafka_options *options, struct kafka_admin **out,
		     struct err *err);
/* Accepts NULL. */
void kafka_admin_close(struct kafka_admin *admin);

/* Partitions of one topic, or of all (`topic` NULL) but those that Kafka keeps for itself ("__…"),
 * by topic and number. ERR_NOT_FOUND: there is no such topic; none is made by asking. */
int kafka_admin_partitions(struct kafka_admin *admin, const char *topic, struct arena *mem,
			   struct kafka_admin_partition **out, size_t *count, struct err *err);
/* With the brokers' default of partitions and replicas. */
int kafka_admin_create(struct kafka_admin *admin, const char *topic, struct err *err);
int kafka_admin_remove(struct kafka_admin *admin, const char *topic, struct err *err);
/* Names of groups of consumers, sorted. */
int kafka_admin_groups(struct kafka_admin *admin, struct arena *mem, struct str **out,
		       size_t *count, struct err *err);
/* Where the group committed something. ERR_NOT_FOUND: there is no such group. Does not join it. */
int kafka_admin_lags(struct kafka_admin *admin, const char *group, struct arena *mem,
		     struct kafka_admin_lag **out, size_t *count, struct err *err);

#endif
