/* http_stub PORT ANSWER_BYTES: a source that costs next to nothing. Answers every request with 200
 * and a body of that size; requests are cut at their Content-Length, and nothing else is looked at.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_MAX = 65536 };

struct client {
	struct event *event;
	size_t have, skip; /* skip: bytes of a body that are still to come */
	char bytes[REQUEST_MAX];
};

static char *answer;
static size_t answer_len;

static void end(struct client *c)
{
	close(event_get_fd(c->event));
	event_free(c->event);
	free(c);
}

static size_t length_of(const char *head, const char *end_of_head)
{
	for (const char *line = head; line < end_of_head;) {
		if (strncasecmp(line, "content-length:", 15) == 0)
			return strtoul(line + 15, NULL, 10);
		line = memchr(line, '\n', (size_t)(end_of_head - line));
		line = line ? line + 1 : end_of_head;
	}
	return 0;
}

/* False: it wants more bytes. */
static int take_request(struct client *c)
{
	size_t now = c->skip < c->have ? c->skip : c->have;
	char *blank;

	if (c->skip > 0) {
		memmove(c->bytes, c->bytes + now, c->have - now);
		c->have -= now;
		c->skip -= now;
		return c->skip == 0;
	}
	blank = memmem(c->bytes, c->have, "\r\n\r\n", 4);
	if (!blank)
		return 0;
	c->skip = (size_t)(blank - c->bytes) + 4 + length_of(c->bytes, blank);
	return take_request(c);
}

static void on_readable(evutil_socket_t fd, short what, void *user)
{
	struct client *c = user;
	ssize_t got = recv(fd, c->bytes + c->have, sizeof(c->bytes) - c->have, 0);

	(void)what;
	if (got <= 0) {
		if (got == 0 || errno != EAGAIN)
			end(c);
		return;
	}
	c->have += (size_t)got;
	while (c->have > 0 && take_request(c))
		if (send(fd, answer, answer_len, MSG_NOSIGNAL) != (ssize_t)answer_len) {
			end(c);
			return;
		}
}

static void on_accept(evutil_socket_t fd, short what, void *user)
{
	int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct client *c = client < 0 ? NULL : calloc(1, sizeof(*c));

	(void)what;
	if (!c)
		return;
	c->event = event_new(user, client, EV_READ | EV_PERSIST, on_readable, c);
	event_add(c->event, NULL);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct event_base *base = event_base_new();
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
	size_t body;

	if (argc != 3 || !base)
		return 2;
	body = strtoul(argv[2], NULL, 10);
	answer = malloc(body + 200);
	answer_len = (size_t)sprintf(answer,
				     "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
				     "content-length: %zu\r\n\r\n",
				     body);
	memset(answer + answer_len, 'x', body);
	answer_len += body;
	address.sin_port = htons((uint16_t)atoi(argv[1]));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 4096) < 0) {
		perror("http_stub");
		return 1;
	}
	event_add(event_new(base, fd, EV_READ | EV_PERSIST, on_accept, base), NULL);
	event_base_dispatch(base);
	return 0;
}
