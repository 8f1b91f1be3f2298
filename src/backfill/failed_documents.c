#include "backfill/failed_documents.h"

#include "backfill/file_name.h"
#include "backfill/gzip_file.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROTATE_AT MIB(64) /* bytes of one file before compression, as the Java tool */
#define OPEN_MAX_FILES 16 /* indices whose file stays open; the longest unused makes room */
#define RECORD_MAX MIB(2048)

/* One index's file. */
struct stream_file {
	char *index;
	struct gzip_file *file;
	uint64_t used_at; /* by the clock of additions */
};

struct failed_documents {
	pthread_mutex_t lock;
	char *directory;  /* holds session=… */
	char *session;    /* "session=…" */
	char *path;       /* directory/session */
	char *session_id; /* as given */
	char *worker_id;  /* "host-pid" */
	struct stream_file files[OPEN_MAX_FILES];
	uint64_t additions, file_number;
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

/* "prefix" and a name that cannot leave its folder; owned. */
static char *safe_name(const char *prefix, struct str name)
{
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_PATH);

	buf_append_str(&text, str_from(prefix));
	file_name_append(&text, name);
	return mem_strdup(buf_cstr(&text));
}

int failed_documents_open(const char *directory, const char *session, struct failed_documents **out,
			  struct err *err)
{
	struct failed_documents *stream = mem_zalloc(sizeof(*stream));
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);

	pthread_mutex_init(&stream->lock, NULL);
	stream->directory = mem_strdup(directory);
	stream->session = safe_name("session=", str_from(session));
	stream->session_id = mem_strdup(session);
	stream->worker_id = worker_id();
	stream->record = BUF_INIT(RECORD_MAX);
	buf_printf(&path, "%s/%s", directory, stream->session);
	stream->path = mem_strdup(buf_cstr(&path));
	if (buf_check(&path, "the path of the failed documents", err) < 0) {
		failed_documents_close(stream, NULL);
		return -ERR_LIMIT;
	}
	*out = stream;
	return 0;
}

const char *failed_documents_path(const struct failed_documents *stream)
{
	return stream->path;
}

static void fd_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* Goes from the folder *at into its folder `name`, which is made, durably, when it is not there. */
static int descend(int *at, const char *name)
{
	int child;

	if (mkdirat(*at, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	if (fsync(*at) < 0)
		return -errno;
	child = openat(*at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (child < 0)
		return -errno;
	close(*at);
	*at = child;
	return 0;
}

/* The folder of an index, opened. */
static int open_folder(const struct failed_documents *stream, const char *index, const char *worker,
		       int *folder, struct err *err)
{
	cleanup(fd_closep) int at = -1;
	int rc = directory_make(stream->directory, err);

	if (rc < 0)
		return rc;
	at = open(stream->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = at < 0 ? -errno : 0;
	if (rc == 0)
		rc = descend(&at, stream->session);
	if (rc == 0)
		rc = descend(&at, index);
	if (rc == 0)
		rc = descend(&at, worker);
	if (rc < 0)
		return err_set_errno(err, ERR_IO, -rc, "cannot make '%s/%s/%s'", stream->path,
				     index, worker);
	*folder = at;
	at = -1;
	return 0;
}

/* 2026-11-21T10:24:00.123Z as 20261121T102400Z */
static void append_stamp(struct buf *out)
{
	char text[25];

	clock_format_utc(clock_wall_ms(), text);
	buf_printf(out, "%.4s%.2s%.2sT%.2s%.2s%.2sZ", text, text + 5, text + 8, text + 11,
		   text + 14, text + 17);
}

/* A process of the same number may have written here within this second, where numbers are few. */
static void append_free_name(struct buf *name, struct failed_documents *stream, int folder)
{
	do {
		buf_reset(name);
		buf_append_str(name, STR("failed-document-stream-"));
		append_stamp(name);
		buf_printf(name, "-%llu.ndjson.gz", (unsigned long long)stream->file_number++);
	} while (faccessat(folder, buf_cstr(name), F_OK, AT_SYMLINK_NOFOLLOW) == 0);
}

static int create_file(struct failed_documents *stream, struct str target_index,
		       struct gzip_file **out, struct err *err)
{
	cleanup(fd_closep) int folder = -1;
	cleanup(mem_freep) char *index = safe_name("index=", target_index);
	cleanup(mem_freep) char *worker = safe_name("worker=", str_from(stream->worker_id));
	cleanup(buf_release) struct buf name = BUF_INIT(LIMIT_PATH),
					path = BUF_INIT(LIMIT_PATH * 4);
	int rc = open_folder(stream, index, worker, &folder, err);

	if (rc < 0)
		return rc;
	append_free_name(&name, stream, folder);
	buf_printf(&path, "%s/%s/%s/%s", stream->path, index, worker, buf_cstr(&name));
	rc = gzip_file_create(folder, buf_cstr(&name), buf_cstr(&path), out, err);
	if (rc == 0 && fsync(folder) < 0)
		rc = err_set_errno(err, ERR_IO, errno, "cannot write '%s'", buf_cstr(&path));
	return rc;
}

static int end_file(struct stream_file *slot, struct err *err)
{
	int rc = slot->file ? gzip_file_sync(slot->file, err) : 0;

	gzip_file_close(slot->file);
	free(slot->index);
	*slot = (struct stream_file){0};
	return rc;
}

/* The open file of the index, or the slot to be used for one. */
static struct stream_file *slot_of(struct failed_documents *stream, struct str index)
{
	struct stream_file *oldest = &stream->files[0];

	for (size_t i = 0; i < OPEN_MAX_FILES; i++) {
		struct stream_file *slot = &stream->files[i];

		if (slot->index && str_is(index, slot->index))
			return slot;
		if (slot->used_at < oldest->used_at)
			oldest = slot;
	}
	return oldest;
}

static int file_of(struct failed_documents *stream, struct str index, struct gzip_file **out,
		   struct err *err)
{
	struct stream_file *slot = slot_of(stream, index);
	bool other = !slot->index || !str_is(index, slot->index);
	int rc = 0;

	if (other || gzip_file_length(slot->file) >= ROTATE_AT) {
		rc = end_file(slot, err);
		if (rc == 0)
			rc = create_file(stream, index, &slot->file, err);
		if (rc < 0)
			return rc;
		slot->index = str_dup(index);
	}
	slot->used_at = ++stream->additions;
	*out = slot->file;
	return 0;
}

/* ,"name":"text"; null when there is none. */
static void append_text(struct buf *out, const char *name, struct str text)
{
	buf_printf(out, ",\"%s\":", name);
	if (text.ptr)
		json_write_string(out, text);
	else
		buf_append_str(out, STR("null"));
}

static void append_base64(struct buf *out, struct str bytes)
{
	struct json value = {.type = JSON_BINARY, .text = bytes};

	json_write(out, &value);
}

/* What was to be done: of {"create":{"_index":…,"_id":…}} its name and its metadata. */
struct operation {
	struct str name, metadata;
};

static struct operation operation_of(struct str action)
{
	static const char *const names[] = {"index", "create", "delete"};

	for (size_t i = 0; json_validate(action, NULL) == 0 && i < COUNT_OF(names); i++) {
		struct str metadata = json_raw_member(action, names[i]);

		if (metadata.ptr)
			return (struct operation){str_from(names[i]), metadata};
	}
	return (struct operation){STR("index"), STR("{}")};
}

/* The Java tool's bulk operation: schema, operation, document. */
static void append_request(struct buf *out, const struct failed_document *document,
			   const struct operation *operation)
{
	buf_printf(out,
		   ",\"requestItem\":{\"schema\":\"rfs-opensearch-bulk-v1\","
		   "\"operation_type\":\"" STR_FMT "\",\"include_document\":%s,\"operation\":",
		   STR_ARG(operation->name), str_is(operation->name, "delete") ? "false" : "true");
	buf_append_str(out, operation->metadata);
	if (document->source.ptr && json_validate(document->source, NULL) == 0) {
		buf_append_str(out, STR(",\"document\":"));
		buf_append_str(out, document->source);
	} else if (document->source.ptr) {
		buf_append_str(out, STR(",\"documentBase64\":"));
		append_base64(out, document->source);
	}
	buf_append_byte(out, '}');
}

static void append_response(struct buf *out, const struct failed_document *document,
			    const struct operation *operation)
{
	buf_printf(out, ",\"responseItem\":{\"" STR_FMT "\":{", STR_ARG(operation->name));
	if (document->status != 0)
		buf_printf(out, "\"status\":%d,", document->status);
	buf_append_str(out, STR("\"error\":{\"type\":"));
	json_write_string(out, document->failure_type);
	append_text(out, "reason", document->reason);
	buf_append_str(out, STR("}}}}\n"));
}

static void append_record(struct buf *out, const struct failed_documents *stream,
			  const struct failed_document *document)
{
	bool exhausted = document->status == 429 || document->status >= 500;
	struct operation operation = operation_of(document->action);
	char now[25];

	clock_format_utc(clock_wall_ms(), now);
	buf_append_str(out, STR("{\"sessionId\":"));
	json_write_string(out, str_from(stream->session_id));
	append_text(out, "workerId", str_from(stream->worker_id));
	append_text(out, "workItemId", document->work_item);
	append_text(out, "targetIndex", document->target_index);
	append_text(out, "documentId", document->id);
	append_text(out, "failureType", document->failure_type);
	append_text(out, "failureClass",
		    exhausted ? STR("RETRYABLE_EXHAUSTED") : STR("NON_RETRYABLE"));
	append_text(out, "timestamp", str_from(now));
	append_request(out, document, &operation);
	append_response(out, document, &operation);
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
	struct gzip_file *file;
	int rc = file_of(stream, document->target_index, &file, err);

	if (rc < 0)
		return rc;
	if (stream->record.capacity > MIB(4))
		buf_release(&stream->record);
	buf_reset(&stream->record);
	append_record(&stream->record, stream, document);
	rc = buf_check(&stream->record, "the record of a failed document", err);
	if (rc < 0)
		return rc;
	keep_on_one_line(&stream->record);
	return gzip_file_append(file, buf_str(&stream->record), err);
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
	int rc = 0;

	pthread_mutex_lock(&stream->lock);
	for (size_t i = 0; rc == 0 && i < OPEN_MAX_FILES; i++)
		if (stream->files[i].file)
			rc = gzip_file_sync(stream->files[i].file, err);
	pthread_mutex_unlock(&stream->lock);
	return rc;
}

int failed_documents_close(struct failed_documents *stream, struct err *err)
{
	int rc = 0;

	if (!stream)
		return 0;
	for (size_t i = 0; i < OPEN_MAX_FILES; i++) {
		int ended = end_file(&stream->files[i], rc < 0 ? NULL : err);

		rc = rc < 0 ? rc : ended;
	}
	pthread_mutex_destroy(&stream->lock);
	buf_release(&stream->record);
	free(stream->directory);
	free(stream->session);
	free(stream->path);
	free(stream->session_id);
	free(stream->worker_id);
	free(stream);
	return rc;
}
