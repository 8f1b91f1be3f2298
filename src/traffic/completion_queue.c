#include "traffic/completion_queue.h"

#include "traffic/record.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct completion_queue {
	pthread_mutex_t lock;
	struct completion *first, **end;
	int fd;
};

int completion_queue_new(struct completion_queue **out, struct err *err)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct completion_queue *q;

	if (fd < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot make an eventfd");
	q = mem_zalloc(sizeof(*q));
	pthread_mutex_init(&q->lock, NULL);
	q->end = &q->first;
	q->fd = fd;
	*out = q;
	return 0;
}

static void free_spent(struct completion *list)
{
	for (; list; list = list->next)
		record_free(take(list->spent));
}

void completion_queue_free(struct completion_queue *q)
{
	if (!q)
		return;
	free_spent(q->first);
	close(q->fd);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

int completion_queue_fd(const struct completion_queue *q)
{
	return q->fd;
}

struct completion *completion_queue_take(struct completion_queue *q)
{
	struct completion *list;
	uint64_t count;

	pthread_mutex_lock(&q->lock);
	list = take(q->first);
	q->end = &q->first;
	/* Under the lock, so that it is readable whenever the queue is not empty; it never blocks.
	 * NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection) */
	if (list && read(q->fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		BUG("an eventfd that cannot be read");
	pthread_mutex_unlock(&q->lock);
	free_spent(list);
	return list;
}

struct completion *completion_queue_wait(struct completion_queue *q, int timeout_ms)
{
	struct pollfd wanted = {.fd = q->fd, .events = POLLIN};
	int ready;

	do
		ready = poll(&wanted, 1, timeout_ms);
	while (ready < 0 && errno == EINTR);
	return completion_queue_take(q);
}

void completion_queue_put(struct completion_queue *q, struct completion *list)
{
	uint64_t one = 1;
	bool readable;

	if (!list)
		return;
	pthread_mutex_lock(&q->lock);
	readable = q->first != NULL;
	*q->end = list;
	while (list->next)
		list = list->next;
	q->end = &list->next;
	if (!readable && write(q->fd, &one, sizeof(one)) < 0)
		BUG("an eventfd that cannot be written");
	pthread_mutex_unlock(&q->lock);
}
