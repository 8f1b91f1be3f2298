/* HTTP/1 message boundaries: where a request or response ends in a stream of bytes, and what its
 * head says. Bytes are looked at once, never copied but for the line being read.
 *
 * Strict, since what two parsers read differently can be used to smuggle a request past one of
 * them: conflicting or repeated lengths, a length beside a transfer coding, codings but `chunked`,
 * folded header lines, bare CR and spaces before a colon are refused.
 *
 * Source: RFC 9112 sections 2 to 7 and 11.2; RFC 9110 section 15.2 (1xx). Not thread-safe. */
#ifndef NET_HTTP1_H
#define NET_HTTP1_H

#include "base/str.h"

#define HTTP1_HEAD_LIMIT_DEFAULT 65536 /* bytes of a head; of a chunk's line; of trailers */
#define HTTP1_METHOD_MAX 31

enum http1_error {
	HTTP1_FINE,
	HTTP1_GARBAGE,     /* no HTTP/1 */
	HTTP1_CONFLICT,    /* two readings of where the message ends: never to be forwarded */
	HTTP1_TOO_LARGE,   /* a head above the limit */
	HTTP1_UNSUPPORTED, /* HTTP/2's preface, or a transfer coding that is not chunked */
};

enum http1_state {
	HTTP1_HEAD,
	HTTP1_LENGTH,     /* a body of a known length */
	HTTP1_CHUNK_LINE, /* chunked: the line of a size */
	HTTP1_CHUNK,
	HTTP1_CHUNK_END,
	HTTP1_TRAILERS,
	HTTP1_UNTIL_CLOSE, /* a response that the end of the connection ends */
	HTTP1_DONE,
	HTTP1_FAILED,
};

struct http1 {
	/* Settled when the head is complete (http1_head_done). */
	char method[HTTP1_METHOD_MAX + 1]; /* of a request */
	int status;                        /* of a response */
	int minor;                         /* HTTP/1.minor */
	bool keep_alive;                   /* by version and Connection */
	bool expects_continue, upgrade, chunked;
	bool has_length;
	uint64_t length;         /* of the body, when has_length */
	size_t head_bytes;       /* with its empty line */
	size_t first_line_bytes; /* without its line end */
	size_t header_bytes;     /* of all header lines together, without line ends */

	enum http1_state state;
	enum http1_error error;
	const char *reason; /* static; what is wrong */

	/* The parser's own. */
	bool response, head_only;
	size_t limit, scanned, trailer_bytes, line_bytes;
	uint64_t left;
	int line_state;
};

/* `limit`: bytes of a head. */
void http1_request_init(struct http1 *p, size_t limit);
/* `head_only`: the request was HEAD, so that no body follows whatever the head says. */
void http1_response_init(struct http1 *p, size_t limit, bool head_only);

/* Goes on with `bytes`. While the state is HTTP1_HEAD they begin where the message begins, so that
 * the caller keeps them until the head is complete, and nothing is consumed before that. Returns
 * how many belong to the message; then it is done, has failed, or wants more. Never beyond the end
 * of the message. */
size_t http1_feed(struct http1 *p, struct str bytes);
/* The stream ended. True: so did the message, in order. */
bool http1_end(struct http1 *p);

static inline bool http1_head_done(const struct http1 *p)
{
	return p->head_bytes > 0;
}

/* A response that another one follows: 1xx but 101. */
static inline bool http1_is_interim(const struct http1 *p)
{
	return p->status >= 100 && p->status < 200 && p->status != 101;
}

/* --- What is in a complete head --- */

struct http1_header {
	struct str name, value; /* without white space around it */
	struct str line;        /* with its line end */
};

/* The request line's target; a response's reason. `head` begins where the message does. */
struct str http1_target(struct str head);
/* Header lines after the first: *at is 0 at first. False: no more. */
bool http1_next_header(struct str head, size_t *at, struct http1_header *out);
/* Without regard to case. */
bool http1_name_is(struct str name, const char *wanted);

#endif
