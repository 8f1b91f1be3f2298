#include "cli/shell_command.h"

#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t count_of(char *const *entries)
{
	size_t count = 0;

	while (entries[count])
		count++;
	return count;
}

static char *copy(const char *text, struct arena *mem)
{
	char *out = arena_alloc(mem, strlen(text) + 1);

	if (out)
		memcpy(out, text, strlen(text) + 1);
	return out;
}

/* The command ended, one way or the other. */
static int await(pid_t child, int *status, struct err *err)
{
	int told;

	while (waitpid(child, &told, 0) < 0)
		if (errno != EINTR)
			return err_set_errno(err, ERR_IO, errno, "waiting for a command");
	*status = WIFEXITED(told) ? WEXITSTATUS(told) : 128 + WTERMSIG(told);
	return 0;
}

int shell_command_run(const char *command, const char *const *variables, size_t count,
		      struct arena *mem, int *status, struct err *err)
{
	size_t others = count_of(environ);
	char **entries = arena_zalloc(mem, count + others + 1, sizeof(*entries));
	char shell[] = "sh", flag[] = "-c";
	char *words[] = {shell, flag, copy(command, mem), NULL};
	pid_t child;
	int failed;

	for (size_t i = 0; entries && i < count; i++)
		entries[i] = copy(variables[i], mem);
	if (mem->failed)
		return arena_fail(mem, "the environment of a command", err);
	for (size_t i = 0; i < others; i++)
		entries[count + i] = environ[i];
	failed = posix_spawn(&child, "/bin/sh", NULL, NULL, words, entries);
	if (failed)
		return err_set_errno(err, ERR_IO, failed, "starting '%s'", command);
	return await(child, status, err);
}
