/* The processes that wrote to a sink before this one, each a node. Connections of one that was
 * killed have no end in the log, and whoever reads it would wait for what was under way in them: so
 * each process says there, in each partition, which before it are over (RECORD_NODE_OVER_PREFIX).
 *
 * Their ids are in a small file until that was stored, this one's until its end is clean. The lock
 * beside it is held for life: whoever gets it knows that the others are over. Belongs to one
 * thread. */
#ifndef CAPTURE_LIVES_H
#define CAPTURE_LIVES_H

#include "capture/recorder.h"

#define LIVES_ID 36  /* bytes of a node id */
#define LIVES_MAX 32 /* whose end is still to be told; of more the oldest are forgotten */

struct lives {
	char *path; /* owned; NULL: nothing is kept, and nothing is told */
	int lock;
	char former[LIVES_MAX][LIVES_ID + 1], own[LIVES_ID + 1];
	size_t former_count;
	uint32_t told; /* partitions */
	bool under_way;
	int64_t tried_ms; /* 0: nothing failed */
	struct recorder recorder;
};

/* Adds this process to the file `path`, durably; its folder is there. NULL: there is none. ERR_IO,
 * ERR_CONFLICT: it can be used, and tells nothing. */
int lives_open(struct lives *lives, const char *path, const char *node_id, struct err *err);
/* `clean`: all connections have their end in the sink. No mark may be under way. */
void lives_close(struct lives *lives, bool clean);

/* Whether a mark is to be begun now, for one of so many partitions. */
bool lives_is_due(const struct lives *lives, uint32_t partitions, int64_t now_ms);
/* `options` name a connection that nothing else uses, of partition lives->told, and no owner. */
void lives_begin(struct lives *lives, const struct recorder_options *options, int64_t now_ms);
/* Takes in what became of the mark. Call it often. */
void lives_settle(struct lives *lives, uint32_t partitions);

#endif
