#include "cli/manage_screen.h"

#include "base/clock.h"
#include "cli/number_text.h"
#include "cli/table.h"
#include "cli/terminal.h"

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define HEAD_LINES 2   /* with the rule below */
#define DETAIL_LINES 4 /* with the rule above */
#define BAR_WIDTH 20
#define ESCAPE_DELAY_MS 50
#define REPAINT_MS 1000

struct manage_screen {
	SCREEN *terminal;
	bool colours, utf8;
	size_t clicked;
	int64_t repaint_ms; /* monotonic: paint all of it anew then; 0: no need */
};

/* --- Opening --- */

static void start_colours(struct manage_screen *screen)
{
	static const short of[] = {[COLOUR_GREEN] = COLOR_GREEN,
				   [COLOUR_YELLOW] = COLOR_YELLOW,
				   [COLOUR_RED] = COLOR_RED,
				   [COLOUR_CYAN] = COLOR_CYAN};

	if (!terminal_has_colours(stdout) || !has_colors() || start_color() == ERR)
		return;
	use_default_colors();
	for (int i = COLOUR_GREEN; i <= COLOUR_CYAN; i++)
		init_pair((short)i, of[i], -1);
	screen->colours = true;
}

int manage_screen_open(struct manage_screen **out, struct err *err)
{
	struct manage_screen *screen;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return err_set(err, ERR_USAGE,
			       "`workflow manage` needs a terminal; `workflow status` tells the "
			       "same without one");
	setlocale(LC_ALL, "");
	screen = mem_zalloc(sizeof(*screen));
	screen->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	/* Of a terminal that only prints ncurses would make a mess. */
	screen->terminal = terminal_is_able(stdout) ? newterm(NULL, stdout, stdin) : NULL;
	if (!screen->terminal) {
		free(screen);
		return err_set(err, ERR_USAGE,
			       "the terminal '%s' ($TERM) is none for screens, or not known here; "
			       "`workflow status` needs none",
			       getenv("TERM") ? getenv("TERM") : "");
	}
	set_term(screen->terminal);
	start_colours(screen);
	cbreak();
	noecho();
	nonl();
	curs_set(0);
	keypad(stdscr, TRUE);
	set_escdelay(ESCAPE_DELAY_MS);
	mousemask(BUTTON1_CLICKED | BUTTON1_PRESSED, NULL);
	mouseinterval(0);
	*out = screen;
	return 0;
}

void manage_screen_close(struct manage_screen *screen)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen->terminal);
	free(screen);
}

/* --- Keys --- */

static int click_of(struct manage_screen *screen)
{
	MEVENT event;

	if (getmouse(&event) == ERR || event.y < HEAD_LINES ||
	    (size_t)event.y >= HEAD_LINES + manage_screen_tree_height(screen))
		return MANAGE_NOTHING;
	screen->clicked = (size_t)(event.y - HEAD_LINES);
	return MANAGE_CLICK;
}

/* Which lines a terminal keeps when its size changes is its own affair, and some move them only
 * after they have told of it: all is painted at once, and once more when they are done. */
static void look_at_size(struct manage_screen *screen, bool changed)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0 &&
	    (size.ws_row != LINES || size.ws_col != COLS)) {
		resizeterm(size.ws_row, size.ws_col);
		changed = true;
	}
	if (changed || (screen->repaint_ms && clock_monotonic_ms() >= screen->repaint_ms)) {
		clearok(curscr, TRUE);
		screen->repaint_ms = changed ? clock_monotonic_ms() + REPAINT_MS : 0;
	}
}

int manage_screen_key(struct manage_screen *screen, int wait_ms)
{
	static const struct {
		int curses, ours;
	} keys[] = {{KEY_UP, MANAGE_UP},
		    {KEY_DOWN, MANAGE_DOWN},
		    {KEY_LEFT, MANAGE_LEFT},
		    {KEY_RIGHT, MANAGE_RIGHT},
		    {KEY_PPAGE, MANAGE_PAGE_UP},
		    {KEY_NPAGE, MANAGE_PAGE_DOWN},
		    {KEY_HOME, MANAGE_HOME},
		    {KEY_END, MANAGE_END},
		    {KEY_ENTER, MANAGE_ENTER},
		    {'\r', MANAGE_ENTER},
		    {'\n', MANAGE_ENTER},
		    {27, MANAGE_ESCAPE},
		    {KEY_RESIZE, MANAGE_NOTHING},
		    {ERR, MANAGE_NOTHING},
		    {'k', MANAGE_UP},
		    {'j', MANAGE_DOWN},
		    {' ', MANAGE_PAGE_DOWN}};
	int key;

	timeout(wait_ms);
	key = getch();
	look_at_size(screen, key == KEY_RESIZE);
	if (key == KEY_MOUSE)
		return click_of(screen);
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (key == keys[i].curses)
			return keys[i].ours;
	return key;
}

size_t manage_screen_clicked(const struct manage_screen *screen)
{
	return screen->clicked;
}

/* --- Drawing --- */

size_t manage_screen_width(const struct manage_screen *screen)
{
	(void)screen;
	return (size_t)MAX(COLS, 1);
}

static size_t lines_without(int taken)
{
	return (size_t)MAX(LINES - taken, 1);
}

size_t manage_screen_tree_height(const struct manage_screen *screen)
{
	(void)screen;
	return lines_without(HEAD_LINES + DETAIL_LINES + 1);
}

size_t manage_screen_text_height(const struct manage_screen *screen)
{
	(void)screen;
	return lines_without(HEAD_LINES + 1);
}

/* Our marks where the terminal has bytes for letters only. */
static char plain_of(struct str mark)
{
	static const struct {
		struct str mark;
		char plain;
	} marks[] = {{STR("✓"), '+'}, {STR("▶"), '>'}, {STR("○"), 'o'}, {STR("⟳"), '@'},
		     {STR("✗"), 'x'}, {STR("▾"), '-'}, {STR("▸"), '+'}, {STR("─"), '-'}};

	for (size_t i = 0; i < COUNT_OF(marks); i++)
		if (str_starts(mark, marks[i].mark))
			return marks[i].plain;
	return '?';
}

static void put_plain(struct str text)
{
	for (size_t at = 0; at < text.len;) {
		size_t len = 1;

		if (!(text.ptr[at] & 0x80)) {
			addch((chtype)text.ptr[at++]);
			continue;
		}
		while (at + len < text.len && (text.ptr[at + len] & 0xc0) == 0x80)
			len++;
		addch((chtype)plain_of(str_of(text.ptr + at, len)));
		at += len;
	}
}

/* As much as fits into `columns`. Returns the columns it took. */
static size_t put(const struct manage_screen *screen, int y, size_t x, struct str text,
		  size_t columns)
{
	text.len = text_fit(text, columns);
	if (text.len == 0 || move(y, (int)x) == ERR)
		return 0;
	if (screen->utf8)
		addnstr(text.ptr, (int)text.len);
	else
		put_plain(text);
	return text_width(text);
}

static void rule(const struct manage_screen *screen, int y)
{
	for (size_t x = 0; x < manage_screen_width(screen); x++)
		put(screen, y, x, STR("─"), 1);
}

static void colour(const struct manage_screen *screen, enum colour which, bool on)
{
	if (!screen->colours || which == COLOUR_NONE)
		return;
	if (on)
		attron(COLOR_PAIR(which));
	else
		attroff(COLOR_PAIR(which));
}

static enum colour colour_of(const char *mark)
{
	static const struct {
		const char *mark;
		enum colour colour;
	} colours[] = {{"✓", COLOUR_GREEN}, {"▶", COLOUR_YELLOW}, {"⟳", COLOUR_YELLOW},
		       {"✗", COLOUR_RED},   {"○", COLOUR_CYAN},   {"~", COLOUR_CYAN}};

	for (size_t i = 0; i < COUNT_OF(colours); i++)
		if (strcmp(mark, colours[i].mark) == 0)
			return colours[i].colour;
	return COLOUR_NONE;
}

/* "[########............]  42% ETA 1:20" */
static struct str bar_text(const struct workflow_progress *progress, struct arena *mem)
{
	char bar[BAR_WIDTH + 1], eta[NUMBER_TEXT_MAX];
	int filled = progress->percent * BAR_WIDTH / 100;

	if (progress->percent < 0)
		return progress->text;
	for (int i = 0; i < BAR_WIDTH; i++)
		bar[i] = i < filled ? '#' : '.';
	bar[BAR_WIDTH] = '\0';
	return arena_printf(mem, "[%s] %3d%% ETA %s", bar, progress->percent,
			    progress->seconds_left < 0
				    ? "--:--"
				    : duration_text((uint64_t)progress->seconds_left, eta));
}

static void put_row(const struct manage_screen *screen, int y, const struct manage_row *row,
		    bool selected, struct arena *mem)
{
	size_t width = manage_screen_width(screen), x = (size_t)row->depth * 2;
	struct str right = row->progress ? bar_text(row->progress, mem) : row->state;
	size_t room;

	right.len = text_fit(right, width / 2);
	room = width - text_width(right);
	if (selected)
		attron(A_REVERSE);
	mvhline(y, 0, ' ', (int)width);
	put(screen, y, x, row->foldable ? row->folded ? STR("▸") : STR("▾") : STR(" "), 1);
	colour(screen, colour_of(row->mark), true);
	put(screen, y, x + 2, str_from(row->mark), 1);
	colour(screen, colour_of(row->mark), false);
	put(screen, y, x + 4, row->title, room > x + 6 ? room - x - 6 : 0);
	put(screen, y, room, right, width - room);
	attroff(A_REVERSE);
}

static void put_detail(const struct manage_screen *screen, struct str detail, struct arena *mem)
{
	int y = LINES - DETAIL_LINES - 1;
	struct manage_lines lines;
	struct err err;

	if (y < HEAD_LINES)
		return;
	rule(screen, y);
	if (manage_text_wrap(detail, manage_screen_width(screen), mem, &lines, &err) < 0)
		return;
	for (size_t i = 0; i < MIN(lines.count, (size_t)DETAIL_LINES - 1); i++)
		put(screen, y + 1 + (int)i, 0, lines.lines[i], manage_screen_width(screen));
}

static void put_frame(const struct manage_screen *screen, struct str head, struct str keys)
{
	erase();
	attron(A_BOLD);
	put(screen, 0, 0, head, manage_screen_width(screen));
	attroff(A_BOLD);
	rule(screen, 1);
	attron(A_BOLD);
	put(screen, LINES - 1, 0, keys, manage_screen_width(screen) - 1);
	attroff(A_BOLD);
}

void manage_screen_tree(struct manage_screen *screen, const struct manage_model *model,
			struct str head, struct str detail, struct str keys, struct arena *mem)
{
	size_t height = manage_screen_tree_height(screen);

	put_frame(screen, head, keys);
	for (size_t i = 0; i < height && model->top + i < model->count; i++)
		put_row(screen, HEAD_LINES + (int)i, &model->rows[model->top + i],
			model->top + i == model->selected, mem);
	put_detail(screen, detail, mem);
}

void manage_screen_text(struct manage_screen *screen, struct str head,
			const struct manage_lines *lines, size_t top, struct str keys)
{
	size_t height = manage_screen_text_height(screen);

	put_frame(screen, head, keys);
	for (size_t i = 0; i < height && top + i < lines->count; i++)
		put(screen, HEAD_LINES + (int)i, 0, lines->lines[top + i],
		    manage_screen_width(screen));
}

void manage_screen_dialog(struct manage_screen *screen, struct str text, struct arena *mem)
{
	int width = MIN(COLS, 76), height, y, x;
	struct manage_lines lines;
	struct err err;

	if (width < 10 || manage_text_wrap(text, (size_t)width - 4, mem, &lines, &err) < 0)
		return;
	height = MIN((int)lines.count + 2, LINES);
	y = (LINES - height) / 2;
	x = (COLS - width) / 2;
	for (int i = 0; i < height; i++) {
		bool edge = i == 0 || i == height - 1;

		mvhline(y + i, x, edge ? '-' : ' ', width);
		mvaddch(y + i, x, edge ? '+' : '|');
		mvaddch(y + i, x + width - 1, edge ? '+' : '|');
		if (!edge)
			put(screen, y + i, (size_t)x + 2, lines.lines[i - 1], (size_t)width - 4);
	}
}

void manage_screen_show(struct manage_screen *screen)
{
	(void)screen;
	refresh();
}
