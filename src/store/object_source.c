#include "store/object_source.h"

#include "store/blob_store.h"

#include <stdio.h>
#include <stdlib.h>

int object_replaced(const char *called, struct err *err)
{
	return err_set(err, ERR_UNREADABLE,
		       "'%s' was replaced or deleted while it was read; take care that nobody "
		       "writes to the repository, and start again",
		       called);
}

int object_missing(const char *uri, struct str name, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "'%s' has no object '" STR_FMT "'", uri, STR_ARG(name));
}

int object_get_error(const char *called, int rc, struct err *err)
{
	if (err && err->kind == ERR_LIMIT)
		return err_wrap(err, "'%s' (the server may not know ranges)", called);
	return rc;
}

void object_part_release(struct object_part *part)
{
	http_response_release(&part->response);
}

struct object_range object_range_of(uint64_t offset, void *into, size_t len)
{
	struct object_range range = {.offset = offset, .len = len, .into = into, .tag = ""};

	snprintf(range.text, sizeof(range.text), "bytes=%llu-%llu", (unsigned long long)offset,
		 (unsigned long long)(offset + len - 1));
	return range;
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

/* Whether a part is the range that was asked for, of the object that was opened. */
static int check_part(struct object_source *source, const struct object_part *part,
		      const struct object_range *range, struct err *err)
{
	size_t came = part->response.into_len + part->response.body.len;
	bool known = range->tag[0]; /* an earlier answer had told its version */
	int status = part->response.status;

	if (status == 404 && !known)
		return object_missing(source->uri, source->name, err);
	if (part->has_total && part->total != source->source.size)
		return known ? object_replaced(source->source.name, err)
			     : blob_size_error(source->name, part->total, source->source.size, err);
	if (status >= 300 || !is_the_same(source, part->tag))
		return object_replaced(source->source.name, err);
	if (status == 200 && (range->offset > 0 || range->len != source->source.size))
		return err_set(err, ERR_HTTP,
			       "'%s' came whole though a range was asked for; check that %s, and "
			       "proxies on the way, know ranges",
			       source->source.name, source->flag);
	if (came != range->len)
		return err_set(
			err, ERR_HTTP,
			"bytes %llu to %llu of '%s' were asked for, and %zu came; check that "
			"%s, and proxies on the way, know ranges",
			(unsigned long long)range->offset,
			(unsigned long long)(range->offset + range->len), source->source.name, came,
			source->flag);
	return 0;
}

static int read_range(struct object_source *source, struct object_range *range, struct err *err)
{
	cleanup(object_part_release) struct object_part part = {0};
	char tag[sizeof(source->tag)];
	int rc;

	pthread_mutex_lock(&source->lock);
	memcpy(tag, source->tag, sizeof(tag));
	pthread_mutex_unlock(&source->lock);
	range->tag = tag;
	rc = source->ops->get(source, range, &part, err);
	if (rc < 0)
		return object_get_error(source->source.name, rc, err);
	rc = check_part(source, &part, range, err);
	if (rc == 0 && part.response.into_len == 0)
		memcpy(range->into, part.response.body.ptr, range->len);
	return rc;
}

static int object_read_once(struct bytes_source *src, uint64_t offset, void *dst, size_t len,
			    const atomic_bool *stop, struct err *err)
{
	char *to = dst;

	while (len > 0) {
		size_t n = MIN(len, (size_t)OBJECT_RANGE_MAX);
		struct object_range range = object_range_of(offset, to, n);
		int rc;

		range.stop = stop;
		rc = read_range((struct object_source *)src, &range, err);
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

static void object_close(struct bytes_source *src)
{
	struct object_source *source = (struct object_source *)src;

	source->ops->release(source->service);
	pthread_mutex_destroy(&source->lock);
	free(src->name);
	free(source->key);
	free(source);
}

static const struct bytes_source_ops source_ops = {.read_at = object_read_at,
						   .close = object_close,
						   .read_once = object_read_once,
						   .is_remote = object_is_remote};

struct bytes_source *object_source_new(const struct object_source *from, struct str key,
				       struct str name, uint64_t size, const char *tag)
{
	cleanup(buf_release) struct buf full = BUF_INIT(4 * LIMIT_PATH);
	struct object_source *source = mem_alloc(sizeof(*source));
	size_t len = strlen(from->uri);

	while (len > 0 && from->uri[len - 1] == '/')
		len--;
	buf_printf(&full, STR_FMT "/" STR_FMT, (int)len, from->uri, STR_ARG(name));
	*source = *from;
	source->source = (struct bytes_source){&source_ops, size, mem_strdup(buf_cstr(&full))};
	source->key = str_dup(key);
	source->name = str_of(source->key + key.len - name.len, name.len);
	pthread_mutex_init(&source->lock, NULL);
	snprintf(source->tag, sizeof(source->tag), "%s", tag);
	return &source->source;
}
