/* Requests to one bucket or container of an object store: let in by its dialect, tried again, and
 * their refusals explained. What the stores of clouds share. */
#ifndef STORE_OBJECT_SERVICE_H
#define STORE_OBJECT_SERVICE_H

#include "net/http_client.h"
#include "store/blob_store.h"

#define OBJECT_CONNECTIONS_KEPT 16
#define OBJECT_HEADERS_MAX 16

struct object_request {
	const char *method;
	struct str object;        /* its key; empty: the bucket itself */
	const char *target;       /* path and query, encoded */
	const char *range;        /* value of the header; NULL: none */
	const char *if_match;     /* likewise */
	const char *content_type; /* of the body; NULL: none */
	struct str body;
	const char *headers[4];  /* further lines; NULL: no more */
	size_t answer_max;       /* bytes */
	const atomic_bool *stop; /* not NULL: tries once, and ends within a second of true */
	void *into;              /* for a range: see http_request */
	size_t into_size;
};

struct object_answer {
	struct http_response response;
	char tag[128];       /* tells this version of the object from others; empty: not told */
	char range[64];      /* of the header Range: what an upload has so far */
	char location[4096]; /* of the header, where an upload goes on; empty: none, or longer */
	uint64_t total;      /* bytes of the object, of Content-Range */
	bool has_total;
};

/* An answer that is no success. Strings that are not there are empty or NULL. */
struct object_refusal {
	int status;
	const char *method, *uri, *endpoint;
	const char *origin; /* where the credentials are from */
	struct str object;
	struct str body;
	const char *code; /* of the dialect's header */
	const char *date; /* of the server's clock */
};

/* What lets a request in. */
struct object_pass {
	const char *line[OBJECT_HEADERS_MAX]; /* header lines */
	size_t count;
	const char *target;    /* that of the request, or with more in its query */
	struct str credential; /* that `expire` takes; empty: none */
};

/* How one kind of service is spoken to. `account` is what it keeps for a bucket. */
struct object_dialect {
	const char *endpoint_flag;            /* "--gcs-endpoint" */
	const char *tag_header, *code_header; /* code_header: NULL: none */
	bool tag_in_header;                   /* a version is asked for by If-Match */
	/* Thread-safe. Strings of *out are in `mem` or outlive the request. */
	int (*let_in)(void *account, const struct object_request *request, struct arena *mem,
		      struct object_pass *out, struct err *err);
	void (*expire)(void *account, struct str credential);
	const char *(*origin)(void *account);
	/* Of a 404: whether it is the object that is missing, and not the bucket. */
	bool (*is_object_missing)(const struct object_refusal *refusal);
	/* Whether the same may succeed later; whether another credential may do. */
	bool (*is_passing)(const struct object_refusal *refusal);
	bool (*is_expired)(const struct object_refusal *refusal);
	/* Fills *err, and returns -kind. */
	int (*explain)(void *account, const struct object_refusal *refusal, struct err *err);
	void (*free_account)(void *account);
};

struct object_service;

/* `endpoint` is a URL; a path in it is the dialect's to put into targets. Owns the account from
 * here on, also when it fails. Connects to nothing yet. */
int object_service_open(const struct object_dialect *dialect, void *account, const char *endpoint,
			const struct blob_store_options *options, struct object_service **out,
			struct err *err);
/* Services count their references. Release accepts NULL. */
struct object_service *object_service_hold(struct object_service *service);
void object_service_release(struct object_service *service);
void *object_service_account(const struct object_service *service);

/* Sends until there is an answer of 2xx or 308, or, of a GET for an object, of 404, 412 or 416.
 * Negative for all else, and for a bucket that is not there. Starts with a zeroed answer; release
 * its response. `uri` is what messages call the store. */
int object_service_send(struct object_service *service, const char *uri,
			const struct object_request *request, struct object_answer *answer,
			struct err *err);
/* For cleanup(). */
void object_answer_release(struct object_answer *answer);

/* What every service answers in passing: 5xx, 429, 408. */
bool object_status_is_passing(int status);
/* The error of a clock that is off, where the server's Date says so. 0: it does not. */
int object_skew_error(const struct object_refusal *refusal, struct err *err);

#endif
