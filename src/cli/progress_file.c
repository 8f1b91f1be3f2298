#include "cli/progress_file.h"

#include "base/log.h"
#include "base/process_identity.h"
#include "base/small_file.h"
#include "base/state_dir.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EVERY_S 1

struct progress_file {
	const struct progress *progress;
	struct arena mem;
	const char *path;
	struct process_identity self;
	bool stopping; /* below lock */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
};

const char *progress_file_path(const char *state_dir, const char *work, int64_t pid,
			       struct arena *mem)
{
	return arena_printf(mem, "%s/run/%s.%" PRId64 ".progress", state_dir, work, pid).ptr;
}

static int write_file(const struct progress_file *file, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(4));
	const struct progress *p = file->progress;

	buf_printf(&text,
		   "{\"pid\":%" PRId64 ",\"start\":\"%" PRIu64 "\",\"bytes_done\":%" PRIu64
		   ",\"bytes_total\":%" PRIu64 ",\"documents\":%" PRIu64 "}\n",
		   file->self.pid, file->self.start_ticks, atomic_load(&p->bytes_read),
		   atomic_load(&p->bytes_total),
		   atomic_load(&p->documents_sent) + atomic_load(&p->documents_failed));
	return small_file_replace(file->path, buf_str(&text), err);
}

static void *run(void *user)
{
	struct progress_file *file = user;
	struct err err;

	pthread_mutex_lock(&file->lock);
	while (!file->stopping) {
		struct timespec until;

		if (write_file(file, &err) < 0) {
			log_warn("progress", "%s", err.message);
			break;
		}
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += EVERY_S;
		pthread_cond_timedwait(&file->wake, &file->lock, &until);
	}
	pthread_mutex_unlock(&file->lock);
	return NULL;
}

static void release(struct progress_file *file)
{
	pthread_cond_destroy(&file->wake);
	pthread_mutex_destroy(&file->lock);
	arena_release(&file->mem);
	free(file);
}

struct progress_file *progress_file_start(const char *state_dir, const char *work,
					  const struct progress *progress)
{
	struct progress_file *file = mem_zalloc(sizeof(*file));
	pthread_condattr_t monotonic;

	file->progress = progress;
	file->mem = (struct arena)ARENA_INIT(KIB(64));
	process_identity_self(&file->self);
	file->path = progress_file_path(state_dir, work, file->self.pid, &file->mem);
	pthread_mutex_init(&file->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&file->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (file->path && pthread_create(&file->thread, NULL, run, file) == 0)
		return file;
	release(file);
	return NULL;
}

void progress_file_stop(struct progress_file *file)
{
	struct err err;

	if (!file)
		return;
	pthread_mutex_lock(&file->lock);
	file->stopping = true;
	pthread_cond_signal(&file->wake);
	pthread_mutex_unlock(&file->lock);
	pthread_join(file->thread, NULL);
	if (small_file_remove(file->path, &err) < 0)
		log_warn("progress", "%s", err.message);
	release(file);
}
