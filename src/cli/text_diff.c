#include "cli/text_diff.h"

#include <stdlib.h>

/* Cells of the table of common lines, at most. */
#define CELLS_MAX 4000000
/* Common lines kept on each side of a change. */
#define CONTEXT 3

struct lines {
	struct str *all;
	size_t count;
};

static void lines_release(struct lines *lines)
{
	free(lines->all);
}

static struct lines split(struct str text)
{
	struct lines lines = {0};
	size_t capacity = 0;
	struct str line;

	while (text.len > 0) {
		str_split(text, '\n', &line, &text);
		if (lines.count == capacity) {
			capacity = MAX(capacity * 2, (size_t)64);
			lines.all = mem_realloc(lines.all, capacity * sizeof(*lines.all));
		}
		lines.all[lines.count++] = line;
	}
	return lines;
}

/* What becomes of the lines, in order: ' ' common, '-' of before, '+' of after. */
struct script {
	char *marks;
	size_t count;
};

static void script_release(struct script *script)
{
	free(script->marks);
}

/* table[i][j]: length of the longest common subsequence of a from i and b from j. */
static uint32_t *common_table(const struct lines *a, const struct lines *b)
{
	size_t width = b->count + 1;
	uint32_t *table = mem_zalloc((a->count + 1) * width * sizeof(*table));

	for (size_t i = a->count; i-- > 0;)
		for (size_t j = b->count; j-- > 0;)
			table[i * width + j] =
				str_eq(a->all[i], b->all[j])
					? table[(i + 1) * width + j + 1] + 1
					: MAX(table[(i + 1) * width + j], table[i * width + j + 1]);
	return table;
}

static struct script compare(const struct lines *a, const struct lines *b)
{
	struct script script = {.marks = mem_alloc(a->count + b->count + 1)};
	bool small = (a->count + 1) <= CELLS_MAX / (b->count + 1);
	cleanup(mem_freep) uint32_t *table = small ? common_table(a, b) : NULL;
	size_t width = b->count + 1, i = 0, j = 0;

	while (i < a->count || j < b->count) {
		bool common = i < a->count && j < b->count && table && str_eq(a->all[i], b->all[j]);
		bool remove = !common && i < a->count &&
			      (j == b->count || !table ||
			       table[(i + 1) * width + j] >= table[i * width + j + 1]);

		script.marks[script.count++] = common ? ' ' : remove ? '-' : '+';
		i += common || remove;
		j += !remove;
	}
	return script;
}

static bool near_change(const struct script *script, size_t at)
{
	size_t from = at > CONTEXT ? at - CONTEXT : 0;
	size_t to = MIN(at + CONTEXT + 1, script->count);

	for (size_t i = from; i < to; i++)
		if (script->marks[i] != ' ')
			return true;
	return false;
}

void text_diff(struct buf *out, struct str before, struct str after)
{
	cleanup(lines_release) struct lines a = split(before);
	cleanup(lines_release) struct lines b = split(after);
	cleanup(script_release) struct script script = compare(&a, &b);
	bool skipping = false;

	for (size_t at = 0, i = 0, j = 0; at < script.count; at++) {
		char mark = script.marks[at];
		struct str line = mark == '+' ? b.all[j] : a.all[i];

		i += mark != '+';
		j += mark != '-';
		if (!near_change(&script, at)) {
			if (!skipping)
				buf_append_str(out, STR("  …\n"));
			skipping = true;
			continue;
		}
		skipping = false;
		buf_append_byte(out, mark);
		buf_append_byte(out, ' ');
		buf_append_str(out, line);
		buf_append_byte(out, '\n');
	}
}
