#include "cli/progress_bar.h"

#include "base/clock.h"
#include "base/log.h"
#include "cli/terminal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SAMPLE_MS 200
#define FORCED_LINE_MS 1000
#define LOG_LINE_MS 10000

enum way { REDRAW, LINES, LOG };

struct progress_bar {
	const struct progress *progress;
	const char *work;
	enum way way;
	struct progress_history history;
	int64_t shown_ms; /* when the last line was */
	bool drawn;       /* a bar stands on the terminal's last line */
	bool logged;      /* a line has been said */
	bool stopping;
	pthread_mutex_t lock; /* all of the above */
	pthread_cond_t wake;
	pthread_t thread;
};

static void sample(struct progress_bar *bar)
{
	const struct progress *p = bar->progress;
	struct progress_sample now = {.time_ms = clock_monotonic_ms()};

	now.jumps = atomic_load(&p->jumps);
	now.documents = atomic_load(&p->documents_sent);
	now.failed = atomic_load(&p->documents_failed);
	now.retries = atomic_load(&p->retries);
	now.bytes_done =
		progress_bytes_done(atomic_load(&p->bytes_read), atomic_load(&p->documents_read),
				    now.documents + now.failed);
	now.bytes_total = atomic_load(&p->bytes_total);
	progress_history_add(&bar->history, now);
}

static size_t terminal_width(void)
{
	size_t columns = terminal_columns(stderr);

	return columns ? columns : 80;
}

/* The last column stays free: some terminals wrap when it is filled. */
static void show(struct progress_bar *bar)
{
	cleanup(buf_release) struct buf line = BUF_INIT(KIB(2));

	progress_format(&line, &bar->history, bar->way == LOG ? 0 : terminal_width() - 1);
	switch (bar->way) {
	case REDRAW:
		fprintf(stderr, "\r%s\x1b[K", buf_cstr(&line));
		fflush(stderr);
		bar->drawn = true;
		break;
	case LINES:
		fprintf(stderr, "%s\n", buf_cstr(&line));
		break;
	case LOG:
		log_info(bar->work, "%s", buf_cstr(&line) + strspn(buf_cstr(&line), " "));
		bar->logged = true;
		break;
	}
}

static void wipe(struct progress_bar *bar)
{
	if (!bar->drawn)
		return;
	fputs("\r\x1b[K", stderr);
	bar->drawn = false;
}

/* Log lines of other threads stand above the bar, never inside it. */
static void before_log(void *user)
{
	struct progress_bar *bar = user;

	pthread_mutex_lock(&bar->lock);
	wipe(bar);
}

static void after_log(void *user)
{
	struct progress_bar *bar = user;

	if (!bar->stopping)
		show(bar);
	pthread_mutex_unlock(&bar->lock);
}

static int64_t interval(const struct progress_bar *bar)
{
	switch (bar->way) {
	case REDRAW:
		return SAMPLE_MS;
	case LINES:
		return FORCED_LINE_MS;
	case LOG:
		return LOG_LINE_MS;
	}
	BUG("unknown way of showing progress");
}

static struct timespec soon(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_nsec += SAMPLE_MS * 1000000L;
	at.tv_sec += at.tv_nsec / 1000000000L;
	at.tv_nsec %= 1000000000L;
	return at;
}

static void *run(void *user)
{
	struct progress_bar *bar = user;

	pthread_mutex_lock(&bar->lock);
	while (!bar->stopping) {
		struct timespec until = soon();
		int64_t now;

		pthread_cond_timedwait(&bar->wake, &bar->lock, &until);
		if (bar->stopping)
			break;
		sample(bar);
		now = clock_monotonic_ms();
		if (now - bar->shown_ms < interval(bar))
			continue;
		bar->shown_ms = now;
		show(bar);
	}
	pthread_mutex_unlock(&bar->lock);
	return NULL;
}

static void init_sync(struct progress_bar *bar)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&bar->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&bar->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

struct progress_bar *progress_bar_start(const struct progress *progress, const char *mode)
{
	return progress_bar_start_of("backfill", progress, mode);
}

struct progress_bar *progress_bar_start_of(const char *work, const struct progress *progress,
					   const char *mode)
{
	bool terminal = terminal_is_able(stderr);
	struct progress_bar *bar;

	if (strcmp(mode, "never") == 0)
		return NULL;
	bar = mem_zalloc(sizeof(*bar));
	bar->progress = progress;
	bar->work = work;
	bar->way = log_format_now() == LOG_JSON  ? LOG
		   : terminal                    ? REDRAW
		   : strcmp(mode, "always") == 0 ? LINES
						 : LOG;
	bar->shown_ms = clock_monotonic_ms();
	init_sync(bar);
	sample(bar);
	if (pthread_create(&bar->thread, NULL, run, bar) != 0) {
		/* A run without a bar is better than none. */
		free(bar);
		return NULL;
	}
	if (bar->way == REDRAW)
		log_set_hooks(before_log, after_log, bar);
	return bar;
}

void progress_bar_stop(struct progress_bar *bar)
{
	if (!bar)
		return;
	pthread_mutex_lock(&bar->lock);
	bar->stopping = true;
	pthread_cond_signal(&bar->wake);
	pthread_mutex_unlock(&bar->lock);
	pthread_join(bar->thread, NULL);
	if (bar->way == REDRAW)
		log_set_hooks(NULL, NULL, NULL);
	sample(bar);
	/* A run too short for a line in a log needs none at its end. */
	if (bar->way != LOG || bar->logged)
		show(bar);
	if (bar->drawn)
		fputc('\n', stderr);
	pthread_cond_destroy(&bar->wake);
	pthread_mutex_destroy(&bar->lock);
	free(bar);
}
