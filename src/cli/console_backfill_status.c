/* console backfill describe, status, and the archive of work items */
#include "cli/console_backfill.h"
#include "cli/number_text.h"
#include "cli/terminal.h"

#include "backfill/control.h"
#include "base/clock.h"
#include "base/small_file.h"
#include "base/state_dir.h"
#include "cli/interrupt.h"
#include "workflow/platform.h"
#include "workflow/pods/pods.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define PACE_MS 2000

void console_backfill_close(struct console_backfill *backfill)
{
	console_close(&backfill->console);
}

static const char *session_of(const struct config_value *section, struct arena *mem)
{
	struct str name = config_text_or(config_get(section, "session_name"), STR_NONE);

	if (name.len == 0)
		name = config_text_or(config_get(section, "backfill_session_name"), STR("console"));
	return arena_str(mem, name).ptr;
}

static bool is_session(const char *name)
{
	return *name &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") ==
		       strlen(name);
}

int console_backfill_open(struct console_backfill *b, struct cli *cli,
			  const struct console_backfill_fields *fields, struct err *err)
{
	*b = (struct console_backfill){0};
	if (console_open(&b->console, cli, &fields->console, err) < 0 ||
	    services_find_section(&b->console.services, SERVICES_BACKFILL, fields->console.name,
				  cli->mem, &b->section, err) < 0)
		return -(int)err->kind;
	b->session = session_of(b->section, cli->mem);
	if (!b->session)
		return arena_fail(cli->mem, "the session", err);
	if (!is_session(b->session))
		return err_set(err, ERR_USAGE,
			       "the session name '%s' of backfill: only letters, digits and '-'",
			       b->session);
	b->in_target =
		str_is(config_text_or(config_get(b->section, "coordinator"), STR_NONE), "target");
	b->in_pods = b->console.services.derived && workflow_platform() == PLATFORM_KUBERNETES;
	b->workers =
		(struct console_workers){b->console.state_dir, "backfill", b->session, cli->mem};
	return 0;
}

static void coordinatorp(struct coordinator **coordinator)
{
	if (*coordinator)
		(*coordinator)->ops->close(*coordinator);
}

int console_backfill_connect(const struct console_backfill *b, struct cluster **out,
			     struct err *err)
{
	struct str name = config_text_or(config_get(b->section, "target"), STR("target"));
	const char *word = arena_str(b->console.mem, name).ptr;
	struct services_cluster target;

	if (!word)
		return arena_fail(b->console.mem, "the target", err);
	if (services_find_cluster(&b->console.services, word, b->console.mem, &target, err) < 0)
		return -(int)err->kind;
	return console_connect(&target, out, err);
}

/* 1; 0: nothing is on record, and to look must not change that. */
static int open_coordinator(const struct console_backfill *b, struct coordinator **out,
			    struct err *err)
{
	const struct coordinator_options options = {
		.session = b->session, .lease_ms = 1000, .max_lease_ms = 1000, .max_failures = 1};
	struct str path =
		arena_printf(b->console.mem, "%s/work/%s.db", b->console.state_dir, b->session);
	struct cluster *cluster;
	int rc;

	if (!path.ptr)
		return arena_fail(b->console.mem, "the work items", err);
	if (!b->in_target && access(path.ptr, F_OK) < 0)
		return 0;
	if (!b->in_target)
		rc = coordinator_local_open(b->console.state_dir, &options, out, err);
	else if ((rc = console_backfill_connect(b, &cluster, err)) == 0)
		rc = coordinator_cluster_open(cluster, COORDINATOR_OWN, &options, out, err);
	return rc < 0 ? rc : 1;
}

/* The session's work items. 1; 0: no work is on record. */
static int console_backfill_items(const struct console_backfill *b, struct work_status **out,
				  size_t *count, struct err *err)
{
	cleanup(coordinatorp) struct coordinator *coordinator = NULL;
	int rc = open_coordinator(b, &coordinator, err);

	*count = 0;
	if (rc <= 0)
		return rc;
	rc = coordinator->ops->list(coordinator, b->console.mem, out, count, err);
	if (rc < 0 && b->in_target && err->kind == ERR_NOT_FOUND) {
		*err = (struct err){0};
		return 0;
	}
	return rc < 0 ? rc : *count > 0;
}

static struct json *item_json(const struct work_status *item, struct arena *mem)
{
	static const char *const states[] = {"waiting", "leased", "completed", "parked"};
	struct json *out = json_new(mem, JSON_OBJECT);

	json_set(out, STR("index"), json_new_string(mem, item->item.index));
	json_set(out, STR("shard"), json_new_i64(mem, item->item.shard));
	json_set(out, STR("first_doc"), json_new_i64(mem, item->item.first_doc));
	if (item->item.end_doc != WORK_TO_END)
		json_set(out, STR("end_doc"), json_new_i64(mem, item->item.end_doc));
	json_set(out, STR("state"), json_new_string(mem, str_from(states[item->state])));
	json_set(out, STR("next_doc"), json_new_i64(mem, item->progress.next_doc));
	json_set(out, STR("documents"), json_new_i64(mem, (int64_t)item->progress.documents));
	json_set(out, STR("sent"), json_new_i64(mem, (int64_t)item->progress.sent));
	json_set(out, STR("failed"), json_new_i64(mem, (int64_t)item->progress.failed));
	if (item->reason.ptr)
		json_set(out, STR("reason"), json_new_string(mem, item->reason));
	return out;
}

int console_backfill_archive(const struct console_backfill *b, const char **path, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(256));
	struct arena *mem = b->console.mem;
	struct json *root = json_new(mem, JSON_OBJECT), *list = json_new(mem, JSON_ARRAY);
	struct work_status *items;
	char now[25];
	size_t count;
	int any = console_backfill_items(b, &items, &count, err);

	*path = NULL;
	if (any <= 0)
		return any;
	clock_format_utc(clock_wall_ms(), now);
	for (size_t i = 0; i < count; i++)
		json_append(list, item_json(&items[i], mem));
	json_set(root, STR("session"), json_new_string(mem, str_from(b->session)));
	json_set(root, STR("time"), json_new_string(mem, str_from(now)));
	json_set(root, STR("work_items"), list);
	*path = arena_printf(mem, "%s/archive/backfill-%s-%s.json", b->console.state_dir,
			     b->session, now)
			.ptr;
	if (mem->failed)
		return arena_fail(mem, "the archive of work items", err);
	json_write_pretty(&text, root);
	if (buf_check(&text, "the archive of work items", err) < 0)
		return -(int)err->kind;
	return small_file_replace(*path, buf_str(&text), err);
}

/* --- status --- */

struct shards {
	int64_t total, completed, in_progress, waiting;
};

/* Items are ranges of shards, in their order. */
static struct shards count_shards(const struct work_status *items, size_t count)
{
	struct shards out = {0};

	for (size_t i = 0; i < count;) {
		size_t first = i, done = 0, begun = 0;

		for (; i < count && items[i].item.shard == items[first].item.shard &&
		       str_eq(items[i].item.index, items[first].item.index);
		     i++) {
			done += items[i].state == WORK_COMPLETED || items[i].state == WORK_PARKED;
			begun += items[i].state != WORK_WAITING || items[i].progress.documents > 0;
		}
		out.total++;
		if (done == i - first)
			out.completed++;
		else if (begun > 0)
			out.in_progress++;
		else
			out.waiting++;
	}
	return out;
}

struct backfill_status {
	struct status_report report;
	struct shards shards;
	const char *state;
	int64_t started_ms, finished_ms; /* 0: not known */
	unsigned running;
	bool any, failed_worker;
};

static int look_at_workers(const struct console_backfill *b, struct backfill_status *status,
			   struct err *err)
{
	if (b->in_pods)
		return pods_count(&(struct pods_options){.stop = interrupt_catch()}, b->session,
				  &status->running, err);
	for (unsigned i = 1; i <= CONSOLE_WORKERS_MAX; i++) {
		struct worker worker;

		if (workers_read(&b->workers, i, &worker, err) < 0)
			return -(int)err->kind;
		if (worker.state == WORKER_NONE)
			continue;
		if (!status->started_ms || worker.started_ms < status->started_ms)
			status->started_ms = worker.started_ms;
		status->finished_ms = MAX(status->finished_ms, worker.ended_ms);
		status->running += worker.state == WORKER_RUNNING;
		status->failed_worker |= worker.state == WORKER_ENDED && worker.exit_code > 1 &&
					 worker.exit_code != EXIT_CODE_INTERRUPTED;
	}
	return 0;
}

static const char *name_state(const struct backfill_status *status)
{
	const struct status_index *total = &status->report.total;
	bool imperfect = total->items[WORK_PARKED] > 0 || total->failed > 0;

	if (status->any && status_is_finished(&status->report))
		return imperfect ? "CompletedWithErrors" : "Completed";
	if (status->report.paused)
		return "Paused";
	if (status->running > 0 || total->items[WORK_LEASED] > 0)
		return "Running";
	if (status->failed_worker)
		return "Failed";
	/* Stopped, and begun: it goes on where it was. */
	return status->any ? "Paused" : "Pending";
}

static int read_report(const struct console_backfill *b, struct backfill_status *status,
		       struct err *err)
{
	struct work_status *items = NULL;
	size_t count;
	int any = console_backfill_items(b, &items, &count, err);

	if (any < 0)
		return any;
	status->any = any > 0;
	status->shards = count_shards(items, count);
	return status_report_make(b->session, items, count, b->console.mem, &status->report, err);
}

/* A pace needs two looks. */
static int measure(const struct console_backfill *b, struct backfill_status *status,
		   struct err *err)
{
	const struct timespec pause = {.tv_sec = PACE_MS / 1000};
	struct status_report before = status->report;

	if (status->running == 0 || status_is_finished(&status->report))
		return 0;
	nanosleep(&pause, NULL);
	if (read_report(b, status, err) < 0)
		return -(int)err->kind;
	status_report_pace(&status->report, &before, PACE_MS);
	return 0;
}

static void print_time(const char *label, int64_t ms)
{
	char text[25] = "-";

	if (ms > 0)
		clock_format_utc(ms, text);
	printf("%-24s%s\n", label, text);
}

static int print_text(const struct console_backfill *b, const struct backfill_status *status,
		      bool deep, struct err *err)
{
	char eta[NUMBER_TEXT_MAX] = "-";
	int64_t left = status_seconds_left(&status->report);
	bool done = status->any && status_is_finished(&status->report);

	printf("%-24s", "Status:");
	terminal_print_state(stdout, str_from(status->state));
	putchar('\n');
	if (deep) {
		print_time("Started:", status->started_ms);
		print_time("Finished:", done ? status->finished_ms : 0);
		printf("%-24s%u%%\n", "Percent completed:",
		       status->any ? status_percent(&status->report.total) : 0);
		if (status->any && left >= 0)
			duration_text((uint64_t)left, eta);
		printf("%-24s%s\n", "Estimated time left:", eta);
	}
	printf("%-24s%" PRId64 "\n", "Total shards:", status->shards.total);
	printf("%-24s%" PRId64 "\n", "Completed shards:", status->shards.completed);
	printf("%-24s%" PRId64 "\n", "In progress shards:", status->shards.in_progress);
	printf("%-24s%" PRId64 "\n", "Waiting shards:", status->shards.waiting);
	printf("%-24s%u\n", "Workers:", status->running);
	if (!deep)
		return 0;
	putchar('\n');
	if (!b->in_pods) {
		if (workers_print(&b->workers, err) < 0)
			return -(int)err->kind;
		putchar('\n');
	}
	return status->any ? status_report_print(&status->report, b->console.mem, stdout, err) : 0;
}

static void set_time(struct json *root, const char *key, int64_t ms, struct arena *mem)
{
	char text[25];

	if (ms > 0)
		clock_format_utc(ms, text);
	json_set(root, str_from(key),
		 ms > 0 ? json_new_string(mem, arena_str(mem, str_from(text)))
			: json_new(mem, JSON_NULL));
}

static int print_json(const struct console_backfill *b, const struct backfill_status *status,
		      struct err *err)
{
	struct arena *mem = b->console.mem;
	const struct status_index *total = &status->report.total;
	int64_t left = status->any ? status_seconds_left(&status->report) : -1;
	struct json *root = json_new(mem, JSON_OBJECT);
	bool done = status->any && status_is_finished(&status->report);

	json_set(root, STR("status"), json_new_string(mem, str_from(status->state)));
	json_set(root, STR("percentage_completed"),
		 json_new_i64(mem, status->any ? status_percent(total) : 0));
	json_set(root, STR("eta_ms"),
		 left >= 0 ? json_new_i64(mem, left * 1000) : json_new(mem, JSON_NULL));
	set_time(root, "started", status->started_ms, mem);
	set_time(root, "finished", done ? status->finished_ms : 0, mem);
	json_set(root, STR("shard_total"), json_new_i64(mem, status->shards.total));
	json_set(root, STR("shard_complete"), json_new_i64(mem, status->shards.completed));
	json_set(root, STR("shard_in_progress"), json_new_i64(mem, status->shards.in_progress));
	json_set(root, STR("shard_waiting"), json_new_i64(mem, status->shards.waiting));
	json_set(root, STR("failed_document_stream_location"),
		 json_new_string(mem, console_failed_place(&b->console, b->section)));
	json_set(root, STR("failed_documents_present"), json_new_bool(mem, total->failed > 0));
	json_set(root, STR("workers"), workers_json(&b->workers));
	return mem->failed ? arena_fail(mem, "the status", err) : console_print_json(root, err);
}

static int run_status(struct cli *cli, void *fields, struct err *err)
{
	cleanup(console_backfill_close) struct console_backfill b = {0};
	struct console_backfill_fields *f = fields;
	struct backfill_status status = {0};
	struct control_wish wish;
	int rc;

	if (console_backfill_open(&b, cli, f, err) < 0 || look_at_workers(&b, &status, err) < 0 ||
	    read_report(&b, &status, err) < 0 || (f->deep && measure(&b, &status, err) < 0) ||
	    control_read(b.console.state_dir, b.session, &wish, err) < 0)
		return -(int)err->kind;
	status.report.paused = wish.paused;
	status.state = name_state(&status);
	rc = f->console.general.json ? print_json(&b, &status, err)
				     : print_text(&b, &status, f->deep, err);
	return rc < 0 ? rc
		      : (strcmp(status.state, "Failed") == 0 ? EXIT_CODE_COMPLETED_WITH_ERRORS : 0);
}

/* --- describe --- */

static int run_describe(struct cli *cli, void *fields, struct err *err)
{
	cleanup(console_backfill_close) struct console_backfill b = {0};
	struct console_backfill_fields *f = fields;
	struct json *root = json_new(cli->mem, JSON_OBJECT);

	if (console_backfill_open(&b, cli, f, err) < 0)
		return -(int)err->kind;
	json_set(root, STR("platform"),
		 json_new_string(cli->mem, str_from(console_platform_name(&b.console, b.section))));
	json_set(root, STR("session_name"), json_new_string(cli->mem, str_from(b.session)));
	json_set(root, STR("coordinator"),
		 json_new_string(cli->mem, b.in_target ? STR("target") : STR("local")));
	json_set(root, STR("scale"),
		 json_new_i64(cli->mem, config_i64_or(config_get(b.section, "scale"), 5)));
	json_set(root, STR("environment"),
		 json_new_string(cli->mem, str_from(b.console.services.origin)));
	json_set(root, STR("state_directory"),
		 json_new_string(cli->mem, str_from(b.console.state_dir)));
	if (cli->mem->failed)
		return arena_fail(cli->mem, "the description", err);
	if (f->console.general.json)
		return console_print_json(root, err);
	json_each (member, root)
		printf("%-20s" STR_FMT "\n",
		       arena_printf(cli->mem, STR_FMT ":", STR_ARG(member->key)).ptr,
		       STR_ARG(json_text_or(member, STR(""))));
	return 0;
}

static const struct opt status_options[] = {
	{.name = "deep-check",
	 .type = OPT_BOOL,
	 OPT_FIELD(struct console_backfill_fields, deep),
	 .help = "Times, percentage, pace, workers, and each index."},
	{0},
};
static const struct opt_part status_parts[] = {{status_options, 0}, CONSOLE_PARTS, {0}};
static const struct opt_part describe_parts[] = {CONSOLE_PARTS, {0}};

const struct command command_console_backfill_status = {
	.options = {.name = "console backfill status",
		    .summary = "How far the backfill is",
		    .parts = status_parts,
		    .details = "Pending, Running, Paused, Completed, CompletedWithErrors or "
			       "Failed."},
	.fields_size = sizeof(struct console_backfill_fields),
	.run = run_status,
};

const struct command command_console_backfill_describe = {
	.options = {.name = "console backfill describe",
		    .summary = "What is configured for the backfill",
		    .parts = describe_parts},
	.fields_size = sizeof(struct console_backfill_fields),
	.run = run_describe,
};
