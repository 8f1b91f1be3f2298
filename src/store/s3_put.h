/* Writing whole objects, large ones in parts.
 *
 * Source: "Uploading and copying objects using multipart upload" of the S3 user guide, and
 * CompleteMultipartUpload of the S3 API reference (a 200 may hold an <Error>). */
#ifndef STORE_S3_PUT_H
#define STORE_S3_PUT_H

#include "store/s3_service.h"

/* What is larger goes up in parts of this size, or of a ten-thousandth where that is more. */
#define S3_PART_BYTES MIB(8)
#define S3_MOST_PARTS 10000

/* Writes the object `key`, which replaces one that is there. `uri` is what messages call the store.
 * Parts go up one after the other, straight out of `bytes`, each with the retries of a request;
 * when one fails for good the upload is aborted, so that nothing of it is kept or paid for. */
int s3_put(struct s3_service *service, const char *uri, struct str key, struct str bytes,
	   struct err *err);

#endif
