#include "capture/server_tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct server_tls {
	struct server_tls_options options;
	pthread_mutex_t lock;
	SSL_CTX *ctx; /* under the lock */
};

static int failed(struct err *err, const char *what, const char *path)
{
	unsigned long code = ERR_peek_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	return err_set(err, ERR_USAGE, "%s '%s' cannot be used: %s", what, path,
		       reason ? reason : "it is not there or not PEM");
}

static int add_client_ca_text(SSL_CTX *ctx, const char *pem, struct err *err)
{
	BIO *text = BIO_new_mem_buf(pem, (int)strlen(pem));
	X509 *one;
	int count = 0;

	while (text && (one = PEM_read_bio_X509(text, NULL, NULL, NULL))) {
		X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), one);
		SSL_CTX_add_client_CA(ctx, one);
		X509_free(one);
		count++;
	}
	BIO_free(text);
	ERR_clear_error();
	if (count == 0)
		return err_set(err, ERR_USAGE,
			       "the variable of --ssl-trust-cert-pem-env-var holds no certificate");
	return 0;
}

static int choose_http1(SSL *ssl, const unsigned char **out, unsigned char *out_len,
			const unsigned char *in, unsigned in_len, void *user)
{
	static const unsigned char known[] = "\x08http/1.1";

	(void)ssl;
	(void)user;
	if (SSL_select_next_proto((unsigned char **)(uintptr_t)out, out_len, known,
				  sizeof(known) - 1, in, in_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	return SSL_TLSEXT_ERR_OK;
}

static int configure(SSL_CTX *ctx, const struct server_tls_options *options, struct err *err)
{
	ERR_clear_error();
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"shardlift", 9);
	SSL_CTX_set_alpn_select_cb(ctx, choose_http1, NULL);
	if (SSL_CTX_use_certificate_chain_file(ctx, options->chain) != 1)
		return failed(err, "the certificate chain", options->chain);
	if (SSL_CTX_use_PrivateKey_file(ctx, options->key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1)
		return failed(err, "the key", options->key);
	if (options->client_ca) {
		if (SSL_CTX_load_verify_locations(ctx, options->client_ca, NULL) != 1)
			return failed(err, "the CA file of clients", options->client_ca);
		SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(options->client_ca));
	}
	if (options->client_ca_pem) {
		int got = add_client_ca_text(ctx, options->client_ca_pem, err);

		if (got < 0)
			return got;
	}
	if (options->require_client_auth)
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return 0;
}

int server_tls_reload(struct server_tls *tls, struct err *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method()), *old;
	int got;

	if (!ctx)
		return err_set(err, ERR_NOMEM, "TLS could not be set up");
	if ((got = configure(ctx, &tls->options, err)) < 0) {
		SSL_CTX_free(ctx);
		return got;
	}
	pthread_mutex_lock(&tls->lock);
	old = tls->ctx;
	tls->ctx = ctx;
	pthread_mutex_unlock(&tls->lock);
	SSL_CTX_free(old);
	return 0;
}

int server_tls_new(const struct server_tls_options *options, struct server_tls **out,
		   struct err *err)
{
	struct server_tls *tls = mem_zalloc(sizeof(*tls));
	int got;

	tls->options = *options;
	pthread_mutex_init(&tls->lock, NULL);
	if ((got = server_tls_reload(tls, err)) < 0) {
		server_tls_free(tls);
		return got;
	}
	*out = tls;
	return 0;
}

void server_tls_free(struct server_tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->ctx);
	pthread_mutex_destroy(&tls->lock);
	free(tls);
}

SSL *server_tls_ssl(struct server_tls *tls, int fd)
{
	SSL *ssl;

	pthread_mutex_lock(&tls->lock);
	ssl = SSL_new(tls->ctx);
	pthread_mutex_unlock(&tls->lock);
	if (!ssl)
		return NULL;
	SSL_set_fd(ssl, fd);
	SSL_set_accept_state(ssl);
	return ssl;
}
