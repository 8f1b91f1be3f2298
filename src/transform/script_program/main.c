/* shardlift-script: runs one user script for a thread of shardlift, which started it, watches it
 * and ends it (script_frame.h). */
#include "transform/script_frame.h"
#include "transform/script_program/script_engine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define READ_AHEAD KIB(256)
#define WRITE_BEHIND KIB(64)
#define WRITE_BEHIND_NS 5000000
/* Lines of one message, at most. */
#define LOG_LINES 100

struct program {
	struct buf in, out, text;
	size_t taken; /* of in */
	struct script_engine *engine;
	struct script_progress *progress;
	uint32_t message; /* at work on */
	unsigned log_lines;
	struct timespec flushed_at;
};

/* Whoever started this has gone, or does not want it any more. */
static void leave(int code)
{
	_exit(code);
}

static void flush(struct program *program)
{
	size_t sent = 0;

	if (program->out.failed)
		leave(1);
	while (sent < program->out.len) {
		ssize_t n = send(SCRIPT_SOCKET, program->out.ptr + sent, program->out.len - sent,
				 MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			leave(0);
		sent += n > 0 ? (size_t)n : 0;
	}
	buf_reset(&program->out);
	clock_gettime(CLOCK_MONOTONIC, &program->flushed_at);
}

/* A script may be stopped at any time: what is done is not held back for long. */
static void flush_if_due(struct program *program)
{
	struct timespec now;
	int64_t passed_ns;

	if (program->out.len == 0)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	passed_ns = (int64_t)(now.tv_sec - program->flushed_at.tv_sec) * 1000000000 +
		    (now.tv_nsec - program->flushed_at.tv_nsec);
	if (program->out.len >= WRITE_BEHIND || passed_ns >= WRITE_BEHIND_NS)
		flush(program);
}

static void put_frame(struct program *program, enum script_frame_kind kind, struct str text)
{
	const struct script_frame frame = {(uint32_t)text.len, kind, program->message};

	buf_append(&program->out, &frame, sizeof(frame));
	buf_append_str(&program->out, text);
}

static void log_line_said(void *user, struct str line)
{
	struct program *program = user;

	program->log_lines++;
	if (program->log_lines == LOG_LINES + 1)
		line = STR("(more lines are left out)");
	if (program->log_lines > LOG_LINES + 1)
		return;
	put_frame(program, SCRIPT_LOG, line);
	flush(program);
}

static void read_more(struct program *program)
{
	ssize_t n;
	char *to;

	if (program->taken == program->in.len) {
		buf_reset(&program->in);
	} else if (program->taken > 0) {
		memmove(program->in.ptr, program->in.ptr + program->taken,
			program->in.len - program->taken);
		program->in.len -= program->taken;
	}
	program->taken = 0;
	to = buf_reserve(&program->in, READ_AHEAD);
	if (!to)
		leave(1);
	do
		n = recv(SCRIPT_SOCKET, to, READ_AHEAD, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		leave(0);
	program->in.len += (size_t)n;
}

static bool have(const struct program *program, size_t bytes)
{
	return program->in.len - program->taken >= bytes;
}

static void need(struct program *program, size_t bytes)
{
	while (!have(program, bytes)) {
		flush(program);
		read_more(program);
	}
}

static struct str next_frame(struct program *program, struct script_frame *frame)
{
	need(program, sizeof(*frame));
	memcpy(frame, program->in.ptr + program->taken, sizeof(*frame));
	if (frame->length > SCRIPT_FRAME_MAX)
		leave(1);
	need(program, sizeof(*frame) + frame->length);
	program->taken += sizeof(*frame) + frame->length;
	return str_of(program->in.ptr + program->taken - frame->length, frame->length);
}

static void answer(struct program *program, bool fine, enum script_frame_kind good)
{
	put_frame(program, fine ? good : SCRIPT_FAILED, buf_str(&program->text));
	buf_reset(&program->text);
}

static void start(struct program *program, struct str payload)
{
	struct str name, script, options;

	if (!str_split(payload, '\0', &name, &payload) ||
	    !str_split(payload, '\0', &script, &options))
		leave(1);
	program->engine = script_engine_new(name, log_line_said, program);
	answer(program, script_engine_start(program->engine, name, script, options, &program->text),
	       SCRIPT_READY);
}

static void transform(struct program *program, struct str message)
{
	flush_if_due(program);
	program->log_lines = 0;
	atomic_fetch_add(&program->progress->serial, 1);
	atomic_store(&program->progress->busy_with, program->message + 1);
	answer(program, script_engine_run(program->engine, message, &program->text), SCRIPT_RESULT);
	atomic_store(&program->progress->busy_with, 0);
}

/* A script that loops must not outlive the program that would have stopped it. */
static void *leave_with_parent(void *unused)
{
	struct pollfd socket = {.fd = SCRIPT_SOCKET, .events = POLLRDHUP};

	(void)unused;
	while (!(socket.revents & (POLLHUP | POLLRDHUP | POLLERR)))
		if (poll(&socket, 1, -1) < 0 && errno != EINTR)
			break;
	leave(0);
	return NULL;
}

/* When memory is short, this process is the one that can be spared. */
static void offer_to_be_killed_first(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "1000", 4) < 0)
		errno = 0;
	close(fd);
}

static struct script_progress *map_progress(void)
{
	struct stat is;
	void *page;

	if (fstat(SCRIPT_SOCKET, &is) < 0 || !S_ISSOCK(is.st_mode))
		return NULL;
	page = mmap(NULL, sizeof(struct script_progress), PROT_READ | PROT_WRITE, MAP_SHARED,
		    SCRIPT_PROGRESS, 0);
	return page == MAP_FAILED ? NULL : page;
}

int main(void)
{
	static struct program program;
	struct script_frame frame;
	pthread_t watcher;

	program.progress = map_progress();
	if (!program.progress) {
		fputs("shardlift-script: shardlift starts this to run user scripts; it is no "
		      "command\n",
		      stderr);
		return 2;
	}
	if (pthread_create(&watcher, NULL, leave_with_parent, NULL) != 0)
		return 1;
	offer_to_be_killed_first();
	program.in = BUF_INIT(SCRIPT_FRAME_MAX + 2 * READ_AHEAD);
	program.out = BUF_INIT((size_t)2 * SCRIPT_FRAME_MAX);
	program.text = BUF_INIT(SCRIPT_FRAME_MAX);
	for (;;) {
		struct str payload = next_frame(&program, &frame);

		program.message = frame.message;
		if (frame.kind == SCRIPT_START && !program.engine)
			start(&program, payload);
		else if (frame.kind == SCRIPT_MESSAGE && program.engine)
			transform(&program, payload);
		else
			leave(1);
	}
}
