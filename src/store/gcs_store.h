/* A blob store in a bucket of Google Cloud Storage, by its JSON API; see object_store.h. */
#ifndef STORE_GCS_STORE_H
#define STORE_GCS_STORE_H

#include "store/blob_store.h"

/* `uri` is gs://bucket or gs://bucket/prefix (gcs:// as well). The server is gcs_endpoint, else
 * $STORAGE_EMULATOR_HOST, else Google's. One that is reached by http:// gets no credentials unless
 * gcs_credentials gives some. ERR_USAGE for a URI or an endpoint that is none, ERR_AUTH for a file
 * of credentials that is none. Asks the server nothing yet. */
int gcs_store_open(const char *uri, const struct blob_store_options *options,
		   struct blob_store **out, struct err *err);

#endif
