/* What a refusal of S3 means, and what to do about it. */
#ifndef STORE_S3_ERROR_H
#define STORE_S3_ERROR_H

#include "base/err.h"
#include "base/str.h"

/* Of one answer that is no success. Strings are borrowed; those that are not there are empty. */
struct s3_refusal {
	int status;
	const char *method, *uri, *endpoint;
	const char *proxy;                         /* see http_client_proxy */
	const char *bucket, *region, *credentials; /* where the credentials are from */
	struct str key;
	struct str body;           /* <Error>…; a HEAD has none */
	const char *bucket_region; /* of x-amz-bucket-region */
	const char *date;          /* of the server's clock, Date */
};

/* Whether the same may succeed later: 5xx, 429, SlowDown, RequestTimeout. */
bool s3_refusal_is_passing(const struct s3_refusal *refusal);
/* Whether the session has ended, so that other credentials may do. */
bool s3_refusal_is_expired(const struct s3_refusal *refusal);
/* The <Code> of the refusal; empty if it says none. */
struct str s3_refusal_code(const struct s3_refusal *refusal);
/* Fills *err, and returns -kind. */
int s3_refusal_explain(const struct s3_refusal *refusal, struct err *err);

#endif
