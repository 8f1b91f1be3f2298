/* The segment log: a folder of append-only files with records of a key, a time and bytes, numbered
 * from 0 (offsets). One writer, one commit thread of its own, many readers in any process.
 *
 *     <folder>/lock, end               one writer; how far readers may read
 *     <folder>/<offset>.segment        records, 20 digits of the first offset
 *     <folder>/<offset>.index          every 64 KiB: offset, time, position
 *     <folder>/groups/<group>          the offset that a group of readers is done with
 *
 * docs/formats/segment-log.md has the bytes. Readers see a record when it is as durable as the
 * log's sync promises, never before. */
#ifndef TRAFFIC_SEGMENT_LOG_H
#define TRAFFIC_SEGMENT_LOG_H

#include "traffic/completion_queue.h"
#include "traffic/record.h"

#define SEGMENT_LOG_KEY_MAX 255 /* bytes */

struct segment_log;

enum segment_log_sync {
	SEGMENT_LOG_SYNC_ALWAYS,   /* complete when fdatasync returned, one for all that waited */
	SEGMENT_LOG_SYNC_INTERVAL, /* complete when written; fdatasync every sync_interval_ms */
	SEGMENT_LOG_SYNC_NONE,     /* complete when written; the system syncs when it likes */
};

/* Zeroes are the defaults. */
struct segment_log_options {
	enum segment_log_sync sync;
	int64_t sync_interval_ms; /* 1000 */
	uint64_t segment_bytes;   /* a segment is closed at this size; 256 MiB */
	size_t buffer_bytes;      /* of records waiting to be written; 64 MiB */
	int64_t retention_ms;     /* segments whose newest record is older go; 0: none by age */
	uint64_t retention_bytes; /* the oldest segments go while all are larger; 0: none by size */
	uint64_t warn_free_bytes; /* of the file system; 1 GiB */
	/* One line for the operator: the disk fills, a segment cannot be removed, something was cut
	 * off on opening. Called by the commit thread, or by segment_log_open; NULL: not told. */
	void (*warn)(void *user, const char *message);
	void *user;
};

/* Makes the folder when it is not there, takes its lock, cuts off a torn tail (what was never
 * durable), and starts the commit thread. Strings and options are copied. ERR_CONFLICT: another
 * process writes to it; ERR_FORMAT: something that was durable is damaged (named). */
int segment_log_open(const char *folder, const struct segment_log_options *options,
		     struct segment_log **out, struct err *err);
/* Writes and syncs what was appended, completes it, ends the thread. Accepts NULL. */
void segment_log_close(struct segment_log *log);

/* Gives a record to the log, which frees it. Any thread; does not block; order among
 * appends is that of the calls. On failure the record is still the caller's and nothing is
 * completed: ERR_LIMIT with err->retry: the buffer is full, try again when something completed;
 * ERR_IO: the log is broken (an fdatasync failed) and must be opened anew. A write that failed for
 * want of space is told in the completion, and the log goes on with the next record. */
int segment_log_append(struct segment_log *log, struct record *record, struct completion *done,
		       struct err *err);
/* As segment_log_append, of bytes that are copied (import, Kafka spool). `key` at most
 * SEGMENT_LOG_KEY_MAX bytes, else ERR_LIMIT without retry. */
int segment_log_append_bytes(struct segment_log *log, struct str key, int64_t time_ms,
			     struct str bytes, struct completion *done, struct err *err);

struct segment_log_state {
	uint64_t first;        /* the oldest offset that is still there */
	uint64_t end;          /* the offset after the newest that readers see */
	uint64_t bytes;        /* of all segments */
	size_t buffered_bytes; /* appended, not completed */
	uint64_t free_bytes;   /* of the file system, at the last look (once a second) */
	uint64_t syncs;        /* fdatasync calls so far */
	uint64_t failed;       /* records that could not be stored */
};
void segment_log_state(struct segment_log *log, struct segment_log_state *out);

/* --- Reading: any process, with or without a writer at work --- */

struct segment_log_reader;

struct segment_log_entry {
	uint64_t offset;
	int64_t time_ms; /* of the record's last observation; -1: unknown */
	struct str key;  /* both: valid until the next call on this reader */
	struct str bytes;
};

/* At the oldest record. ERR_NOT_FOUND: there is no log in this folder. */
int segment_log_reader_open(const char *folder, struct segment_log_reader **out, struct err *err);
/* Accepts NULL. */
void segment_log_reader_close(struct segment_log_reader *reader);
/* The next entry is the first whose offset is not below `offset`. */
int segment_log_reader_seek(struct segment_log_reader *reader, uint64_t offset, struct err *err);
/* The next entry is the first, by offset, whose time is not below `time_ms`. */
int segment_log_reader_seek_time(struct segment_log_reader *reader, int64_t time_ms,
				 struct err *err);
/* 1; 0: nothing new within timeout_ms (0: looks once; -1: no end), woken by the writer, not by
 * looking again and again. ERR_FORMAT: damaged (named); the next call gives the same error, a seek
 * goes past it. ERR_NOT_FOUND: retention took what would have been next (err says how to go on);
 * the next call goes on with the oldest that is there. */
int segment_log_reader_next(struct segment_log_reader *reader, int timeout_ms,
			    struct segment_log_entry *out, struct err *err);
/* From another thread: the wait of segment_log_reader_next ends with 0, this one or the next. */
void segment_log_reader_wake(struct segment_log_reader *reader);
/* The oldest offset, and the one after the newest, as they are now. */
int segment_log_reader_range(struct segment_log_reader *reader, uint64_t *first, uint64_t *end,
			     struct err *err);

/* --- Groups: retention keeps what a registered group has not committed --- */

/* Durable when it returns: the group is done with all below `offset`. Registers it. Names: 1 to 100
 * of A-Z a-z 0-9 . _ -, not beginning with '.'; else ERR_USAGE. */
int segment_log_group_commit(const char *folder, const char *group, uint64_t offset,
			     struct err *err);
/* 1; 0: no such group, *out untouched. */
int segment_log_group_committed(const char *folder, const char *group, uint64_t *out,
				struct err *err);
/* It holds nothing back any more. One that is not there is a success. */
int segment_log_group_remove(const char *folder, const char *group, struct err *err);

#endif
