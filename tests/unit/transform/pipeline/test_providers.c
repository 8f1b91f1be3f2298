#include "test_providers.h"

#include <stdlib.h>

int test_steps_open;

struct test_step {
	struct transform_step step;
	const struct json *configuration;
};

static void close_step(struct transform_step *step)
{
	test_steps_open--;
	free(step);
}

static int make(const struct json *configuration, const struct transform_step_ops *ops,
		struct transform_step **out)
{
	struct test_step *step = mem_zalloc(sizeof(*step));

	step->step.ops = ops;
	step->configuration = configuration;
	*out = &step->step;
	test_steps_open++;
	return 0;
}

static int apply_to_each(struct transform_step *step, struct transform_message *messages,
			 size_t count, struct arena *mem,
			 void (*one)(struct test_step *, struct transform_message *,
				     struct arena *))
{
	for (size_t i = 0; i < count; i++) {
		if (messages[i].error.kind != ERR_NONE || !messages[i].value ||
		    messages[i].value->type != JSON_OBJECT)
			abort();
		one((struct test_step *)step, &messages[i], mem);
	}
	return 0;
}

#define PROVIDER(lower, Upper, opaque)                                                            \
	static int lower##_apply(struct transform_step *step, struct transform_message *messages, \
				 size_t count, struct arena *mem, struct err *err)                \
	{                                                                                         \
		(void)err;                                                                        \
		return apply_to_each(step, messages, count, mem, lower);                          \
	}                                                                                         \
	static int lower##_make(const struct json *configuration,                                 \
				const struct transform_context *context,                          \
				struct transform_step **out, struct err *err)                     \
	{                                                                                         \
		static const struct transform_step_ops ops = {lower##_apply, close_step};         \
                                                                                                  \
		(void)context;                                                                    \
		(void)err;                                                                        \
		make(configuration, &ops, out);                                                   \
		(*out)->takes_source_text = opaque;                                               \
		return 0;                                                                         \
	}

static void twin(struct test_step *step, struct transform_message *message, struct arena *mem)
{
	struct json *pair = json_new(mem, JSON_ARRAY), *other = json_copy(mem, message->value);

	(void)step;
	json_set(other, STR("twin"), json_new_bool(mem, true));
	json_append(pair, message->value);
	json_append(pair, other);
	message->value = pair;
	message->changed = true;
}

static void drop(struct test_step *step, struct transform_message *message, struct arena *mem)
{
	(void)step;
	(void)mem;
	if (json_i64_or(json_get(message->value, "n"), 1) % 2 != 0)
		return;
	message->value = NULL;
	message->changed = true;
}

static void fail(struct test_step *step, struct transform_message *message, struct arena *mem)
{
	(void)step;
	(void)mem;
	if (json_i64_or(json_get(message->value, "n"), 1) == 3)
		err_set(&message->error, ERR_FORMAT, "three");
}

static void mark(struct test_step *step, struct transform_message *message, struct arena *mem)
{
	struct json *marks = json_get(message->value, "marks");

	if (!marks)
		json_set(message->value, STR("marks"), marks = json_new(mem, JSON_ARRAY));
	json_append(marks, json_copy(mem, step->configuration));
	message->changed = true;
}

static void opaque(struct test_step *step, struct transform_message *message, struct arena *mem)
{
	(void)step;
	json_set(json_get(message->value, "operation"), STR("_index"),
		 json_new_string(mem, STR("moved")));
	message->changed = true;
}

PROVIDER(twin, Twin, false)
PROVIDER(drop, Drop, false)
PROVIDER(fail, Fail, false)
PROVIDER(mark, Mark, false)
PROVIDER(opaque, Opaque, true)

static int broken_apply(struct transform_step *step, struct transform_message *messages,
			size_t count, struct arena *mem, struct err *err)
{
	(void)step;
	(void)messages;
	(void)count;
	(void)mem;
	return err_set(err, ERR_IO, "it is gone");
}

static int broken_make(const struct json *configuration, const struct transform_context *context,
		       struct transform_step **out, struct err *err)
{
	static const struct transform_step_ops ops = {broken_apply, close_step};
	static const char *const keys[] = {"known", "other", NULL};

	(void)context;
	if (transform_check_keys(configuration, keys, err) < 0)
		return -(int)err->kind;
	return make(configuration, &ops, out);
}

static const struct transform_provider providers[] = {
	{"Twin", twin_make}, {"Drop", drop_make},     {"Fail", fail_make},
	{"Mark", mark_make}, {"Opaque", opaque_make}, {"Broken", broken_make},
};

const struct transform_provider *transform_provider_find(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(providers); i++)
		if (str_is(name, providers[i].name))
			return &providers[i];
	return NULL;
}

const char *transform_provider_nearest(struct str name)
{
	return str_is(name, "Twins") ? "Twin" : NULL;
}
