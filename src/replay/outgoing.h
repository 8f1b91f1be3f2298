/* A captured request on its way to the target: taken apart, changed, put together again. */
#ifndef REPLAY_OUTGOING_H
#define REPLAY_OUTGOING_H

#include "base/duration_tally.h"
#include "net/aws_credentials.h"
#include "traffic/http_message.h"
#include "transform/transform.h"

#define OUTGOING_BODY_MAX MIB(128) /* decoded */

struct outgoing {
	struct http_message captured; /* slices into the captured bytes */
	struct str method, target;
	struct http_field *fields; /* those to send, before authentication */
	size_t field_count;
	struct str body;   /* decoded when body_changed; else as captured, without chunks */
	bool body_changed; /* sent plain, with Content-Length */
};

enum outgoing_auth { AUTH_PASS, AUTH_REMOVE, AUTH_FIXED, AUTH_SIGV4 };

/* How requests are let in; borrowed. */
struct outgoing_rules {
	enum outgoing_auth auth;
	const char *authorization;           /* AUTH_FIXED: "Basic …", "ApiKey …" */
	struct aws_credentials *credentials; /* AUTH_SIGV4 */
	const char *region, *service;
	const char *host;       /* replaces Host where the request has one */
	struct str prefix;      /* put before the target's path */
	const char *user_agent; /* added to User-Agent as "; …"; NULL: nothing */
};

/* `bytes` outlive *out, as `mem`. ERR_FORMAT: it is no HTTP. */
int outgoing_open(struct str bytes, struct arena *mem, struct outgoing *out, struct err *err);
/* The body without its content coding: for who wants to look into it. */
int outgoing_decoded_body(struct outgoing *o, struct arena *mem, struct str *out, struct err *err);
/* What transformers had to do with. */
struct transform_counts {
	struct duration_tally took;
	uint64_t changed, unchanged, dropped;
	/* Bodies that were given to them, by what they were, and those that came back so. */
	uint64_t json, json_out, text, text_out, binary;
	uint64_t captured_bytes, decoded_bytes, made_bytes; /* of bodies, of what was not dropped */
};

/* Sends it through the steps as a message of kind request. 1; 0: it was dropped. On failure it is
 * as it was. Adds to *counts. */
int outgoing_transform(struct outgoing *o, struct transform *transform, struct arena *mem,
		       struct transform_counts *counts, struct err *err);
/* Appends the request as it is to be sent now (it is signed for this moment). ERR_AUTH: no
 * credentials. */
int outgoing_write(const struct outgoing *o, const struct outgoing_rules *rules, struct arena *mem,
		   struct buf *out, struct err *err);

#endif
