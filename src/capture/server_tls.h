/* The proxy's own certificate, which may be read anew while it serves. Thread-safe. */
#ifndef CAPTURE_SERVER_TLS_H
#define CAPTURE_SERVER_TLS_H

#include "base/err.h"

#include <openssl/ssl.h>

struct server_tls_options {
	const char *chain, *key;   /* PEM files */
	const char *client_ca;     /* PEM file; NULL: none */
	const char *client_ca_pem; /* PEM text; NULL: none */
	bool require_client_auth;
};

struct server_tls;

/* Borrows the strings. ERR_USAGE names the file. */
int server_tls_new(const struct server_tls_options *options, struct server_tls **out,
		   struct err *err);
/* Accepts NULL. */
void server_tls_free(struct server_tls *tls);
/* For connections from now on. On failure those that were there stay. */
int server_tls_reload(struct server_tls *tls, struct err *err);
/* The server side of a new connection; NULL: no memory. */
SSL *server_tls_ssl(struct server_tls *tls, int fd);

#endif
