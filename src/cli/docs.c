#include "cli/docs.h"

#include "cli/common_options.h"
#include "cli/version.h"

#include "base/small_file.h"
#include "base/state_dir.h"

#include <stdio.h>

#define TEXT_MAX MIB(16)

/* Programs of their own name, as links to this one. */
static const char *const links[] = {"workflow", "console"};

struct docs_fields {
	struct general_fields general;
};

static int print(const struct buf *text, const char *what, struct err *err)
{
	if (buf_check(text, what, err) < 0)
		return -(int)err->kind;
	fwrite(text->ptr, 1, text->len, stdout);
	return 0;
}

/* --- Manual pages --- */

static int write_page(const char *folder, const char *name, const struct buf *text,
		      struct arena *mem, struct err *err)
{
	cleanup(buf_release) struct buf file = BUF_INIT(KIB(1));

	for (const char *c = name; *c; c++)
		buf_append_byte(&file, *c == ' ' ? '-' : *c);
	if (buf_check(text, name, err) < 0)
		return -(int)err->kind;
	return small_file_replace(arena_printf(mem, "%s/%s.1", folder, buf_cstr(&file)).ptr,
				  buf_str(text), err);
}

static bool is_below(const struct command *command, const char *word)
{
	struct str name = str_from(command->options.name), first, rest;

	return str_split(name, ' ', &first, &rest) && str_is(first, word);
}

/* One page that names the commands; of `word` alone where it is not NULL. */
static int write_overview(const char *folder, const char *word, struct arena *mem, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(TEXT_MAX);
	const char *page = word ? word : "shardlift";
	const struct command *const *commands;
	size_t count;

	commands = command_all(&count);
	opt_man_head(&text, page, shardlift_version,
		     word ? "the shardlift commands of this name, as a program"
			  : "moves Elasticsearch and OpenSearch clusters to OpenSearch");
	buf_printf(&text, ".SH SYNOPSIS\n\\fB%s\\fR \\fICOMMAND\\fR [options]\n.SH COMMANDS\n",
		   page);
	for (size_t i = 0; i < count; i++) {
		const struct opt_command *options = &commands[i]->options;

		if (commands[i]->hidden || (word && !is_below(commands[i], word)))
			continue;
		buf_append_str(&text, STR(".TP\n.B "));
		opt_man_text(&text, options->name + (word ? strlen(word) + 1 : 0));
		buf_append_byte(&text, '\n');
		opt_man_text(&text, options->summary);
		buf_append_byte(&text, '\n');
	}
	buf_append_str(&text, STR(".PP\nEach command has a page of its own, and tells its options "
				  "by \\fB\\-\\-help\\fR.\n"));
	return write_page(folder, page, &text, mem, err);
}

static int write_link(const char *folder, const struct command *command, struct arena *mem,
		      struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(4));

	buf_append_str(&text, STR(".so man1/shardlift-"));
	for (const char *c = command->options.name; *c; c++)
		buf_append_byte(&text, *c == ' ' ? '-' : *c);
	buf_append_str(&text, STR(".1\n"));
	return write_page(folder, command->options.name, &text, mem, err);
}

static int write_command(const char *folder, const struct command *command, struct arena *mem,
			 struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(TEXT_MAX);

	opt_man(&command->options, shardlift_version, &text);
	if (write_page(folder, arena_printf(mem, "shardlift-%s", command->options.name).ptr, &text,
		       mem, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < COUNT_OF(links); i++)
		if (is_below(command, links[i]))
			return write_link(folder, command, mem, err);
	return 0;
}

static bool has_commands(const char *word)
{
	const struct command *const *commands;
	size_t count;

	commands = command_all(&count);
	for (size_t i = 0; i < count; i++)
		if (!commands[i]->hidden && is_below(commands[i], word))
			return true;
	return false;
}

static int run_man(struct cli *cli, void *fields, struct err *err)
{
	const char *folder = cli->parsed->positionals[0];
	const struct command *const *commands;
	size_t count;

	(void)fields;
	commands = command_all(&count);
	if (directory_make(folder, err) < 0 || write_overview(folder, NULL, cli->mem, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < COUNT_OF(links); i++)
		if (has_commands(links[i]) && write_overview(folder, links[i], cli->mem, err) < 0)
			return -(int)err->kind;
	for (size_t i = 0; i < count; i++)
		if (!commands[i]->hidden && write_command(folder, commands[i], cli->mem, err) < 0)
			return -(int)err->kind;
	return 0;
}

/* --- The reference page --- */

static int run_reference(struct cli *cli, void *fields, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(TEXT_MAX);
	const struct command *const *commands;
	size_t count;

	(void)cli, (void)fields;
	commands = command_all(&count);
	buf_append_str(&text,
		       STR("# Commands\n\n"
			   "Made by `shardlift docs reference` from the tables that read the "
			   "command line. Every flag may be given as a variable, too: "
			   "`SHARDLIFT_<NAME>`; flags that hold secrets as `--<name>-file`.\n\n"));
	for (size_t i = 0; i < count; i++)
		if (!commands[i]->hidden)
			opt_markdown(&commands[i]->options, &text);
	while (text.len > 1 && text.ptr[text.len - 2] == '\n')
		text.len--;
	return print(&text, "the reference", err);
}

/* --- Completion --- */

static int run_completion(struct cli *cli, void *fields, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(TEXT_MAX);
	const char *shell = cli->parsed->positionals[0];

	(void)fields;
	if (docs_completion(shell, &text, err) < 0)
		return -(int)err->kind;
	return print(&text, "the completion", err);
}

static const struct opt_part parts[] = {{general_options, 0}, {0}};

const struct command command_docs_man = {
	.options = {.name = "docs man",
		    .summary = "Write the manual pages of all commands into a folder",
		    .arguments = "DIR",
		    .parts = parts,
		    .min_positionals = 1,
		    .max_positionals = 1},
	.fields_size = sizeof(struct docs_fields),
	.run = run_man,
	.hidden = true,
};

const struct command command_docs_reference = {
	.options = {.name = "docs reference",
		    .summary = "Print docs/reference/commands.md",
		    .parts = parts},
	.fields_size = sizeof(struct docs_fields),
	.run = run_reference,
	.hidden = true,
};

#define COMPLETION(words)                                                                         \
	{                                                                                         \
		.name = (words),                                                                  \
		.summary = "Print what makes a shell complete command lines",                     \
		.arguments = "bash|zsh|fish",                                                     \
		.parts = parts,                                                                   \
		.min_positionals = 1,                                                             \
		.max_positionals = 1,                                                             \
		.details =                                                                        \
			"Completes shardlift, and workflow and console where they are links to "  \
			"it.\n\nExamples:\n"                                                      \
			"  source <(shardlift " words " bash)\n"                                  \
			"  shardlift " words " zsh > ~/.zfunc/_shardlift\n"                       \
			"  shardlift " words " fish > ~/.config/fish/completions/shardlift.fish", \
	}

const struct command command_docs_completion = {
	.options = COMPLETION("docs completion"),
	.fields_size = sizeof(struct docs_fields),
	.run = run_completion,
	.hidden = true,
};

const struct command command_workflow_util_completions = {
	.options = COMPLETION("workflow util completions"),
	.fields_size = sizeof(struct docs_fields),
	.run = run_completion,
};

const struct command command_console_completion = {
	.options = COMPLETION("console completion"),
	.fields_size = sizeof(struct docs_fields),
	.run = run_completion,
};
