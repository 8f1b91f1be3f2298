/* conversations FOLDER CONNECTIONS REQUESTS BODY_BYTES: a segment log of that many connections with
 * requests in turn, in all as many as told, each a record with its answer. */
#include "traffic/segment_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PENDING = 1000 };

NO_RETURN static void fail(const char *what)
{
	fprintf(stderr, "conversations: %s\n", what);
	exit(6);
}

static void encode(struct record_writer *w, size_t number, struct str request)
{
	static const struct str answer = STR(
		"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}");
	/* A second holds 10,000 requests. */
	const struct record_time now = {1700000000 + (int64_t)number / 10000,
					(int32_t)(number % 10000) * 100000};

	record_writer_read(w, now, request);
	record_writer_end_of_message(w, now, RECORD_UNKNOWN, RECORD_UNKNOWN);
	record_writer_write(w, now, answer);
	record_writer_flush(w);
}

struct storing {
	struct segment_log *log;
	struct completion_queue *queue;
	struct completion slots[PENDING], *free;
	size_t used;
};

static struct completion *take_slot(struct storing *s)
{
	struct completion *slot;

	if (s->used < PENDING)
		return &s->slots[s->used++];
	if (!s->free)
		s->free = completion_queue_wait(s->queue, -1);
	slot = s->free;
	s->free = slot->next;
	if (slot->failed)
		fail("a record could not be stored");
	return slot;
}

static void store(struct storing *s, struct record_writer *w)
{
	struct record *record;
	struct err err;

	while ((record = record_writer_take(w))) {
		struct completion *slot = take_slot(s);

		*slot = (struct completion){.queue = s->queue};
		if (segment_log_append(s->log, record, slot, &err) < 0)
			fail(err.message);
	}
}

static struct str request_of(size_t body)
{
	char *text = mem_zalloc(body + 300);
	size_t head = (size_t)sprintf(text,
				      "POST /index/_search HTTP/1.1\r\nHost: source\r\n"
				      "User-Agent: bench\r\nContent-Type: application/json\r\n"
				      "Content-Length: %zu\r\n\r\n",
				      body);

	memset(text + head, 'x', body);
	return str_of(text, head + body);
}

int main(int argc, char **argv)
{
	size_t connections, requests, number = 0;
	static struct storing storing;
	struct record_writer **writers;
	struct str request;
	struct err err;
	char id[32];

	if (argc != 5)
		fail("FOLDER CONNECTIONS REQUESTS BODY_BYTES");
	connections = strtoul(argv[2], NULL, 10);
	requests = strtoul(argv[3], NULL, 10);
	request = request_of(strtoul(argv[4], NULL, 10));
	writers = calloc(connections, sizeof(struct record_writer *));
	if (completion_queue_new(&storing.queue, &err) < 0 ||
	    segment_log_open(argv[1], NULL, &storing.log, &err) < 0)
		fail(err.message);
	for (; number < requests; number++) {
		size_t c = number % connections;

		if (!writers[c]) {
			snprintf(id, sizeof(id), "connection-%zu", c);
			writers[c] =
				record_writer_new(STR("node"), str_from(id), RECORD_LIMIT_DEFAULT);
		}
		encode(writers[c], number, request);
		store(&storing, writers[c]);
	}
	segment_log_close(storing.log);
	return 0;
}
