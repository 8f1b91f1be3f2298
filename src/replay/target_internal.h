/* Between target.c and target_connection.c. */
#ifndef REPLAY_TARGET_INTERNAL_H
#define REPLAY_TARGET_INTERNAL_H

#include "replay/target.h"

#include <netdb.h>
#include <openssl/ssl.h>

enum { READ_BYTES = 65536 };

struct target {
	struct event_base *base;
	struct arena mem;
	struct url url;
	const char *host; /* for the Host field */
	const char *name; /* NUL-terminated, of the machine */
	struct addrinfo *addresses;
	const struct addrinfo *address; /* the one to try next */
	SSL_CTX *tls;
	bool verify;
	/* Of which libevent keeps a queue each rather than a heap. */
	const struct timeval *connect_timeout, *read_timeout;
	struct target_counts counts;
	char read[READ_BYTES]; /* what one read gave; a whole answer goes no further */
};

/* For a new connection: the name is told and, where it is to be, checked. */
SSL *target_ssl(struct target *t);

#endif
