/* A cluster that requests are sent to: its addresses, and how TLS is spoken to it. Immutable and
 * counted; any thread. */
#ifndef CAPTURE_DESTINATION_H
#define CAPTURE_DESTINATION_H

#include "base/err.h"

#include <netdb.h>
#include <openssl/ssl.h>
#include <stdatomic.h>

struct destination {
	atomic_int references;
	char *text; /* "https://host:9200", without user and password */
	char *host; /* for the certificate */
	bool host_is_address;
	struct addrinfo *addresses;
	SSL_CTX *tls; /* NULL: plain */
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
/* A new client side of TLS, for a socket that is connected; NULL: plain, or no memory. */
SSL *destination_ssl(const struct destination *d, int fd);

#endif
