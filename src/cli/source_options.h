/* A live cluster as the source, and --from in all its forms. */
#ifndef CLI_SOURCE_OPTIONS_H
#define CLI_SOURCE_OPTIONS_H

#include "cli/common_options.h"
#include "cluster/cluster.h"

/* --source-host and the ways to be let in */
struct source_fields {
	const char *host;
	const char *username, *password, *api_key;
	const char *cacert, *client_cert, *client_cert_key;
	const char *aws_region, *aws_service;
	bool insecure, gzip_answers;
	int64_t connect_timeout_ms, request_timeout_ms, retry_ms;
};
extern const struct opt source_options[];

enum source_origin { SOURCE_SNAPSHOT, SOURCE_CLUSTER };
/* A --from that is a URL goes to source->host, else to the repository. ERR_USAGE when nothing or
 * both are given. */
int source_fields_resolve(struct source_fields *source, struct repository_fields *repository,
			  enum source_origin *origin, struct arena *mem, struct err *err);
/* Borrows the fields' strings. */
struct http_options source_http_options(const struct source_fields *fields);
/* Connects with them. */
int source_connect(const struct source_fields *fields, struct cluster **out, struct err *err);
/* The URL without what may be secret in it, in `mem`; as given where it is none. */
const char *public_url(const char *text, struct arena *mem);
int target_connect(const struct target_fields *fields, struct cluster **out, struct err *err);

#endif
