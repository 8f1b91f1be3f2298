#include "metadata/ilm_to_ism.h"

#include "metadata/ilm_internal.h"
#include "metadata/time_value.h"

#define DESCRIPTION_MAX KIB(16)

/* In the order in which an index goes through them; states have their names. */
static const struct {
	const char *name;
	enum ilm_phase_kind kind;
} phase_order[] = {
	{"hot", PHASE_HOT},       {"warm", PHASE_WARM},     {"cold", PHASE_COLD},
	{"frozen", PHASE_FROZEN}, {"delete", PHASE_DELETE},
};

/* ISM wants a description; what it has no place for is told there. */
static struct json *description(struct rule_scope *scope, const struct json *policy)
{
	cleanup(buf_release) struct buf text = BUF_INIT(DESCRIPTION_MAX);
	const struct json *meta = json_get(policy, "_meta");

	buf_printf(&text, "Converted from the ILM policy " STR_FMT, STR_ARG(scope->item->name));
	if (json_bool_or(json_get(policy, "deprecated"), false))
		buf_printf(&text, "; deprecated");
	if (meta) {
		buf_printf(&text, "; _meta: ");
		json_write(&text, meta);
	}
	if (text.failed)
		return json_new_string(&scope->set->mem,
				       arena_printf(&scope->set->mem,
						    "Converted from the ILM policy " STR_FMT,
						    STR_ARG(scope->item->name)));
	return json_new_string(&scope->set->mem, arena_str(&scope->set->mem, buf_str(&text)));
}

static bool is_zero(struct str age)
{
	int64_t ms;

	return age.len == 0 || (time_value_parse(age, &ms) && ms == 0);
}

static struct json *transitions_to(struct arena *mem, struct str state, const char *condition,
				   struct str age)
{
	struct json *list = json_new(mem, JSON_ARRAY), *transition = json_new(mem, JSON_OBJECT);

	json_set(transition, STR("state_name"), json_new_string(mem, state));
	if (!is_zero(age)) {
		struct json *conditions = json_new(mem, JSON_OBJECT);

		json_set(conditions, str_from(condition), json_new_string(mem, age));
		json_set(transition, STR("conditions"), conditions);
	}
	json_append(list, transition);
	return list;
}

static struct json *state(struct arena *mem, struct str name)
{
	struct json *object = json_new(mem, JSON_OBJECT);

	json_set(object, STR("name"), json_new_string(mem, name));
	json_set(object, STR("actions"), json_new(mem, JSON_ARRAY));
	json_set(object, STR("transitions"), json_new(mem, JSON_ARRAY));
	return object;
}

static struct str age_of(const struct json *phase)
{
	return json_text_or(json_get(phase, "min_age"), STR_NONE);
}

/* Ages count from the rollover where there is one, as in ILM. */
static void add_states(struct rule_scope *scope, const struct json *phases, struct json *states)
{
	struct arena *mem = &scope->set->mem;
	bool rolls = json_path(phases, "hot", "actions", "rollover", NULL) != NULL;
	const char *condition = rolls ? "min_rollover_age" : "min_index_age";

	for (size_t i = 0; i < COUNT_OF(phase_order); i++) {
		struct str name = str_from(phase_order[i].name);
		const struct json *phase = json_get_str(phases, name);
		struct ilm_phase converted = {scope, phase_order[i].kind, name, phases, NULL};
		struct json *added;

		if (!phase)
			continue;
		if (states->last)
			json_set(states->last, STR("transitions"),
				 transitions_to(mem, name, condition, age_of(phase)));
		added = state(mem, name);
		json_append(states, added);
		converted.actions = json_get(added, "actions");
		if (converted.actions)
			ilm_convert_actions(&converted, json_get(phase, "actions"));
	}
}

/* A first phase that has to wait, or no phase at all: a state that does nothing. */
static struct json *with_start(struct rule_scope *scope, const struct json *phases,
			       struct json *states)
{
	struct arena *mem = &scope->set->mem;
	struct json *list, *start;
	struct str first = json_string(json_get(states->first, "name"));
	struct str age = age_of(json_get_str(phases, first));

	if (states->first && is_zero(age))
		return states;
	list = json_new(mem, JSON_ARRAY);
	start = state(mem, STR("start"));
	/* Nothing has rolled over yet, so the age of the index counts. */
	if (states->first)
		json_set(start, STR("transitions"),
			 transitions_to(mem, first, "min_index_age", age));
	json_append(list, start);
	json_each (converted, states)
		json_append(list, json_copy(mem, converted));
	return list;
}

static void note_unknown_phases(struct rule_scope *scope, const struct json *phases)
{
	json_each (phase, phases) {
		bool known = false;

		for (size_t i = 0; i < COUNT_OF(phase_order); i++)
			known |= str_is(phase->key, phase_order[i].name);
		if (!known)
			rule_note(scope, ILM_RULE, NOTE_WARN,
				  "dropped the phase " STR_FMT ": it is not known",
				  STR_ARG(phase->key));
	}
}

struct json *ilm_to_ism(struct rule_scope *scope, const struct json *ilm)
{
	struct arena *mem = &scope->set->mem;
	const struct json *policy = json_get(ilm, "policy"), *phases = json_get(policy, "phases");
	struct json *states = json_new(mem, JSON_ARRAY), *body, *wrapped;

	scope->path = STR("policy.phases");
	if (!phases || phases->type != JSON_OBJECT) {
		rule_block(scope, ILM_RULE,
			   "it has no phases, so it is no ILM policy; look at it on the source");
		return NULL;
	}
	if (!states)
		return NULL;
	note_unknown_phases(scope, phases);
	add_states(scope, phases, states);
	scope->path = STR_NONE;
	states = with_start(scope, phases, states);
	body = json_new(mem, JSON_OBJECT);
	wrapped = json_new(mem, JSON_OBJECT);
	json_set(body, STR("description"), description(scope, policy));
	if (states)
		json_set(body, STR("default_state"),
			 json_copy(mem, json_get(states->first, "name")));
	json_set(body, STR("states"), states);
	json_set(wrapped, STR("policy"), body);
	if (mem->failed || scope->item->outcome == OUTCOME_BLOCKED)
		return NULL;
	return wrapped;
}
