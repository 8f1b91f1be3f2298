/* restore-settings: puts back what runs changed on a target for their load and could not restore.
 */
#include "cli/command.h"
#include "cli/common_options.h"

#include "backfill/target_tuning.h"
#include "backfill/tuning_file.h"
#include "base/log.h"
#include "base/state_dir.h"

#include <stdio.h>

struct restore_fields {
	struct general_fields general;
	struct target_fields target;
	bool plan;
};

static const struct opt restore_options[] = {
	{.name = "plan",
	 .type = OPT_BOOL,
	 OPT_FIELD(struct restore_fields, plan),
	 .help = "Tell of which indices settings would be put back, and send nothing."},
	{0},
};

struct restoring {
	struct arena *mem;
	bool plan;
	struct cluster *cluster;
	const char *state, *target;
	size_t restored, kept, elsewhere; /* indices; sessions of other targets */
};

static int open_target(struct restore_fields *fields, struct restoring *r, struct err *err)
{
	const struct cluster_retry retry = {
		.initial_delay_ms = 1000,
		.max_delay_ms = 60000,
		.max_total_ms = fields->target.retry_ms,
	};
	enum target_kind kind;
	const char *path;
	struct http_options options;
	struct url url;

	if (target_fields_resolve(&fields->target, &kind, &path, err) < 0)
		return -(int)err->kind;
	if (kind != TARGET_CLUSTER)
		return err_set(err, ERR_USAGE,
			       "--target-host '%s' is no cluster; settings are those of clusters",
			       fields->target.host);
	options = target_http_options(&fields->target);
	if (url_parse(fields->target.host, r->mem, &url, err) < 0)
		return err_wrap(err, "--target-host");
	r->target = url_without_secrets(&url, r->mem).ptr;
	if (!r->target)
		return arena_fail(r->mem, "--target-host", err);
	return cluster_connect(&options, &retry, &r->cluster, err);
}

/* 1: that session's settings are of this target. */
static int is_of_target(struct restoring *r, const char *session, struct err *err)
{
	struct json *root;
	struct str target;
	int failed = tuning_file_peek(r->state, session, r->mem, &root, err);

	if (failed < 0)
		return failed;
	target = json_string(json_get(root, "target"));
	if (str_is(target, r->target))
		return 1;
	log_info("target", "session '%s' has settings of " STR_FMT ", which is left alone", session,
		 STR_ARG(target));
	r->elsewhere++;
	return 0;
}

static int count_indices(struct restoring *r, const char *session, struct err *err)
{
	struct json *root;
	int rc = tuning_file_peek(r->state, session, r->mem, &root, err);

	if (rc < 0)
		return rc;
	json_each (index, json_get(root, "indices")) {
		log_info("target", "settings of index '" STR_FMT "' would be put back",
			 STR_ARG(index->key));
		r->restored++;
	}
	return 0;
}

static int restore_session(struct restoring *r, const char *session, struct err *err)
{
	const struct tuning_place place = {r->state, session, r->target};
	struct tuning_report report;
	int rc = is_of_target(r, session, err);

	if (rc <= 0)
		return rc;
	if (r->plan)
		return count_indices(r, session, err);
	rc = target_tuning_restore(r->cluster, &place, &report, err);
	if (rc < 0)
		return rc;
	r->restored += report.restored;
	r->kept += report.kept + report.busy;
	if (report.busy)
		log_warn("target", "session '%s' is running: it puts its settings back at its end",
			 session);
	if (report.kept > 0)
		log_warn("target", "session '%s': not put back: settings of %zu; %s", session,
			 report.kept, report.reason);
	return 0;
}

static int restore_all(struct restoring *r, struct err *err)
{
	struct str *sessions;
	size_t count;
	int rc = tuning_file_sessions(r->state, r->mem, &sessions, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = restore_session(r, sessions[i].ptr, err);
	return rc;
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	struct restore_fields *f = fields;
	struct restoring r = {.mem = cli->mem, .plan = f->plan};
	int rc = state_dir_path(f->general.state_dir, cli->mem, &r.state, err);

	if (rc == 0)
		rc = open_target(f, &r, err);
	if (rc == 0)
		rc = restore_all(&r, err);
	cluster_close(r.cluster);
	if (rc < 0)
		return rc;
	if (f->plan && !f->general.json)
		printf("settings that would be put back: %zu\n", r.restored);
	else if (f->general.json)
		printf("{\"restored\":%zu,\"kept\":%zu}\n", r.restored, r.kept);
	else
		printf("settings put back: %zu%s\n", r.restored,
		       r.kept ? "; others are not, see above" : "");
	return r.kept ? EXIT_CODE_COMPLETED_WITH_ERRORS : EXIT_CODE_OK;
}

static const struct opt_part parts[] = {
	{restore_options, 0},
	{target_options, offsetof(struct restore_fields, target)},
	{general_options, offsetof(struct restore_fields, general)},
	{0},
};

const struct command command_restore_settings = {
	.options =
		{
			.name = "restore-settings",
			.summary = "Put index settings back that a crashed run changed",
			.parts = parts,
			.details =
				"Runs set refresh_interval and number_of_replicas of the "
				"target's indices for the load (--tune-target), and gc_deletes for "
				"a "
				"replay, and keep the old values below --state-dir until they are "
				"back. This puts back "
				"what is left of all sessions on that target. A setting that "
				"somebody changed since stays.\n"
				"\n"
				"Exit codes: 0 nothing is left; 1 something could not be put back.",
		},
	.fields_size = sizeof(struct restore_fields),
	.run = run,
};
