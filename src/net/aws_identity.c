#include "net/aws_identity.h"

#include "net/aws_credentials_internal.h"

int aws_identity_find(const struct aws_credentials_options *options, struct arena *mem,
		      struct aws_identity *out, struct err *err)
{
	struct aws_key_found found = {0};
	struct err why = {0};
	int rc;

	*out = (struct aws_identity){0};
	rc = aws_credentials_find(options, mem, &found, out, &why);
	if (rc == 0) {
		out->source = found.origin;
		rc = aws_caller_identity(options, &found, mem, &out->account, &out->arn, &why);
	}
	if (rc < 0 && err)
		*err = why;
	return rc;
}
