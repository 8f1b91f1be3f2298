#include "workflow/engine_command.h"

#include "base/opt.h"

#define POD_LEASE "PT5M"
#define POD_LEASE_MS 300000

static int snapshot_of(struct command_builder *b, const struct engine_step *step, struct str *out,
		       struct err *err)
{
	const struct plan *plan = &b->engine->run.plan;
	struct str wanted = plan->resources[step->plan->resource].depends_on[0];

	for (size_t i = 0; i < plan->resource_count; i++)
		if (str_eq(plan_resource_label(plan, i, b->mem), wanted))
			return engine_snapshot_name(b->engine, i, out, err);
	BUG("a migration depends on no snapshot");
}

static void add_metadata(struct command_builder *b)
{
	const struct json *metadata = json_get(b->spec, "metadata");

	command_add_list(b, "--index-allowlist", json_get(metadata, "indexAllowlist"));
	command_add_list(b, "--index-template-allowlist",
			 json_get(metadata, "indexTemplateAllowlist"));
	command_add_list(b, "--component-template-allowlist",
			 json_get(metadata, "componentTemplateAllowlist"));
	command_add_option(
		b, "--cluster-awareness-attributes",
		json_text_or(json_get(metadata, "clusterAwarenessAttributes"), STR_NONE));
	command_add_option(b, "--transformer-config",
			   json_string(json_get(metadata, "transformerConfig")));
	command_add_option(b, "--transformer-config-base64",
			   json_string(json_get(metadata, "transformerConfigBase64")));
	command_add_option(b, "--transformer-config-file",
			   json_string(json_get(metadata, "transformerConfigFile")));
	if (str_is(json_string(json_get(metadata, "output")), "JSON"))
		command_add(b, "--json");
	command_add(b, "--allow-existing-indexes"); /* what an earlier try made */
}

static void add_document_transforms(struct command_builder *b)
{
	const struct json *backfill = json_get(b->spec, "backfill");

	command_add_option(b, "--doc-transformer-config",
			   json_string(json_get(backfill, "docTransformerConfig")));
	command_add_option(b, "--doc-transformer-config-base64",
			   json_string(json_get(backfill, "docTransformerConfigBase64")));
	command_add_option(b, "--doc-transformer-config-file",
			   json_string(json_get(backfill, "docTransformerConfigFile")));
}

/* What a pod that was lost had leased is free when its lease ends, which every checkpoint puts off;
 * one that is told to end has longer than elsewhere to hand it back. */
static void add_lease(struct command_builder *b, struct str duration)
{
	int64_t wanted_ms = 0;

	if (b->engine->platform == PLATFORM_KUBERNETES) {
		command_add_option(b, "--grace", STR("45s"));
		if (!duration.ptr ||
		    opt_parse_duration(arena_str(b->mem, duration).ptr, &wanted_ms, NULL) < 0 ||
		    wanted_ms > POD_LEASE_MS)
			duration = STR(POD_LEASE);
	}
	command_add_option(b, "--initial-lease-duration", duration);
}

/* What is verified of documents that were rebuilt is what is rebuilt again. */
static void add_sourceless(struct command_builder *b)
{
	const struct json *backfill = json_get(b->spec, "backfill");

	if (json_bool_or(json_get(backfill, "enableSourcelessMigrations"), false))
		command_add(b, "--enable-sourceless-migrations");
	if (json_bool_or(json_get(backfill, "useRecoverySource"), false))
		command_add(b, "--use-recovery-source");
}

static void add_backfill(struct command_builder *b, size_t resource, struct str session)
{
	static const struct {
		const char *member, *flag;
	} numbers[] = {
		{"documentsPerBulkRequest", "--documents-per-bulk-request"},
		{"documentsSizePerBulkRequest", "--documents-size-per-bulk-request"},
		{"maxConnections", "--max-connections"},
	};
	const struct json *backfill = json_get(b->spec, "backfill");
	struct str ids = json_string(json_get(backfill, "serverGeneratedIds"));

	command_add_list(b, "--index-allowlist", engine_resource_uncovered(b->engine, resource));
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		command_add_option(b, numbers[i].flag,
				   json_text_or(json_get(backfill, numbers[i].member), STR_NONE));
	add_lease(b, json_text_or(json_get(backfill, "initialLeaseDuration"), STR_NONE));
	command_add_list(b, "--allowed-doc-exception-types",
			 json_get(backfill, "allowedDocExceptionTypes"));
	add_document_transforms(b);
	add_sourceless(b);
	command_add(b, "--server-generated-ids");
	command_add(b, str_is(ids, "ALWAYS") ? "always" : str_is(ids, "NEVER") ? "never" : "auto");
	if (json_bool_or(json_get(backfill, "useTargetClusterForWorkCoordination"), false) ||
	    b->engine->platform == PLATFORM_KUBERNETES) /* pods share no folder */
		command_add_option(b, "--coordinator-host", STR("target"));
	if (json_bool_or(json_get(b->spec, "sourceVersions"), false))
		command_add(b, "--source-versions");
	command_add_option(b, "--session-name", session);
	command_add(b, "--progress=never");
	command_add(b, "--json");
}

static void add_verify(struct command_builder *b)
{
	const struct json *verify = json_get(b->spec, "verify");
	bool content = json_bool_or(json_get(verify, "content"), true);

	if (!json_get(b->spec, "metadata") || !content)
		command_add_option(b, "--only", content ? STR("documents") : STR("metadata"));
	command_add_list(b, "--index-allowlist",
			 json_path(b->spec, "backfill", "indexAllowlist", NULL));
	command_add_option(b, "--sample", json_text_or(json_get(verify, "sample"), STR_NONE));
	add_document_transforms(b);
	add_sourceless(b);
	command_add(b, "--progress=never");
}

struct str engine_work_session(struct engine *engine, size_t index)
{
	struct arena *mem = &engine->run.look;
	struct str session = engine->run.plan.resources[index].session;
	struct str uid = engine->run.resources[index].uid;

	if (engine->platform == PLATFORM_LOCAL)
		return arena_printf(mem, "rfs-" STR_FMT, STR_ARG(session));
	/* Kept on the target, where a reset does not reach: the next incarnation has another. */
	uid.len = MIN(uid.len, (size_t)16);
	return arena_printf(mem, "rfs-" STR_FMT "-" STR_FMT, STR_ARG(session), STR_ARG(uid));
}

/* Written down so that a reset finds the work items: a wider allowlist has others, and those of
 * before stay. */
static int note_session(struct command_builder *b, size_t resource, struct str session,
			struct err *err)
{
	if (!session.ptr)
		return arena_fail(b->mem, "the name of a session", err);
	return engine_resource_set_fact(b->engine, resource, "workSession", session, err) < 0
		       ? -(int)err->kind
		       : engine_resource_set_fact(b->engine, resource, session.ptr, STR("work"),
						  err);
}

int command_make_migration(struct command_builder *b, const struct engine_step *step,
			   struct err *err)
{
	struct str session = engine_work_session(b->engine, step->plan->resource);
	struct str snapshot;

	if (step->plan->action == PLAN_BACKFILL &&
	    note_session(b, step->plan->resource, session, err) < 0)
		return -(int)err->kind;
	if (snapshot_of(b, step, &snapshot, err) < 0)
		return -(int)err->kind;
	if (step->plan->action == PLAN_METADATA_EVALUATE)
		command_add_words(b, (const char *const[]){"metadata", "evaluate", NULL});
	else if (step->plan->action == PLAN_METADATA_MIGRATE)
		command_add_words(b, (const char *const[]){"metadata", "migrate", NULL});
	else
		command_add(b, step->plan->action == PLAN_BACKFILL ? "backfill" : "verify");
	command_add_repository(b, snapshot);
	if (step->plan->action == PLAN_BACKFILL)
		add_backfill(b, step->plan->resource, session);
	else if (step->plan->action == PLAN_VERIFY)
		add_verify(b);
	else
		add_metadata(b);
	return command_add_cluster(b, &command_to_target, err);
}
