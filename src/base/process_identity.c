#include "base/process_identity.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file's begin, as text. */
static bool read_begin(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		return false;
	length = read(fd, text, size - 1);
	close(fd);
	text[MAX(length, 0)] = '\0';
	return length > 0;
}

/* State (field 3) and start time (field 22) of /proc/<pid>/stat. The name in field 2 may hold
 * anything, so fields are counted from its last parenthesis. Source: proc(5). */
static bool parse_stat(const char *text, char *state, uint64_t *start_ticks)
{
	const char *at = strrchr(text, ')');

	if (!at || at[1] != ' ' || !at[2])
		return false;
	*state = at[2];
	at += 2;
	for (int field = 3; field < 22; field++) {
		at = strchr(at, ' ');
		if (!at)
			return false;
		at++;
	}
	*start_ticks = strtoull(at, NULL, 10);
	return true;
}

static bool read_stat(int64_t pid, char *state, uint64_t *start_ticks)
{
	char path[64], text[1024];

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/stat", pid);
	return read_begin(path, text, sizeof(text)) && parse_stat(text, state, start_ticks);
}

void process_identity_self(struct process_identity *out)
{
	struct stat namespace;
	char state;

	*out = (struct process_identity){.pid = getpid()};
	if (read_begin("/proc/sys/kernel/random/boot_id", out->boot_id, sizeof(out->boot_id)))
		out->boot_id[strcspn(out->boot_id, "\n")] = '\0';
	if (stat("/proc/self/ns/pid", &namespace) == 0)
		out->pid_namespace = namespace.st_ino;
	if (!read_stat(out->pid, &state, &out->start_ticks))
		out->start_ticks = 0;
}

bool process_is_gone(const struct process_identity *process, const struct process_identity *self)
{
	uint64_t start_ticks;
	char state;

	if (!process->boot_id[0] || !self->boot_id[0])
		return false;
	if (strcmp(process->boot_id, self->boot_id) != 0)
		return true;
	/* Without /proc, or in another namespace, the number says nothing. */
	if (!self->start_ticks || !process->start_ticks ||
	    process->pid_namespace != self->pid_namespace)
		return false;
	/* /proc may hide the processes of other users; signals tell. */
	if (!read_stat(process->pid, &state, &start_ticks))
		return kill((pid_t)process->pid, 0) < 0 && errno == ESRCH;
	return start_ticks != process->start_ticks || state == 'Z' || state == 'X';
}
