#include "net/http_client.h"
#include "net/metrics_server.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void collect(void *user, struct buf *out)
{
	buf_append_str(out, *(struct str *)user);
}

static struct metrics_server *start(const char *host, struct str *text)
{
	const struct metrics_server_options options = {.host = host};
	struct metrics_server *server = NULL;
	struct err err = {0};

	assert_int_equal(metrics_server_start(&options, collect, text, &server, &err), 0);
	assert_int_not_equal(metrics_server_port(server), 0);
	return server;
}

/* The status; the body goes to `out`. */
static int get(const struct metrics_server *server, const char *method, const char *path,
	       struct buf *out)
{
	const struct http_request request = {.method = method, .path = path};
	struct http_response response = {0};
	struct http_client *client;
	struct err err = {0};
	char url[64];
	int status;

	snprintf(url, sizeof(url), "http://127.0.0.1:%u", metrics_server_port(server));
	assert_int_equal(http_client_new(&(struct http_options){.host = url}, &client, &err), 0);
	assert_int_equal(http_client_send(client, &request, &response, &err), 0);
	buf_append_str(out, buf_str(&response.body));
	status = response.status;
	http_response_release(&response);
	http_client_free(client);
	return status;
}

static void metrics_are_served_and_nothing_else(void **state)
{
	cleanup(buf_release) struct buf body = BUF_INIT(KIB(4));
	struct str text = STR("docs_total 1\n");
	struct metrics_server *server = start(NULL, &text);

	(void)state;
	assert_int_equal(get(server, "GET", "/metrics", &body), 200);
	assert_string_equal(buf_cstr(&body), "docs_total 1\n");
	text = STR("docs_total 2\n");
	buf_reset(&body);
	assert_int_equal(get(server, "GET", "/metrics", &body), 200);
	assert_string_equal(buf_cstr(&body), "docs_total 2\n");
	assert_int_equal(get(server, "GET", "/", &body), 404);
	assert_int_equal(get(server, "POST", "/metrics", &body), 405);
	metrics_server_stop(server);
}

static void a_port_that_is_taken_is_told(void **state)
{
	struct str text = STR("");
	struct metrics_server *first = start("127.0.0.1", &text), *second = NULL;
	const struct metrics_server_options options = {.port = metrics_server_port(first)};
	struct err err = {0};
	char port[8];

	(void)state;
	snprintf(port, sizeof(port), "%u", metrics_server_port(first));
	assert_int_equal(metrics_server_start(&options, collect, &text, &second, &err), -ERR_IO);
	assert_non_null(strstr(err.message, port));
	assert_null(second);
	metrics_server_stop(first);
}

static void a_host_that_is_no_address_is_refused(void **state)
{
	const struct metrics_server_options options = {.host = "all"};
	struct metrics_server *server = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(metrics_server_start(&options, collect, NULL, &server, &err), -ERR_USAGE);
	assert_non_null(strstr(err.message, "'all'"));
	metrics_server_stop(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metrics_are_served_and_nothing_else),
		cmocka_unit_test(a_port_that_is_taken_is_told),
		cmocka_unit_test(a_host_that_is_no_address_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
