/* What http_client.c and http_failure.c share. */
#ifndef NET_HTTP_CLIENT_INTERNAL_H
#define NET_HTTP_CLIENT_INTERNAL_H

#include "net/http_client.h"
#include "net/sigv4.h"

#include <curl/curl.h>
#include <libdeflate.h>
#include <stdatomic.h>

/* A connection for ranges alone; see http_range.h. */
struct http_range {
	CURL *curl;       /* which made it; NULL: there is none */
	struct buf bytes; /* the request, then the head of its answer */
	struct arena mem; /* of that one's values */
	bool answered;    /* the last request of the client */
	unsigned asked;
	int64_t not_before_ms; /* monotonic: until then requests go the ordinary way */
};

struct http_client {
	CURL *curl;
	struct http_range *range; /* owned */
	struct arena mem;         /* everything that url, options and headers point to */
	struct url url;
	const char *base; /* the URL without secrets: all requests begin with it */
	const char *user, *flag_prefix, *host_flag;
	const char *host, *agent;  /* values of Host and User-Agent */
	const char *proxy;         /* that is in between; NULL: none */
	const char *authorization; /* header line for the API key; NULL: none */
	const char *aws_region, *aws_service, *aws_host; /* NULL: requests are not signed */
	const char *host_header;                         /* line; NULL: as curl sends it */
	struct arena signature;                          /* of the request under way */
	const char *aws_origin; /* of its key, in there; NULL: not signed yet */
	bool gzip_answers;
	struct str body; /* as it goes out; borrowed */
	int64_t connect_timeout_ms, request_timeout_ms;
	struct libdeflate_compressor *compressor; /* made with the first body to compress */
	struct buf compressed, request_url;
	atomic_bool cancelled;
	const atomic_bool *stop; /* of the send under way; NULL: none */
	bool answered;           /* the server has answered at least once */
	char reason[CURL_ERROR_SIZE];
};

/* A request's path for messages with STR_FMT: without its query. */
#define HTTP_PATH_ARG(request) (int)strcspn((request)->path, "?"), (request)->path

/* Whether the request under way is to end. */
bool http_client_is_stopped(const struct http_client *client);

/* The header lines that prove who sends the request whose body is client->body; in
 * client->signature. ERR_AUTH: there are no credentials. */
int http_sign(struct http_client *client, const struct http_request *request,
	      struct sigv4_lines *out, struct err *err);
/* Whether an answer says that the key of the signature has expired; then another is fetched with
 * the next signature. */
bool http_signature_expired(struct http_client *client, const struct http_response *response);

/* The error of a transfer that curl gave up with `code`. */
int http_failure(const struct http_client *client, const struct http_request *request,
		 CURLcode code, struct err *err);
/* The error of an answer that sends us on to `location`. */
int http_redirect_failure(const struct http_client *client, const struct http_request *request,
			  int status, const char *location, struct err *err);

#endif
