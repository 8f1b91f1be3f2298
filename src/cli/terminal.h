/* What a stream is connected to: how wide that is, and whether it takes colours. Thread-safe. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include "base/str.h"

#include <stdio.h>

/* Columns: $COLUMNS, else what the terminal says. 0: it is no terminal, or nobody knows. */
size_t terminal_columns(FILE *out);
/* Whether it is a terminal that can do more than print: not with TERM=dumb, or without TERM. */
bool terminal_is_able(FILE *out);
/* Whether it is one that takes colours: $NO_COLOR is not set, or empty. */
bool terminal_has_colours(FILE *out);

enum colour { COLOUR_NONE, COLOUR_GREEN, COLOUR_YELLOW, COLOUR_RED, COLOUR_CYAN };

/* Of the words for how something is, whatever their case: green what is well or done, yellow what
 * goes on or is to be looked at, red what failed, cyan what has not begun or was left out. */
enum colour colour_of_state(struct str word);
/* Prints the text, in the colour if `out` has some. */
void terminal_print(FILE *out, enum colour colour, struct str text);
/* In the colour of the word itself. */
void terminal_print_state(FILE *out, struct str word);

#endif
