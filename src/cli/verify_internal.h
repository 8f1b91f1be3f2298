/* The parts of the command verify. */
#ifndef CLI_VERIFY_INTERNAL_H
#define CLI_VERIFY_INTERNAL_H

#include "cli/metadata_options.h"
#include "cli/snapshot_source.h"
#include "cli/source_options.h"
#include "cli/transform_options.h"
#include "metadata/index_filter.h"
#include "metadata/index_renames.h"
#include "verify/findings.h"
#include "verify/transformed_side.h"

struct verify_fields {
	struct general_fields general;
	struct repository_fields repository;
	struct source_fields source;
	struct target_fields target;
	struct opt_list index_allowlist, renames, only;
	int64_t threads, max_named, max_looked;
	const char *queries, *since;
	int64_t generated_queries, settle_ms;
	const char *sample, *query, *progress, *report, *digest_from;
	int64_t sourceless_memory;
	int64_t page_bytes, documents_per_second;
	bool without_ids, restart, sourceless, recovery_source;
	struct transformer_fields transformer;
	struct transform_run_fields transform_run;
	struct creation_fields creation; /* what the rules did */
};

extern const struct opt verify_options[];

/* What is compared. */
enum verify_part { VERIFY_DOCUMENTS, VERIFY_METADATA, VERIFY_QUERIES, VERIFY_PARTS };

/* All that is open. */
struct verifying {
	struct verify_fields *fields;
	struct arena *mem;
	double sample; /* 0 … 1 of the ids */
	bool parts[VERIFY_PARTS];
	struct snapshot_source snapshots[2];
	struct snapshot *previous; /* --since-snapshot; or NULL */
	struct cluster *clusters[2];
	const char *names[2];
	struct verify_side *sides[2];
	struct verify_side *transformed; /* what is compared in place of the source; or NULL */
	struct str transformer;
	struct verify_transformed_counts counts;
	const struct verify_made_index *made; /* of the pairs, where there is a transform */
	struct index_filter *filter;
	struct index_renames *renames;
	struct verify_pair *pairs;
	size_t pair_count;
	const char *digest_folder; /* NULL: none */
};

/* What does not go together is told before anything is opened: ERR_USAGE. */
int verify_check_usage(struct verifying *v, struct err *err);
/* Opens both sides. */
int verify_open_sides(struct verifying *v, struct err *err);
/* Which indices are compared with which. */
int verify_choose_pairs(struct verifying *v, struct err *err);
/* --digest-from: where digests of the source lie; and one of them, for verify_options. */
int verify_open_digests(struct verifying *v, struct err *err);
int verify_source_digest(void *user, struct str index, struct digest *out, struct err *err);
/* Where checkpoints are kept, and for which comparison. */
int verify_open_checkpoints(struct verifying *v, struct verify_options *options, struct err *err);
/* What is wrong with the transformers is told before anything is read. */
int verify_check_transform(struct verifying *v, struct err *err);
/* The pairs become those of the indices that the transformers make. */
int verify_plan_transformed(struct verifying *v, const struct verify_options *options,
			    struct verify_progress *progress, const atomic_bool *cancel,
			    struct err *err);
/* Mappings and settings of the pairs. *skipped: why they cannot be compared here; NULL: they were.
 */
int verify_metadata(struct verifying *v, struct verify_findings *out, const char **skipped,
		    struct err *err);
/* Queries of a file, and generated ones. *skipped: as above; both NULL where none were asked for.
 */
int verify_queries(struct verifying *v, const atomic_bool *cancel, struct verify_findings *out,
		   const char **skipped, struct err *err);
/* Whether there are any to be asked. */
bool verify_wants_queries(const struct verifying *v);
/* The name on the target of an index of the source. */
struct str verify_renamed(const struct verifying *v, struct str name);
void verifying_release(struct verifying *v);

#endif
