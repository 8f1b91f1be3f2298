/* The straight path: metadata, documents and the proof of counts, from a snapshot into a target. */
#ifndef WORKFLOW_ROUTES_MIGRATE_H
#define WORKFLOW_ROUTES_MIGRATE_H

#include "backfill/backfill.h"
#include "backfill/target_care.h"
#include "metadata/index_filter.h"
#include "metadata/source_kind.h"
#include "workflow/routes/migrate_metadata.h"
#include "workflow/routes/remote_reindex.h"
#include "workflow/routes/source_marks.h"

struct migrate_plan {
	const struct snapshot *snapshot;
	struct cluster *source; /* live, whose indices `snapshot` describes; NULL: none */
	const struct index_filter *filter;
	const struct str *target_names; /* of the snapshot's indices; NULL: as there */
	struct source_marks *marks; /* of the live source; NULL: writes to it are not looked for */
	struct cluster *target;     /* NULL: files or nowhere; no metadata, no counts on the target,
				       and action lines keep the types of documents that have one */
	struct backfill_options backfill;
	/* The target brings the documents itself, of a live source; NULL: they are sent from here.
	 */
	const struct remote_reindex_options *remote;
	struct failed_documents *failed;
	struct target_care *care; /* borrowed; NULL: none is taken */
	/* How metadata comes to the target; NULL: backfill alone, the indices are there. */
	const struct migrate_metadata_plan *metadata;
	/* What would be done is told, with the counts of a live source, and nothing is written. */
	bool plan_only;
	struct created_indices *ours; /* that this session created before; NULL: none, and they
					 are not remembered */
};

/* What became of one index of the snapshot. */
struct migrate_index {
	struct str name, target_name;
	enum source_kind source_kind;
	bool refused;                /* stores no _source: nothing was sent */
	bool rebuild;                /* its sources, which are not stored, or in part */
	bool inverts;                /* … out of points or terms */
	struct rebuild_tally *tally; /* with `rebuild`: fields whose values do not fit */
	/* Of its creation: OUTCOME_WRITTEN (_READY: planned), _EXISTED, _FAILED, _BLOCKED;
	 * else OUTCOME_NONE. */
	enum metadata_outcome creation;
	struct str creation_note; /* why it failed, or what was changed on the way; may be empty */
	struct backfill_index_result documents;
	int64_t target_documents; /* after a refresh; -1: not asked */
	struct str note;          /* why it was refused or does not agree; may be empty */
	bool written;             /* on the source, since the session began */
	bool agrees;
};

struct migrate_report {
	struct arena mem;
	struct migrate_index *indices;
	size_t count;
	struct metadata_set metadata; /* what was written, or was to be; empty in a backfill */
	bool agrees; /* all selected indices do, none was refused, all metadata is on the target */
	enum backfill_end end;
	bool resumed, finished_before; /* as backfill_report tells */
};

void migrate_report_release(struct migrate_report *report);
/* Runs it. `report` is filled as far as it came even when this fails. */
int migrate_run(const struct migrate_plan *plan, struct progress *progress, atomic_bool *cancel,
		struct migrate_report *report, struct err *err);

#endif
