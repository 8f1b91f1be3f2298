/* Requests to one bucket: signed, tried again, and their refusals explained. */
#ifndef STORE_S3_SERVICE_H
#define STORE_S3_SERVICE_H

#include "net/aws_credentials.h"
#include "net/http_client.h"
#include "store/blob_store.h"

#define S3_CONNECTIONS_KEPT 48

/* Shared by the stores of one bucket, which count their references. */
struct s3_service;

/* `bucket` is copied. */
int s3_service_open(struct str bucket, const struct blob_store_options *options,
		    struct s3_service **out, struct err *err);
struct s3_service *s3_service_hold(struct s3_service *service);
void s3_service_release(struct s3_service *service);

struct s3_request {
	const char *method;
	struct str key;               /* of the object; empty: the bucket itself */
	const char *query;            /* encoded, without '?'; NULL: none */
	const char *range, *if_match; /* values of these headers; NULL: none */
	struct str body;              /* of PUT and POST; borrowed */
	size_t answer_max;            /* bytes */
	const atomic_bool *stop;      /* not NULL: tries once, and ends within a second of true */
	void *into;                   /* for a range: see http_request */
	size_t into_size;
};

struct s3_answer {
	struct http_response response;
	char etag[128];  /* empty: none, or one that is longer */
	uint64_t length; /* of Content-Length */
	bool has_length;
	uint64_t total; /* bytes of the object, of Content-Range */
	bool has_total;
};

/* Sends until there is an answer with a status of 2xx, 404, 412 or 416 for the object. Negative for
 * all else, for a bucket that is not there, and for a POST that is answered with 200 and an
 * <Error>. Starts with a zeroed answer; release its response.
 * `uri` is what messages call the store. */
int s3_service_send(struct s3_service *service, const char *uri, const struct s3_request *request,
		    struct s3_answer *answer, struct err *err);

#endif
