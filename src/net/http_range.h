/* Ranges read straight to where they are wanted, over connections of their own: libcurl makes and
 * secures them, and what it would copy through its buffer is received in place. Part of
 * http_client.c. */
#ifndef NET_HTTP_RANGE_H
#define NET_HTTP_RANGE_H

#include "net/http_client_internal.h"

/* Sends a request for a range, where it is of a kind that this is for (one try that can be
 * stopped). 1: there is an answer. 0: send it the ordinary way, which may be because this one
 * failed. Negative: stopped, or out of time. */
int http_range_send(struct http_client *client, const struct http_request *request,
		    struct http_response *response, struct err *err);
/* Of the last answer, which came from http_range_send; NULL: no such header. */
const char *http_range_answer_header(struct http_range *range, const char *name);
struct http_range *http_range_new(void);
void http_range_free(struct http_range *range);

#endif
