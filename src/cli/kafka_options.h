/* How Kafka is reached: one part of options for all commands that do. */
#ifndef CLI_KAFKA_OPTIONS_H
#define CLI_KAFKA_OPTIONS_H

#include "base/opt.h"
#include "traffic/kafka.h"

struct kafka_fields {
	const char *brokers, *topic, *client_id, *config_file;
	const char *auth_type, *mechanism, *username, *password, *region;
	bool msk_auth, tls;
	const char *ca, *cert, *key;
	const char *listener_name, *secret_name; /* told by the Java tool's charts, not used */
};

extern const struct opt kafka_options[];

/* Checks what does not go together (ERR_USAGE). `group`: of a reader, or NULL. Warnings go to the
 * log under `module`. Strings are the fields'. */
int kafka_fields_read(const struct kafka_fields *fields, const char *group, const char *module,
		      struct kafka_options *out, struct err *err);

#endif
