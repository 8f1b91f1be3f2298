#include "workflow/engine_internal.h"

#include "base/clock.h"
#include "base/limits.h"
#include "capture/proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ENVIRONMENT_MAX 4096
#define LISTENERS_FIRST 3   /* as sd_listen_fds has it */
#define LISTENERS_ABOVE 128 /* where they are out of the way of that */

/* What the user set for one command must not reach another: children are told all they need. */
static bool passes(const char *variable)
{
	static const char *const kept[] = {"SHARDLIFT_S3_",
					   "SHARDLIFT_POD=", "SHARDLIFT_KUBERNETES_"};
	static const char *const ours[] = {"SHARDLIFT_", "TARGET_", "SOURCE_", "RFS_", "LISTEN_"};

	for (size_t i = 0; i < COUNT_OF(kept); i++)
		if (strncmp(variable, kept[i], strlen(kept[i])) == 0)
			return true;
	for (size_t i = 0; i < COUNT_OF(ours); i++)
		if (strncmp(variable, ours[i], strlen(ours[i])) == 0)
			return false;
	return true;
}

/* Only in the child: of it is told in LISTEN_PID. */
static char **environment_of(const struct engine_command *command)
{
	static char pid[32], fds[32];
	char **out = calloc(ENVIRONMENT_MAX + 3, sizeof(char *));
	size_t count = 0;

	for (char **p = environ;
	     out && *p && count + COUNT_OF(command->environment) < ENVIRONMENT_MAX; p++)
		if (passes(*p))
			out[count++] = *p;
	if (out && command->listener_count > 0) {
		snprintf(pid, sizeof(pid), "LISTEN_PID=%d", (int)getpid());
		snprintf(fds, sizeof(fds), "LISTEN_FDS=%zu", command->listener_count);
		out[count++] = pid;
		out[count++] = fds;
	}
	for (size_t i = 0; out && i < command->environment_count; i++)
		out[count++] = (char *)(uintptr_t)command->environment[i];
	return out;
}

/* Its descriptors from 3 on are these; ours of these numbers are closed by that, in the child. */
static bool place_listeners(const struct engine_command *command)
{
	size_t count = command->listener_count;
	int moved[PROXY_LISTENERS_MAX];

	for (size_t i = 0; i < count; i++)
		if ((moved[i] = fcntl(command->listeners[i], F_DUPFD_CLOEXEC, LISTENERS_ABOVE)) < 0)
			return false;
	for (size_t i = 0; i < count; i++)
		if (dup2(moved[i], LISTENERS_FIRST + (int)i) < 0)
			return false;
	return true;
}

/* A child that cannot become the program must run none of the engine's own clean-up. */
static _Noreturn void give_up(void)
{
	for (;;)
		kill(getpid(), SIGKILL);
}

/* In the child: says who it is, waits until that is written down, and becomes the program. */
static void become(const struct engine_command *command, const struct engine *engine, int output,
		   int error, const int talk[2])
{
	struct process_identity self;
	char **environment = environment_of(command);
	sigset_t none;
	char go;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (command->lasting)
		setsid();
	else
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	process_identity_self(&self);
	dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(error, STDERR_FILENO);
	if (!environment || write(talk[1], &self, sizeof(self)) != sizeof(self))
		give_up();
	close(talk[1]);
	/* The engine may have died before it was to be told of. */
	if (getppid() != engine->self.pid || read(talk[0], &go, 1) != 1)
		give_up();
	close(talk[0]);
	if (!place_listeners(command))
		give_up();
	execve("/proc/self/exe", (char *const *)(uintptr_t)command->argv, environment);
	give_up();
}

static void close_both(int pair[2])
{
	for (size_t i = 0; i < 2; i++)
		if (pair[i] >= 0)
			close(pair[i]);
}

struct pipes {
	int output, log, error[2], tell[2], go[2];
};

static void pipes_release(struct pipes *pipes)
{
	close_both(pipes->error);
	close_both(pipes->tell);
	close_both(pipes->go);
	if (pipes->output >= 0)
		close(pipes->output);
	if (pipes->log >= 0)
		close(pipes->log);
}

static int pipes_open(struct pipes *pipes, const char *log, const char *output, struct err *err)
{
	pipes->output = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (pipes->output < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot write '%s'", output);
	pipes->log = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (pipes->log < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot write '%s'", log);
	if (pipe2(pipes->error, O_CLOEXEC) < 0 || pipe2(pipes->tell, O_CLOEXEC) < 0 ||
	    pipe2(pipes->go, O_CLOEXEC) < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot make a pipe");
	return 0;
}

static int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

int engine_child_start(struct engine *engine, const struct engine_command *command, const char *log,
		       const char *output, struct engine_child *child, struct err *err)
{
	cleanup(pipes_release) struct pipes pipes = {-1, -1, {-1, -1}, {-1, -1}, {-1, -1}};
	int talk[2];
	pid_t pid;

	if (pipes_open(&pipes, log, output, err) < 0)
		return -(int)err->kind;
	talk[0] = pipes.go[0];
	talk[1] = pipes.tell[1];
	pid = fork();
	if (pid < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot start a process");
	if (pid == 0) {
		close(pipes.go[1]); /* so that the engine's death ends the wait */
		become(command, engine, pipes.output, command->lasting ? pipes.log : pipes.error[1],
		       talk);
	}
	*child = (struct engine_child){.pid = pid, .error_fd = -1, .log_fd = -1};
	close(take_fd(&pipes.tell[1]));
	if (read(pipes.tell[0], &child->identity, sizeof(child->identity)) !=
	    sizeof(child->identity)) {
		waitpid(pid, NULL, 0);
		child->pid = 0;
		return err_set(err, ERR_IO, "the process of a step ended before it began");
	}
	child->go_fd = take_fd(&pipes.go[1]);
	if (command->lasting)
		return 0;
	child->error_fd = take_fd(&pipes.error[0]);
	child->log_fd = take_fd(&pipes.log);
	/* Children of one attempt write one log, one after the other. */
	child->logged = (size_t)MAX(lseek(child->log_fd, 0, SEEK_END), (off_t)0);
	fcntl(child->error_fd, F_SETFL, O_NONBLOCK);
	return 0;
}

void engine_child_go(struct engine_child *child)
{
	/* A child that is gone already is found when its status is asked for. */
	if (write(child->go_fd, "g", 1) < 0 || close(child->go_fd) < 0)
		return;
	child->go_fd = -1;
}

static void append(struct engine_child *child, const char *bytes, size_t len)
{
	static const char notice[] = "\n[the rest of this log was dropped: it is too long]\n";

	if (child->cut)
		return;
	if (child->logged + len > ENGINE_LOG_MAX) {
		child->cut = true;
		bytes = notice;
		len = sizeof(notice) - 1;
	}
	/* A log that cannot be written must not end the step. */
	if (write(child->log_fd, bytes, len) > 0)
		child->logged += len;
}

/* Our programs' log lines begin with their time already. */
static bool has_time(const char *line, size_t len)
{
	return len > 24 && line[4] == '-' && line[10] == 'T' && line[23] == 'Z';
}

static void log_bytes(struct engine_child *child, const char *bytes, size_t len)
{
	while (len > 0) {
		const char *end = memchr(bytes, '\n', len);
		size_t line = end ? (size_t)(end - bytes) + 1 : len;
		char time[26];

		if (!child->line_open && !has_time(bytes, line)) {
			clock_format_utc(clock_wall_ms(), time);
			append(child, time, strlen(time));
			append(child, " ", 1);
		}
		append(child, bytes, line);
		child->line_open = !end;
		bytes += line;
		len -= line;
	}
}

static void read_errors(struct engine_child *child)
{
	char bytes[8192];
	ssize_t got;

	while ((got = read(child->error_fd, bytes, sizeof(bytes))) > 0)
		log_bytes(child, bytes, (size_t)got);
}

static void close_child(struct engine_child *child)
{
	read_errors(child);
	close(child->error_fd);
	close(child->log_fd);
	if (child->go_fd > 0)
		close(child->go_fd);
	*child = (struct engine_child){0};
}

bool engine_child_ended(struct engine_child *child, int *status)
{
	read_errors(child);
	if (waitpid(child->pid, status, WNOHANG) != child->pid)
		return false;
	close_child(child);
	return true;
}

void engine_child_stop(struct engine_child *child)
{
	const struct timespec moment = {.tv_nsec = 20 * 1000 * 1000};
	int64_t until = clock_monotonic_ms() + 30000;
	int status;

	if (child->pid == 0)
		return;
	kill(child->pid, SIGTERM);
	while (clock_monotonic_ms() < until) {
		if (engine_child_ended(child, &status))
			return;
		nanosleep(&moment, NULL);
	}
	kill(child->pid, SIGKILL);
	waitpid(child->pid, &status, 0);
	close_child(child);
}

void engine_child_abandon(struct engine_child *child)
{
	int status;

	if (child->pid == 0)
		return;
	kill(child->pid, SIGKILL);
	waitpid(child->pid, &status, 0);
	close_child(child);
}
