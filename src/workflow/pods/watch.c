/* How far workers are: a command that runs beside the engine now and then, whose output is a file
 * for whoever wants to know. */
#include "workflow/pods/pods_internal.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/limits.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVERY_MS 10000
#define PATIENCE_MS 30000 /* with one look */
#define WORDS_MAX 64

/* A variable of the command, "NAME=VALUE"; STR_NONE: the Secret has no such key, or does not come.
 */
static struct str secret_of(struct pods *pods, const struct json *one)
{
	cleanup(buf_release) struct buf value = BUF_INIT(LIMIT_SECRET);
	struct str name = json_string(json_get(one, "name")),
		   key = json_string(json_get(one, "key"));
	const char *text = arena_str(&pods->look, name).ptr;
	struct json *secret;
	struct str out = STR_NONE;
	struct err err;

	if (!text || pods_get(pods, "", "secrets", text, &secret, &err) < 0)
		return STR_NONE;
	if (base64_decode(&value, json_string(json_get_str(json_get(secret, "data"), key))))
		out = arena_printf(&pods->look, STR_FMT "=" STR_FMT,
				   STR_ARG(json_string(json_get(one, "variable"))),
				   STR_ARG(str_trim(buf_str(&value))));
	if (value.ptr)
		explicit_bzero(value.ptr, value.len);
	return out;
}

static const char **words_of(struct pods *pods, const struct json *argv)
{
	const char **words = arena_zalloc(&pods->look, WORDS_MAX, sizeof(char *));
	size_t count = 0;

	if (!words)
		return NULL;
	words[count++] = "shardlift";
	json_each (word, argv)
		if (count + 1 < WORDS_MAX)
			words[count++] = arena_str(&pods->look, json_string(word)).ptr;
	return words;
}

/* Ours, and the secrets. */
static char **environment_of(struct pods *pods, const struct json *secrets)
{
	size_t count = 0, added = 0;
	char **out;

	while (environ[count])
		count++;
	out = arena_zalloc(&pods->look, count + WORDS_MAX + 1, sizeof(char *));
	if (!out)
		return NULL;
	memcpy(out, environ, count * sizeof(char *));
	json_each (one, secrets) {
		struct str line = secret_of(pods, one);

		if (line.ptr && added < WORDS_MAX) {
			out[count + added] = (char *)(uintptr_t)line.ptr;
			added++;
		}
	}
	return out;
}

/* In the child: only what is allowed between fork and exec. */
static _Noreturn void become(const char *path, const char **words, char **environment)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (nothing >= 0 && file >= 0 && dup2(nothing, STDIN_FILENO) >= 0 &&
	    dup2(file, STDOUT_FILENO) >= 0 && dup2(nothing, STDERR_FILENO) >= 0)
		execve("/proc/self/exe", (char *const *)(uintptr_t)words, environment);
	for (;;)
		kill(getpid(), SIGKILL);
}

static void begin(struct pods *pods, const struct json *watch)
{
	struct pods_watch *w = &pods->watch;
	const char **words = words_of(pods, json_get(watch, "argv"));
	char **environment = environment_of(pods, json_get(watch, "secrets"));
	pid_t child;

	w->since_ms = clock_monotonic_ms();
	if (!w->path) {
		struct str path = json_string(json_get(watch, "path"));

		w->path = arena_str(&pods->mem, path).ptr;
		w->fresh = arena_printf(&pods->mem, STR_FMT ".new", STR_ARG(path)).ptr;
	}
	if (!words || !environment || !w->path || !w->fresh)
		return;
	child = fork();
	if (child == 0)
		become(w->fresh, words, environment);
	w->child = MAX(child, 0);
}

/* 1 is of work that was parked. One that failed leaves the file as it was. */
static void take_over(struct pods_watch *w, int status)
{
	w->child = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) <= EXIT_CODE_COMPLETED_WITH_ERRORS)
		rename(w->fresh, w->path);
	else
		unlink(w->fresh);
}

void pods_watch(struct pods *pods)
{
	const struct json *watch = json_get(pods->task.spec, "watch");
	struct pods_watch *w = &pods->watch;
	int64_t age_ms = clock_monotonic_ms() - w->since_ms;
	int status;

	if (!watch)
		return;
	if (w->child == 0) {
		if (w->since_ms == 0 || age_ms >= EVERY_MS)
			begin(pods, watch);
		return;
	}
	if (age_ms >= PATIENCE_MS)
		kill(w->child, SIGKILL);
	if (waitpid(w->child, &status, WNOHANG) == w->child)
		take_over(w, status);
}

void pods_watch_end(struct pods *pods, bool last)
{
	const struct json *watch = json_get(pods->task.spec, "watch");
	struct pods_watch *w = &pods->watch;
	struct err err;
	int status;

	if (w->child > 0) {
		kill(w->child, SIGKILL);
		if (waitpid(w->child, &status, 0) == w->child)
			take_over(w, status);
	}
	if (!watch || !last)
		return;
	begin(pods, watch);
	while (w->child > 0) {
		pods_watch(pods);
		if (w->child > 0 && pods_pause(pods, 100, &err) < 0)
			kill(w->child, SIGKILL);
	}
}
