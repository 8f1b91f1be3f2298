#include "capture/access_log.h"

#include "base/buf.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct access_log {
	const char *path;
	void (*warn)(void *user, const char *message);
	void *user;
	pthread_t thread;
	bool failing, torn; /* the thread's; torn: the file ends amidst a line */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock. */
	struct buf waiting;
	int fd, next_fd; /* next_fd: -1 unless the file is to change */
	uint64_t lost;
	bool stop;
};

static int open_file(const char *path, struct err *err)
{
	int fd = strcmp(path, "-") == 0
			 ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
			 : open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 ? err_set_errno(err, ERR_IO, errno, "opening the access log '%s'", path) : fd;
}

/* What could not be written, and errno. */
static struct str write_all(int fd, struct str bytes)
{
	while (bytes.len > 0) {
		ssize_t got = write(fd, bytes.ptr, bytes.len);

		if (got < 0 && errno != EINTR)
			break;
		bytes = str_from_offset(bytes, got > 0 ? (size_t)got : 0);
	}
	return bytes;
}

static uint64_t count_lines(struct str lines)
{
	uint64_t count = 0;
	struct str line;

	while (str_split(lines, '\n', &line, &lines))
		count++;
	return count;
}

static void failed(struct access_log *log, int error)
{
	char message[LIMIT_PATH + 200];

	if (log->warn && !log->failing) {
		snprintf(
			message, sizeof(message),
			"the access log '%s' cannot be written, lines are lost (%s): make room, or "
			"move it away and send SIGHUP",
			log->path, strerror(error));
		log->warn(log->user, message);
	}
	log->failing = true;
}

/* Whole lines. How many were lost. */
static uint64_t write_lines(struct access_log *log, int fd, struct str lines)
{
	struct str left;

	if (log->torn && write_all(fd, STR("\n")).len > 0) {
		failed(log, errno);
		return count_lines(lines);
	}
	log->torn = false;
	left = write_all(fd, lines);
	if (left.len == 0) {
		log->failing = false;
		return 0;
	}
	failed(log, errno);
	log->torn = left.len < lines.len && left.ptr[-1] != '\n';
	return count_lines(left);
}

/* The lock is held but while it writes. */
static void write_waiting(struct access_log *log)
{
	struct buf lines = log->waiting;
	int fd = log->fd;
	uint64_t lost;

	log->waiting = BUF_INIT(ACCESS_LOG_WAITING_MAX);
	pthread_mutex_unlock(&log->lock);
	lost = write_lines(log, fd, buf_str(&lines));
	buf_release(&lines);
	pthread_mutex_lock(&log->lock);
	log->lost += lost;
}

static void *run(void *user)
{
	struct access_log *log = user;

	pthread_mutex_lock(&log->lock);
	while (!log->stop || log->waiting.len > 0) {
		if (log->waiting.len > 0)
			write_waiting(log);
		else if (log->next_fd < 0)
			pthread_cond_wait(&log->changed, &log->lock);
		if (log->next_fd >= 0) {
			close(log->fd);
			log->fd = log->next_fd;
			log->next_fd = -1;
			log->torn = false;
		}
	}
	pthread_mutex_unlock(&log->lock);
	return NULL;
}

static void release(struct access_log *log)
{
	pthread_cond_destroy(&log->changed);
	pthread_mutex_destroy(&log->lock);
	buf_release(&log->waiting);
	if (log->next_fd >= 0)
		close(log->next_fd);
	close(log->fd);
	free(log);
}

int access_log_open(const char *path, void (*warn)(void *user, const char *message), void *user,
		    struct access_log **out, struct err *err)
{
	int fd = open_file(path, err);
	struct access_log *log;

	if (fd < 0)
		return fd;
	log = mem_zalloc(sizeof(*log));
	*log = (struct access_log){.path = path,
				   .warn = warn,
				   .user = user,
				   .fd = fd,
				   .next_fd = -1,
				   .waiting = BUF_INIT(ACCESS_LOG_WAITING_MAX)};
	pthread_mutex_init(&log->lock, NULL);
	pthread_cond_init(&log->changed, NULL);
	if (pthread_create(&log->thread, NULL, run, log) != 0) {
		release(log);
		return err_set(err, ERR_NOMEM, "starting the thread of the access log");
	}
	*out = log;
	return 0;
}

void access_log_put(struct access_log *log, struct str line)
{
	bool fits;

	pthread_mutex_lock(&log->lock);
	fits = line.len > 0 && log->waiting.len + line.len <= ACCESS_LOG_WAITING_MAX;
	if (fits && log->waiting.len == 0)
		pthread_cond_signal(&log->changed);
	if (fits)
		buf_append_str(&log->waiting, line);
	else
		log->lost++;
	pthread_mutex_unlock(&log->lock);
}

uint64_t access_log_lost(struct access_log *log)
{
	uint64_t lost;

	pthread_mutex_lock(&log->lock);
	lost = log->lost;
	pthread_mutex_unlock(&log->lock);
	return lost;
}

int access_log_reopen(struct access_log *log, struct err *err)
{
	int fd = open_file(log->path, err);

	if (fd < 0)
		return fd;
	pthread_mutex_lock(&log->lock);
	if (log->next_fd >= 0)
		close(log->next_fd);
	log->next_fd = fd;
	pthread_cond_signal(&log->changed);
	pthread_mutex_unlock(&log->lock);
	return 0;
}

void access_log_close(struct access_log *log)
{
	if (!log)
		return;
	pthread_mutex_lock(&log->lock);
	log->stop = true;
	pthread_cond_signal(&log->changed);
	pthread_mutex_unlock(&log->lock);
	pthread_join(log->thread, NULL);
	release(log);
}
