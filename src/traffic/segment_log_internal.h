/* The writer of a segment log. Within src/traffic. */
#ifndef TRAFFIC_SEGMENT_LOG_INTERNAL_H
#define TRAFFIC_SEGMENT_LOG_INTERNAL_H

#include "traffic/segment_file.h"

#include <pthread.h>

struct append {
	struct append *next;
	struct record *record;
	struct completion *done; /* NULL: nobody asks */
	int64_t time_ms;
	uint64_t offset;
	int failed_errno; /* 0: stored */
	uint32_t content_crc;
	uint8_t header[ENTRY_HEADER];
};

struct segment_info {
	uint64_t base, bytes;
	int64_t newest; /* time of the newest entry in it and before it; INT64_MIN */
};

struct segment_log {
	char *path; /* owned */
	int folder, lock_file, end_file;
	struct segment_log_options options; /* no zeroes */
	pthread_t thread;

	pthread_mutex_t lock; /* of this paragraph */
	pthread_cond_t wake;
	struct append *first, **last;
	size_t queued, wanted; /* appends in the list; as many of them wake the commit thread */
	size_t buffered;
	bool closing, broken;
	struct segment_log_state state;

	/* The commit thread's, after segment_log_open. */
	struct segment_info *segments; /* oldest first; the last one is open */
	size_t segment_count;
	int segment, index;
	uint64_t position;            /* where the next entry goes in the open segment */
	int direct;                   /* the open segment past the page cache; -1: through it */
	uint8_t *room;                /* of its blocks from that of position on; owned; or NULL */
	uint64_t uncached;            /* the open segment is in no page cache up to here */
	uint64_t index_due;           /* position from which on the next index entry is written */
	uint64_t next;                /* offset of the next entry */
	uint64_t durable;             /* offset after the last that was synced */
	int64_t newest;               /* time of the newest entry; INT64_MIN */
	int64_t synced_ms, looked_ms; /* monotonic */
	int64_t commit_us;            /* how long writing and fdatasync take, of late */
	int64_t gather_us;            /* how long those who were just told are waited for */
	int64_t told_us;              /* when they were; monotonic */
	size_t told, queued_then;     /* how many they were; how many others waited already */
	bool warned_of_space;
};

void segment_log_warn(const struct segment_log *log, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Finds what is there, cuts a torn tail, opens the last segment or makes the first. */
int segment_log_recover(struct segment_log *log, struct err *err);
/* Begins a new segment at log->next; the one before ended at `previous_end`. 0 or -errno. */
int segment_log_begin_segment(struct segment_log *log, uint64_t previous_end);
/* Tells the readers how far they may read. 0 or -errno. */
int segment_log_publish(struct segment_log *log);
/* fdatasync of the open segment. 0 or -errno. */
int segment_log_sync_now(struct segment_log *log);
/* Nothing more is stored until the log is opened again. */
void segment_log_break(struct segment_log *log, const char *what, int failed_errno);
/* Writes all that still fits, and marks what failed. How many were written. */
uint64_t segment_log_write(struct segment_log *log, struct append *batch);
void segment_log_fail(struct append *from, const struct append *end, int failed_errno);
/* What readers have read by now leaves the page cache. */
void segment_log_uncache(struct segment_log *log);
uint64_t segment_log_entry_size(const struct append *append);
/* Gives it an offset, and makes its header. */
void segment_log_number(struct append *append, uint64_t offset);

/* --- Past the page cache --- */

/* The open segment is written so from now on, where that may be done. */
void segment_log_direct_open(struct segment_log *log);
void segment_log_direct_close(struct segment_log *log);
/* After the segment was written otherwise. */
void segment_log_direct_again(struct segment_log *log);
/* As many as fit; *end is the first left out, `from` itself where it has to be written otherwise.
 * 0 or -errno. */
int segment_log_write_direct(struct segment_log *log, struct append *from, struct append **end);
/* Cuts off the zeros behind the last entry, and syncs. 0 or -errno. */
int segment_log_trim(struct segment_log *log);
/* Whether nothing but the zeros of a last block lies from position to the segment's end. */
bool segment_log_is_padding(int segment, uint64_t position, uint64_t size);

/* The commit thread; its argument is the log. */
void *segment_log_commit_loop(void *argument);
/* Once a second: retention, free space. */
void segment_log_housekeeping(struct segment_log *log);
void segment_log_retention(struct segment_log *log);

#endif
