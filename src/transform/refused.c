#include "transform/declarative.h"

/* Providers of the Java tool that there are not here: each says what to use instead. */

#define REFUSED(function, what)                                                                   \
	static int function(const struct json *configuration,                                     \
			    const struct transform_context *context, struct transform_step **out, \
			    struct err *err)                                                      \
	{                                                                                         \
		(void)configuration;                                                              \
		(void)context;                                                                    \
		(void)out;                                                                        \
		return err_set(err, ERR_USAGE, what);                                             \
	}

REFUSED(refuse_python, "Python scripts are not run; write the same main(context) in JavaScript for "
		       "JsonJSTransformerProvider, or use a provider that needs no script")
REFUSED(refuse_jinjava, "Jinja templates are not run; use JsonJMESPathTransformerProvider, "
			"TypeMappingSanitizationTransformerProvider or JsonJSTransformerProvider")
REFUSED(refuse_predicate,
	"this is a predicate, no transformer; write {\"JsonConditionalTransformerProvider\": "
	"[{\"JsonJMESPathPredicateProvider\": {\"script\": …}}, [transformers]]}")
REFUSED(refuse_js_predicate,
	"predicates in JavaScript are not run; use JsonJMESPathPredicateProvider in "
	"JsonConditionalTransformerProvider, or decide within JsonJSTransformerProvider")

const struct transform_provider transform_provider_python = {"JsonPythonTransformerProvider",
							     refuse_python};
const struct transform_provider transform_provider_jinjava = {"JsonJinjavaTransformerProvider",
							      refuse_jinjava};
const struct transform_provider transform_provider_jmespath_predicate = {
	"JsonJMESPathPredicateProvider", refuse_predicate};
const struct transform_provider transform_provider_js_predicate = {"JsonJSPredicateProvider",
								   refuse_js_predicate};
