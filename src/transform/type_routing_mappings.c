#include "transform/type_mapping.h"
#include "transform/type_routing_request.h"

/* Keys of a mapping that no target without types takes. */
static bool remove_unsupported(struct json *mapping)
{
	bool all = json_remove(mapping, STR("_all")) != NULL;
	bool parent = json_remove(mapping, STR("_parent")) != NULL;

	return all || parent;
}

/* Whether the request speaks of types: it says so, or its version does. */
static bool includes_type_names(const struct routed_request *request)
{
	struct str value;

	if (request_query_get(request->path.query, STR("include_type_name"), &value))
		return !str_is(value, "false");
	return request->routing->source_major <= 6;
}

int routed_body_put_mapping(struct routed_request *request, struct err *err)
{
	struct json *body = json_get(request->payload, "inlinedJsonBody");
	struct json *mapping = json_get_str(body, request->type);

	(void)err;
	if (mapping && mapping->type == JSON_OBJECT && body->count == 1) {
		mapping = json_remove(body, request->type);
		json_set(request->payload, STR("inlinedJsonBody"), mapping);
		body = mapping;
		request->changed = true;
	}
	request->changed |= remove_unsupported(body);
	return 0;
}

/* All the types that `wanted` says of a name, in one mapping, put in place of `mappings`. */
static int unite(struct routed_request *request, struct json *body, const struct json *types,
		 struct str where, int (*wanted)(struct routed_request *, struct str, struct err *),
		 struct err *err)
{
	struct json *united = json_new(request->mem, JSON_OBJECT);
	const struct json *defaults = json_get(types, "_default_");

	if (!united)
		return arena_fail(request->mem, "the mapping of a request", err);
	json_each (mapping, types) {
		int status = mapping == defaults ? 0 : wanted(request, mapping->key, err);

		if (status < 0)
			return status;
		if (status == 0)
			continue;
		if (!united->count)
			united = json_copy(request->mem, mapping);
		else if (type_mapping_merge(united, mapping, where, request->mem, err) < 0)
			return -(int)err->kind;
		if (!united)
			return arena_fail(request->mem, "the mapping of a request", err);
	}
	type_mapping_add_defaults(united, defaults, request->mem);
	remove_unsupported(united);
	json_set(body, STR("mappings"), united);
	request->changed = true;
	return 0;
}

static int add_target_of_type(struct routed_request *request, struct str type, struct err *err)
{
	struct str target;
	int status = type_routes_index(request->routing->routes, request->index, type, request->mem,
				       &target, err);

	if (status <= 0)
		return status;
	status = routed_request_add_targets(request, request->index, type, err);
	return status < 0 ? status : 1;
}

static int every_type(struct routed_request *request, struct str type, struct err *err)
{
	(void)request;
	(void)type;
	(void)err;
	return 1;
}

/* An index without types: its own name, or that of _doc, or the only one of staticMappings. */
static int add_untyped_target(struct routed_request *request, struct err *err)
{
	const struct json *statics = type_routes_static(request->routing->routes, request->index);

	if (statics && !json_get(statics, "_doc"))
		return routed_request_add_targets(request, request->index, STR_NONE, err);
	return routed_request_add_targets(request, request->index, STR("_doc"), err);
}

static int several_targets(const struct routed_request *request, struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED,
		       "index '" STR_FMT "' is split, into '" STR_FMT "' and %zu more: one request "
		       "cannot create them; create them beforehand, by migrating the metadata",
		       STR_ARG(request->index), STR_ARG(request->targets[0]),
		       request->target_count - 1);
}

int routed_body_create_index(struct routed_request *request, struct err *err)
{
	struct json *body = json_get(request->payload, "inlinedJsonBody");
	struct json *mappings = json_get(body, "mappings");
	int status;

	if (type_mapping_has_types(mappings) && includes_type_names(request))
		status = unite(request, body, mappings, request->index, add_target_of_type, err);
	else
		status = add_untyped_target(request, err);
	if (status < 0)
		return status;
	if (request->target_count > 1)
		return several_targets(request, err);
	request->nothing = !request->target_count;
	return 0;
}

int routed_body_put_template(struct routed_request *request, struct err *err)
{
	struct json *body = json_get(request->payload, "inlinedJsonBody");
	struct json *mappings = json_get(body, "mappings");

	if (!type_mapping_has_types(mappings) || !includes_type_names(request))
		return 0;
	return unite(request, body, mappings, request->path.segment[1], every_type, err);
}
