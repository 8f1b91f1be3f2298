/* A command of the user's, run by the shell with more variables than this process has. */
#ifndef CLI_SHELL_COMMAND_H
#define CLI_SHELL_COMMAND_H

#include "base/arena.h"
#include "base/err.h"

/* `variables`: "NAME=value", of which the first of a name counts. Waits for its end: *status is its
 * exit code, or 128 and the signal's number. ERR_IO when it could not be started. */
int shell_command_run(const char *command, const char *const *variables, size_t count,
		      struct arena *mem, int *status, struct err *err);

#endif
