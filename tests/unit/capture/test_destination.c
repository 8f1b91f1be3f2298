#include "capture/destination.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_that_moved_is_found_again),
		cmocka_unit_test(an_address_is_not_looked_up_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
