#include "capture/control_server.h"

#include "base/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096
#define ANSWER_MAX_BYTES KIB(64)
#define CLIENT_SECONDS 1
#define ASK_SECONDS 30

struct control_server {
	struct control_options options;
	int fd;
	bool drains;
};

static int set_address(const char *path, struct sockaddr_un *out, struct err *err)
{
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(out->sun_path))
		return err_set(err, ERR_USAGE,
			       "the path of the control socket is too long, at most %zu bytes: %s",
			       sizeof(out->sun_path) - 1, path);
	memcpy(out->sun_path, path, strlen(path) + 1);
	return 0;
}

static int open_socket(int seconds, struct err *err)
{
	struct timeval most = {.tv_sec = seconds};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_set_errno(err, ERR_IO, errno, "making a control socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
	return fd;
}

/* A socket that nobody answers is one of a proxy that was killed. */
static int remove_old(const struct sockaddr_un *address, struct err *err)
{
	int fd = open_socket(CLIENT_SECONDS, err);
	bool answers;

	if (fd < 0)
		return fd;
	answers = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
	close(fd);
	if (answers)
		return err_set(err, ERR_CONFLICT,
			       "a proxy of this name is running (%s answers); give another --name",
			       address->sun_path);
	if (unlink(address->sun_path) < 0 && errno != ENOENT)
		return err_set_errno(err, ERR_IO, errno, "removing '%s'", address->sun_path);
	return 0;
}

int control_server_open(const struct control_options *options, struct control_server **out,
			struct err *err)
{
	struct control_server *server;
	struct sockaddr_un address;
	mode_t before;
	int got, fd;

	if ((got = set_address(options->path, &address, err)) < 0 ||
	    (got = remove_old(&address, err)) < 0)
		return got;
	if ((fd = open_socket(CLIENT_SECONDS, err)) < 0)
		return fd;
	before = umask(0177);
	got = bind(fd, (const struct sockaddr *)&address, sizeof(address));
	umask(before);
	if (got < 0 || listen(fd, 16) < 0) {
		got = err_set_errno(err, ERR_IO, errno, "making the control socket '%s'",
				    options->path);
		close(fd);
		return got;
	}
	server = mem_zalloc(sizeof(*server));
	*server = (struct control_server){.options = *options, .fd = fd};
	*out = server;
	return 0;
}

int control_server_fd(const struct control_server *server)
{
	return server->fd;
}

bool control_server_drains(const struct control_server *server)
{
	return server->drains;
}

void control_server_close(struct control_server *server)
{
	if (!server)
		return;
	close(server->fd);
	unlink(server->options.path);
	free(server);
}

/* --- What is asked --- */

static const char *opened_name(const struct gate *gate)
{
	static const char *const names[] = {
		[GATE_NEVER_CLOSED] = "never-held",
		[GATE_RELEASED] = "released",
		[GATE_TIMED_OUT] = "timed-out",
		[GATE_FULL] = "full",
	};

	return names[gate->opened];
}

static void put_kafka(struct sink *sink, struct buf *out)
{
	struct kafka_log_state state;

	if (!sink_kafka_state(sink, &state))
		return;
	buf_printf(out,
		   ",\"kafka\":{\"brokers\":\"%s\",\"spooling\":%s,\"sent\":%" PRIu64
		   ",\"failed\":%" PRIu64 ",\"inFlight\":%" PRIu64 ",\"bufferedBytes\":%zu",
		   state.away ? "away" : "there", state.spooling ? "true" : "false", state.sent,
		   state.failed, state.in_flight, state.buffered_bytes);
	if (state.has_spool)
		buf_printf(out, ",\"spoolRecords\":%" PRIu64 ",\"spoolBytes\":%" PRIu64,
			   state.spool_records, state.spool_bytes);
	buf_append_byte(out, '}');
}

static void put_status(struct control_server *server, struct buf *out)
{
	struct proxy *proxy = server->options.proxy;
	const struct proxy_counters *n = proxy_counters(proxy);
	struct gate *gate = proxy_gate(proxy);
	struct segment_log_state log;
	bool capturing;
	struct destination *destination = gate_destination(gate, &capturing);
	/* Before the end of the log: who reads that nothing is in flight has all of it by then. */
	int64_t in_flight = atomic_load(&gate->in_flight);
	bool has_log = sink_log_state(server->options.sink, &log);

	buf_printf(out,
		   "{\"ok\":true,\"pid\":%d,\"state\":\"%s\",\"lastHold\":\"%s\","
		   "\"destination\":",
		   (int)getpid(),
		   atomic_load(&gate->closed) ? "holding"
		   : server->drains           ? "draining"
					      : "open",
		   opened_name(gate));
	json_write_string(out, str_from(destination->text));
	buf_printf(out,
		   ",\"port\":%u,\"capturing\":%s,\"connections\":%" PRIu64 ",\"requests\":%" PRIu64
		   ",\"writesInFlight\":%" PRId64 ",\"heldRequests\":%" PRIu64
		   ",\"parkedRequests\":%" PRIu64 ",\"parkedBytes\":%" PRIu64
		   ",\"bufferAgeMs\":%" PRIu64 ",\"recordsLost\":%" PRIu64 ",\"gaps\":%" PRIu64,
		   proxy_port(proxy), capturing && server->options.sink ? "true" : "false",
		   counter_get(&n->active_connections), counter_get(&n->requests), in_flight,
		   counter_get(&n->requests_held), counter_get(&n->requests_parked),
		   (uint64_t)atomic_load(&gate->bytes), proxy_buffer_age_ms(proxy),
		   counter_get(&n->records_lost), counter_get(&n->gaps));
	if (has_log)
		buf_printf(out,
			   ",\"logFirst\":%" PRIu64 ",\"logEnd\":%" PRIu64
			   ",\"logBufferedBytes\":%zu",
			   log.first, log.end, log.buffered_bytes);
	put_kafka(server->options.sink, out);
	buf_append_str(out, STR("}\n"));
	destination_unref(destination);
}

static void put_error(struct buf *out, const char *message)
{
	buf_append_str(out, STR("{\"ok\":false,\"error\":"));
	json_write_string(out, str_from(message));
	buf_append_str(out, STR("}\n"));
}

static void hold(struct control_server *server, struct buf *out)
{
	if (!gate_close(proxy_gate(server->options.proxy))) {
		put_error(out, "mutating requests are held already");
		return;
	}
	proxy_gate_moved(server->options.proxy);
	put_status(server, out);
}

static void release(struct control_server *server, struct buf *out)
{
	if (!gate_open(proxy_gate(server->options.proxy), GATE_RELEASED)) {
		put_error(out, "nothing is held: the hold was released already, or timed out");
		return;
	}
	proxy_gate_moved(server->options.proxy);
	put_status(server, out);
}

static void switch_destination(struct control_server *server, struct str argument, struct buf *out)
{
	struct destination *destination;
	struct err err = {0};
	struct str url, rest = STR_NONE;
	char text[LINE_MAX_BYTES];

	str_split(argument, ' ', &url, &rest);
	memcpy(text, url.ptr, url.len);
	text[url.len] = '\0';
	if (destination_new(text, &server->options.destination, &destination, &err) < 0) {
		put_error(out, err.message);
		return;
	}
	if (gate_switch(proxy_gate(server->options.proxy), destination, str_is(rest, "capture")))
		put_status(server, out);
	else
		put_error(out, "not switched: the last hold ended by itself, and what it held went "
			       "to the source; hold again, see that the replay has caught up, then "
			       "switch");
}

static void answer(struct control_server *server, struct str line, struct buf *out)
{
	if (str_is(line, "status")) {
		put_status(server, out);
	} else if (str_is(line, "hold")) {
		hold(server, out);
	} else if (str_is(line, "release")) {
		release(server, out);
	} else if (str_starts(line, STR("switch ")) && line.len > 7) {
		switch_destination(server, str_from_offset(line, 7), out);
	} else if (str_is(line, "drain")) {
		server->drains = true;
		proxy_drain(server->options.proxy, server->options.drain_timeout_ms);
		put_status(server, out);
	} else {
		put_error(out,
			  "not understood; there are status, hold, switch URL, release, drain");
	}
}

/* The sockets that we listen on go along with the answer, for whoever starts our successor. */
static bool send_listeners(struct control_server *server, int fd)
{
	int fds[PROXY_LISTENERS_MAX];
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(fds))];
	} control = {0};
	char text[] = "{\"ok\":true}\n";
	struct iovec bytes = {text, sizeof(text) - 1};
	size_t count = proxy_listeners(server->options.proxy, fds, COUNT_OF(fds));
	struct msghdr message = {.msg_iov = &bytes,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = CMSG_SPACE(count * sizeof(int))};

	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(&control.head), fds, count * sizeof(int));
	return sendmsg(fd, &message, MSG_NOSIGNAL) > 0;
}

/* False: the client does not end its line. */
static bool read_line(int fd, char line[static LINE_MAX_BYTES], struct str *out)
{
	size_t len = 0;

	while (len < LINE_MAX_BYTES - 1) {
		ssize_t got = recv(fd, line + len, LINE_MAX_BYTES - 1 - len, 0);
		char *feed;

		if (got <= 0)
			return false;
		len += (size_t)got;
		if ((feed = memchr(line, '\n', len))) {
			*out = str_of(line, (size_t)(feed - line));
			return true;
		}
	}
	return false;
}

static bool send_all(int fd, struct str bytes)
{
	while (bytes.len > 0) {
		ssize_t got = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

		if (got < 0 && errno != EINTR)
			return false;
		bytes = str_from_offset(bytes, got > 0 ? (size_t)got : 0);
	}
	return true;
}

void control_server_serve(struct control_server *server)
{
	cleanup(buf_release) struct buf out = BUF_INIT(ANSWER_MAX_BYTES);
	struct timeval most = {.tv_sec = CLIENT_SECONDS};
	int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
	char line[LINE_MAX_BYTES];
	struct str asked;

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
	if (!read_line(fd, line, &asked)) {
		close(fd);
		return;
	}
	/* One that drains has closed them. */
	if (str_is(asked, "listeners") && !server->drains && !proxy_drains(server->options.proxy)) {
		send_listeners(server, fd);
	} else {
		answer(server, asked, &out);
		send_all(fd, buf_str(&out));
	}
	close(fd);
}

void control_server_tick(struct control_server *server)
{
	struct proxy *proxy = server->options.proxy;
	enum gate_opened why;

	if (!gate_check(proxy_gate(proxy), &why))
		return;
	proxy_gate_moved(proxy);
	server->options.warn(
		server->options.user,
		why == GATE_FULL ? "the requests that were held filled --hold-limit-bytes; they "
				   "went to the source, which is the destination again"
				 : "the hold was not released within --hold-limit; requests "
				   "went to the source, which is the destination again");
}

static int connect_to(const char *path, struct err *err)
{
	struct sockaddr_un address;
	int got = set_address(path, &address, err), fd;

	if (got < 0)
		return got;
	if ((fd = open_socket(ASK_SECONDS, err)) < 0)
		return fd;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	got = err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_UNREACHABLE, errno,
			    "no proxy answers at '%s'; look at its --name and --state-dir", path);
	close(fd);
	return got;
}

int control_take_listeners(const char *path, int *fds, size_t *count, struct err *err)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(PROXY_LISTENERS_MAX * sizeof(int))];
	} control;
	char text[256];
	struct iovec bytes = {text, sizeof(text)};
	struct msghdr message = {.msg_iov = &bytes,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	const struct cmsghdr *head;
	int fd = connect_to(path, err);

	*count = 0;
	if (fd < 0)
		return fd;
	if (send_all(fd, STR("listeners\n")) && recvmsg(fd, &message, MSG_CMSG_CLOEXEC) > 0 &&
	    (head = CMSG_FIRSTHDR(&message)) && head->cmsg_type == SCM_RIGHTS) {
		*count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(head), *count * sizeof(int));
	}
	close(fd);
	if (*count == 0)
		return err_set(err, ERR_CONFLICT, "the proxy at '%s' does not give its sockets",
			       path);
	return 0;
}

int control_ask(const char *path, struct str line, struct buf *answer_out, struct err *err)
{
	int fd = connect_to(path, err);
	char bytes[4096];
	ssize_t len;

	if (fd < 0)
		return fd;
	if (!send_all(fd, line) || !send_all(fd, STR("\n")))
		len = -1;
	else
		while ((len = recv(fd, bytes, sizeof(bytes), 0)) > 0)
			buf_append(answer_out, bytes, (size_t)len);
	close(fd);
	if (len < 0 || answer_out->len == 0)
		return err_set(err, ERR_TIMEOUT, "the proxy at '%s' did not answer", path);
	return buf_check(answer_out, "the proxy's answer", err);
}
