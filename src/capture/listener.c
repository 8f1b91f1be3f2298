#include "capture/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096

uint16_t listener_port(int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		return 0;
	if (address.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
	return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

static int listen_on(const char *host, uint16_t port, struct err *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
	struct addrinfo *address;
	char service[8];
	int fd, on = 1;

	snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(host, service, &hints, &address) != 0)
		return err_set(err, ERR_USAGE, "--listen-host '%s' is no address", host);
	fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
		if (bind(fd, address->ai_addr, address->ai_addrlen) < 0 ||
		    listen(fd, BACKLOG) < 0) {
			int error = errno;

			close(fd);
			errno = error;
			fd = -1;
		}
	}
	freeaddrinfo(address);
	if (fd < 0)
		return err_set_errno(err, ERR_IO, errno, "listening on %s port %u", host, port);
	return fd;
}

/* More loops than sockets: some look at the same. */
static int take_inherited(const struct proxy_options *options, size_t number, struct err *err)
{
	int fd = options->listen_fds[number % options->listen_fd_count];

	if (number >= options->listen_fd_count)
		fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0 || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return err_set_errno(err, ERR_IO, errno, "using a socket that was handed over");
	return fd;
}

int listener_for(const struct proxy_options *options, size_t number, uint16_t port, struct err *err)
{
	if (options->listen_fd_count > 0)
		return take_inherited(options, number, err);
	return listen_on(options->listen_host, port, err);
}

bool listener_is_one(int fd)
{
	int listens = 0, type = 0;
	socklen_t len = sizeof(listens), type_len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && listens != 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) == 0 && type == SOCK_STREAM;
}
