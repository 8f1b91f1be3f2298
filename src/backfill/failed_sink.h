/* Where lines of failed documents go: files of this host, or objects of a store. One thread at a
 * time.
 */
#ifndef BACKFILL_FAILED_SINK_H
#define BACKFILL_FAILED_SINK_H

#include "base/buf.h"
#include "store/blob_store.h"

struct failed_sink;

struct failed_sink_ops {
	/* One line, its line break included, of a document of that index. */
	int (*append)(struct failed_sink *sink, struct str index, struct str line, struct err *err);
	/* All that was appended is durable. What could not be kept is tried again by the next. */
	int (*flush)(struct failed_sink *sink, struct err *err);
	/* Flushes. */
	int (*close)(struct failed_sink *sink, struct err *err);
};

/* Implementations embed this as their first member. */
struct failed_sink {
	const struct failed_sink_ops *ops;
};

/* Below <directory>/session=…, which is made with the first line. All are copied. */
struct failed_sink *failed_files_new(const char *directory, const char *session,
				     const char *worker);
/* Below session=… in the store, which is borrowed; at most about `most` bytes of lines wait in
 * memory. */
struct failed_sink *failed_objects_new(struct blob_store *store, const char *session,
				       const char *worker, size_t most);

/* "prefix" and a name that cannot leave its folder; owned. */
char *failed_folder_name(const char *prefix, struct str name);
/* "failed-document-stream-<time>-<number>.ndjson.gz" */
void failed_file_name(struct buf *out, uint64_t number);

#endif
