/* What each ILM action becomes. */
#include "metadata/ilm_internal.h"

#include <stdarg.h>
#include <stdio.h>

#define NOTE_MAX 600

void ilm_note(struct ilm_phase *phase, const char *action, enum note_level level, const char *fmt,
	      ...)
{
	struct rule_scope *scope = phase->scope;
	char text[NOTE_MAX];
	va_list arguments;

	va_start(arguments, fmt);
	vsnprintf(text, sizeof(text), fmt, arguments);
	va_end(arguments);
	scope->path = arena_printf(&scope->set->mem, "policy.phases." STR_FMT ".%s",
				   STR_ARG(phase->name), action);
	rule_note(scope, ILM_RULE, level, "%s", text);
	scope->path = STR("policy.phases");
}

void ilm_put(struct ilm_phase *phase, const char *name, struct json *body)
{
	struct json *action = ilm_object(phase);

	json_set(action, str_from(name), body);
	json_append(phase->actions, action);
}

struct json *ilm_object(struct ilm_phase *phase)
{
	return json_new(&phase->scope->set->mem, JSON_OBJECT);
}

bool ilm_target_from(const struct ilm_phase *phase, int number)
{
	const struct rule_range range = {ONLY_OS, number, 0};

	return rule_range_holds(&range, &phase->scope->options->target);
}

static void put_number(struct ilm_phase *phase, const char *action, const char *member,
		       int64_t value)
{
	struct json *body = ilm_object(phase);

	json_set(body, str_from(member), json_new_i64(&phase->scope->set->mem, value));
	ilm_put(phase, action, body);
}

static void convert_priority(struct ilm_phase *phase, const struct json *action)
{
	int64_t priority = json_i64_or(json_get(action, "priority"), -1);

	if (priority >= 0)
		put_number(phase, "index_priority", "priority", priority);
}

static void convert_readonly(struct ilm_phase *phase, const struct json *action)
{
	(void)action;
	ilm_put(phase, "read_only", ilm_object(phase));
}

static void convert_forcemerge(struct ilm_phase *phase, const struct json *action)
{
	put_number(phase, "force_merge", "max_num_segments",
		   json_i64_or(json_get(action, "max_num_segments"), 1));
	if (json_get(action, "index_codec"))
		ilm_note(phase, "forcemerge", NOTE_WARN,
			 "dropped index_codec: force_merge does not change the codec; set "
			 "index.codec in the template");
}

static void put_snapshot(struct ilm_phase *phase, struct str repository)
{
	struct arena *mem = &phase->scope->set->mem;
	struct json *body = ilm_object(phase);

	json_set(body, STR("repository"), json_new_string(mem, repository));
	json_set(body, STR("snapshot"), json_new_string(mem, STR("{{ctx.index}}")));
	ilm_put(phase, "snapshot", body);
}

static void convert_searchable_snapshot(struct ilm_phase *phase, const struct json *action)
{
	struct str repository = json_string(json_get(action, "snapshot_repository"));

	if (repository.len == 0) {
		ilm_note(phase, "searchable_snapshot", NOTE_WARN,
			 "dropped: it names no snapshot_repository");
		return;
	}
	put_snapshot(phase, repository);
	ilm_note(phase, "searchable_snapshot", NOTE_WARN,
		 "a snapshot in '" STR_FMT "' is taken and the index stays on its nodes; register "
		 "the repository on the target",
		 STR_ARG(repository));
}

static void convert_freeze(struct ilm_phase *phase, const struct json *action)
{
	(void)action;
	ilm_note(phase, "freeze", NOTE_CHANGE, "dropped: OpenSearch freezes no indices");
}

static void convert_unfollow(struct ilm_phase *phase, const struct json *action)
{
	(void)action;
	ilm_note(phase, "unfollow", NOTE_INFO,
		 "dropped: an index whose documents were copied follows no other");
}

static bool downsamples(const struct json *phase)
{
	return json_path(phase, "actions", "downsample", NULL) != NULL;
}

/* The next interval is made of what this one leaves. */
static bool is_downsampled_later(const struct ilm_phase *phase)
{
	static const char *const later[] = {"warm", "cold", "frozen"};
	bool behind = phase->kind == PHASE_HOT;

	for (size_t i = 0; i < COUNT_OF(later); i++) {
		if (behind && downsamples(json_get(phase->phases, later[i])))
			return true;
		behind |= str_is(phase->name, later[i]);
	}
	return false;
}

static void convert_downsample(struct ilm_phase *phase, const struct json *action)
{
	(void)action;
	if (is_downsampled_later(phase)) {
		rule_block(phase->scope, ILM_RULE,
			   "it downsamples in several phases, for which ISM has nothing; write an "
			   "ISM policy by hand, with rollup jobs in their place");
		return;
	}
	ilm_note(phase, "downsample", NOTE_WARN,
		 "dropped: ISM has nothing like it; make a rollup job by hand");
}

/* The repository of the snapshot policy that is waited for, if that policy goes to the target. */
static struct str repository_of(const struct ilm_phase *phase, struct str policy)
{
	const struct metadata_item *item =
		metadata_set_find(phase->scope->set, METADATA_SNAPSHOT_POLICY, policy);

	if (!item || item->outcome == OUTCOME_EXCLUDED || item->outcome == OUTCOME_BLOCKED)
		return STR_NONE;
	return json_string(json_path(item->result, "snapshot_config", "repository", NULL));
}

static void convert_wait_for_snapshot(struct ilm_phase *phase, const struct json *action)
{
	struct str policy = json_string(json_get(action, "policy"));
	struct str repository = repository_of(phase, policy);

	if (repository.len == 0) {
		ilm_note(phase, "wait_for_snapshot", NOTE_WARN,
			 "dropped: the snapshot policy '" STR_FMT "' does not go to the target, so "
			 "indices are deleted whether a snapshot holds them or not",
			 STR_ARG(policy));
		return;
	}
	put_snapshot(phase, repository);
	ilm_note(phase, "wait_for_snapshot", NOTE_CHANGE,
		 "a snapshot in '" STR_FMT "' is taken in place of waiting for one of '" STR_FMT
		 "'",
		 STR_ARG(repository), STR_ARG(policy));
}

static void convert_delete(struct ilm_phase *phase, const struct json *action)
{
	ilm_put(phase, "delete", ilm_object(phase));
	if (json_get(action, "delete_searchable_snapshot"))
		ilm_note(phase, "delete", NOTE_CHANGE,
			 "dropped delete_searchable_snapshot: snapshots are kept");
}

#define PHASES_OF_DATA (PHASE_HOT | PHASE_WARM | PHASE_COLD | PHASE_FROZEN)
#define PHASES_OF_TIERS (PHASE_WARM | PHASE_COLD)

/* In the order in which ILM runs them; snapshots come last in hot, and before allocation later. */
static const struct {
	const char *name;
	unsigned phases;
	void (*convert)(struct ilm_phase *phase, const struct json *action);
	bool implicit; /* done without being told, too */
} conversions[] = {
	{"wait_for_snapshot", PHASE_DELETE, convert_wait_for_snapshot, false},
	{"set_priority", PHASES_OF_DATA, convert_priority, false},
	{"unfollow", PHASES_OF_DATA, convert_unfollow, false},
	{"rollover", PHASE_HOT, ilm_convert_rollover, false},
	{"readonly", PHASES_OF_DATA, convert_readonly, false},
	{"downsample", PHASES_OF_DATA, convert_downsample, false},
	{"freeze", PHASES_OF_DATA, convert_freeze, false},
	{"searchable_snapshot", PHASE_WARM | PHASE_COLD | PHASE_FROZEN, convert_searchable_snapshot,
	 false},
	{"allocate", PHASES_OF_TIERS, ilm_convert_allocate, false},
	{"migrate", PHASES_OF_TIERS, ilm_convert_migrate, true},
	{"shrink", PHASE_HOT | PHASE_WARM, ilm_convert_shrink, false},
	{"forcemerge", PHASE_HOT | PHASE_WARM, convert_forcemerge, false},
	{"searchable_snapshot", PHASE_HOT, convert_searchable_snapshot, false},
	{"delete", PHASE_DELETE, convert_delete, false},
};

static bool is_converted(const struct ilm_phase *phase, struct str action)
{
	for (size_t i = 0; i < COUNT_OF(conversions); i++)
		if ((conversions[i].phases & phase->kind) && str_is(action, conversions[i].name))
			return true;
	return false;
}

void ilm_convert_actions(struct ilm_phase *phase, const struct json *actions)
{
	for (size_t i = 0; i < COUNT_OF(conversions); i++) {
		const struct json *action = json_get(actions, conversions[i].name);

		if ((conversions[i].phases & phase->kind) && (action || conversions[i].implicit))
			conversions[i].convert(phase, action);
	}
	json_each (action, actions)
		if (!is_converted(phase, action->key))
			rule_note(phase->scope, ILM_RULE, NOTE_WARN,
				  "dropped the action " STR_FMT " of the phase " STR_FMT
				  ": ISM has nothing like it",
				  STR_ARG(action->key), STR_ARG(phase->name));
}
