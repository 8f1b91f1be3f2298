#include "workflow/engine_command.h"

#include <ctype.h>

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
static void add_place(struct command_builder *b, struct str place, const char *flag)
{
	struct str bucket, path;

	if (!str_split(place, '/', &bucket, &path))
		path = STR_NONE;
	command_add_option(b, flag, bucket);
	command_add_option(b, "--base-path", path);
}

static void add_location(struct command_builder *b)
{
	const struct json *repository = json_get(b->spec, "repository");
	struct str uri = json_string(json_get(repository, "repoPathUri")), account, rest;

	command_add(b, "--type");
	if (str_starts(uri, STR("file://"))) {
		command_add(b, "fs");
		command_add_option(b, "--location", str_from_offset(uri, strlen("file://")));
	} else if (str_starts(uri, STR("gs://"))) {
		command_add(b, "gcs");
		add_place(b, str_from_offset(uri, strlen("gs://")), "--bucket");
	} else if (str_starts(uri, STR("azure://"))) {
		command_add(b, "azure");
		str_split(str_from_offset(uri, strlen("azure://")), '/', &account, &rest);
		add_place(b, rest, "--container");
	} else {
		command_add(b, "s3");
		add_place(b, str_from_offset(uri, strlen("s3://")), "--bucket");
		command_add_option(b, "--region", json_string(json_get(repository, "awsRegion")));
		command_add_option(b, "--endpoint", json_string(json_get(repository, "endpoint")));
		command_add_option(b, "--role-arn", json_string(json_get(repository, "s3RoleArn")));
	}
}

static void add_content(struct command_builder *b)
{
	const struct json *create = json_get(b->spec, "create");
	struct str rate = json_text_or(json_get(create, "maxSnapshotRateMbPerNode"), STR("0"));

	command_add_list(b, "--indices", json_get(create, "indexAllowlist"));
	command_add(b, json_bool_or(json_get(create, "includeGlobalState"), true)
			       ? "--include-global-state=true"
			       : "--include-global-state=false");
	if (!str_is(rate, "0"))
		command_add_option(b, "--max-snapshot-rate",
				   arena_printf(b->mem, STR_FMT "mb", STR_ARG(rate)));
}

int command_make_snapshot(struct command_builder *b, const struct engine_step *step,
			  struct err *err)
{
	static const char *const words[][4] = {[STAGE_LOOK] = {"snapshot", "status", "--json"},
					       [STAGE_REGISTER] = {"snapshot", "register"},
					       [STAGE_CREATE] = {"snapshot", "create"}};
	const struct json *create = json_get(b->spec, "create");
	struct str name;

	if (engine_snapshot_name(b->engine, step->plan->resource, &name, err) < 0)
		return -(int)err->kind;
	command_add_words(b, words[step->stage]);
	command_add_option(b, "--repo",
			   json_string(json_path(b->spec, "repository", "name", NULL)));
	if (step->stage == STAGE_REGISTER) {
		add_location(b);
		command_add(b, json_bool_or(json_get(create, "compressionEnabled"), false)
				       ? "--compress=true"
				       : "--compress=false");
	} else {
		command_add_option(b, "--snapshot-name", name);
	}
	if (step->stage == STAGE_CREATE)
		add_content(b);
	return command_add_cluster(
		b, step->stage == STAGE_REGISTER ? &command_to_register : &command_to_source, err);
}
