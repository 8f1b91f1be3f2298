#include "cli/terminal.h"

#include <stdlib.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_MAX 10000

size_t terminal_columns(FILE *out)
{
	const char *variable = getenv("COLUMNS");
	struct winsize size;
	uint64_t columns;

	if (!isatty(fileno(out)))
		return 0;
	if (variable && str_to_u64(str_from(variable), &columns) && columns > 0 &&
	    columns <= COLUMNS_MAX)
		return (size_t)columns;
	return ioctl(fileno(out), TIOCGWINSZ, &size) < 0 ? 0 : size.ws_col;
}

bool terminal_is_able(FILE *out)
{
	const char *kind = getenv("TERM");

	return isatty(fileno(out)) && kind && *kind && strcmp(kind, "dumb") != 0;
}

bool terminal_has_colours(FILE *out)
{
	const char *no = getenv("NO_COLOR");

	return !(no && *no) && terminal_is_able(out);
}

enum colour colour_of_state(struct str word)
{
	static const struct {
		const char *word;
		enum colour colour;
	} words[] = {
		/* Checks, and the health of indices. */
		{"ok", COLOUR_GREEN},
		{"green", COLOUR_GREEN},
		{"warning", COLOUR_YELLOW},
		{"yellow", COLOUR_YELLOW},
		{"red", COLOUR_RED},
		/* Workflows, their steps and resources, and what processes do. */
		{"succeeded", COLOUR_GREEN},
		{"completed", COLOUR_GREEN},
		{"ready", COLOUR_GREEN},
		{"running", COLOUR_YELLOW},
		{"waiting", COLOUR_YELLOW},
		{"paused", COLOUR_YELLOW},
		{"completedwitherrors", COLOUR_YELLOW},
		{"failed", COLOUR_RED},
		{"error", COLOUR_RED},
		{"pending", COLOUR_CYAN},
		{"created", COLOUR_CYAN},
		{"skipped", COLOUR_CYAN},
		{"stopped", COLOUR_CYAN},
		{"ended", COLOUR_CYAN},
		/* Snapshots. */
		{"success", COLOUR_GREEN},
		{"in_progress", COLOUR_YELLOW},
		{"partial", COLOUR_YELLOW},
		{"unreadable", COLOUR_RED},
	};

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (word.len == strlen(words[i].word) &&
		    strncasecmp(word.ptr, words[i].word, word.len) == 0)
			return words[i].colour;
	return COLOUR_NONE;
}

void terminal_print(FILE *out, enum colour colour, struct str text)
{
	static const char *const codes[] = {[COLOUR_GREEN] = "\x1b[32m",
					    [COLOUR_YELLOW] = "\x1b[33m",
					    [COLOUR_RED] = "\x1b[31m",
					    [COLOUR_CYAN] = "\x1b[36m"};

	if (text.len == 0)
		return;
	if (colour == COLOUR_NONE || !terminal_has_colours(out))
		fprintf(out, STR_FMT, STR_ARG(text));
	else
		fprintf(out, "%s" STR_FMT "\x1b[0m", codes[colour], STR_ARG(text));
}

void terminal_print_state(FILE *out, struct str word)
{
	terminal_print(out, colour_of_state(word), word);
}
