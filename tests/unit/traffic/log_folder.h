/* A folder for a segment log that goes away with the test, and appends that wait. */
#ifndef UNIT_TRAFFIC_LOG_FOLDER_H
#define UNIT_TRAFFIC_LOG_FOLDER_H

#include "traffic/segment_log.h"

struct log_folder {
	char path[64];
	struct completion_queue *queue;
};

void log_folder_make(struct log_folder *folder);
/* Where a log may be written past the page cache, on most machines. */
void log_folder_make_on_disk(struct log_folder *folder);
void log_folder_remove(struct log_folder *folder);
/* "<folder>/<name>" into a buffer of the caller's. */
const char *log_folder_file(const struct log_folder *folder, const char *name, char path[256]);
struct segment_log *log_folder_open(const struct log_folder *folder,
				    const struct segment_log_options *options);
/* Appends and waits; the errno of the failure, or 0 with the offset. */
int append_and_wait(const struct log_folder *folder, struct segment_log *log, struct str key,
		    int64_t time_ms, struct str bytes, uint64_t *offset);
/* Reads one entry that must be there. */
void assert_next(struct segment_log_reader *reader, uint64_t offset, struct str key,
		 int64_t time_ms, struct str bytes);

#endif
