#include "transform/script_process.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM "shardlift-script"
#define RECEIVE_MAX KIB(256)
#define ENOUGH_QUEUED KIB(256)
#define TICK_MS 20

/* Beside this program, as in a build, or where both were installed. */
static int find_program(char path[static PATH_MAX], struct err *err)
{
	const char *given = getenv("SHARDLIFT_SCRIPT_PROGRAM");
	char self[PATH_MAX];
	ssize_t length;
	char *slash;

	if (given && *given) {
		snprintf(path, PATH_MAX, "%s", given);
		return 0;
	}
	length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (length < 0)
		return err_set_errno(err, ERR_IO, errno, "finding this program's folder");
	self[length] = '\0';
	slash = strrchr(self, '/');
	*(slash ? slash : self) = '\0';
	snprintf(path, PATH_MAX, "%s/" PROGRAM, self);
	if (access(path, X_OK) == 0)
		return 0;
	snprintf(path, PATH_MAX, "%s/../" SHARDLIFT_LIBEXEC "/" PROGRAM, self);
	if (access(path, X_OK) == 0)
		return 0;
	return err_set(err, ERR_NOT_FOUND,
		       "the program " PROGRAM
		       " that runs scripts is neither in %s nor in %s/../" SHARDLIFT_LIBEXEC
		       "; install it, or name it in SHARDLIFT_SCRIPT_PROGRAM",
		       self, self);
}

/* What the engine may want of the environment; secrets are not among it. */
static void choose_environment(char *chosen[static 16])
{
	static const char *const names[] = {"PATH=",         "TZ=",
					    "LANG=",         "LC_ALL=",
					    "TMPDIR=",       "LD_LIBRARY_PATH=",
					    "ASAN_OPTIONS=", "UBSAN_OPTIONS=",
					    "LSAN_OPTIONS="};
	size_t count = 0;

	for (char **one = environ; *one; one++)
		for (size_t i = 0; i < COUNT_OF(names) && count < 15; i++)
			if (strncmp(*one, names[i], strlen(names[i])) == 0)
				chosen[count++] = *one;
	chosen[count] = NULL;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* Away from the numbers that the other program will find them under. */
static int move_up(int *fd)
{
	int moved = fcntl(*fd, F_DUPFD_CLOEXEC, 3);

	close(*fd);
	*fd = moved;
	return moved;
}

static int spawn(struct script_process *process, int socket, int progress, struct err *err)
{
	posix_spawn_file_actions_t actions;
	char path[PATH_MAX], *chosen[16];
	char *argv[] = {path, NULL};
	int failed;

	if (find_program(path, err) < 0)
		return -(int)err->kind;
	choose_environment(chosen);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, socket, SCRIPT_SOCKET);
	posix_spawn_file_actions_adddup2(&actions, progress, SCRIPT_PROGRESS);
	failed = posix_spawn(&process->pid, path, &actions, NULL, argv, chosen);
	posix_spawn_file_actions_destroy(&actions);
	if (!failed)
		return 0;
	process->pid = 0;
	return err_set_errno(err, failed == ENOENT ? ERR_NOT_FOUND : ERR_IO, failed, "starting %s",
			     path);
}

static int map_progress(struct script_process *process, int fd, struct err *err)
{
	void *page = MAP_FAILED;

	if (ftruncate(fd, sizeof(*process->progress)) == 0)
		page = mmap(NULL, sizeof(*process->progress), PROT_READ | PROT_WRITE, MAP_SHARED,
			    fd, 0);
	if (page == MAP_FAILED)
		return err_set_errno(err, ERR_IO, errno, "sharing a page with " PROGRAM);
	process->progress = page;
	return 0;
}

int script_process_start(struct script_process *process, struct err *err)
{
	cleanup(close_fd) int theirs = -1, progress = -1;
	int pair[2];

	script_process_stop(process);
	process->out.limit = process->in.limit = (size_t)2 * SCRIPT_FRAME_MAX;
	process->out.failed = process->in.failed = false;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set_errno(err, ERR_IO, errno, "a socket for " PROGRAM);
	process->socket = pair[0];
	theirs = pair[1];
	progress = memfd_create("shardlift-script", MFD_CLOEXEC);
	if (progress < 0 || move_up(&theirs) < 0 || move_up(&progress) < 0) {
		err_set_errno(err, ERR_IO, errno, "a socket for " PROGRAM);
		close(process->socket);
		return -ERR_IO;
	}
	if (map_progress(process, progress, err) < 0 || spawn(process, theirs, progress, err) < 0) {
		close(process->socket);
		return -(int)err->kind;
	}
	fcntl(process->socket, F_SETFL, O_NONBLOCK);
	process->serial = process->messages = 0;
	process->ready = false;
	process->since_ms = process->measured_ms = clock_monotonic_ms();
	process->since_cpu_ms = 0;
	return 0;
}

void script_process_stop(struct script_process *process)
{
	if (process->pid > 0) {
		kill(process->pid, SIGKILL);
		while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
			;
		close(process->socket);
		process->pid = 0;
	}
	if (process->progress)
		munmap(process->progress, sizeof(*process->progress));
	process->progress = NULL;
	buf_reset(&process->out);
	buf_reset(&process->in);
	process->sent = process->taken = 0;
}

void script_process_release(struct script_process *process)
{
	script_process_stop(process);
	buf_release(&process->out);
	buf_release(&process->in);
}

void script_process_put(struct script_process *process, enum script_frame_kind kind,
			uint32_t message, struct str text)
{
	const struct script_frame frame = {(uint32_t)text.len, kind, message};

	if (process->sent == process->out.len) {
		buf_reset(&process->out);
		process->sent = 0;
	}
	buf_append(&process->out, &frame, sizeof(frame));
	buf_append_str(&process->out, text);
}

/* Bytes queued and not sent yet. */
static size_t script_process_unsent(const struct script_process *process)
{
	return process->out.len - process->sent;
}

int64_t script_process_busy_with(const struct script_process *process)
{
	return process->progress ? (int64_t)atomic_load(&process->progress->busy_with) - 1 : -1;
}

static bool take_frame(struct script_process *process, struct script_frame *frame, struct str *text)
{
	size_t have = process->in.len - process->taken;

	if (have < sizeof(*frame))
		return false;
	memcpy(frame, process->in.ptr + process->taken, sizeof(*frame));
	if (frame->length > SCRIPT_FRAME_MAX || have - sizeof(*frame) < frame->length)
		return false;
	*text = str_of(process->in.ptr + process->taken + sizeof(*frame), frame->length);
	process->taken += sizeof(*frame) + frame->length;
	process->ready |= frame->kind == SCRIPT_READY;
	process->messages += frame->kind == SCRIPT_RESULT || frame->kind == SCRIPT_FAILED;
	return true;
}

static void send_some(struct script_process *process)
{
	ssize_t n = send(process->socket, process->out.ptr + process->sent,
			 process->out.len - process->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n > 0)
		process->sent += (size_t)n;
}

/* False at the end. */
static bool receive_some(struct script_process *process)
{
	ssize_t n;
	char *to;

	if (process->taken > 0) {
		memmove(process->in.ptr, process->in.ptr + process->taken,
			process->in.len - process->taken);
		process->in.len -= process->taken;
		process->taken = 0;
	}
	to = buf_reserve(&process->in, RECEIVE_MAX);
	if (!to)
		return false;
	n = recv(process->socket, to, RECEIVE_MAX, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	process->in.len += (size_t)n;
	return n > 0;
}

/* 0 when it cannot be told. */
static int64_t resident_bytes(pid_t pid)
{
	char path[64];
	long long pages = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%*s %lld", &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * sysconf(_SC_PAGESIZE);
}

/* Processor time taken by the process so far; 0 when it cannot be told. */
static int64_t cpu_ms(pid_t pid)
{
	struct timespec taken;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &taken) < 0)
		return 0;
	return (int64_t)taken.tv_sec * 1000 + taken.tv_nsec / 1000000;
}

static bool is_late(const struct script_process *process, const struct script_limits *limits,
		    int64_t now)
{
	int64_t passed = now - process->since_ms;

	return passed > limits->timeout_ms &&
	       (passed > SCRIPT_PATIENCE * limits->timeout_ms ||
		cpu_ms(process->pid) - process->since_cpu_ms > limits->timeout_ms);
}

/* Negative: it must be stopped. */
static int check_limits(struct script_process *process, const struct script_limits *limits,
			struct err *reason)
{
	int64_t now = clock_monotonic_ms();
	uint32_t serial = atomic_load(&process->progress->serial);
	bool busy = !process->ready || script_process_busy_with(process) >= 0;

	if (serial != process->serial || !busy) {
		process->serial = serial;
		process->since_ms = now;
		process->since_cpu_ms = cpu_ms(process->pid);
	}
	if (busy && is_late(process, limits, now))
		return err_set(
			reason, ERR_TIMEOUT,
			"the script was stopped after %.3g s; --script-timeout sets how long "
			"it may take",
			(double)limits->timeout_ms / 1000);
	if (now - process->measured_ms < TICK_MS)
		return 0;
	process->measured_ms = now;
	if (resident_bytes(process->pid) > limits->memory)
		return err_set(reason, ERR_LIMIT,
			       "the script was stopped when its process took more than %lld MiB; "
			       "--script-memory sets how much it may take",
			       (long long)(limits->memory >> 20));
	return 0;
}

/* Why it is gone, when nobody stopped it. */
static void explain_end(struct script_process *process, struct err *reason)
{
	int status = 0;

	if (reason->kind != ERR_NONE)
		return;
	kill(process->pid, SIGKILL);
	while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
		;
	close(process->socket);
	process->pid = 0;
	if (WIFSIGNALED(status))
		err_set(reason, ERR_IO, "the process of the script died of signal %d (%s)",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		err_set(reason, ERR_IO, "the process of the script ended with exit code %d",
			WEXITSTATUS(status));
}

static void wait_for_socket(struct script_process *process)
{
	struct pollfd socket = {.fd = process->socket, .events = POLLIN};

	if (script_process_unsent(process) > 0)
		socket.events |= POLLOUT;
	if (poll(&socket, 1, TICK_MS) > 0 && (socket.revents & POLLOUT))
		send_some(process);
}

enum script_event script_process_next(struct script_process *process,
				      const struct script_limits *limits, bool more,
				      struct script_frame *frame, struct str *text,
				      struct err *reason)
{
	bool stopped = reason->kind != ERR_NONE;

	for (;;) {
		if (take_frame(process, frame, text))
			return SCRIPT_EVENT_FRAME;
		if (!stopped && more && script_process_unsent(process) < ENOUGH_QUEUED)
			return SCRIPT_EVENT_WANTS;
		if (!stopped)
			wait_for_socket(process);
		if (!receive_some(process)) {
			explain_end(process, reason);
			return SCRIPT_EVENT_ENDED;
		}
		if (!stopped && check_limits(process, limits, reason) < 0) {
			stopped = true;
			kill(process->pid, SIGKILL);
		} else if (stopped) {
			struct pollfd socket = {.fd = process->socket, .events = POLLIN};

			poll(&socket, 1, TICK_MS);
		}
	}
}
