#include "cli/manage_text.h"

#include "cli/table.h"

/* Bytes of the first line of `text`, which has no line end in it. */
static size_t first_line(struct str text, size_t width)
{
	size_t fits = text_fit(text, width), at = fits;

	if (fits == text.len)
		return fits;
	while (at > 0 && text.ptr[at] != ' ')
		at--;
	return at > 0 ? at : MAX(fits, (size_t)1);
}

static size_t count_lines(struct str text, size_t width)
{
	size_t most = 1;

	for (size_t i = 0; i < text.len; i++)
		most += text.ptr[i] == '\n';
	/* A line is broken behind half its width at the worst, but for long words. */
	return most + 2 * (text.len / MAX(width / 2, (size_t)1)) + 1;
}

int manage_text_wrap(struct str text, size_t width, struct arena *mem, struct manage_lines *out,
		     struct err *err)
{
	size_t capacity = count_lines(text, width);

	*out = (struct manage_lines){arena_zalloc(mem, capacity, sizeof(struct str)), 0};
	if (!out->lines)
		return arena_fail(mem, "the text", err);
	while (text.len > 0) {
		struct str whole = text, line;

		if (!str_split(whole, '\n', &line, &text))
			text = STR_NONE;
		do {
			size_t taken = first_line(line, width);

			if (out->count == capacity)
				return 0;
			out->lines[out->count++] = str_of(line.ptr, taken);
			line = str_from_offset(line, taken);
			if (line.len > 0 && line.ptr[0] == ' ')
				line = str_from_offset(line, 1);
		} while (line.len > 0);
	}
	return 0;
}

size_t manage_text_top(const struct manage_lines *lines, int64_t top, size_t height)
{
	int64_t last = (int64_t)(lines->count > height ? lines->count - height : 0);

	return (size_t)MAX(MIN(top, last), (int64_t)0);
}
