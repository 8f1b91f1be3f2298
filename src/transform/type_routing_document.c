#include "transform/type_routing.h"

int type_routing_document(void *state, struct json *value, struct arena *mem, struct json **out,
			  struct err *err)
{
	struct type_routing *routing = state;
	struct json *operation = json_get(value, "operation");
	struct str index = json_string(json_get(operation, "_index"));
	struct json *type = json_get(operation, "_type");
	struct str target;
	int status;

	if (!index.len)
		return err_set(err, ERR_FORMAT,
			       "the document has no operation._index, by which types are routed");
	status = type_routes_index(routing->routes, index, json_text_or(type, STR("_doc")), mem,
				   &target, err);
	if (status < 0)
		return status;
	if (status == 0) {
		*out = NULL;
		return 1;
	}
	if (!type && str_eq(index, target))
		return 0;
	json_remove(operation, STR("_type"));
	json_set(operation, STR("_index"), json_new_string(mem, target));
	return 1;
}
