/* Which target index the documents of a source index and type go to.
 *
 * `staticMappings` {index: {type: target}}: a type that is missing there has no target. An index
 * that is not there is matched by `regexMappings` [{sourceIndexPattern, sourceTypePattern,
 * targetIndexPattern}] in their order, as a whole and with the groups of both patterns numbered on;
 * without any, each index keeps its name. Patterns are Perl-compatible ones.
 *
 * Source: opensearch-migrations, TypeMappingSanitizationTransformerProvider. Belongs to one
 * thread. */
#ifndef TRANSFORM_TYPE_ROUTES_H
#define TRANSFORM_TYPE_ROUTES_H

#include "base/json.h"

struct type_routes;

/* Reads both keys of `configuration` (an object or NULL), which must live as long. ERR_USAGE names
 * the place in it. */
int type_routes_new(const struct json *configuration, struct type_routes **out, struct err *err);
/* Accepts NULL. */
void type_routes_free(struct type_routes *routes);

/* 1: *target is its name, in `mem`; 0: there is none, what is of this type is dropped. ERR_LIMIT: a
 * pattern needs too long for this name. */
int type_routes_target(struct type_routes *routes, struct str index, struct str type,
		       struct arena *mem, struct str *target, struct err *err);
/* As above, and ERR_FORMAT if no index could be called so. */
int type_routes_index(struct type_routes *routes, struct str index, struct str type,
		      struct arena *mem, struct str *target, struct err *err);
/* The {type: target} of an index in staticMappings; NULL if the index is not there. */
const struct json *type_routes_static(const struct type_routes *routes, struct str index);
/* All of staticMappings, or NULL. */
const struct json *type_routes_statics(const struct type_routes *routes);

#endif
