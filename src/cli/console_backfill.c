/* console backfill start, pause, stop, scale, reset */
#include "cli/console_backfill.h"

#include "backfill/control.h"
#include "base/clock.h"
#include "base/small_file.h"
#include "base/state_dir.h"
#include "cli/interrupt.h"
#include "workflow/pods/pods.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define SCALE_DEFAULT 5

static int set_paused(const struct console_backfill *b, bool paused, struct err *err)
{
	struct control_wish wish;

	if (control_read(b->console.state_dir, b->session, &wish, err) < 0)
		return -(int)err->kind;
	if (wish.paused == paused)
		return 0;
	wish.paused = paused;
	return control_write(b->console.state_dir, b->session, &wish, err);
}

static int tell(const struct console_backfill *b, const char *outcome, const char *fmt_path)
{
	if (!b->console.fields->general.json)
		printf("backfill '%s' %s%s%s\n", b->session, outcome,
		       fmt_path ? "; its working state is in " : "", fmt_path ? fmt_path : "");
	else
		printf("{\"session\":\"%s\",\"outcome\":\"%s\",\"archive\":%s%s%s}\n", b->session,
		       outcome, fmt_path ? "\"" : "", fmt_path ? fmt_path : "null",
		       fmt_path ? "\"" : "");
	return 0;
}

/* --- The command of a worker --- */

static int find_place(const struct console_backfill *b, const struct config_value **out,
		      struct err *err)
{
	*out = config_get(b->section, "from_snapshot");
	if (*out)
		return 0;
	return services_find_section(&b->console.services, SERVICES_SNAPSHOT, NULL, b->console.mem,
				     out, err);
}

static int make_command(const struct console_backfill *b, struct console_command *command,
			struct err *err)
{
	const struct config_value *place;
	struct services_cluster target;
	struct str name = config_text_or(config_get(b->section, "snapshot_name"), STR_NONE);

	*command = (struct console_command){.mem = b->console.mem};
	if (find_place(b, &place, err) < 0 ||
	    services_find_cluster(&b->console.services, "target", b->console.mem, &target, err) < 0)
		return -(int)err->kind;
	console_add(command, "backfill");
	console_add_repository(command, place);
	console_add_text(command, "--snapshot-name", name);
	console_add_cluster(command, "target", &target);
	console_add_option(command, "--session-name", b->session);
	console_add_option(command, "--coordinator-host", b->in_target ? "target" : NULL);
	console_add_option(command, "--state-dir", b->console.state_dir);
	console_add_option(command, "--progress", "never");
	config_each (word, config_get(config_get(b->section, "local"), "arguments"))
		console_add(command, arena_str(b->console.mem, config_text_or(word, STR(""))).ptr);
	return console_command_check(command, err);
}

static int tell_scale(const struct console_backfill *b, unsigned count, unsigned before)
{
	if (!b->console.fields->general.json)
		printf("backfill '%s': %u workers, %u before; `console backfill status` tells how "
		       "far "
		       "it is\n",
		       b->session, count, before);
	else
		printf("{\"session\":\"%s\",\"workers\":%u,\"before\":%u}\n", b->session, count,
		       before);
	return 0;
}

/* Their state directories are their own, so that no wish that is written here reaches them. */
static int check_reachable(const struct console_backfill *b, struct err *err)
{
	if (!b->in_pods)
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		       "backfill '%s' runs in pods, which hear of no pause; `console backfill "
		       "scale 0` ends its workers, `console backfill scale N` lets it go on",
		       b->session);
}

static int scale_to(const struct console_backfill *b, unsigned count, struct err *err)
{
	struct console_command command;
	unsigned before;

	if (b->in_pods) {
		if (pods_scale(&(struct pods_options){.stop = interrupt_catch()}, "session",
			       b->session, count, &before, err) < 0)
			return -(int)err->kind;
		return tell_scale(b, count, before);
	}
	if (console_platform_check(&b->console, b->section, "backfill", err) < 0 ||
	    make_command(b, &command, err) < 0 ||
	    workers_scale(&b->workers, count, &command, &before, err) < 0)
		return -(int)err->kind;
	return tell_scale(b, count, before);
}

/* --- The commands --- */

static int run_start(struct cli *cli, void *fields, struct err *err)
{
	cleanup(console_backfill_close) struct console_backfill b = {0};
	struct console_backfill_fields *f = fields;
	int64_t scale;

	if (console_backfill_open(&b, cli, f, err) < 0 || check_reachable(&b, err) < 0)
		return -(int)err->kind;
	if (b.console.services.derived && set_paused(&b, false, err) == 0)
		return tell(&b, "goes on, where it was paused; the workflow's engine drives it",
			    NULL);
	scale = config_i64_or(config_get(b.section, "scale"), SCALE_DEFAULT);
	if (scale > CONSOLE_WORKERS_MAX)
		return err_set(err, ERR_USAGE, "scale: more than %d workers", CONSOLE_WORKERS_MAX);
	if (console_platform_check(&b.console, b.section, "backfill", err) < 0 ||
	    set_paused(&b, false, err) < 0)
		return -(int)err->kind;
	return scale_to(&b, (unsigned)scale, err);
}

static int run_pause(struct cli *cli, void *fields, struct err *err)
{
	cleanup(console_backfill_close) struct console_backfill b = {0};

	if (console_backfill_open(&b, cli, fields, err) < 0 || check_reachable(&b, err) < 0)
		return -(int)err->kind;
	if (!b.console.services.derived &&
	    console_platform_check(&b.console, b.section, "backfill", err) < 0)
		return -(int)err->kind;
	if (set_paused(&b, true, err) < 0)
		return -(int)err->kind;
	return tell(&b, "is to pause; `console backfill start` lets it go on", NULL);
}

static int run_stop(struct cli *cli, void *fields, struct err *err)
{
	cleanup(console_backfill_close) struct console_backfill b = {0};
	const char *archive;
	unsigned before;

	if (console_backfill_open(&b, cli, fields, err) < 0 ||
	    console_platform_check(&b.console, b.section, "backfill", err) < 0 ||
	    workers_scale(&b.workers, 0, NULL, &before, err) < 0 ||
	    console_backfill_archive(&b, &archive, err) < 0)
		return -(int)err->kind;
	return tell(&b, "has stopped", archive);
}

static int run_scale(struct cli *cli, void *fields, struct err *err)
{
	cleanup(console_backfill_close) struct console_backfill b = {0};
	unsigned count;

	if (console_parse_scale(cli->parsed->positionals[0], &count, err) < 0 ||
	    console_backfill_open(&b, cli, fields, err) < 0)
		return -(int)err->kind;
	return scale_to(&b, count, err);
}

static int remove_file(const struct console_backfill *b, const char *ending, struct err *err)
{
	struct str path = arena_printf(b->console.mem, "%s/work/%s%s", b->console.state_dir,
				       b->session, ending);

	return path.ptr ? small_file_remove(path.ptr, err)
			: arena_fail(b->console.mem, "the work items", err);
}

/* Where nothing is, nothing is to be forgotten. */
static int remove_index(const struct console_backfill *b, struct err *err)
{
	cleanup(cluster_closep) struct cluster *cluster = NULL;
	struct str path = arena_printf(b->console.mem, "/.migrations_working_state_%s", b->session);
	struct json *answer;
	int status;

	if (!path.ptr)
		return arena_fail(b->console.mem, "the work items", err);
	if (console_backfill_connect(b, &cluster, err) < 0 ||
	    cluster_request(cluster, "DELETE", path.ptr, STR_NONE, true, b->console.mem, &status,
			    &answer, err) < 0)
		return -(int)err->kind;
	if (status == 200 || status == 404)
		return 0;
	return err_set(err, ERR_HTTP, "the work items in the target's index '%s': " STR_FMT,
		       path.ptr + 1, STR_ARG(cluster_error_reason(answer, status, b->console.mem)));
}

static int forget_items(const struct console_backfill *b, struct err *err)
{
	static const char *const endings[] = {".db-wal", ".db-shm", ".db"};

	if (b->in_target)
		return remove_index(b, err);
	for (size_t i = 0; i < COUNT_OF(endings); i++)
		if (remove_file(b, endings[i], err) < 0)
			return -(int)err->kind;
	return 0;
}

static int forget_failed(const struct console_backfill *b, struct err *err)
{
	struct str from = arena_printf(b->console.mem, "%s/failed-documents/session=%s",
				       b->console.state_dir, b->session);
	struct str folder = arena_printf(b->console.mem, "%s/archive", b->console.state_dir), to;
	char now[25];

	clock_format_utc(clock_wall_ms(), now);
	to = arena_printf(b->console.mem, STR_FMT "/failed-documents-%s-%s", STR_ARG(folder),
			  b->session, now);
	if (!from.ptr || !folder.ptr || !to.ptr)
		return arena_fail(b->console.mem, "the failed documents", err);
	if (access(from.ptr, F_OK) < 0)
		return 0;
	/* Kept, where nothing looks for it. */
	if (directory_make(folder.ptr, err) < 0)
		return -(int)err->kind;
	if (rename(from.ptr, to.ptr) < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot move '%s' to '%s'", from.ptr,
				     to.ptr);
	return 0;
}

static int run_reset(struct cli *cli, void *fields, struct err *err)
{
	cleanup(console_backfill_close) struct console_backfill b = {0};
	struct console_backfill_fields *f = fields;
	const char *archive;
	unsigned running;

	if (console_backfill_open(&b, cli, f, err) < 0 ||
	    console_platform_check(&b.console, b.section, "backfill", err) < 0 ||
	    workers_count(&b.workers, &running, err) < 0)
		return -(int)err->kind;
	if (running > 0)
		return err_set(err, ERR_BLOCKED,
			       "%u workers of backfill '%s' run; `console backfill stop` first",
			       running, b.session);
	if (!f->yes && console_confirm("what was done for this backfill will be forgotten; "
				       "documents on the target stay",
				       b.session, "--yes", err) < 0)
		return -(int)err->kind;
	if (console_backfill_archive(&b, &archive, err) < 0)
		return -(int)err->kind;
	if (forget_items(&b, err) < 0 || control_forget(b.console.state_dir, b.session, err) < 0 ||
	    workers_forget(&b.workers, err) < 0 ||
	    (f->include_failed && forget_failed(&b, err) < 0))
		return -(int)err->kind;
	return tell(&b, "is reset", archive);
}

#define FIELD(member) OPT_FIELD(struct console_backfill_fields, member)

static const struct opt reset_options[] = {
	{.name = "include-failed-document-stream",
	 .type = OPT_BOOL,
	 FIELD(include_failed),
	 .help = "Put its failed documents aside, too (below archive in the state directory)."},
	{.name = "yes", .type = OPT_BOOL, FIELD(yes), .help = "Do not ask."},
	{0},
};
static const struct opt_part parts[] = {CONSOLE_PARTS, {0}};
static const struct opt_part reset_parts[] = {{reset_options, 0}, CONSOLE_PARTS, {0}};

#define BACKFILL_COMMAND(verb, text, its_parts, function, ...)         \
	const struct command command_console_backfill_##verb = {       \
		.options = {.name = "console backfill " #verb,         \
			    .summary = text,                           \
			    .parts = its_parts,                        \
			    ##__VA_ARGS__},                            \
		.fields_size = sizeof(struct console_backfill_fields), \
		.run = function,                                       \
	}
BACKFILL_COMMAND(start, "Start workers, or let a paused backfill go on", parts, run_start,
		 .details =
			 "As many as `scale` says, 5 without it. On platform local they are "
			 "processes that share the session; each is started again when it dies.");
BACKFILL_COMMAND(pause, "Hold the workers back; they stay", parts, run_pause);
BACKFILL_COMMAND(stop, "End the workers, and write their working state to a file", parts, run_stop,
		 .details = "`start` goes on where they were; `reset` makes it begin anew.");
BACKFILL_COMMAND(scale, "Start or end workers until there are UNITS", parts, run_scale,
		 .arguments = "UNITS", .min_positionals = 1, .max_positionals = 1);
BACKFILL_COMMAND(reset, "Forget what was done; documents on the target stay", reset_parts,
		 run_reset);
