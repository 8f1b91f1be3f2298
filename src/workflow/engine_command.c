#include "workflow/engine_internal.h"
#include "workflow/secrets.h"

#include "base/limits.h"

#include <ctype.h>

struct builder {
	struct engine *engine;
	struct engine_command *command;
	const struct json *spec; /* of the step's resource */
	struct arena *mem;
};

static void add(struct builder *b, const char *argument)
{
	struct engine_command *command = b->command;

	if (!argument || command->count + 1 >= COUNT_OF(command->argv))
		command->failed = true;
	else
		command->argv[command->count++] = argument;
}

static void add_words(struct builder *b, const char *const *words)
{
	for (; *words; words++)
		add(b, *words);
}

static void add_option(struct builder *b, const char *flag, struct str value)
{
	if (value.len == 0)
		return;
	add(b, flag);
	add(b, arena_str(b->mem, value).ptr);
}

static void add_list(struct builder *b, const char *flag, const struct json *list)
{
	json_each (item, list)
		add_option(b, flag, json_text_or(item, STR_NONE));
}

static void add_variable(struct builder *b, const char *name, struct str value)
{
	struct engine_command *command = b->command;
	struct str line = arena_printf(b->mem, "%s=" STR_FMT, name, STR_ARG(value));

	if (!line.ptr || command->environment_count == COUNT_OF(command->environment))
		command->failed = true;
	else
		command->environment[command->environment_count++] = line.ptr;
}

/* Of "source" or "target": "--source-" and "SHARDLIFT_SOURCE_". */
struct way {
	const char *member, *flags, *variables;
};
static const struct way to_source = {"source", "--source-", "SHARDLIFT_SOURCE_"};
/* Where a repository is registered is always --to. */
static const struct way to_register = {"source", "--target-", "SHARDLIFT_TARGET_"};
static const struct way to_target = {"target", "--target-", "SHARDLIFT_TARGET_"};

static const char *joined(struct builder *b, const char *prefix, const char *name)
{
	return arena_printf(b->mem, "%s%s", prefix, name).ptr;
}

static int read_secret(struct builder *b, const struct way *way, struct str name, struct str *out,
		       struct err *err)
{
	int rc = workflow_secret_read(b->engine->options->state_dir, name, b->mem, out, err);

	if (rc > 0)
		return 0;
	if (rc < 0)
		return rc;
	return err_set(err, ERR_USAGE,
		       "the %s's secret '" STR_FMT
		       "' is not there; `workflow configure credentials create " STR_FMT
		       "` makes it",
		       way->member, STR_ARG(name), STR_ARG(name));
}

static int add_basic(struct builder *b, const struct way *way, const struct json *basic,
		     struct err *err)
{
	struct str secret, user, password;

	if (read_secret(b, way, json_string(json_get(basic, "secretName")), &secret, err) < 0)
		return -(int)err->kind;
	if (!str_split(secret, ':', &user, &password))
		return err_set(err, ERR_USAGE,
			       "the %s's secret '" STR_FMT "' is not USERNAME:PASSWORD",
			       way->member, STR_ARG(json_string(json_get(basic, "secretName"))));
	add_variable(b, joined(b, way->variables, "USERNAME"), user);
	add_variable(b, joined(b, way->variables, "PASSWORD"), password);
	return 0;
}

static int add_auth(struct builder *b, const struct way *way, const struct json *auth,
		    struct err *err)
{
	const struct json *basic = json_get(auth, "basic"), *key = json_get(auth, "apiKey");
	const struct json *sigv4 = json_get(auth, "sigv4"), *mtls = json_get(auth, "mtls");
	const char *state = b->engine->options->state_dir;
	struct str secret;

	if (basic)
		return add_basic(b, way, basic, err);
	if (key) {
		if (read_secret(b, way, json_string(json_get(key, "secretName")), &secret, err) < 0)
			return -(int)err->kind;
		add_variable(b, joined(b, way->variables, "API_KEY"), secret);
	}
	if (sigv4) {
		add_option(b, joined(b, way->flags, "aws-region"),
			   json_string(json_get(sigv4, "region")));
		add_option(b, joined(b, way->flags, "aws-service-signing-name"),
			   json_string(json_get(sigv4, "service")));
	}
	if (mtls) {
		struct str name = json_string(json_get(mtls, "clientSecretName"));

		add_option(b, joined(b, way->flags, "cacert"),
			   json_string(json_get(mtls, "caCert")));
		add_option(b, joined(b, way->flags, "client-cert"),
			   arena_printf(b->mem, "%s/secrets/" STR_FMT "/tls.crt", state,
					STR_ARG(name)));
		add_option(b, joined(b, way->flags, "client-cert-key"),
			   arena_printf(b->mem, "%s/secrets/" STR_FMT "/tls.key", state,
					STR_ARG(name)));
	}
	return 0;
}

static int add_cluster(struct builder *b, const struct way *way, struct err *err)
{
	const struct json *cluster = json_get(b->spec, way->member);

	add_option(b, joined(b, way->flags, "host"), json_string(json_get(cluster, "endpoint")));
	if (json_bool_or(json_get(cluster, "allowInsecure"), false))
		add(b, joined(b, way->flags, "insecure"));
	return add_auth(b, way, json_get(cluster, "authConfig"), err);
}

static void add_repository(struct builder *b, struct str snapshot)
{
	const struct json *repository = json_get(b->spec, "repository");

	add_option(b, "--repo-uri", json_string(json_get(repository, "repoPathUri")));
	add_option(b, "--s3-region", json_string(json_get(repository, "awsRegion")));
	add_option(b, "--s3-endpoint", json_string(json_get(repository, "endpoint")));
	add_option(b, "--snapshot-name", snapshot);
}

/* --- Snapshots --- */

int engine_snapshot_name(struct engine *engine, size_t index, struct str *out, struct err *err)
{
	const struct plan_resource *resource = &engine->run.plan.resources[index];
	const struct json *spec = resource->spec;
	struct str prefix = json_string(json_path(spec, "create", "snapshotPrefix", NULL));
	struct str source = json_string(json_path(spec, "source", "name", NULL));
	struct arena *mem = &engine->run.look;
	struct str made;

	*out = json_string(json_get(spec, "external"));
	if (out->len == 0)
		*out = engine_resource_fact(engine, index, "snapshotName");
	if (out->len > 0)
		return 0;
	made = arena_printf(
		mem, STR_FMT "_" STR_FMT "_%llx", STR_ARG(source),
		STR_ARG(prefix.len > 0 ? prefix : json_string(json_get(spec, "snapshot"))),
		(unsigned long long)engine->run.resources[index].created_ms);
	if (!made.ptr)
		return arena_fail(mem, "the name of a snapshot", err);
	for (char *p = (char *)(uintptr_t)made.ptr; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	*out = made;
	return engine_resource_set_fact(engine, index, "snapshotName", made, err);
}

/* "s3://bucket/a/b": bucket, then a/b. */
static void add_place(struct builder *b, struct str place, const char *flag)
{
	struct str bucket, path;

	if (!str_split(place, '/', &bucket, &path))
		path = STR_NONE;
	add_option(b, flag, bucket);
	add_option(b, "--base-path", path);
}

static void add_location(struct builder *b)
{
	const struct json *repository = json_get(b->spec, "repository");
	struct str uri = json_string(json_get(repository, "repoPathUri")), account, rest;

	add(b, "--type");
	if (str_starts(uri, STR("file://"))) {
		add(b, "fs");
		add_option(b, "--location", str_from_offset(uri, strlen("file://")));
	} else if (str_starts(uri, STR("gs://"))) {
		add(b, "gcs");
		add_place(b, str_from_offset(uri, strlen("gs://")), "--bucket");
	} else if (str_starts(uri, STR("azure://"))) {
		add(b, "azure");
		str_split(str_from_offset(uri, strlen("azure://")), '/', &account, &rest);
		add_place(b, rest, "--container");
	} else {
		add(b, "s3");
		add_place(b, str_from_offset(uri, strlen("s3://")), "--bucket");
		add_option(b, "--region", json_string(json_get(repository, "awsRegion")));
		add_option(b, "--endpoint", json_string(json_get(repository, "endpoint")));
		add_option(b, "--role-arn", json_string(json_get(repository, "s3RoleArn")));
	}
}

static void add_content(struct builder *b)
{
	const struct json *create = json_get(b->spec, "create");
	struct str rate = json_text_or(json_get(create, "maxSnapshotRateMbPerNode"), STR("0"));

	add_list(b, "--indices", json_get(create, "indexAllowlist"));
	add(b, json_bool_or(json_get(create, "includeGlobalState"), true)
		       ? "--include-global-state=true"
		       : "--include-global-state=false");
	if (!str_is(rate, "0"))
		add_option(b, "--max-snapshot-rate",
			   arena_printf(b->mem, STR_FMT "mb", STR_ARG(rate)));
}

static int make_snapshot(struct builder *b, const struct engine_step *step, struct err *err)
{
	static const char *const words[][4] = {[STAGE_LOOK] = {"snapshot", "status", "--json"},
					       [STAGE_REGISTER] = {"snapshot", "register"},
					       [STAGE_CREATE] = {"snapshot", "create"}};
	const struct json *create = json_get(b->spec, "create");
	struct str name;

	if (engine_snapshot_name(b->engine, step->plan->resource, &name, err) < 0)
		return -(int)err->kind;
	add_words(b, words[step->stage]);
	add_option(b, "--repo", json_string(json_path(b->spec, "repository", "name", NULL)));
	if (step->stage == STAGE_REGISTER) {
		add_location(b);
		add(b, json_bool_or(json_get(create, "compressionEnabled"), false)
			       ? "--compress=true"
			       : "--compress=false");
	} else {
		add_option(b, "--snapshot-name", name);
	}
	if (step->stage == STAGE_CREATE)
		add_content(b);
	return add_cluster(b, step->stage == STAGE_REGISTER ? &to_register : &to_source, err);
}

/* --- Migrations --- */

static int snapshot_of(struct builder *b, const struct engine_step *step, struct str *out,
		       struct err *err)
{
	const struct plan *plan = &b->engine->run.plan;
	struct str wanted = plan->resources[step->plan->resource].depends_on[0];

	for (size_t i = 0; i < plan->resource_count; i++)
		if (str_eq(plan_resource_label(plan, i, b->mem), wanted))
			return engine_snapshot_name(b->engine, i, out, err);
	BUG("a migration depends on no snapshot");
}

static void add_metadata(struct builder *b)
{
	const struct json *metadata = json_get(b->spec, "metadata");

	add_list(b, "--index-allowlist", json_get(metadata, "indexAllowlist"));
	add_list(b, "--index-template-allowlist", json_get(metadata, "indexTemplateAllowlist"));
	add_list(b, "--component-template-allowlist",
		 json_get(metadata, "componentTemplateAllowlist"));
	add_option(b, "--cluster-awareness-attributes",
		   json_text_or(json_get(metadata, "clusterAwarenessAttributes"), STR_NONE));
	add_option(b, "--transformer-config", json_string(json_get(metadata, "transformerConfig")));
	add_option(b, "--transformer-config-base64",
		   json_string(json_get(metadata, "transformerConfigBase64")));
	add_option(b, "--transformer-config-file",
		   json_string(json_get(metadata, "transformerConfigFile")));
	if (str_is(json_string(json_get(metadata, "output")), "JSON"))
		add(b, "--json");
	add(b, "--allow-existing-indexes"); /* what an earlier try made */
}

static void add_document_transforms(struct builder *b)
{
	const struct json *backfill = json_get(b->spec, "backfill");

	add_option(b, "--doc-transformer-config",
		   json_string(json_get(backfill, "docTransformerConfig")));
	add_option(b, "--doc-transformer-config-base64",
		   json_string(json_get(backfill, "docTransformerConfigBase64")));
	add_option(b, "--doc-transformer-config-file",
		   json_string(json_get(backfill, "docTransformerConfigFile")));
}

static void add_backfill(struct builder *b, struct str session)
{
	static const struct {
		const char *member, *flag;
	} numbers[] = {
		{"documentsPerBulkRequest", "--documents-per-bulk-request"},
		{"documentsSizePerBulkRequest", "--documents-size-per-bulk-request"},
		{"maxConnections", "--max-connections"},
		{"initialLeaseDuration", "--initial-lease-duration"},
	};
	const struct json *backfill = json_get(b->spec, "backfill");
	struct str ids = json_string(json_get(backfill, "serverGeneratedIds"));

	add_list(b, "--index-allowlist", json_get(backfill, "indexAllowlist"));
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		add_option(b, numbers[i].flag,
			   json_text_or(json_get(backfill, numbers[i].member), STR_NONE));
	add_list(b, "--allowed-doc-exception-types",
		 json_get(backfill, "allowedDocExceptionTypes"));
	add_document_transforms(b);
	add(b, "--server-generated-ids");
	add(b, str_is(ids, "ALWAYS") ? "always" : str_is(ids, "NEVER") ? "never" : "auto");
	if (json_bool_or(json_get(backfill, "useTargetClusterForWorkCoordination"), false))
		add_option(b, "--coordinator-host", STR("target"));
	add_option(b, "--session-name", session);
	add(b, "--progress=never");
	add(b, "--json");
}

static void add_verify(struct builder *b)
{
	const struct json *verify = json_get(b->spec, "verify");
	bool content = json_bool_or(json_get(verify, "content"), true);

	if (!json_get(b->spec, "metadata") || !content)
		add_option(b, "--only", content ? STR("documents") : STR("metadata"));
	add_list(b, "--index-allowlist", json_path(b->spec, "backfill", "indexAllowlist", NULL));
	add_option(b, "--sample", json_text_or(json_get(verify, "sample"), STR_NONE));
	add_document_transforms(b);
	add(b, "--progress=never");
}

static int make_migration(struct builder *b, const struct engine_step *step, struct err *err)
{
	const struct plan_resource *resource = &b->engine->run.plan.resources[step->plan->resource];
	struct str snapshot,
		session = arena_printf(b->mem, "rfs-" STR_FMT, STR_ARG(resource->session));

	/* Written down so that a reset finds the work items. */
	if (step->plan->action == PLAN_BACKFILL &&
	    engine_resource_set_fact(b->engine, step->plan->resource, "workSession", session, err) <
		    0)
		return -(int)err->kind;
	if (snapshot_of(b, step, &snapshot, err) < 0)
		return -(int)err->kind;
	if (step->plan->action == PLAN_METADATA_EVALUATE)
		add_words(b, (const char *const[]){"metadata", "evaluate", NULL});
	else if (step->plan->action == PLAN_METADATA_MIGRATE)
		add_words(b, (const char *const[]){"metadata", "migrate", NULL});
	else
		add(b, step->plan->action == PLAN_BACKFILL ? "backfill" : "verify");
	add_repository(b, snapshot);
	if (step->plan->action == PLAN_BACKFILL)
		add_backfill(b, session);
	else if (step->plan->action == PLAN_VERIFY)
		add_verify(b);
	else
		add_metadata(b);
	return add_cluster(b, &to_target, err);
}

int engine_command_make(struct engine *engine, struct engine_step *step, struct engine_command *out,
			struct err *err)
{
	const struct plan_resource *resource = &engine->run.plan.resources[step->plan->resource];
	struct builder b = {engine, out, resource->spec, &engine->run.look};
	int rc;

	*out = (struct engine_command){0};
	add(&b, "shardlift");
	if (step->plan->action == PLAN_SNAPSHOT_CREATE) {
		rc = make_snapshot(&b, step, err);
	} else if (step->plan->action == PLAN_SNAPSHOT_EXTERNAL) {
		add_words(&b, (const char *const[]){"snapshot", "show", NULL});
		add_repository(&b, json_string(json_get(b.spec, "external")));
		rc = 0;
	} else {
		rc = make_migration(&b, step, err);
	}
	add(&b, "--state-dir");
	add(&b, engine->options->state_dir);
	if (rc == 0 && (out->failed || b.mem->failed))
		rc = err_set(err, ERR_LIMIT, "the command of step " STR_FMT " is too long",
			     STR_ARG(step->plan->name));
	return rc;
}
