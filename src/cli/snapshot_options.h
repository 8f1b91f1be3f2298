/* What the commands of a cluster's own snapshot API share: options, and how requests are sent or,
 * with --plan, told. */
#ifndef CLI_SNAPSHOT_OPTIONS_H
#define CLI_SNAPSHOT_OPTIONS_H

#include "cli/command.h"
#include "cli/source_options.h"

#include "cluster/snapshot_api.h"

/* First in the fields of each of these commands. */
struct snapshot_fields {
	struct general_fields general;
	struct source_fields source;
	struct target_fields target;
	const char *from; /* URL */
	const char *repository, *snapshot;
	bool plan;
	bool include_system;
	bool wait;
};
extern const struct opt snapshot_cluster_options[];    /* --from */
extern const struct opt snapshot_repository_options[]; /* --repo */
extern const struct opt snapshot_name_options[];       /* --snapshot */
extern const struct opt snapshot_plan_options[];       /* --plan */
extern const struct opt snapshot_content_options[];    /* --include-system, --wait */

/* The parts that all of them have, from --from to --json. */
#define SNAPSHOT_CLUSTER_PARTS                                                                     \
	{snapshot_cluster_options, 0}, {source_options, offsetof(struct snapshot_fields, source)}, \
		{target_options, offsetof(struct snapshot_fields, target)},                        \
	{                                                                                          \
		general_options, offsetof(struct snapshot_fields, general)                         \
	}

/* Connects with --from or with --to, of which exactly one is to be given. */
int snapshot_connect(struct snapshot_fields *fields, struct arena *mem, struct cluster **out,
		     struct err *err);
int snapshot_connect_source(struct snapshot_fields *fields, struct arena *mem, struct cluster **out,
			    struct err *err);
int snapshot_connect_target(struct snapshot_fields *fields, struct cluster **out, struct err *err);
bool snapshot_has_source(const struct snapshot_fields *fields);

/* Sends the request; with --plan prints it instead, and *answer is NULL. */
int snapshot_send(const struct snapshot_fields *fields, struct cluster *cluster,
		  const struct snapshot_request *request, struct arena *mem, struct json **answer,
		  struct err *err);
/* One line for people, or one object with name and outcome. Nothing with --plan. */
int snapshot_tell(const struct snapshot_fields *fields, const char *outcome, const char *name,
		  struct arena *mem, struct err *err);
int snapshot_print_json(const struct json *value, struct err *err);

/* ".kibana" and the like; backing indices of data streams are none. */
bool snapshot_index_is_internal(struct str name);
/* Keeps internal indices out of a global state, which brings them along since Elasticsearch 7.12.
 */
void snapshot_leave_out_features(struct json *body, const struct cluster_version *version,
				 struct arena *mem);
/* Waits for half a second; ERR_CANCELLED once the user interrupts. */
int snapshot_pause(struct err *err);
/* "3 of 5 shards, 60%, 1:20 left", logged. */
void snapshot_log_progress(const struct snapshot_progress *progress, int64_t elapsed_ms);

#endif
