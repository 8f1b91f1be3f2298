#include "transform/declarative.h"
#include "transform/jmespath.h"
#include "transform/transform_internal.h"

#include <stdlib.h>

static const char predicate_name[] = "JsonJMESPathPredicateProvider";

struct conditional {
	struct transform_step base;
	struct jmespath *predicate;  /* owned */
	struct transform *transform; /* owned */
};

/* Whether a message meets the predicate; what keeps it from being asked is the message's error. */
static bool meets(const struct conditional *step, struct transform_message *message,
		  struct arena *mem)
{
	struct json *found;

	return jmespath_search(step->predicate, message->value, mem, &found, &message->error) ==
		       0 &&
	       jmespath_is_true(found);
}

static int apply(struct transform_step *base, struct transform_message *messages, size_t count,
		 struct arena *mem, struct err *err)
{
	struct conditional *step = (struct conditional *)base;
	struct transform_message *met = arena_zalloc(mem, count, sizeof(*met));
	size_t *origins = arena_zalloc(mem, count, sizeof(*origins));
	size_t met_count = 0;
	int status;

	if (!met || !origins)
		return arena_fail(mem, "the messages of a condition", err);
	for (size_t i = 0; i < count; i++) {
		if (!meets(step, &messages[i], mem))
			continue;
		met[met_count] = messages[i];
		origins[met_count++] = i;
	}
	status = transform_apply(step->transform, met, met_count, mem, err);
	for (size_t i = 0; status == 0 && i < met_count; i++)
		messages[origins[i]] = met[i];
	return status;
}

static void close_step(struct transform_step *base)
{
	struct conditional *step = (struct conditional *)base;

	transform_free(step->transform);
	jmespath_free(step->predicate);
	free(step);
}

static int read_predicate(const struct json *predicate, struct jmespath **out, struct err *err)
{
	if (predicate->type != JSON_OBJECT || predicate->count != 1)
		return err_set(err, ERR_USAGE,
			       "the predicate is no object with one key, {\"%s\": {\"script\": …}}",
			       predicate_name);
	if (!str_is(predicate->first->key, predicate_name))
		return err_set(err, ERR_USAGE, "there is no predicate '" STR_FMT "'; write a %s",
			       STR_ARG(predicate->first->key), predicate_name);
	if (jmespath_configuration(predicate->first, out, err) < 0)
		return err_wrap(err, "%s", predicate_name);
	return 0;
}

static int make(const struct json *configuration, const struct transform_context *context,
		struct transform_step **out, struct err *err)
{
	static const struct transform_step_ops ops = {.apply = apply, .close = close_step};
	struct conditional *step;
	int status;

	if (!configuration || configuration->type != JSON_ARRAY || configuration->count != 2)
		return err_set(err, ERR_USAGE,
			       "its configuration must be a list of two: a predicate, and the list "
			       "of transformers for the messages that meet it");
	step = mem_zalloc(sizeof(*step));
	step->base.ops = &ops;
	status = read_predicate(configuration->first, &step->predicate, err);
	if (status == 0)
		status = transform_new_of_json(configuration->last, context, &step->transform, err);
	if (status < 0) {
		close_step(&step->base);
		return status;
	}
	*out = &step->base;
	return 0;
}

const struct transform_provider transform_provider_conditional = {
	"JsonConditionalTransformerProvider", make};
