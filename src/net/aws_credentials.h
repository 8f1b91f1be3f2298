/* The credentials of AWS, from the first place that has some: flags; the environment; web identity
 * (AWS_WEB_IDENTITY_TOKEN_FILE, by STS); the profile's files; the container's endpoint; the
 * instance's metadata service (IMDSv2). A profile asked for by flag comes before the environment.
 * With a role to take on, they are what STS hands out for it (AssumeRole).
 *
 * Source: "Standardized credential providers" of the AWS SDKs and Tools reference guide. */
#ifndef NET_AWS_CREDENTIALS_H
#define NET_AWS_CREDENTIALS_H

#include "net/sigv4.h"

/* Strings are borrowed, and outlive the chain. All may be NULL. */
struct aws_credentials_options {
	const char *access_key_id, *secret_access_key, *session_token;
	const char *profile;                /* NULL: AWS_PROFILE, else "default" */
	const char *region;                 /* whose STS is asked */
	const char *role_arn, *external_id; /* a role that is taken on with what was found */
	const char *sts_endpoint; /* URL; NULL: AWS_ENDPOINT_URL_STS, else AWS's of the region */
};

struct aws_credentials;

struct aws_credentials *aws_credentials_new(const struct aws_credentials_options *options);
/* Accepts NULL. */
void aws_credentials_free(struct aws_credentials *credentials);
/* The key of now, copied into `mem`; new ones are fetched ahead of their expiry. ERR_AUTH: none
 * anywhere (the message lists the places), or a place that has some refuses them or is incomplete;
 * with `retry` set where an endpoint did not answer. Thread-safe. */
int aws_credentials_get(struct aws_credentials *credentials, struct arena *mem,
			struct sigv4_key *out, struct err *err);
/* The server says that this key has expired: the next get fetches another, unless one was fetched
 * since. Thread-safe. */
void aws_credentials_expire(struct aws_credentials *credentials, const struct sigv4_key *key);
/* When the key of the last get ends, wall clock; 0: never, as far as its place tells. Thread-safe.
 */
int64_t aws_credentials_end_ms(struct aws_credentials *credentials);
/* Where the key of the last get is from, such as "the environment"; in `mem`. Thread-safe. */
const char *aws_credentials_origin(struct aws_credentials *credentials, struct arena *mem);

/* The region: `given`, else AWS_REGION, AWS_DEFAULT_REGION, that of the profile, else NULL. */
const char *aws_region(const char *given, const char *profile, struct arena *mem);

#endif
