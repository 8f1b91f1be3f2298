/* Where tuples go: gzip files of a folder, or objects of a store, written by a thread of its own.
 *
 *     <folder>/tuples-yyyy-MM-dd-HH-mm-NNN.log.gz
 *     <prefix><replayer>/yyyy/MM/dd/HH/tuples-<sink>-<yyyyMMddTHHmmssZ>-<sequence>.log.gz
 *
 * Files are rows of gzip members, each written and synced at once. Source of the names: the
 * replayer's log4j2.properties, and S3TupleSink of the Java tool. */
#ifndef TRAFFIC_TUPLE_SINK_H
#define TRAFFIC_TUPLE_SINK_H

#include "store/blob_store.h"

struct tuple_sink;

struct tuple_sink_options {
	const char *folder;            /* of files; made when it is not there; NULL: a store */
	struct blob_store *store;      /* borrowed; its root is the bucket */
	const char *prefix, *replayer; /* of objects; NULL: "tuples/", "replayer" */
	int64_t most_seconds;          /* a file or object is ended after; 60 */
	uint64_t most_bytes;           /* of text; 256 MiB */
	uint64_t most_tuples;          /* 0: any number */
	uint64_t folder_bytes;         /* of all files that lie in the folder; 0: any number */
	size_t queue_bytes;            /* text that waits; 64 MiB */
};

/* Strings are copied. ERR_IO: the folder cannot be made, or has folder_bytes already, or the system
 * refuses a thread. */
int tuple_sink_open(const struct tuple_sink_options *options, struct tuple_sink **out,
		    struct err *err);
/* Takes one line (copied). Its number, from 1, rises by one each time. Never blocks; ask
 * tuple_sink_is_full first. */
uint64_t tuple_sink_append(struct tuple_sink *sink, struct str line);
bool tuple_sink_is_full(struct tuple_sink *sink);
/* All up to this number are durable. Negative: the sink failed for good (a full disk, or folder);
 * *durable stays what it was. Uploads that fail are tried again without end. */
int tuple_sink_durable(struct tuple_sink *sink, uint64_t *durable, struct err *err);
/* Makes what was taken durable soon, whatever the age of the object. */
void tuple_sink_flush(struct tuple_sink *sink);
/* Waits at most wait_ms for what was taken, then ends the thread. Accepts NULL. */
void tuple_sink_close(struct tuple_sink *sink, int64_t wait_ms);

#endif
