#include "workflow/engine.h"

#include "workflow/engine_internal.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* False: the path is too long for a socket; the engine then finds out by itself. */
static bool address_of(const char *state_dir, struct sockaddr_un *out)
{
	int len;

	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	len = snprintf(out->sun_path, sizeof(out->sun_path), "%s/run/engine.sock", state_dir);
	return len > 0 && (size_t)len < sizeof(out->sun_path);
}

int engine_wake_open(const char *state_dir)
{
	struct sockaddr_un address;
	int fd;

	if (!address_of(state_dir, &address))
		return -1;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	unlink(address.sun_path); /* of an engine before us: we hold the lock */
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

void engine_wake_wait(int fd, int timeout_ms)
{
	struct pollfd one = {.fd = fd, .events = POLLIN};
	char word[16];

	poll(&one, 1, timeout_ms); /* of -1 it is only the time */
	while (fd >= 0 && recv(fd, word, sizeof(word), 0) > 0)
		continue;
}

void workflow_engine_wake(const char *state_dir)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return;
	/* Nobody there, or one who has been told already: both are well. */
	if (address_of(state_dir, &address) &&
	    sendto(fd, "look", 4, MSG_NOSIGNAL, (const struct sockaddr *)&address,
		   sizeof(address)) < 0) {
		close(fd);
		return;
	}
	close(fd);
}
