/* The metadata of Elasticsearch 1: JSON as text, maybe compressed, without a checksum. */
#ifndef SNAPSHOT_TEXT_BLOB_H
#define SNAPSHOT_TEXT_BLOB_H

#include "base/json.h"

/* Decodes a whole blob, which lives as long as the tree. ERR_FORMAT says where it is damaged. */
int text_blob_decode(struct str blob, struct arena *mem, struct json **out, struct err *err);

/* The text of a blob that may be compressed: itself, or decompressed into `mem`. */
int text_blob_expand(struct str blob, struct arena *mem, struct str *out, struct err *err);

#endif
