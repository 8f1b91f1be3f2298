/* Who the AWS credentials say we are, for a person who checks a setup. */
#ifndef NET_AWS_IDENTITY_H
#define NET_AWS_IDENTITY_H

#include "net/aws_credentials.h"

#define AWS_MOST_LINKS 6

/* One place of the chain that was looked at. */
struct aws_link {
	const char *place; /* "the environment" */
	const char *why;   /* why there are none, or these cannot be had; NULL: they are from here
			    */
};

struct aws_identity {
	/* Of STS; NULL: not known. */
	const char *account, *arn;
	const char *source; /* where the credentials are from; NULL: there are none */
	struct aws_link links[AWS_MOST_LINKS];
	size_t link_count;
};

/* Finds credentials, takes on the role if the options name one, and asks STS (GetCallerIdentity,
 * which needs no permission) whose they are. All of *out is in `mem`, and is filled as far as it
 * went when this fails: ERR_AUTH (no credentials anywhere, or STS refuses them), ERR_USAGE,
 * ERR_UNREACHABLE and ERR_TIMEOUT (STS). Thread-safe. */
int aws_identity_find(const struct aws_credentials_options *options, struct arena *mem,
		      struct aws_identity *out, struct err *err);

#endif
