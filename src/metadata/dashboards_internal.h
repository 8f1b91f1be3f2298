/* What the files of the API share. */
#ifndef METADATA_DASHBOARDS_INTERNAL_H
#define METADATA_DASHBOARDS_INTERNAL_H

#include "base/backoff.h"
#include "metadata/dashboards_api.h"

struct dashboards {
	struct http_client *client;
	struct http_response response; /* of the last request */
	struct backoff_policy retry;
	struct alarm_clock alarm;
	bool is_kibana;
	int major, minor;
	char version_text[64];
};

struct dashboards_request {
	const char *method, *path; /* below that of the space */
	const char *content_type;  /* NULL: application/json */
	struct str body;
	struct str space; /* "", or a space of Kibana or a tenant of Dashboards */
};

/* Any status but 401 and 403 (ERR_AUTH), 429, 502, 503 and 504 (tried again, then ERR_HTTP) is a
 * success here; the answer is in dashboards->response. */
int dashboards_send(struct dashboards *dashboards, const struct dashboards_request *request,
		    struct err *err);
/* The answer as JSON in `mem`; NULL where it is none. */
struct json *dashboards_answer(struct dashboards *dashboards, struct arena *mem);
/* "message" of the answer, else its status. */
struct str dashboards_reason(const struct dashboards *dashboards, const struct json *answer,
			     struct arena *mem);

#endif
