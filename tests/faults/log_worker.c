/* log_worker FOLDER PREFIX: appends records to a segment log until it is killed, several at a time,
 * with keys PREFIX.0, PREFIX.1, … and prints "key offset" of each when it is durable.
 *
 * log_worker FOLDER: prints "offset key length" of all that is there, and ends. */
#include "traffic/segment_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { AT_A_TIME = 16, LONGEST = 3000 };

struct waiting {
	struct completion done; /* first */
	uint64_t number;
};

static int fail(const struct err *err)
{
	fprintf(stderr, "%s\n", err->message);
	return 1;
}

static void print_warning(void *user, const char *message)
{
	(void)user;
	fprintf(stderr, "%s\n", message);
}

static int list(const char *folder)
{
	struct segment_log_reader *reader;
	struct segment_log_entry entry;
	struct err err;
	int got;

	if (segment_log_reader_open(folder, &reader, &err) < 0)
		return fail(&err);
	while ((got = segment_log_reader_next(reader, 0, &entry, &err)) > 0)
		printf("%" PRIu64 " " STR_FMT " %zu\n", entry.offset, STR_ARG(entry.key),
		       entry.bytes.len);
	segment_log_reader_close(reader);
	return got < 0 ? fail(&err) : 0;
}

static int append(struct segment_log *log, struct waiting *waiting, const char *prefix,
		  uint64_t number, struct err *err)
{
	static char bytes[LONGEST];
	char key[100];

	waiting->number = number;
	snprintf(key, sizeof(key), "%s.%" PRIu64, prefix, number);
	return segment_log_append_bytes(log, str_from(key), (int64_t)number,
					str_of(bytes, number * 131 % LONGEST), &waiting->done, err);
}

int main(int argc, char **argv)
{
	struct segment_log_options options = {.segment_bytes = 20000, .warn = print_warning};
	struct waiting waiting[AT_A_TIME] = {0};
	struct completion_queue *queue;
	struct segment_log *log;
	uint64_t number = 0;
	struct err err;

	if (argc == 2)
		return list(argv[1]);
	if (argc != 3 || completion_queue_new(&queue, &err) < 0 ||
	    segment_log_open(argv[1], &options, &log, &err) < 0)
		return fail(&err);
	for (size_t i = 0; i < AT_A_TIME; i++) {
		waiting[i].done.queue = queue;
		if (append(log, &waiting[i], argv[2], number++, &err) < 0)
			return fail(&err);
	}
	for (;;) {
		struct completion *done = completion_queue_wait(queue, -1), *next;

		for (; done; done = next) {
			struct waiting *one = (struct waiting *)done;

			next = done->next;
			if (done->failed)
				return 2;
			dprintf(STDOUT_FILENO, "%s.%" PRIu64 " %" PRIu64 "\n", argv[2], one->number,
				done->offset);
			if (append(log, one, argv[2], number++, &err) < 0)
				return fail(&err);
		}
	}
}
