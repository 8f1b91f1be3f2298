#include "cli/interrupt.h"
#include "cli/manage_look.h"
#include "cli/manage_screen.h"
#include "cli/workflow_reset.h"

#include "base/clock.h"
#include "base/state_dir.h"
#include "workflow/engine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define LOOK_EVERY_MS 1000
#define KEY_WAIT_MS 250
#define LOOK_ARENA MIB(256)
#define TEXT_ARENA MIB(32)

static const char help_text[] =
	"Keys\n"
	"\n"
	"  up, down, j, k     move; page up, page down, home, end, mouse\n"
	"  left, right        fold and unfold\n"
	"  l                  the log of a step, up to its end now\n"
	"  f                  the same, and what comes\n"
	"  o                  the report of a step: evaluation, migration, comparison\n"
	"  a                  approve what waits: tells what it means, and asks\n"
	"  r                  forget what was done for a resource: lists, and asks\n"
	"  ?                  this text\n"
	"  q                  leave; the run goes on\n"
	"\n"
	"In a text: up, down, page up, page down, home, end; q goes back.\n"
	"\n"
	"Marks\n"
	"\n"
	"  ✓ done   ▶ running   ○ not begun   ⟳ waits   ✗ failed   ~ skipped\n"
	"\n"
	"Progress and the time left are those of the step since it began. `workflow status` tells "
	"the same without a screen, `workflow log`, `workflow show`, `workflow approve` and "
	"`workflow reset` do what the keys do.\n";

enum mode { TREE, TEXT, ASK_APPROVE, ASK_RESET };

struct manage_fields {
	struct workflow_fields common;
};

struct manage {
	const struct workflow_fields *fields;
	const char *state_dir;
	struct manage_screen *screen;
	struct manage_model model;
	struct manage_look look;
	struct arena arenas[2]; /* of the look that is shown, and of the next one */
	size_t arena;           /* which is shown */
	int64_t looked_ms;
	bool stale; /* look again, at once */
	bool engine;
	struct arena drawing; /* forgotten with each drawing */
	enum mode mode;
	bool quit;
	char notice[1024]; /* what went wrong last; "": nothing */
	/* A text, or what a dialog asks. */
	struct arena text_mem;
	struct str title, text;
	const char *path; /* read again and again; NULL: the text stays */
	int64_t top;
	bool at_end;
	struct str subject; /* the gate or the resource that is asked about */
};

static void manage_release(struct manage *m)
{
	manage_screen_close(m->screen);
	manage_model_release(&m->model);
	for (size_t i = 0; i < COUNT_OF(m->arenas); i++)
		arena_release(&m->arenas[i]);
	arena_release(&m->drawing);
	arena_release(&m->text_mem);
}

/* --- Looking --- */

static void take_look(struct manage *m)
{
	size_t next = !m->arena;
	struct manage_look look;
	struct err err;

	arena_reset(&m->arenas[next]);
	m->looked_ms = clock_monotonic_ms();
	m->stale = false;
	m->engine = workflow_engine_pid(m->state_dir) > 0;
	/* What is shown stays when the next cannot be read. */
	if (manage_look_read(m->fields, m->state_dir, &m->arenas[next], &look, &err) < 0 ||
	    manage_model_take(&m->model, &look, &m->arenas[next], &err) < 0) {
		snprintf(m->notice, sizeof(m->notice), "%s", err.message);
		manage_model_take(&m->model, &m->look, &m->arenas[m->arena], &err);
		return;
	}
	m->look = look;
	m->arena = next;
	manage_model_move(&m->model, 0, manage_screen_tree_height(m->screen));
}

static void read_text(struct manage *m)
{
	struct str text;

	if (!m->path)
		return;
	text = str_from(m->path);
	/* The path and the title live in the arena that is emptied. */
	cleanup(mem_freep) char *path = str_dup(text);
	cleanup(mem_freep) char *title = str_dup(m->title);

	arena_reset(&m->text_mem);
	m->path = arena_str(&m->text_mem, str_from(path)).ptr;
	m->title = arena_str(&m->text_mem, str_from(title));
	m->text = manage_file_text(m->path, &m->text_mem);
}

/* --- Drawing --- */

static struct str head_of(const struct manage *m, struct arena *mem)
{
	const struct workflow_run *run = m->look.run;

	if (!run)
		return arena_printf(mem, "%s: no run yet", m->fields->workflow);
	return arena_printf(mem, STR_FMT "  run %" PRId64 "  %s  (engine %s)",
			    STR_ARG(run->workflow), run->id, workflow_phase_name(run->phase),
			    m->engine ? "at work" : "not running");
}

/* A group tells of the step that matters most in it. */
static struct str detail_of_row(const struct manage *m, const struct manage_row *row,
				struct arena *mem)
{
	const struct workflow_step *step = row->step ? row->step : manage_step_of(&m->look, row);
	struct str progress = step ? m->look.progress[step - m->look.steps].text : STR_NONE;

	if (progress.len > 0)
		return progress;
	if (row->gate && (!step || step->message.len == 0))
		return manage_printable(row->gate->reason, mem);
	return manage_printable(
		step && step->message.len > 0 ? step->message : m->look.run->message, mem);
}

static struct str detail_of(const struct manage *m, struct arena *mem)
{
	const struct manage_row *row = manage_model_selected(&m->model);

	if (m->notice[0])
		return manage_printable(str_from(m->notice), mem);
	if (!m->look.run)
		return m->look.configured
			       ? STR("Waiting for `workflow submit`: this screen follows it.")
			       : STR("Waiting. `workflow configure sample --load`, `workflow "
				     "configure edit`, then `workflow submit`: this screen follows "
				     "it.");
	return row ? detail_of_row(m, row, mem) : manage_printable(m->look.run->message, mem);
}

static void draw_text(struct manage *m)
{
	size_t height = manage_screen_text_height(m->screen);
	struct manage_lines lines;
	struct err err;

	if (manage_text_wrap(m->text, manage_screen_width(m->screen), &m->drawing, &lines, &err) <
	    0) {
		snprintf(m->notice, sizeof(m->notice), "%s", err.message);
		m->mode = TREE;
		return;
	}
	m->top = (int64_t)manage_text_top(&lines, m->at_end ? INT64_MAX : m->top, height);
	manage_screen_text(m->screen, m->title, &lines, (size_t)m->top,
			   m->at_end ? STR("q back  home, up: stop following")
				     : STR("q back  up, down, page up, page down, home, end"));
}

static void draw_tree(struct manage *m)
{
	manage_screen_tree(m->screen, &m->model, head_of(m, &m->drawing), detail_of(m, &m->drawing),
			   STR("l log  f follow  o output  a approve  r reset  left/right fold  ? "
			       "help  q quit"),
			   &m->drawing);
}

static void draw(struct manage *m)
{
	arena_reset(&m->drawing);
	if (m->mode == TEXT)
		draw_text(m);
	if (m->mode != TEXT)
		draw_tree(m);
	if (m->mode == ASK_APPROVE || m->mode == ASK_RESET)
		manage_screen_dialog(m->screen, m->text, &m->drawing);
	manage_screen_show(m->screen);
}

/* --- Texts --- */

static void begin_text(struct manage *m, enum mode mode)
{
	m->mode = mode;
	m->top = 0;
	m->at_end = false;
	m->path = NULL;
	arena_reset(&m->text_mem);
}

static void show_file(struct manage *m, const char *what, struct str name, const char *path,
		      bool follow)
{
	begin_text(m, TEXT);
	m->title = arena_printf(&m->text_mem, "%s of " STR_FMT, what, STR_ARG(name));
	m->path = arena_str(&m->text_mem, str_from(path)).ptr;
	m->at_end = follow;
	read_text(m);
	if (!follow)
		m->path = NULL;
}

static const struct workflow_step *selected_step(struct manage *m)
{
	const struct manage_row *row = manage_model_selected(&m->model);

	return row ? manage_step_of(&m->look, row) : NULL;
}

static void say(struct manage *m, const char *text)
{
	snprintf(m->notice, sizeof(m->notice), "%s", text);
}

static void show_log(struct manage *m, bool follow)
{
	const struct workflow_step *step = selected_step(m);
	const char *path = step ? manage_log_path(m->state_dir, step, &m->arenas[m->arena]) : NULL;

	if (!path)
		say(m, "nothing has a log here yet");
	else
		show_file(m, follow ? "Log, as it grows," : "Log", step->name, path, follow);
}

static void show_output(struct manage *m)
{
	const struct workflow_step *step = selected_step(m);
	const char *path =
		step ? manage_output_path(m->state_dir, &m->look, step, &m->arenas[m->arena])
		     : NULL;

	if (!path || access(path, R_OK) < 0)
		say(m, "nothing has a report here yet");
	else
		show_file(m, "Report", step->name, path, false);
}

static void show_help(struct manage *m)
{
	begin_text(m, TEXT);
	m->title = STR("workflow manage");
	m->text = str_from(help_text);
}

/* --- Asking, and doing --- */

static void ask_to_approve(struct manage *m)
{
	const struct manage_row *row = manage_model_selected(&m->model);

	if (!row || !row->gate || row->gate->status != GATE_WAITING) {
		say(m, !row || !row->gate ? "this is no gate; what waits for you says so"
		       : row->gate->status == GATE_APPROVED
			       ? "it is approved already"
			       : "the run has not come to it yet; `workflow approve --pre-approve` "
				 "takes its name");
		return;
	}
	begin_text(m, ASK_APPROVE);
	m->subject = arena_str(&m->text_mem, row->gate->name);
	m->text = arena_printf(&m->text_mem, STR_FMT "\n\ny approves it, n does not",
			       STR_ARG(str_trim(manage_printable(
				       manage_gate_text(row->gate, &m->text_mem), &m->text_mem))));
}

static const struct workflow_gate *gate_called(const struct manage *m, struct str name)
{
	for (size_t i = 0; i < m->look.gate_count; i++)
		if (str_eq(m->look.gates[i].name, name))
			return &m->look.gates[i];
	return NULL;
}

static int open_to_write(struct manage *m, struct workflow_session *session, struct err *err)
{
	*session = (struct workflow_session){
		.fields = m->fields, .state_dir = m->state_dir, .mem = &m->text_mem};
	return workflow_state_open(m->state_dir, &session->state, err);
}

static void approve(struct manage *m)
{
	const struct workflow_gate *gate = gate_called(m, m->subject);
	cleanup(workflow_session_close) struct workflow_session session = {0};
	struct err err;

	if (!gate)
		say(m, "the gate is gone");
	else if (open_to_write(m, &session, &err) < 0 || workflow_grant(&session, gate, &err) < 0)
		say(m, err.message);
	else
		snprintf(m->notice, sizeof(m->notice), "✓ Approved " STR_FMT, STR_ARG(m->subject));
}

/* What `workflow reset --cascade` says of the subject; "" and a notice when it refuses. */
static struct str reset(struct manage *m, bool only_tell)
{
	cleanup(workflow_session_close) struct workflow_session session = {0};
	const char *const name = m->subject.ptr;
	const struct workflow_reset_wish wish = {
		.patterns = &name, .pattern_count = 1, .cascade = true, .only_tell = only_tell};
	cleanup(mem_freep) char *said = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&said, &length);
	struct str text = STR("");
	struct err err;
	int rc;

	if (!out)
		BUG("no memory for a text");
	rc = open_to_write(m, &session, &err);
	if (rc == 0)
		rc = workflow_reset(&session, &wish, out, &err);
	fclose(out);
	if (rc < 0)
		say(m, err.message);
	else
		text = manage_printable(str_of(said, length), &m->text_mem);
	return text;
}

static struct str label_of(const struct manage_row *row)
{
	if (!row->gate && !row->step)
		return row->key;
	return row->step ? row->step->resource : row->gate->resource;
}

static void ask_to_reset(struct manage *m)
{
	const struct manage_row *row = manage_model_selected(&m->model);
	struct str label = row ? label_of(row) : STR(""), list;

	if (label.len == 0) {
		say(m, "there is nothing to reset here");
		return;
	}
	begin_text(m, ASK_RESET);
	m->subject = arena_str(&m->text_mem, label);
	list = reset(m, true);
	if (list.len == 0) {
		m->mode = TREE;
		if (!m->notice[0])
			say(m, "nothing was done for it yet");
		return;
	}
	m->text = arena_printf(&m->text_mem,
			       "Reset, with what depends on it:\n\n" STR_FMT
			       "\nWhat was done for these is forgotten, and their reports go. Data "
			       "on the target and snapshots stay.\n\ny resets them, n does not",
			       STR_ARG(list));
}

static void do_what_was_asked(struct manage *m)
{
	enum mode asked = m->mode;
	struct str said;

	m->mode = TREE;
	m->stale = true;
	if (asked == ASK_APPROVE) {
		approve(m);
		return;
	}
	said = reset(m, false);
	if (said.len == 0)
		return;
	m->title = STR("Reset");
	m->text = said;
	m->mode = TEXT;
}

/* --- Keys --- */

static int64_t movement_of(int key, size_t height)
{
	switch (key) {
	case MANAGE_UP:
		return -1;
	case MANAGE_DOWN:
		return 1;
	case MANAGE_PAGE_UP:
		return -(int64_t)height;
	case MANAGE_PAGE_DOWN:
		return (int64_t)height;
	case MANAGE_HOME:
		return -(INT64_MAX / 4);
	case MANAGE_END:
		return INT64_MAX / 4;
	default:
		return 0;
	}
}

static void key_in_text(struct manage *m, int key)
{
	size_t height = manage_screen_text_height(m->screen);

	if (key == 'q' || key == MANAGE_ESCAPE) {
		m->mode = TREE;
		return;
	}
	if (movement_of(key, height) == 0)
		return;
	m->at_end = key == MANAGE_END && m->path;
	m->top = MAX(m->top + movement_of(key, height), (int64_t)0);
}

static void key_in_dialog(struct manage *m, int key)
{
	if (key == 'y' || key == 'Y')
		do_what_was_asked(m);
	else if (key == 'n' || key == 'N' || key == 'q' || key == MANAGE_ESCAPE)
		m->mode = TREE;
}

static void fold(struct manage *m, bool folded)
{
	if (folded)
		manage_model_fold(&m->model);
	else
		manage_model_unfold(&m->model);
	m->stale = true;
}

static void click(struct manage *m, size_t height)
{
	int64_t to = (int64_t)(m->model.top + manage_screen_clicked(m->screen));

	if (to < (int64_t)m->model.count)
		manage_model_move(&m->model, to - (int64_t)m->model.selected, height);
}

static void act(struct manage *m, int key)
{
	const struct manage_row *row = manage_model_selected(&m->model);

	if (key == 'q')
		m->quit = true;
	else if (key == 'l')
		show_log(m, false);
	else if (key == 'f')
		show_log(m, true);
	else if (key == 'o')
		show_output(m);
	else if (key == 'a')
		ask_to_approve(m);
	else if (key == 'r')
		ask_to_reset(m);
	else if (key == '?')
		show_help(m);
	else if (key == MANAGE_LEFT || key == MANAGE_RIGHT)
		fold(m, key == MANAGE_LEFT);
	else if (key == MANAGE_ENTER && row && row->foldable)
		fold(m, !row->folded);
}

static void key_in_tree(struct manage *m, int key)
{
	size_t height = manage_screen_tree_height(m->screen);

	m->notice[0] = '\0';
	if (key == MANAGE_CLICK)
		click(m, height);
	else if (movement_of(key, height) != 0)
		manage_model_move(&m->model, movement_of(key, height), height);
	else
		act(m, key);
}

static void handle(struct manage *m, int key)
{
	if (m->mode == TEXT)
		key_in_text(m, key);
	else if (m->mode == TREE)
		key_in_tree(m, key);
	else
		key_in_dialog(m, key);
}

static void loop(struct manage *m, const atomic_bool *stop)
{
	while (!m->quit && !*stop) {
		int key;

		if (m->stale || clock_monotonic_ms() - m->looked_ms >= LOOK_EVERY_MS) {
			take_look(m);
			if (m->mode == TEXT)
				read_text(m);
		}
		/* The screen may have become smaller. */
		manage_model_move(&m->model, 0, manage_screen_tree_height(m->screen));
		draw(m);
		key = manage_screen_key(m->screen, KEY_WAIT_MS);
		if (key != MANAGE_NOTHING)
			handle(m, key);
	}
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	const struct manage_fields *f = fields;
	cleanup(manage_release) struct manage m = {
		.fields = &f->common,
		.arenas = {ARENA_INIT(LOOK_ARENA), ARENA_INIT(LOOK_ARENA)},
		.drawing = ARENA_INIT(TEXT_ARENA),
		.text_mem = ARENA_INIT(TEXT_ARENA),
		.stale = true};

	manage_model_init(&m.model);
	if (state_dir_path(f->common.general.state_dir, cli->mem, &m.state_dir, err) < 0 ||
	    manage_screen_open(&m.screen, err) < 0)
		return -(int)err->kind;
	loop(&m, interrupt_catch());
	return 0;
}

static const struct opt_part parts[] = {WORKFLOW_PARTS, {0}};

const struct command command_workflow_manage = {
	.options = {.name = "workflow manage",
		    .summary = "The run on a screen: progress, logs, reports, approvals",
		    .parts = parts,
		    .details =
			    "A tree of resources, steps and gates with progress and the time "
			    "left, read anew every second, whether or not the engine runs. Key ? "
			    "tells the keys. Needs a terminal of any size; colours unless "
			    "NO_COLOR is set.\n\nExit codes: 0; 2 there is no terminal."},
	.fields_size = sizeof(struct manage_fields),
	.run = run,
};
