/* Requests to the endpoints that hand out credentials: STS, the container's, the instance's. */
#ifndef NET_AWS_CALL_H
#define NET_AWS_CALL_H

#include "base/arena.h"
#include "base/err.h"

struct aws_call {
	const char *host, *method, *path;
	const char *const *headers; /* whole lines */
	size_t header_count;
	struct str body;
	const char *what; /* who is asked, for messages */
};

/* The answer's text in the arena, also of a refusal: ERR_AUTH for a status that is no 200, which
 * http_status says. `retry` is set for what may pass. */
int aws_call_once(const struct aws_call *call, struct arena *mem, struct str *out, struct err *err);
/* As aws_call_once, three times where that may help. */
int aws_call_endpoint(const struct aws_call *call, struct arena *mem, struct str *out,
		      struct err *err);

/* Splits "http://host/path" into an address with a port, as the client wants it, and its path. */
int aws_split_url(const char *url, struct arena *mem, const char **host, const char **path,
		  struct err *err);
/* Milliseconds since 1970 of "2026-11-22T07:19:00Z"; 0: no such text. */
int64_t aws_date(struct str text);
/* A token in a file, without the line break at its end. */
int aws_read_token(const char *path, struct arena *mem, const char **out, struct err *err);

#endif
