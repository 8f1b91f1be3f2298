/* What one thread finished for another: records that are durable, handed back to the thread that
 * appended them, through a file descriptor that any event loop can wait for. */
#ifndef TRAFFIC_COMPLETION_QUEUE_H
#define TRAFFIC_COMPLETION_QUEUE_H

#include "base/err.h"

struct completion_queue;
struct record;

/* The caller's memory, from the append on until it comes back out of the queue. Embed it in what
 * waits. */
struct completion {
	struct completion_queue *queue; /* where it comes out; NULL: nobody asks, and it is not
					   touched after the append */
	struct completion *next;        /* the queue's */
	struct record *spent;           /* the queue's: freed when this comes out of it */
	uint64_t offset;                /* of the record, when it did not fail */
	enum err_kind failed;           /* ERR_NONE: it is stored as the log's sync says */
	int failed_errno;               /* ENOSPC, EIO, ...; 0: none */
};

int completion_queue_new(struct completion_queue **out, struct err *err);
/* Nothing may be on its way into it any more. Accepts NULL. */
void completion_queue_free(struct completion_queue *q);
/* Readable while the queue is not empty (an eventfd; only wait for it, do not read it). */
int completion_queue_fd(const struct completion_queue *q);
/* All that is finished, a list by `next`, oldest first; NULL: nothing. Does not block. */
struct completion *completion_queue_take(struct completion_queue *q);
/* As take, but waits for something. NULL: nothing within `timeout_ms` (-1: no end). */
struct completion *completion_queue_wait(struct completion_queue *q, int timeout_ms);
/* From any thread: a list by `next`, of which all have q as their queue. Wakes once. */
void completion_queue_put(struct completion_queue *q, struct completion *list);

#endif
