#include "store/gcs_store.h"

#include "net/gcp_credentials.h"
#include "net/web_call.h"
#include "store/gcs_error.h"
#include "store/gcs_list.h"
#include "store/object_store.h"

#include <stdio.h>
#include <stdlib.h>

#define OWN_ENDPOINT "https://storage.googleapis.com"
/* Larger objects go up in chunks of this size, which must be a multiple of 256 KiB. */
#define CHUNK MIB(8)
/* Answers in a row after which a chunk has not gone on. */
#define STALLS_MAX 5

struct gcs_account {
	struct arena mem;
	const char *bucket;
	const char *base;                    /* path of the endpoint: "" or "/proxy" */
	struct gcp_credentials *credentials; /* NULL: none are sent */
};

static int gcs_let_in(void *user, const struct object_request *request, struct arena *mem,
		      struct object_pass *out, struct err *err)
{
	struct gcs_account *account = user;
	int rc;

	(void)request;
	/* Else an object that is stored as gzip would come unpacked, and without ranges. */
	out->line[out->count++] = "Accept-Encoding: gzip";
	if (!account->credentials)
		return 0;
	rc = gcp_credentials_token(account->credentials, mem, &out->credential, err);
	if (rc < 0)
		return rc;
	out->line[out->count] =
		arena_printf(mem, "Authorization: Bearer %s", out->credential.ptr).ptr;
	return out->line[out->count++] ? 0 : arena_fail(mem, "a header", err);
}

static void gcs_expire(void *user, struct str credential)
{
	struct gcs_account *account = user;

	if (account->credentials)
		gcp_credentials_expire(account->credentials, credential);
}

static const char *gcs_origin(void *user)
{
	struct gcs_account *account = user;

	return account->credentials ? gcp_credentials_origin(account->credentials) : "anonymous";
}

static int gcs_explain(void *user, const struct object_refusal *refusal, struct err *err)
{
	struct gcs_account *account = user;

	return gcs_refusal_explain(refusal, account->bucket, !account->credentials, err);
}

static void gcs_free(void *user)
{
	struct gcs_account *account = user;

	gcp_credentials_free(account->credentials);
	arena_release(&account->mem);
	free(account);
}

static const struct object_dialect gcs_dialect = {
	.endpoint_flag = "--gcs-endpoint",
	.tag_header = "x-goog-generation",
	.let_in = gcs_let_in,
	.expire = gcs_expire,
	.origin = gcs_origin,
	.is_object_missing = gcs_refusal_is_object_missing,
	.is_passing = gcs_refusal_is_passing,
	.is_expired = gcs_refusal_is_expired,
	.explain = gcs_explain,
	.free_account = gcs_free,
};

static void gcs_write_get(void *user, struct str key, const char *tag, struct buf *target)
{
	const struct gcs_account *account = user;

	buf_printf(target, "%s/storage/v1/b/%s/o/", account->base, account->bucket);
	http_append_encoded(target, key);
	buf_append_str(target, STR("?alt=media"));
	if (tag[0]) {
		buf_append_str(target, STR("&ifGenerationMatch="));
		http_append_encoded(target, str_from(tag));
	}
}

static void gcs_write_list(void *user, struct str prefix, bool below, struct str token,
			   struct buf *target)
{
	const struct gcs_account *account = user;

	buf_printf(target, "%s/storage/v1/b/%s/o?%sprefix=", account->base, account->bucket,
		   below ? "" : "delimiter=%2F&");
	http_append_encoded(target, prefix);
	buf_append_str(target, STR("&fields=items(name%2Csize)%2CnextPageToken"));
	if (token.len > 0) {
		buf_append_str(target, STR("&pageToken="));
		http_append_encoded(target, token);
	}
}

static int upload(struct object_service *service, const char *uri, struct object_request *request,
		  struct object_answer *answer, struct err *err)
{
	int rc = object_service_send(service, uri, request, answer, err);

	return rc < 0 ? err_wrap(err, "upload of '" STR_FMT "'", STR_ARG(request->object)) : 0;
}

static void write_upload(const struct gcs_account *account, const char *type, struct str key,
			 struct buf *target)
{
	buf_printf(target, "%s/upload/storage/v1/b/%s/o?uploadType=%s&name=", account->base,
		   account->bucket, type);
	http_append_encoded(target, key);
}

static int put_whole(struct object_service *service, const char *uri, struct str key,
		     struct str bytes, struct err *err)
{
	cleanup(buf_release) struct buf target = BUF_INIT(8 * LIMIT_PATH);
	cleanup(object_answer_release) struct object_answer answer = {0};
	struct object_request request = {.method = "POST",
					 .object = key,
					 .content_type = "application/octet-stream",
					 .body = bytes};

	write_upload(object_service_account(service), "media", key, &target);
	request.target = buf_cstr(&target);
	return upload(service, uri, &request, &answer, err);
}

/* Starts an upload in chunks: path and query of where they go. */
static int start_upload(struct object_service *service, const char *uri, struct str key,
			size_t size, struct buf *session, struct err *err)
{
	const struct gcs_account *account = object_service_account(service);
	cleanup(buf_release) struct buf target = BUF_INIT(8 * LIMIT_PATH);
	cleanup(object_answer_release) struct object_answer answer = {0};
	struct object_request request = {
		.method = "POST",
		.object = key,
		.content_type = "application/json",
		.body = STR("{\"contentType\":\"application/octet-stream\"}"),
	};
	const char *path;
	char length[64];
	int rc;

	snprintf(length, sizeof(length), "X-Upload-Content-Length: %zu", size);
	request.headers[0] = length;
	write_upload(account, "resumable", key, &target);
	request.target = buf_cstr(&target);
	rc = upload(service, uri, &request, &answer, err);
	if (rc < 0)
		return rc;
	path = strstr(answer.location, "://");
	path = path ? strchr(path + 3, '/') : answer.location;
	if (!path || *path != '/')
		return err_set(err, ERR_HTTP,
			       "the upload of '" STR_FMT "' to '%s' was not told where to go; "
			       "check --gcs-endpoint",
			       STR_ARG(key), uri);
	/* What stands in front of the endpoint may not know that it adds a path. */
	if (!str_starts(str_from(path), str_from(account->base)))
		buf_append_str(session, str_from(account->base));
	buf_append_str(session, str_from(path));
	return buf_check(session, "the place of an upload", err);
}

/* How many bytes the server has by "bytes=0-99"; 0 if it has none. */
static uint64_t bytes_there(const char *range)
{
	const char *dash = strchr(range, '-');
	uint64_t last;

	return dash && str_to_u64(str_from(dash + 1), &last) ? last + 1 : 0;
}

/* The rest from *at on, at most a chunk of it. 1: all is there; 0: *at is where to go on. */
static int put_chunk(struct object_service *service, const char *uri, struct str key,
		     const char *session, struct str bytes, size_t *at, struct err *err)
{
	cleanup(object_answer_release) struct object_answer answer = {0};
	size_t end = MIN(bytes.len, *at + CHUNK);
	struct object_request request = {.method = "PUT",
					 .object = key,
					 .target = session,
					 .content_type = "application/octet-stream",
					 .body = str_of(bytes.ptr + *at, end - *at)};
	char range[96];
	uint64_t there;
	int rc;

	snprintf(range, sizeof(range), "Content-Range: bytes %zu-%zu/%zu", *at, end - 1, bytes.len);
	request.headers[0] = range;
	rc = upload(service, uri, &request, &answer, err);
	if (rc < 0)
		return rc;
	if (answer.response.status != 308)
		return 1;
	there = bytes_there(answer.range);
	if (there >= bytes.len)
		return err_set(err, ERR_HTTP,
			       "the upload of '" STR_FMT "' to '%s' has all bytes and is not done; "
			       "try again later",
			       STR_ARG(key), uri);
	*at = (size_t)there;
	return 0;
}

static int gcs_put(struct object_service *service, const char *uri, struct str key,
		   struct str bytes, struct err *err)
{
	cleanup(buf_release) struct buf session = BUF_INIT(8 * LIMIT_PATH);
	size_t at = 0, most = 0;
	unsigned stalls = 0;
	int rc;

	if (bytes.len <= CHUNK)
		return put_whole(service, uri, key, bytes, err);
	rc = start_upload(service, uri, key, bytes.len, &session, err);
	while (rc == 0) {
		rc = put_chunk(service, uri, key, buf_cstr(&session), bytes, &at, err);
		stalls = at > most ? 0 : stalls + 1;
		most = MAX(most, at);
		if (rc == 0 && stalls == STALLS_MAX)
			return err_set(err, ERR_HTTP,
				       "the upload of '" STR_FMT "' to '%s' stays at byte %zu of "
				       "%zu; try again later",
				       STR_ARG(key), uri, at, bytes.len);
	}
	return rc < 0 ? rc : 0;
}

static int gcs_parse_uri(const char *uri, struct str *bucket, struct str *prefix, struct err *err)
{
	object_split_place(str_from(strstr(uri, "://") + 3), bucket, prefix);
	if (bucket->len == 0)
		return err_set(err, ERR_USAGE,
			       "'%s' names no bucket; write gs://bucket or gs://bucket/prefix",
			       uri);
	for (size_t i = 0; i < bucket->len; i++)
		if (strchr("?#@:%\\", bucket->ptr[i]) || (unsigned char)bucket->ptr[i] <= ' ')
			return err_set(err, ERR_USAGE,
				       "'%s' names no bucket: '%c' is in no name of one; write "
				       "gs://bucket/prefix, and the server in --gcs-endpoint",
				       uri, bucket->ptr[i]);
	return 0;
}

static const struct object_store_ops gcs_ops = {
	.write_get = gcs_write_get,
	.write_list = gcs_write_list,
	.parse_list = gcs_list_parse,
	.put = gcs_put,
	.parse_uri = gcs_parse_uri,
};

/* The server that is asked; in the arena where it is not as given. */
static const char *endpoint_of(const struct blob_store_options *options, struct arena *mem)
{
	const char *emulator = web_variable("STORAGE_EMULATOR_HOST");
	const char *given =
		options->gcs_endpoint && *options->gcs_endpoint ? options->gcs_endpoint : emulator;

	if (!given)
		return OWN_ENDPOINT;
	return strstr(given, "://") ? given : arena_printf(mem, "http://%s", given).ptr;
}

static int make_account(struct gcs_account *account, struct str bucket, const char **endpoint,
			const struct blob_store_options *options, struct err *err)
{
	const char *server, *path;
	struct str base;
	int rc;

	account->bucket = arena_str(&account->mem, bucket).ptr;
	*endpoint = endpoint_of(options, &account->mem);
	if (!account->bucket || !*endpoint)
		return arena_fail(&account->mem, "--gcs-endpoint", err);
	rc = web_url_split(*endpoint, &account->mem, &server, &path, err);
	if (rc < 0)
		return err_wrap(err, "--gcs-endpoint");
	base = str_of(path, strcspn(path, "?"));
	while (str_ends(base, STR("/")))
		base.len--;
	account->base = arena_str(&account->mem, base).ptr;
	if (!account->base)
		return arena_fail(&account->mem, "--gcs-endpoint", err);
	if (strncmp(*endpoint, "http://", 7) == 0 && !options->gcs_credentials)
		return 0;
	return gcp_credentials_open(options->gcs_credentials, &account->credentials, err);
}

int gcs_store_open(const char *uri, const struct blob_store_options *options,
		   struct blob_store **out, struct err *err)
{
	struct object_service *service;
	struct gcs_account *account;
	struct str bucket, prefix;
	const char *endpoint = NULL;
	int rc = gcs_parse_uri(uri, &bucket, &prefix, err);

	if (rc < 0)
		return rc;
	account = mem_zalloc(sizeof(*account));
	account->mem = ARENA_INIT(KIB(64));
	rc = make_account(account, bucket, &endpoint, options, err);
	if (rc < 0) {
		gcs_free(account);
		return rc;
	}
	rc = object_service_open(&gcs_dialect, account, endpoint, options, &service, err);
	if (rc == 0)
		*out = object_store_new(uri, prefix, &gcs_dialect, &gcs_ops, service);
	return rc;
}
