/* Files of documents, described as a snapshot describes its indices: what moves the one then moves
 * the other. */
#ifndef WORKFLOW_ROUTES_INPUT_SNAPSHOT_H
#define WORKFLOW_ROUTES_INPUT_SNAPSHOT_H

#include "documents/file_documents.h"
#include "snapshot/repository.h"

/* One index of one shard, called `name`. The snapshot's own name tells these files, as they are
 * now and are to be read, from others. Only snapshot_find_index and snapshot_index_metadata may be
 * asked of it. */
int input_snapshot_new(const struct file_documents_options *options, struct str name,
		       struct snapshot **out, struct err *err);

#endif
