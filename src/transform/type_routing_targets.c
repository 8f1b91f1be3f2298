#include "transform/type_routing_request.h"

/* A list in a path names at most so many. */
#define LIST_MAX 1024u

static bool wildcard_matches(struct str pattern, struct str name)
{
	size_t p = 0, n = 0, star = SIZE_MAX, resume = 0;

	while (n < name.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = p++;
			resume = n;
		} else if (p < pattern.len && pattern.ptr[p] == name.ptr[n]) {
			p++;
			n++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			n = ++resume;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}

static int add_target(struct routed_request *request, struct str target, struct err *err)
{
	struct str *longer;

	for (size_t i = 0; i < request->target_count; i++)
		if (str_eq(request->targets[i], target))
			return 0;
	if (request->target_count == LIST_MAX)
		return err_set(err, ERR_LIMIT, "the request names more than %u indices", LIST_MAX);
	longer = arena_zalloc(request->mem, request->target_count + 1, sizeof(*longer));
	if (!longer)
		return arena_fail(request->mem, "the indices of a request", err);
	for (size_t i = 0; i < request->target_count; i++)
		longer[i] = request->targets[i];
	/* It may be the configuration's, which does not live as long as messages may. */
	target = arena_str(request->mem, target);
	if (!target.ptr)
		return arena_fail(request->mem, "the indices of a request", err);
	longer[request->target_count++] = target;
	request->targets = longer;
	return 0;
}

/* All that an index of staticMappings was split into. */
static int add_all_of(struct routed_request *request, const struct json *types, struct err *err)
{
	json_each (target, types)
		if (add_target(request, target->text, err) < 0)
			return -(int)err->kind;
	return 0;
}

static int add_typed(struct routed_request *request, struct str index, struct str type,
		     struct err *err)
{
	struct type_routes *routes = request->routing->routes;
	bool pattern = index.len && memchr(index.ptr, '*', index.len);
	struct str target;
	int status = pattern ? type_routes_target(routes, index, type, request->mem, &target, err)
			     : type_routes_index(routes, index, type, request->mem, &target, err);

	return status > 0 ? add_target(request, target, err) : status;
}

/* One index and one type, neither a list. */
static int add_pair(struct routed_request *request, struct str index, struct str type,
		    struct err *err)
{
	const struct json *types = type_routes_static(request->routing->routes, index);

	if (!type.len && types)
		return add_all_of(request, types, err);
	if (!type.len || str_is(index, "_all"))
		return add_target(request, index, err);
	return add_typed(request, index, type, err);
}

/* One index, maybe a pattern, and one type. */
static int add_index(struct routed_request *request, struct str index, struct str type,
		     struct err *err)
{
	bool pattern = index.len && memchr(index.ptr, '*', index.len);

	if (pattern)
		json_each (types, type_routes_statics(request->routing->routes))
			if (wildcard_matches(index, types->key) &&
			    add_pair(request, types->key, type, err) < 0)
				return -(int)err->kind;
	return add_pair(request, index, type, err);
}

int routed_request_add_targets(struct routed_request *request, struct str index, struct str type,
			       struct err *err)
{
	struct str one_index, one_type, types;
	bool more_indices = true, more_types;

	while (more_indices) {
		more_indices = str_split(index, ',', &one_index, &index);
		types = type;
		more_types = true;
		while (more_types) {
			more_types = str_split(types, ',', &one_type, &types);
			if (add_index(request, one_index, one_type, err) < 0)
				return -(int)err->kind;
		}
	}
	return 0;
}
