#include "transform/type_routing.h"

#include "transform/declarative.h"
#include "transform/transform_internal.h"
#include "transform/value_step.h"

#include <stdlib.h>

static const char *const feature_names[TYPE_FEATURE_COUNT] = {
	[TYPE_FEATURE_BULK] = "rewrite_bulk",
	[TYPE_FEATURE_PUT_DOCUMENT] = "rewrite_add_request_to_strip_types",
	[TYPE_FEATURE_GET_DOCUMENT] = "rewrite_get_request_to_strip_types",
	[TYPE_FEATURE_DELETE_DOCUMENT] = "rewrite_delete_request_to_strip_types",
	[TYPE_FEATURE_CREATE_INDEX] = "rewrite_create_index",
};

static void release(void *state)
{
	struct type_routing *routing = state;

	type_routes_free(routing->routes);
	free(routing);
}

static bool *find_feature(struct type_routing *routing, struct str name)
{
	for (size_t i = 0; i < TYPE_FEATURE_COUNT; i++)
		if (str_is(name, feature_names[i]))
			return &routing->off[i];
	return NULL;
}

/* {"rewrite_bulk": false} or {"rewrite_bulk": {"enabled": false}}; what is not named is on. */
static int read_features(struct type_routing *routing, const struct json *flags, struct err *err)
{
	if (!flags || flags->type == JSON_NULL)
		return 0;
	if (flags->type != JSON_OBJECT)
		return err_set(err, ERR_USAGE,
			       "featureFlags is no object {feature: true or false}");
	json_each (flag, flags) {
		bool *off = find_feature(routing, flag->key);
		const struct json *enabled = json_get(flag, "enabled");
		const struct json *value = enabled ? enabled : flag;

		if (!off)
			return err_set(err, ERR_USAGE,
				       "featureFlags has no '" STR_FMT
				       "'; there are %s, %s, %s, %s "
				       "and %s",
				       STR_ARG(flag->key), feature_names[0], feature_names[1],
				       feature_names[2], feature_names[3], feature_names[4]);
		if (value->type != JSON_TRUE && value->type != JSON_FALSE)
			return err_set(err, ERR_USAGE,
				       "featureFlags." STR_FMT " is neither true nor false",
				       STR_ARG(flag->key));
		*off = value->type == JSON_FALSE;
	}
	return 0;
}

static int read_source(struct type_routing *routing, const struct json *properties,
		       enum transform_kind kind, struct err *err)
{
	const struct json *major = json_path(properties, "version", "major", NULL);

	routing->source_major = json_i64_or(major, 0);
	if (routing->source_major > 0 || (!major && kind != TRANSFORM_REQUEST))
		return 0;
	return err_set(err, ERR_USAGE,
		       "sourceProperties.version.major %s; give the source's version as "
		       "{\"sourceProperties\":{\"version\":{\"major\":5,\"minor\":6}}}",
		       major ? "is no version number" : "is missing");
}

static int read_configuration(struct type_routing *routing, const struct json *configuration,
			      enum transform_kind kind, struct err *err)
{
	static const char *const keys[] = {"staticMappings", "regexMappings", "sourceProperties",
					   "featureFlags", NULL};
	int status = transform_check_keys(configuration, keys, err);

	if (status < 0)
		return status;
	status = read_features(routing, json_get(configuration, "featureFlags"), err);
	if (status < 0)
		return status;
	status = read_source(routing, json_get(configuration, "sourceProperties"), kind, err);
	if (status < 0)
		return status;
	return type_routes_new(configuration, &routing->routes, err);
}

static value_step_fn function_of(enum transform_kind kind)
{
	switch (kind) {
	case TRANSFORM_DOCUMENT:
		return type_routing_document;
	case TRANSFORM_METADATA:
		return type_routing_metadata;
	case TRANSFORM_REQUEST:
		return type_routing_request;
	case TRANSFORM_TUPLE:
		return NULL;
	}
	BUG("no kind of message");
}

static int make(const struct json *configuration, const struct transform_context *context,
		struct transform_step **out, struct err *err)
{
	struct type_routing *routing;
	int status;

	if (context->kind == TRANSFORM_TUPLE)
		return err_set(err, ERR_USAGE,
			       "tuples have no types; use it for documents, metadata or requests");
	routing = mem_zalloc(sizeof(*routing));
	status = read_configuration(routing, configuration, context->kind, err);
	if (status < 0) {
		release(routing);
		return status;
	}
	*out = value_step_new(function_of(context->kind), routing, release);
	(*out)->takes_source_text = context->kind == TRANSFORM_DOCUMENT;
	(*out)->wants_types = context->kind == TRANSFORM_METADATA;
	return 0;
}

const struct transform_provider transform_provider_type_routing = {
	"TypeMappingSanitizationTransformerProvider", make};
