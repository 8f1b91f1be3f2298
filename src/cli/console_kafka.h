/* Topics and groups of captured traffic, wherever it lies: the segment logs of this machine, or
 * Kafka. */
#ifndef CLI_CONSOLE_KAFKA_H
#define CLI_CONSOLE_KAFKA_H

#include "cli/console_common.h"

struct kafka_topic {
	struct str name;
	int64_t partitions;
	uint64_t first, end; /* offsets, of all partitions together */
	uint64_t bytes;      /* KAFKA_BYTES_UNKNOWN: brokers do not tell */
	const char *place;   /* of a segment log: its folder; NULL: none */
};
#define KAFKA_BYTES_UNKNOWN UINT64_MAX

/* A partition of a topic. */
struct kafka_part {
	int64_t number;
	uint64_t first, end; /* offsets */
};

/* A group at one partition. */
struct kafka_lag {
	struct str topic;
	int64_t partition;
	uint64_t committed, end;
	int64_t lag_ms; /* age of the oldest record that is not done with; -1: not known, or none */
};

struct kafka_access;
struct kafka_access_ops {
	int (*topics)(struct kafka_access *access, struct arena *mem, struct kafka_topic **out,
		      size_t *count, struct err *err);
	/* ERR_NOT_FOUND: no such topic. */
	int (*partitions)(struct kafka_access *access, const char *topic, struct arena *mem,
			  struct kafka_part **out, size_t *count, struct err *err);
	int (*create)(struct kafka_access *access, const char *topic, struct err *err);
	int (*remove)(struct kafka_access *access, const char *topic, struct err *err);
	/* Names. */
	int (*groups)(struct kafka_access *access, struct arena *mem, struct str **out,
		      size_t *count, struct err *err);
	/* ERR_NOT_FOUND: no such group. */
	int (*lags)(struct kafka_access *access, const char *group, struct arena *mem,
		    struct kafka_lag **out, size_t *count, struct err *err);
	/* The arguments that let `traffic show` read a topic. */
	int (*show)(struct kafka_access *access, const char *topic, struct console_command *command,
		    struct err *err);
	void (*close)(struct kafka_access *access);
};

/* Implementations embed this as their first member. */
struct kafka_access {
	const struct kafka_access_ops *ops;
};

/* --- console_kafka_logs.c --- */

/* The logs <state>/capture/NAME, and the one that the section replay names. */
int kafka_logs_open(const struct console *console, struct kafka_access **out, struct err *err);

/* --- console_kafka_brokers.c --- */

/* As a section with `broker_endpoints` says. */
int kafka_brokers_open(const struct console *console, const struct config_value *section,
		       struct kafka_access **out, struct err *err);

#endif
