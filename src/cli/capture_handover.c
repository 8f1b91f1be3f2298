#include "cli/capture_handover.h"

#include "base/buf.h"
#include "base/small_file.h"
#include "capture/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define VARIABLE "SHARDLIFT_HANDED_OVER" /* SOCKET,LISTENER,... */
#define SYSTEMD_FIRST_FD 3
#define ARGUMENTS_MAX 1024

/* --- The one that begins --- */

static int check(struct handed_over *out, int fd, const char *variable, struct err *err)
{
	if (out->count == PROXY_LISTENERS_MAX)
		return err_set(err, ERR_USAGE, "%s has more than %d sockets", variable,
			       PROXY_LISTENERS_MAX);
	if (!listener_is_one(fd) || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return err_set(err, ERR_USAGE,
			       "descriptor %d of %s is no stream socket that listens", fd,
			       variable);
	out->fds[out->count++] = fd;
	return 0;
}

static int read_systemd(struct handed_over *out, struct err *err)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	long count = pid && fds && strtol(pid, NULL, 10) == getpid() ? strtol(fds, NULL, 10) : 0;
	int got = 0;

	for (long i = 0; i < count && got == 0; i++)
		got = check(out, SYSTEMD_FIRST_FD + (int)i, "LISTEN_FDS", err);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return got;
}

static int read_own(struct handed_over *out, const char *list, struct err *err)
{
	char *end;
	int got = 0;

	out->before = (int)strtol(list, &end, 10);
	if (fcntl(out->before, F_SETFD, FD_CLOEXEC) < 0)
		got = err_set_errno(err, ERR_USAGE, errno, "the socket in " VARIABLE);
	while (got == 0 && *end == ',')
		got = check(out, (int)strtol(end + 1, &end, 10), VARIABLE, err);
	unsetenv(VARIABLE);
	return got;
}

int handed_over_read(struct handed_over *out, struct err *err)
{
	const char *own = getenv(VARIABLE);

	*out = (struct handed_over){.before = -1};
	return own ? read_own(out, own, err) : read_systemd(out, err);
}

int handed_over_wait(struct handed_over *handed, int signals, struct err *err)
{
	struct pollfd fds[2] = {{.fd = handed->before, .events = POLLIN},
				{.fd = signals, .events = POLLIN}};
	char byte = 1;
	bool over;

	if (handed->before < 0)
		return 0;
	/* One that has gone already is as good. */
	if (send(handed->before, &byte, 1, MSG_NOSIGNAL) < 0 && errno != EPIPE)
		return err_set_errno(err, ERR_IO, errno, "telling the proxy that runs");
	do {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return err_set_errno(err, ERR_IO, errno, "waiting for the proxy that runs");
		if (fds[1].revents)
			return err_set(err, ERR_CANCELLED, "ended before it had taken over");
		over = fds[0].revents && recv(handed->before, &byte, 1, MSG_DONTWAIT) <= 0;
	} while (!over);
	close(handed->before);
	handed->before = -1;
	return 0;
}

/* --- The one that goes --- */

static int own_arguments(struct buf *text, char *argv[static ARGUMENTS_MAX], struct err *err)
{
	size_t count = 0;
	int got = small_file_read("/proc/self/cmdline", text, err);

	if (got < 0)
		return got;
	for (size_t at = 0; at < text->len; at += strlen(text->ptr + at) + 1) {
		if (count == ARGUMENTS_MAX - 1)
			return err_set(err, ERR_LIMIT, "more than %d arguments", ARGUMENTS_MAX - 1);
		argv[count++] = text->ptr + at;
	}
	argv[count] = NULL;
	return 0;
}

/* The descriptors keep their numbers, and go along only with this child. */
static int let_inherit(const int *fds, size_t count, bool inherit)
{
	for (size_t i = 0; i < count; i++)
		if (fcntl(fds[i], F_SETFD, inherit ? 0 : FD_CLOEXEC) < 0)
			return -1;
	return 0;
}

/* Ours, and `added`; of other threads, any may read the environment now, so it stays as it is. */
static char **environment_with(char *added)
{
	size_t count = 0;
	char **out;

	while (environ[count])
		count++;
	out = mem_zalloc((count + 2) * sizeof(*out));
	out[0] = added;
	memcpy(out + 1, environ, count * sizeof(*out));
	return out;
}

static int spawn(char **argv, char **environment, pid_t *child, struct err *err)
{
	posix_spawnattr_t attributes;
	sigset_t none;
	int failed;

	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	failed = posix_spawnp(child, argv[0], NULL, &attributes, argv, environment);
	posix_spawnattr_destroy(&attributes);
	if (failed)
		return err_set_errno(err, ERR_IO, failed, "starting '%s' anew", argv[0]);
	return 0;
}

static int start_with(int there, const int *fds, size_t count, pid_t *child, struct err *err)
{
	cleanup(buf_release) struct buf list = BUF_INIT(KIB(4)), text = BUF_INIT(MIB(1));
	char *argv[ARGUMENTS_MAX], **environment;
	int got;

	buf_printf(&list, VARIABLE "=%d", there);
	for (size_t i = 0; i < count; i++)
		buf_printf(&list, ",%d", fds[i]);
	buf_append_byte(&list, '\0');
	if ((got = own_arguments(&text, argv, err)) < 0 ||
	    (got = buf_check(&list, "the sockets", err)) < 0)
		return got;
	if (let_inherit(fds, count, true) < 0 || let_inherit(&there, 1, true) < 0)
		return err_set_errno(err, ERR_IO, errno, "handing over the sockets");
	environment = environment_with(list.ptr);
	got = spawn(argv, environment, child, err);
	let_inherit(fds, count, false);
	free(environment);
	return got;
}

int handover_start(const int *fds, size_t count, struct handover *out, struct err *err)
{
	int pair[2], got;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set_errno(err, ERR_IO, errno, "making a socket to the new process");
	got = start_with(pair[1], fds, count, &out->pid, err);
	close(pair[1]);
	if (got < 0) {
		close(pair[0]);
		return got;
	}
	out->fd = pair[0];
	return 0;
}

void handover_cancel(struct handover *handover)
{
	kill(handover->pid, SIGTERM);
	/* It goes on by itself when it sees our end before the signal, so that comes last. */
	waitpid(handover->pid, NULL, 0);
	close(handover->fd);
	handover->fd = -1;
}

enum handover_news handover_look(int fd)
{
	char byte;
	ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT);

	if (got > 0)
		return HANDOVER_READY;
	return got < 0 && (errno == EAGAIN || errno == EINTR) ? HANDOVER_NONE : HANDOVER_FAILED;
}
