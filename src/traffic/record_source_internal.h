/* Within src/traffic. */
#ifndef TRAFFIC_RECORD_SOURCE_INTERNAL_H
#define TRAFFIC_RECORD_SOURCE_INTERNAL_H

#include "traffic/record_source.h"

struct packed_bytes;

/* What `packed` gives, which is owned from here on (closed on failure as well): lines, or with
 * may_be_raw one record. */
int packed_source_open(struct packed_bytes *packed, const char *name, bool may_be_raw,
		       struct record_source **out, struct err *err);
/* A folder of <connection id>_<number>.protocap, by connection and number. ERR_NOT_FOUND: it holds
 * none. */
int trace_folder_open(const char *path, struct record_source **out, struct err *err);
/* See record_source.h: what is at s3://…, gs://… or azure://…. */
int object_source_open(const char *uri, const struct blob_store_options *options,
		       struct record_source **out, struct err *err);

#endif
