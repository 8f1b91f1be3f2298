/* The flags of `shardlift replay`. */
#ifndef CLI_REPLAY_OPTIONS_H
#define CLI_REPLAY_OPTIONS_H

#include "cli/common_options.h"
#include "cli/compare_options.h"
#include "cli/coordinator_options.h"
#include "cli/traffic_show.h"
#include "cli/transform_options.h"

/* Flags of the Java replayer that are something else here. */
struct replay_java_fields {
	bool insecure;
	const char *request_filter, *response_processor; /* refused */
	int64_t quiescent_ms;
	const char *ignored[2];
};

struct replay_fields {
	struct general_fields general;
	struct target_fields target;
	struct coordinator_fields coordinator;
	struct transformer_fields transformer, tuple_transformer;
	struct transform_run_fields transform_run;
	struct traffic_selection_fields selection;
	struct traffic_show_fields show;
	struct replay_java_fields java;
	struct compare_rule_fields verdict;
	const char *target_uri, *mode, *input, *group, *name;
	const char *speedup, *sigv4, *user_agent, *include_path, *percentage;
	const char *most_per_second;
	const char *tuple_folder, *tuple_bucket, *tuple_region, *tuple_endpoint, *tuple_prefix;
	struct opt_list methods, final_types;
	bool remove_auth, source_versions, follow, keep_auth, no_tuples;
	bool stop_on_auth, no_stop_on_auth; /* the second wins */
	bool gets_only, writes_only, no_raise_gc_deletes, tuple_spans, no_spread, compare;
	const char *backfill_session;
	int64_t update_wait_ms;
	int64_t lookahead_s, max_gap_s, lookahead_bytes, most_requests, threads, packet_timeout_s;
	int64_t response_timeout_s, grace_ms, settle_ms, attempts;
	int64_t tuple_seconds, tuple_mb, tuple_count, tuple_total_mb;
	int64_t metrics_port;
	const char *metrics_host;
};

/* Its own, of struct replay_fields; the parts that it shares with others have theirs. */
extern const struct opt replay_options_table[];
extern const struct opt replay_java_options[];
/* Takes over what has another name here. ERR_USAGE: what is not there, with what is instead. */
int replay_java_options_resolve(struct replay_fields *fields, struct err *err);

#endif
