/* AWS Signature Version 4: the header lines that prove who sends a request.
 *
 * Source: "Signature Version 4 signing process" of the IAM user guide; "Authenticating Requests" of
 * the S3 API reference. S3 signs the path as it is sent, and always names a hash of the body; the
 * other services (es, aoss, sts) sign the path without dot segments and encoded once more.
 * Thread-safe: nothing is kept. */
#ifndef NET_SIGV4_H
#define NET_SIGV4_H

#include "base/arena.h"
#include "base/err.h"

struct sigv4_key {
	const char *access_key_id, *secret_access_key;
	const char *session_token; /* NULL: none */
};

struct sigv4_header {
	struct str name, value;
};

struct sigv4_request {
	const char *method;
	const char *host;  /* as in the Host header: with its port unless that is the scheme's */
	struct str target; /* path and query as sent, encoded; the path begins with '/' */
	struct str body;
	bool unsigned_payload;              /* S3 over TLS: the body is not hashed */
	const struct sigv4_header *headers; /* further ones to sign; the caller sends them */
	size_t header_count;
	const char *region, *service; /* "eu-central-1"; "s3", "es", "aoss", "sts" */
	int64_t wall_ms;              /* when it is signed; a server accepts some 15 minutes */
};

#define SIGV4_MOST_HEADERS 24 /* that one request signs, our own among them */
#define SIGV4_LINES 5

/* "Host: …", "X-Amz-Date: …" and what else is to be sent, Authorization last. */
struct sigv4_lines {
	const char *line[SIGV4_LINES]; /* in the arena of the signing */
	size_t count;
};

/* ERR_LIMIT when the arena is full, or there are more than SIGV4_MOST_HEADERS. */
int sigv4_sign(const struct sigv4_request *request, const struct sigv4_key *key, struct arena *mem,
	       struct sigv4_lines *out, struct err *err);
/* The signature in the query instead, good for `life_s` seconds: *out, in `mem`, is the target to
 * ask for with the Host header and no body. Other services than S3, no further headers. */
int sigv4_presign(const struct sigv4_request *request, const struct sigv4_key *key, int64_t life_s,
		  struct arena *mem, struct str *out, struct err *err);

#endif
