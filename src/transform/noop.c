#include "transform/transform_internal.h"

#include <stdlib.h>

static int noop_apply(struct transform_step *step, struct transform_message *messages, size_t count,
		      struct arena *mem, struct err *err)
{
	(void)step;
	(void)messages;
	(void)count;
	(void)mem;
	(void)err;
	return 0;
}

static void noop_close(struct transform_step *step)
{
	free(step);
}

/* The Java tool takes any configuration for it, and so do we. */
static int noop_make(const struct json *configuration, const struct transform_context *context,
		     struct transform_step **out, struct err *err)
{
	static const struct transform_step_ops ops = {noop_apply, noop_close};
	struct transform_step *step = mem_zalloc(sizeof(*step));

	(void)configuration;
	(void)context;
	(void)err;
	step->ops = &ops;
	step->takes_source_text = true;
	*out = step;
	return 0;
}

const struct transform_provider transform_provider_noop = {"NoopTransformerProvider", noop_make};
