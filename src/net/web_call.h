/* Single requests to the servers that hand out credentials: of tokens, of metadata. */
#ifndef NET_WEB_CALL_H
#define NET_WEB_CALL_H

#include "base/arena.h"
#include "base/buf.h"

struct web_call {
	const char *method;         /* "POST" */
	const char *url;            /* http:// or https://, with path and query; no user in it */
	const char *const *headers; /* whole lines */
	size_t header_count;
	const char *content_type; /* of the body; NULL: a form's */
	struct str body;
	const char *what;           /* who is asked, for messages: "Google's token server" */
	int64_t connect_timeout_ms; /* 0: 10 seconds */
};

/* The answer with status 200, in the arena; tried a few times where nobody answers or the server
 * is busy. ERR_AUTH: it answers otherwise (http_status says how, and the message what it says, and
 * both times where the clocks are far apart); `retry` is set where the same may work later. The
 * query of the URL is in no message. */
int web_call(const struct web_call *call, struct arena *mem, struct str *out, struct err *err);

/* A URL's server with its port, which http_options take: "http://host:80"; and what stands behind
 * it, "" or "/path?query". Of text that is no http or https URL: ERR_USAGE. */
int web_url_split(const char *url, struct arena *mem, const char **server, const char **path,
		  struct err *err);

/* The token in a file, without the white space at its end; in the arena. ERR_AUTH: there is none.
 */
int web_token_file(const char *path, struct arena *mem, struct str *out, struct err *err);

/* A variable that is set and not empty; else NULL. */
const char *web_variable(const char *name);

/* Appends "name=value" to a form or query, encoded, with '&' before all but the first. */
void web_form_add(struct buf *form, const char *name, struct str value);

#endif
