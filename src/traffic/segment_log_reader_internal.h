/* A reader of a segment log, and how it finds its place. Within src/traffic. */
#ifndef TRAFFIC_SEGMENT_LOG_READER_INTERNAL_H
#define TRAFFIC_SEGMENT_LOG_READER_INTERNAL_H

#include "traffic/segment_file.h"

struct segment_log_reader {
	char *path; /* owned */
	int folder, end_file, wake, changes;
	struct end_mark mark;
	bool has_mark; /* else what is whole counts as written */

	int segment; /* -1: none is open */
	uint64_t base;
	struct segment_header header;
	uint64_t limit;     /* bytes of this segment that may be read */
	uint64_t position;  /* of the next entry */
	uint64_t next_here; /* no entry from there on has a lower offset */
	size_t entry_bytes; /* of the entry at position, once it was read */
	struct buf window;  /* bytes of the segment from window_at on */
	uint64_t window_at;

	uint64_t wanted; /* entries before this offset, or this time, are passed over */
	bool has_wanted_time;
	int64_t wanted_time_ms;
};

/* The entry at position, without stepping over it. 1; 0: not (yet) there. */
int segment_reader_entry(struct segment_log_reader *reader, struct segment_log_entry *out,
			 struct err *err);
void segment_reader_step(struct segment_log_reader *reader, uint64_t offset);
void segment_reader_go_to(struct segment_log_reader *reader, uint64_t position, uint64_t offset);
/* 1, at its first entry; 0: there is no such segment (any more). */
int segment_reader_open_segment(struct segment_log_reader *reader, uint64_t base, struct err *err);

#endif
