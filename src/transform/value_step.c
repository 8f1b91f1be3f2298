#include "transform/value_step.h"

#include <stdlib.h>

struct value_step {
	struct transform_step base;
	value_step_fn fn;
	void *state;
	void (*release)(void *state);
};

static void apply_to_message(struct value_step *step, struct transform_message *message,
			     struct arena *mem)
{
	struct json *out = message->value;
	int status = step->fn(step->state, message->value, mem, &out, &message->error);

	if (status < 0)
		return;
	if (mem->failed) {
		arena_fail(mem, "the result of a transformer step", &message->error);
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

struct transform_step *value_step_new(value_step_fn fn, void *state, void (*release)(void *state))
{
	static const struct transform_step_ops ops = {.apply = apply, .close = close_step};
	struct value_step *step = mem_zalloc(sizeof(*step));

	step->base.ops = &ops;
	step->fn = fn;
	step->state = state;
	step->release = release;
	return &step->base;
}
