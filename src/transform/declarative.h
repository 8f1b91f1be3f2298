/* The providers that need no script; docs/transform-providers.md says their configurations. For
 * providers.c. */
#ifndef TRANSFORM_DECLARATIVE_H
#define TRANSFORM_DECLARATIVE_H

#include "transform/transform.h"

/* The shape of all: see transform.h. */
typedef int transform_make(const struct json *configuration,
			   const struct transform_context *context, struct transform_step **out,
			   struct err *err);

transform_make type_routing_make;          /* TypeMappingSanitizationTransformerProvider */
transform_make jmespath_transformer_make;  /* JsonJMESPathTransformerProvider */
transform_make conditional_make;           /* JsonConditionalTransformerProvider */
transform_make jolt_make;                  /* JsonJoltTransformerProvider */
transform_make noop_make;                  /* NoopTransformerProvider */
transform_make document_type_removal_make; /* JsonTransformerForDocumentTypeRemovalProvider */
transform_make data_stream_make;           /* DataStreamBackingIndexTransformerProvider */
transform_make metadata_updater_make;      /* MetadataUpdaterTransformerProvider */

/* ERR_USAGE for a provider of the Java tool that there is not here: what to use instead. 0: the
 * name is none of these. */
int transform_refuse_provider(struct str name, struct err *err);

#endif
