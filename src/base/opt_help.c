#include "base/opt_internal.h"

#define LEFT_AT_MOST 30
#define NARROWEST 40

/* Text that is wrapped at `width`, each further line indented. */
struct page {
	struct buf *out;
	size_t width, indent, column;
};

static size_t columns(struct str s)
{
	size_t count = 0;

	for (size_t i = 0; i < s.len; i++)
		count += ((uint8_t)s.ptr[i] & 0xc0) != 0x80;
	return count;
}

static void put(struct page *page, struct str s)
{
	buf_append_str(page->out, s);
	page->column += columns(s);
}

static void pad_to(struct page *page, size_t column)
{
	while (page->column < column)
		put(page, STR(" "));
}

static void end_line(struct page *page)
{
	buf_append_byte(page->out, '\n');
	page->column = 0;
}

/* A word, or several that stay together, after a space or on a line of its own. */
static void put_word(struct page *page, struct str word)
{
	if (page->column > page->indent && page->column + 1 + columns(word) > page->width)
		end_line(page);
	if (page->column > page->indent)
		put(page, STR(" "));
	pad_to(page, page->indent);
	put(page, word);
}

static void put_words(struct page *page, const char *text)
{
	struct str word;

	while ((word = opt_next_word(&text)).len)
		put_word(page, word);
}

const char *opt_metavar(const struct opt *row)
{
	static const char *const of_type[] = {
		[OPT_STRING] = "TEXT", [OPT_SECRET] = "SECRET", [OPT_BOOL] = "",    [OPT_INT] = "N",
		[OPT_BYTES] = "SIZE",  [OPT_DURATION] = "TIME", [OPT_LIST] = "A,B",
	};

	if (row->metavar)
		return row->metavar;
	return row->type == OPT_CHOICE ? row->choices : of_type[row->type];
}

/* "-v, --verbose" or "--repo-uri URI" */
static void flag_text(const struct opt *row, struct buf *out)
{
	const char *aliases = row->aliases, *value = opt_metavar(row);
	struct str alias;

	buf_reset(out);
	while ((alias = opt_next_word(&aliases)).len)
		if (alias.len == 1)
			buf_printf(out, "-" STR_FMT ", ", STR_ARG(alias));
	buf_printf(out, "--%s%s%s", row->name, *value ? " " : "", value);
}

/* One bracketed remark that is not broken. */
static void put_remark(struct page *page, const char *what, const char *text)
{
	cleanup(buf_release) struct buf remark = BUF_INIT(KIB(4));

	buf_printf(&remark, "[%s%s]", what, text);
	put_word(page, buf_str(&remark));
}

static void put_remarks(struct page *page, const struct opt *row)
{
	cleanup(buf_release) struct buf other = BUF_INIT(KIB(4));
	const char *aliases = row->aliases;
	char variable[128];
	struct str alias;

	if (row->required)
		put_remark(page, "required", "");
	if (row->fallback && row->type != OPT_SECRET)
		put_remark(page, "default: ", row->fallback);
	if (row->type == OPT_SECRET)
		buf_printf(&other, ", --%s-file PATH", row->name);
	while ((alias = opt_next_word(&aliases)).len)
		if (alias.len > 1)
			buf_printf(&other, ", --" STR_FMT, STR_ARG(alias));
	if (other.len)
		put_remark(page, "or: ", buf_cstr(&other) + strlen(", "));
	opt_variable(row, "", variable);
	put_remark(page, "$", variable);
	if (row->env)
		put_remark(page, "$", row->env);
}

static void put_row(struct page *page, const struct opt *row, bool has_variable)
{
	cleanup(buf_release) struct buf flag = BUF_INIT(KIB(4));

	flag_text(row, &flag);
	put(page, STR("  "));
	put(page, buf_str(&flag));
	if (page->column + 2 > page->indent)
		end_line(page);
	pad_to(page, page->indent);
	put_words(page, row->help ? row->help : "");
	if (has_variable)
		put_remarks(page, row);
	end_line(page);
}

const char *opt_category(const struct opt *row)
{
	return row->category ? row->category : "Options";
}

bool opt_opens_category(const struct opt_command *command, const struct opt *which)
{
	opt_each (part, row, command) {
		if (strcmp(opt_category(row), opt_category(which)) == 0)
			return row == which;
	}
	return false;
}

static size_t left_width(const struct opt_command *command)
{
	cleanup(buf_release) struct buf flag = BUF_INIT(KIB(4));
	size_t widest = strlen("-h, --help");

	opt_each (part, row, command) {
		flag_text(row, &flag);
		if (flag.len <= LEFT_AT_MOST)
			widest = MAX(widest, columns(buf_str(&flag)));
	}
	return widest;
}

static void put_heading(struct page *page, const char *title)
{
	end_line(page);
	put(page, str_from(title));
	put(page, STR(":"));
	end_line(page);
}

static void put_options(struct page *page, const struct opt_command *command)
{
	static const struct opt help = {
		.name = "help", .aliases = "h", .type = OPT_BOOL, .help = "Show this text."};

	bool heading = false;

	page->indent = 2 + left_width(command) + 2;
	opt_each (opening_part, opening, command) {
		if (!opt_opens_category(command, opening))
			continue;
		put_heading(page, opt_category(opening));
		heading = true;
		opt_each (part, row, command) {
			if (strcmp(opt_category(row), opt_category(opening)) == 0)
				put_row(page, row, true);
		}
	}
	if (!heading)
		put_heading(page, opt_category(&help));
	put_row(page, &help, false);
	page->indent = 0;
}

static void put_usage(struct page *page, const struct opt_command *command)
{
	cleanup(buf_release) struct buf flag = BUF_INIT(KIB(4));

	put(page, STR("Usage: shardlift"));
	page->indent = strlen("Usage: ");
	put_words(page, command->name);
	opt_each (part, row, command) {
		if (!row->required)
			continue;
		flag_text(row, &flag);
		put_word(page, buf_str(&flag));
	}
	put_word(page, STR("[options]"));
	put_words(page, command->arguments);
	end_line(page);
	page->indent = 0;
}

/* Lines that start with a space are examples and stay as they are; others are wrapped. */
static void put_details(struct page *page, struct str details)
{
	cleanup(buf_release) struct buf line = BUF_INIT(KIB(64));
	struct str text;

	while (details.len) {
		str_split(details, '\n', &text, &details);
		buf_reset(&line);
		buf_append_str(&line, text);
		if (text.len && text.ptr[0] == ' ')
			put(page, text);
		else
			put_words(page, buf_cstr(&line));
		end_line(page);
	}
}

void opt_help(const struct opt_command *command, struct buf *out, size_t width)
{
	struct page page = {.out = out, .width = MAX(width, (size_t)NARROWEST)};

	put_usage(&page, command);
	end_line(&page);
	put_words(&page, command->summary);
	end_line(&page);
	put_options(&page, command);
	if (command->details) {
		end_line(&page);
		put_details(&page, str_from(command->details));
	}
}
