#include "store/blob_store.h"
#include "store/azure_store.h"
#include "store/directory_store.h"
#include "store/gcs_store.h"
#include "store/s3_store.h"

#include "base/limits.h"

/* A name that stays below the root: no empty, "." or ".." component, no NUL, not absolute. */
static bool name_is_safe(struct str name)
{
	struct str rest = name, component;

	if (name.len == 0 || name.len > LIMIT_PATH || memchr(name.ptr, '\0', name.len))
		return false;
	for (bool more = true; more;) {
		more = str_split(rest, '/', &component, &rest);
		if (component.len == 0 || str_is(component, ".") || str_is(component, ".."))
			return false;
	}
	return true;
}

static int check_name(const struct blob_store *store, struct str name, struct err *err)
{
	if (name_is_safe(name))
		return 0;
	return err_set(err, ERR_FORMAT, "'" STR_FMT "' is no name of a blob in '%s'", STR_ARG(name),
		       store->uri);
}

/* The scheme of a URI, what is before "://"; empty for a path. "file:path" counts. */
static struct str uri_scheme(struct str uri)
{
	struct str scheme, rest;

	if (!str_split(uri, ':', &scheme, &rest) || memchr(scheme.ptr, '/', scheme.len))
		return STR_NONE;
	return str_starts(rest, STR("//")) || str_is(scheme, "file") ? scheme : STR_NONE;
}

static int open_other_scheme(const char *uri, struct str scheme, struct err *err)
{
	if (str_is(scheme, "http") || str_is(scheme, "https"))
		return err_set(err, ERR_UNSUPPORTED,
			       "'%s' is no repository that can be read; write s3://bucket/prefix, "
			       "gs://bucket/prefix or azure://account/container/prefix, or copy it "
			       "to a directory and name that",
			       uri);
	return err_set(err, ERR_USAGE,
		       "unknown scheme '" STR_FMT
		       "' in repository URI '%s'; use s3://bucket/prefix, gs://bucket/prefix, "
		       "azure://account/container/prefix, file:///path or /path",
		       STR_ARG(scheme), uri);
}

/* The stores that are reached by requests, by their schemes. */
static const struct {
	const char *scheme;
	int (*open)(const char *uri, const struct blob_store_options *options,
		    struct blob_store **out, struct err *err);
} remote_stores[] = {
	{"s3", s3_store_open},       {"gs", gcs_store_open},   {"gcs", gcs_store_open},
	{"azure", azure_store_open}, {"az", azure_store_open},
};

int blob_store_open(const char *uri, struct blob_store **out, struct err *err)
{
	return blob_store_open_with(uri, NULL, out, err);
}

int blob_store_open_with(const char *uri, const struct blob_store_options *options,
			 struct blob_store **out, struct err *err)
{
	static const struct blob_store_options none;
	struct str scheme = uri_scheme(str_from(uri));
	const char *path = uri;

	for (size_t i = 0; i < COUNT_OF(remote_stores); i++)
		if (str_is(scheme, remote_stores[i].scheme))
			return remote_stores[i].open(uri, options ? options : &none, out, err);
	if (scheme.len > 0 && !str_is(scheme, "file"))
		return open_other_scheme(uri, scheme, err);
	if (scheme.len > 0)
		path += strlen("file:");
	if (strncmp(path, "//", 2) == 0 && scheme.len > 0) {
		path += 2;
		if (strncmp(path, "localhost/", 10) == 0)
			path += strlen("localhost");
		if (*path != '/')
			return err_set(
				err, ERR_USAGE,
				"'%s' names a host; write file:///%s for a path on this machine",
				uri, path);
	}
	if (*path == '\0')
		return err_set(err, ERR_USAGE, "repository URI '%s' names no path", uri);
	return directory_store_open(path, uri, out, err);
}

int blob_store_open_above(const struct blob_store *store, struct str below, struct blob_store **out,
			  struct err *err)
{
	cleanup(mem_freep) char *uri = mem_strdup(store->uri);
	size_t len = strlen(uri);

	while (len > 1 && uri[len - 1] == '/')
		len--;
	if (!str_ends(str_of(uri, len), below) || len <= below.len + 1 ||
	    uri[len - below.len - 1] != '/')
		return err_set(err, ERR_NOT_FOUND, "'%s' does not end in '/" STR_FMT "'",
			       store->uri, STR_ARG(below));
	uri[len - below.len - 1] = '\0';
	if (store->ops->open_above)
		return store->ops->open_above(store, uri, out, err);
	return blob_store_open(uri, out, err);
}

int blob_compare_names(const void *a, const void *b)
{
	return str_cmp(((const struct blob_info *)a)->name, ((const struct blob_info *)b)->name);
}

int blob_size_error(struct str name, uint64_t size, uint64_t expected, struct err *err)
{
	return err_set(err, ERR_FORMAT,
		       "blob '" STR_FMT "' has %llu bytes and should have %llu: it is "
		       "truncated or belongs to another snapshot",
		       STR_ARG(name), (unsigned long long)size, (unsigned long long)expected);
}

int blob_store_list(struct blob_store *store, struct str folder, struct arena *mem,
		    struct blob_listing *out, struct err *err)
{
	int rc = folder.len > 0 ? check_name(store, folder, err) : 0;

	return rc < 0 ? rc : store->ops->list(store, folder, mem, out, err);
}

int blob_store_list_below(struct blob_store *store, struct str folder, struct arena *mem,
			  struct blob_listing *out, struct err *err)
{
	int rc = folder.len > 0 ? check_name(store, folder, err) : 0;

	if (rc < 0)
		return rc;
	if (!store->ops->list_below)
		return err_set(err, ERR_UNSUPPORTED,
			       "folders in '%s' cannot be searched: copy them to a directory and "
			       "name that",
			       store->uri);
	return store->ops->list_below(store, folder, mem, out, err);
}

int blob_store_source(struct blob_store *store, struct str name, struct bytes_source **out,
		      struct err *err)
{
	int rc = check_name(store, name, err);

	return rc < 0 ? rc : store->ops->open(store, name, out, err);
}

int blob_store_source_sized(struct blob_store *store, struct str name, uint64_t size,
			    struct bytes_source **out, struct err *err)
{
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	int rc = check_name(store, name, err);

	if (rc == 0 && store->ops->open_sized)
		return store->ops->open_sized(store, name, size, out, err);
	if (rc == 0)
		rc = store->ops->open(store, name, &source, err);
	if (rc < 0)
		return rc;
	if (source->size != size)
		return blob_size_error(name, source->size, size, err);
	*out = take(source);
	return 0;
}

int blob_store_put(struct blob_store *store, struct str name, struct str bytes, struct err *err)
{
	int rc = check_name(store, name, err);

	if (rc < 0)
		return rc;
	if (!store->ops->put)
		return err_set(err, ERR_UNSUPPORTED, "nothing can be written to '%s'", store->uri);
	return store->ops->put(store, name, bytes, err);
}

bool blob_store_is_uri(const char *text)
{
	return uri_scheme(str_from(text)).len > 0;
}

bool blob_store_is_remote(const struct blob_store *store)
{
	return store->ops->remote;
}

int blob_store_read(struct blob_store *store, struct str name, struct arena *mem, size_t limit,
		    struct str *out, struct err *err)
{
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	int rc = check_name(store, name, err);

	if (rc == 0 && store->ops->read)
		return store->ops->read(store, name, mem, limit, out, err);
	if (rc == 0)
		rc = store->ops->open(store, name, &source, err);
	return rc < 0 ? rc : bytes_source_read_all(source, mem, limit, out, err);
}

void blob_store_close(struct blob_store *store)
{
	if (store)
		store->ops->close(store);
}

void blob_store_closep(struct blob_store **store)
{
	blob_store_close(*store);
	*store = NULL;
}
