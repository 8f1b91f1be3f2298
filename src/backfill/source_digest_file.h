/* One file of source_digests.h. */
#ifndef BACKFILL_SOURCE_DIGEST_FILE_H
#define BACKFILL_SOURCE_DIGEST_FILE_H

#include "documents/digest.h"

/* Durable when it returns. */
int source_digest_file_write(const char *folder, struct str snapshot_uuid, struct str index,
			     const struct digest *digest, struct err *err);
/* 1: *out, to be released; 0: there is none of this index. ERR_USAGE: it is of another snapshot;
 * ERR_FORMAT: it is damaged. */
int source_digest_file_read(const char *folder, struct str snapshot_uuid, struct str index,
			    struct digest *out, struct err *err);
int source_digest_file_remove(const char *folder, struct str index, struct err *err);

#endif
