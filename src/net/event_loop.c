#include "net/event_loop.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <unistd.h>

/* What event_base_new() opens: epoll and a pair of sockets for signals. */
#define FILES 3

static bool can_open_files(void)
{
	int files[FILES], count = 0, saved;

	while (count < FILES && (files[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		count++;
	saved = errno;
	for (int i = 0; i < count; i++)
		close(files[i]);
	errno = saved;
	return count == FILES;
}

int event_loop_new(struct event_base **base, struct err *err)
{
	*base = NULL;
	if (!can_open_files())
		return err_set_errno(
			err, ERR_IO, errno,
			"setting up an event loop, which needs %d files more (ulimit -n)", FILES);
	*base = event_base_new();
	if (!*base)
		return err_set(err, ERR_NOMEM, "setting up an event loop");
	return 0;
}
