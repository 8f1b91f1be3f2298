/* Where bulks go: a cluster, files, or nowhere. One sink object per sender thread. */
#ifndef BACKFILL_BULK_SINK_H
#define BACKFILL_BULK_SINK_H

#include "cluster/bulk.h"

struct bulk_sink;

/* Which shard a bulk came from: a bulk never mixes shards. */
struct bulk_origin {
	struct str index; /* on the target */
	int32_t shard;
	uint64_t sequence; /* of the bulk in its shard, from 0 in each run */
	int64_t first_doc; /* of what the bulk covers */
};

struct bulk_sink_ops {
	/* As bulk_send: every item is in result, or a negative return says why none can be sent. */
	int (*send)(struct bulk_sink *sink, const struct bulk *bulk,
		    const struct bulk_origin *origin, struct bulk_result *result, struct err *err);
	/* Once, after the last send of a run that succeeded, from the same thread: makes all that
	 * was sent durable. May be NULL. */
	int (*finish)(struct bulk_sink *sink, struct err *err);
	/* From any thread: ends a send that is under way. */
	void (*cancel)(struct bulk_sink *sink);
	void (*close)(struct bulk_sink *sink);
};

/* Implementations embed this as their first member. */
struct bulk_sink {
	const struct bulk_sink_ops *ops;
};

/* Into a cluster; `cluster` is owned by the sink from here on. */
struct bulk_sink *cluster_sink_new(struct cluster *cluster, bool compress);

/* What files hold: actions and documents; documents alone, without their ids; elasticdump's data.
 */
enum file_lines { FILE_LINES_BULK, FILE_LINES_DOCUMENTS, FILE_LINES_ELASTICDUMP };
enum file_compression { FILE_PLAIN, FILE_GZIP, FILE_ZSTD };

/* Files PATH/<index>/<shard>-<n>.ndjson[.gz|.zst], one a bulk, written as .tmp, synced, and
 * renamed: a file with its final name is whole. Index names cannot leave PATH (their '/', leading
 * '.' … are percent-encoded). file_sink_prepare makes PATH and refuses one that is not empty
 * (ERR_USAGE). */
int file_sink_prepare(const char *path, struct err *err);
struct bulk_sink *file_sink_new(const char *path, enum file_compression compression,
				enum file_lines lines);
/* For an export that is taken up again (file_folder.h): files are <shard>-<first doc>-<n>.ndjson…,
 * and their names are on the disk when they are acknowledged. Of a sink of files. */
void file_sink_keep_places(struct bulk_sink *sink);
/* Counts and throws away: measures reading alone. */
struct bulk_sink *null_sink_new(void);

#endif
