#include "store/object_store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* The largest range that one request asks for: a failed one is read again whole. */
#define RANGE_MAX MIB(4)
#define LIST_ANSWER_MAX MIB(16)
#define ERROR_MAX KIB(64)

struct object_store {
	struct blob_store store;
	const struct object_dialect *dialect;
	const struct object_store_ops *ops;
	struct object_service *service;
	char *prefix; /* before every name: "" or "a/b/" */
};

struct object_source {
	struct bytes_source source;       /* its name is "gs://bucket/prefix/name" */
	const struct object_store *store; /* for what does not change, as long as it lives */
	struct object_service *service;
	char *key;
	size_t name_at; /* in the key: where the name of the blob begins */
	pthread_mutex_t lock;
	char tag[128]; /* of the first answer; empty: none yet, or the server tells none */
};

static struct object_store *store_of(struct blob_store *store)
{
	return (struct object_store *)store;
}

void object_split_place(struct str place, struct str *first, struct str *rest)
{
	if (!str_split(place, '/', first, rest))
		*rest = STR_NONE;
	while (str_starts(*rest, STR("/")))
		*rest = str_from_offset(*rest, 1);
	while (str_ends(*rest, STR("/")))
		rest->len--;
}

void object_append_path(struct buf *out, struct str key)
{
	struct str segment;

	for (bool more = true; more;) {
		more = str_split(key, '/', &segment, &key);
		http_append_encoded(out, segment);
		if (more)
			buf_append_byte(out, '/');
	}
}

/* The key of a blob or folder; in the arena. */
static struct str key_of(const struct object_store *store, struct str name, struct arena *mem)
{
	return arena_printf(mem, "%s" STR_FMT, store->prefix, STR_ARG(name));
}

/* One page. 1: there is another, from *token on; 0: it was the last. */
/* What is to be listed. */
struct wanted {
	struct str prefix; /* of keys */
	bool below;        /* also what is in the folders in it */
};

static int list_page(struct object_store *store, const struct wanted *wanted, struct arena *mem,
		     struct str *token, struct buf *objects, struct err *err)
{
	cleanup(buf_release) struct buf target = BUF_INIT(8 * LIMIT_PATH);
	cleanup(object_answer_release) struct object_answer answer = {0};
	struct object_request request = {.method = "GET", .answer_max = LIST_ANSWER_MAX};
	struct object_page page = {.objects = objects};
	int rc;

	store->ops->write_list(object_service_account(store->service), wanted->prefix,
			       wanted->below, *token, &target);
	if ((rc = buf_check(&target, "a request for a list", err)) < 0)
		return rc;
	request.target = buf_cstr(&target);
	rc = object_service_send(store->service, store->store.uri, &request, &answer, err);
	if (rc < 0)
		return rc;
	rc = store->ops->parse_list(buf_str(&answer.response.body), mem, &page, err);
	if (rc < 0 && err && err->kind == ERR_FORMAT) {
		err->kind = ERR_HTTP;
		return err_wrap(err, "the listing of '%s' (check %s)", store->store.uri,
				store->dialect->endpoint_flag);
	}
	if (rc < 0 || page.next.len == 0)
		return rc;
	if (str_eq(page.next, *token))
		return err_set(err, ERR_HTTP,
			       "the listing of '%s' does not go on: it names the same page again; "
			       "check %s",
			       store->store.uri, store->dialect->endpoint_flag);
	*token = page.next;
	return 1;
}

/* Keeps what is wanted, under names relative to the root. Folders may be objects themselves, of a
 * console that made them. */
static size_t keep_blobs(const struct object_store *store, const struct wanted *wanted,
			 const struct buf *objects, struct blob_info *out)
{
	const struct blob_info *from = (const void *)objects->ptr;
	size_t count = objects->len / sizeof(*from), skip = wanted->prefix.len, kept = 0;

	for (size_t i = 0; i < count; i++) {
		struct str name = from[i].name;

		if (name.len <= skip || str_ends(name, STR("/")) ||
		    (!wanted->below && memchr(name.ptr + skip, '/', name.len - skip)))
			continue;
		out[kept] = from[i];
		out[kept++].name = str_from_offset(name, strlen(store->prefix));
	}
	return kept;
}

static int list_all(struct blob_store *base, struct str folder, bool below, struct arena *mem,
		    struct blob_listing *out, struct err *err)
{
	cleanup(buf_release) struct buf objects = BUF_INIT(LIMIT_LISTING);
	struct object_store *store = store_of(base);
	struct str token = STR_NONE;
	struct wanted wanted = {arena_printf(mem, "%s" STR_FMT "%s", store->prefix, STR_ARG(folder),
					     folder.len > 0 ? "/" : ""),
				below};
	int rc;

	*out = (struct blob_listing){0};
	if (!wanted.prefix.ptr)
		return arena_fail(mem, base->uri, err);
	while ((rc = list_page(store, &wanted, mem, &token, &objects, err)) > 0)
		;
	if (rc < 0 || (rc = buf_check(&objects, base->uri, err)) < 0)
		return rc;
	out->blobs = arena_alloc(mem, objects.len);
	if (!out->blobs)
		return arena_fail(mem, base->uri, err);
	if (objects.len > 0)
		out->count = keep_blobs(store, &wanted, &objects, out->blobs);
	if (out->count > 0)
		qsort(out->blobs, out->count, sizeof(struct blob_info), blob_compare_names);
	return 0;
}

static int object_list(struct blob_store *base, struct str folder, struct arena *mem,
		       struct blob_listing *out, struct err *err)
{
	return list_all(base, folder, false, mem, out, err);
}

static int object_list_below(struct blob_store *base, struct str folder, struct arena *mem,
			     struct blob_listing *out, struct err *err)
{
	return list_all(base, folder, true, mem, out, err);
}

static int replaced(const char *uri, struct str name, struct err *err)
{
	return err_set(err, ERR_UNREADABLE,
		       "'" STR_FMT "' of '%s' was replaced or deleted while it was read; take care "
		       "that nobody writes to the repository, and start again",
		       STR_ARG(name), uri);
}

static int missing(const char *uri, struct str name, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "'%s' has no object '" STR_FMT "'", uri, STR_ARG(name));
}

/* What the first answer tells of the object holds for all later ones. */
static bool is_the_same(struct object_source *source, const char *tag)
{
	bool same;

	pthread_mutex_lock(&source->lock);
	if (!source->tag[0])
		memcpy(source->tag, tag, sizeof(source->tag));
	same = !tag[0] || strcmp(source->tag, tag) == 0;
	pthread_mutex_unlock(&source->lock);
	return same;
}

/* Whether the answer is the range that was asked for, of the object that was opened; `known`: an
 * earlier answer had told its version. */
static int check_range(struct object_source *source, const struct object_answer *answer, bool known,
		       uint64_t offset, size_t len, struct err *err)
{
	struct str name = str_from(source->key + source->name_at);
	const char *flag = source->store->dialect->endpoint_flag;
	size_t came = answer->response.into_len + answer->response.body.len;
	int status = answer->response.status;

	if (status == 404 && !known)
		return missing(source->store->store.uri, name, err);
	if (answer->has_total && answer->total != source->source.size)
		return known ? replaced(source->store->store.uri, name, err)
			     : blob_size_error(name, answer->total, source->source.size, err);
	if (status >= 300 || !is_the_same(source, answer->tag))
		return replaced(source->store->store.uri, name, err);
	if (status == 200 && (offset > 0 || len != source->source.size))
		return err_set(err, ERR_HTTP,
			       "'%s' came whole though a range was asked for; check that %s, and "
			       "proxies on the way, know ranges",
			       source->source.name, flag);
	if (came != len)
		return err_set(
			err, ERR_HTTP,
			"bytes %llu to %llu of '%s' were asked for, and %zu came; check that "
			"%s, and proxies on the way, know ranges",
			(unsigned long long)offset, (unsigned long long)(offset + len),
			source->source.name, came, flag);
	return 0;
}

/* GET of bytes from `offset` on, at most RANGE_MAX, of the version `tag` ("": any); into `dst` if
 * that is not NULL. */
static int get_range(const struct object_store *store, struct object_service *service,
		     const char *called, struct str key, const char *tag, uint64_t offset,
		     char *dst, size_t len, const atomic_bool *stop, struct object_answer *answer,
		     struct err *err)
{
	cleanup(buf_release) struct buf target = BUF_INIT(8 * LIMIT_PATH);
	struct object_request request = {.method = "GET",
					 .object = key,
					 .answer_max = MAX(len, (size_t)ERROR_MAX),
					 .stop = stop,
					 .into = dst,
					 .into_size = len};
	char range[64];
	int rc;

	store->ops->write_get(object_service_account(service), key, tag, &target);
	if ((rc = buf_check(&target, "a request for an object", err)) < 0)
		return rc;
	snprintf(range, sizeof(range), "bytes=%llu-%llu", (unsigned long long)offset,
		 (unsigned long long)(offset + len - 1));
	request.target = buf_cstr(&target);
	request.range = range;
	if (store->dialect->tag_in_header && tag[0])
		request.if_match = tag;
	rc = object_service_send(service, called, &request, answer, err);
	if (rc < 0 && err && err->kind == ERR_LIMIT)
		return err_wrap(err, "'%s' (the server may not know ranges)", called);
	return rc;
}

static int read_range(struct object_source *source, uint64_t offset, char *dst, size_t len,
		      const atomic_bool *stop, struct err *err)
{
	cleanup(object_answer_release) struct object_answer answer = {0};
	char tag[sizeof(source->tag)];
	int rc;

	pthread_mutex_lock(&source->lock);
	memcpy(tag, source->tag, sizeof(tag));
	pthread_mutex_unlock(&source->lock);
	rc = get_range(source->store, source->service, source->source.name, str_from(source->key),
		       tag, offset, dst, len, stop, &answer, err);
	if (rc == 0)
		rc = check_range(source, &answer, tag[0], offset, len, err);
	if (rc == 0 && answer.response.into_len == 0)
		memcpy(dst, answer.response.body.ptr, len);
	return rc;
}

static int object_read_once(struct bytes_source *src, uint64_t offset, void *dst, size_t len,
			    const atomic_bool *stop, struct err *err)
{
	struct object_source *source = (struct object_source *)src;
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

static int object_read_at(struct bytes_source *src, uint64_t offset, void *dst, size_t len,
			  struct err *err)
{
	return object_read_once(src, offset, dst, len, NULL, err);
}

static bool object_is_remote(const struct bytes_source *src)
{
	(void)src;
	return true;
}

static void object_source_close(struct bytes_source *src)
{
	struct object_source *source = (struct object_source *)src;

	object_service_release(source->service);
	pthread_mutex_destroy(&source->lock);
	free(src->name);
	free(source->key);
	free(source);
}

static const struct bytes_source_ops source_ops = {.read_at = object_read_at,
						   .close = object_source_close,
						   .read_once = object_read_once,
						   .is_remote = object_is_remote};

static struct object_source *make_source(const struct object_store *store, struct str name,
					 struct str key, uint64_t size, const char *tag)
{
	cleanup(buf_release) struct buf full = BUF_INIT(4 * LIMIT_PATH);
	struct object_source *source = mem_zalloc(sizeof(*source));
	size_t len = strlen(store->store.uri);

	while (len > 0 && store->store.uri[len - 1] == '/')
		len--;
	buf_printf(&full, STR_FMT "/" STR_FMT, (int)len, store->store.uri, STR_ARG(name));
	source->source = (struct bytes_source){&source_ops, size, mem_strdup(buf_cstr(&full))};
	source->store = store;
	source->service = object_service_hold(store->service);
	source->key = str_dup(key);
	source->name_at = key.len - name.len;
	pthread_mutex_init(&source->lock, NULL);
	snprintf(source->tag, sizeof(source->tag), "%s", tag);
	return source;
}

/* The first bytes of an object, at most `most`, and with them how many it has. */
static int get_first(struct object_store *store, struct str name, struct str key, size_t most,
		     struct object_answer *answer, uint64_t *size, struct err *err)
{
	int rc = get_range(store, store->service, store->store.uri, key, "", 0, NULL, most, NULL,
			   answer, err);
	int status = answer->response.status;

	if (rc < 0)
		return rc;
	if (status == 404)
		return missing(store->store.uri, name, err);
	if (status == 412)
		return replaced(store->store.uri, name, err);
	*size = 0;
	if (status == 416)
		return 0; /* an object without a first byte */
	if (status == 200)
		*size = answer->response.body.len;
	else if (status == 206 && answer->has_total && answer->total >= answer->response.body.len)
		*size = answer->total;
	else
		return err_set(err, ERR_HTTP,
			       "the size of '" STR_FMT "' in '%s' is not told (status %d); check "
			       "that %s, and proxies on the way, know ranges",
			       STR_ARG(name), store->store.uri, status,
			       store->dialect->endpoint_flag);
	return 0;
}

static int object_open(struct blob_store *base, struct str name, struct bytes_source **out,
		       struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(4 * LIMIT_PATH);
	cleanup(object_answer_release) struct object_answer answer = {0};
	struct object_store *store = store_of(base);
	struct str key = key_of(store, name, &mem);
	uint64_t size;
	int rc;

	if (!key.ptr)
		return arena_fail(&mem, "the name of an object", err);
	rc = get_first(store, name, key, 1, &answer, &size, err);
	if (rc == 0)
		*out = &make_source(store, name, key, size, answer.tag)->source;
	return rc;
}

static int object_open_sized(struct blob_store *base, struct str name, uint64_t size,
			     struct bytes_source **out, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(4 * LIMIT_PATH);
	struct str key = key_of(store_of(base), name, &mem);

	if (!key.ptr)
		return arena_fail(&mem, "the name of an object", err);
	*out = &make_source(store_of(base), name, key, size, "")->source;
	return 0;
}

/* The object whose first range is in the answer. */
static int read_rest(struct object_store *store, struct str name, struct str key, size_t len,
		     const struct object_answer *answer, struct arena *mem, struct str *out,
		     struct err *err)
{
	cleanup(bytes_source_closep) struct bytes_source *source =
		&make_source(store, name, key, len, answer->tag)->source;
	size_t came = len > 0 ? MIN(answer->response.body.len, len) : 0;
	char *bytes = arena_alloc(mem, len);

	if (!bytes)
		return arena_fail(mem, store->store.uri, err);
	if (came > 0)
		memcpy(bytes, answer->response.body.ptr, came);
	*out = str_of(bytes, len);
	return bytes_source_read(source, came, bytes + came, len - came, err);
}

/* The size comes with the first range, which is often all. */
static int object_read(struct blob_store *base, struct str name, struct arena *mem, size_t limit,
		       struct str *out, struct err *err)
{
	cleanup(arena_release) struct arena key_mem = ARENA_INIT(4 * LIMIT_PATH);
	cleanup(object_answer_release) struct object_answer answer = {0};
	struct object_store *store = store_of(base);
	struct str key = key_of(store, name, &key_mem);
	uint64_t size;
	int rc;

	if (!key.ptr)
		return arena_fail(&key_mem, "the name of an object", err);
	rc = get_first(store, name, key, RANGE_MAX, &answer, &size, err);
	if (rc < 0)
		return rc;
	if (size > limit)
		return err_set(err, ERR_LIMIT,
			       "object '" STR_FMT
			       "' of '%s' has %llu bytes, more than the limit of %zu",
			       STR_ARG(name), base->uri, (unsigned long long)size, limit);
	return read_rest(store, name, key, (size_t)size, &answer, mem, out, err);
}

static int object_put(struct blob_store *base, struct str name, struct str bytes, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(4 * LIMIT_PATH);
	struct object_store *store = store_of(base);
	struct str key = key_of(store, name, &mem);

	if (!key.ptr)
		return arena_fail(&mem, "the name of an object", err);
	return store->ops->put(store->service, base->uri, key, bytes, err);
}

static void object_close(struct blob_store *base)
{
	struct object_store *store = store_of(base);

	object_service_release(store->service);
	free(base->uri);
	free(store->prefix);
	free(store);
}

static int object_open_above(const struct blob_store *base, const char *uri,
			     struct blob_store **out, struct err *err)
{
	const struct object_store *store = (const struct object_store *)base;
	struct str bucket, prefix;
	int rc = store->ops->parse_uri(uri, &bucket, &prefix, err);

	if (rc == 0)
		*out = object_store_new(uri, prefix, store->dialect, store->ops,
					object_service_hold(store->service));
	return rc;
}

static const struct blob_store_ops object_ops = {.list = object_list,
						 .list_below = object_list_below,
						 .open = object_open,
						 .open_sized = object_open_sized,
						 .read = object_read,
						 .close = object_close,
						 .open_above = object_open_above,
						 .put = object_put,
						 .remote = true};

struct blob_store *object_store_new(const char *uri, struct str prefix,
				    const struct object_dialect *dialect,
				    const struct object_store_ops *ops,
				    struct object_service *service)
{
	cleanup(buf_release) struct buf text = BUF_INIT(SIZE_MAX / 2);
	struct object_store *store = mem_zalloc(sizeof(*store));

	if (prefix.len > 0)
		buf_printf(&text, STR_FMT "/", STR_ARG(prefix));
	store->store = (struct blob_store){&object_ops, mem_strdup(uri)};
	store->dialect = dialect;
	store->ops = ops;
	store->service = service;
	store->prefix = mem_strdup(buf_cstr(&text));
	return &store->store;
}
