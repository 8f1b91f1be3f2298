/* paced PORT CONNECTIONS PER_SECOND SECONDS BODY_BYTES: asks at that rate, whether answers come or
 * not: a GET, or a POST of so many bytes. Prints the 50th and the 99th percentile of what passes
 * from when a request was due to when its answer is whole, in ms, and the 99th of what passes from
 * when it was due to when it is sent, in which a connection that is free is not waited for: that is
 * how late this program itself was. All answers must be of one length. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_MAX = 65536, EVENTS = 64 };

struct client {
	struct client *next; /* that is idle */
	int fd;
	double due;
	size_t have;
};

static char *request;
static size_t request_len, answer_len;
static double *took, *late;
static size_t answered;
static struct client *idle;

static void fail(const char *what)
{
	fprintf(stderr, "paced: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void make_request(size_t body)
{
	request = malloc(body + 300);
	request_len =
		(size_t)(body ? sprintf(request,
					"POST /index/_bulk HTTP/1.1\r\nHost: x\r\nContent-Type: "
					"application/x-ndjson\r\nContent-Length: %zu\r\n\r\n",
					body)
			      : sprintf(request, "GET /index/_doc/1 HTTP/1.1\r\nHost: x\r\n\r\n"));
	memset(request + request_len, 'x', body);
	request_len += body;
}

/* Of the first answer, which comes alone. */
static void learn_length(int fd)
{
	static char bytes[ANSWER_MAX];
	char *blank = NULL, *length;
	size_t have = 0;

	if (send(fd, request, request_len, MSG_NOSIGNAL) != (ssize_t)request_len)
		fail("the first request");
	while (!blank) {
		ssize_t got = recv(fd, bytes + have, sizeof(bytes) - 1 - have, 0);

		if (got <= 0)
			fail("the first answer");
		have += (size_t)got;
		blank = strstr(bytes, "\r\n\r\n");
	}
	length = strcasestr(bytes, "content-length:");
	answer_len = (size_t)(blank - bytes) + 4 + (length ? strtoul(length + 15, NULL, 10) : 0);
	while (have < answer_len) {
		ssize_t got = recv(fd, bytes, sizeof(bytes), 0);

		if (got <= 0)
			fail("the first answer");
		have += (size_t)got;
	}
}

static void connect_all(struct client *clients, size_t count, uint16_t port, int epoll)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	for (size_t i = 0; i < count; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = &clients[i]};

		clients[i].fd = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(clients[i].fd, (struct sockaddr *)&address, sizeof(address)) < 0)
			fail("connecting");
		learn_length(clients[i].fd);
		epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i].fd, &event);
		clients[i].next = idle;
		idle = &clients[i];
	}
}

static void ask(double due)
{
	struct client *c = idle;

	idle = c->next;
	c->due = due;
	c->have = 0;
	if (send(c->fd, request, request_len, MSG_NOSIGNAL) != (ssize_t)request_len)
		fail("sending");
}

static void take_answer(struct client *c)
{
	static char bytes[ANSWER_MAX];
	ssize_t got = recv(c->fd, bytes, sizeof(bytes), 0);

	if (got <= 0)
		fail("an answer");
	if (c->have == 0 && memcmp(bytes, "HTTP/1.1 200", 12) != 0)
		fail("an answer that is not 200");
	c->have += (size_t)got;
	if (c->have < answer_len)
		return;
	took[answered++] = now() - c->due;
	c->next = idle;
	idle = c;
}

static void run(int epoll, size_t count, double every_ms)
{
	struct epoll_event events[EVENTS];
	double begun = now() + 1, freed = begun;
	size_t asked = 0;

	while (answered < count) {
		double due = begun + every_ms * (double)asked, left = due - now();
		int64_t ns = asked == count || !idle ? 1000000000 : (int64_t)(left * 1e6);
		struct timespec wait = {.tv_nsec = 0};
		int ready;

		if (asked < count && idle && left <= 0) {
			late[asked++] = due > freed ? -left : now() - freed;
			ask(due);
			continue;
		}
		wait.tv_sec = ns / 1000000000;
		wait.tv_nsec = ns % 1000000000;
		ready = epoll_pwait2(epoll, events, EVENTS, &wait, NULL);
		if (!idle)
			freed = now();
		for (int i = 0; i < ready; i++)
			take_answer(events[i].data.ptr);
	}
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	int epoll = epoll_create1(0);
	size_t count, connections;
	struct client *clients;
	double rate;

	if (argc != 6)
		return 2;
	connections = strtoul(argv[2], NULL, 10);
	rate = strtod(argv[3], NULL);
	count = (size_t)(rate * strtod(argv[4], NULL));
	clients = calloc(connections, sizeof(*clients));
	took = calloc(count, sizeof(*took));
	late = calloc(count, sizeof(*late));
	make_request(strtoul(argv[5], NULL, 10));
	prctl(PR_SET_TIMERSLACK, 1UL);
	connect_all(clients, connections, (uint16_t)strtoul(argv[1], NULL, 10), epoll);
	run(epoll, count, 1000 / rate);
	qsort(took, count, sizeof(*took), by_size);
	qsort(late, count, sizeof(*late), by_size);
	printf("%.3f %.3f %.3f\n", took[count / 2], took[count * 99 / 100], late[count * 99 / 100]);
	return 0;
}
