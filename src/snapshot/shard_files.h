/* The list of a shard's files, as the shard's snap-<uuid>.dat has it. */
#ifndef SNAPSHOT_SHARD_FILES_H
#define SNAPSHOT_SHARD_FILES_H

#include "snapshot/repository.h"

/* Fills files, file_count and total_bytes of the shard from the decoded blob; they point into
 * `root`, and into shard->mem. An empty list is no error.
 * ERR_FORMAT names the file that cannot be. */
int shard_files_read(const struct json *root, struct snapshot_shard *shard, struct err *err);

#endif
