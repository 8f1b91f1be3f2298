/* A shard's files as a Lucene directory over ranged reads of their blobs. */
#ifndef SNAPSHOT_SHARD_DIRECTORY_H
#define SNAPSHOT_SHARD_DIRECTORY_H

#include "snapshot/repository.h"

/* `files` are sorted by physical name and, with `store`, outlive the directory. `folder` is where
 * the blobs lie ("indices/<id>/<shard>"), `name` what messages call the shard; both are copied. */
struct lucene_directory *shard_directory_new(struct blob_store *store, struct str folder,
					     struct str name, const struct snapshot_file *files,
					     size_t count);

#endif
