#include "replay/target_internal.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

const struct url *target_url(const struct target *t)
{
	return &t->url;
}

const char *target_host(const struct target *t)
{
	return t->host;
}

const struct target_counts *target_counts(const struct target *t)
{
	return &t->counts;
}

static int resolve(struct target *t, struct err *err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	char port[8];
	int rc;

	snprintf(port, sizeof(port), "%u", (unsigned)t->url.port);
	rc = getaddrinfo(t->name, port, &hints, &found);
	if (rc != 0)
		return err_set(err, ERR_UNREACHABLE, "the target's name '%s' does not resolve: %s",
			       t->name, gai_strerror(rc));
	if (t->addresses)
		freeaddrinfo(t->addresses);
	t->addresses = found;
	t->address = found;
	return 0;
}

static int tls_fail(struct err *err, const char *what, const char *path)
{
	char reason[160];

	ERR_error_string_n(ERR_get_error(), reason, sizeof(reason));
	return err_set(err, ERR_USAGE, "%s '%s' cannot be used: %s", what, path, reason);
}

static int tls_init(struct target *t, const struct http_options *o, struct err *err)
{
	t->tls = SSL_CTX_new(TLS_client_method());
	if (!t->tls)
		BUG("OpenSSL gives no context");
	SSL_CTX_set_min_proto_version(t->tls, TLS1_2_VERSION);
	SSL_CTX_set_mode(t->tls, SSL_MODE_ENABLE_PARTIAL_WRITE |
					 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					 SSL_MODE_RELEASE_BUFFERS);
	/* An answer without a length ends with the connection, also where TLS is not ended first.
	 */
	SSL_CTX_set_options(t->tls, SSL_OP_IGNORE_UNEXPECTED_EOF);
	t->verify = !o->insecure;
	SSL_CTX_set_verify(t->tls, o->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	if (o->ca_file) {
		if (SSL_CTX_load_verify_file(t->tls, o->ca_file) != 1)
			return tls_fail(err, "--target-cacert", o->ca_file);
	} else {
		SSL_CTX_set_default_verify_paths(t->tls);
	}
	if (o->client_cert && SSL_CTX_use_certificate_chain_file(t->tls, o->client_cert) != 1)
		return tls_fail(err, "--target-client-cert", o->client_cert);
	if (o->client_key &&
	    SSL_CTX_use_PrivateKey_file(t->tls, o->client_key, SSL_FILETYPE_PEM) != 1)
		return tls_fail(err, "--target-client-cert-key", o->client_key);
	return 0;
}

static const struct timeval *timeout_of(struct event_base *base, int64_t ms)
{
	const struct timeval timeout = {ms / 1000, ms % 1000 * 1000};

	return event_base_init_common_timeout(base, &timeout);
}

int target_new(struct event_base *base, const struct http_options *o, struct target **out,
	       struct err *err)
{
	struct target *t = mem_zalloc(sizeof(*t));

	t->base = base;
	t->mem = ARENA_INIT(MIB(1));
	t->connect_timeout =
		timeout_of(base, o->connect_timeout_ms ? o->connect_timeout_ms : 10000);
	t->read_timeout = timeout_of(base, o->request_timeout_ms ? o->request_timeout_ms : 150000);
	if (url_parse(o->host, &t->mem, &t->url, err) < 0)
		goto fail;
	t->name = arena_str(&t->mem, t->url.host).ptr;
	t->host = strchr(t->name, ':') ? arena_printf(&t->mem, "[%s]", t->name).ptr : t->name;
	if ((t->url.tls && tls_init(t, o, err) < 0) || resolve(t, err) < 0)
		goto fail;
	*out = t;
	return 0;
fail:
	target_free(t);
	return -(int)err->kind;
}

void target_free(struct target *t)
{
	if (!t)
		return;
	if (t->addresses)
		freeaddrinfo(t->addresses);
	SSL_CTX_free(t->tls);
	arena_release(&t->mem);
	free(t);
}

SSL *target_ssl(struct target *t)
{
	SSL *ssl = SSL_new(t->tls);
	unsigned char address[16];
	bool is_address = inet_pton(AF_INET, t->name, address) == 1 ||
			  inet_pton(AF_INET6, t->name, address) == 1;

	if (!ssl)
		BUG("OpenSSL gives no connection");
	if (!is_address)
		SSL_set_tlsext_host_name(ssl, t->name);
	if (t->verify && is_address)
		X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), t->name);
	else if (t->verify)
		SSL_set1_host(ssl, t->name);
	return ssl;
}
