#include "cli/transfer_internal.h"

#include "backfill/file_folder.h"
#include "base/log.h"
#include "base/small_file.h"
#include "cli/transfer_check.h"
#include "net/url.h"

void transfer_release(struct transfer *transfer)
{
	metrics_server_stop(transfer->metrics_server);
	migrate_report_release(&transfer->report);
	failed_documents_close(transfer->failed, NULL);
	blob_store_close(transfer->failed_store);
	target_care_free(transfer->care);
	transfer_session_release(&transfer->session);
	transform_free(transfer->metadata.transform);
	control_free(transfer->control);
	pressure_free(transfer->pressure);
	cluster_close(transfer->cluster);
	index_filter_free(transfer->filter);
	index_renames_free(transfer->renames);
	snapshot_close(transfer->previous);
	snapshot_source_release(&transfer->source);
	source_marks_release(&transfer->marks);
	input_files_release(&transfer->input);
	cluster_close(transfer->live_cluster);
}

static bool is_loopback(struct str host)
{
	return str_is(host, "localhost") || str_starts(host, STR("127.")) || str_is(host, "::1");
}

/* Learns what messages may say of the URL, and whether it leads off this machine. */
static int look_at_url(struct transfer *transfer, struct err *err)
{
	const struct target_fields *fields = transfer->request->target;
	struct url url;

	if (url_parse(fields->host, transfer->mem, &url, err) < 0)
		return err_wrap(err, "--target-host");
	transfer->compress = !fields->disable_compression && !is_loopback(url.host);
	transfer->target_name = url_without_secrets(&url, transfer->mem).ptr;
	return transfer->target_name ? 0 : arena_fail(transfer->mem, "--target-host", err);
}

static enum file_compression compression_of(const struct transfer *transfer)
{
	const char *compress = transfer->request->transfer->compress;

	if (strcmp(compress, "gzip") == 0)
		return FILE_GZIP;
	return strcmp(compress, "zstd") == 0 ? FILE_ZSTD : FILE_PLAIN;
}

static enum file_lines lines_of(const struct transfer *transfer)
{
	const char *format = transfer->request->transfer->format;

	if (strcmp(format, "ndjson") == 0)
		return FILE_LINES_DOCUMENTS;
	return strcmp(format, "elasticdump") == 0 ? FILE_LINES_ELASTICDUMP : FILE_LINES_BULK;
}

static int resolve(struct transfer *transfer, struct err *err)
{
	const struct transfer_request *request = transfer->request;

	if ((!request->source && !request->input &&
	     repository_fields_resolve(request->repository, true, transfer->mem, err) < 0) ||
	    target_fields_resolve(request->target, &transfer->kind, &transfer->path, err) < 0 ||
	    transfer_fields_check(request->transfer, err) < 0 ||
	    create_fields_check(request->create, err) < 0 ||
	    index_filter_new(&request->transfer->index_allowlist, &transfer->filter, err) < 0 ||
	    index_renames_new(&request->transfer->renames, &transfer->renames, err) < 0)
		return -(int)err->kind;
	transfer->target_name = request->target->host;
	if (transfer->kind != TARGET_FILES && lines_of(transfer) != FILE_LINES_BULK)
		return err_set(err, ERR_USAGE, "--format is of files: give --to file:PATH");
	return transfer->kind == TARGET_CLUSTER ? look_at_url(transfer, err) : 0;
}

/* With the name of a session an export is taken up again. What a transform makes of one document
 * may lie in two files, of which one counts: that is begun anew. */
static int open_folder(struct transfer *transfer, struct err *err)
{
	const struct transfer_fields *fields = transfer->request->transfer;

	transfer->keeps_places =
		fields->session_name && *fields->session_name && !transfer->transformer.ptr;
	if (!transfer->keeps_places)
		return file_sink_prepare(transfer->path, err);
	transfer->mark = arena_printf(transfer->mem, "session '%s', --format %s, --compress %s",
				      fields->session_name, fields->format, fields->compress)
				 .ptr;
	if (!transfer->mark)
		return arena_fail(transfer->mem, "--session-name", err);
	return file_folder_take(transfer->path, transfer->mark, &transfer->begun, err);
}

static int open_target(struct transfer *transfer, struct err *err)
{
	const struct target_fields *fields = transfer->request->target;

	if (transfer->kind == TARGET_FILES)
		return transfer->request->plan ? 0 : open_folder(transfer, err);
	if (transfer->kind == TARGET_NULL)
		return 0;
	if (target_connect(fields, &transfer->cluster, err) < 0)
		return -(int)err->kind;
	log_debug("cluster", "target is %s at %s", cluster_version_text(transfer->cluster),
		  transfer->target_name);
	return 0;
}

int transfer_open_transform(void *user, struct transform **out, struct err *err)
{
	const struct transfer *transfer = user;
	const struct transform_context context =
		transform_context_of(&transfer->request->transform->run, TRANSFORM_DOCUMENT);

	return transform_new(transfer->transformer, &context, out, err);
}

/* What is wrong with them is told before anything else happens. */
static int check_transforms(struct transfer *transfer, struct err *err)
{
	const struct document_transform_fields *documents = transfer->request->transform;
	const struct create_fields *create = transfer->request->create;
	struct transform *transform;

	if (create && metadata_transform_new(&create->transformer, &documents->run, transfer->mem,
					     &transfer->metadata.transform, err) < 0)
		return -(int)err->kind;
	if (transformer_fields_read(&documents->transformer, transfer->mem, &transfer->transformer,
				    err) < 0)
		return -(int)err->kind;
	if (!transfer->transformer.ptr)
		return 0;
	if (transfer_open_transform(transfer, &transform, err) < 0)
		return -(int)err->kind;
	transform_free(transform);
	return 0;
}

int transfer_open_sink(void *user, size_t sender, struct bulk_sink **out, struct err *err)
{
	const struct transfer *transfer = user;
	struct cluster *cluster;

	(void)sender;
	switch (transfer->kind) {
	case TARGET_NULL:
		*out = null_sink_new();
		return 0;
	case TARGET_FILES:
		*out = file_sink_new(transfer->path, compression_of(transfer), lines_of(transfer));
		if (transfer->keeps_places)
			file_sink_keep_places(*out);
		return 0;
	case TARGET_CLUSTER:
		if (cluster_clone(transfer->cluster, &cluster, err) < 0)
			return -(int)err->kind;
		*out = cluster_sink_new(cluster, transfer->compress);
		return 0;
	}
	BUG("unknown kind of target");
}

int transfer_begin_item(void *user, struct str index, int32_t shard, struct doc_range range,
			const struct doc_range *kept, size_t count, struct err *err)
{
	const struct transfer *transfer = user;

	return file_folder_forget(transfer->path, index, shard, range, kept, count, err);
}

static int open_failed(struct transfer *transfer, const char *folder, struct err *err)
{
	const struct failed_keep_fields *keep = &transfer->request->transfer->failed;

	if (failed_store_open(&keep->store, &transfer->request->repository->store, transfer->mem,
			      &transfer->failed_store, err) < 0)
		return -(int)err->kind;
	if (!transfer->failed_store)
		return failed_documents_open(folder, transfer->session.name, &transfer->failed,
					     err);
	return failed_documents_open_store(transfer->failed_store,
					   keep->session_id ? keep->session_id
							    : transfer->session.name,
					   (size_t)keep->bytes, &transfer->failed, err);
}

static int open_session(struct transfer *transfer, struct err *err)
{
	const struct session_of of = {.request = transfer->request,
				      .snapshot = transfer->source.snapshot,
				      .once = transfer->input.once,
				      .previous = transfer->previous,
				      .delta_mode = transfer->delta_mode,
				      .filter = transfer->filter,
				      .target_names = transfer->target_names,
				      .target_name = transfer->target_name,
				      .transformer = transfer->transformer,
				      .kind = transfer->kind,
				      .keeps_places = transfer->keeps_places,
				      .begun = transfer->begun,
				      .cluster = transfer->cluster};
	struct str folder;

	if (transfer_session_open(&transfer->session, &of, transfer->mem, err) < 0 ||
	    (transfer->keeps_places && file_folder_mark(transfer->path, transfer->mark, err) < 0))
		return -(int)err->kind;
	folder = arena_printf(transfer->mem, "%s/failed-documents", transfer->session.state_dir);
	if (folder.ptr && transfer->request->transfer->digest)
		transfer->digest_folder = digest_folder_of(transfer->session.state_dir,
							   transfer->session.name, transfer->mem);
	if (transfer->mem->failed)
		return arena_fail(transfer->mem, "--state-dir", err);
	return open_failed(transfer, folder.ptr, err);
}

static struct pressure_options pressure_of(const struct transfer *transfer)
{
	const struct care_fields *care = transfer->request->care;

	/* Only a cluster can be overwhelmed. */
	return (struct pressure_options){
		.max_in_flight = transfer->request->transfer->max_connections,
		.documents_per_second = care->documents_per_second,
		.bytes_per_second = care->bytes_per_second,
		.adaptive = transfer->cluster != NULL,
	};
}

static enum generated_ids ids_mode(const struct transfer_fields *fields)
{
	if (strcmp(fields->generated_ids, "always") == 0)
		return GENERATED_IDS_ALWAYS;
	return strcmp(fields->generated_ids, "never") == 0 ? GENERATED_IDS_NEVER
							   : GENERATED_IDS_AUTO;
}

/* Before the senders' ways to the target are made: what watches it, watches them too. */
/* How far the source was written when this session began. */
static int open_marks(struct transfer *transfer, struct err *err)
{
	const char *path = NULL;

	if (!transfer->live_cluster || transfer->request->allow_writes)
		return 0;
	if (transfer->session.lasts) {
		path = arena_printf(transfer->mem, "%s/work/%s.marks", transfer->session.state_dir,
				    transfer->session.name)
			       .ptr;
		if (!path)
			return arena_fail(transfer->mem, "--state-dir", err);
		if (transfer->request->work->restart && small_file_remove(path, err) < 0)
			return -(int)err->kind;
	}
	return source_marks_open(transfer->live_cluster, path, &transfer->marks, err);
}

static int open_care(struct transfer *transfer, struct err *err)
{
	const struct care_fields *fields = transfer->request->care;
	const struct pressure_options pressure = pressure_of(transfer);
	const struct target_care_options options = {
		.state_dir = transfer->session.state_dir,
		.session = transfer->session.name,
		.target = transfer->target_name,
		.tune = fields->tune_target,
		/* A transform sends documents where it likes, under names not known here. */
		.allow_missing = fields->allow_missing || transfer->transformer.ptr ||
				 transfer->request->input,
		.coordinator = transfer->session.coordinator,
		.pause_ms = fields->pause_ms,
	};
	enum generated_ids ids = ids_mode(transfer->request->transfer);

	if (transfer->session.lasts)
		log_info("backfill", "session '%s'", transfer->session.name);
	transfer->pressure = pressure_new(&pressure);
	transfer->control =
		control_new(transfer->session.state_dir, transfer->session.name, &pressure);
	transfer->generates_ids = ids == GENERATED_IDS_ALWAYS;
	if (!transfer->cluster)
		return 0;
	transfer->care = target_care_new(transfer->cluster, &options);
	target_care_press(transfer->care, transfer->pressure);
	return target_generates_ids(transfer->cluster, ids, &transfer->generates_ids, err);
}

static int check_together(const struct transfer *transfer, struct err *err)
{
	return transfer_check(
		&(struct transfer_features){
			.delta = transfer->previous,
			.generated_ids = transfer->generates_ids,
			.transforms = transfer->transformer.ptr,
			.digest = transfer->digest_folder,
			.sourceless = transfer->request->transfer->sourceless,
			.recovery_source = transfer->request->transfer->recovery_source,
		},
		err);
}

int transfer_open(struct transfer *transfer, struct err *err)
{
	bool plan = transfer->request->plan;

	if (resolve(transfer, err) < 0 || check_transforms(transfer, err) < 0 ||
	    transfer_open_source(transfer, err) < 0 || transfer_name_targets(transfer, err) < 0 ||
	    open_target(transfer, err) < 0 || transfer_check_internal(transfer, err) < 0 ||
	    (!plan && open_session(transfer, err) < 0) ||
	    (!plan && open_marks(transfer, err) < 0) || transfer_plan_remote(transfer, err) < 0)
		return -(int)err->kind;
	if (!plan && (open_care(transfer, err) < 0 || check_together(transfer, err) < 0))
		return -(int)err->kind;
	return 0;
}
