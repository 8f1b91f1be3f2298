#include "store/azure_store.h"

#include "base/base64.h"
#include "base/clock.h"
#include "net/azure_credentials.h"
#include "net/http_date.h"
#include "net/web_call.h"
#include "store/azure_error.h"
#include "store/azure_list.h"
#include "store/object_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define VERSION_LINE "x-ms-version: 2021-12-02"
#define BLOB_TYPE_LINE "x-ms-blob-type: BlockBlob"
/* Larger blobs go up in blocks of this size. */
#define BLOCK MIB(8)
#define BLOCKS_MAX 50000
#define BLOCK_ID 24 /* bytes before base64; the same for all blocks of a blob */

struct azure_account {
	struct arena mem;
	const char *account, *container;
	const char *base; /* path of the endpoint: "" or "/account" of an emulator */
	struct azure_credentials *credentials;
};

/* What of a request is signed: its x-ms- lines are its own and ours. */
static struct azure_signed_request to_sign(const struct azure_account *account,
					   const struct object_request *request, const char **lines,
					   size_t count)
{
	for (size_t i = 0; i < COUNT_OF(request->headers) && request->headers[i]; i++)
		if (strncmp(request->headers[i], "x-ms-", 5) == 0)
			lines[count++] = request->headers[i];
	return (struct azure_signed_request){
		.method = request->method,
		.account = account->account,
		.target = str_from(request->target),
		.content_length = request->body.len,
		.content_type = request->body.len > 0 ? request->content_type : NULL,
		.range = request->range,
		.if_match = request->if_match,
		.ms_headers = lines,
		.ms_header_count = count,
	};
}

static int azure_let_in(void *user, const struct object_request *request, struct arena *mem,
			struct object_pass *out, struct err *err)
{
	struct azure_account *account = user;
	const char *lines[2 + COUNT_OF(request->headers)];
	struct azure_signed_request signed_request;
	struct azure_pass pass;
	char now[30];
	int rc;

	http_date_format(clock_wall_ms(), now);
	lines[0] = arena_printf(mem, "x-ms-date: %s", now).ptr;
	lines[1] = VERSION_LINE;
	if (!lines[0])
		return arena_fail(mem, "a header", err);
	signed_request = to_sign(account, request, lines, 2);
	rc = azure_credentials_pass(account->credentials, &signed_request, mem, &pass, err);
	if (rc < 0)
		return rc;
	out->line[out->count++] = lines[0];
	out->line[out->count++] = VERSION_LINE;
	if (pass.line)
		out->line[out->count++] = pass.line;
	if (pass.query)
		out->target = arena_printf(mem, "%s%c%s", request->target,
					   strchr(request->target, '?') ? '&' : '?', pass.query)
				      .ptr;
	out->credential = pass.token;
	return out->target ? 0 : arena_fail(mem, "a request", err);
}

static void azure_expire(void *user, struct str credential)
{
	struct azure_account *account = user;

	azure_credentials_expire(account->credentials, credential);
}

static const char *azure_origin(void *user)
{
	struct azure_account *account = user;

	return azure_credentials_origin(account->credentials);
}

static int azure_explain(void *user, const struct object_refusal *refusal, struct err *err)
{
	struct azure_account *account = user;
	const struct azure_caller caller = {
		.account = account->account,
		.container = account->container,
		.has_key = azure_credentials_have_key(account->credentials),
		.has_sas = azure_credentials_have_sas(account->credentials),
		.sas_end = azure_credentials_sas_end(account->credentials),
	};

	return azure_refusal_explain(refusal, &caller, err);
}

static void azure_free(void *user)
{
	struct azure_account *account = user;

	azure_credentials_free(account->credentials);
	arena_release(&account->mem);
	free(account);
}

static const struct object_dialect azure_dialect = {
	.endpoint_flag = "--azure-endpoint",
	.tag_header = "ETag",
	.code_header = "x-ms-error-code",
	.tag_in_header = true,
	.let_in = azure_let_in,
	.expire = azure_expire,
	.origin = azure_origin,
	.is_object_missing = azure_refusal_is_object_missing,
	.is_passing = azure_refusal_is_passing,
	.is_expired = azure_refusal_is_expired,
	.explain = azure_explain,
	.free_account = azure_free,
};

static void write_blob(const struct azure_account *account, struct str key, struct buf *target)
{
	buf_printf(target, "%s/%s/", account->base, account->container);
	object_append_path(target, key);
}

static void azure_write_get(void *user, struct str key, const char *tag, struct buf *target)
{
	(void)tag;
	write_blob(user, key, target);
}

static void azure_write_list(void *user, struct str prefix, bool below, struct str token,
			     struct buf *target)
{
	const struct azure_account *account = user;

	buf_printf(target, "%s/%s?restype=container&comp=list&%sprefix=", account->base,
		   account->container, below ? "" : "delimiter=%2F&");
	http_append_encoded(target, prefix);
	if (token.len > 0) {
		buf_append_str(target, STR("&marker="));
		http_append_encoded(target, token);
	}
}

/* PUT of `body` to the blob, with `query` behind its path. */
static int put_part(struct object_service *service, const char *uri, struct str key,
		    const char *query, const char *content_type, const char *header,
		    struct str body, struct err *err)
{
	cleanup(buf_release) struct buf target = BUF_INIT(8 * LIMIT_PATH);
	cleanup(object_answer_release) struct object_answer answer = {0};
	struct object_request request = {.method = "PUT",
					 .object = key,
					 .content_type = content_type,
					 .body = body,
					 .headers = {header}};
	int rc;

	write_blob(object_service_account(service), key, &target);
	buf_append_str(&target, str_from(query));
	if ((rc = buf_check(&target, "a request for an object", err)) < 0)
		return rc;
	request.target = buf_cstr(&target);
	rc = object_service_send(service, uri, &request, &answer, err);
	return rc < 0 ? err_wrap(err, "upload of '" STR_FMT "'", STR_ARG(key)) : 0;
}

/* Blocks of two writers of one blob must not be taken for each other. */
static uint64_t writer_number(void)
{
	return (uint64_t)clock_wall_ms() << 20 ^ (uint64_t)getpid();
}

static void write_block_id(uint64_t writer, size_t number, struct buf *out)
{
	char id[BLOCK_ID + 1];

	snprintf(id, sizeof(id), "%016llx%08zu", (unsigned long long)writer, number % 100000000);
	base64_encode(out, str_from(id));
}

static int put_block(struct object_service *service, const char *uri, struct str key, struct str id,
		     struct str bytes, struct err *err)
{
	cleanup(buf_release) struct buf query = BUF_INIT(KIB(1));

	buf_append_str(&query, STR("?comp=block&blockid="));
	http_append_encoded(&query, id);
	return put_part(service, uri, key, buf_cstr(&query), "application/octet-stream", NULL,
			bytes, err);
}

static int put_blocks(struct object_service *service, const char *uri, struct str key,
		      struct str bytes, struct err *err)
{
	cleanup(buf_release) struct buf list = BUF_INIT(MIB(8)), id = BUF_INIT(KIB(1));
	size_t size = MAX(BLOCK, bytes.len / BLOCKS_MAX + 1);
	uint64_t writer = writer_number();
	int rc;

	buf_append_str(&list, STR("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>"));
	for (size_t at = 0, i = 0; at < bytes.len; at += size, i++) {
		buf_reset(&id);
		write_block_id(writer, i, &id);
		rc = put_block(service, uri, key, buf_str(&id),
			       str_of(bytes.ptr + at, MIN(size, bytes.len - at)), err);
		if (rc < 0)
			return rc;
		buf_printf(&list, "<Latest>" STR_FMT "</Latest>", STR_ARG(buf_str(&id)));
	}
	buf_append_str(&list, STR("</BlockList>"));
	if ((rc = buf_check(&list, "the list of a blob's blocks", err)) < 0)
		return rc;
	return put_part(service, uri, key, "?comp=blocklist", "application/xml", NULL,
			buf_str(&list), err);
}

static int azure_put(struct object_service *service, const char *uri, struct str key,
		     struct str bytes, struct err *err)
{
	if (bytes.len > BLOCK)
		return put_blocks(service, uri, key, bytes, err);
	return put_part(service, uri, key, "", "application/octet-stream", BLOB_TYPE_LINE, bytes,
			err);
}

static bool is_name(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '$')
			return false;
	}
	return name.len > 0;
}

static int split_uri(const char *uri, struct str *account, struct str *container,
		     struct str *prefix, struct err *err)
{
	object_split_place(str_from(strstr(uri, "://") + 3), account, prefix);
	object_split_place(*prefix, container, prefix);
	if (is_name(*account) && is_name(*container))
		return 0;
	return err_set(err, ERR_USAGE,
		       "'%s' names no account and container (small letters, digits, '-'); write "
		       "azure://account/container or azure://account/container/prefix",
		       uri);
}

static int azure_parse_uri(const char *uri, struct str *container, struct str *prefix,
			   struct err *err)
{
	struct str account;

	return split_uri(uri, &account, container, prefix, err);
}

static const struct object_store_ops azure_ops = {
	.write_get = azure_write_get,
	.write_list = azure_write_list,
	.parse_list = azure_list_parse,
	.put = azure_put,
	.parse_uri = azure_parse_uri,
};

static const char *endpoint_of(struct azure_account *account,
			       const struct blob_store_options *options)
{
	const char *connection = azure_credentials_endpoint(account->credentials);

	if (options->azure_endpoint && *options->azure_endpoint)
		return options->azure_endpoint;
	if (connection)
		return connection;
	return arena_printf(&account->mem, "https://%s.blob.core.windows.net", account->account)
		.ptr;
}

static int find_endpoint(struct azure_account *account, const struct blob_store_options *options,
			 const char **endpoint, struct err *err)
{
	const char *server, *path;
	struct str base;
	int rc;

	*endpoint = endpoint_of(account, options);
	if (!*endpoint)
		return arena_fail(&account->mem, "--azure-endpoint", err);
	rc = web_url_split(*endpoint, &account->mem, &server, &path, err);
	if (rc < 0)
		return err_wrap(err, "--azure-endpoint");
	base = str_of(path, strcspn(path, "?"));
	while (str_ends(base, STR("/")))
		base.len--;
	account->base = arena_str(&account->mem, base).ptr;
	return account->base ? 0 : arena_fail(&account->mem, "--azure-endpoint", err);
}

static int make_account(struct azure_account *account, struct str name, struct str container,
			const struct blob_store_options *options, const char **endpoint,
			struct err *err)
{
	const struct azure_credentials_options credentials = {
		.account = name,
		.account_key = options->azure_account_key,
		.sas = options->azure_sas,
	};
	int rc = azure_credentials_open(&credentials, &account->credentials, err);

	if (rc < 0)
		return rc;
	account->account = arena_str(&account->mem, name).ptr;
	account->container = arena_str(&account->mem, container).ptr;
	if (!account->container)
		return arena_fail(&account->mem, "the name of a container", err);
	return find_endpoint(account, options, endpoint, err);
}

int azure_store_open(const char *uri, const struct blob_store_options *options,
		     struct blob_store **out, struct err *err)
{
	struct str name, container, prefix;
	struct object_service *service;
	struct azure_account *account;
	const char *endpoint = NULL;
	int rc = split_uri(uri, &name, &container, &prefix, err);

	if (rc < 0)
		return rc;
	account = mem_zalloc(sizeof(*account));
	account->mem = ARENA_INIT(KIB(64));
	rc = make_account(account, name, container, options, &endpoint, err);
	if (rc < 0) {
		azure_free(account);
		return rc;
	}
	rc = object_service_open(&azure_dialect, account, endpoint, options, &service, err);
	if (rc == 0)
		*out = object_store_new(uri, prefix, &azure_dialect, &azure_ops, service);
	return rc;
}
