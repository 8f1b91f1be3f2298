/* console replay */
#include "cli/console_platform.h"

#include "base/small_file.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"
#include "workflow/platform.h"
#include "workflow/pods/pods.h"

#include <stdio.h>

struct replay_fields_of_console {
	struct console_fields console;
};

struct job {
	struct console console;
	const struct config_value *section;
	const char *name; /* of the replayer */
	struct console_workers workers;
};

static void job_close(struct job *job)
{
	console_close(&job->console);
}

static int open_job(struct job *job, struct cli *cli, const struct console_fields *fields,
		    struct err *err)
{
	if (console_open(&job->console, cli, fields, err) < 0 ||
	    services_find_section(&job->console.services, SERVICES_REPLAY, fields->name, cli->mem,
				  &job->section, err) < 0)
		return -(int)err->kind;
	job->name = job->console.services.derived ? arena_str(cli->mem, job->section->key).ptr
						  : "console";
	if (!job->name)
		return arena_fail(cli->mem, "the name of a replayer", err);
	job->workers =
		(struct console_workers){job->console.state_dir, "replay", job->name, cli->mem};
	return 0;
}

static const char *log_of(const struct job *job)
{
	struct str log = config_text_or(config_get(job->section, "log"), STR_NONE);

	if (log.len > 0)
		return arena_str(job->console.mem, log).ptr;
	return arena_printf(job->console.mem, "%s/capture/default", job->console.state_dir).ptr;
}

static const char *group_of(const struct job *job)
{
	struct str group =
		config_text_or(config_get(job->section, "group"), STR("logging-group-default"));

	return arena_str(job->console.mem, group).ptr;
}

static int tell_scale(const struct job *job, unsigned count, unsigned before)
{
	if (job->console.fields->general.json)
		printf("{\"workers\":%u,\"before\":%u}\n", count, before);
	else
		printf("replay: %u workers, %u before; `console replay status` tells how far it "
		       "is\n",
		       count, before);
	return 0;
}

/* The workflow's engine has made them. */
static bool is_in_pods(const struct job *job)
{
	return job->console.services.derived && workflow_platform() == PLATFORM_KUBERNETES;
}

static int scale_pods(const struct job *job, unsigned count, struct err *err)
{
	const struct pods_options pods = {.stop = interrupt_catch()};
	struct str label = arena_printf(job->console.mem, "trafficreplay.%s", job->name);
	unsigned before;

	if (!label.ptr)
		return arena_fail(job->console.mem, "the name of a replayer", err);
	return pods_scale(&pods, "resource", label.ptr, count, &before, err) < 0
		       ? -(int)err->kind
		       : tell_scale(job, count, before);
}

static int scale_to(const struct job *job, unsigned count, struct err *err)
{
	struct console_command command = {.mem = job->console.mem};
	struct services_cluster target;
	unsigned before;

	if (is_in_pods(job))
		return scale_pods(job, count, err);
	if (console_platform_check(&job->console, job->section, "replay", err) < 0)
		return -(int)err->kind;
	if (count > 1)
		return err_set(err, ERR_UNSUPPORTED,
			       "a segment log has one reader of a group: the scale of a replay on "
			       "this machine is 0 or 1, not %u",
			       count);
	if (services_find_cluster(&job->console.services, "target", job->console.mem, &target,
				  err) < 0)
		return -(int)err->kind;
	console_add(&command, "replay");
	console_add_option(&command, "--input", log_of(job));
	console_add_option(&command, "--group", group_of(job));
	console_add(&command, "--follow");
	console_add_option(&command, "--name", job->name);
	console_add_cluster(&command, "target", &target);
	console_add_option(&command, "--state-dir", job->console.state_dir);
	config_each (word, config_get(config_get(job->section, "local"), "arguments"))
		console_add(&command,
			    arena_str(job->console.mem, config_text_or(word, STR(""))).ptr);
	if (console_command_check(&command, err) < 0 ||
	    workers_scale(&job->workers, count, &command, &before, err) < 0)
		return -(int)err->kind;
	return tell_scale(job, count, before);
}

static int run_start(struct cli *cli, void *fields, struct err *err)
{
	cleanup(job_close) struct job job = {0};
	int64_t scale;

	if (open_job(&job, cli, fields, err) < 0)
		return -(int)err->kind;
	scale = config_i64_or(config_get(job.section, "scale"), 1);
	return scale_to(&job, (unsigned)MIN(scale, CONSOLE_WORKERS_MAX), err);
}

static int run_stop(struct cli *cli, void *fields, struct err *err)
{
	cleanup(job_close) struct job job = {0};

	if (open_job(&job, cli, fields, err) < 0)
		return -(int)err->kind;
	return scale_to(&job, 0, err);
}

static int run_scale(struct cli *cli, void *fields, struct err *err)
{
	cleanup(job_close) struct job job = {0};
	unsigned count;

	if (console_parse_scale(cli->parsed->positionals[0], &count, err) < 0 ||
	    open_job(&job, cli, fields, err) < 0)
		return -(int)err->kind;
	return scale_to(&job, count, err);
}

/* What the replayer wrote down of itself; NULL: nothing yet. */
static int read_status(const struct job *job, struct json **out, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));
	struct str path = arena_printf(job->console.mem, "%s/run/%s.status", job->console.state_dir,
				       job->name);
	int got;

	*out = NULL;
	if (!path.ptr)
		return arena_fail(job->console.mem, "the status", err);
	got = small_file_read(path.ptr, &text, err);
	if (got <= 0)
		return got;
	if (json_parse(arena_str(job->console.mem, buf_str(&text)), job->console.mem, out, err) < 0)
		return err_wrap(err, "'%s'", path.ptr);
	return 0;
}

static void print_members(const struct json *object, struct arena *mem)
{
	json_each (member, object) {
		struct str text = json_text_or(member, STR_NONE);

		if (text.ptr)
			printf("%-32s" STR_FMT "\n",
			       arena_printf(mem, STR_FMT ":", STR_ARG(member->key)).ptr,
			       STR_ARG(text));
	}
}

static int run_status(struct cli *cli, void *fields, struct err *err)
{
	cleanup(job_close) struct job job = {0};
	const struct console_fields *f = fields;
	struct json *root = json_new(cli->mem, JSON_OBJECT), *status;
	unsigned running;
	const char *state;

	if (open_job(&job, cli, f, err) < 0 || workers_count(&job.workers, &running, err) < 0 ||
	    read_status(&job, &status, err) < 0)
		return -(int)err->kind;
	if (is_in_pods(&job) && json_i64_or(json_get(status, "ready"), 0) > 0)
		running++;
	state = running > 0 ? "Running" : status ? "Stopped" : "Pending";
	json_set(root, STR("status"), json_new_string(cli->mem, str_from(state)));
	json_set(root, STR("workers"), workers_json(&job.workers));
	json_set(root, STR("replayer"), status ? status : json_new(cli->mem, JSON_NULL));
	if (cli->mem->failed)
		return arena_fail(cli->mem, "the status", err);
	if (f->general.json)
		return console_print_json(root, err);
	printf("%-32s", "Status:");
	terminal_print_state(stdout, str_from(state));
	putchar('\n');
	if (status)
		print_members(status, cli->mem);
	return workers_print(&job.workers, err);
}

static int run_describe(struct cli *cli, void *fields, struct err *err)
{
	cleanup(job_close) struct job job = {0};
	const struct console_fields *f = fields;
	struct json *root = json_new(cli->mem, JSON_OBJECT);

	if (open_job(&job, cli, f, err) < 0)
		return -(int)err->kind;
	json_set(root, STR("platform"),
		 json_new_string(cli->mem,
				 str_from(console_platform_name(&job.console, job.section))));
	json_set(root, STR("log"), json_new_string(cli->mem, str_from(log_of(&job))));
	json_set(root, STR("group"), json_new_string(cli->mem, str_from(group_of(&job))));
	json_set(root, STR("scale"),
		 json_new_i64(cli->mem, config_i64_or(config_get(job.section, "scale"), 1)));
	json_set(root, STR("environment"),
		 json_new_string(cli->mem, str_from(job.console.services.origin)));
	if (cli->mem->failed)
		return arena_fail(cli->mem, "the description", err);
	if (f->general.json)
		return console_print_json(root, err);
	print_members(root, cli->mem);
	return 0;
}

static const struct opt_part parts[] = {CONSOLE_PARTS, {0}};

#define REPLAY_COMMAND(verb, text, function, ...)                       \
	const struct command command_console_replay_##verb = {          \
		.options = {.name = "console replay " #verb,            \
			    .summary = text,                            \
			    .parts = parts,                             \
			    ##__VA_ARGS__},                             \
		.fields_size = sizeof(struct replay_fields_of_console), \
		.run = function,                                        \
	}
REPLAY_COMMAND(describe, "What is configured for the replay", run_describe);
REPLAY_COMMAND(start, "Start the replayer", run_start);
REPLAY_COMMAND(stop, "End it; `start` goes on where it was", run_stop);
REPLAY_COMMAND(scale, "Start or end replayers until there are UNITS", run_scale,
	       .arguments = "UNITS", .min_positionals = 1, .max_positionals = 1);
REPLAY_COMMAND(status, "How far the replay is", run_status);
