/* A segment with any bytes: a writer opens it or says what is wrong, cuts what is no entry, and
 * what a reader then reads are entries by rising offset, behind which appending goes on. */
#include "fuzz.h"
#include "traffic/segment_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static void remove_files(void)
{
	char path[128];

	for (const char *const *name = (const char *const[]){"00000000000000000000.segment",
							     "00000000000000000000.index", "end",
							     "lock", "groups", NULL};
	     *name; name++) {
		snprintf(path, sizeof(path), "%s/%s", folder, *name);
		remove(path);
	}
}

/* The first byte chooses: any bytes as a file, or as what follows a right beginning. */
static void write_segment(const uint8_t *data, size_t size)
{
	uint8_t header[SEGMENT_HEADER];
	char path[128];
	int fd;

	segment_header_encode(&(struct segment_header){.newest_before = INT64_MIN}, header);
	snprintf(path, sizeof(path), "%s/00000000000000000000.segment", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || (data[0] & 1 && write(fd, header, sizeof(header)) < 0) ||
	    write(fd, data + 1, size - 1) < 0)
		abort();
	close(fd);
}

static uint64_t read_all(void)
{
	struct segment_log_reader *reader;
	struct segment_log_entry entry;
	struct err err = {0};
	uint64_t next = 0;
	int got;

	if (segment_log_reader_open(folder, &reader, &err) < 0) {
		if (!err.kind || !err.message[0])
			BUG("an error that says nothing");
		return 0;
	}
	while ((got = segment_log_reader_next(reader, 0, &entry, &err)) > 0) {
		if (entry.offset < next)
			BUG("an offset twice");
		next = entry.offset + 1;
	}
	segment_log_reader_close(reader);
	return got < 0 ? UINT64_MAX : next;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct segment_log_options options = {.sync = SEGMENT_LOG_SYNC_NONE};
	struct segment_log_state state;
	struct segment_log *log;
	struct err err = {0};

	if (size == 0)
		return 0;
	if (!folder[0]) {
		snprintf(folder, sizeof(folder), "%s/fuzz-segment-log-%d",
			 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (int)getpid());
		if (mkdir(folder, 0700) < 0)
			abort();
	}
	write_segment(data, size);
	read_all();
	if (segment_log_open(folder, &options, &log, &err) < 0) {
		if (!err.kind || !err.message[0])
			BUG("an error that says nothing");
	} else {
		segment_log_state(log, &state);
		if (read_all() != state.end)
			BUG("readers and the writer do not agree where the log ends");
		segment_log_close(log);
	}
	remove_files();
	rmdir(folder);
	folder[0] = '\0';
	return 0;
}
