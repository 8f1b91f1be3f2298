#include "cli/table.h"
#include "base/utf8.h"

#include <ctype.h>
#include <stdarg.h>

#define COLUMN_LEAST 12 /* a column is not cut to less */

struct table_cell {
	struct str text;
	enum colour colour;
};

struct table_row {
	struct table_row *next;
	struct table_cell cells[];
};

/* The code point at `at`, and its length; a byte that starts none counts as one. */
static uint32_t code_point(struct str text, size_t at, size_t *len)
{
	const uint8_t *p = (const uint8_t *)text.ptr + at;
	size_t size = utf8_length(text.ptr + at, text.len - at);
	uint32_t value = size > 1 ? p[0] & (0x7fU >> size) : p[0];

	*len = MAX(size, (size_t)1);
	if (size == 0)
		return 0xfffd;
	for (size_t i = 1; i < size; i++)
		value = value << 6 | (p[i] & 0x3f);
	return value;
}

/* The blocks that matter: combining marks, East Asian wide, emoji. */
static size_t code_point_width(uint32_t c)
{
	static const struct {
		uint32_t first, last;
		size_t width;
	} blocks[] = {
		{0x0300, 0x036f, 0},   {0x200b, 0x200f, 0},   {0xfe00, 0xfe0f, 0},
		{0x1100, 0x115f, 2},   {0x2e80, 0x303e, 2},   {0x3041, 0xa4cf, 2},
		{0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},   {0xfe30, 0xfe6f, 2},
		{0xff00, 0xff60, 2},   {0xffe0, 0xffe6, 2},   {0x1f300, 0x1f64f, 2},
		{0x1f900, 0x1f9ff, 2}, {0x20000, 0x3fffd, 2},
	};

	for (size_t i = 0; i < COUNT_OF(blocks); i++)
		if (c >= blocks[i].first && c <= blocks[i].last)
			return blocks[i].width;
	return 1;
}

size_t text_width(struct str text)
{
	size_t width = 0;

	for (size_t at = 0, len; at < text.len; at += len)
		width += code_point_width(code_point(text, at, &len));
	return width;
}

size_t text_fit(struct str text, size_t columns)
{
	size_t width = 0, at = 0, len;

	for (; at < text.len; at += len) {
		width += code_point_width(code_point(text, at, &len));
		if (width > columns)
			break;
	}
	return at;
}

struct str text_printable(struct str text, struct arena *mem)
{
	char *copy = arena_alloc(mem, text.len + 1);
	size_t used = 0;

	if (!copy)
		return STR_NONE;
	for (size_t at = 0, len; at < text.len; at += len) {
		uint32_t c = code_point(text, at, &len);

		if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xfffd) {
			copy[used++] = '?';
			continue;
		}
		memcpy(copy + used, text.ptr + at, len);
		used += len;
	}
	copy[used] = '\0';
	return str_of(copy, used);
}

void table_init(struct table *table, struct arena *mem, const struct table_column *columns,
		size_t column_count)
{
	*table = (struct table){.mem = mem, .columns = columns, .column_count = column_count};
	if (column_count > TABLE_COLUMNS_MAX)
		BUG("a table of more columns than TABLE_COLUMNS_MAX");
	for (size_t i = 0; i < column_count; i++)
		table->widths[i] = strlen(columns[i].title);
	table->filled = column_count;
}

static bool start_row(struct table *table)
{
	struct table_row *row = arena_zalloc(
		table->mem, 1, sizeof(*row) + table->column_count * sizeof(row->cells[0]));

	if (!row)
		return false;
	*(table->last ? &table->last->next : &table->first) = row;
	table->last = row;
	table->filled = 0;
	return true;
}

static void add_cell(struct table *table, struct str text, enum colour colour)
{
	struct str shown = text_printable(text, table->mem);

	if (!shown.ptr || (table->filled == table->column_count && !start_row(table))) {
		table->failed = true;
		return;
	}
	table->last->cells[table->filled] = (struct table_cell){shown, colour};
	table->widths[table->filled] = MAX(table->widths[table->filled], text_width(shown));
	table->filled++;
}

void table_cell(struct table *table, struct str text)
{
	add_cell(table, text, COLOUR_NONE);
}

void table_cell_state(struct table *table, struct str word)
{
	add_cell(table, word, colour_of_state(word));
}

void table_cell_printf(struct table *table, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	table_cell(table, str_from(text));
}

/* As much of the text as `width` columns take, its end marked where it is cut. */
static struct str cut_to(struct str text, size_t width, bool *cut)
{
	size_t at = 0, used = 0, len;

	*cut = text_width(text) > width;
	while (*cut && at < text.len) {
		size_t wide = code_point_width(code_point(text, at, &len));

		if (used + wide + 1 > width)
			break;
		used += wide;
		at += len;
	}
	return *cut ? str_of(text.ptr, at) : text;
}

void table_fit(struct table *table, size_t width)
{
	size_t total = 2 * (table->column_count - 1), widest;

	for (size_t i = 0; i < table->column_count; i++)
		total += table->widths[i];
	while (total > width) {
		widest = 0;
		for (size_t i = 1; i < table->column_count; i++)
			if (table->widths[i] > table->widths[widest])
				widest = i;
		if (table->widths[widest] <= COLUMN_LEAST)
			return;
		table->widths[widest]--;
		total--;
	}
}

/* Spaces wait until something follows them, so that no line ends in any. */
static void print_cell(const struct table *table, size_t column, const struct table_cell *cell,
		       int *spaces, FILE *out)
{
	bool cut;
	struct str text = cut_to(cell->text, table->widths[column], &cut);
	int pad = (int)table->widths[column] - (int)text_width(text) - cut;
	bool right = table->columns[column].align == TABLE_RIGHT;

	if (text.len > 0) {
		fprintf(out, "%*s", *spaces + (right ? pad : 0), "");
		terminal_print(out, cell->colour, text);
		fputs(cut ? "…" : "", out);
		*spaces = right ? 0 : pad;
	} else {
		*spaces += pad;
	}
	*spaces += 2;
	if (column + 1 < table->column_count)
		return;
	fputc('\n', out);
	*spaces = 0;
}

static struct str capitals(const char *title, char *text, size_t size)
{
	size_t len = MIN(strlen(title), size);

	for (size_t i = 0; i < len; i++)
		text[i] = (char)toupper((unsigned char)title[i]);
	return str_of(text, len);
}

int table_print(const struct table *whole, FILE *out, struct err *err)
{
	struct table fitted = *whole, *table = &fitted;
	size_t width = terminal_columns(out);
	char title[64];
	int spaces = 0;

	if (table->failed)
		return arena_fail(table->mem, "the table", err);
	if (width > 0)
		table_fit(table, width);
	for (size_t i = 0; i < table->column_count; i++)
		print_cell(table, i,
			   &(struct table_cell){
				   .text = capitals(table->columns[i].title, title, sizeof(title))},
			   &spaces, out);
	for (const struct table_row *row = table->first; row; row = row->next)
		for (size_t i = 0; i < table->column_count; i++)
			print_cell(table, i, &row->cells[i], &spaces, out);
	return 0;
}
