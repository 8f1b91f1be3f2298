#include "metadata/ism_policy.h"

#include "metadata/time_value.h"

#include <inttypes.h>

void ism_policy_strip(struct json *policy)
{
	static const char *const keys[] = {"policy_id", "last_updated_time", "schema_version",
					   "user", "ism_template"};
	const struct json *told = json_get(policy, "error_notification");

	for (size_t i = 0; policy && i < COUNT_OF(keys); i++)
		json_remove(policy, str_from(keys[i]));
	if (told && told->type == JSON_NULL)
		json_remove(policy, STR("error_notification"));
}

static bool has_action(const struct json *state, const char *name)
{
	json_each (action, json_get(state, "actions"))
		if (json_get(action, name))
			return true;
	return false;
}

bool ism_policy_rolls_over(const struct json *policy)
{
	json_each (state, json_get(policy, "states"))
		if (has_action(state, "rollover"))
			return true;
	return false;
}

static const struct json *state_named(const struct json *policy, struct str name)
{
	json_each (state, json_get(policy, "states"))
		if (str_eq(json_string(json_get(state, "name")), name))
			return state;
	return NULL;
}

bool ism_policy_deletes_at_once(const struct json *policy)
{
	const struct json *states = json_get(policy, "states");
	struct str name = json_string(json_get(policy, "default_state"));

	for (size_t steps = 0; states && steps < states->count; steps++) {
		const struct json *state = state_named(policy, name);
		const struct json *transitions = json_get(state, "transitions");
		const struct json *conditions;

		if (has_action(state, "delete"))
			return true;
		if (!transitions || !transitions->first)
			return false;
		conditions = json_get(transitions->first, "conditions");
		if (conditions && conditions->first)
			return false;
		name = json_string(json_get(transitions->first, "state_name"));
	}
	return false;
}

static struct json *without_rollover(const struct json *actions, struct arena *mem)
{
	struct json *left = json_new(mem, JSON_ARRAY);

	json_each (action, actions)
		if (!json_get(action, "rollover"))
			json_append(left, json_copy(mem, action));
	return left;
}

/* Without conditions left, a transition has no "conditions". */
static void reduce_ages(struct json *transition, int64_t reached_ms, struct arena *mem)
{
	const struct json *conditions = json_get(transition, "conditions");
	struct json *left = json_new(mem, JSON_OBJECT);

	json_each (condition, conditions) {
		bool age = str_is(condition->key, "min_rollover_age") ||
			   str_is(condition->key, "min_index_age");
		int64_t ms;

		if (!age || !time_value_parse(json_string(condition), &ms))
			json_set(left, condition->key, json_copy(mem, condition));
		else if (ms > reached_ms)
			json_set(left, STR("min_index_age"),
				 json_new_string(mem, time_value_text(ms - reached_ms, mem)));
	}
	if (!conditions || !left)
		return;
	if (left->first)
		json_set(transition, STR("conditions"), left);
	else
		json_remove(transition, STR("conditions"));
}

static struct str description(const struct json *policy, int64_t reached_ms, struct arena *mem)
{
	struct str said = json_string(json_get(policy, "description"));

	return arena_printf(
		mem, STR_FMT " (indices written to no more, %" PRId64 " days old when they came)",
		STR_ARG(said), reached_ms / MS_PER_DAY);
}

struct json *ism_policy_for_rolled(const struct json *policy, int64_t reached_ms, struct arena *mem)
{
	struct json *body = json_copy(mem, policy), *wrapped = json_new(mem, JSON_OBJECT);

	if (!body || !wrapped)
		return NULL;
	ism_policy_strip(body);
	json_set(body, STR("description"),
		 json_new_string(mem, description(policy, reached_ms, mem)));
	json_each (state, json_get(body, "states")) {
		json_set(state, STR("actions"), without_rollover(json_get(state, "actions"), mem));
		json_each (transition, json_get(state, "transitions"))
			reduce_ages(transition, reached_ms, mem);
	}
	json_set(wrapped, STR("policy"), body);
	return mem->failed ? NULL : wrapped;
}
