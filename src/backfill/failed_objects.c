#include "backfill/failed_sink.h"

#include <libdeflate.h>
#include <stdlib.h>

#define LEVEL 6 /* of compression; lines are few */

/* The lines of one index that wait. */
struct waiting {
	char *index; /* "index=…" */
	struct buf lines;
};

struct failed_objects {
	struct failed_sink sink;
	struct blob_store *store;
	char *session, *worker; /* "session=…", "worker=…" */
	struct waiting *indices;
	size_t count, bytes, most;
	uint64_t number; /* of the next object */
};

static struct waiting *waiting_of(struct failed_objects *objects, struct str index)
{
	cleanup(mem_freep) char *name = failed_folder_name("index=", index);
	struct waiting *one;

	for (size_t i = 0; i < objects->count; i++)
		if (strcmp(objects->indices[i].index, name) == 0)
			return &objects->indices[i];
	objects->indices =
		mem_realloc(objects->indices, (objects->count + 1) * sizeof(*objects->indices));
	one = &objects->indices[objects->count++];
	*one = (struct waiting){.index = take(name), .lines = BUF_INIT(SIZE_MAX / 4)};
	return one;
}

static int compress(struct str lines, struct buf *out, struct err *err)
{
	struct libdeflate_compressor *gzip = libdeflate_alloc_compressor(LEVEL);
	size_t most = gzip ? libdeflate_gzip_compress_bound(gzip, lines.len) : 0;
	void *room = gzip ? buf_reserve(out, most) : NULL;
	size_t length = room ? libdeflate_gzip_compress(gzip, lines.ptr, lines.len, room, most) : 0;

	libdeflate_free_compressor(gzip);
	out->len += length;
	if (length == 0)
		return err_set(err, ERR_NOMEM, "no memory is left to compress with");
	return 0;
}

/* One object, whole or not there. */
static int put(struct failed_objects *objects, struct waiting *one, struct err *err)
{
	cleanup(buf_release) struct buf object = BUF_INIT(SIZE_MAX / 4),
					name = BUF_INIT(LIMIT_PATH);
	int rc;

	buf_printf(&name, "%s/%s/%s/", objects->session, one->index, objects->worker);
	failed_file_name(&name, objects->number++);
	if ((rc = buf_check(&name, "the name of an object of failed documents", err)) < 0 ||
	    (rc = compress(buf_str(&one->lines), &object, err)) < 0 ||
	    (rc = blob_store_put(objects->store, buf_str(&name), buf_str(&object), err)) < 0)
		return err ? err_wrap(err, "'%s'", objects->store->uri) : rc;
	objects->bytes -= one->lines.len;
	return 0;
}

static void forget_last(struct failed_objects *objects)
{
	struct waiting *one = &objects->indices[--objects->count];

	free(one->index);
	buf_release(&one->lines);
}

static int objects_flush(struct failed_sink *sink, struct err *err)
{
	struct failed_objects *objects = (struct failed_objects *)sink;
	int rc = 0;

	while (objects->count > 0 && rc == 0) {
		rc = put(objects, &objects->indices[objects->count - 1], err);
		if (rc == 0)
			forget_last(objects);
	}
	return rc;
}

static int objects_append(struct failed_sink *sink, struct str index, struct str line,
			  struct err *err)
{
	struct failed_objects *objects = (struct failed_objects *)sink;
	struct waiting *one;
	int rc = 0;

	if (objects->bytes > 0 && objects->bytes + line.len > objects->most)
		rc = objects_flush(sink, err);
	if (rc < 0)
		return rc;
	one = waiting_of(objects, index);
	buf_append_str(&one->lines, line);
	if ((rc = buf_check(&one->lines, "the record of a failed document", err)) == 0)
		objects->bytes += line.len;
	return rc;
}

static int objects_close(struct failed_sink *sink, struct err *err)
{
	struct failed_objects *objects = (struct failed_objects *)sink;
	int rc = objects_flush(sink, err);

	while (objects->count > 0)
		forget_last(objects);
	free(objects->indices);
	free(objects->session);
	free(objects->worker);
	free(objects);
	return rc;
}

struct failed_sink *failed_objects_new(struct blob_store *store, const char *session,
				       const char *worker, size_t most)
{
	static const struct failed_sink_ops ops = {objects_append, objects_flush, objects_close};
	struct failed_objects *objects = mem_zalloc(sizeof(*objects));

	objects->sink.ops = &ops;
	objects->store = store;
	objects->session = failed_folder_name("session=", str_from(session));
	objects->worker = failed_folder_name("worker=", str_from(worker));
	objects->most = most;
	return &objects->sink;
}
