/* pods run */
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/interrupt.h"

#include "workflow/pods/pods.h"

#include <stdio.h>

struct pods_fields {
	struct general_fields general;
	const char *namespace;
};

static void write_log(struct str line)
{
	fwrite(line.ptr, 1, line.len, stderr);
}

static void write_output(struct str line)
{
	fwrite(line.ptr, 1, line.len, stdout);
	fflush(stdout);
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	const struct pods_fields *f = fields;
	const struct pods_options options = {.namespace = f->namespace,
					     .stop = interrupt_catch(),
					     .log = write_log,
					     .output = write_output};
	int code;

	if (pods_run(&options, cli->parsed->positionals[0], &code, err) < 0)
		return -(int)err->kind;
	return code;
}

static const struct opt pods_options[] = {
	{.name = "namespace",
	 .type = OPT_STRING,
	 OPT_FIELD(struct pods_fields, namespace),
	 .metavar = "NAME",
	 .category = "Kubernetes",
	 .help = "Where its pods are; without it, where the engine's pod is."},
	{0},
};

static const struct opt_part parts[] = {
	{pods_options, 0}, {general_options, offsetof(struct pods_fields, general)}, {0}};

const struct command command_pods_run = {
	.options = {.name = "pods run",
		    .summary = "Stand in for the pods of a step, on Kubernetes",
		    .arguments = "TASK-FILE",
		    .parts = parts,
		    .min_positionals = 1,
		    .max_positionals = 1,
		    .details =
			    "The engine starts it with --platform kubernetes: it makes the Job or "
			    "the Deployment of a step, and brings its log and its exit code."},
	.fields_size = sizeof(struct pods_fields),
	.run = run,
	.hidden = true,
};
