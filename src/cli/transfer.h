/* What migrate and backfill have in common: from a snapshot, through a bar, into a target. */
#ifndef CLI_TRANSFER_H
#define CLI_TRANSFER_H

#include "cli/backfill_metrics.h"
#include "cli/care.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/coordinator_options.h"
#include "cli/delta_options.h"
#include "cli/failed_documents_options.h"
#include "cli/input_options.h"
#include "cli/metadata_options.h"
#include "cli/remote_options.h"
#include "cli/source_options.h"
#include "cli/transform_options.h"
#include "workflow/routes/migrate.h"

/* How documents are selected and sent. */
struct transfer_fields {
	struct opt_list index_allowlist, renames;
	bool allow_partial_snapshot;
	int64_t documents_per_bulk, bytes_per_bulk;
	int64_t max_connections, max_memory, readers, read_ahead_memory;
	const char *compress;
	const char *format; /* of files: bulk, ndjson, elasticdump */
	const char *session_name;
	const char *progress;
	const char *op_type;       /* index, create */
	const char *generated_ids; /* auto, always, never */
	bool source_versions;
	bool sourceless, recovery_source;
	int64_t sourceless_memory;
	bool digest;
	struct failed_keep_fields failed;
};
extern const struct opt transfer_options[];

/* What documents pass through on their way. */
struct document_transform_fields {
	struct transformer_fields transformer;
	struct transform_run_fields run;
};

/* How work is divided, leased and continued. */
struct work_fields {
	struct coordinator_fields coordinator;
	int64_t lease_ms, max_failures, range_bytes, grace_ms;
	bool one_item, restart;
};
extern const struct opt work_options[];

/* How indices are created. */
struct create_fields {
	struct creation_fields creation;
	bool indices_only;
	struct transformer_fields transformer; /* of indices and templates */
};
extern const struct opt create_options[]; /* without those of `creation` */
/* ERR_USAGE for what migrate cannot do. NULL passes. */
int create_fields_check(const struct create_fields *fields, struct err *err);

struct transfer_request {
	const char *command; /* for the report */
	const struct general_fields *general;
	struct repository_fields *repository;
	/* A live cluster in place of the repository, whose repo_uri is its URL without secrets;
	 * NULL: none. Resolved. */
	const struct source_fields *source;
	const struct opt_list *system; /* internal indices of a live cluster that may be copied */
	bool plan;                     /* what would be done is told, and not done */
	const char *query; /* of a live cluster: JSON of a query clause; NULL: all documents */
	/* Files in place of the repository, whose repo_uri is --from; NULL: none. */
	const struct input_fields *input;
	/* The target reads the live cluster itself; NULL: documents go through here. */
	const struct remote_fields *remote;
	bool allow_writes; /* to a live cluster: they are not looked for */
	struct target_fields *target;
	const struct transfer_fields *transfer;
	const struct allowed_fields *allowed;
	const struct metrics_fields *metrics;
	const struct document_transform_fields *transform;
	const struct care_fields *care;
	const struct work_fields *work;
	const struct create_fields *create; /* NULL: documents alone */
	const struct delta_fields *delta;   /* NULL: never */
	/* Told of the report in place of standard output; NULL: it is printed. */
	void (*on_report)(void *user, const struct migrate_report *report);
	void *user;
};

/* Runs it and prints the report; an exit code, or negative with *err. */
int transfer_run(const struct transfer_request *request, struct cli *cli, struct err *err);

#endif
