#include "cluster/cluster_error.h"

#include <stdio.h>

#define LONGEST_REASON 600
#define LONGEST_PLAIN_WORDS 200

/* What lies deepest under "caused_by": usually the value or setting that is wrong. */
static const struct json *root_cause(const struct json *error)
{
	const struct json *cause = json_get(error, "caused_by");

	for (const struct json *next = cause; next; next = json_get(next, "caused_by"))
		cause = next;
	return cause;
}

static struct str or_status(struct str reason, int status, struct arena *mem)
{
	if (!reason.len)
		reason = arena_printf(mem, "status %d", status);
	return reason.ptr ? reason : STR("no memory for the reason");
}

void cluster_error_parts(const struct json *error, int status, struct arena *mem, struct str *type,
			 struct str *reason)
{
	const struct json *cause = root_cause(error);
	struct str deeper = json_string(json_get(cause, "reason"));

	*type = json_string(json_get(error, "type"));
	*reason = error && error->type == JSON_STRING ? error->text
						      : json_string(json_get(error, "reason"));
	if (deeper.len && !str_eq(deeper, *reason))
		*reason = arena_printf(mem, STR_FMT " (" STR_FMT ": " STR_FMT ")", STR_ARG(*reason),
				       STR_ARG(json_string(json_get(cause, "type"))),
				       STR_ARG(deeper));
	*reason = or_status(*reason, status, mem);
}

struct str cluster_error_reason(const struct json *answer, int status, struct arena *mem)
{
	/* "message" is what the proxies of cloud providers say. */
	static const char *const elsewhere[] = {"message", "Message"};
	const struct json *error = json_get(answer, "error");
	struct str type, reason;

	for (size_t i = 0; !error && i < COUNT_OF(elsewhere); i++)
		error = json_get(answer, elsewhere[i]);
	cluster_error_parts(error, status, mem, &type, &reason);
	if (type.len)
		reason = arena_printf(mem, STR_FMT ": " STR_FMT, STR_ARG(type), STR_ARG(reason));
	else
		reason = arena_str(mem, reason);
	return or_status(reason, status, mem);
}

/* An answer in plain words, such as "Unauthorized", on one line. */
static struct str plain_words(struct str body, struct arena *mem)
{
	struct str words = arena_str(mem, str_of(body.ptr, MIN(body.len, LONGEST_PLAIN_WORDS)));

	if (!words.len || memchr(words.ptr, '<', words.len))
		return STR_NONE;
	for (size_t i = 0; i < words.len; i++)
		if ((unsigned char)words.ptr[i] < ' ')
			return str_of(words.ptr, i);
	return words;
}

struct str cluster_response_reason(const struct cluster *cluster, struct arena *mem)
{
	struct str body = buf_str(&cluster->response.body), words;
	struct json *answer = NULL;

	if (json_parse(body, mem, &answer, NULL) == 0)
		return cluster_error_reason(answer, cluster->response.status, mem);
	words = plain_words(body, mem);
	return words.len ? words : cluster_error_reason(NULL, cluster->response.status, mem);
}

bool cluster_response_is_refusal(const struct cluster *cluster)
{
	static const struct str block = STR("cluster_block_exception");
	struct str body = buf_str(&cluster->response.body);

	if (cluster->response.status == 401)
		return true;
	return cluster->response.status == 403 &&
	       !(body.len && memmem(body.ptr, body.len, block.ptr, block.len));
}

/* Who asked, and what to do when that one is not known (401). */
static void describe_asker(const struct http_client *client, char who[static 400],
			   char next[static 400])
{
	const char *user = http_client_user(client), *flag = http_client_flag_prefix(client);

	if (user) {
		snprintf(who, 400, "user '%s'", user);
		snprintf(next, 400, "check %susername and %spassword", flag, flag);
	} else if (http_client_has_api_key(client)) {
		snprintf(who, 400, "the API key");
		snprintf(next, 400, "check %sapi-key", flag);
	} else {
		snprintf(who, 400, "a request without a user");
		snprintf(next, 400, "give %susername and %spassword, or %sapi-key", flag, flag,
			 flag);
	}
}

static bool is_anonymous(const struct http_client *client)
{
	return !http_client_user(client) && !http_client_has_api_key(client);
}

int cluster_refusal(const struct cluster *cluster, const struct http_request *request,
		    struct err *err)
{
	struct arena mem = ARENA_INIT(MIB(64));
	struct str reason = cluster_response_reason(cluster, &mem);
	int status = cluster->response.status;
	bool unknown = status == 401 || is_anonymous(cluster->client);
	char who[400], next[400];

	describe_asker(cluster->client, who, next);
	err_set(err, ERR_AUTH, "%s %s%.*s: %s is %s (status %d: %.*s); %s", request->method,
		http_client_url(cluster->client), (int)strcspn(request->path, "?"), request->path,
		who, unknown ? "refused" : "not allowed this", status,
		(int)MIN(reason.len, LONGEST_REASON), reason.ptr,
		unknown ? next : "grant it the permission, or take another");
	if (err)
		err->http_status = status;
	arena_release(&mem);
	return -ERR_AUTH;
}

int cluster_bad_status(const struct cluster *cluster, const struct http_request *request,
		       const char *what, struct err *err)
{
	struct arena mem = ARENA_INIT(MIB(64));
	struct str reason = cluster_response_reason(cluster, &mem);

	err_set(err, ERR_HTTP, "%s %s%.*s: %s: status %d: %.*s", request->method,
		http_client_url(cluster->client), (int)strcspn(request->path, "?"), request->path,
		what, cluster->response.status, (int)MIN(reason.len, LONGEST_REASON), reason.ptr);
	if (err) {
		err->http_status = cluster->response.status;
		err->retry = cluster_status_is_passing(cluster->response.status);
	}
	arena_release(&mem);
	return -ERR_HTTP;
}
