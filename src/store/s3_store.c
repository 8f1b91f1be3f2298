#include "store/s3_store.h"

#include "store/object_source.h"
#include "store/s3_list.h"
#include "store/s3_put.h"

#include <stdlib.h>

#define ERROR_MAX KIB(64)

struct s3_store {
	struct blob_store store;
	struct s3_service *service;
	char *prefix; /* before every name: "" or "a/b/" */
};

static void release_answer(struct s3_answer *answer)
{
	http_response_release(&answer->response);
}

static struct s3_store *s3_of(struct blob_store *store)
{
	return (struct s3_store *)store;
}

/* "<bucket>/<prefix>" behind s3://; the prefix without slashes around it. */
static int split_uri(const char *uri, struct str *bucket, struct str *prefix, struct err *err)
{
	struct str rest = str_from_offset(str_from(uri), strlen("s3://"));

	if (!str_split(rest, '/', bucket, prefix))
		*prefix = STR_NONE;
	while (str_starts(*prefix, STR("/")))
		*prefix = str_from_offset(*prefix, 1);
	while (str_ends(*prefix, STR("/")))
		prefix->len--;
	if (bucket->len == 0)
		return err_set(err, ERR_USAGE,
			       "'%s' names no bucket; write s3://bucket or s3://bucket/prefix",
			       uri);
	for (size_t i = 0; i < bucket->len; i++)
		if (strchr("?#@:%\\", bucket->ptr[i]) || (unsigned char)bucket->ptr[i] <= ' ')
			return err_set(err, ERR_USAGE,
				       "'%s' names no bucket: '%c' is in no name of one; write "
				       "s3://bucket/prefix, and the server in --s3-endpoint",
				       uri, bucket->ptr[i]);
	return 0;
}

/* The key of a blob or folder; in the arena. */
static struct str key_of(const struct s3_store *s3, struct str name, struct arena *mem)
{
	return arena_printf(mem, "%s" STR_FMT, s3->prefix, STR_ARG(name));
}

static int s3_list_folder(struct blob_store *store, struct str folder, struct arena *mem,
			  struct blob_listing *out, struct err *err)
{
	const struct s3_store *s3 = s3_of(store);
	const struct s3_folder place = {s3->service, store->uri, s3->prefix, folder, false};

	return s3_list(&place, mem, out, err);
}

static int s3_list_below(struct blob_store *store, struct str folder, struct arena *mem,
			 struct blob_listing *out, struct err *err)
{
	const struct s3_store *s3 = s3_of(store);
	const struct s3_folder place = {s3->service, store->uri, s3->prefix, folder, true};

	return s3_list(&place, mem, out, err);
}

static int get_range(const struct object_source *source, const struct object_range *range,
		     struct object_part *out, struct err *err)
{
	const struct s3_request request = {.method = "GET",
					   .key = str_from(source->key),
					   .range = range->text,
					   .if_match = range->tag[0] ? range->tag : NULL,
					   .answer_max = MAX(range->len, (size_t)ERROR_MAX),
					   .stop = range->stop,
					   .into = range->into,
					   .into_size = range->len};
	struct s3_answer answer = {0};
	int rc = s3_service_send(source->service, source->source.name, &request, &answer, err);

	out->response = answer.response;
	memcpy(out->tag, answer.etag, sizeof(out->tag));
	out->total = answer.total;
	out->has_total = answer.has_total;
	return rc;
}

static void release_service(void *service)
{
	s3_service_release(service);
}

static const struct object_source_ops source_ops = {get_range, release_service};

static struct bytes_source *make_source(const struct s3_store *s3, struct str name, struct str key,
					uint64_t size, const char *etag)
{
	const struct object_source from = {.ops = &source_ops,
					   .service = s3_service_hold(s3->service),
					   .uri = s3->store.uri,
					   .flag = "--s3-endpoint"};

	return object_source_new(&from, key, name, size, etag);
}

/* Asks for size and ETag. A refusal of HEAD has no body that says why: then the first byte is asked
 * for, whose refusal does; and an expired session is renewed on the way. */
static int ask_head(struct s3_store *s3, struct str key, struct s3_answer *answer, struct err *err)
{
	const struct s3_request head = {.method = "HEAD", .key = key};
	const struct s3_request first = {.method = "GET", .key = key, .range = "bytes=0-0"};
	cleanup(release_answer) struct s3_answer why = {0};
	struct err refused = {0};
	int rc = s3_service_send(s3->service, s3->store.uri, &head, answer, &refused);

	if (rc == 0)
		return 0;
	if (refused.http_status != 400 && refused.http_status != 403) {
		if (err)
			*err = refused;
		return rc;
	}
	rc = s3_service_send(s3->service, s3->store.uri, &first, &why, err);
	return rc < 0 ? rc : s3_service_send(s3->service, s3->store.uri, &head, answer, err);
}

static int s3_open(struct blob_store *store, struct str name, struct bytes_source **out,
		   struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(4 * LIMIT_PATH);
	cleanup(release_answer) struct s3_answer answer = {0};
	struct str key = key_of(s3_of(store), name, &mem);
	int rc;

	if (!key.ptr)
		return arena_fail(&mem, "the name of an object", err);
	rc = ask_head(s3_of(store), key, &answer, err);
	if (rc < 0)
		return rc;
	if (answer.response.status >= 400)
		return object_missing(store->uri, name, err);
	if (!answer.has_length)
		return err_set(err, ERR_HTTP,
			       "the size of '" STR_FMT "' in '%s' is not told; check that "
			       "--s3-endpoint is an S3 server",
			       STR_ARG(name), store->uri);
	*out = make_source(s3_of(store), name, key, answer.length, answer.etag);
	return 0;
}

static int s3_open_sized(struct blob_store *store, struct str name, uint64_t size,
			 struct bytes_source **out, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(4 * LIMIT_PATH);
	struct str key = key_of(s3_of(store), name, &mem);

	if (!key.ptr)
		return arena_fail(&mem, "the name of an object", err);
	*out = make_source(s3_of(store), name, key, size, "");
	return 0;
}

/* The object whose first range is in the answer. */
static int read_rest(struct blob_store *store, struct str name, struct str key,
		     const struct s3_answer *answer, struct arena *mem, struct str *out,
		     struct err *err)
{
	size_t came = answer->response.body.len;
	size_t len = answer->has_total ? (size_t)answer->total : came;
	cleanup(bytes_source_closep) struct bytes_source *source =
		make_source(s3_of(store), name, key, len, answer->etag);
	char *bytes;

	if (answer->response.status >= 400)
		return object_replaced(source->name, err);
	bytes = arena_alloc(mem, len);
	if (!bytes)
		return arena_fail(mem, store->uri, err);
	came = MIN(came, len);
	if (came > 0)
		memcpy(bytes, answer->response.body.ptr, came);
	*out = str_of(bytes, len);
	return bytes_source_read(source, came, bytes + came, len - came, err);
}

static int read_by_head(struct blob_store *store, struct str name, struct arena *mem, size_t limit,
			struct str *out, struct err *err)
{
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	int rc = s3_open(store, name, &source, err);

	return rc < 0 ? rc : bytes_source_read_all(source, mem, limit, out, err);
}

/* The size comes with the first range, which is often all. An empty object has no range, and a
 * server that knows none sends it whole: both are read by way of HEAD. */
static int s3_read(struct blob_store *store, struct str name, struct arena *mem, size_t limit,
		   struct str *out, struct err *err)
{
	cleanup(arena_release) struct arena key_mem = ARENA_INIT(4 * LIMIT_PATH);
	cleanup(release_answer) struct s3_answer answer = {0};
	struct str key = key_of(s3_of(store), name, &key_mem);
	struct s3_request first = {.method = "GET", .key = key, .answer_max = OBJECT_RANGE_MAX};
	struct object_range range = object_range_of(0, NULL, OBJECT_RANGE_MAX);
	struct err why = {0};
	int rc, status;

	if (!key.ptr)
		return arena_fail(&key_mem, "the name of an object", err);
	first.range = range.text;
	rc = s3_service_send(s3_of(store)->service, store->uri, &first, &answer, &why);
	status = answer.response.status;
	if (why.kind == ERR_LIMIT || (rc == 0 && (status == 416 || status == 200)))
		return read_by_head(store, name, mem, limit, out, err);
	if (rc < 0 && err)
		*err = why;
	if (rc < 0)
		return rc;
	if (status == 404)
		return object_missing(store->uri, name, err);
	if (answer.has_total && answer.total > limit)
		return err_set(err, ERR_LIMIT,
			       "object '" STR_FMT "' of '%s' has %llu bytes, more than the limit "
			       "of %zu",
			       STR_ARG(name), store->uri, (unsigned long long)answer.total, limit);
	return read_rest(store, name, key, &answer, mem, out, err);
}

static int s3_put_blob(struct blob_store *store, struct str name, struct str bytes, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(4 * LIMIT_PATH);
	struct str key = key_of(s3_of(store), name, &mem);

	if (!key.ptr)
		return arena_fail(&mem, "the name of an object", err);
	return s3_put(s3_of(store)->service, store->uri, key, bytes, err);
}

static void s3_close(struct blob_store *store)
{
	struct s3_store *s3 = s3_of(store);

	s3_service_release(s3->service);
	free(store->uri);
	free(s3->prefix);
	free(s3);
}

static int s3_open_above(const struct blob_store *store, const char *uri, struct blob_store **out,
			 struct err *err);

static const struct blob_store_ops s3_ops = {.list = s3_list_folder,
					     .list_below = s3_list_below,
					     .open = s3_open,
					     .open_sized = s3_open_sized,
					     .read = s3_read,
					     .close = s3_close,
					     .open_above = s3_open_above,
					     .put = s3_put_blob,
					     .remote = true};

/* Takes one reference to `service`. */
static struct blob_store *make_store(const char *uri, struct str prefix, struct s3_service *service)
{
	cleanup(buf_release) struct buf text = BUF_INIT(SIZE_MAX / 2);
	struct s3_store *s3 = mem_zalloc(sizeof(*s3));

	if (prefix.len > 0)
		buf_printf(&text, STR_FMT "/", STR_ARG(prefix));
	s3->store = (struct blob_store){&s3_ops, mem_strdup(uri)};
	s3->service = service;
	s3->prefix = mem_strdup(buf_cstr(&text));
	return &s3->store;
}

static int s3_open_above(const struct blob_store *store, const char *uri, struct blob_store **out,
			 struct err *err)
{
	const struct s3_store *s3 = (const struct s3_store *)store;
	struct str bucket, prefix;
	int rc = split_uri(uri, &bucket, &prefix, err);

	if (rc == 0)
		*out = make_store(uri, prefix, s3_service_hold(s3->service));
	return rc;
}

int s3_store_open(const char *uri, const struct blob_store_options *options,
		  struct blob_store **out, struct err *err)
{
	struct s3_service *service;
	struct str bucket, prefix;
	int rc = split_uri(uri, &bucket, &prefix, err);

	if (rc == 0)
		rc = s3_service_open(bucket, options, &service, err);
	if (rc == 0)
		*out = make_store(uri, prefix, service);
	return rc;
}
