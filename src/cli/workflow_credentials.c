#include "cli/workflow_common.h"

#include "base/state_dir.h"
#include "workflow/secrets.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

struct credentials_fields {
	struct workflow_fields common;
	bool from_stdin, silent, yes, list, show_missing;
};

static int print_list(const char *state_dir, struct arena *mem, struct err *err)
{
	struct str *names;
	size_t count;

	if (workflow_secret_list(state_dir, mem, &names, &count, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < count; i++)
		printf(STR_FMT "\n", STR_ARG(names[i]));
	return 0;
}

static int print_missing(struct cli *cli, const struct credentials_fields *f, struct err *err)
{
	cleanup(workflow_session_close) struct workflow_session session = {0};
	struct config_value *root;
	struct str text, *names, value;
	size_t count;

	if (workflow_session_open(&session, cli, &f->common, false, err) < 0 ||
	    workflow_read_configuration(&session, &root, &text, err) < 0 ||
	    workflow_secret_names(root, cli->mem, &names, &count, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < count; i++) {
		int rc = workflow_secret_read(session.state_dir, names[i], cli->mem, &value, err);

		if (rc < 0)
			return rc;
		if (rc == 0)
			printf(STR_FMT "\n", STR_ARG(names[i]));
	}
	return 0;
}

/* Without what is typed being seen. */
static bool read_line(char *line, size_t size, bool hidden)
{
	struct termios before, quiet;
	bool terminal = hidden && tcgetattr(STDIN_FILENO, &before) == 0, got;

	if (terminal) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSADRAIN, &quiet);
	}
	got = fgets(line, (int)size, stdin) != NULL;
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
		putchar('\n');
	}
	line[got ? strcspn(line, "\r\n") : 0] = '\0';
	return got && line[0];
}

int workflow_ask_secret(const char *state_dir, struct str name, struct err *err)
{
	char value[LIMIT_SECRET / 16];
	int rc;

	printf("Secret " STR_FMT " is not there yet. USERNAME:PASSWORD (or the API key): ",
	       STR_ARG(name));
	fflush(stdout);
	if (!read_line(value, sizeof(value), true))
		return err_set(err, ERR_USAGE, "nothing was given for secret '" STR_FMT "'",
			       STR_ARG(name));
	rc = workflow_secret_write(state_dir, name, str_from(value), err);
	explicit_bzero(value, sizeof(value));
	return rc;
}

static int read_value(const struct credentials_fields *f, char *value, size_t size, struct err *err)
{
	if (!f->from_stdin && !isatty(STDIN_FILENO))
		return err_set(err, ERR_USAGE,
			       "there is no terminal to ask on; give --stdin with "
			       "USERNAME:PASSWORD");
	if (!f->from_stdin) {
		printf("USERNAME:PASSWORD (or the API key): ");
		fflush(stdout);
	}
	if (!read_line(value, size, !f->from_stdin))
		return err_set(err, ERR_USAGE, "nothing was given; no secret was written");
	return 0;
}

static bool is_there(const char *state_dir, const char *name, struct arena *mem)
{
	struct str *names;
	size_t count;

	if (workflow_secret_list(state_dir, mem, &names, &count, NULL) < 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (str_is(names[i], name))
			return true;
	return false;
}

static int write_secret(const struct credentials_fields *f, const char *state_dir, const char *name,
			bool there, bool update, struct err *err)
{
	char value[LIMIT_SECRET / 16];
	int rc;

	if (there != update)
		return err_set(err, update ? ERR_NOT_FOUND : ERR_CONFLICT,
			       update ? "there is no secret '%s'; create makes it"
				      : "secret '%s' is there already; update replaces it",
			       name);
	if (read_value(f, value, sizeof(value), err) < 0)
		return -(int)err->kind;
	rc = workflow_secret_write(state_dir, str_from(name), str_from(value), err);
	explicit_bzero(value, sizeof(value));
	if (rc == 0 && !f->silent)
		printf("Secret %s is %s.\n", name, update ? "updated" : "created");
	return rc;
}

static int delete_secret(const struct credentials_fields *f, const char *state_dir,
			 const char *name, struct err *err)
{
	int rc;

	if (!f->yes)
		return err_set(err, ERR_USAGE, "--yes deletes secret '%s'", name);
	rc = workflow_secret_delete(state_dir, str_from(name), err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(err, ERR_NOT_FOUND, "there is no secret '%s'", name);
	printf("Secret %s is deleted.\n", name);
	return 0;
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	const struct credentials_fields *f = fields;
	const char *verb = cli->parsed->positionals[0], *state_dir, *name;
	bool update = strcmp(verb, "update") == 0;

	if (state_dir_path(f->common.general.state_dir, cli->mem, &state_dir, err) < 0)
		return -(int)err->kind;
	if (f->show_missing)
		return print_missing(cli, f, err);
	if (strcmp(verb, "list") == 0 || f->list)
		return print_list(state_dir, cli->mem, err);
	if (f->silent && !f->from_stdin)
		return err_set(err, ERR_USAGE, "--silent goes with --stdin only");
	if (cli->parsed->positional_count < 2)
		return err_set(err, ERR_USAGE, "which secret? Give its name behind '%s'", verb);
	name = cli->parsed->positionals[1];
	if (strcmp(verb, "delete") == 0)
		return delete_secret(f, state_dir, name, err);
	if (!update && strcmp(verb, "create") != 0)
		return err_set(err, ERR_USAGE, "'%s' is none of list, create, update, delete",
			       verb);
	return write_secret(f, state_dir, name, is_there(state_dir, name, cli->mem), update, err);
}

#define FIELD(member) OPT_FIELD(struct credentials_fields, member), .category = "Credentials"

static const struct opt credentials_options[] = {
	{.name = "stdin",
	 .type = OPT_BOOL,
	 FIELD(from_stdin),
	 .help = "Take USERNAME:PASSWORD from standard input."},
	{.name = "silent", .type = OPT_BOOL, FIELD(silent), .help = "Print nothing."},
	{.name = "yes", .aliases = "y", .type = OPT_BOOL, FIELD(yes), .help = "Delete it."},
	{.name = "list", .type = OPT_BOOL, FIELD(list), .help = "Names of those there are."},
	{.name = "show-missing",
	 .type = OPT_BOOL,
	 FIELD(show_missing),
	 .help = "Names that the configuration mentions and that are not there."},
	{0},
};

static const struct opt_part parts[] = {{credentials_options, 0}, WORKFLOW_PARTS, {0}};

const struct command command_workflow_configure_credentials = {
	.options = {.name = "workflow configure credentials",
		    .summary = "Secrets that the configuration names",
		    .arguments = "list|create|update|delete [NAME]",
		    .parts = parts,
		    .details = "Kept in the state directory's secrets/, 0600, and never printed. "
			       "Secrets are found in $CREDENTIALS_DIRECTORY and in "
			       "$SHARDLIFT_SECRET_<NAME>, too.",
		    .min_positionals = 1,
		    .max_positionals = 2},
	.fields_size = sizeof(struct credentials_fields),
	.run = run,
};
