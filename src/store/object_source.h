/* A blob of a bucket, read by ranges: what the sources of S3 and of other clouds share. What is
 * read is held to be what was opened: an object that another one replaced meanwhile is
 * ERR_UNREADABLE. Thread-safe. */
#ifndef STORE_OBJECT_SOURCE_H
#define STORE_OBJECT_SOURCE_H

#include "base/bytes_source.h"
#include "base/limits.h"
#include "net/http_client.h"

#include <pthread.h>

/* The largest range that one request asks for: a failed one is read again whole. */
#define OBJECT_RANGE_MAX MIB(4)
#define OBJECT_TAG_SIZE 128

/* What one request asks for. */
struct object_range {
	uint64_t offset;
	size_t len;              /* at most OBJECT_RANGE_MAX */
	void *into;              /* see http_request; NULL: into the answer's body */
	const char *tag;         /* of the version that must be there still; empty: any */
	const atomic_bool *stop; /* not NULL: tries once, and ends within a second of true */
	char text[64];           /* value of the header Range */
};

/* What an answer tells of the range and its object. */
struct object_part {
	struct http_response response;
	char tag[OBJECT_TAG_SIZE]; /* tells this version of the object from others; empty: none */
	uint64_t total;            /* bytes of the object, of Content-Range */
	bool has_total;
};

struct object_source;

struct object_source_ops {
	/* Sends until there is an answer of 2xx, 404, 412 or 416 for the object. Starts with a
	 * zeroed part, whose response the caller releases. */
	int (*get)(const struct object_source *source, const struct object_range *range,
		   struct object_part *out, struct err *err);
	/* Lets go of source->service. */
	void (*release)(void *service);
};

struct object_source {
	struct bytes_source source; /* its name is "s3://bucket/prefix/name" */
	const struct object_source_ops *ops;
	const void *store; /* for what does not change, as long as it lives */
	void *service;
	const char *uri;  /* of the store */
	const char *flag; /* of the endpoint: "--s3-endpoint" */
	struct str name;  /* of the blob: the end of `key` */
	char *key;
	pthread_mutex_t lock;
	char tag[OBJECT_TAG_SIZE]; /* of the first answer; empty: none yet, or none told */
};

/* A source of `size` bytes out of what `from` says of store, service, uri and flag, the latter of
 * which outlive it. Owns the reference to the service. `name` is the end of `key`. */
struct bytes_source *object_source_new(const struct object_source *from, struct str key,
				       struct str name, uint64_t size, const char *tag);
struct object_range object_range_of(uint64_t offset, void *into, size_t len);
void object_part_release(struct object_part *part);

/* The error `rc` of a get, told of a server that sends more than was asked for. */
int object_get_error(const char *called, int rc, struct err *err);
/* The errors of an object that another one replaced, and of one that is not there. */
int object_replaced(const char *called, struct err *err);
int object_missing(const char *uri, struct str name, struct err *err);

#endif
