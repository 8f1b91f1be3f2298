#include "capture/destination.h"

#include "base/arena.h"
#include "base/limits.h"
#include "net/url.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tls_failed(struct err *err, const char *what, const char *path)
{
	unsigned long code = ERR_get_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	return err_set(err, ERR_USAGE, "%s '%s' cannot be used: %s", what, path,
		       reason ? reason : "it is not there or not PEM");
}

static int configure_tls(SSL_CTX *ctx, const struct destination_tls *tls, struct err *err)
{
	ERR_clear_error();
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)"\x08http/1.1", 9);
	SSL_CTX_set_verify(ctx, tls->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	if (tls->ca ? SSL_CTX_load_verify_locations(ctx, tls->ca, NULL) != 1
		    : SSL_CTX_set_default_verify_paths(ctx) != 1)
		return tls_failed(err, "the CA file", tls->ca ? tls->ca : "of the system");
	if (tls->client_cert && SSL_CTX_use_certificate_chain_file(ctx, tls->client_cert) != 1)
		return tls_failed(err, "the client certificate", tls->client_cert);
	if (tls->client_key &&
	    (SSL_CTX_use_PrivateKey_file(ctx, tls->client_key, SSL_FILETYPE_PEM) != 1 ||
	     SSL_CTX_check_private_key(ctx) != 1))
		return tls_failed(err, "the client key", tls->client_key);
	return 0;
}

int destination_reload_tls(struct destination *d, const struct destination_tls *tls,
			   struct err *err)
{
	SSL_CTX *ctx, *old;
	int got;

	if (!d->is_tls)
		return 0;
	ctx = SSL_CTX_new(TLS_client_method());
	if (!ctx)
		return err_set(err, ERR_NOMEM, "TLS could not be set up");
	if ((got = configure_tls(ctx, tls, err)) < 0) {
		SSL_CTX_free(ctx);
		return got;
	}
	pthread_mutex_lock(&d->lock);
	old = d->tls;
	d->tls = ctx;
	pthread_mutex_unlock(&d->lock);
	SSL_CTX_free(old);
	return 0;
}

struct addresses *destination_addresses(struct destination *d)
{
	struct addresses *addresses;

	pthread_mutex_lock(&d->lock);
	addresses = d->addresses;
	atomic_fetch_add(&addresses->references, 1);
	pthread_mutex_unlock(&d->lock);
	return addresses;
}

void addresses_unref(struct addresses *addresses)
{
	if (!addresses || atomic_fetch_sub(&addresses->references, 1) > 1)
		return;
	freeaddrinfo(addresses->first);
	free(addresses);
}

static int look_up(struct destination *d, struct err *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addresses *old, *found;
	struct addrinfo *first;
	char service[8];
	int failed;

	snprintf(service, sizeof(service), "%u", d->port);
	failed = getaddrinfo(d->host, service, &hints, &first);
	if (failed)
		return err_set(err, ERR_UNREACHABLE,
			       "the name of the destination '%s' has no address: %s", d->text,
			       gai_strerror(failed));
	found = mem_zalloc(sizeof(*found));
	*found = (struct addresses){.references = 1, .first = first};
	pthread_mutex_lock(&d->lock);
	old = d->addresses;
	d->addresses = found;
	pthread_mutex_unlock(&d->lock);
	addresses_unref(old);
	return 0;
}

int destination_resolve(struct destination *d, struct err *err)
{
	return d->host_is_address ? 0 : look_up(d, err);
}

static bool is_address(const char *host)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static bool names_port(const char *text)
{
	const char *host = strstr(text, "://");
	const char *bracket, *colon;

	host = host ? host + 3 : text;
	bracket = strchr(host, ']');
	colon = strchr(bracket ? bracket : host, ':');
	return colon && colon[1] >= '0' && colon[1] <= '9';
}

static int fill(struct destination *d, const struct url *url, struct arena *mem, uint16_t port,
		const struct destination_tls *tls, struct err *err)
{
	struct url shown = *url;
	struct str text;
	int got;

	shown.port = port;
	text = url_without_secrets(&shown, mem);
	d->text = str_dup(text);
	d->host = str_dup(url->host);
	d->host_is_address = is_address(d->host);
	d->is_tls = url->tls;
	d->port = port;
	got = destination_reload_tls(d, tls, err);
	return got < 0 ? got : look_up(d, err);
}

int destination_new(const char *text, const struct destination_tls *tls, struct destination **out,
		    struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(KIB(64));
	struct destination *d;
	struct url url;
	uint16_t port;
	int got = url_parse(text, &mem, &url, err);

	if (got < 0)
		return err_wrap(err, "the destination");
	if (url.path.len > 0 || url.user.ptr)
		return err_set(err, ERR_USAGE,
			       "the destination has a path, user or password; requests are sent on "
			       "as they come, so give only scheme, host and port");
	port = names_port(text) ? url.port : url.tls ? 443 : 80;
	d = mem_zalloc(sizeof(*d));
	atomic_init(&d->references, 1);
	pthread_mutex_init(&d->lock, NULL);
	if ((got = fill(d, &url, &mem, port, tls, err)) < 0) {
		destination_unref(d);
		return got;
	}
	*out = d;
	return 0;
}

struct destination *destination_ref(struct destination *d)
{
	atomic_fetch_add(&d->references, 1);
	return d;
}

void destination_unref(struct destination *d)
{
	if (!d || atomic_fetch_sub(&d->references, 1) > 1)
		return;
	addresses_unref(d->addresses);
	pthread_mutex_destroy(&d->lock);
	SSL_CTX_free(d->tls);
	free(d->text);
	free(d->host);
	free(d);
}

SSL *destination_ssl(struct destination *d, int fd)
{
	SSL *ssl;

	pthread_mutex_lock(&d->lock);
	ssl = d->tls ? SSL_new(d->tls) : NULL;
	pthread_mutex_unlock(&d->lock);
	if (!ssl)
		return NULL;
	SSL_set_fd(ssl, fd);
	SSL_set_connect_state(ssl);
	if (d->host_is_address) {
		X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), d->host);
	} else {
		SSL_set_tlsext_host_name(ssl, d->host);
		SSL_set1_host(ssl, d->host);
	}
	return ssl;
}
