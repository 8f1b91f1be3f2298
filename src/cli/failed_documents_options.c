#include "cli/failed_documents_options.h"

#include "backfill/digest_table.h"
#include "backfill/failed_copies.h"
#include "base/log.h"
#include "base/state_dir.h"

#define WHICH(member) OPT_FIELD(struct failed_fields, member), .category = "Documents"

const struct opt failed_options[] = {
	{.name = "session-name",
	 .type = OPT_STRING,
	 WHICH(session_name),
	 .metavar = "NAME",
	 .help = "Only of the runs of this session."},
	{.name = "index",
	 .type = OPT_STRING,
	 WHICH(index),
	 .metavar = "NAME",
	 .help = "Only of this index on the target."},
	{.name = "type",
	 .type = OPT_STRING,
	 WHICH(type),
	 .metavar = "TYPE",
	 .help = "Only those that failed with this error type, such as "
		 "mapper_parsing_exception."},
	{.name = "folder",
	 .type = OPT_STRING,
	 WHICH(folder),
	 .metavar = "DIR",
	 .help = "Where the streams are; without it failed-documents in the state directory. The "
		 "Java tool's streams can be read once they are files."},
	{0},
};

#define STORE(member) OPT_FIELD(struct failed_store_fields, member), .category = "Failed documents"
#define KEEP(member) OPT_FIELD(struct failed_keep_fields, member), .category = "Failed documents"

const struct opt failed_store_options[] = {
	{.name = "failed-documents-uri",
	 .type = OPT_STRING,
	 STORE(uri),
	 .metavar = "URI",
	 .help = "The blob store that failed documents are kept in: s3://bucket/prefix or "
		 "file:///path. Without it, failed-documents in the state directory."},
	{.name = "failed-document-stream-s3-bucket",
	 .env = "RFS_FAILED_DOCUMENT_STREAM_S3_BUCKET",
	 .type = OPT_STRING,
	 STORE(s3_bucket),
	 .metavar = "BUCKET",
	 .help = "The same, by the Java tool's names: a bucket."},
	{.name = "failed-document-stream-s3-prefix",
	 .env = "RFS_FAILED_DOCUMENT_STREAM_S3_PREFIX",
	 .type = OPT_STRING,
	 STORE(s3_prefix),
	 .metavar = "PREFIX",
	 .fallback = "rfs-failed-document-stream/",
	 .help = "What names in that bucket begin with."},
	{.name = "failed-document-stream-s3-region",
	 .env = "RFS_FAILED_DOCUMENT_STREAM_S3_REGION",
	 .type = OPT_STRING,
	 STORE(s3_region),
	 .metavar = "REGION",
	 .help = "Where s3:// is for failed documents; without it that of the repository, or AWS's "
		 "usual places."},
	{.name = "failed-document-stream-s3-endpoint",
	 .env = "RFS_FAILED_DOCUMENT_STREAM_S3_ENDPOINT",
	 .type = OPT_STRING,
	 STORE(s3_endpoint),
	 .metavar = "URL",
	 .help = "The S3 server for failed documents; without it that of the repository, or AWS."},
	{0},
};

const struct opt failed_keep_options[] = {
	{.name = "failed-document-stream-session-id",
	 .env = "RFS_FAILED_DOCUMENT_STREAM_SESSION_ID",
	 .type = OPT_STRING,
	 KEEP(session_id),
	 .metavar = "NAME",
	 .help = "The session that failed documents in a blob store are kept under; without it the "
		 "run's own."},
	{.name = "failed-document-stream-max-buffer-bytes",
	 .env = "RFS_FAILED_DOCUMENT_STREAM_MAX_BUFFER_BYTES",
	 .type = OPT_BYTES,
	 KEEP(bytes),
	 .fallback = "8MiB",
	 .min = 1,
	 .max = INT32_MAX,
	 .help = "Bytes of failed documents that may wait in memory for the store; a checkpoint "
		 "waits for them anyway."},
	{0},
};

static const char *store_uri(const struct failed_store_fields *fields, struct arena *mem)
{
	if (fields->uri || !fields->s3_bucket)
		return fields->uri;
	return arena_printf(mem, "s3://%s/%s", fields->s3_bucket, fields->s3_prefix).ptr;
}

int failed_store_open(const struct failed_store_fields *fields,
		      const struct blob_store_options *others, struct arena *mem,
		      struct blob_store **out, struct err *err)
{
	struct blob_store_options options = others ? *others : (struct blob_store_options){0};
	const char *uri = store_uri(fields, mem);

	*out = NULL;
	if (mem->failed)
		return arena_fail(mem, "--failed-document-stream-s3-prefix", err);
	if (fields->uri && fields->s3_bucket)
		return err_set(
			err, ERR_USAGE,
			"--failed-documents-uri and --failed-document-stream-s3-bucket do not "
			"go together");
	if (fields->s3_region)
		options.s3_region = fields->s3_region;
	if (fields->s3_endpoint)
		options.s3_endpoint = fields->s3_endpoint;
	if (!uri || blob_store_open_with(uri, &options, out, err) == 0)
		return 0;
	return err_wrap(err, "the place for failed documents");
}

const struct opt allowed_options[] = {
	{.name = "allowed-doc-exception-types",
	 .env = "RFS_ALLOWED_DOC_EXCEPTION_TYPES",
	 .type = OPT_LIST,
	 OPT_FIELD(struct allowed_fields, types),
	 .category = "Documents",
	 .metavar = "TYPE",
	 .help = "Error types of the target that count as success, such as "
		 "version_conflict_engine_exception."},
	{0},
};

/* <state>/<name>; NULL with *err. */
static const char *below_state(const struct general_fields *general, const char *name,
			       struct arena *mem, struct err *err)
{
	const char *state;
	struct str folder;

	if (state_dir_path(general->state_dir, mem, &state, err) < 0)
		return NULL;
	folder = arena_printf(mem, "%s/%s", state, name);
	if (!folder.ptr)
		arena_fail(mem, "--state-dir", err);
	return folder.ptr;
}

/* Each store has a folder of copies; there the ledger of retries lies too. */
static int fetch(struct blob_store *store, const char *session,
		 const struct general_fields *general, struct arena *mem, const char **folder,
		 struct err *err)
{
	char name[sizeof("failed-documents-copies/") + ID128_TEXT] = "failed-documents-copies/";
	struct str uri = str_from(store->uri);

	while (uri.len > 1 && str_ends(uri, STR("/")))
		uri.len--;
	id128_print(id128_of(uri), name + strlen(name));
	*folder = below_state(general, name, mem, err);
	return *folder ? failed_documents_fetch(store, session, *folder, err) : -(int)err->kind;
}

int failed_fields_filter(const struct failed_fields *fields, const struct general_fields *general,
			 struct arena *mem, struct failed_filter *out, struct err *err)
{
	cleanup(blob_store_closep) struct blob_store *store = NULL;

	*out = (struct failed_filter){.folder = fields->folder,
				      .session = fields->session_name,
				      .index = fields->index,
				      .type = fields->type};
	if (failed_store_open(&fields->store, NULL, mem, &store, err) < 0)
		return -(int)err->kind;
	if (store && fields->folder)
		return err_set(err, ERR_USAGE, "--folder and '%s' do not go together", store->uri);
	if (store)
		return fetch(store, fields->session_name, general, mem, &out->folder, err);
	if (!fields->folder)
		out->folder = below_state(general, "failed-documents", mem, err);
	return out->folder ? 0 : -(int)err->kind;
}

void failed_documents_tell(void *damaged_count, bool damaged, const char *what)
{
	if (damaged) {
		++*(size_t *)damaged_count;
		log_error("failed-documents", "%s", what);
	} else {
		log_warn("failed-documents", "%s", what);
	}
}
