/* Other commands of this program, run with what services say. */
#include "cli/console_common.h"

void console_add(struct console_command *command, const char *argument)
{
	if (!argument || command->count + 1 >= COUNT_OF(command->argv))
		command->failed = true;
	else
		command->argv[command->count++] = argument;
}

void console_add_option(struct console_command *command, const char *flag, const char *value)
{
	if (!value || !*value)
		return;
	/* One word, so that a value may begin with a dash. */
	console_add(command, arena_printf(command->mem, "%s=%s", flag, value).ptr);
}

void console_add_text(struct console_command *command, const char *flag, struct str value)
{
	if (value.len > 0)
		console_add_option(command, flag, arena_str(command->mem, value).ptr);
}

void console_add_list(struct console_command *command, const char *flag,
		      const struct config_value *list)
{
	config_each (item, list)
		console_add_text(command, flag, config_text_or(item, STR_NONE));
}

void console_add_secret(struct console_command *command, const char *side, const char *name,
			const char *value)
{
	const char *flag = arena_printf(command->mem, "%s-%s", side, name).ptr;

	if (!value)
		return;
	if (!flag || command->secret_count == CONSOLE_SECRETS_MAX) {
		command->failed = true;
		return;
	}
	command->secrets[command->secret_count][0] = flag;
	command->secrets[command->secret_count++][1] = value;
}

void console_add_cluster(struct console_command *command, const char *side,
			 const struct services_cluster *cluster)
{
	const struct http_options *http = &cluster->http;
	const struct {
		const char *name, *value;
	} options[] = {
		{"host", http->host},
		{"username", http->username},
		{"cacert", http->ca_file},
		{"client-cert", http->client_cert},
		{"client-cert-key", http->client_key},
		{"aws-region", http->aws_region},
		{"aws-service-signing-name", http->aws_service},
	};

	for (size_t i = 0; i < COUNT_OF(options); i++)
		console_add_option(command,
				   arena_printf(command->mem, "--%s-%s", side, options[i].name).ptr,
				   options[i].value);
	if (http->aws_signed_as)
		command->refused = "sigv4_signing_endpoint";
	if (http->insecure)
		console_add(command, arena_printf(command->mem, "--%s-insecure", side).ptr);
	console_add_secret(command, side, "password", http->password);
	console_add_secret(command, side, "api-key", http->api_key);
}

static struct str text_of(const struct config_value *map, const char *key)
{
	return config_text_or(config_get(map, key), STR_NONE);
}

void console_add_repository(struct console_command *command, const struct config_value *section)
{
	const struct config_value *s3 = config_get(section, "s3"),
				  *gcs = config_get(section, "gcs");

	console_add_text(command, "--repo-uri", text_of(config_get(section, "fs"), "repo_path"));
	console_add_text(command, "--repo-uri", text_of(s3, "repo_uri"));
	console_add_text(command, "--s3-region", text_of(s3, "aws_region"));
	console_add_text(command, "--s3-endpoint", text_of(s3, "endpoint"));
	console_add_text(command, "--repo-uri", text_of(gcs, "repo_uri"));
	console_add_text(command, "--gcs-endpoint", text_of(gcs, "endpoint"));
	console_add_text(command, "--snapshot-name", text_of(section, "snapshot_name"));
}

/* Secrets are words of this process only: the list of processes never shows them. */
static char **words_of(struct console_command *arguments, int *count)
{
	char **words;

	for (size_t i = 0; i < arguments->secret_count; i++)
		console_add(arguments,
			    arena_printf(arguments->mem, "--%s=%s", arguments->secrets[i][0],
					 arguments->secrets[i][1])
				    .ptr);
	words = arena_zalloc(arguments->mem, arguments->count + 1, sizeof(char *));
	for (size_t i = 0; words && i < arguments->count; i++)
		words[i] = (char *)(uintptr_t)arguments->argv[i];
	*count = (int)arguments->count;
	return words;
}

int console_command_check(const struct console_command *command, struct err *err)
{
	if (command->refused)
		return err_set(err, ERR_UNSUPPORTED,
			       "'%s' is for `console clusters` alone: workers sign for the host of "
			       "'endpoint'; give the domain's own there, or a host of its name "
			       "that leads to it",
			       command->refused);
	if (command->failed || command->mem->failed)
		return err_set(err, ERR_LIMIT, "the command that is to be run is too long");
	return 0;
}

int console_delegate(const struct console *console, const struct command *command,
		     struct console_command *arguments, struct err *err)
{
	struct opt_result parsed = {0};
	struct cli cli = {.mem = console->mem, .parsed = &parsed};
	void *fields = arena_zalloc(console->mem, 1, command->fields_size);
	char **words;
	int count;

	console_add_option(arguments, "--state-dir", console->state_dir);
	if (console->fields->general.json)
		console_add(arguments, "--json");
	words = words_of(arguments, &count);
	if (console_command_check(arguments, err) < 0)
		return -(int)err->kind;
	if (!fields || !words)
		return arena_fail(console->mem, "the arguments of another command", err);
	if (opt_parse(&command->options, count, words, fields, console->mem, &parsed, err) < 0)
		return -(int)err->kind;
	return command->run(&cli, fields, err);
}
