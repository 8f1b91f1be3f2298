/* Where workers agree who does what. */
#ifndef CLI_COORDINATOR_OPTIONS_H
#define CLI_COORDINATOR_OPTIONS_H

#include "cli/common_options.h"
#include "cluster/cluster.h"

struct coordinator_fields {
	const char *host; /* local, target or a URL */
	const char *compat;
	const char *username, *password, *cacert;
	const char *aws_region, *aws_service;
	bool insecure;
};
extern const struct opt coordinator_options[];

/* The cluster that --coordinator-host names, which is not local; `target_cluster` NULL: the target
 * is none.
 */
int coordinator_connect(const struct coordinator_fields *fields, const struct target_fields *target,
			const struct cluster *target_cluster, struct cluster **out,
			struct err *err);
bool coordinator_is_java(const struct coordinator_fields *fields);

#endif
