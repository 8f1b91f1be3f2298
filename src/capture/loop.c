#include "capture/loop.h"

#include "base/clock.h"
#include "net/event_loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define TICK_MS 100
#define ACCEPTS_AT_ONCE 64
/* Connections that are refused hold memory, too, until they have their answer. */
#define REFUSED_MAX 1000
#define TRIES_A_PARTITION 64

/* The listening socket stays readable while nothing can be accepted: not asked for until the next
 * tick. */
static void accept_failed(struct loop *loop, int error)
{
	if (error != EMFILE && error != ENFILE && error != ENOBUFS && error != ENOMEM)
		return;
	event_del(loop->accept_event);
	loop->accept_paused = true;
}

static void resume_accepting(struct loop *loop)
{
	if (loop->accept_paused && loop->accept_event)
		event_add(loop->accept_event, NULL);
	loop->accept_paused = false;
}

static void on_accept(evutil_socket_t listen_fd, short what, void *user)
{
	struct loop *loop = user;
	struct proxy *proxy = loop->proxy;

	(void)what;
	loop->now_ms = clock_monotonic_ms();
	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		uint64_t active = counter_get(&proxy->counters.active_connections);

		if (fd < 0) {
			accept_failed(loop, errno);
			return;
		}
		if (active >= proxy->options.max_connections + REFUSED_MAX)
			close(fd);
		else
			connection_accept(loop, fd, active >= proxy->options.max_connections);
	}
}

static void begin_drain(struct loop *loop)
{
	/* Those that the system has accepted are served. */
	on_accept(loop->listen_fd, EV_READ, loop);
	loop->draining = true;
	event_free(take(loop->accept_event));
	close(loop->listen_fd);
	loop->listen_fd = -1;
}

static void close_all(struct loop *loop)
{
	struct connection *next;

	for (struct connection *c = loop->connections; c; c = next) {
		next = c->next;
		connection_close(c);
		connection_reap(c);
	}
}

/* A mark that could not be stored once is not waited for, and so not begun again at the end: it may
 * be long until it fails. */
static bool may_begin_mark(const struct loop *loop, int64_t tried_ms)
{
	return tried_ms == 0 || !(loop->draining || atomic_load(&loop->proxy->stopping));
}

static void mark_gaps(struct loop *loop)
{
	char id[61];
	struct recorder_options options;

	gap_marker_settle(&loop->gaps);
	if (!gap_marker_is_due(&loop->gaps, loop->now_ms) ||
	    !may_begin_mark(loop, loop->gaps.tried_ms))
		return;
	options = connection_recorder_options(loop, id);
	gap_marker_begin(&loop->gaps, &options, loop->now_ms);
	gap_marker_settle(&loop->gaps);
}

/* Gives the id another end, until it is one of that partition: ids are unique without it. False:
 * there seems to be no such partition any more. */
static bool fit_id(char id[static 61], const struct sink *sink, uint32_t partition, uint64_t tries)
{
	while (sink_partition_of(sink, str_from(id)) != partition) {
		if (tries-- == 0)
			return false;
		snprintf(id + 52, 9, "%08x", (unsigned)tries);
	}
	return true;
}

/* The first loop does it. */
static void mark_former_lives(struct loop *loop)
{
	struct proxy *proxy = loop->proxy;
	struct lives *lives = &proxy->lives;
	uint32_t partitions = proxy->options.sink ? sink_partitions(proxy->options.sink) : 0;
	struct recorder_options options;
	char id[61];

	if (loop != proxy->loops)
		return;
	lives_settle(lives, partitions);
	if (!lives_is_due(lives, partitions, loop->now_ms) ||
	    !may_begin_mark(loop, lives->tried_ms))
		return;
	options = connection_recorder_options(loop, id);
	if (!fit_id(id, proxy->options.sink, lives->told, (uint64_t)partitions * TRIES_A_PARTITION))
		return;
	lives_begin(lives, &options, loop->now_ms);
	lives_settle(lives, partitions);
}

static bool is_empty(const struct loop *loop)
{
	const struct gap_marker *gaps = &loop->gaps;

	if (loop == loop->proxy->loops && loop->proxy->lives.under_way)
		return false;
	return !loop->connections && !gaps->under_way && (gaps->noted == 0 || gaps->tried_ms > 0);
}

static void look_again(struct loop *loop)
{
	struct proxy *proxy = loop->proxy;
	struct record_time now = record_time_now();
	struct connection *next;

	loop->now_ms = clock_monotonic_ms();
	if (atomic_load(&proxy->draining) && !loop->draining)
		begin_drain(loop);
	if (atomic_load(&proxy->stopping) ||
	    (loop->draining && loop->now_ms >= atomic_load(&proxy->drain_deadline_ms)))
		close_all(loop);
	loop->oldest_ms = 0;
	for (struct connection *c = loop->connections; c; c = next) {
		next = c->next;
		connection_tick(c, now);
	}
	atomic_store(&loop->buffer_age_ms, (uint64_t)loop->oldest_ms);
	mark_gaps(loop);
	mark_former_lives(loop);
	if (loop->draining && is_empty(loop))
		atomic_store(&loop->drained, true);
	if (atomic_load(&proxy->stopping) && is_empty(loop))
		event_base_loopbreak(loop->base);
}

static void on_tick(evutil_socket_t fd, short what, void *user)
{
	(void)fd;
	(void)what;
	resume_accepting(user);
	look_again(user);
}

static void on_wake(evutil_socket_t fd, short what, void *user)
{
	struct loop *loop = user;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) < 0)
		return;
	if (atomic_load(&loop->proxy->gate.closed))
		for (struct connection *c = loop->connections; c; c = c->next)
			if (c->phase != PHASE_CLOSED)
				recorder_flush(&c->recorder);
	look_again(loop);
}

static void on_completions(evutil_socket_t fd, short what, void *user)
{
	struct loop *loop = user;
	struct completion *one = completion_queue_take(loop->queue), *next;
	bool marks = false;

	(void)fd;
	(void)what;
	loop->now_ms = clock_monotonic_ms();
	/* All of a connection first, since running it may free it. */
	for (; one; one = next) {
		struct connection *c;

		next = one->next;
		c = recorder_complete(one);
		marks |= !c;
		if (!c)
			continue;
		recorder_retry(&c->recorder);
		connection_run(c);
	}
	/* At once the next: a topic may have a thousand partitions, and a drain waits for all. */
	if (marks)
		mark_former_lives(loop);
}

static void *serve(void *user)
{
	struct loop *loop = user;

	event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
	return NULL;
}

static struct event *add_event(struct loop *loop, int fd, event_callback_fn callback)
{
	struct event *event = event_new(loop->base, fd, EV_READ | EV_PERSIST, callback, loop);

	if (event)
		event_add(event, NULL);
	return event;
}

static void release(struct loop *loop)
{
	struct event *events[] = {loop->accept_event, loop->wake_event, loop->tick_event,
				  loop->completion_event};

	for (size_t i = 0; i < COUNT_OF(events); i++)
		if (events[i])
			event_free(events[i]);
	if (loop->listen_fd >= 0)
		close(loop->listen_fd);
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
	if (loop->base)
		event_base_free(loop->base);
	completion_queue_free(loop->queue);
	*loop = (struct loop){.listen_fd = -1, .wake_fd = -1};
}

static int open_parts(struct loop *loop, struct err *err)
{
	const struct timeval tick = {.tv_usec = TICK_MS * 1000};
	int got = completion_queue_new(&loop->queue, err);

	if (got < 0)
		return got;
	got = event_loop_new(&loop->base, err);
	if (got < 0)
		return got;
	loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->wake_fd < 0)
		return err_set_errno(err, ERR_IO, errno, "setting up an event loop");
	loop->accept_event = add_event(loop, loop->listen_fd, on_accept);
	loop->wake_event = add_event(loop, loop->wake_fd, on_wake);
	loop->completion_event = add_event(loop, completion_queue_fd(loop->queue), on_completions);
	loop->tick_event = event_new(loop->base, -1, EV_PERSIST, on_tick, loop);
	if (!loop->accept_event || !loop->wake_event || !loop->completion_event ||
	    !loop->tick_event || event_add(loop->tick_event, &tick) < 0)
		return err_set(err, ERR_NOMEM, "setting up an event loop");
	return 0;
}

int loop_start(struct loop *loop, struct proxy *proxy, int listen_fd, struct err *err)
{
	int got;

	*loop = (struct loop){.proxy = proxy, .listen_fd = listen_fd, .wake_fd = -1};
	loop->now_ms = clock_monotonic_ms();
	got = open_parts(loop, err);
	if (got == 0 && pthread_create(&loop->thread, NULL, serve, loop) != 0)
		got = err_set(err, ERR_NOMEM, "starting the thread of an event loop");
	if (got < 0)
		release(loop);
	return got;
}

void loop_wake(struct loop *loop)
{
	uint64_t one = 1;

	if (write(loop->wake_fd, &one, sizeof(one)) < 0)
		return; /* it is awake already */
}

void loop_stop(struct loop *loop)
{
	loop_wake(loop);
	pthread_join(loop->thread, NULL);
	release(loop);
}
