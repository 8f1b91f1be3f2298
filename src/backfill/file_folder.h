/* The folder of an export that is taken up again: whose it is, and which of its files count. */
#ifndef BACKFILL_FILE_FOLDER_H
#define BACKFILL_FILE_FOLDER_H

#include "backfill/ack_tracker.h"
#include "base/err.h"
#include "base/str.h"

/* Makes PATH, or takes one up in which an export has begun under the same `mark` (a line of text:
 * its session and form). *begun: files of it are there. ERR_USAGE: something else
 * is in it. */
int file_folder_take(const char *path, const char *mark, bool *begun, struct err *err);
/* From now on the export has begun: PATH/.shardlift-export says so. */
int file_folder_mark(const char *path, const char *mark, struct err *err);
/* Removes the files of a shard whose first document is in `range` and in none of `kept` (ascending,
 * apart): nobody acknowledged them, and they are written again. For sinks that keep places
 * (bulk_sink.h). */
int file_folder_forget(const char *path, struct str index, int32_t shard, struct doc_range range,
		       const struct doc_range *kept, size_t kept_count, struct err *err);

#endif
