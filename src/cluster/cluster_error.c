#include "cluster/cluster_error.h"

#include <stdio.h>

#define LONGEST_REASON KIB(2)
#define LONGEST_IN_MESSAGE 600
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

/* Elasticsearch 7.10 quotes the buffer that its parser met an error in: other documents, and even
 * the request's Authorization field. Nothing from there on may get into messages and files. */
static struct str without_echo(struct str reason)
{
	static const struct str marks[] = {STR(" at [Source:"), STR("Authorization:")};

	for (size_t i = 0; i < COUNT_OF(marks); i++) {
		const char *at =
			reason.len ? memmem(reason.ptr, reason.len, marks[i].ptr, marks[i].len)
				   : NULL;

		if (at)
			reason.len = (size_t)(at - reason.ptr);
	}
	while (reason.len && (unsigned char)reason.ptr[reason.len - 1] <= ' ')
		reason.len--;
	return reason;
}

/* A copy on one line, not longer than a reason may be. */
static struct str tidied(struct str reason, struct arena *mem)
{
	size_t len = MIN(reason.len, LONGEST_REASON);
	char *line = arena_alloc(mem, len + 1);

	if (!line)
		return STR_NONE;
	/* Not in the middle of a character. */
	while (len < reason.len && len > 0 && ((unsigned char)reason.ptr[len] & 0xc0) == 0x80)
		len--;
	for (size_t i = 0; i < len; i++)
		line[i] = (unsigned char)reason.ptr[i] < ' ' ? ' ' : reason.ptr[i];
	line[len] = '\0';
	return str_of(line, len);
}

void cluster_error_parts(const struct json *error, int status, struct arena *mem, struct str *type,
			 struct str *reason)
{
	const struct json *cause = root_cause(error);
	struct str deeper = without_echo(json_string(json_get(cause, "reason")));
	struct str said = error && error->type == JSON_STRING
				  ? error->text
				  : json_string(json_get(error, "reason"));

	said = without_echo(said);
	*type = json_string(json_get(error, "type"));
	if (deeper.len && !str_eq(deeper, said))
		said = arena_printf(mem, STR_FMT " (" STR_FMT ": " STR_FMT ")", STR_ARG(said),
				    STR_ARG(json_string(json_get(cause, "type"))), STR_ARG(deeper));
	*reason = or_status(tidied(said, mem), status, mem);
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

/* Blocks have numbers: 12 and 13 are read_only_allow_delete of an index and of the cluster. The
 * status beside them is 403 up to Elasticsearch 7.9 and 429 since.
 * Source: IndexMetadata.INDEX_READ_ONLY_ALLOW_DELETE_BLOCK,
 * Metadata.CLUSTER_READ_ONLY_ALLOW_DELETE_BLOCK. */
bool cluster_error_is_full_disk(const struct json *error)
{
	static const struct str blocks[] = {STR("[FORBIDDEN/12/"), STR("[TOO_MANY_REQUESTS/12/"),
					    STR("[FORBIDDEN/13/")};
	struct str reason = json_string(json_get(error, "reason"));

	if (!str_is(json_string(json_get(error, "type")), "cluster_block_exception"))
		return false;
	for (size_t i = 0; reason.len && i < COUNT_OF(blocks); i++)
		if (memmem(reason.ptr, reason.len, blocks[i].ptr, blocks[i].len))
			return true;
	return false;
}

bool cluster_response_is_full_disk(const struct cluster *cluster)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	int status = cluster->response.status;
	struct json *answer = NULL;

	if (status != 403 && status != 429)
		return false;
	if (json_parse(buf_str(&cluster->response.body), &mem, &answer, NULL) < 0)
		return false;
	return cluster_error_is_full_disk(json_get(answer, "error"));
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
	} else if (http_client_aws_origin(client)) {
		snprintf(who, 400, "the AWS identity of %s", http_client_aws_origin(client));
		snprintf(next, 400,
			 "check %saws-region and that a policy allows it es:ESHttp* (or, for a "
			 "collection, that a data access policy names it)",
			 flag);
	} else {
		snprintf(who, 400, "a request without a user");
		snprintf(next, 400, "give %susername and %spassword, or %sapi-key", flag, flag,
			 flag);
	}
}

static bool is_anonymous(const struct http_client *client)
{
	return !http_client_user(client) && !http_client_has_api_key(client) &&
	       !http_client_aws_origin(client);
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
		(int)MIN(reason.len, LONGEST_IN_MESSAGE), reason.ptr,
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
		what, cluster->response.status, (int)MIN(reason.len, LONGEST_IN_MESSAGE),
		reason.ptr);
	if (err) {
		err->http_status = cluster->response.status;
		err->retry = cluster_status_is_passing(cluster->response.status);
	}
	arena_release(&mem);
	return -ERR_HTTP;
}
