#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/coordinator_options.h"
#include "cli/status_report.h"

#include "backfill/control.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/state_dir.h"
#include "cluster/document_count.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SESSIONS_MAX 10000

struct status_fields {
	struct general_fields general;
	struct target_fields target;
	struct coordinator_fields coordinator;
	const char *session_name;
	bool deep_check;
	int64_t pace_ms;
};

/* One run of the command. */
struct status {
	const struct status_fields *fields;
	struct arena *mem;
	const char *state;       /* the state directory */
	bool is_local;           /* its sessions are in the state directory */
	struct cluster *cluster; /* for --deep-check, and --coordinator-host target */
	struct str *sessions;
	size_t session_count;
	struct json *list; /* of --json */
	bool wrong;        /* something is parked, or missing on the target */
};

static void status_release(struct status *status)
{
	cluster_close(status->cluster);
}

static void directory_closep(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

static void coordinatorp(struct coordinator **coordinator)
{
	if (*coordinator)
		(*coordinator)->ops->close(*coordinator);
}

/* The sessions in STATE/work: files SESSION.db. */
static int find_sessions(struct status *status, struct err *err)
{
	struct str folder = arena_printf(status->mem, "%s/work", status->state);
	cleanup(directory_closep) DIR *directory = NULL;
	struct dirent *entry;

	status->sessions = arena_zalloc(status->mem, SESSIONS_MAX, sizeof(struct str));
	if (!folder.ptr || !status->sessions)
		return arena_fail(status->mem, "the list of sessions", err);
	directory = opendir(folder.ptr);
	if (!directory)
		return errno == ENOENT
			       ? 0
			       : err_set_errno(err, ERR_IO, errno, "cannot read '%s'", folder.ptr);
	while ((entry = readdir(directory)) && status->session_count < SESSIONS_MAX) {
		struct str name = str_from(entry->d_name);

		if (name.len <= 3 || !str_ends(name, STR(".db")))
			continue;
		name.len -= 3;
		status->sessions[status->session_count++] = arena_str(status->mem, name);
	}
	qsort(status->sessions, status->session_count, sizeof(struct str), str_cmp_qsort);
	return status->mem->failed ? arena_fail(status->mem, "the list of sessions", err) : 0;
}

/* In a cluster a session has an index of its own; the Java tool's may have no name. */
static int name_session(struct status *status, struct err *err)
{
	const char *wanted = status->fields->session_name;

	if (!wanted && !coordinator_is_java(&status->fields->coordinator))
		return err_set(err, ERR_USAGE,
			       "--coordinator-host '%s': which session? Give --session-name; a run "
			       "logs the name of its own",
			       status->fields->coordinator.host);
	status->sessions = arena_zalloc(status->mem, 1, sizeof(struct str));
	if (!status->sessions)
		return arena_fail(status->mem, "the list of sessions", err);
	status->sessions[0] = str_from(wanted ? wanted : "");
	status->session_count = 1;
	return 0;
}

/* Reduces the sessions to the one that is asked for. */
static int select_session(struct status *status, struct err *err)
{
	cleanup(buf_release) struct buf known = BUF_INIT(KIB(1));
	const char *wanted = status->fields->session_name;

	for (size_t i = 0; wanted && i < status->session_count; i++) {
		if (str_is(status->sessions[i], wanted)) {
			status->sessions[0] = status->sessions[i];
			status->session_count = 1;
			return 0;
		}
		if (known.len < 500)
			buf_printf(&known, "%s" STR_FMT, i ? ", " : "",
				   STR_ARG(status->sessions[i]));
	}
	if (!wanted)
		return 0;
	return err_set(err, ERR_NOT_FOUND,
		       "there is no backfill of session '%s' in '%s/work'; those there are: %s",
		       wanted, status->state, known.len ? buf_cstr(&known) : "none");
}

static int connect_target(struct status *status, struct err *err)
{
	struct target_fields target = status->fields->target;
	const struct cluster_retry retry = {
		.initial_delay_ms = 1000, .max_delay_ms = 10000, .max_total_ms = target.retry_ms};
	bool keeps_work = strcmp(status->fields->coordinator.host, "target") == 0;
	struct http_options options;
	enum target_kind kind;
	const char *path;

	if (!status->fields->deep_check && !keeps_work)
		return 0;
	if (target_fields_resolve(&target, &kind, &path, err) < 0)
		return err_wrap(err, keeps_work ? "--coordinator-host target" : "--deep-check");
	if (kind != TARGET_CLUSTER)
		return err_set(err, ERR_USAGE, "%s needs a cluster; '%s' is none",
			       keeps_work ? "--coordinator-host target" : "--deep-check",
			       target.host);
	options = target_http_options(&target);
	return cluster_connect(&options, &retry, &status->cluster, err);
}

static int open_session(const struct status *status, const char *session, struct coordinator **out,
			struct err *err)
{
	/* Only to list: nothing is leased. */
	const struct coordinator_options options = {
		.session = session, .lease_ms = 1000, .max_lease_ms = 1000, .max_failures = 1};

	struct cluster *cluster;

	if (status->is_local)
		return coordinator_local_open(status->state, &options, out, err);
	if (coordinator_connect(&status->fields->coordinator, &status->fields->target,
				status->cluster, &cluster, err) < 0)
		return -(int)err->kind;
	return coordinator_cluster_open(cluster,
					coordinator_is_java(&status->fields->coordinator)
						? COORDINATOR_JAVA
						: COORDINATOR_OWN,
					&options, out, err);
}

static int look(struct status *status, struct coordinator *coordinator, const char *session,
		struct status_report *out, struct err *err)
{
	struct work_status *items;
	size_t count;
	int rc = coordinator->ops->list(coordinator, status->mem, &items, &count, err);

	return rc < 0 ? rc : status_report_make(session, items, count, status->mem, out, err);
}

/* A pace needs two looks. */
static int look_twice(struct status *status, struct coordinator *coordinator, const char *session,
		      struct status_report *out, struct err *err)
{
	int64_t pause_ms = status->fields->pace_ms, began_ms = clock_monotonic_ms();
	struct timespec pause = {.tv_sec = pause_ms / 1000, .tv_nsec = pause_ms % 1000 * 1000000};
	struct status_report before;
	int rc = look(status, coordinator, session, out, err);

	if (rc < 0 || pause_ms == 0 || out->total.items[WORK_LEASED] == 0)
		return rc;
	before = *out;
	nanosleep(&pause, NULL);
	rc = look(status, coordinator, session, out, err);
	if (rc == 0)
		status_report_pace(out, &before, clock_monotonic_ms() - began_ms);
	return rc;
}

static int count_on_target(struct status *status, struct status_report *report, struct err *err)
{
	int rc = 0;

	report->asked_target = status->fields->deep_check;
	for (size_t i = 0; rc == 0 && report->asked_target && i < report->count; i++) {
		struct status_index *index = &report->indices[i];

		rc = document_count(status->cluster, index->name, status->mem,
				    &index->target_documents, &index->target_reason, err);
		/* Nothing has been sent yet: then it need not be there. */
		if (rc == 0 && index->sent == 0)
			index->target_reason = STR_NONE;
		status->wrong |= rc == 0 && status_misses_documents(index);
	}
	return rc;
}

static void look_for_pause(const struct status *status, struct status_report *report)
{
	struct control_wish wish;
	struct err err;

	if (control_read(status->state, report->session, &wish, &err) < 0)
		log_warn("backfill", "%s", err.message);
	else
		report->paused = wish.paused;
}

static int show_session(struct status *status, const char *session, struct err *err)
{
	cleanup(coordinatorp) struct coordinator *coordinator = NULL;
	struct status_report report;

	if (open_session(status, session, &coordinator, err) < 0 ||
	    look_twice(status, coordinator, session, &report, err) < 0 ||
	    count_on_target(status, &report, err) < 0)
		return -(int)err->kind;
	look_for_pause(status, &report);
	status->wrong |= report.total.items[WORK_PARKED] > 0;
	if (!status->fields->general.json)
		return status_report_print(&report, status->mem, stdout, err);
	json_append(status->list, status_report_json(&report, status->mem));
	return 0;
}

static int print_json(const struct status *status, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(256));
	struct json *root = json_new(status->mem, JSON_OBJECT);

	json_set(root, STR("sessions"), status->list);
	if (status->mem->failed)
		return arena_fail(status->mem, "the status", err);
	json_write_pretty(&text, root);
	if (buf_check(&text, "the status", err) < 0)
		return -(int)err->kind;
	puts(buf_cstr(&text));
	return 0;
}

static int show_sessions(struct status *status, struct err *err)
{
	bool json = status->fields->general.json;
	int rc = 0;

	status->list = json_new(status->mem, JSON_ARRAY);
	for (size_t i = 0; rc == 0 && i < status->session_count; i++) {
		if (i > 0 && !json)
			puts("");
		rc = show_session(status, status->sessions[i].ptr, err);
	}
	if (rc == 0 && json)
		rc = print_json(status, err);
	else if (rc == 0 && status->session_count == 0)
		printf("no backfill is known in %s/work\n", status->state);
	return rc;
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	const struct status_fields *f = fields;
	cleanup(status_release) struct status status = {.fields = f, .mem = cli->mem};
	int rc;

	status.is_local = strcmp(f->coordinator.host, "local") == 0;
	if (state_dir_path(f->general.state_dir, cli->mem, &status.state, err) < 0)
		return -(int)err->kind;
	rc = status.is_local ? find_sessions(&status, err) : name_session(&status, err);
	if (rc < 0 || (status.is_local && select_session(&status, err) < 0) ||
	    connect_target(&status, err) < 0)
		return -(int)err->kind;
	rc = show_sessions(&status, err);
	if (rc < 0)
		return rc;
	return status.wrong ? EXIT_CODE_COMPLETED_WITH_ERRORS : EXIT_CODE_OK;
}

#define FIELD(member) OPT_FIELD(struct status_fields, member), .category = "Status"

static const struct opt status_options[] = {
	{.name = "session-name",
	 .type = OPT_STRING,
	 FIELD(session_name),
	 .metavar = "NAME",
	 .help = "Of this session; without it of all in the state directory."},
	{.name = "deep-check",
	 .type = OPT_BOOL,
	 FIELD(deep_check),
	 .help = "Count on the target too (--target-host), and compare with what was sent."},
	{.name = "pace",
	 .type = OPT_DURATION,
	 FIELD(pace_ms),
	 .fallback = "2s",
	 .min = 0,
	 .max = 3600000,
	 .help = "How long to watch a running backfill for its pace, from which the time left "
		 "comes; 0: do not."},
	{0},
};

static const struct opt_part parts[] = {
	{status_options, 0},
	{coordinator_options, offsetof(struct status_fields, coordinator)},
	{target_options, offsetof(struct status_fields, target)},
	{general_options, offsetof(struct status_fields, general)},
	{0},
};

const struct command command_backfill_status = {
	.options =
		{
			.name = "backfill status",
			.summary = "How far a backfill is, while it runs and after it ended",
			.parts = parts,
			.details =
				"Read from the work items in the state directory, or in the index "
				"that --coordinator-host names; nothing is changed, and no process "
				"needs to run. Whether a session is paused is known of this host's "
				"processes alone.\n"
				"\n"
				"Exit codes: 0; 1 work items are parked, or the target has fewer "
				"documents than were sent; 5 there is no such session.\n"
				"\n"
				"Example:\n"
				"  shardlift backfill status --session-name nightly --deep-check "
				"--target-host https://search:9200\n"
				"  shardlift backfill status --session-name nightly "
				"--coordinator-host target --target-host https://search:9200",
		},
	.fields_size = sizeof(struct status_fields),
	.run = run,
};
