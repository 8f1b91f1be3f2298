#include "transform/transform_internal.h"

static int script_make(const struct json *configuration, const struct transform_context *context,
		       struct transform_step **out, struct err *err)
{
	(void)configuration;
	(void)context;
	(void)out;
	return err_set(err, ERR_UNSUPPORTED, "scripts cannot be run by this build");
}

const struct transform_provider transform_provider_script = {"JsonJSTransformerProvider",
							     script_make};
