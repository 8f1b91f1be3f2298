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

static int add_metadata(struct command_builder *b, struct err *err)
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
	if (str_is(json_string(json_get(metadata, "output")), "JSON"))
		command_add(b, "--json");
	command_add(b, "--allow-existing-indexes"); /* what an earlier try made */
	return command_add_transforms(b, "--transformer-config-file", "--transformer-config-base64",
				      json_string(json_get(metadata, "transformerConfigFile")),
				      err);
}

static int add_document_transforms(struct command_builder *b, struct err *err)
{
	const struct json *backfill = json_get(b->spec, "backfill");

	command_add_option(b, "--doc-transformer-config",
			   json_string(json_get(backfill, "docTransformerConfig")));
	command_add_option(b, "--doc-transformer-config-base64",
			   json_string(json_get(backfill, "docTransformerConfigBase64")));
	return command_add_transforms(
		b, "--doc-transformer-config-file", "--doc-transformer-config-base64",
		json_string(json_get(backfill, "docTransformerConfigFile")), err);
}

/* Where documents that the target refuses are kept, when that is not where the worker runs. */
static void add_failed_documents(struct command_builder *b)
{
	static const struct {
		const char *member, *flag;
	} options[] = {
		{"failedDocumentStreamS3Bucket", "--failed-document-stream-s3-bucket"},
		{"failedDocumentStreamS3Prefix", "--failed-document-stream-s3-prefix"},
		{"failedDocumentStreamS3Region", "--failed-document-stream-s3-region"},
		{"failedDocumentStreamS3Endpoint", "--failed-document-stream-s3-endpoint"},
		{"failedDocumentStreamMaxBufferBytes", "--failed-document-stream-max-buffer-bytes"},
	};
	const struct json *backfill = json_get(b->spec, "backfill");

	if (json_string(json_get(backfill, options[0].member)).len == 0)
		return;
	for (size_t i = 0; i < COUNT_OF(options); i++)
		command_add_option(b, options[i].flag,
				   json_text_or(json_get(backfill, options[i].member), STR_NONE));
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

static int add_backfill(struct command_builder *b, size_t resource, struct str session,
			struct err *err)
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
	add_failed_documents(b);
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
	return add_document_transforms(b, err);
}

static int add_verify(struct command_builder *b, struct err *err)
{
	const struct json *verify = json_get(b->spec, "verify");
	bool content = json_bool_or(json_get(verify, "content"), true);

	if (!json_get(b->spec, "metadata") || !content)
		command_add_option(b, "--only", content ? STR("documents") : STR("metadata"));
	command_add_list(b, "--index-allowlist",
			 json_path(b->spec, "backfill", "indexAllowlist", NULL));
	command_add_option(b, "--sample", json_text_or(json_get(verify, "sample"), STR_NONE));
	add_sourceless(b);
	command_add(b, "--progress=never");
	return add_document_transforms(b, err);
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
	int rc;

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
		rc = add_backfill(b, step->plan->resource, session, err);
	else if (step->plan->action == PLAN_VERIFY)
		rc = add_verify(b, err);
	else
		rc = add_metadata(b, err);
	if (rc < 0)
		return rc;
	return command_add_cluster(b, &command_to_target, err);
}

int engine_command_watch(struct engine *engine, const struct engine_step *step,
			 struct engine_command *out, struct err *err)
{
	size_t resource = step->plan->resource;
	struct command_builder b = {engine, out, engine->run.plan.resources[resource].spec,
				    &engine->run.look};

	*out = (struct engine_command){0};
	command_add_words(&b, (const char *const[]){"shardlift", "backfill", "status", "--json",
						    "--pace=0s", "--coordinator-host", "target",
						    "--session-name", NULL});
	command_add(&b, engine_work_session(engine, resource).ptr);
	return command_add_cluster(&b, &command_to_target, err);
}
