/* A cluster that requests are sent to: its addresses, and how TLS is spoken to it. Immutable but
 * for the addresses, and counted; any thread. */
#ifndef CAPTURE_DESTINATION_H
#define CAPTURE_DESTINATION_H

#include "base/err.h"

#include <netdb.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

/* Counted as well, since a connection may be trying them while they are resolved anew. */
struct addresses {
	atomic_int references;
	struct addrinfo *first;
};

struct destination {
	atomic_int references;
	char *text; /* "https://host:9200", without user and password */
	char *host; /* for the certificate */
	bool host_is_address;
	uint16_t port;
	bool is_tls;
	pthread_mutex_t lock;        /* of what follows */
	struct addresses *addresses; /* destination_addresses */
	SSL_CTX *tls;                /* destination_ssl; NULL: plain */
};

struct destination_tls {
	const char *ca;                       /* file; NULL: the system's */
	const char *client_cert, *client_key; /* files; NULL: none */
	bool insecure;                        /* any certificate will do */
};

/* `text` is a URL, whose name is resolved. Without a port it is 80 or 443. ERR_USAGE,
 * ERR_UNREACHABLE: no such name. A path, user or password in the URL is ERR_USAGE: requests are
 * sent on as they come. */
int destination_new(const char *text, const struct destination_tls *tls, struct destination **out,
		    struct err *err);
struct destination *destination_ref(struct destination *d);
/* Accepts NULL. */
void destination_unref(struct destination *d);
/* What its name stood for when it was looked up last; a new reference. */
struct addresses *destination_addresses(struct destination *d);
/* Accepts NULL. */
void addresses_unref(struct addresses *addresses);
/* Looks its name up again, which may take seconds. On failure (ERR_UNREACHABLE) the addresses stay
 * as they were. Does nothing where the destination is an address. */
int destination_resolve(struct destination *d, struct err *err);
/* A new client side of TLS, for a socket that is connected; NULL: plain, or no memory. */
SSL *destination_ssl(struct destination *d, int fd);
/* Reads the files anew, for connections from then on. On failure (ERR_USAGE names the file) all
 * stays as it was. Does nothing where the destination is plain. */
int destination_reload_tls(struct destination *d, const struct destination_tls *tls,
			   struct err *err);

#endif
