/* A queue between threads whose content is bounded by weight (bytes), not by count.
 *
 * push blocks while the queue is over its ceiling (one item heavier than the ceiling passes when
 * the queue is empty); pop blocks while it is empty. Closing wakes everybody: pushes are refused,
 * pops drain what is left and then end. */
#ifndef BASE_BOUNDED_QUEUE_H
#define BASE_BOUNDED_QUEUE_H

#include "base/compiler.h"

struct bounded_queue;

struct bounded_queue *bounded_queue_new(size_t ceiling);
/* Items still inside are the caller's to drain first. Accepts NULL. */
void bounded_queue_free(struct bounded_queue *q);
/* False when the queue is closed; the item is then still the caller's. */
bool bounded_queue_push(struct bounded_queue *q, void *item, size_t weight);
/* NULL when closed and empty. */
void *bounded_queue_pop(struct bounded_queue *q);
void bounded_queue_close(struct bounded_queue *q);

#endif
