#include "base/opt_internal.h"

/* In a cell of a table a bar would end it; angle brackets would be HTML. */
static void put_cell(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			buf_append_str(out, STR("\\|"));
		else if (*text == '<')
			buf_append_str(out, STR("&lt;"));
		else
			buf_append_byte(out, *text);
	}
}

static void put_flag(struct buf *out, const struct opt *row)
{
	const char *aliases = row->aliases, *value = opt_metavar(row);
	struct str alias;

	buf_printf(out, "`--%s`", row->name);
	while ((alias = opt_next_word(&aliases)).len)
		buf_printf(out, " `%s" STR_FMT "`", alias.len == 1 ? "-" : "--", STR_ARG(alias));
	if (*value) {
		buf_append_byte(out, ' ');
		put_cell(out, value);
	}
}

static void put_row(struct buf *out, const struct opt *row)
{
	buf_append_str(out, STR("| "));
	put_flag(out, row);
	buf_append_str(out, STR(" | "));
	if (row->required)
		buf_append_str(out, STR("required"));
	else if (row->fallback && row->type != OPT_SECRET) {
		buf_append_byte(out, '`');
		put_cell(out, row->fallback);
		buf_append_byte(out, '`');
	}
	buf_append_str(out, STR(" | "));
	put_cell(out, row->help ? row->help : "");
	buf_append_str(out, STR(" |\n"));
}

void opt_markdown(const struct opt_command *command, struct buf *out)
{
	buf_printf(out, "## %s\n\n%s.\n\n    shardlift %s [options]%s%s\n\n", command->name,
		   command->summary, command->name, command->arguments ? " " : "",
		   command->arguments ? command->arguments : "");
	opt_each (opening_part, opening, command) {
		if (!opt_opens_category(command, opening))
			continue;
		buf_printf(out, "| %s | Default | |\n|---|---|---|\n", opt_category(opening));
		opt_each (part, row, command) {
			if (strcmp(opt_category(row), opt_category(opening)) == 0)
				put_row(out, row);
		}
		buf_append_byte(out, '\n');
	}
	if (command->details)
		buf_printf(out, "```text\n%s\n```\n\n", command->details);
}

static void put_values(struct buf *out, const struct opt *row)
{
	if (row->type == OPT_BOOL)
		buf_append_byte(out, '-');
	for (const char *c = row->type == OPT_CHOICE ? row->choices : ""; *c; c++)
		buf_append_byte(out, *c == '|' ? ' ' : *c);
	buf_append_byte(out, '\n');
}

void opt_flags(const struct opt_command *command, struct buf *out)
{
	opt_each (part, row, command) {
		buf_printf(out, "--%s\t%s\t", row->name, row->help ? row->help : "");
		put_values(out, row);
		if (row->type == OPT_SECRET)
			buf_printf(out, "--%s-file\tA file that holds it.\t\n", row->name);
	}
	buf_append_str(out, STR("--help\tShow the options.\t-\n"));
}
