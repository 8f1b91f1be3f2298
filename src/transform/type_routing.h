/* The type router: documents, metadata items and requests of indices that had several types, sent
 * to the indices that type_routes.h says. For type_routing.c; each function is a value_step_fn
 * whose state is a struct type_routing. */
#ifndef TRANSFORM_TYPE_ROUTING_H
#define TRANSFORM_TYPE_ROUTING_H

#include "transform/type_routes.h"

/* What `featureFlags` can switch off, for requests. */
enum type_feature {
	TYPE_FEATURE_BULK,
	TYPE_FEATURE_PUT_DOCUMENT,
	TYPE_FEATURE_GET_DOCUMENT,
	TYPE_FEATURE_DELETE_DOCUMENT,
	TYPE_FEATURE_CREATE_INDEX,
	TYPE_FEATURE_COUNT,
};

struct type_routing {
	struct type_routes *routes; /* owned */
	int64_t source_major;       /* 0: not told */
	bool off[TYPE_FEATURE_COUNT];
};

/* {"operation": {"_index", "_type", …}, …}: an absent type counts as _doc; without a target the
 * document is dropped. */
int type_routing_document(void *state, struct json *value, struct arena *mem, struct json **out,
			  struct err *err);
/* {"type", "name", "body"}: an item for each target, with the mapping of its types in one. */
int type_routing_metadata(void *state, struct json *value, struct arena *mem, struct json **out,
			  struct err *err);
/* {"method", "URI", "payload", …}: without types in path and body; one for nothing but dropped
 * types becomes GET /. */
int type_routing_request(void *state, struct json *value, struct arena *mem, struct json **out,
			 struct err *err);

#endif
