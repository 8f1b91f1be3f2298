#include "net/stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

bool stream_open(struct stream *s, struct event_base *base, int fd, SSL *ssl,
		 event_callback_fn callback, void *user)
{
	*s = (struct stream){.fd = fd, .ssl = ssl, .handshaking = ssl != NULL};
	s->event = event_new(base, fd, EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST,
			     callback, user);
	if (s->event && event_add(s->event, NULL) == 0)
		return true;
	stream_close(s);
	return false;
}

void stream_note(struct stream *s, short what)
{
	s->readable |= (what & (EV_READ | EV_CLOSED)) != 0;
	s->writable |= (what & EV_WRITE) != 0;
	s->closing |= (what & EV_CLOSED) != 0;
	s->drained = false;
}

void stream_close(struct stream *s)
{
	if (s->event)
		event_free(s->event);
	SSL_free(s->ssl);
	if (s->fd >= 0)
		close(s->fd);
	*s = (struct stream){.fd = -1};
}

/* What a call of OpenSSL that did not succeed waits for. */
static ssize_t ssl_outcome(struct stream *s, int result)
{
	int error = SSL_get_error(s->ssl, result);

	if (error == SSL_ERROR_WANT_READ)
		s->readable = false;
	else if (error == SSL_ERROR_WANT_WRITE)
		s->writable = false;
	else if (error == SSL_ERROR_ZERO_RETURN)
		return 0;
	else
		return STREAM_FAILED;
	return STREAM_AGAIN;
}

static bool settle_connect(struct stream *s, bool *failed)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (!s->writable)
		return false;
	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error != 0) {
		errno = error;
		*failed = true;
		return false;
	}
	s->connecting = false;
	return true;
}

bool stream_settle(struct stream *s, bool *failed)
{
	int result;

	if (s->connecting && !settle_connect(s, failed))
		return false;
	if (!s->handshaking)
		return true;
	ERR_clear_error();
	result = SSL_do_handshake(s->ssl);
	if (result == 1) {
		s->handshaking = false;
		return true;
	}
	*failed = ssl_outcome(s, result) != STREAM_AGAIN;
	return false;
}

ssize_t stream_read(struct stream *s, void *to, size_t len)
{
	ssize_t got;

	if (s->ssl) {
		ERR_clear_error();
		got = SSL_read(s->ssl, to, (int)MIN(len, (size_t)INT32_MAX));
		return got > 0 ? got : ssl_outcome(s, (int)got);
	}
	do
		got = recv(s->fd, to, len, 0);
	while (got < 0 && errno == EINTR);
	s->drained = got > 0 && (size_t)got < len && !s->closing;
	if (got >= 0)
		return got;
	if (errno != EAGAIN)
		return STREAM_FAILED;
	s->readable = false;
	return STREAM_AGAIN;
}

bool stream_was_reset(const struct stream *s)
{
	int error = 0;
	socklen_t len = sizeof(error);

	return getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error != 0;
}

static ssize_t write_tls(struct stream *s, const struct iovec *parts, int count)
{
	ssize_t taken = 0;

	for (int i = 0; i < count; i++) {
		int got;

		if (parts[i].iov_len == 0)
			continue;
		ERR_clear_error();
		got = SSL_write(s->ssl, parts[i].iov_base,
				(int)MIN(parts[i].iov_len, (size_t)INT32_MAX));
		if (got <= 0) {
			ssize_t outcome = ssl_outcome(s, got);

			return taken > 0 ? taken : outcome == 0 ? STREAM_FAILED : outcome;
		}
		taken += got;
		if ((size_t)got < parts[i].iov_len)
			break;
	}
	return taken;
}

ssize_t stream_write(struct stream *s, const struct iovec *parts, int count)
{
	struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts,
				 .msg_iovlen = (size_t)count};
	ssize_t got;

	if (s->ssl)
		return write_tls(s, parts, count);
	do
		got = sendmsg(s->fd, &message, MSG_NOSIGNAL);
	while (got < 0 && errno == EINTR);
	if (got >= 0)
		return got;
	if (errno != EAGAIN)
		return STREAM_FAILED;
	s->writable = false;
	return STREAM_AGAIN;
}

void stream_shutdown(struct stream *s)
{
	if (s->ssl && !s->handshaking) {
		ERR_clear_error();
		SSL_shutdown(s->ssl);
	}
	shutdown(s->fd, SHUT_WR);
}
