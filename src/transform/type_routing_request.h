/* Inside the type router for requests: one request, the targets that its path names, and the bodies
 * that name indices and types themselves. For type_routing_request.c, _targets.c and _body.c. */
#ifndef TRANSFORM_TYPE_ROUTING_REQUEST_H
#define TRANSFORM_TYPE_ROUTING_REQUEST_H

#include "transform/request_path.h"
#include "transform/type_routing.h"

struct routed_request {
	struct type_routing *routing;
	struct json *message;
	struct json *payload; /* or NULL */
	struct request_path path;
	struct str index, type; /* segments of the path, decoded; empty: it names none */
	struct arena *mem;
	struct str *targets; /* of index and type, each once */
	size_t target_count;
	bool changed; /* the body */
	bool nothing; /* all that it names is dropped */
};

/* Appends the targets of index and type, either of which may be a list ("a,b"); in an index, *
 * stands for those of staticMappings as well. An empty type: all the targets of an index that is in
 * staticMappings; another keeps its name. Negative: a name, or a pattern that needs too long. */
int routed_request_add_targets(struct routed_request *request, struct str index, struct str type,
			       struct err *err);

/* The bodies. Each takes what path and body name, changes the body, and sets `nothing` when nothing
 * is left of it. */
int routed_body_bulk(struct routed_request *request, struct err *err);
int routed_body_multi_search(struct routed_request *request, struct err *err);
/* _mget and _mtermvectors. */
int routed_body_multi_get(struct routed_request *request, struct err *err);
/* {type: mapping} of the type in the path becomes the mapping. */
int routed_body_put_mapping(struct routed_request *request, struct err *err);
/* The types of `mappings` become one mapping, and their targets those of the request. */
int routed_body_create_index(struct routed_request *request, struct err *err);
/* As above, and the name stays. */
int routed_body_put_template(struct routed_request *request, struct err *err);

#endif
