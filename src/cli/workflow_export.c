#include "cli/workflow_common.h"

#include "base/limits.h"
#include "workflow/export_argo.h"

#include <stdio.h>

#define MANIFEST_MAX MIB(64)

struct export_fields {
	struct workflow_fields common;
	const char *pilot, *name, *image, *service_account;
	const char *format;
};

static int print_manifest(const struct json *manifest, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MANIFEST_MAX);

	json_write_pretty(&text, manifest);
	buf_append_byte(&text, '\n');
	if (buf_check(&text, "the manifest", err) < 0)
		return -(int)err->kind;
	fwrite(text.ptr, 1, text.len, stdout);
	return 0;
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	const struct export_fields *f = fields;
	cleanup(workflow_session_close) struct workflow_session session = {0};
	struct export_argo_options options = {.name = f->name,
					      .namespace = f->common.namespace,
					      .service_account = f->service_account,
					      .image = f->image};
	struct config_value *root;
	struct json *manifest;
	struct plan plan;
	struct str text;

	if (workflow_session_open(&session, cli, &f->common, false, err) < 0 ||
	    workflow_read_pilot(&session, f->pilot, &root, &text, err) < 0 ||
	    plan_make(root, cli->mem, &plan, err) < 0 ||
	    plan_check_supported(root, &plan, err) < 0 ||
	    export_argo(&options, &plan, cli->mem, &manifest, err) < 0)
		return -(int)err->kind;
	return print_manifest(manifest, err);
}

#define FIELD(member) OPT_FIELD(struct export_fields, member), .category = "Export"

static const struct opt export_options[] = {
	{.name = "format",
	 .type = OPT_CHOICE,
	 FIELD(format),
	 .choices = "argo",
	 .metavar = "argo",
	 .fallback = "argo",
	 .help = "argo: a Workflow of Argo Workflows 3.7, for `kubectl create -f -`."},
	{.name = "image",
	 .type = OPT_STRING,
	 FIELD(image),
	 .metavar = "IMAGE",
	 .fallback = "localhost/shardlift:" SHARDLIFT_VERSION,
	 .help = "The image whose commands the steps are."},
	{.name = "name",
	 .type = OPT_STRING,
	 FIELD(name),
	 .metavar = "NAME",
	 .fallback = "migration-workflow",
	 .help = "What the workflow's generated name begins with."},
	{.name = "service-account",
	 .type = OPT_STRING,
	 FIELD(service_account),
	 .metavar = "NAME",
	 .help = "Of its pods; it needs what Argo's executor needs. Without it the namespace's."},
	{.name = "pilot",
	 .type = OPT_STRING,
	 FIELD(pilot),
	 .metavar = "PATTERN",
	 .help = "Only the indices of PATTERN, as `workflow submit --pilot` has it."},
	{0},
};

static const struct opt_part parts[] = {{export_options, 0}, WORKFLOW_PARTS, {0}};

const struct command command_workflow_export = {
	.options = {.name = "workflow export",
		    .summary = "Print the plan for another controller: Argo Workflows",
		    .parts = parts,
		    .details =
			    "Steps become pods, gates suspended nodes that `argo resume` opens. "
			    "Secrets are not in it: they are named, and are Secrets of the "
			    "namespace. Proxies, replayers and cut-overs need `workflow submit`."},
	.fields_size = sizeof(struct export_fields),
	.run = run,
};
