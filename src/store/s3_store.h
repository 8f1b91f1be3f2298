/* A blob store in a bucket of S3, or of a server that speaks like it: blobs are objects below a
 * prefix. Every request is signed; what fails in passing (5xx, SlowDown, lost connections) is tried
 * again for a bounded time. Thread-safe: a request uses a connection that no other one does, and
 * connections are kept. */
#ifndef STORE_S3_STORE_H
#define STORE_S3_STORE_H

#include "store/blob_store.h"

/* `uri` is s3://bucket or s3://bucket/prefix. ERR_USAGE for one that is not, and for an endpoint
 * that is no URL. Asks the server nothing yet.
 *
 * What is read is held to be what was opened: an object that another one replaced meanwhile is
 * ERR_UNREADABLE. Other refusals: ERR_AUTH (credentials or permissions), ERR_NOT_FOUND (bucket,
 * object), ERR_USAGE (region), ERR_HTTP; each names URI, verb and the next step. */
int s3_store_open(const char *uri, const struct blob_store_options *options,
		  struct blob_store **out, struct err *err);

#endif
