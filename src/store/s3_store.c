#include "store/s3_store.h"

#include "store/s3_list.h"
#include "store/s3_put.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* The largest range that one request asks for: a failed one is read again whole. */
#define RANGE_MAX MIB(4)
#define ERROR_MAX KIB(64)

struct s3_store {
	struct blob_store store;
	struct s3_service *service;
	char *prefix; /* before every name: "" or "a/b/" */
};

struct s3_source {
	struct bytes_source source; /* its name is "s3://bucket/prefix/name" */
	struct s3_service *service;
	char *key;
	const char *uri; /* of the store, which outlives the source */
	size_t name_at;  /* in the key: where the name of the blob begins */
	pthread_mutex_t lock;
	char etag[128]; /* of the first answer; empty: none yet, or the server tells none */
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

static int replaced(const struct s3_source *source, struct err *err)
{
	return err_set(err, ERR_UNREADABLE,
		       "'%s' was replaced or deleted while it was read; take care that nobody "
		       "writes to the repository, and start again",
		       source->source.name);
}

static int missing(const char *uri, struct str name, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "'%s' has no object '" STR_FMT "'", uri, STR_ARG(name));
}

/* What the first answer tells of the object holds for all later ones. */
static bool is_the_same(struct s3_source *source, const char *etag)
{
	bool same;

	pthread_mutex_lock(&source->lock);
	if (!source->etag[0])
		memcpy(source->etag, etag, sizeof(source->etag));
	same = !etag[0] || strcmp(source->etag, etag) == 0;
	pthread_mutex_unlock(&source->lock);
	return same;
}

/* Whether the answer is the range that was asked for, of the object that was opened; `known`: an
 * earlier answer had told its ETag. */
static int check_range(struct s3_source *source, const struct s3_answer *answer, bool known,
		       uint64_t offset, size_t len, struct err *err)
{
	struct str name = str_from(source->key + source->name_at);
	size_t came = answer->response.into_len + answer->response.body.len;
	int status = answer->response.status;

	if (status == 404 && !known)
		return missing(source->uri, name, err);
	if (answer->has_total && answer->total != source->source.size)
		return known ? replaced(source, err)
			     : blob_size_error(name, answer->total, source->source.size, err);
	if (status >= 400 || !is_the_same(source, answer->etag))
		return replaced(source, err);
	if (status == 200 && (offset > 0 || len != source->source.size))
		return err_set(err, ERR_HTTP,
			       "'%s' came whole though a range was asked for; check that "
			       "--s3-endpoint, and proxies on the way, know ranges",
			       source->source.name);
	if (came != len)
		return err_set(
			err, ERR_HTTP,
			"bytes %llu to %llu of '%s' were asked for, and %zu came; check that "
			"--s3-endpoint, and proxies on the way, know ranges",
			(unsigned long long)offset, (unsigned long long)(offset + len),
			source->source.name, came);
	return 0;
}

/* At most RANGE_MAX bytes. `stop`: see s3_request. */
static int read_range(struct s3_source *source, uint64_t offset, char *dst, size_t len,
		      const atomic_bool *stop, struct err *err)
{
	cleanup(release_answer) struct s3_answer answer = {0};
	char range[64], etag[sizeof(source->etag)];
	struct s3_request request = {.method = "GET",
				     .key = str_from(source->key),
				     .if_match = etag,
				     .answer_max = MAX(len, (size_t)ERROR_MAX),
				     .stop = stop,
				     .into = dst,
				     .into_size = len};
	int rc;

	pthread_mutex_lock(&source->lock);
	memcpy(etag, source->etag, sizeof(etag));
	pthread_mutex_unlock(&source->lock);
	if (!etag[0])
		request.if_match = NULL;

	snprintf(range, sizeof(range), "bytes=%llu-%llu", (unsigned long long)offset,
		 (unsigned long long)(offset + len - 1));
	request.range = range;
	rc = s3_service_send(source->service, source->source.name, &request, &answer, err);
	if (rc < 0)
		return err && err->kind == ERR_LIMIT
			       ? err_wrap(err, "'%s' (the server may not know ranges)",
					  source->source.name)
			       : rc;
	if ((rc = check_range(source, &answer, etag[0], offset, len, err)) < 0)
		return rc;
	if (answer.response.into_len == 0)
		memcpy(dst, answer.response.body.ptr, len);
	return 0;
}

static int s3_read_once(struct bytes_source *src, uint64_t offset, void *dst, size_t len,
			const atomic_bool *stop, struct err *err)
{
	struct s3_source *source = (struct s3_source *)src;
	char *to = dst;

	while (len > 0) {
		size_t n = MIN(len, (size_t)RANGE_MAX);
		int rc = read_range(source, offset, to, n, stop, err);

		if (rc < 0)
			return rc;
		to += n;
		offset += n;
		len -= n;
	}
	return 0;
}

static int s3_read_at(struct bytes_source *src, uint64_t offset, void *dst, size_t len,
		      struct err *err)
{
	return s3_read_once(src, offset, dst, len, NULL, err);
}

static bool s3_is_remote(const struct bytes_source *src)
{
	(void)src;
	return true;
}

static void s3_source_close(struct bytes_source *src)
{
	struct s3_source *source = (struct s3_source *)src;

	s3_service_release(source->service);
	pthread_mutex_destroy(&source->lock);
	free(src->name);
	free(source->key);
	free(source);
}

static const struct bytes_source_ops source_ops = {.read_at = s3_read_at,
						   .close = s3_source_close,
						   .read_once = s3_read_once,
						   .is_remote = s3_is_remote};

static struct s3_source *make_source(const struct s3_store *s3, struct str name, struct str key,
				     uint64_t size, const char *etag)
{
	cleanup(buf_release) struct buf full = BUF_INIT(4 * LIMIT_PATH);
	struct s3_source *source = mem_zalloc(sizeof(*source));
	size_t len = strlen(s3->store.uri);

	while (len > 0 && s3->store.uri[len - 1] == '/')
		len--;
	buf_printf(&full, STR_FMT "/" STR_FMT, (int)len, s3->store.uri, STR_ARG(name));
	source->source = (struct bytes_source){&source_ops, size, mem_strdup(buf_cstr(&full))};
	source->service = s3_service_hold(s3->service);
	source->key = str_dup(key);
	source->uri = s3->store.uri;
	source->name_at = key.len - name.len;
	pthread_mutex_init(&source->lock, NULL);
	snprintf(source->etag, sizeof(source->etag), "%s", etag);
	return source;
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
		return missing(store->uri, name, err);
	if (!answer.has_length)
		return err_set(err, ERR_HTTP,
			       "the size of '" STR_FMT "' in '%s' is not told; check that "
			       "--s3-endpoint is an S3 server",
			       STR_ARG(name), store->uri);
	*out = &make_source(s3_of(store), name, key, answer.length, answer.etag)->source;
	return 0;
}

static int s3_open_sized(struct blob_store *store, struct str name, uint64_t size,
			 struct bytes_source **out, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(4 * LIMIT_PATH);
	struct str key = key_of(s3_of(store), name, &mem);

	if (!key.ptr)
		return arena_fail(&mem, "the name of an object", err);
	*out = &make_source(s3_of(store), name, key, size, "")->source;
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
		&make_source(s3_of(store), name, key, len, answer->etag)->source;
	char *bytes;

	if (answer->response.status >= 400)
		return replaced((struct s3_source *)source, err);
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
	struct s3_request first = {.method = "GET", .key = key, .answer_max = RANGE_MAX};
	struct err why = {0};
	char range[64];
	int rc, status;

	if (!key.ptr)
		return arena_fail(&key_mem, "the name of an object", err);
	snprintf(range, sizeof(range), "bytes=0-%llu", (unsigned long long)RANGE_MAX - 1);
	first.range = range;
	rc = s3_service_send(s3_of(store)->service, store->uri, &first, &answer, &why);
	status = answer.response.status;
	if (why.kind == ERR_LIMIT || (rc == 0 && (status == 416 || status == 200)))
		return read_by_head(store, name, mem, limit, out, err);
	if (rc < 0 && err)
		*err = why;
	if (rc < 0)
		return rc;
	if (status == 404)
		return missing(store->uri, name, err);
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
