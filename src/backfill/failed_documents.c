#include "backfill/failed_documents.h"

#include "backfill/failed_record_write.h"
#include "backfill/failed_sink.h"
#include "backfill/file_name.h"
#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#define RECORD_MAX MIB(2048)

struct failed_documents {
	pthread_mutex_t lock;
	struct failed_sink *sink;
	char *path;       /* for messages */
	char *session_id; /* as given */
	char *worker_id;
	struct buf record;
};

static char *worker_id(void)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(1));
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	buf_printf(&text, "%s-%ld", host[0] ? host : "localhost", (long)getpid());
	return mem_strdup(buf_cstr(&text));
}

/* Hosts that share a store may have one name, and one process number in all containers. */
static char *worker_id_anywhere(void)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(1));
	cleanup(mem_freep) char *here = worker_id();
	uint64_t mark = 0;

	if (getrandom(&mark, sizeof(mark), 0) != sizeof(mark))
		mark = (uint64_t)clock_wall_ms();
	buf_printf(&text, "%s-%016llx", here, (unsigned long long)mark);
	return mem_strdup(buf_cstr(&text));
}

/* "prefix" and a name that cannot leave its folder; owned. */
char *failed_folder_name(const char *prefix, struct str name)
{
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_PATH);

	buf_append_str(&text, str_from(prefix));
	file_name_append(&text, name);
	return mem_strdup(buf_cstr(&text));
}

/* 2026-11-21T10:24:00.123Z as 20261121T102400Z */
static void append_stamp(struct buf *out)
{
	char text[25];

	clock_format_utc(clock_wall_ms(), text);
	buf_printf(out, "%.4s%.2s%.2sT%.2s%.2s%.2sZ", text, text + 5, text + 8, text + 11,
		   text + 14, text + 17);
}

void failed_file_name(struct buf *out, uint64_t number)
{
	buf_append_str(out, STR("failed-document-stream-"));
	append_stamp(out);
	buf_printf(out, "-%llu.ndjson.gz", (unsigned long long)number);
}

/* Takes `worker`. `root` ends without '/'. */
static struct failed_documents *make_stream(struct str root, const char *session, char *worker)
{
	cleanup(buf_release) struct buf path = BUF_INIT(SIZE_MAX / 2);
	cleanup(mem_freep) char *folder = failed_folder_name("session=", str_from(session));
	struct failed_documents *stream = mem_zalloc(sizeof(*stream));

	pthread_mutex_init(&stream->lock, NULL);
	buf_printf(&path, STR_FMT "/%s", STR_ARG(root), folder);
	stream->path = mem_strdup(buf_cstr(&path));
	stream->session_id = mem_strdup(session);
	stream->worker_id = worker;
	stream->record = BUF_INIT(RECORD_MAX);
	return stream;
}

int failed_documents_open(const char *directory, const char *session, struct failed_documents **out,
			  struct err *err)
{
	struct failed_documents *stream = make_stream(str_from(directory), session, worker_id());

	if (strlen(stream->path) >= LIMIT_PATH) {
		failed_documents_close(stream, NULL);
		return err_set(err, ERR_LIMIT,
			       "the path of the failed documents is longer than %zu bytes",
			       LIMIT_PATH);
	}
	stream->sink = failed_files_new(directory, session, stream->worker_id);
	*out = stream;
	return 0;
}

int failed_documents_open_store(struct blob_store *store, const char *session, size_t most,
				struct failed_documents **out, struct err *err)
{
	struct str uri = str_from(store->uri);
	struct failed_documents *stream;

	if (!store->ops->put)
		return err_set(err, ERR_UNSUPPORTED,
			       "nothing can be written to '%s': name another place for failed "
			       "documents",
			       store->uri);
	while (uri.len > 1 && str_ends(uri, STR("/")))
		uri.len--;
	stream = make_stream(uri, session, worker_id_anywhere());
	stream->sink = failed_objects_new(store, session, stream->worker_id, most);
	*out = stream;
	return 0;
}

const char *failed_documents_path(const struct failed_documents *stream)
{
	return stream->path;
}

/* A line of the source may have ended inside its JSON; in the record it must not. */
static void keep_on_one_line(struct buf *record)
{
	for (char *at = record->ptr;
	     (at = memchr(at, '\n', (size_t)(record->ptr + record->len - 1 - at)));)
		*at = ' ';
}

static int add(struct failed_documents *stream, const struct failed_document *document,
	       struct err *err)
{
	const struct failed_stream_ids ids = {stream->session_id, stream->worker_id};
	int rc;

	if (stream->record.capacity > MIB(4))
		buf_release(&stream->record);
	buf_reset(&stream->record);
	failed_record_write(&stream->record, &ids, document);
	rc = buf_check(&stream->record, "the record of a failed document", err);
	if (rc < 0)
		return rc;
	keep_on_one_line(&stream->record);
	return stream->sink->ops->append(stream->sink, document->target_index,
					 buf_str(&stream->record), err);
}

int failed_documents_add(struct failed_documents *stream, const struct failed_document *document,
			 struct err *err)
{
	int rc;

	pthread_mutex_lock(&stream->lock);
	rc = add(stream, document, err);
	pthread_mutex_unlock(&stream->lock);
	return rc < 0 ? err_wrap(err, "a failed document cannot be recorded") : 0;
}

int failed_documents_flush(struct failed_documents *stream, struct err *err)
{
	int rc;

	pthread_mutex_lock(&stream->lock);
	rc = stream->sink->ops->flush(stream->sink, err);
	pthread_mutex_unlock(&stream->lock);
	return rc;
}

int failed_documents_close(struct failed_documents *stream, struct err *err)
{
	int rc;

	if (!stream)
		return 0;
	rc = stream->sink ? stream->sink->ops->close(stream->sink, err) : 0;
	pthread_mutex_destroy(&stream->lock);
	buf_release(&stream->record);
	free(stream->path);
	free(stream->session_id);
	free(stream->worker_id);
	free(stream);
	return rc;
}
