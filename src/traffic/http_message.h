/* A whole HTTP/1 message taken apart: first line, header fields, body without its chunks and, when
 * asked for, without its content coding. Source: RFC 9112; RFC 9110 section 8.4.1. Thread-safe. */
#ifndef TRAFFIC_HTTP_MESSAGE_H
#define TRAFFIC_HTTP_MESSAGE_H

#include "base/arena.h"
#include "base/buf.h"

#define HTTP_MESSAGE_HEAD_MAX 1048576 /* bytes of a head */

struct http_field {
	struct str name, value;
};

struct http_message {
	struct str method, target; /* of a request */
	int status;                /* of a response */
	struct str reason;
	struct str version; /* "HTTP/1.1" */
	struct http_field *fields;
	size_t field_count;
	struct str framed; /* the body as it was sent, chunks and all */
	struct str body;   /* without chunks; still coded until http_message_decode */
	bool chunked;      /* it came in chunks */
	bool decoded;      /* a content coding was undone */
	struct str coding; /* Content-Encoding; "" none */
};

/* Slices point into `bytes`; the rest is in `mem`. What follows the message is left out.
 * ERR_FORMAT: no complete request. */
int http_request_parse(struct str bytes, struct arena *mem, struct http_message *out,
		       struct err *err);
/* As above; interim answers (1xx) before the final one are passed over. `head_only`: the request
 * was HEAD. The end of `bytes` is that of the connection where nothing else ends the body. */
int http_response_parse(struct str bytes, bool head_only, struct arena *mem,
			struct http_message *out, struct err *err);
/* Undoes gzip and deflate; at most `limit` bytes. A body that does not hold what its header says
 * stays as it is: ERR_FORMAT. */
int http_message_decode(struct http_message *message, size_t limit, struct arena *mem,
			struct err *err);
/* The first field of that name, without regard to case; ptr NULL: none. */
struct str http_message_field(const struct http_message *message, const char *name);

#endif
