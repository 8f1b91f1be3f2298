#include "base/opt_internal.h"

/* Text of which nothing is a request: a line must not begin with a dot or an apostrophe, and a
 * backslash begins an escape. */
static void put_text(struct buf *out, const char *text)
{
	bool at_start = out->len == 0 || out->ptr[out->len - 1] == '\n';

	for (; *text; text++) {
		if (at_start && (*text == '.' || *text == '\''))
			buf_append_str(out, STR("\\&"));
		if (*text == '\\')
			buf_append_str(out, STR("\\e"));
		else if (*text == '-')
			buf_append_str(out, STR("\\-"));
		else
			buf_append_byte(out, *text);
		at_start = *text == '\n';
	}
}

static void put_bold(struct buf *out, const char *text)
{
	buf_append_str(out, STR("\\fB"));
	put_text(out, text);
	buf_append_str(out, STR("\\fR"));
}

static void put_flag(struct buf *out, const struct opt *row)
{
	const char *aliases = row->aliases, *value = opt_metavar(row);
	struct str alias;

	while ((alias = opt_next_word(&aliases)).len)
		if (alias.len == 1)
			buf_printf(out, "\\fB\\-" STR_FMT "\\fR, ", STR_ARG(alias));
	buf_append_str(out, STR("\\fB\\-\\-"));
	put_text(out, row->name);
	buf_append_str(out, STR("\\fR"));
	if (*value) {
		buf_append_str(out, STR(" \\fI"));
		put_text(out, value);
		buf_append_str(out, STR("\\fR"));
	}
}

static void put_remarks(struct buf *out, const struct opt *row)
{
	const char *aliases = row->aliases;
	char variable[128];
	struct str alias;

	if (row->required)
		put_text(out, "Required.\n");
	if (row->fallback && row->type != OPT_SECRET) {
		put_text(out, "Default: ");
		put_text(out, row->fallback);
		put_text(out, ".\n");
	}
	put_text(out, "Also");
	while ((alias = opt_next_word(&aliases)).len)
		if (alias.len > 1) {
			buf_append_str(out, STR(" \\fB\\-\\-"));
			buf_append_str(out, alias);
			buf_append_str(out, STR("\\fR,"));
		}
	if (row->type == OPT_SECRET) {
		put_text(out, " --");
		put_text(out, row->name);
		put_text(out, "-file PATH,");
	}
	opt_variable(row, "", variable);
	buf_printf(out, " $%s%s%s.\n", variable, row->env ? ", $" : "", row->env ? row->env : "");
}

static void put_options(struct buf *out, const struct opt_command *command)
{
	buf_append_str(out, STR(".SH OPTIONS\n"));
	opt_each (opening_part, opening, command) {
		if (!opt_opens_category(command, opening))
			continue;
		buf_append_str(out, STR(".SS "));
		put_text(out, opt_category(opening));
		buf_append_byte(out, '\n');
		opt_each (part, row, command) {
			if (strcmp(opt_category(row), opt_category(opening)) != 0)
				continue;
			buf_append_str(out, STR(".TP\n"));
			put_flag(out, row);
			buf_append_byte(out, '\n');
			put_text(out, row->help ? row->help : "");
			buf_append_byte(out, '\n');
			put_remarks(out, row);
		}
	}
	buf_append_str(out, STR(".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nShow the options.\n"));
}

/* Lines that start with a space are examples and stay as they are. */
static void put_details(struct buf *out, struct str details)
{
	bool literal = false, gap = false;
	struct str line;

	buf_append_str(out, STR(".SH DETAILS\n"));
	while (details.len) {
		cleanup(buf_release) struct buf text = BUF_INIT(KIB(64));
		bool example;

		str_split(details, '\n', &line, &details);
		if (line.len == 0) {
			gap = true;
			continue;
		}
		example = line.ptr[0] == ' ';
		if (example != literal)
			buf_append_str(out, example ? STR(".PP\n.nf\n") : STR(".fi\n.PP\n"));
		else if (gap && !example)
			buf_append_str(out, STR(".PP\n"));
		literal = example;
		gap = false;
		buf_append_str(&text, line);
		put_text(out, buf_cstr(&text));
		buf_append_str(out, STR("\n"));
	}
	if (literal)
		buf_append_str(out, STR(".fi\n"));
}

static void put_synopsis(struct buf *out, const struct opt_command *command)
{
	buf_append_str(out, STR(".SH SYNOPSIS\n"));
	put_bold(out, "shardlift ");
	put_bold(out, command->name);
	opt_each (part, row, command) {
		if (!row->required)
			continue;
		buf_append_byte(out, ' ');
		put_flag(out, row);
	}
	put_text(out, " [options] ");
	put_text(out, command->arguments ? command->arguments : "");
	buf_append_byte(out, '\n');
}

void opt_man_head(struct buf *out, const char *page, const char *version, const char *summary)
{
	buf_append_str(out, STR(".TH \""));
	put_text(out, page);
	buf_printf(out, "\" 1 \"\" \"shardlift %s\" \"Shardlift\"\n.SH NAME\n", version);
	put_text(out, page);
	buf_append_str(out, STR(" \\- "));
	put_text(out, summary);
	buf_append_byte(out, '\n');
}

void opt_man_text(struct buf *out, const char *text)
{
	put_text(out, text);
}

void opt_man(const struct opt_command *command, const char *version, struct buf *out)
{
	cleanup(buf_release) struct buf page = BUF_INIT(KIB(1));

	buf_append_str(&page, STR("shardlift-"));
	for (const char *c = command->name; *c; c++)
		buf_append_byte(&page, *c == ' ' ? '-' : *c);
	opt_man_head(out, buf_cstr(&page), version, command->summary);
	put_synopsis(out, command);
	put_options(out, command);
	if (command->details)
		put_details(out, str_from(command->details));
	buf_append_str(out, STR(".SH SEE ALSO\n.BR shardlift (1)\n"));
}
