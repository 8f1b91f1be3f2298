/* For transfer*.c: what a run holds open. */
#ifndef CLI_TRANSFER_INTERNAL_H
#define CLI_TRANSFER_INTERNAL_H

#include "backfill/bulk_sink.h"
#include "cli/snapshot_source.h"
#include "cli/transfer.h"
#include "cli/transfer_session.h"
#include "workflow/routes/live_indices.h"
#include "workflow/routes/migrate.h"

/* Everything a run holds open; freed by transfer_release, also after a failure. */
struct transfer {
	const struct transfer_request *request;
	struct arena *mem; /* of the command */
	enum target_kind kind;
	const char *path;        /* of a target of files */
	bool keeps_places;       /* an export that the next run can go on with */
	const char *mark;        /* of its folder */
	bool begun;              /* and that had begun before */
	const char *target_name; /* without secrets */
	bool compress;           /* bulks over HTTP */
	struct snapshot_source source;
	struct cluster *live_cluster; /* NULL: the source is a snapshot */
	struct live_source live;
	struct input_files input; /* empty: the source is none of files */
	struct file_documents_options files;
	struct source_marks marks;
	struct remote_plan remote;
	struct snapshot *previous; /* NULL: all documents are sent */
	enum delta_mode delta_mode;
	struct index_filter *filter;
	struct index_renames *renames;
	const struct str *target_names; /* of the snapshot's indices */
	struct str transformer;         /* configuration; ptr NULL: none */
	struct migrate_metadata_plan metadata;
	struct cluster *cluster;         /* NULL: no cluster */
	struct target_care *care;        /* NULL: no cluster */
	struct blob_store *failed_store; /* NULL: failed documents go to the state directory */
	struct failed_documents *failed;
	struct transfer_session session;
	struct pressure *pressure;
	struct control *control;
	bool generates_ids;        /* the target does */
	const char *digest_folder; /* NULL: no digests are taken */
	struct progress progress;
	struct backfill_metrics metrics;
	struct metrics_server *metrics_server; /* NULL: none */
	struct migrate_report report;
	int64_t started_ms;
};

/* Checks all that was asked for and opens all that the run needs; nothing is sent yet. */
int transfer_open(struct transfer *transfer, struct err *err);
void transfer_release(struct transfer *transfer);
/* Of struct backfill_plan; `user` is the struct transfer. */
int transfer_open_sink(void *user, size_t sender, struct bulk_sink **out, struct err *err);
int transfer_begin_item(void *user, struct str index, int32_t shard, struct doc_range range,
			const struct doc_range *kept, size_t count, struct err *err);
int transfer_open_transform(void *user, struct transform **out, struct err *err);
/* Opens the snapshot or the live cluster: `source`, and what is beside it. */
int transfer_open_source(struct transfer *transfer, struct err *err);
/* What the indices are called on the target, for those that are selected. */
int transfer_name_targets(struct transfer *transfer, struct err *err);
/* What belongs to a product is copied out of a live cluster only if it is meant. */
int transfer_check_internal(const struct transfer *transfer, struct err *err);
/* --mode remote-reindex, if it is asked for: once source, target and session are open. */
int transfer_plan_remote(struct transfer *transfer, struct err *err);
/* That the allowlist may be set back. */
void transfer_log_allowlist(const struct transfer *transfer, int ended);

#endif
