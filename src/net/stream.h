/* A non-blocking socket of an event loop, with TLS or without. Belongs to one thread. */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "base/compiler.h"

#include <event2/event.h>
#include <openssl/ssl.h>
#include <sys/types.h>
#include <sys/uio.h>

struct stream {
	int fd; /* -1: none */
	SSL *ssl;
	struct event *event;
	/* Set by the event, cleared by the call that would have blocked. */
	bool readable, writable;
	bool closing; /* the other side will send no more */
	/* The last read gave less than was asked for, and no event came since: the next one would
	 * block, or tell of a reset, which libevent does not tell from bytes. */
	bool drained;
	bool connecting, handshaking;
	bool eof;
};

#define STREAM_AGAIN (-1)
#define STREAM_FAILED (-2)

/* Takes fd, and ssl (NULL: plain). `callback` is libevent's, edge-triggered. False: no memory for
 * an event; fd is closed. */
bool stream_open(struct stream *s, struct event_base *base, int fd, SSL *ssl,
		 event_callback_fn callback, void *user);
/* What the callback was told. */
void stream_note(struct stream *s, short what);
/* Accepts one that is closed, or zeroed with fd -1. */
void stream_close(struct stream *s);
static inline bool stream_is_open(const struct stream *s)
{
	return s->fd >= 0;
}
/* True: it can carry bytes. False: not yet, or *failed. */
bool stream_settle(struct stream *s, bool *failed);
/* Bytes read; 0 at the end; STREAM_AGAIN; STREAM_FAILED. */
ssize_t stream_read(struct stream *s, void *to, size_t len);
/* Bytes of the parts that were taken, not 0; STREAM_AGAIN; STREAM_FAILED. */
ssize_t stream_write(struct stream *s, const struct iovec *parts, int count);
/* No more will be written. */
void stream_shutdown(struct stream *s);
/* The other side has gone; for when nothing is to be read. */
bool stream_was_reset(const struct stream *s);

#endif
