/* The providers that need no script; docs/transform-providers.md says their configurations. For
 * providers.c. */
#ifndef TRANSFORM_DECLARATIVE_H
#define TRANSFORM_DECLARATIVE_H

#include "transform/transform.h"

extern const struct transform_provider transform_provider_conditional;
extern const struct transform_provider transform_provider_data_stream;
extern const struct transform_provider transform_provider_document_type_removal;
extern const struct transform_provider transform_provider_jmespath;
extern const struct transform_provider transform_provider_jolt;
extern const struct transform_provider transform_provider_metadata_updater;
extern const struct transform_provider transform_provider_type_routing;

struct jmespath;

/* The expression that {"script": …} holds; for the transformer and the predicate. ERR_USAGE. */
int jmespath_configuration(const struct json *configuration, struct jmespath **out,
			   struct err *err);

/* Known by name and refused, with what to use instead. */
extern const struct transform_provider transform_provider_jinjava;
extern const struct transform_provider transform_provider_jmespath_predicate;
extern const struct transform_provider transform_provider_js_predicate;
extern const struct transform_provider transform_provider_python;

#endif
