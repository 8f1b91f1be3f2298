#include "workflow/engine_internal.h"

#include "base/limits.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* False: not all of it, and the log stays as it is. */
static bool copy(int from, int to)
{
	ssize_t got;

	/* What is appended meanwhile goes along. */
	while ((got = sendfile(to, from, NULL, MIB(1))) > 0)
		;
	return got == 0;
}

void engine_log_bound(const char *state_dir, struct str log)
{
	char path[LIMIT_PATH], old[LIMIT_PATH + 8];
	struct stat about;

	if (log.len == 0 || (size_t)snprintf(path, sizeof(path), "%s/" STR_FMT, state_dir,
					     STR_ARG(log)) >= sizeof(path))
		return;
	if (stat(path, &about) < 0 || about.st_size <= (off_t)ENGINE_LOG_MAX)
		return;
	snprintf(old, sizeof(old), "%s.old", path);
	cleanup(close_fd) int from = open(path, O_RDWR | O_CLOEXEC);
	cleanup(close_fd) int to = open(old, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	/* On a full disk the log is given up rather than the disk. */
	if (from >= 0 && (to < 0 || !copy(from, to)))
		unlink(old);
	if (from >= 0 && ftruncate(from, 0) < 0)
		return;
}
