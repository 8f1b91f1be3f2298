#include "base/bounded_queue.h"

#include <pthread.h>
#include <stdlib.h>

struct entry {
	void *item;
	size_t weight;
};

struct bounded_queue {
	pthread_mutex_t lock;
	pthread_cond_t may_push, may_pop;
	size_t ceiling, weight;
	struct entry *ring; /* capacity entries; count of them from `first` on are in use */
	size_t capacity, first, count;
	/* Pushes are let in one after the other, lest many light items keep a heavy one out. */
	uint64_t next_ticket, now_serving;
	bool closed;
};

struct bounded_queue *bounded_queue_new(size_t ceiling)
{
	struct bounded_queue *q = mem_zalloc(sizeof(*q));

	q->ceiling = ceiling;
	if (pthread_mutex_init(&q->lock, NULL) || pthread_cond_init(&q->may_push, NULL) ||
	    pthread_cond_init(&q->may_pop, NULL))
		BUG("a lock cannot be made");
	return q;
}

void bounded_queue_free(struct bounded_queue *q)
{
	if (!q)
		return;
	pthread_mutex_destroy(&q->lock);
	pthread_cond_destroy(&q->may_push);
	pthread_cond_destroy(&q->may_pop);
	free(q->ring);
	free(q);
}

static bool fits(const struct bounded_queue *q, size_t weight)
{
	return q->count == 0 || (q->weight <= q->ceiling && weight <= q->ceiling - q->weight);
}

static void grow(struct bounded_queue *q)
{
	size_t capacity = MAX(q->capacity * 2, (size_t)16);
	struct entry *ring = mem_alloc(capacity * sizeof(*ring));

	for (size_t i = 0; i < q->count; i++)
		ring[i] = q->ring[(q->first + i) % q->capacity];
	free(q->ring);
	q->ring = ring;
	q->capacity = capacity;
	q->first = 0;
}

bool bounded_queue_push(struct bounded_queue *q, void *item, size_t weight)
{
	uint64_t ticket;
	bool accepted;

	pthread_mutex_lock(&q->lock);
	ticket = q->next_ticket++;
	while (!q->closed && (ticket != q->now_serving || !fits(q, weight)))
		pthread_cond_wait(&q->may_push, &q->lock);
	accepted = !q->closed;
	if (accepted) {
		if (q->count == q->capacity)
			grow(q);
		q->ring[(q->first + q->count++) % q->capacity] = (struct entry){item, weight};
		q->weight += weight;
		q->now_serving++;
		pthread_cond_signal(&q->may_pop);
		pthread_cond_broadcast(&q->may_push);
	}
	pthread_mutex_unlock(&q->lock);
	return accepted;
}

void *bounded_queue_pop(struct bounded_queue *q)
{
	struct entry entry = {0};

	pthread_mutex_lock(&q->lock);
	while (!q->closed && q->count == 0)
		pthread_cond_wait(&q->may_pop, &q->lock);
	if (q->count) {
		entry = q->ring[q->first];
		q->first = (q->first + 1) % q->capacity;
		q->count--;
		q->weight -= entry.weight;
		pthread_cond_broadcast(&q->may_push);
	}
	pthread_mutex_unlock(&q->lock);
	return entry.item;
}

void bounded_queue_close(struct bounded_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_cond_broadcast(&q->may_push);
	pthread_cond_broadcast(&q->may_pop);
	pthread_mutex_unlock(&q->lock);
}
