/* The terminal of `workflow manage`: ncurses, which sends only the cells that changed. */
#ifndef CLI_MANAGE_SCREEN_H
#define CLI_MANAGE_SCREEN_H

#include "cli/manage_model.h"
#include "cli/manage_text.h"

struct manage_screen;

enum manage_key {
	MANAGE_NOTHING = 0, /* the wait is over, or the size changed */
	MANAGE_UP = 0x110000,
	MANAGE_DOWN,
	MANAGE_LEFT,
	MANAGE_RIGHT,
	MANAGE_PAGE_UP,
	MANAGE_PAGE_DOWN,
	MANAGE_HOME,
	MANAGE_END,
	MANAGE_ENTER,
	MANAGE_ESCAPE,
	MANAGE_CLICK, /* of the mouse, on a row: manage_screen_clicked */
}; /* others: the character itself */

/* ERR_USAGE: standard input or output is no terminal, or TERM is not known. Colours unless NO_COLOR
 * is set. */
int manage_screen_open(struct manage_screen **out, struct err *err);
/* Gives the terminal back as it was. Accepts NULL. */
void manage_screen_close(struct manage_screen *screen);
/* For cleanup(). */
/* Waits for a key up to `wait_ms`. */
int manage_screen_key(struct manage_screen *screen, int wait_ms);
/* Row of the tree below the last MANAGE_CLICK, counted from the first one shown. */
size_t manage_screen_clicked(const struct manage_screen *screen);
size_t manage_screen_width(const struct manage_screen *screen);
/* Rows of the tree, and lines of a text, that fit. */
size_t manage_screen_tree_height(const struct manage_screen *screen);
size_t manage_screen_text_height(const struct manage_screen *screen);

/* What is drawn becomes visible by manage_screen_show. `head` is the first line; `detail` stands
 * below the tree, `keys` in the last line. */
void manage_screen_tree(struct manage_screen *screen, const struct manage_model *model,
			struct str head, struct str detail, struct str keys, struct arena *mem);
void manage_screen_text(struct manage_screen *screen, struct str head,
			const struct manage_lines *lines, size_t top, struct str keys);
/* A frame over what is drawn, with `text` in it. */
void manage_screen_dialog(struct manage_screen *screen, struct str text, struct arena *mem);
void manage_screen_show(struct manage_screen *screen);

#endif
