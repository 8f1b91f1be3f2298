/* A blocking HTTP client on libcurl: one client per thread, one connection kept alive. */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include "base/buf.h"
#include "net/url.h"

/* How to reach and to convince a server. Shared by clients, read-only once given; strings borrowed.
 */
struct http_options {
	const char *host;     /* URL, see net/url.h */
	const char *username; /* basic authentication; NULL: from the URL, if there */
	const char *password;
	const char *api_key;                  /* sent as "Authorization: ApiKey …" */
	const char *ca_file;                  /* PEM; NULL: the system's */
	const char *client_cert, *client_key; /* PEM files for mTLS; NULL: none */
	bool insecure;                        /* no check of certificate and name */
	int64_t connect_timeout_ms, request_timeout_ms;
};

struct http_client;

struct http_request {
	const char *method;       /* "GET" */
	const char *path;         /* "/_bulk?…", encoded; the URL's prefix is put before it */
	const char *content_type; /* NULL: application/json where there is a body */
	struct str body;
	bool compress;      /* send the body gzip (libdeflate, level 1) */
	int64_t timeout_ms; /* 0: that of the options */
};

struct http_response {
	int status;
	struct buf body;        /* owned; inflated; at most LIMIT_HTTP_RESPONSE */
	int64_t retry_after_ms; /* from Retry-After; -1: not said */
	int64_t elapsed_ms;
};

int http_client_new(const struct http_options *options, struct http_client **out, struct err *err);
void http_client_free(struct http_client *client);
/* Sends and waits. 0 with any status; negative only when no answer came: ERR_UNREACHABLE (with
 * `retry` set but for name and TLS failures), ERR_TIMEOUT, ERR_CANCELLED. Messages name method, URL
 * without secrets, reason, and the flag that helps. `response` is initialised here; body kept
 * between calls. */
int http_client_send(struct http_client *client, const struct http_request *request,
		     struct http_response *response, struct err *err);
void http_response_release(struct http_response *response);
/* Makes a send that is under way, and all later ones, end with ERR_CANCELLED. From any thread. */
void http_client_cancel(struct http_client *client);

/* Appends `text` percent-encoded for a path segment or query value. */
void http_append_encoded(struct buf *out, struct str text);

#endif
