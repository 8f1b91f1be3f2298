/* The checksum that a snapshot keeps of a Lucene file. */
#ifndef SNAPSHOT_FILE_CHECKSUM_H
#define SNAPSHOT_FILE_CHECKSUM_H

#include "base/json.h"
#include "snapshot/repository.h"

/* Fills checksum_kind and checksum from the file's entry in the shard's list. ERR_FORMAT: it is no
 * checksum. */
int file_checksum_read(const struct json *entry, struct snapshot_file *file, struct err *err);
/* Holds the source, which is the whole file, against the file's checksum: FILE_CHECKSUM_FOOTER by
 * one small read, FILE_CHECKSUM_WHOLE by reading all of it. ERR_FORMAT: it is another. */
int file_checksum_check(const struct snapshot_file *file, struct bytes_source *source,
			struct err *err);

#endif
