/* Records from where they were stored, one iterator for all forms: the segment log, files of one
 * record (.protocap), and files of lines, base64 or key|base64, plain or gzip, here or in an object
 * store. Kafka
 * (kafka_source.h) is another implementation of the same ops. Not thread-safe. */
#ifndef TRAFFIC_RECORD_SOURCE_H
#define TRAFFIC_RECORD_SOURCE_H

#include "base/buf.h"
#include "store/blob_store.h"
#include "traffic/record.h"

struct record_source;

/* Where a record came from. Offsets rise within a partition; those of a file count its records from
 * 0 (blank lines are none), several files are one after another. */
struct record_position {
	uint32_t partition; /* 0 but for Kafka */
	uint64_t offset;
};

#define RECORD_NOWHERE UINT64_MAX /* an offset: no record is meant */

struct record_item {
	struct record_position position;
	int64_t time_ms;  /* when it was stored; -1: the form does not tell */
	struct str key;   /* "" when the form has none */
	struct str bytes; /* the TrafficStream; both valid until the next call on the source */
};

enum record_source_state {
	RECORD_SOURCE_END = 0,
	RECORD_SOURCE_ITEM = 1,
	RECORD_SOURCE_NOTHING_YET = 2, /* within the time given; there may be more later */
	RECORD_SOURCE_REVOKED = 3, /* out->position.partition goes to another reader, which begins
				      at the first record that is unfinished: drop what is not begun
				      of it, finish the rest */
};

/* How far a source is, summed over its partitions. */
struct record_progress {
	uint64_t next;    /* offset of the record to be read next */
	uint64_t end;     /* offset after the newest; never equal to `next` while it is not known */
	int64_t asked_ms; /* monotonic: `end` was asked for after this; 0: it may be older */
	uint64_t partitions, assigned, revoked; /* read here now; that came and went so far; of a
						   group */
};

struct record_source_ops {
	int (*next)(struct record_source *source, int timeout_ms, struct record_item *out,
		    struct err *err);
	/* Nobody needs this record any more; in any order. NULL: nothing is committed. */
	void (*finish)(struct record_source *source, struct record_position position);
	int (*commit)(struct record_source *source, struct err *err);
	void (*close)(struct record_source *source);
	bool (*progress)(struct record_source *source, struct record_progress *out); /* or NULL */
	void (*leave)(struct record_source *source, uint32_t partition);             /* or NULL */
	bool (*has_passed)(struct record_source *source, int64_t time_ms);           /* or NULL */
};

/* Implementations embed this as their first member. */
struct record_source {
	const struct record_source_ops *ops;
	char *name; /* owned by the implementation; for messages */
	/* One sequence, in the order in which records were stored: behind what was captured a good
	 * while later there is nothing that was captured before. */
	bool in_order;
};

/* An enum record_source_state, or an error. ERR_FORMAT of one record (a line that is no base64) is
 * told with out->position set, and the next call goes on behind it; with any other error its offset
 * is RECORD_NOWHERE. */
int record_source_next(struct record_source *source, int timeout_ms, struct record_item *out,
		       struct err *err);
/* This record is done with: what it asked for happened, or never will. */
void record_source_finish(struct record_source *source, struct record_position position);
/* Makes durable that all records below the first unfinished one are done with; a new reader of the
 * group begins there. Call it now and then (a second), and before closing. */
int record_source_commit(struct record_source *source, struct err *err);
/* Nothing is under way any more of a partition that was RECORD_SOURCE_REVOKED: its next reader may
 * begin. */
void record_source_leave(struct record_source *source, uint32_t partition);
/* False: this source cannot tell. */
bool record_source_progress(struct record_source *source, struct record_progress *out);
/* Whether all that was stored before time_ms (wall clock) was read here, or is done by other
 * readers of the group, as far as somebody gets on with it. True where a source cannot tell. */
bool record_source_has_passed(struct record_source *source, int64_t time_ms);
/* Accepts NULL. */
void record_source_close(struct record_source *source);
/* For cleanup(). */

struct log_source_options {
	const char *group; /* begins at, commits to; NULL: begins at the oldest, commits nothing */
	bool follow;       /* never ends; else it ends where the log ends when it is opened */
	int64_t from_time_ms; /* with has_from_time: not before this; the group's wins */
	uint64_t from_offset; /* with has_from_offset */
	bool has_from_time, has_from_offset;
	const struct blob_store_options *store; /* no log: how record_source_open reaches an
						   object store; NULL: by the environment */
};

/* A segment log's folder. A group that is new is registered, at where this source begins. */
int log_source_open(const char *folder, const struct log_source_options *options,
		    struct record_source **out, struct err *err);
/* A file of any of the forms, told apart by its content; "-" is standard input (lines only). */
int file_source_records_open(const char *path, struct record_source **out, struct err *err);
/* Whichever `path` is: a segment log, a folder of .protocap files (by connection and number), a
 * file; or what an object store has, at s3://…, gs://… or azure://…: one object, or all below that
 * prefix, .protocap by connection and number, the others by name. `options` count for a log; a
 * group of anything else is ERR_USAGE. */
int record_source_open(const char *path, const struct log_source_options *options,
		       struct record_source **out, struct err *err);

/* One line of a file of lines, decoded: `key` is a slice of the line, `bytes` go to `decoded`
 * (emptied first). 1; 0: the line is blank; ERR_FORMAT. */
int record_line_decode(struct str line, struct str *key, struct buf *decoded, struct err *err);
/* Appends "key|base64\n", or "base64\n" when key.ptr is NULL. */
void record_line_encode(struct buf *out, struct str key, struct str bytes);

#endif
