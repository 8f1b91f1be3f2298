#include "transform/value_step.h"

#include <stdlib.h>

struct value_step {
	struct transform_step base;
	value_step_fn fn;
	void *state;
	void (*release)(void *state);
};

/* Appends what a value became: nothing, itself, or those of an array. */
static void append_result(struct json *to, struct json *result)
{
	struct json *child, *next;

	if (!result)
		return;
	if (result->type != JSON_ARRAY) {
		result->next = NULL;
		json_append(to, result);
		return;
	}
	for (child = result->first; child; child = next) {
		next = child->next;
		child->next = NULL;
		json_append(to, child);
	}
}

static int apply_to_array(struct value_step *step, struct json *array, struct arena *mem,
			  struct json **out, struct err *err)
{
	struct json *results = json_new(mem, JSON_ARRAY), *value, *next, *result;
	int changed = 0, status;

	if (!results)
		return arena_fail(mem, "the results of a step", err);
	for (value = array->first; value; value = next) {
		next = value->next;
		result = value;
		status = step->fn(step->state, value, mem, &result, err);
		if (status < 0)
			return status;
		changed |= status;
		append_result(results, result);
	}
	*out = results;
	return changed;
}

static void apply_to_message(struct value_step *step, struct transform_message *message,
			     struct arena *mem)
{
	struct json *value = message->value, *out = value;
	int status;

	if (value->type == JSON_ARRAY)
		status = apply_to_array(step, value, mem, &out, &message->error);
	else
		status = step->fn(step->state, value, mem, &out, &message->error);
	if (status < 0)
		return;
	if (mem->failed) {
		arena_fail(mem, "the result of a step", &message->error);
		return;
	}
	message->value = out;
	message->changed |= status > 0;
}

static int apply(struct transform_step *base, struct transform_message *messages, size_t count,
		 struct arena *mem, struct err *err)
{
	struct value_step *step = (struct value_step *)base;

	(void)err;
	for (size_t i = 0; i < count; i++)
		if (!messages[i].error.kind && messages[i].value)
			apply_to_message(step, &messages[i], mem);
	return 0;
}

static void close_step(struct transform_step *base)
{
	struct value_step *step = (struct value_step *)base;

	if (step->release)
		step->release(step->state);
	free(step);
}

struct transform_step *value_step_new(const char *provider, value_step_fn fn, void *state,
				      void (*release)(void *state))
{
	static const struct transform_step_ops ops = {.apply = apply, .close = close_step};
	struct value_step *step = mem_zalloc(sizeof(*step));

	step->base.ops = &ops;
	step->base.provider = provider;
	step->fn = fn;
	step->state = state;
	step->release = release;
	return &step->base;
}

static bool listed(const char *const *keys, struct str key)
{
	for (; *keys; keys++)
		if (str_is(key, *keys))
			return true;
	return false;
}

static int refuse_key(const char *provider, struct str key, const char *const *keys,
		      struct err *err)
{
	cleanup(buf_release) struct buf known = BUF_INIT(KIB(1));

	for (; *keys; keys++)
		buf_printf(&known, "%s%s", known.len ? ", " : "", *keys);
	return err_set(err, ERR_USAGE, "%s has no key '" STR_FMT "'; %s%s", provider, STR_ARG(key),
		       known.len ? "its keys: " : "it takes none", buf_cstr(&known));
}

int value_step_check_keys(const struct json *configuration, const char *provider,
			  const char *const *keys, struct err *err)
{
	if (!configuration || configuration->type == JSON_NULL ||
	    (configuration->type == JSON_STRING && !configuration->text.len))
		return 0;
	if (configuration->type != JSON_OBJECT)
		return err_set(err, ERR_USAGE, "the configuration of %s is no object", provider);
	json_each (member, configuration)
		if (!listed(keys, member->key))
			return refuse_key(provider, member->key, keys, err);
	return 0;
}
