/* A blocking HTTP client on libcurl: one client per thread, one connection kept alive. */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include "base/buf.h"
#include "net/url.h"

#include <stdatomic.h>

/* How to reach and to convince a server. Shared by clients, read-only once given; strings borrowed.
 */
struct http_options {
	const char *host;     /* URL, see net/url.h */
	const char *username; /* basic authentication; NULL: from the URL, if there */
	const char *password;
	const char *api_key;                  /* sent as "Authorization: ApiKey …" */
	const char *ca_file;                  /* PEM; NULL: the system's */
	const char *client_cert, *client_key; /* PEM files for mTLS; NULL: none */
	const char *aws_region; /* requests are signed for it (SigV4), by the credentials that AWS's
				   chain finds; NULL: they are not */
	const char *aws_service;   /* "es" or "aoss"; NULL: "es" */
	const char *aws_signed_as; /* URL whose host requests are signed for, and sent with in their
				      Host header, where `host` is but a way there; NULL: `host` */
	const char *agent_extra;   /* behind our name in User-Agent; NULL: nothing */
	bool insecure;             /* no check of certificate and name */
	bool gzip_answers;         /* asked for; packing costs the server more than a fast network
				      gains */
	int64_t connect_timeout_ms; /* 0: 10 seconds */
	int64_t request_timeout_ms; /* connecting and answer together; 0: 2 minutes */
	const char *flag_prefix;    /* of the flags that messages point to; NULL: "--target-" */
	const char *host_flag;      /* that which `host` is from; NULL: the prefix and "host" */
};

struct http_client;

struct http_request {
	const char *method;       /* "GET" */
	const char *path;         /* "/_bulk?…", encoded; the URL's prefix is put before it */
	const char *content_type; /* NULL: application/json where there is a body */
	struct str body;
	bool compress;  /* send the body gzip (libdeflate, level 1) */
	bool ask_first; /* "Expect: 100-continue": costs a round trip, and hears a refusal before
			   the body is sent rather than as a connection reset */
	bool once;      /* on a connection of its own: over a kept one that turns out to be closed
			   libcurl sends again by itself, even if the server had acted */
	const char *const *headers; /* further header lines: "Range: bytes=0-9"; borrowed */
	size_t header_count;
	bool as_it_is; /* the answer's bytes and status as they come: no content coding is taken
			  off, and a redirect is an answer like any other */
	const atomic_bool *stop; /* once true, the send ends with ERR_CANCELLED within a second;
				    NULL: only http_client_cancel ends it */
	int64_t timeout_ms;      /* 0: that of the options */
	void *into;              /* where a range that was asked for goes (the body of a 206), in
				    place of the response's buffer; what is longer goes on there.
				    NULL: all goes into the buffer */
	size_t into_size;
};

/* Starts as {0}; body.limit may be set to a ceiling below LIMIT_HTTP_RESPONSE. */
struct http_response {
	int status;
	struct buf body;        /* owned, inflated; its memory is kept from send to send */
	size_t into_len;        /* bytes that went into the request's `into` */
	int64_t retry_after_ms; /* from Retry-After; -1: not said */
	int64_t elapsed_ms;
};

/* ERR_USAGE for a bad URL or contradicting options. Connects to nothing yet. */
int http_client_new(const struct http_options *options, struct http_client **out, struct err *err);
/* Accepts NULL. */
void http_client_free(struct http_client *client);
/* Sends and waits. 0 with any status but a redirect. Negative when no answer came:
 * - ERR_UNREACHABLE, with `retry` set where the same may work later: refused, reset, cut short, no
 *   connection in time; not set for TLS, redirects, what is no HTTP, and for a name that does not
 *   resolve unless the server has answered this client before;
 * - ERR_TIMEOUT (`retry` set): connected, but the answer was not there in time;
 * - ERR_LIMIT: the answer is larger than its ceiling;
 * - ERR_CANCELLED, within a second.
 * Messages name method, URL without secrets, reason, and the flag that helps. */
int http_client_send(struct http_client *client, const struct http_request *request,
		     struct http_response *response, struct err *err);
void http_response_release(struct http_response *response);
/* A header of the last answer, such as "ETag"; NULL: it had none. Lives until the next send. */
const char *http_client_answer_header(const struct http_client *client, const char *name);
/* Makes a send that is under way, and all later ones, end with ERR_CANCELLED. From any thread, and
 * from signal handlers. */
void http_client_cancel(struct http_client *client);

/* For messages; they live as long as the client: "https://host:9200/prefix", "--target-", and the
 * user of basic authentication (NULL: none). */
const char *http_client_url(const struct http_client *client);
/* The proxy in between, "http://proxy:3128 (https_proxy)"; NULL: none. */
const char *http_client_proxy(const struct http_client *client);
const char *http_client_flag_prefix(const struct http_client *client);
const char *http_client_user(const struct http_client *client);
/* Whether requests carry an API key. */
bool http_client_has_api_key(const struct http_client *client);
/* Where the key of the last signature is from, such as "profile 'default'"; NULL: there was none.
 * Lives until the next send. */
const char *http_client_aws_origin(const struct http_client *client);

/* Appends `text` percent-encoded for a path segment or query value. */
void http_append_encoded(struct buf *out, struct str text);

#endif
