/* What a TLS server shows of itself, trusted or not. */
#ifndef NET_SERVER_CERTIFICATE_H
#define NET_SERVER_CERTIFICATE_H

#include "net/http_client.h"

/* Texts are as libcurl gives them ("CN = es", "DNS:es, IP Address:10.0.0.1"); without a pointer
 * where the certificate says none. */
struct server_certificate {
	struct str subject, issuer, names; /* names: of X509v3 Subject Alternative Name */
	struct str expires;                /* "Nov 22 12:00:00 2027 GMT" */
	int64_t expires_ms;                /* since 1970; -1: not understood */
};

/* Connects once, without checking the certificate and without any credentials but the client's
 * certificate, which proves nothing to others. Texts lie in `mem`. 1: *out; 0: the URL has no TLS.
 * Errors as http_client_send. Source: CURLOPT_CERTINFO. */
int server_certificate_read(const struct http_options *options, struct arena *mem,
			    struct server_certificate *out, struct err *err);

#endif
