#include "capture/destination.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* In place of the system's: every name is this address; 0: no name is known. */
static in_addr_t answer;

int getaddrinfo(const char *restrict node, const char *restrict service,
		const struct addrinfo *restrict hints, struct addrinfo **restrict out)
{
	struct answered {
		struct addrinfo info;
		struct sockaddr_in address;
	} *one;

	(void)node, (void)service, (void)hints;
	if (answer == 0)
		return EAI_AGAIN;
	one = mem_zalloc(sizeof(*one));
	one->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = answer};
	one->info.ai_family = AF_INET;
	one->info.ai_addr = (struct sockaddr *)&one->address;
	*out = &one->info;
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	free(list);
}

static in_addr_t first_of(struct addresses *addresses)
{
	return ((struct sockaddr_in *)(void *)addresses->first->ai_addr)->sin_addr.s_addr;
}

static void a_name_that_moved_is_found_again(void **state)
{
	struct destination_tls tls = {0};
	struct destination *d;
	struct addresses *before, *after;
	struct err err = {0};

	(void)state;
	answer = htonl(0x0a000001);
	assert_int_equal(destination_new("http://source:9200", &tls, &d, &err), 0);
	before = destination_addresses(d);
	answer = htonl(0x0a000002);
	assert_int_equal(destination_resolve(d, &err), 0);
	answer = 0;
	assert_true(destination_resolve(d, &err) < 0);
	after = destination_addresses(d);
	/* Whoever was trying the old ones still has them. */
	assert_int_equal(first_of(before), htonl(0x0a000001));
	assert_int_equal(first_of(after), htonl(0x0a000002));
	addresses_unref(before);
	addresses_unref(after);
	destination_unref(d);
}

static void an_address_is_not_looked_up_again(void **state)
{
	struct destination_tls tls = {0};
	struct destination *d;
	struct err err = {0};

	(void)state;
	answer = htonl(0x7f000001);
	assert_int_equal(destination_new("http://127.0.0.1:9200", &tls, &d, &err), 0);
	answer = 0;
	assert_int_equal(destination_resolve(d, &err), 0);
	destination_unref(d);
}

/* Key and certificate, both in `path`. */
static void write_certificate(const char *path, long serial)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	BIO *file = BIO_new_file(path, "w");

	assert_non_null(file);
	ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
	X509_gmtime_adj(X509_getm_notBefore(x), -86400);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_set_pubkey(x, key);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(file, x), 1);
	assert_int_equal(PEM_write_bio_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	BIO_free(file);
	X509_free(x);
	EVP_PKEY_free(key);
}

/* The number of the certificate that is shown to it. */
static long shown_to(struct destination *d)
{
	SSL *ssl = destination_ssl(d, -1);
	long serial;

	assert_non_null(ssl);
	serial = ASN1_INTEGER_get(X509_get0_serialNumber(SSL_get_certificate(ssl)));
	SSL_free(ssl);
	return serial;
}

static void its_certificates_are_read_anew(void **state)
{
	char path[] = "/tmp/destinationXXXXXX";
	const struct destination_tls tls = {.ca = path, .client_cert = path, .client_key = path};
	int fd = mkstemp(path);
	struct destination *d;
	struct err err = {0};

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	write_certificate(path, 7);
	answer = htonl(0x7f000001);
	assert_int_equal(destination_new("https://127.0.0.1:9200", &tls, &d, &err), 0);
	assert_int_equal(shown_to(d), 7);
	write_certificate(path, 8);
	assert_int_equal(destination_reload_tls(d, &tls, &err), 0);
	assert_int_equal(shown_to(d), 8);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(destination_reload_tls(d, &tls, &err), -ERR_USAGE);
	assert_non_null(strstr(err.message, path));
	assert_int_equal(shown_to(d), 8);
	destination_unref(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_that_moved_is_found_again),
		cmocka_unit_test(an_address_is_not_looked_up_again),
		cmocka_unit_test(its_certificates_are_read_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
