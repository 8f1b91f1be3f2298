/* What the files of the credentials chain share. */
#ifndef NET_AWS_CREDENTIALS_INTERNAL_H
#define NET_AWS_CREDENTIALS_INTERNAL_H

#include "net/aws_identity.h"

#define AWS_DOCUMENT_MAX KIB(256) /* of a profile file, a token, an answer with credentials */

struct aws_key_found {
	struct sigv4_key key;
	int64_t expires_ms; /* wall clock; 0: never */
	const char *origin; /* literal or in the arena */
};

/* A place where credentials may be: 1: found; 0: there are none, and *err, never NULL, says why;
 * negative: there should be some, and they cannot be had. All of *out is in `mem`. */
typedef int (*aws_credentials_place)(const struct aws_credentials_options *options,
				     struct arena *mem, struct aws_key_found *out, struct err *err);

int aws_credentials_of_profile(const struct aws_credentials_options *options, struct arena *mem,
			       struct aws_key_found *out, struct err *err);
int aws_credentials_of_web_identity(const struct aws_credentials_options *options,
				    struct arena *mem, struct aws_key_found *out, struct err *err);
int aws_credentials_of_container(const struct aws_credentials_options *options, struct arena *mem,
				 struct aws_key_found *out, struct err *err);
int aws_credentials_of_instance(const struct aws_credentials_options *options, struct arena *mem,
				struct aws_key_found *out, struct err *err);

/* Fills *err; 0. */
int aws_none_here(struct err *err, const char *why);

/* The key of the first place that has some, or of the role that the options name. `chain` (unless
 * NULL) gets the places that were looked at, in `mem`. */
int aws_credentials_find(const struct aws_credentials_options *options, struct arena *mem,
			 struct aws_key_found *out, struct aws_identity *chain, struct err *err);
/* 1: *out is the key of options->role_arn, which `with` may take on. */
int aws_credentials_assume_role(const struct aws_credentials_options *options,
				const struct aws_key_found *with, struct arena *mem,
				struct aws_key_found *out, struct err *err);
int aws_caller_identity(const struct aws_credentials_options *options,
			const struct aws_key_found *found, struct arena *mem, const char **account,
			const char **arn, struct err *err);

/* A setting of the profile: in the file of configuration or of credentials; NULL: none. */
const char *aws_profile_value(const char *profile, const char *name, struct arena *mem);
/* A variable that is set and not empty; else NULL. */
const char *aws_variable(const char *name);

#endif
