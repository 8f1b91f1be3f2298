/* A command of the program: one table row, one file. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/opt.h"

/* What every command gets. */
struct cli {
	struct arena *mem; /* lives as long as the command */
	const struct opt_result *parsed;
};

struct command {
	struct opt_command options;
	size_t fields_size; /* of a struct that starts with struct general_fields */
	/* Returns an exit code; a negative return means *err, which the caller prints. */
	int (*run)(struct cli *cli, void *fields, struct err *err);
	bool hidden; /* from lists of commands: for those who build and package */
};

extern const struct command command_check;
extern const struct command command_migrate;
extern const struct command command_copy;
extern const struct command command_index_move;
extern const struct command command_backfill;
extern const struct command command_backfill_status;
extern const struct command command_backfill_pause;
extern const struct command command_backfill_resume;
extern const struct command command_backfill_rate;
extern const struct command command_restore_settings;
extern const struct command command_snapshot_list;
extern const struct command command_snapshot_show;
extern const struct command command_snapshot_repos;
extern const struct command command_snapshot_register;
extern const struct command command_snapshot_create;
extern const struct command command_snapshot_status;
/* Not of the command line: the state of one that no cluster is asked about. */
extern const struct command command_snapshot_state;
extern const struct command command_snapshot_restore;
extern const struct command command_snapshot_delete;
extern const struct command command_snapshot_unregister;
extern const struct command command_inspect_lucene;
extern const struct command command_verify;
extern const struct command command_metadata_evaluate;
extern const struct command command_metadata_migrate;
extern const struct command command_metadata_dashboards;
extern const struct command command_lifecycle_attach;
extern const struct command command_assess;
extern const struct command command_transform_try;
extern const struct command command_failed_documents_list;
extern const struct command command_failed_documents_count;
extern const struct command command_failed_documents_retry;
extern const struct command command_compare;
extern const struct command command_compare_queries;
extern const struct command command_replay;
extern const struct command command_traffic_show;
extern const struct command command_traffic_export;
extern const struct command command_traffic_import;
extern const struct command command_traffic_groups;
extern const struct command command_capture;
extern const struct command command_capture_control;
extern const struct command command_engine;
extern const struct command command_pods_run;
extern const struct command command_workflow_configure_view;
extern const struct command command_workflow_configure_edit;
extern const struct command command_workflow_configure_clear;
extern const struct command command_workflow_configure_sample;
extern const struct command command_workflow_configure_schema;
extern const struct command command_workflow_configure_reference;
extern const struct command command_workflow_configure_credentials;
extern const struct command command_workflow_submit;
extern const struct command command_workflow_status;
extern const struct command command_workflow_approve;
extern const struct command command_workflow_plan;
extern const struct command command_workflow_export;
extern const struct command command_workflow_show;
extern const struct command command_workflow_log;
extern const struct command command_workflow_reset;
extern const struct command command_workflow_manage;
extern const struct command command_workflow_util_completions;
extern const struct command command_console_completion;
extern const struct command command_docs_man;
extern const struct command command_docs_reference;
extern const struct command command_docs_completion;

/* All commands, in the order of --help. */
const struct command *const *command_all(size_t *count);
extern const struct command command_console_clusters_connection_check;
extern const struct command command_console_clusters_cat_indices;
extern const struct command command_console_clusters_curl;
extern const struct command command_console_clusters_clear_indices;
extern const struct command command_console_clusters_generate_data;
extern const struct command command_console_clusters_run_test_benchmarks;
extern const struct command command_console_snapshot_create;
extern const struct command command_console_snapshot_status;
extern const struct command command_console_snapshot_delete;
extern const struct command command_console_snapshot_unregister_repo;
extern const struct command command_console_metadata_evaluate;
extern const struct command command_console_metadata_migrate;
extern const struct command command_console_backfill_describe;
extern const struct command command_console_backfill_start;
extern const struct command command_console_backfill_pause;
extern const struct command command_console_backfill_stop;
extern const struct command command_console_backfill_scale;
extern const struct command command_console_backfill_status;
extern const struct command command_console_backfill_reset;
extern const struct command command_console_replay_describe;
extern const struct command command_console_replay_start;
extern const struct command command_console_replay_stop;
extern const struct command command_console_replay_scale;
extern const struct command command_console_replay_status;
extern const struct command command_console_failed_documents_location;
extern const struct command command_console_failed_documents_count;
extern const struct command command_console_failed_documents_list;
extern const struct command command_console_failed_documents_retry;
extern const struct command command_console_metrics_list;
extern const struct command command_console_metrics_get_data;
extern const struct command command_console_kafka_create_topic;
extern const struct command command_console_kafka_delete_topic;
extern const struct command command_console_kafka_list_topics;
extern const struct command command_console_kafka_list_groups;
extern const struct command command_console_kafka_describe_group;
extern const struct command command_console_kafka_describe_records;
extern const struct command command_console_kafka_dump_records;
extern const struct command command_console_tuples_show;

/* The whole program: finds the command, parses, runs, prints its error; the exit code. */
int cli_main(int argc, char **argv);

#endif
