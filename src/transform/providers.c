#include "transform/declarative.h"
#include "transform/transform_internal.h"

static const struct transform_provider *const providers[] = {
	&transform_provider_conditional,
	&transform_provider_data_stream,
	&transform_provider_document_type_removal,
	&transform_provider_jinjava,
	&transform_provider_jmespath,
	&transform_provider_jmespath_predicate,
	&transform_provider_jolt,
	&transform_provider_js_predicate,
	&transform_provider_metadata_updater,
	&transform_provider_noop,
	&transform_provider_python,
	&transform_provider_script,
	&transform_provider_type_routing,
};

const struct transform_provider *transform_provider_find(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(providers); i++)
		if (str_is(name, providers[i]->name))
			return providers[i];
	return NULL;
}

const char *transform_provider_nearest(struct str name)
{
	size_t best = MAX(name.len / 3, (size_t)1) + 1;
	const char *nearest = NULL;

	for (size_t i = 0; i < COUNT_OF(providers); i++) {
		size_t apart = str_distance(name, str_from(providers[i]->name));

		if (apart >= best)
			continue;
		best = apart;
		nearest = providers[i]->name;
	}
	return nearest;
}
