#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/interrupt.h"

#include "base/clock.h"
#include "base/state_dir.h"
#include "workflow/engine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define LOOKED_LATELY_S 60

struct engine_fields {
	struct general_fields general;
	bool stay, health;
	const char *platform, *namespace;
};

/* The engine's lock file is as old as its last look. */
static int64_t seconds_since_look(const char *state_dir, struct arena *mem)
{
	struct str path = arena_printf(mem, "%s/run/engine.lock", state_dir);
	struct stat file;

	if (!path.ptr || stat(path.ptr, &file) < 0)
		return INT64_MAX;
	return clock_wall_ms() / 1000 - (int64_t)file.st_mtime;
}

static int tell_health(const char *state_dir, struct arena *mem, struct err *err)
{
	int64_t pid = workflow_engine_pid(state_dir), ago;

	if (pid == 0)
		return err_set(err, ERR_CONFLICT,
			       "no engine has the state directory '%s'; `shardlift engine --stay` "
			       "starts one",
			       state_dir);
	ago = seconds_since_look(state_dir, mem);
	if (ago > LOOKED_LATELY_S)
		return err_set(err, ERR_CONFLICT,
			       "the engine of '%s', process %" PRId64
			       ", has not looked at its work "
			       "for %" PRId64 " s; if that goes on, end it: the next one goes on",
			       state_dir, pid, ago);
	printf("process %" PRId64 " is the engine of %s\n", pid, state_dir);
	return EXIT_CODE_OK;
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	const struct engine_fields *f = fields;
	struct engine_options options = {
		.stay = f->stay, .namespace = f->namespace, .stop = interrupt_catch()};

	if (state_dir_path(f->general.state_dir, cli->mem, &options.state_dir, err) < 0)
		return -(int)err->kind;
	if (f->health)
		return tell_health(options.state_dir, cli->mem, err);
	if (f->platform)
		setenv("SHARDLIFT_PLATFORM", f->platform, 1);
	return workflow_engine_run(&options, err);
}

static const struct opt engine_options[] = {
	{.name = "stay",
	 .type = OPT_BOOL,
	 OPT_FIELD(struct engine_fields, stay),
	 .category = "Engine",
	 .help = "Wait for the next submit when nothing is left to do, as a service."},
	{.name = "platform",
	 .type = OPT_CHOICE,
	 OPT_FIELD(struct engine_fields, platform),
	 .choices = "local|kubernetes",
	 .category = "Engine",
	 .help = "Where steps run: as processes here, or as pods (the default inside a pod that "
		 "has a token for the API). SHARDLIFT_PLATFORM tells workflow and console the "
		 "same."},
	{.name = "namespace",
	 .type = OPT_STRING,
	 OPT_FIELD(struct engine_fields, namespace),
	 .metavar = "NAME",
	 .category = "Engine",
	 .help = "Where its pods are made; without it, where its own is, else ma."},
	{.name = "health",
	 .type = OPT_BOOL,
	 OPT_FIELD(struct engine_fields, health),
	 .category = "Engine",
	 .help = "Only tell whether an engine has the state directory and has looked at its work "
		 "in the last minute: 0, else 1. For probes."},
	{0},
};

static const struct opt_part parts[] = {
	{engine_options, 0}, {general_options, offsetof(struct engine_fields, general)}, {0}};

const struct command command_engine = {
	.options = {.name = "engine",
		    .summary = "Carry out the workflow that was submitted",
		    .parts = parts,
		    .details =
			    "`workflow submit` starts it; as a service, with --stay, it is there "
			    "after a restart of the machine. It may be killed at any time: the "
			    "next one goes on.\n\nExit codes: 0 nothing is left to do; 1 another "
			    "engine has the state directory; 6; 8 stopped."},
	.fields_size = sizeof(struct engine_fields),
	.run = run,
};
