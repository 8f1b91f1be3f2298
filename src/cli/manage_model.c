#include "cli/manage_model.h"

#include "cli/workflow_status_json.h"

#include <stdlib.h>

#define KEYS_MAX MIB(1)

void manage_model_init(struct manage_model *model)
{
	*model = (struct manage_model){.keys = ARENA_INIT(KEYS_MAX)};
}

void manage_model_release(struct manage_model *model)
{
	free(model->folded);
	arena_release(&model->keys);
}

/* --- Rows --- */

struct maker {
	struct manage_model *model;
	const struct manage_look *look;
	struct arena *mem;
	struct manage_row *rows;
	size_t count;
};

static bool is_folded(const struct manage_model *model, struct str key)
{
	for (size_t i = 0; i < model->folded_count; i++)
		if (str_eq(model->folded[i], key))
			return true;
	return false;
}

static bool is_gate_step(const struct workflow_step *step)
{
	return str_starts(step->name, STR("approve."));
}

/* The step of a gate is called approve.GATE. */
static const struct workflow_gate *gate_of(const struct manage_look *look,
					   const struct workflow_step *step)
{
	struct str name = str_from_offset(step->name, strlen("approve."));

	for (size_t i = 0; is_gate_step(step) && i < look->gate_count; i++)
		if (str_eq(look->gates[i].name, name))
			return &look->gates[i];
	return NULL;
}

static struct str state_of_step(const struct maker *m, const struct workflow_step *step,
				const struct workflow_gate *gate)
{
	if (gate && gate->status == GATE_WAITING && step->phase == STEP_WAITING)
		return STR("waits for you: a approves");
	if (is_gate_step(step) && step->phase == STEP_SUCCEEDED)
		return STR("Approved");
	if (is_gate_step(step) && step->phase == STEP_SKIPPED)
		return STR("Not Required");
	if (step->attempt > 1)
		return arena_printf(m->mem, "%s (attempt %lld)",
				    workflow_step_phase_name(step->phase),
				    (long long)step->attempt);
	return str_from(workflow_step_phase_name(step->phase));
}

static void add_step(struct maker *m, size_t i, int depth)
{
	const struct workflow_step *step = &m->look->steps[i];
	const struct workflow_gate *gate = gate_of(m->look, step);
	const struct workflow_progress *progress = &m->look->progress[i];

	m->rows[m->count++] = (struct manage_row){
		.key = step->name,
		.depth = depth,
		.mark = workflow_step_mark(step->phase),
		.title = step->title,
		.state = state_of_step(m, step, gate),
		.progress = progress->text.ptr && step->phase == STEP_RUNNING ? progress : NULL,
		.step = step,
		.gate = gate,
	};
}

/* Edits that wait belong to no step. */
static void add_gate(struct maker *m, const struct workflow_gate *gate)
{
	static const struct {
		const char *mark, *state;
	} shown[] = {[GATE_PENDING] = {"○", "not reached yet"},
		     [GATE_WAITING] = {"⟳", "waits for you: a approves"},
		     [GATE_APPROVED] = {"✓", "Approved"}};

	m->rows[m->count++] = (struct manage_row){
		.key = gate->name,
		.depth = 1,
		.mark = shown[gate->status].mark,
		.title = gate->category == GATE_CHANGE ? STR("Approve Change")
						       : STR("Approve Retry"),
		.state = str_from(shown[gate->status].state),
		.gate = gate,
	};
}

static const struct workflow_resource *resource_of(const struct manage_look *look, struct str label)
{
	struct str kind, name;

	if (!str_split(label, '.', &kind, &name))
		return NULL;
	for (size_t i = 0; i < look->resource_count; i++)
		if (str_eq(look->resources[i].kind, kind) && str_eq(look->resources[i].name, name))
			return &look->resources[i];
	return NULL;
}

static struct str title_of(struct str label, struct arena *mem)
{
	static const struct {
		const char *kind, *title;
	} kinds[] = {{"datasnapshot", "Snapshot"},   {"snapshotmigration", "Backfill"},
		     {"captureproxy", "Capture"},    {"kafkacluster", "Buffer"},
		     {"capturedtraffic", "Traffic"}, {"trafficreplay", "Replay"}};
	struct str kind, name;

	if (!str_split(label, '.', &kind, &name))
		return label;
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (str_is(kind, kinds[i].kind))
			return arena_printf(mem, "%s " STR_FMT, kinds[i].title, STR_ARG(name));
	return label;
}

/* A group is as its steps are: what failed first, then what waits for somebody. */
static void sum_up(const struct maker *m, struct str label, struct manage_row *row)
{
	static const enum workflow_step_phase order[] = {STEP_FAILED, STEP_WAITING, STEP_RUNNING};
	size_t phases[STEP_FAILED + 1] = {0}, all = 0, done;

	for (size_t i = 0; i < m->look->step_count; i++) {
		const struct workflow_step *step = &m->look->steps[i];

		if (!str_eq(step->resource, label))
			continue;
		all++;
		phases[step->phase]++;
		if (row->folded && step->phase == STEP_RUNNING && m->look->progress[i].text.ptr)
			row->progress = &m->look->progress[i];
	}
	done = phases[STEP_SUCCEEDED] + phases[STEP_SKIPPED];
	row->mark = workflow_step_mark(done == all ? STEP_SUCCEEDED : STEP_PENDING);
	for (size_t i = COUNT_OF(order); i-- > 0;)
		if (phases[order[i]] > 0)
			row->mark = workflow_step_mark(order[i]);
	row->state = arena_printf(m->mem, "%zu/%zu steps", done, all);
}

static void add_group(struct maker *m, struct str label)
{
	struct manage_row *row = &m->rows[m->count++];

	*row = (struct manage_row){.key = label,
				   .foldable = true,
				   .folded = is_folded(m->model, label),
				   .title = title_of(label, m->mem),
				   .resource = resource_of(m->look, label)};
	sum_up(m, label, row);
	if (row->folded)
		return;
	for (size_t i = 0; i < m->look->step_count; i++)
		if (str_eq(m->look->steps[i].resource, label))
			add_step(m, i, 1);
	for (size_t i = 0; i < m->look->gate_count; i++)
		if (m->look->gates[i].category != GATE_STEP &&
		    str_eq(m->look->gates[i].resource, label))
			add_gate(m, &m->look->gates[i]);
}

static bool was_before(const struct manage_look *look, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (str_eq(look->steps[j].resource, look->steps[i].resource))
			return true;
	return false;
}

static void add_rows(struct maker *m)
{
	for (size_t i = 0; i < m->look->step_count; i++) {
		struct str label = m->look->steps[i].resource;

		if (label.len == 0)
			add_step(m, i, 0);
		else if (!was_before(m->look, i))
			add_group(m, label);
	}
}

static void select_key(struct manage_model *model)
{
	for (size_t i = 0; i < model->count; i++)
		if (str_eq(model->rows[i].key, model->selected_key)) {
			model->selected = i;
			return;
		}
	model->selected = model->count ? MIN(model->selected, model->count - 1) : 0;
}

int manage_model_take(struct manage_model *model, const struct manage_look *look, struct arena *mem,
		      struct err *err)
{
	size_t most = look->step_count * 2 + look->gate_count;
	struct maker maker = {model, look, mem, arena_zalloc(mem, most, sizeof(*maker.rows)), 0};

	model->rows = NULL;
	model->count = 0;
	if (!maker.rows)
		return arena_fail(mem, "the screen", err);
	add_rows(&maker);
	if (mem->failed)
		return arena_fail(mem, "the screen", err);
	model->rows = maker.rows;
	model->count = maker.count;
	select_key(model);
	return 0;
}

/* --- Moving and folding --- */

const struct manage_row *manage_model_selected(const struct manage_model *model)
{
	return model->count > 0 ? &model->rows[model->selected] : NULL;
}

/* Keys that are kept are few: each is at most once among them, but for what was selected. */
static struct str keep(struct manage_model *model, struct str key)
{
	struct str kept = arena_str(&model->keys, key);

	return kept.ptr ? kept : STR_NONE;
}

static void remember_selected(struct manage_model *model)
{
	struct str key = model->rows[model->selected].key;
	struct arena fresh = ARENA_INIT(KEYS_MAX);
	struct arena old = model->keys;

	if (str_eq(key, model->selected_key))
		return;
	/* In an arena anew, so that hours of moving take no memory. */
	model->keys = fresh;
	for (size_t i = 0; i < model->folded_count; i++)
		model->folded[i] = keep(model, model->folded[i]);
	model->selected_key = keep(model, key);
	arena_release(&old);
}

void manage_model_move(struct manage_model *model, int64_t by, size_t height)
{
	int64_t to = (int64_t)model->selected + by;

	if (model->count == 0)
		return;
	model->selected = (size_t)MAX(MIN(to, (int64_t)model->count - 1), (int64_t)0);
	remember_selected(model);
	height = MAX(height, (size_t)1);
	if (model->selected < model->top)
		model->top = model->selected;
	if (model->selected >= model->top + height)
		model->top = model->selected - height + 1;
	/* A taller screen shows more above. */
	model->top = MIN(model->top, model->count > height ? model->count - height : 0);
}

static void add_folded(struct manage_model *model, struct str key)
{
	if (is_folded(model, key))
		return;
	if (model->folded_count == model->folded_capacity) {
		model->folded_capacity = MAX(model->folded_capacity * 2, (size_t)16);
		model->folded =
			mem_realloc(model->folded, model->folded_capacity * sizeof(*model->folded));
	}
	model->folded[model->folded_count++] = keep(model, key);
}

void manage_model_fold(struct manage_model *model)
{
	size_t i = model->selected;

	if (model->count == 0)
		return;
	while (i > 0 && !model->rows[i].foldable && model->rows[i].depth > 0)
		i--;
	if (!model->rows[i].foldable)
		return;
	model->selected = i;
	remember_selected(model);
	add_folded(model, model->rows[i].key);
}

void manage_model_unfold(struct manage_model *model)
{
	const struct manage_row *row = manage_model_selected(model);

	for (size_t i = 0; row && i < model->folded_count; i++)
		if (str_eq(model->folded[i], row->key)) {
			model->folded[i] = model->folded[--model->folded_count];
			return;
		}
}

/* --- Gates --- */

static const char *meaning_of(const struct workflow_gate *gate)
{
	static const struct {
		const char *prefix, *meaning;
	} meanings[] = {
		{"begin", "The run begins. Nothing has been touched so far."},
		{"captureproxysetup.",
		 "Clients write through the proxy alone, so that no write is missed: the snapshot "
		 "may be taken."},
		{"evaluatemetadata.",
		 "Indices, templates and aliases are then made on the target, as the evaluation "
		 "says; key o shows its report."},
		{"migratemetadata.",
		 "Documents are then written to the target; key o shows what was made there."},
		{"documentbackfill.",
		 "The documents are on the target; what follows begins. Key o shows their counts."},
		{"verify.", "The comparison is taken as it is; key o shows its report."},
		{"cutover.",
		 "Writes are held, what is captured is replayed to its end, and clients are led to "
		 "the target."},
	};

	if (gate->category == GATE_CHANGE)
		return "What was edited is then applied to it.";
	if (gate->category == GATE_RETRY)
		return "It was edited in a way that what is there cannot follow: it must be reset "
		       "first, then it is made anew.";
	for (size_t i = 0; i < COUNT_OF(meanings); i++)
		if (str_starts(gate->name, str_from(meanings[i].prefix)))
			return meanings[i].meaning;
	return "The run goes on.";
}

struct str manage_gate_text(const struct workflow_gate *gate, struct arena *mem)
{
	return arena_printf(mem, "Gate " STR_FMT "\n\n%s\n\n" STR_FMT "%s" STR_FMT "%s",
			    STR_ARG(gate->name), meaning_of(gate), STR_ARG(gate->reason),
			    gate->prerequisite.len > 0 ? "\n\nNeeded before: `" : "",
			    STR_ARG(gate->prerequisite), gate->prerequisite.len > 0 ? "`" : "");
}
