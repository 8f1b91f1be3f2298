/* A connection of the replayer to a target with TLS that this test plays by hand: what came behind
 * an answer, in the same packet, is no part of the next. */
#include "replay/target.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

enum { TURNS = 60000 };

#define REQUEST "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

struct fixture {
	struct event_base *base;
	struct target *target;
	struct target_connection *connection;
	SSL_CTX *tls;
	SSL *ssl;     /* of the connection accepted last; NULL: none */
	BIO *written; /* what it has to send */
	int listener, client;
	size_t accepted, asked;
	const char *behind; /* the first answer: a text; NULL: the end of TLS, not of TCP */
	unsigned done;
	int status;
};

static void on_done(void *user, const struct target_answer *answer)
{
	struct fixture *f = user;

	f->done++;
	f->status = answer->status;
}

static SSL_CTX *make_certificate(void)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();

	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -86400);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_set_pubkey(x, key);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	assert_int_equal(SSL_CTX_use_certificate(tls, x), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(tls, key), 1);
	X509_free(x);
	EVP_PKEY_free(key);
	return tls;
}

static int set_up(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct fixture *f = calloc(1, sizeof(*f));
	socklen_t len = sizeof(address);
	char url[64];
	const struct http_options options = {.host = url, .insecure = true};
	struct err err = {0};

	f->client = -1;
	f->tls = make_certificate();
	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(f->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(f->listener, 16), 0);
	getsockname(f->listener, (struct sockaddr *)&address, &len);
	snprintf(url, sizeof(url), "https://127.0.0.1:%d", ntohs(address.sin_port));
	f->base = event_base_new();
	if (target_new(f->base, &options, &f->target, &err) < 0)
		fail_msg("%s", err.message);
	f->connection = target_connection_new(f->target);
	*state = f;
	return 0;
}

static void hang_up(struct fixture *f)
{
	SSL_free(f->ssl);
	f->ssl = NULL;
	if (f->client >= 0)
		close(f->client);
	f->client = -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	target_connection_free(f->connection);
	target_free(f->target);
	event_base_loop(f->base, EVLOOP_NONBLOCK);
	event_base_free(f->base);
	hang_up(f);
	close(f->listener);
	SSL_CTX_free(f->tls);
	free(f);
	return 0;
}

/* The last one wins. */
static void accept_one(struct fixture *f)
{
	int fd = accept4(f->listener, NULL, NULL, SOCK_NONBLOCK);

	if (fd < 0)
		return;
	hang_up(f);
	f->client = fd;
	f->accepted++;
	f->ssl = SSL_new(f->tls);
	f->written = BIO_new(BIO_s_mem());
	SSL_set_bio(f->ssl, BIO_new_socket(fd, BIO_NOCLOSE), f->written);
	SSL_set_accept_state(f->ssl);
}

static void answer(struct fixture *f)
{
	char got[sizeof(REQUEST)];

	if (SSL_read(f->ssl, got, sizeof(got)) <= 0)
		return;
	SSL_write(f->ssl, ANSWER, (int)strlen(ANSWER));
	if (++f->asked > 1)
		return;
	if (f->behind)
		SSL_write(f->ssl, f->behind, (int)strlen(f->behind));
	else
		SSL_shutdown(f->ssl);
}

/* All that is to be sent goes at once. */
static void turn(struct fixture *f)
{
	const struct timespec wait = {.tv_nsec = 1000000};
	char *bytes;
	long len;

	event_base_loop(f->base, EVLOOP_NONBLOCK);
	accept_one(f);
	if (f->ssl)
		answer(f);
	if (f->ssl && (len = BIO_get_mem_data(f->written, &bytes)) > 0) {
		assert_int_equal(send(f->client, bytes, (size_t)len, MSG_NOSIGNAL), len);
		(void)BIO_reset(f->written);
	}
	nanosleep(&wait, NULL);
}

static void ask(struct fixture *f)
{
	const struct target_request request = {.bytes = STR(REQUEST)};
	unsigned before = f->done;

	target_connection_send(f->connection, &request, on_done, f);
	for (int i = 0; i < TURNS && f->done == before; i++)
		turn(f);
	assert_int_equal(f->done, before + 1);
}

static void ask_twice(struct fixture *f)
{
	ask(f);
	assert_int_equal(f->status, 200);
	ask(f);
	assert_int_equal(f->status, 200);
	assert_int_equal(f->asked, 2);
	assert_int_equal(f->accepted, 2);
}

static void the_end_of_tls_behind_an_answer_ends_the_connection(void **state)
{
	ask_twice(*state);
}

static void what_nobody_asked_for_is_not_the_next_answer(void **state)
{
	struct fixture *f = *state;

	f->behind = "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno";
	ask_twice(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_end_of_tls_behind_an_answer_ends_the_connection),
		TEST(what_nobody_asked_for_is_not_the_next_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
