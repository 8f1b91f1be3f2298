/* The .dat blobs of a repository: metadata in SMILE, maybe compressed, in an envelope with a CRC.
 */
#ifndef SNAPSHOT_SNAPSHOT_BLOB_H
#define SNAPSHOT_SNAPSHOT_BLOB_H

#include "base/json.h"
#include "store/blob_store.h"

/* Reads blob `name` into `mem` and decodes it; `codec` is the name its header must have
 * ("snapshot", "metadata", "index-metadata"). ERR_NOT_FOUND, or ERR_FORMAT for a damaged one; both
 * name the blob. ERR_UNSUPPORTED: the compression or format is not read. */
int snapshot_blob_read(struct blob_store *store, struct str name, const char *codec,
		       struct arena *mem, struct json **out, struct err *err);
/* Decodes a whole blob, which lives as long as the tree. */
int snapshot_blob_decode(struct str blob, const char *codec, struct arena *mem, struct json **out,
			 struct err *err);
/* Decodes what is between header and footer. */
int snapshot_blob_decode_payload(struct str payload, struct arena *mem, struct json **out,
				 struct err *err);
/* Whether the bytes are compressed as Elasticsearch does it: "DFL\0", then raw DEFLATE. */
bool dfl_is(struct str bytes);
/* Inflates such bytes into the arena, at most LIMIT_SNAPSHOT_BLOB. */
int dfl_inflate(struct str bytes, struct arena *mem, struct str *out, struct err *err);

#endif
