#include "cli/interrupt.h"
#include "cli/workflow_common.h"

#include "base/clock.h"
#include "base/state_dir.h"
#include "workflow/engine.h"
#include "workflow/platform.h"
#include "workflow/secrets.h"
#include "workflow/widening.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define CHECKS_MS 30000

struct submit_fields {
	struct workflow_fields common;
	const char *pilot;
	bool wait, new_snapshot;
	int64_t timeout, interval; /* seconds */
};

static int check_secrets(struct workflow_session *session, const struct config_value *root,
			 struct err *err)
{
	struct str *names, value;
	size_t count;

	if (workflow_secret_names(root, session->mem, &names, &count, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < count; i++) {
		int rc = workflow_secret_read(session->state_dir, names[i], session->mem, &value,
					      err);

		if (rc < 0)
			return rc;
		if (rc == 0 && workflow_can_ask()) {
			if (workflow_ask_secret(session->state_dir, names[i], err) < 0)
				return -(int)err->kind;
			continue;
		}
		if (rc == 0)
			return err_set(
				err, ERR_USAGE,
				"secret '" STR_FMT
				"' is not there; `workflow configure credentials create " STR_FMT
				"` makes it",
				STR_ARG(names[i]), STR_ARG(names[i]));
	}
	return 0;
}

static bool agrees(const struct workflow_resource *snapshot)
{
	char answer[16];

	if (!workflow_can_ask())
		return false;
	printf("Snapshot " STR_FMT " lacks indices that the configuration now names. Take another "
	       "one? [y/N] ",
	       STR_ARG(snapshot->name));
	fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

/* One that was taken is not taken again unawares: it is work for the source. */
static int renew_snapshot(struct workflow_session *session, const struct plan_resource *wanted,
			  bool agreed, struct err *err)
{
	struct workflow_resource found;
	struct json *before;
	int rc = workflow_resource_read(session->state, wanted->kind.ptr, wanted->name,
					session->mem, &found, err);

	if (rc <= 0 || !str_is(found.phase, "Completed"))
		return MIN(rc, 0);
	if (json_parse(found.spec, session->mem, &before, err) < 0)
		return err_wrap(err, "the record of " STR_FMT, STR_ARG(wanted->name));
	if (!widening_of_snapshot(before, wanted->spec, session->mem))
		return 0;
	if (!agreed && !agrees(&found))
		return err_set(err, ERR_BLOCKED,
			       "snapshot " STR_FMT
			       " lacks indices that the configuration now names; --new-snapshot "
			       "takes another one, what was migrated stays",
			       STR_ARG(wanted->name));
	return workflow_resource_remove(session->state, wanted->kind.ptr, wanted->name, err);
}

static int renew_snapshots(struct workflow_session *session, const struct plan *plan, bool agreed,
			   struct err *err)
{
	for (size_t i = 0; i < plan->resource_count; i++)
		if (str_is(plan->resources[i].kind, "datasnapshot") &&
		    renew_snapshot(session, &plan->resources[i], agreed, err) < 0)
			return -(int)err->kind;
	return 0;
}

/* In a session of its own: it outlives the terminal. Two that are started at once settle it by the
 * lock. */
static int start_engine(const char *state_dir, struct arena *mem, struct err *err)
{
	struct str folder = arena_printf(mem, "%s/logs", state_dir);
	struct str log = arena_printf(mem, "%s/logs/engine.log", state_dir);
	const char *argv[] = {"shardlift", "engine", "--state-dir", state_dir, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	pid_t pid;
	int rc;

	if (mem->failed)
		return arena_fail(mem, "the engine's log", err);
	if (directory_make(folder.ptr, err) < 0)
		return -(int)err->kind;
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, 1, log.ptr, O_WRONLY | O_CREAT | O_APPEND, 0600);
	posix_spawn_file_actions_adddup2(&files, 1, 2);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
	rc = posix_spawn(&pid, "/proc/self/exe", &files, &attributes,
			 (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	return rc ? err_set_errno(err, ERR_IO, rc, "cannot start the engine") : 0;
}

static int phase_code(enum workflow_phase phase)
{
	return phase == WORKFLOW_SUCCEEDED ? EXIT_CODE_OK : EXIT_CODE_COMPLETED_WITH_ERRORS;
}

static bool is_over(enum workflow_phase phase)
{
	return phase != WORKFLOW_PENDING && phase != WORKFLOW_RUNNING;
}

static int read_phase(struct workflow_session *session, int64_t id, enum workflow_phase *out,
		      struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(512));
	struct workflow_run run;
	int rc = workflow_run_read(session->state, session->fields->workflow, id, &mem, &run, err);

	if (rc < 0)
		return rc;
	*out = rc == 0 ? WORKFLOW_STOPPED : run.phase;
	if (rc > 0 && is_over(run.phase))
		printf("Workflow %s: %s\n", session->fields->workflow,
		       workflow_phase_name(run.phase));
	if (rc > 0 && run.message.len > 0)
		fprintf(stderr, STR_FMT "\n", STR_ARG(run.message));
	return 0;
}

/* An engine that died in between is started again. */
static int await(struct workflow_session *session, const struct submit_fields *f, int64_t id,
		 struct err *err)
{
	const struct timespec pause = {.tv_sec = f->interval};
	int64_t until = clock_monotonic_ms() + f->timeout * 1000;
	const atomic_bool *stop = interrupt_catch();
	enum workflow_phase phase;

	for (;;) {
		if (read_phase(session, id, &phase, err) < 0)
			return -(int)err->kind;
		if (is_over(phase))
			return phase_code(phase);
		if (*stop)
			return err_set(err, ERR_CANCELLED,
				       "no longer waiting; the workflow goes on, see `workflow "
				       "status`");
		if (clock_monotonic_ms() >= until)
			break;
		if (workflow_engine_pid(session->state_dir) == 0 &&
		    start_engine(session->state_dir, session->mem, err) < 0)
			return -(int)err->kind;
		nanosleep(&pause, NULL);
	}
	printf("Workflow %s is still running after %" PRId64 " s\n", f->common.workflow,
	       f->timeout);
	workflow_hint("`workflow status` tells how far it is; `workflow approve --list` what it "
		      "waits for");
	return EXIT_CODE_TIMEOUT;
}

/* 1: the checks are over, and told; 0: not yet. */
static int tell_checks(struct workflow_session *session, int64_t id, bool *failed, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(512));
	struct workflow_step *steps;
	size_t count, checks = 0;

	if (workflow_step_list(session->state, id, &mem, &steps, &count, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < count; i++) {
		if (!str_starts(steps[i].name, STR("checkconnection.")))
			continue;
		checks++;
		*failed |= steps[i].phase == STEP_FAILED;
		if (!*failed && steps[i].phase != STEP_SUCCEEDED && steps[i].phase != STEP_SKIPPED)
			return 0;
	}
	for (size_t i = 0; i < count; i++)
		if (str_starts(steps[i].name, STR("checkconnection.")) &&
		    steps[i].phase == STEP_SUCCEEDED)
			printf(STR_FMT ": " STR_FMT "\n", STR_ARG(steps[i].name),
			       STR_ARG(steps[i].message));
		else if (steps[i].phase == STEP_FAILED)
			fprintf(stderr, STR_FMT ": " STR_FMT "\n", STR_ARG(steps[i].name),
				STR_ARG(steps[i].message));
	fflush(stdout);
	return count > 0 && checks > 0;
}

/* The engine connects before any step; whoever submits is told of it. An engine that is slow, or
 * dies, is not waited for: `status` tells as well. */
static int await_checks(struct workflow_session *session, int64_t id, bool *failed, struct err *err)
{
	const struct timespec pause = {.tv_nsec = 100000000};
	int64_t until = clock_monotonic_ms() + CHECKS_MS;
	bool begun = false;
	int rc = 0;

	while (rc == 0 && clock_monotonic_ms() < until) {
		bool there = workflow_engine_pid(session->state_dir) != 0;

		rc = tell_checks(session, id, failed, err);
		if (begun && !there)
			break;
		begun |= there;
		if (rc == 0)
			nanosleep(&pause, NULL);
	}
	return MIN(rc, 0);
}

static bool has_checks(const struct plan *plan)
{
	return plan->step_count > 0 && plan->steps[0].action == PLAN_CHECK;
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	const struct submit_fields *f = fields;
	cleanup(workflow_session_close) struct workflow_session session = {0};
	struct config_value *root;
	struct plan plan;
	bool failed = false;
	struct str text;
	int64_t id;

	if (workflow_session_open(&session, cli, &f->common, true, err) < 0 ||
	    workflow_read_pilot(&session, f->pilot, &root, &text, err) < 0 ||
	    check_secrets(&session, root, err) < 0 || plan_make(root, cli->mem, &plan, err) < 0 ||
	    plan_check_supported(root, &plan, err) < 0 ||
	    renew_snapshots(&session, &plan, f->new_snapshot, err) < 0 ||
	    workflow_run_submit(session.state, f->common.workflow, text, clock_wall_ms(), &id,
				err) < 0)
		return -(int)err->kind;
	printf("Workflow %s submitted: run %s-run-%" PRId64 ", %zu steps\n", f->common.workflow,
	       f->common.workflow, id, plan.step_count);
	/* A pod's engine has a container of its own, which takes it up. */
	if (workflow_platform() == PLATFORM_LOCAL && workflow_engine_pid(session.state_dir) == 0 &&
	    start_engine(session.state_dir, cli->mem, err) < 0)
		return -(int)err->kind;
	workflow_engine_wake(session.state_dir);
	fflush(stdout);
	if (has_checks(&plan) && await_checks(&session, id, &failed, err) < 0)
		return -(int)err->kind;
	if (failed)
		return EXIT_CODE_COMPLETED_WITH_ERRORS;
	if (f->wait)
		return await(&session, f, id, err);
	workflow_hint("`workflow status` tells how far it is");
	return EXIT_CODE_OK;
}

#define FIELD(member) OPT_FIELD(struct submit_fields, member), .category = "Submit"

static const struct opt submit_options[] = {
	{.name = "pilot",
	 .type = OPT_STRING,
	 FIELD(pilot),
	 .metavar = "PATTERN",
	 .help = "Try the plan on the indices of PATTERN, such as 'logs-2026*', under names of its "
		 "own and without live traffic; the whole can be submitted after it."},
	{.name = "new-snapshot",
	 .type = OPT_BOOL,
	 FIELD(new_snapshot),
	 .help = "Take another snapshot where the one that was taken lacks indices that its "
		 "allowlist now names, instead of asking."},
	{.name = "wait",
	 .type = OPT_BOOL,
	 FIELD(wait),
	 .help = "Wait until the workflow has ended; exit code 1 unless it succeeded."},
	{.name = "timeout",
	 .type = OPT_INT,
	 FIELD(timeout),
	 .metavar = "SECONDS",
	 .fallback = "120",
	 .min = 0,
	 .max = INT32_MAX,
	 .help = "How long --wait waits; then the exit code is 7, and the workflow goes on."},
	{.name = "wait-interval",
	 .type = OPT_INT,
	 FIELD(interval),
	 .metavar = "SECONDS",
	 .fallback = "2",
	 .min = 1,
	 .max = 3600,
	 .help = "How often --wait looks."},
	{0},
};

static const struct opt_part parts[] = {{submit_options, 0}, WORKFLOW_PARTS, {0}};

const struct command command_workflow_submit = {
	.options = {.name = "workflow submit",
		    .summary = "Carry out the configuration, in place of an earlier run",
		    .parts = parts,
		    .details = "What earlier runs have done stays done. An engine is started if "
			       "there is none.\n\nExit codes: 0; 1 with --wait: it did not "
			       "succeed; 2 something is wrong with the configuration; 5 it holds "
			       "what this program cannot carry out; 7 --timeout is over."},
	.fields_size = sizeof(struct submit_fields),
	.run = run,
};
