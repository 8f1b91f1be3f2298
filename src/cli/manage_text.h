/* Text cut into lines that fit a width, and the part of it that a screen shows. No terminal. */
#ifndef CLI_MANAGE_TEXT_H
#define CLI_MANAGE_TEXT_H

#include "base/arena.h"
#include "base/err.h"

struct manage_lines {
	struct str *lines; /* borrow the text */
	size_t count;
};

/* Breaks at line ends, at spaces, and inside words longer than `width` columns. In `mem`. Control
 * characters must be gone (text_printable of each line is the caller's). ERR_LIMIT: the arena is
 * full. */
int manage_text_wrap(struct str text, size_t width, struct arena *mem, struct manage_lines *out,
		     struct err *err);
/* `top` within what `height` rows can show. */
size_t manage_text_top(const struct manage_lines *lines, int64_t top, size_t height);

#endif
