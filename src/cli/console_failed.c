/* console failed-document-stream */
#include "cli/console_common.h"

#include "base/json.h"

#include <inttypes.h>
#include <stdio.h>

#define FAILED_PREFIX "rfs-failed-document-stream/" /* of failed_store_options */

struct failed_fields_of_console {
	struct console_fields console;
	const char *migration;
	int64_t limit;
};

/* One of a workflow's may say that they are kept elsewhere. */
static const struct config_value *only_section(const struct console *console)
{
	const struct config_value *only = NULL;
	size_t count = 0;

	config_each (section, console->services.sections[SERVICES_BACKFILL]) {
		only = section;
		count++;
	}
	return console->services.derived && count == 1 ? only : NULL;
}

struct str console_failed_place(const struct console *console, const struct config_value *section)
{
	const struct config_value *stream = config_get(section, "failed_document_stream");
	struct str bucket = config_text_or(config_get(stream, "bucket"), STR_NONE);
	struct str prefix = config_text_or(config_get(stream, "prefix"), STR(FAILED_PREFIX));

	if (bucket.len > 0)
		return arena_printf(console->mem, "s3://" STR_FMT "/" STR_FMT, STR_ARG(bucket),
				    STR_ARG(prefix));
	return arena_printf(console->mem, "%s/failed-documents", console->state_dir);
}

static void add_place(struct console_command *command, const struct config_value *section)
{
	static const char *const options[][2] = {
		{"bucket", "--failed-document-stream-s3-bucket"},
		{"prefix", "--failed-document-stream-s3-prefix"},
		{"region", "--failed-document-stream-s3-region"},
		{"endpoint", "--failed-document-stream-s3-endpoint"}};
	const struct config_value *stream = config_get(section, "failed_document_stream");

	for (size_t i = 0; i < COUNT_OF(options); i++)
		console_add_text(command, options[i][1],
				 config_text_or(config_get(stream, options[i][0]), STR_NONE));
}

/* The session of a migration's backfill, and its section; NULL: of all. */
static int session_of(const struct console *console, const char *migration, const char **out,
		      const struct config_value **section_out, struct err *err)
{
	const struct config_value *section;
	struct str name;

	*out = NULL;
	*section_out = only_section(console);
	if (!migration && !console->fields->name && !console->services.sections[SERVICES_BACKFILL])
		return 0;
	if (!migration && console->services.derived && !console->fields->name)
		return 0;
	if (services_find_section(&console->services, SERVICES_BACKFILL,
				  migration ? migration : console->fields->name, console->mem,
				  &section, err) < 0)
		return -(int)err->kind;
	*section_out = section;
	name = config_text_or(config_get(section, "session_name"), STR_NONE);
	if (name.len == 0)
		name = config_text_or(config_get(section, "backfill_session_name"), STR("console"));
	*out = arena_str(console->mem, name).ptr;
	return *out ? 0 : arena_fail(console->mem, "the session", err);
}

static int run_location(struct cli *cli, void *fields, struct err *err)
{
	cleanup(console_close) struct console console;
	struct failed_fields_of_console *f = fields;
	struct json *root = json_new(cli->mem, JSON_OBJECT);
	const struct config_value *section;
	const char *session;
	struct str path;

	if (console_open(&console, cli, &f->console, err) < 0 ||
	    session_of(&console, f->migration, &session, &section, err) < 0)
		return -(int)err->kind;
	path = console_failed_place(&console, section);
	while (str_ends(path, STR("/")))
		path.len--;
	path = arena_printf(cli->mem, STR_FMT "%s%s", STR_ARG(path), session ? "/session=" : "",
			    session ? session : "");
	json_set(root, STR("location"), json_new_string(cli->mem, path));
	if (cli->mem->failed)
		return arena_fail(cli->mem, "the location", err);
	if (f->console.general.json)
		return console_print_json(root, err);
	puts(path.ptr);
	return 0;
}

static int delegate(struct cli *cli, struct failed_fields_of_console *f, const struct command *tool,
		    bool limited, bool to_target, struct err *err)
{
	cleanup(console_close) struct console console;
	struct console_command command = {.mem = cli->mem};
	const struct config_value *section;
	struct services_cluster target;
	const char *session;

	if (console_open(&console, cli, &f->console, err) < 0 ||
	    session_of(&console, f->migration, &session, &section, err) < 0)
		return -(int)err->kind;
	console_add_option(&command, "--session-name", session);
	add_place(&command, section);
	if (limited)
		console_add_option(&command, "--limit",
				   arena_printf(cli->mem, "%" PRId64, f->limit).ptr);
	if (to_target) {
		if (services_find_cluster(&console.services, "target", cli->mem, &target, err) < 0)
			return -(int)err->kind;
		console_add_cluster(&command, "target", &target);
	}
	return console_delegate(&console, tool, &command, err);
}

static int run_count(struct cli *cli, void *fields, struct err *err)
{
	return delegate(cli, fields, &command_failed_documents_count, false, false, err);
}

static int run_list(struct cli *cli, void *fields, struct err *err)
{
	return delegate(cli, fields, &command_failed_documents_list, true, false, err);
}

static int run_retry(struct cli *cli, void *fields, struct err *err)
{
	return delegate(cli, fields, &command_failed_documents_retry, false, true, err);
}

#define FIELD(member) OPT_FIELD(struct failed_fields_of_console, member)
#define MIGRATION_ROW         \
	{.name = "migration", \
	 .type = OPT_STRING,  \
	 FIELD(migration),    \
	 .metavar = "NAME",   \
	 .help = "Of this migration only; as --name."}

static const struct opt which_options[] = {MIGRATION_ROW, {0}};
static const struct opt list_options[] = {MIGRATION_ROW,
					  {.name = "limit",
					   .type = OPT_INT,
					   FIELD(limit),
					   .metavar = "N",
					   .fallback = "100",
					   .min = 0,
					   .max = INT64_MAX,
					   .help = "Show this many; 0: all."},
					  {0}};
static const struct opt_part parts[] = {{which_options, 0}, CONSOLE_PARTS, {0}};
static const struct opt_part list_parts[] = {{list_options, 0}, CONSOLE_PARTS, {0}};

#define FAILED_COMMAND(verb, text, its_parts, function)                      \
	const struct command command_console_failed_documents_##verb = {     \
		.options = {.name = "console failed-document-stream " #verb, \
			    .summary = text,                                 \
			    .parts = its_parts},                             \
		.fields_size = sizeof(struct failed_fields_of_console),      \
		.run = function,                                             \
	}
FAILED_COMMAND(location, "Where documents that the target refused are kept", parts, run_location);
FAILED_COMMAND(count, "Count them, by index and reason", parts, run_count);
FAILED_COMMAND(list, "Name them", list_parts, run_list);
FAILED_COMMAND(retry, "Send them again, after the cause was removed", parts, run_retry);
