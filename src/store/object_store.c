#include "store/object_store.h"

#include "store/object_source.h"

#include <stdlib.h>

#define LIST_ANSWER_MAX MIB(16)
#define ERROR_MAX KIB(64)

struct object_store {
	struct blob_store store;
	const struct object_dialect *dialect;
	const struct object_store_ops *ops;
	struct object_service *service;
	char *prefix; /* before every name: "" or "a/b/" */
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

/* What is to be listed. */
struct wanted {
	struct str prefix; /* of keys */
	bool below;        /* also what is in the folders in it */
};

/* One page. 1: there is another, from *token on; 0: it was the last. */
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

/* GET of a range of `key`, of which messages speak as `called`. */
static int get_range(const struct object_store *store, struct object_service *service,
		     const char *called, struct str key, const struct object_range *range,
		     struct object_part *out, struct err *err)
{
	cleanup(buf_release) struct buf target = BUF_INIT(8 * LIMIT_PATH);
	bool tag_in_header = store->dialect->tag_in_header && range->tag[0];
	struct object_request request = {.method = "GET",
					 .object = key,
					 .range = range->text,
					 .if_match = tag_in_header ? range->tag : NULL,
					 .answer_max = MAX(range->len, (size_t)ERROR_MAX),
					 .stop = range->stop,
					 .into = range->into,
					 .into_size = range->len};
	struct object_answer answer = {0};
	int rc;

	store->ops->write_get(object_service_account(service), key, range->tag, &target);
	if ((rc = buf_check(&target, "a request for an object", err)) < 0)
		return rc;
	request.target = buf_cstr(&target);
	rc = object_service_send(service, called, &request, &answer, err);
	out->response = answer.response;
	memcpy(out->tag, answer.tag, sizeof(out->tag));
	out->total = answer.total;
	out->has_total = answer.has_total;
	return rc;
}

static int get_of_source(const struct object_source *source, const struct object_range *range,
			 struct object_part *out, struct err *err)
{
	return get_range(source->store, source->service, source->source.name, str_from(source->key),
			 range, out, err);
}

static void release_service(void *service)
{
	object_service_release(service);
}

static const struct object_source_ops source_ops = {get_of_source, release_service};

static struct bytes_source *make_source(const struct object_store *store, struct str name,
					struct str key, uint64_t size, const char *tag)
{
	const struct object_source from = {.ops = &source_ops,
					   .store = store,
					   .service = object_service_hold(store->service),
					   .uri = store->store.uri,
					   .flag = store->dialect->endpoint_flag};

	return object_source_new(&from, key, name, size, tag);
}

/* The first bytes of an object, at most `most`, and with them how many it has. */
static int get_first(struct object_store *store, struct str name, struct str key, size_t most,
		     struct object_part *part, uint64_t *size, struct err *err)
{
	const struct object_range range = object_range_of(0, NULL, most);
	int rc = get_range(store, store->service, store->store.uri, key, &range, part, err);
	int status = part->response.status;

	if (rc < 0)
		return object_get_error(store->store.uri, rc, err);
	if (status == 404)
		return object_missing(store->store.uri, name, err);
	if (status == 412)
		return object_replaced(store->store.uri, err);
	*size = 0;
	if (status == 416)
		return 0; /* an object without a first byte */
	if (status == 200)
		*size = part->response.body.len;
	else if (status == 206 && part->has_total && part->total >= part->response.body.len)
		*size = part->total;
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
	cleanup(object_part_release) struct object_part part = {0};
	struct object_store *store = store_of(base);
	struct str key = key_of(store, name, &mem);
	uint64_t size;
	int rc;

	if (!key.ptr)
		return arena_fail(&mem, "the name of an object", err);
	rc = get_first(store, name, key, 1, &part, &size, err);
	if (rc == 0)
		*out = make_source(store, name, key, size, part.tag);
	return rc;
}

static int object_open_sized(struct blob_store *base, struct str name, uint64_t size,
			     struct bytes_source **out, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(4 * LIMIT_PATH);
	struct str key = key_of(store_of(base), name, &mem);

	if (!key.ptr)
		return arena_fail(&mem, "the name of an object", err);
	*out = make_source(store_of(base), name, key, size, "");
	return 0;
}

/* The object whose first range is in the answer. */
static int read_rest(struct object_store *store, struct str name, struct str key, size_t len,
		     const struct object_part *part, struct arena *mem, struct str *out,
		     struct err *err)
{
	cleanup(bytes_source_closep) struct bytes_source *source =
		make_source(store, name, key, len, part->tag);
	size_t came = len > 0 ? MIN(part->response.body.len, len) : 0;
	char *bytes = arena_alloc(mem, len);

	if (!bytes)
		return arena_fail(mem, store->store.uri, err);
	if (came > 0)
		memcpy(bytes, part->response.body.ptr, came);
	*out = str_of(bytes, len);
	return bytes_source_read(source, came, bytes + came, len - came, err);
}

/* The size comes with the first range, which is often all. */
static int object_read(struct blob_store *base, struct str name, struct arena *mem, size_t limit,
		       struct str *out, struct err *err)
{
	cleanup(arena_release) struct arena key_mem = ARENA_INIT(4 * LIMIT_PATH);
	cleanup(object_part_release) struct object_part part = {0};
	struct object_store *store = store_of(base);
	struct str key = key_of(store, name, &key_mem);
	uint64_t size;
	int rc;

	if (!key.ptr)
		return arena_fail(&key_mem, "the name of an object", err);
	rc = get_first(store, name, key, OBJECT_RANGE_MAX, &part, &size, err);
	if (rc < 0)
		return rc;
	if (size > limit)
		return err_set(err, ERR_LIMIT,
			       "object '" STR_FMT
			       "' of '%s' has %llu bytes, more than the limit of %zu",
			       STR_ARG(name), base->uri, (unsigned long long)size, limit);
	return read_rest(store, name, key, (size_t)size, &part, mem, out, err);
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
