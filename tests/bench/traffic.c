/* traffic FOLDER [SECONDS]
 *
 * What storing captured traffic costs: encoding one conversation of a request of 10 kB and its
 * answer as records; appending records to a segment log until each is durable, from 1 and from 64
 * at a time; and the same bytes by plain write and fdatasync, one by one, on the same disk. Prints
 * one JSON object. */
#include "base/clock.h"
#include "traffic/segment_log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST = 10000, ANSWER = 200, AT_MOST = 64 };

static int64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

NO_RETURN static void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(6);
}

static struct record *encode(struct record_writer *w, const char *bytes)
{
	struct record_time now = record_time_now();

	record_writer_read(w, now, str_of(bytes, REQUEST));
	record_writer_end_of_message(w, now, 20, 60);
	record_writer_write(w, now, str_of(bytes, ANSWER));
	record_writer_flush(w);
	return record_writer_take(w);
}

static void bench_encode(const char *bytes)
{
	struct record_writer *w = record_writer_new(
		STR("a30f9cb4-27a3-4dd3-b0e9-95d4bd388cb3"),
		STR("02fc00fffe000001-00007122-00000001-8e5d16"), RECORD_LIMIT_DEFAULT);
	int64_t begin = cpu_ns();
	size_t records = 200000, size = 0;

	for (size_t i = 0; i < records; i++) {
		struct record *record = encode(w, bytes);

		size = record->bytes;
		record_free(record);
	}
	printf("\"record_bytes\":%zu,\"encode_ns\":%.0f,", size,
	       (double)(cpu_ns() - begin) / (double)records);
	begin = cpu_ns();
	for (size_t i = 0; i < records; i++) {
		char *copy = mem_alloc(REQUEST + ANSWER);

		memcpy(copy, bytes, REQUEST + ANSWER);
		__asm__ volatile("" : : "r"(copy) : "memory");
		free(copy);
	}
	printf("\"malloc_memcpy_ns\":%.0f,", (double)(cpu_ns() - begin) / (double)records);
	record_writer_free(w);
}

static void bench_append(const char *folder, const char *bytes, size_t at_a_time, double seconds)
{
	struct completion slots[AT_MOST] = {0};
	struct record_writer *w =
		record_writer_new(STR("node"), STR("connection"), RECORD_LIMIT_DEFAULT);
	struct completion_queue *queue;
	struct segment_log_state state;
	struct segment_log *log;
	size_t records = 0, flying = 0;
	int64_t begin, ms;
	struct err err;

	if (completion_queue_new(&queue, &err) < 0 ||
	    segment_log_open(folder, NULL, &log, &err) < 0)
		fail(err.message);
	segment_log_state(log, &state);
	begin = clock_monotonic_ms();
	for (; flying < at_a_time; flying++) {
		slots[flying].queue = queue;
		if (segment_log_append(log, encode(w, bytes), &slots[flying], &err) < 0)
			fail(err.message);
	}
	while (flying > 0) {
		struct completion *done = completion_queue_wait(queue, -1), *next;

		for (; done; done = next) {
			next = done->next;
			if (done->failed)
				fail("a record could not be stored");
			records++;
			flying--;
			if ((double)(clock_monotonic_ms() - begin) > seconds * 1000)
				continue;
			if (segment_log_append(log, encode(w, bytes), done, &err) < 0)
				fail(err.message);
			flying++;
		}
	}
	ms = clock_monotonic_ms() - begin;
	segment_log_state(log, &state);
	printf("\"append_%zu\":{\"records_per_second\":%.0f,\"syncs_per_second\":%.0f},", at_a_time,
	       (double)records * 1000 / (double)ms, (double)state.syncs * 1000 / (double)ms);
	segment_log_close(log);
	completion_queue_free(queue);
	record_writer_free(w);
}

static void bench_plain(const char *folder, const char *bytes, double seconds)
{
	char path[4096];
	int64_t begin, ms;
	size_t writes = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/plain", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		fail(path);
	begin = clock_monotonic_ms();
	do {
		if (write(fd, bytes, REQUEST + ANSWER) != REQUEST + ANSWER || fdatasync(fd) < 0)
			fail(path);
		writes++;
	} while ((double)(ms = clock_monotonic_ms() - begin) < seconds * 1000);
	printf("\"plain_write_fdatasync\":{\"per_second\":%.0f}}\n",
	       (double)writes * 1000 / (double)ms);
	close(fd);
}

int main(int argc, char **argv)
{
	char *bytes = mem_zalloc(REQUEST + ANSWER);
	double seconds = argc > 2 ? atof(argv[2]) : 5;
	char folder[4096];

	if (argc < 2)
		fail("traffic FOLDER [SECONDS]");
	snprintf(folder, sizeof(folder), "%s/log", argv[1]);
	printf("{");
	bench_encode(bytes);
	bench_append(folder, bytes, 1, seconds);
	bench_append(folder, bytes, AT_MOST, seconds);
	bench_plain(argv[1], bytes, seconds);
	free(bytes);
	return 0;
}
