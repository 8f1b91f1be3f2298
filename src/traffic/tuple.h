/* A tuple: one captured request with the source's response, what was sent to the target and each of
 * its responses, as a line of JSON.
 *
 *     {"sourceRequest":{…},"sourceResponse":{…},"targetRequest":{…},"targetResponses":[{…}],
 *      "connectionId":"<id>.<index>","error":"…","numRequests":N,"numErrors":M}
 *
 * On demand a response also has "first_byte_ms" and "last_byte_ms": 1.234, from the last byte of
 * the request, on both sides alike.
 *
 * Source: ParsedHttpMessagesAsDicts and ResultsToLogsConsumer of the Java tool; docs/replay.md.
 * Numbers keep their digits, unlike there. */
#ifndef TRAFFIC_TUPLE_H
#define TRAFFIC_TUPLE_H

#include "traffic/http_message.h"

#define TUPLE_BODY_MAX MIB(64) /* bytes of a decoded body; what is larger stays coded */

struct tuple_part {
	struct str bytes;    /* the message as it went over the wire; len 0: there was none */
	const char *failure; /* instead of a message; NULL: none */
	int64_t response_ms; /* of a response */
	bool has_spans;      /* the next two are written as well */
	int64_t first_byte_us, last_byte_us; /* of the response, from the last of the request */
};

struct tuple {
	struct tuple_part source_request, source_response, target_request;
	const struct tuple_part *target_responses; /* one for each attempt */
	size_t target_response_count;
	size_t errors; /* attempts of these that gave no response */
	struct str connection_id;
	int64_t index;
	const char *error; /* NULL: none */
	bool keep_auth;    /* Authorization is written as it is, else as REDACTED */
};

/* Appends the line with its end. Sticky in `out`. `mem` is scratch. */
void tuple_write(struct buf *out, const struct tuple *tuple, struct arena *mem);

#endif
