#include "net/http_range.h"

#include "base/clock.h"
#include "base/limits.h"
#include "net/http1.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#define HEAD_MAX KIB(16)
/* How often a silent connection is looked at for being stopped. */
#define LOOK_MS 1000
/* Over a connection that is there already the first ranges are not kept waiting for another. */
#define ORDINARY_FIRST 2
/* After a connection that could not be made. */
#define REST_MS (60 * 1000)

struct exchange {
	struct http_client *client;
	struct http_range *range;
	const struct http_request *request;
	curl_socket_t socket;
	int64_t end_ms;
	bool drained; /* the last read took all there was */
	struct http1 head;
};

/* No other request does without what libcurl adds to it. */
static bool is_for_ranges(const struct http_client *client, const struct http_request *request)
{
	return request->into && request->stop && request->as_it_is && request->body.len == 0 &&
	       strcmp(request->method, "GET") == 0 && !client->proxy && !client->user &&
	       !client->authorization && !client->aws_region;
}

static void disconnect(struct http_range *range)
{
	curl_easy_cleanup(range->curl);
	range->curl = NULL;
}

static bool set_up(struct http_client *client, CURL *curl)
{
	return curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_URL, client->base) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
				(long)MIN(client->connect_timeout_ms,
					  client->request_timeout_ms)) == CURLE_OK;
}

static bool is_connected(struct http_client *client)
{
	struct http_range *range = client->range;

	if (range->curl)
		return true;
	if ((client->answered && range->asked++ < ORDINARY_FIRST) ||
	    clock_monotonic_ms() < range->not_before_ms)
		return false;
	range->curl = curl_easy_duphandle(client->curl);
	if (!range->curl)
		BUG("out of memory");
	if (set_up(client, range->curl) && curl_easy_perform(range->curl) == CURLE_OK)
		return true;
	disconnect(range);
	range->not_before_ms = clock_monotonic_ms() + REST_MS;
	return false;
}

static CURLcode await(const struct exchange *x, short events)
{
	struct pollfd fd = {.fd = x->socket, .events = events};

	for (;;) {
		int64_t left = x->end_ms - clock_monotonic_ms();
		int n;

		if (http_client_is_stopped(x->client))
			return CURLE_ABORTED_BY_CALLBACK;
		if (left <= 0)
			return CURLE_OPERATION_TIMEDOUT;
		n = poll(&fd, 1, (int)MIN(left, (int64_t)LOOK_MS));
		if (n > 0)
			return CURLE_OK;
		if (n < 0 && errno != EINTR)
			return CURLE_RECV_ERROR;
	}
}

/* At least one byte, and at most `room`. */
static CURLcode receive(struct exchange *x, char *to, size_t room, size_t *n)
{
	bool plain = !x->client->url.tls;
	CURLcode code = CURLE_AGAIN;

	for (;;) {
		if (!x->drained)
			code = curl_easy_recv(x->range->curl, to, room, n);
		if (code == CURLE_OK)
			x->drained = plain && *n < room;
		if (code == CURLE_OK && *n == 0)
			return CURLE_GOT_NOTHING;
		if (code != CURLE_AGAIN)
			return code;
		x->drained = false;
		if ((code = await(x, POLLIN)) != CURLE_OK)
			return code;
		code = CURLE_AGAIN;
	}
}

static CURLcode send_text(struct exchange *x, struct str text)
{
	CURLcode code = CURLE_OK;
	size_t n;

	while (text.len > 0 && code == CURLE_OK) {
		code = curl_easy_send(x->range->curl, text.ptr, text.len, &n);
		if (code == CURLE_OK)
			text = str_from_offset(text, n);
		else if (code == CURLE_AGAIN)
			code = await(x, POLLOUT);
	}
	return code;
}

static CURLcode send_request(struct exchange *x)
{
	const struct http_request *request = x->request;
	struct buf *text = &x->range->bytes;

	buf_reset(text);
	buf_printf(text, "GET " STR_FMT "%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\n",
		   STR_ARG(x->client->url.path), request->path, x->client->host, x->client->agent);
	buf_append_str(text, STR("Accept: */*\r\n"));
	for (size_t i = 0; i < request->header_count; i++)
		buf_printf(text, "%s\r\n", request->headers[i]);
	buf_append_str(text, STR("\r\n"));
	return text->failed ? CURLE_SEND_ERROR : send_text(x, buf_str(text));
}

/* What has none by its status may tell a length all the same. */
static bool has_counted_body(const struct http1 *head)
{
	return head->has_length && head->status >= 200 && head->status != 204 &&
	       head->status != 304;
}

/* The head, and what came with it; the latter is not consumed. */
static CURLcode receive_head(struct exchange *x)
{
	struct buf *bytes = &x->range->bytes;
	CURLcode code;
	size_t n;

	buf_reset(bytes);
	buf_reserve(bytes, HEAD_MAX);
	http1_response_init(&x->head, HEAD_MAX, false);
	x->drained = !x->client->url.tls; /* nothing can be there yet but what TLS says itself */
	while (!http1_head_done(&x->head)) {
		if (bytes->len == HEAD_MAX)
			return CURLE_WEIRD_SERVER_REPLY;
		code = receive(x, bytes->ptr + bytes->len, HEAD_MAX - bytes->len, &n);
		if (code != CURLE_OK)
			return code;
		bytes->len += n;
		http1_feed(&x->head, buf_str(bytes));
		if (x->head.state == HTTP1_FAILED)
			return CURLE_WEIRD_SERVER_REPLY;
	}
	return has_counted_body(&x->head) ? CURLE_OK : CURLE_WEIRD_SERVER_REPLY;
}

/* Where the body goes; NULL: it is not for us. */
static char *place_of(const struct exchange *x, struct http_response *response)
{
	if (x->head.status == 206)
		return x->head.length <= x->request->into_size ? x->request->into : NULL;
	return x->head.length <= response->body.limit
		       ? buf_reserve(&response->body, (size_t)x->head.length)
		       : NULL;
}

static CURLcode receive_body(struct exchange *x, struct http_response *response)
{
	struct str came = str_from_offset(buf_str(&x->range->bytes), x->head.head_bytes);
	size_t length = (size_t)x->head.length, got = came.len;
	char *to = place_of(x, response);
	CURLcode code;

	if (!to || got > length)
		return CURLE_WEIRD_SERVER_REPLY;
	if (got > 0)
		memcpy(to, came.ptr, got);
	for (size_t n; got < length; got += n)
		if ((code = receive(x, to + got, length - got, &n)) != CURLE_OK)
			return code;
	if (x->head.status == 206)
		response->into_len = length;
	else
		response->body.len = length;
	return CURLE_OK;
}

static CURLcode take_turns(struct exchange *x, struct http_response *response)
{
	CURLcode code = send_request(x);

	if (code == CURLE_OK)
		code = receive_head(x);
	return code == CURLE_OK ? receive_body(x, response) : code;
}

int http_range_send(struct http_client *client, const struct http_request *request,
		    struct http_response *response, struct err *err)
{
	int64_t start = clock_monotonic_ms();
	struct exchange x = {.client = client,
			     .range = client->range,
			     .request = request,
			     .end_ms = start + (request->timeout_ms > 0
							? request->timeout_ms
							: client->request_timeout_ms)};
	CURLcode code;

	client->range->answered = false;
	arena_reset(&client->range->mem);
	if (!is_for_ranges(client, request) || !is_connected(client) ||
	    curl_easy_getinfo(client->range->curl, CURLINFO_ACTIVESOCKET, &x.socket) != CURLE_OK)
		return 0;
	client->reason[0] = '\0';
	code = take_turns(&x, response);
	if (code != CURLE_OK || !x.head.keep_alive)
		disconnect(client->range);
	/* What answers one connection at a time, or in another way, would do so every time. */
	if (code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_OPERATION_TIMEDOUT)
		client->range->not_before_ms = INT64_MAX;
	if (code == CURLE_ABORTED_BY_CALLBACK || code == CURLE_OPERATION_TIMEDOUT)
		return http_failure(client, request, code, err);
	if (code != CURLE_OK)
		return 0;
	client->answered = client->range->answered = true;
	response->status = x.head.status;
	response->elapsed_ms = clock_monotonic_ms() - start;
	response->retry_after_ms = -1;
	return 1;
}

const char *http_range_answer_header(struct http_range *range, const char *name)
{
	struct str head = buf_str(&range->bytes);
	struct http1_header header;
	size_t at = 0;

	while (http1_next_header(head, &at, &header))
		if (http1_name_is(header.name, name))
			return arena_str(&range->mem, header.value).ptr;
	return NULL;
}

struct http_range *http_range_new(void)
{
	struct http_range *range = mem_zalloc(sizeof(*range));

	range->bytes = BUF_INIT(8 * LIMIT_PATH + KIB(64));
	range->mem = ARENA_INIT(KIB(64));
	return range;
}

void http_range_free(struct http_range *range)
{
	disconnect(range);
	buf_release(&range->bytes);
	arena_release(&range->mem);
	free(range);
}
