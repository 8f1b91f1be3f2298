#include "capture/proxy.h"

#include "base/clock.h"
#include "base/processors.h"
#include "capture/listener.h"
#include "capture/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define THREADS_MAX PROXY_LISTENERS_MAX

/* A UUID of random bits, for the node; a number, for the ids of connections. */
static int name_process(struct proxy *proxy, struct err *err)
{
	uint8_t b[16];

	if (getrandom(b, sizeof(b), 0) != sizeof(b) ||
	    getrandom(&proxy->machine, sizeof(proxy->machine), 0) != sizeof(proxy->machine))
		return err_set_errno(err, ERR_IO, errno, "the system's random numbers");
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	snprintf(proxy->node_id, sizeof(proxy->node_id),
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		 b[15]);
	return 0;
}

/* It serves without, too: what nobody ended is then waited for. */
static void know_former_lives(struct proxy *proxy)
{
	const struct proxy_options *options = &proxy->options;
	char line[600];
	struct err err = {0};

	if (lives_open(&proxy->lives, options->lives, proxy->node_id, &err) == 0 || !options->warn)
		return;
	snprintf(
		line, sizeof(line),
		"%s; connections that a kill leaves open in the records stay so until the replay's "
		"--packet-timeout-seconds",
		err.message);
	options->warn(options->user, line);
}

static int start_loops(struct proxy *proxy, size_t count, struct err *err)
{
	const struct proxy_options *options = &proxy->options;

	proxy->port = options->listen_port;
	while (proxy->loop_count < count) {
		int fd = listener_for(options, proxy->loop_count, proxy->port, err), got;

		if (fd < 0)
			return fd;
		proxy->port = listener_port(fd);
		got = loop_start(&proxy->loops[proxy->loop_count], proxy, fd, err);
		if (got < 0)
			return got;
		proxy->loop_count++;
	}
	return 0;
}

int proxy_start(const struct proxy_options *options, struct proxy **out, struct err *err)
{
	struct proxy *proxy = mem_zalloc(sizeof(*proxy));
	size_t threads = options->threads > 0 ? options->threads : (size_t)processors();
	int got;

	proxy->options = *options;
	proxy->lives.lock = -1;
	gate_init(&proxy->gate, options->destination, options->hold_limit_ms,
		  options->hold_limit_bytes);
	/* Each socket has a queue of its own that somebody must look at. */
	threads = MIN(MAX(threads, options->listen_fd_count), (size_t)THREADS_MAX);
	proxy->loops = mem_zalloc(threads * sizeof(*proxy->loops));
	if ((got = name_process(proxy, err)) == 0)
		know_former_lives(proxy);
	if (got < 0 || (got = resolver_start(&proxy->gate, &proxy->resolver, err)) < 0 ||
	    (got = start_loops(proxy, threads, err)) < 0) {
		proxy_stop(proxy);
		return got;
	}
	*out = proxy;
	return 0;
}

size_t proxy_listeners(const struct proxy *proxy, int *fds, size_t most)
{
	size_t count = MIN(proxy->loop_count, most);

	for (size_t i = 0; i < count; i++)
		fds[i] = proxy->loops[i].listen_fd;
	return count;
}

uint16_t proxy_port(const struct proxy *proxy)
{
	return proxy->port;
}

const struct proxy_counters *proxy_counters(const struct proxy *proxy)
{
	return &proxy->counters;
}

struct duration_tally proxy_activity(const struct proxy *proxy, enum capture_activity activity)
{
	struct duration_tally sum = {0};

	for (size_t i = 0; i < proxy->loop_count; i++)
		activity_tally_read(&proxy->loops[i].tallies[activity], &sum);
	return sum;
}

uint64_t proxy_buffer_age_ms(const struct proxy *proxy)
{
	uint64_t oldest = 0;

	for (size_t i = 0; i < proxy->loop_count; i++)
		oldest = MAX(oldest, atomic_load(&proxy->loops[i].buffer_age_ms));
	return oldest;
}

struct gate *proxy_gate(struct proxy *proxy)
{
	return &proxy->gate;
}

void proxy_gate_moved(struct proxy *proxy)
{
	for (size_t i = 0; i < proxy->loop_count; i++)
		loop_wake(&proxy->loops[i]);
}

void proxy_drain(struct proxy *proxy, int64_t timeout_ms)
{
	atomic_store(&proxy->drain_deadline_ms, clock_monotonic_ms() + timeout_ms);
	atomic_store(&proxy->draining, true);
	proxy_gate_moved(proxy);
}

bool proxy_drains(const struct proxy *proxy)
{
	return atomic_load(&proxy->draining);
}

bool proxy_is_drained(const struct proxy *proxy)
{
	for (size_t i = 0; i < proxy->loop_count; i++)
		if (!atomic_load(&proxy->loops[i].drained))
			return false;
	return true;
}

void proxy_stop(struct proxy *proxy)
{
	if (!proxy)
		return;
	atomic_store(&proxy->stopping, true);
	for (size_t i = 0; i < proxy->loop_count; i++)
		loop_stop(&proxy->loops[i]);
	lives_close(&proxy->lives, counter_get(&proxy->counters.records_lost) == 0);
	resolver_stop(proxy->resolver);
	gate_release(&proxy->gate);
	free(proxy->loops);
	free(proxy);
}
