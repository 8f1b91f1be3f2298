/* What the files of the SQLite coordinator share. */
#ifndef BACKFILL_COORDINATOR_LOCAL_INTERNAL_H
#define BACKFILL_COORDINATOR_LOCAL_INTERNAL_H

#include "backfill/coordinator_internal.h"
#include "base/database.h"
#include "base/process_identity.h"

/* Values of work_items.state are those of enum work_state. */
struct local_coordinator {
	struct coordinator base;
	struct coordinator_options options; /* strings are those below */
	struct coordinator_clock clock;
	char session[COORDINATOR_SESSION_MAX + 1];
	char worker[COORDINATOR_WORKER_SIZE];
	char holder[COORDINATOR_TOKEN_SIZE]; /* random: the leases of this coordinator */
	struct process_identity process;
	struct database *db;
};

/* As coordinator_local_open, for tests. */
int coordinator_local_open_with(const char *state_dir, const struct coordinator_options *options,
				const struct coordinator_clock *clock, int64_t busy_ms,
				struct coordinator **out, struct err *err);

static inline struct local_coordinator *local_of(struct coordinator *c)
{
	return (struct local_coordinator *)c;
}

extern const struct database_kind local_database_kind;

/* The columns that local_read_item and local_read_progress take, in this order. */
#define LOCAL_ITEM_COLUMNS "index_name, shard, first_doc, end_doc, bytes"
#define LOCAL_PROGRESS_COLUMNS \
	"next_doc, documents, sent, failed, superseded, source_bytes, pipeline_state"
#define LOCAL_PROCESS_COLUMNS "boot_id, pid_namespace, pid, start_ticks"
#define LOCAL_ITEM_COUNT 5
#define LOCAL_PROGRESS_COUNT 7
struct work_item local_read_item(const struct database_statement *statement, int column);
struct work_progress local_read_progress(const struct database_statement *statement, int column);
struct process_identity local_read_process(const struct database_statement *statement, int column);
void local_bind_item(struct database_statement *statement, const struct work_item *item);

/* coordinator_local_claim.c, _progress.c, _list.c: the operations. */
int local_claim(struct coordinator *c, struct work_claim *out, enum claim_outcome *outcome,
		int64_t *wait_ms, struct err *err);
int local_checkpoint(struct coordinator *c, struct work_claim *claim,
		     const struct work_progress *progress, struct err *err);
int local_divide(struct coordinator *c, struct work_claim *claim, const struct work_item *ranges,
		 size_t count, struct err *err);
int local_complete(struct coordinator *c, struct work_claim *claim,
		   const struct work_progress *progress, struct err *err);
int local_release(struct coordinator *c, struct work_claim *claim, struct err *err);
int local_fail(struct coordinator *c, struct work_claim *claim, const char *reason, bool final,
	       struct err *err);
int local_list(struct coordinator *c, struct arena *mem, struct work_status **out, size_t *count,
	       struct err *err);
int local_unpark(struct coordinator *c, size_t *count, struct err *err);

#endif
