#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/interrupt.h"

#include "base/state_dir.h"
#include "workflow/engine.h"

struct engine_fields {
	struct general_fields general;
	bool stay;
};

static int run(struct cli *cli, void *fields, struct err *err)
{
	const struct engine_fields *f = fields;
	struct engine_options options = {.stay = f->stay, .stop = interrupt_catch()};

	if (state_dir_path(f->general.state_dir, cli->mem, &options.state_dir, err) < 0)
		return -(int)err->kind;
	return workflow_engine_run(&options, err);
}

static const struct opt engine_options[] = {
	{.name = "stay",
	 .type = OPT_BOOL,
	 OPT_FIELD(struct engine_fields, stay),
	 .category = "Engine",
	 .help = "Wait for the next submit when nothing is left to do, as a service."},
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
