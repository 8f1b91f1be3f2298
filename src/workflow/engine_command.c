#include "workflow/engine_command.h"

#include "base/base64.h"
#include "base/limits.h"
#include "base/small_file.h"
#include "workflow/plan_spec.h"
#include "workflow/secrets.h"

#define TRANSFORMS_MAX KIB(90) /* in base64 it is one word, of which Linux takes 128 KiB */

void command_add(struct command_builder *b, const char *argument)
{
	struct engine_command *command = b->command;

	if (!argument || command->count + 1 >= COUNT_OF(command->argv))
		command->failed = true;
	else
		command->argv[command->count++] = argument;
}

void command_add_words(struct command_builder *b, const char *const *words)
{
	for (; *words; words++)
		command_add(b, *words);
}

void command_add_option(struct command_builder *b, const char *flag, struct str value)
{
	if (value.len == 0)
		return;
	command_add(b, flag);
	command_add(b, arena_str(b->mem, value).ptr);
}

void command_add_list(struct command_builder *b, const char *flag, const struct json *list)
{
	json_each (item, list)
		command_add_option(b, flag, json_text_or(item, STR_NONE));
}

void command_add_variable(struct command_builder *b, const char *name, struct str value)
{
	struct engine_command *command = b->command;
	struct str line = arena_printf(b->mem, "%s=" STR_FMT, name, STR_ARG(value));

	if (!line.ptr || command->environment_count == COUNT_OF(command->environment))
		command->failed = true;
	else
		command->environment[command->environment_count++] = line.ptr;
}

const struct command_way command_to_source = {"source", "--source-", "SHARDLIFT_SOURCE_"};
const struct command_way command_to_register = {"source", "--target-", "SHARDLIFT_TARGET_"};
const struct command_way command_to_target = {"target", "--target-", "SHARDLIFT_TARGET_"};

static const char *joined(struct command_builder *b, const char *prefix, const char *name)
{
	return arena_printf(b->mem, "%s%s", prefix, name).ptr;
}

int command_secret(struct command_builder *b, const char *of, struct str name, struct str *out,
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
		       of, STR_ARG(name), STR_ARG(name));
}

static int add_reference(struct command_builder *b, const char *variable, struct str name,
			 const char *key)
{
	struct engine_command *command = b->command;
	const char *copy = arena_str(b->mem, name).ptr;

	if (!copy || command->secret_count == COUNT_OF(command->secrets))
		command->failed = true;
	else
		command->secrets[command->secret_count++] =
			(struct engine_secret){variable, copy, key};
	return 0;
}

int command_add_secret(struct command_builder *b, const char *variable, const char *of,
		       struct str name, const char *key, struct err *err)
{
	bool is_user = strcmp(key, "username") == 0;
	struct str secret, user, password;

	if (b->engine->platform == PLATFORM_KUBERNETES)
		return add_reference(b, variable, name, key);
	if (command_secret(b, of, name, &secret, err) < 0)
		return -(int)err->kind;
	if (!is_user && strcmp(key, "password") != 0) {
		command_add_variable(b, variable, secret);
		return 0;
	}
	if (!str_split(secret, ':', &user, &password))
		return err_set(err, ERR_USAGE,
			       "the %s's secret '" STR_FMT "' is not USERNAME:PASSWORD", of,
			       STR_ARG(name));
	command_add_variable(b, variable, is_user ? user : password);
	return 0;
}

void command_add_folder(struct command_builder *b, struct str name)
{
	struct engine_command *command = b->command;
	const char *copy = arena_str(b->mem, name).ptr;

	if (!copy || command->folder_count == COUNT_OF(command->folders))
		command->failed = true;
	else
		command->folders[command->folder_count++] = copy;
}

static int add_basic(struct command_builder *b, const struct command_way *way,
		     const struct json *basic, struct err *err)
{
	struct str name = json_string(json_get(basic, "secretName"));

	if (command_add_secret(b, joined(b, way->variables, "USERNAME"), way->member, name,
			       "username", err) < 0)
		return -(int)err->kind;
	return command_add_secret(b, joined(b, way->variables, "PASSWORD"), way->member, name,
				  "password", err);
}

static int add_auth(struct command_builder *b, const struct command_way *way,
		    const struct json *auth, struct err *err)
{
	const struct json *basic = json_get(auth, "basic"), *key = json_get(auth, "apiKey");
	const struct json *sigv4 = json_get(auth, "sigv4"), *mtls = json_get(auth, "mtls");
	const char *state = b->engine->options->state_dir;

	if (basic)
		return add_basic(b, way, basic, err);
	if (key && command_add_secret(b, joined(b, way->variables, "API_KEY"), way->member,
				      json_string(json_get(key, "secretName")), "api-key", err) < 0)
		return -(int)err->kind;
	if (sigv4) {
		command_add_option(b, joined(b, way->flags, "aws-region"),
				   json_string(json_get(sigv4, "region")));
		command_add_option(b, joined(b, way->flags, "aws-service-signing-name"),
				   json_string(json_get(sigv4, "service")));
	}
	if (mtls) {
		struct str name = json_string(json_get(mtls, "clientSecretName"));

		command_add_folder(b, name);
		command_add_option(b, joined(b, way->flags, "cacert"),
				   json_string(json_get(mtls, "caCert")));
		command_add_option(b, joined(b, way->flags, "client-cert"),
				   arena_printf(b->mem, "%s/secrets/" STR_FMT "/tls.crt", state,
						STR_ARG(name)));
		command_add_option(b, joined(b, way->flags, "client-cert-key"),
				   arena_printf(b->mem, "%s/secrets/" STR_FMT "/tls.key", state,
						STR_ARG(name)));
	}
	return 0;
}

int command_add_transforms(struct command_builder *b, const char *file_flag,
			   const char *base64_flag, struct str path, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(TRANSFORMS_MAX);
	cleanup(buf_release) struct buf encoded = BUF_INIT(TRANSFORMS_MAX * 2);
	const char *name;
	int rc;

	if (path.len == 0 || b->engine->platform == PLATFORM_LOCAL) {
		command_add_option(b, file_flag, path);
		return 0;
	}
	name = arena_str(b->mem, path).ptr;
	if (!name)
		return arena_fail(b->mem, file_flag, err);
	rc = small_file_read(name, &text, err);
	if (rc < 0 && err->kind == ERR_LIMIT)
		return err_set(
			err, ERR_LIMIT,
			"the transforms in '%s' are larger than %zu KiB, which a pod's command "
			"does not hold; give a smaller file",
			name, TRANSFORMS_MAX / 1024);
	if (rc == 0)
		return err_set(err, ERR_USAGE,
			       "there is no file '%s' in the engine's container, which hands its "
			       "transforms to pods; put it below the state directory, or give the "
			       "transforms inline",
			       name);
	if (rc < 0)
		return rc;
	base64_encode(&encoded, buf_str(&text));
	command_add_option(b, base64_flag, buf_str(&encoded));
	return 0;
}

int command_add_cluster(struct command_builder *b, const struct command_way *way, struct err *err)
{
	const struct json *cluster = json_get(b->spec, way->member);

	command_add_option(b, joined(b, way->flags, "host"),
			   json_string(json_get(cluster, "endpoint")));
	if (json_bool_or(json_get(cluster, "allowInsecure"), false))
		command_add(b, joined(b, way->flags, "insecure"));
	return add_auth(b, way, json_get(cluster, "authConfig"), err);
}

void command_add_repository(struct command_builder *b, struct str snapshot)
{
	const struct json *repository = json_get(b->spec, "repository");

	command_add_option(b, "--repo-uri", json_string(json_get(repository, "repoPathUri")));
	command_add_option(b, "--s3-region", json_string(json_get(repository, "awsRegion")));
	command_add_option(b, "--s3-endpoint", json_string(json_get(repository, "endpoint")));
	command_add_option(b, "--snapshot-name", snapshot);
}

int engine_command_make(struct engine *engine, struct engine_step *step, struct engine_command *out,
			struct err *err)
{
	size_t resource = step->plan->resource;
	const struct json *spec = resource == PLAN_NO_RESOURCE
					  ? step->plan->spec
					  : engine->run.plan.resources[resource].spec;
	struct command_builder b = {engine, out, spec, &engine->run.look};
	int rc;

	*out = (struct engine_command){0};
	command_add(&b, "shardlift");
	if (step->plan->action == PLAN_CHECK) {
		rc = command_make_check(&b, err);
	} else if (step->plan->action == PLAN_SNAPSHOT_CREATE) {
		rc = command_make_snapshot(&b, step, err);
	} else if (step->plan->action == PLAN_SNAPSHOT_EXTERNAL) {
		command_add_words(&b, (const char *const[]){"snapshot", "show", NULL});
		command_add_repository(&b, json_string(json_get(b.spec, "external")));
		rc = 0;
	} else if (step->plan->action == PLAN_CAPTURE || step->plan->action == PLAN_REPLAY) {
		rc = command_make_traffic(&b, step, err);
	} else {
		rc = command_make_migration(&b, step, err);
	}
	command_add(&b, "--state-dir");
	command_add(&b, engine->options->state_dir);
	if (rc == 0 && (out->failed || b.mem->failed))
		rc = err_set(err, ERR_LIMIT, "the command of step " STR_FMT " is too long",
			     STR_ARG(step->plan->name));
	return rc;
}

struct str engine_command_checksum(const struct engine_command *command, struct arena *mem)
{
	struct json *words = json_new(mem, JSON_ARRAY);

	for (size_t i = 0; i < command->count; i++)
		json_append(words, json_new_string(mem, str_from(command->argv[i])));
	return plan_checksum(words, mem);
}
